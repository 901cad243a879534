//! `templates:` and policies' `summary:`. Each is compiled, and rendered for sample incidents: what fails here would fail
//! when somebody is to be woken.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    codes::Code,
    context::{Context, Thing},
    document::Document,
    finding::Finding,
    model::{BoundPolicy, Slo},
    tree::{Entry, Node, Span, Spanned},
};
use crate::{
    domain::name::{Name, SloId},
    template::{self, Fault, RESERVED, SOURCE_MAX, Templates, includes, summary, summary_name},
};

/// Most sets of labels that a policy's template is tried with.
const SHAPES_MAX: usize = 20;

/// Reads all templates, and reports those that cannot be used.
pub(crate) fn decode(
    cx: &Context<'_>,
    document: &Document,
    policies: &BTreeMap<Name, BoundPolicy>,
    slos: &BTreeMap<SloId, Slo>,
) -> Templates {
    let entries = document.map("templates");
    let named: BTreeMap<Name, String> = entries.iter().filter_map(|entry| named(cx, entry)).collect();
    let own = |bound: &BoundPolicy| Some((bound.policy.name.clone(), bound.policy.summary.clone()?));
    let own: BTreeMap<Name, String> = policies.values().filter_map(own).collect();
    let all_known = refer(cx, document, &named, &own);
    let (templates, mut faults) = Templates::new(&named, &own);
    for name in RESERVED {
        if templates.has(name) {
            faults.extend(template::post_incident::samples().iter().filter_map(|(what, sample)| {
                let fault = templates.own_post_incident(sample).err()?;
                Some(Fault { why: format!("{} (sample: {what})", fault.why), ..fault })
            }));
        }
    }
    for bound in policies.values().filter(|bound| templates.has_summary(&bound.policy.name)) {
        faults.extend(try_summary(&templates, bound, slos));
    }
    // What is not there was said already.
    faults.retain(|fault| all_known || !fault.is_missing);
    let mut seen = BTreeSet::new();
    for fault in faults {
        // The same place for another sample is the same fault.
        if seen.insert((fault.template.clone(), fault.range.as_ref().map(|range| range.start), fault.line)) {
            report(cx, document, &fault);
        }
    }
    templates
}

fn named(cx: &Context<'_>, entry: &Entry) -> Option<(Name, String)> {
    let name = &entry.key.value;
    let Some(text) = entry.value.scalar() else {
        let message = format!("template `{name}` must be a text, not {}", entry.value.word());
        cx.push(Finding::error(Code::WrongType, entry.value.at, message));
        return None;
    };
    if text.len() > SOURCE_MAX {
        cx.push(Finding::error(Code::OutOfRange, entry.value.at, format!("template `{name}` is over 16 KiB")));
        return None;
    }
    Some((Name::from(name.as_str()), text.to_owned()))
}

/// Follows what templates include. Reserved names are used by slod itself. Answers whether all of it is there.
fn refer(cx: &Context<'_>, document: &Document, named: &BTreeMap<Name, String>, own: &BTreeMap<Name, String>) -> bool {
    let mut all_known = true;
    let mut waiting: Vec<(String, &str)> =
        own.iter().map(|(policy, text)| (summary_name(policy), text.as_str())).collect();
    waiting.extend(RESERVED.iter().filter_map(|name| Some(((*name).to_owned(), named.get(*name)?.as_str()))));
    for name in RESERVED {
        cx.mark_used(Thing::Template, name);
    }
    let mut seen = BTreeSet::new();
    while let Some((owner, source)) = waiting.pop() {
        for (name, range) in includes(source) {
            let Some(node) = node(document, &owner) else { continue };
            let at = place(cx, node, source, Some(&range), None).unwrap_or(node.at);
            all_known &= cx.refer(Thing::Template, &Spanned { value: name.clone(), at }, &word(&owner)).is_some();
            if let Some(text) = named.get(name.as_str()).filter(|_| seen.insert(name.clone())) {
                waiting.push((name, text));
            }
        }
    }
    all_known
}

/// Tries a policy's template on samples of each kind of series that it watches.
fn try_summary(templates: &Templates, bound: &BoundPolicy, slos: &BTreeMap<SloId, Slo>) -> Vec<Fault> {
    let mut shapes: BTreeMap<&[String], (&SloId, &Slo)> = BTreeMap::new();
    for found in bound.slos.iter().filter_map(|id| slos.get_key_value(id)) {
        if shapes.len() < SHAPES_MAX {
            shapes.entry(found.1.per.as_slice()).or_insert(found);
        }
    }
    let mut faults = Vec::new();
    for (per, (id, slo)) in shapes {
        let sample = summary::Sample {
            service: &id.service,
            slo: &id.slo,
            per,
            about: summary::About {
                policy: &bound.policy.name,
                service_title: &id.service,
                slo_title: &slo.title,
                labels: bound.policy.labels.clone(),
            },
            priority: bound.policy.priority,
        };
        for (what, context) in summary::samples(&sample) {
            if let Err(fault) = templates.summary(&bound.policy.name, &context) {
                faults.push(Fault { why: format!("{} (sample: {id}, {what})", fault.why), ..fault });
            }
        }
    }
    faults
}

/// Where a template is written.
fn node<'d>(document: &'d Document, template: &str) -> Option<&'d Node> {
    match template.strip_prefix(&summary_name("")) {
        Some(policy) => document.find("policies", policy)?.value.child("summary"),
        None => document.find("templates", template).map(|entry| &entry.value),
    }
}

/// How people call a template.
fn word(template: &str) -> String {
    match template.strip_prefix(&summary_name("")) {
        Some(policy) => format!("`summary` of policy `{policy}`"),
        None => format!("template `{template}`"),
    }
}

fn report(cx: &Context<'_>, document: &Document, fault: &Fault) {
    let Some(node) = node(document, &fault.template) else { return };
    let source = node.scalar().unwrap_or_default();
    let line = fault.range.as_ref().map(|range| line_of(source, range.start)).or(fault.line);
    let own = line.filter(|_| source.lines().count() > 1).map(|line| format!(" (its line {line})")).unwrap_or_default();
    let message = format!("{}{own}: {}", word(&fault.template), fault.why);
    let at = place(cx, node, source, fault.range.as_ref(), fault.line).unwrap_or(node.at);
    cx.push(Finding::error(Code::Template, at, message));
}

/// The line of a byte, from 1.
fn line_of(source: &str, at: usize) -> usize {
    source.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

/// Where in its file a stretch of a template stands. None if the file writes it in another way than the template reads
/// (escapes, folded lines).
fn place(
    cx: &Context<'_>,
    node: &Node,
    source: &str,
    range: Option<&Range<usize>>,
    line: Option<usize>,
) -> Option<Span> {
    let file = cx.files.get(node.at.file);
    let number = range.map(|range| line_of(source, range.start)).or(line)?;
    let text = source.lines().nth(number - 1)?;
    let start_of_line = source.lines().take(number - 1).map(|line| line.len() + 1).sum::<usize>();
    let within = range.map_or(0..text.len(), |range| {
        let from = range.start.saturating_sub(start_of_line).min(text.len());
        from..(range.end.saturating_sub(start_of_line)).clamp(from, text.len())
    });
    let (first, _) = file.line_at(node.at.start);
    let row = first + number;
    // A text in quotes or none begins on the key's line, a block on the one below.
    let is_block = file.text.get(node.at.start..).is_some_and(|rest| rest.starts_with(['|', '>']));
    for row in if is_block { [row, row - 1] } else { [row - 1, row] } {
        let written = file.line_text(row);
        let before = if row == first { node.at.start - file.line_at(node.at.start).1 } else { 0 };
        if let Some(column) = written.get(before..).and_then(|rest| rest.find(text)).filter(|_| !text.is_empty()) {
            let start = file.start_of(row)? + before + column;
            return Some(Span { file: node.at.file, start: start + within.start, end: start + within.end });
        }
    }
    None
}
