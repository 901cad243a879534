//! Joins the files: every top-level map may be split over files, `daemon` and `mail` stand in one.

use std::collections::{BTreeMap, HashMap};

use super::{
    codes::Code,
    context::{Context, Known, Thing},
    fields::{Fields, named},
    finding::Finding,
    tree::{Entry, Node, Value},
};

/// Kinds of sources.
pub(crate) const SOURCE_KINDS: [&str; 3] = ["prometheus", "postgres", "pingdom"];
/// Kinds of receivers.
pub(crate) const RECEIVER_KINDS: [&str; 7] =
    ["pagerduty", "slack", "email", "statuspage", "instatus", "webhook", "alertmanager"];

/// Top-level maps, with what one of their entries is called.
const MAPS: [(&str, &str); 9] = [
    ("sources", "a source"),
    ("services", "a service"),
    ("policies", "a policy"),
    ("receivers", "a receiver"),
    ("escalations", "an escalation"),
    ("reports", "a report"),
    ("reminders", "a reminder"),
    ("maintenance", "a maintenance window"),
    ("templates", "a template"),
];
/// Top-level blocks that stand in one file.
const BLOCKS: [&str; 2] = ["daemon", "mail"];

/// All files as one document.
#[derive(Debug, Default)]
pub(crate) struct Document {
    blocks: BTreeMap<&'static str, Entry>,
    maps: BTreeMap<&'static str, Section>,
}

/// A top-level map, over all files.
#[derive(Debug, Default)]
struct Section {
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
}

impl Document {
    /// A block, if any file has it.
    pub fn block(&self, name: &str) -> Option<&Entry> {
        self.blocks.get(name)
    }

    /// The entries of a map, over all files.
    pub fn map(&self, name: &str) -> &[Entry] {
        self.maps.get(name).map(|section| section.entries.as_slice()).unwrap_or_default()
    }

    /// One entry of a map.
    pub fn find(&self, map: &str, name: &str) -> Option<&Entry> {
        let section = self.maps.get(map)?;
        section.entries.get(*section.index.get(name)?)
    }

    /// Everything that can be referred to.
    pub fn known(&self) -> BTreeMap<Thing, BTreeMap<String, Known>> {
        let kind = |thing, node: &Node| {
            let kinds: &[&'static str] = match thing {
                Thing::Source => &SOURCE_KINDS,
                Thing::Receiver => &RECEIVER_KINDS,
                _ => &[],
            };
            kinds.iter().copied().find(|kind| node.child(kind).is_some())
        };
        let all = Thing::ALL.map(|thing| {
            let names = self
                .map(thing.section())
                .iter()
                .map(|entry| (entry.key.value.clone(), Known { at: entry.key.at, kind: kind(thing, &entry.value) }));
            (thing, names.collect())
        });
        BTreeMap::from(all)
    }
}

/// Joins the files of the context.
pub(crate) fn join(cx: &Context<'_>) -> Document {
    let mut document = Document::default();
    for (index, file) in cx.files.iter().enumerate() {
        let Some(root) = &file.root else {
            if index == 0 && file.is_parsed() {
                let finding = Finding::error(Code::Version, None, format!("`{}` is empty", file.shown));
                cx.push(finding.help("begin with `version: 1`"));
            }
            continue;
        };
        if !matches!(root.value, Value::Map(_) | Value::Null) {
            let message = format!("`{}` must be a map of keys, not {}", file.shown, root.word());
            cx.push(Finding::error(Code::WrongType, root.at, message));
            continue;
        }
        let Some(fields) = Fields::open(cx, root, root.at, "the configuration") else { continue };
        root_keys(&fields, index == 0);
        for (name, what) in MAPS {
            let entries = fields.get(name).map(|node| named(cx, node, &format!("`{name}`"), what)).unwrap_or_default();
            extend(cx, document.maps.entry(name).or_default(), entries, what);
        }
        for name in BLOCKS {
            let Some(entry) = fields.entry(name) else { continue };
            if let Some(first) = document.blocks.get(name) {
                let finding = Finding::error(Code::WrongFile, entry.key.at, format!("`{name}` stands in two files"));
                cx.push(finding.related(first.key.at, "first here").help("join the two blocks"));
            } else {
                document.blocks.insert(name, entry.clone());
            }
        }
        fields.close();
    }
    document
}

fn extend(cx: &Context<'_>, section: &mut Section, entries: Vec<&Entry>, what: &str) {
    for entry in entries {
        let next = section.entries.len();
        let at = *section.index.entry(entry.key.value.clone()).or_insert(next);
        if at == next {
            section.entries.push(entry.clone());
        } else {
            let what = what.split_once(' ').map_or(what, |(_, word)| word);
            let message = format!("{what} `{}` is there twice", entry.key.value);
            let finding = Finding::error(Code::DuplicateKey, entry.key.at, message);
            let first = section.entries[at].key.at;
            cx.push(finding.related(first, "first here").help("rename or remove one of them"));
        }
    }
}

/// `version` and `include`: in the root file only.
fn root_keys(fields: &Fields<'_>, is_root: bool) {
    let (version, include) = (fields.entry("version"), fields.entry("include"));
    if !is_root {
        for entry in [version, include].into_iter().flatten() {
            let message = format!("`{}` stands in the root file only", entry.key.value);
            fields.cx.push(Finding::error(Code::WrongFile, entry.key.at, message).help("remove it here"));
        }
        return;
    }
    match version {
        None => {
            let finding = Finding::error(Code::Version, fields.at, "the configuration has no `version`");
            fields.cx.push(finding.help("begin with `version: 1`"));
        }
        Some(entry) if !matches!(&entry.value.value, Value::Scalar { text, plain: true } if text == "1") => {
            let quoted = entry.value.scalar() == Some("1");
            let message = if quoted { "`version` is a number, not a text" } else { "only `version: 1` is known" };
            let finding = Finding::error(Code::Version, entry.value.at, message);
            fields.cx.push(finding.help("write `version: 1`"));
        }
        Some(_) => {}
    }
}
