//! `policies:`

use std::collections::BTreeSet;

use super::{
    codes::Code,
    conditions,
    context::{Context, Thing, suggestion},
    fields::{Fields, clipped},
    finding::Finding,
    pattern,
    tree::{Entry, Key, Span},
    units,
    values::{ANY, FROM_SECOND},
};
use crate::{
    domain::{
        name::{Name, SloId},
        policy::{ClearAfter, Flapping, Judge, OnGap, Policy, Priority},
        slo::BILLION,
    },
    template::SOURCE_MAX,
};

/// A policy and what it watches, with the places its fitting is judged at.
pub(crate) struct Decoded {
    /// The policy.
    pub policy: Policy,
    /// What its patterns matched.
    pub slos: Vec<SloId>,
    /// Where `when` stands.
    pub when_at: Span,
}

/// Reads one policy. `all` are the SLOs there are.
pub(crate) fn decode(cx: &Context<'_>, entry: &Entry, all: &[SloId]) -> Option<Decoded> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("policy `{}`", entry.key.value))?;
    fields.require("slo");
    fields.require("when");
    let slos = matched(&fields, "slo", "watches", all, None);
    let when = fields.entry("when").and_then(|entry| conditions::decode(&fields, entry));
    let notify = fields.receivers("notify");
    let escalation = fields.reference("escalation", Thing::Escalation);
    let summary = summary(&fields);
    let policy = Policy {
        name: Name::from(entry.key.value.as_str()),
        hold: fields.seconds("for", ANY).unwrap_or(0),
        clear_after: clear_after(&fields),
        flapping: fields.entry("flapping").and_then(|entry| flapping(&fields, entry)),
        priority: fields.priority("priority").unwrap_or(Priority::P3),
        notify: notify.unwrap_or_default(),
        escalation: escalation.map(|name| name.value),
        min_bad: fields.integer("min_bad", 1..=1_000_000).unwrap_or(2) as u32,
        min_confidence: min_confidence(&fields),
        on_gap: fields
            .choice("on_gap", &[("hold", OnGap::Hold), ("reset", OnGap::Reset), ("count", OnGap::Count)])
            .unwrap_or_default(),
        active: fields.seconds("active", FROM_SECOND),
        reopen_within: fields.seconds("reopen_within", ANY),
        judge: fields
            .choice("judge", &[("if_good", Judge::IfGood), ("measured", Judge::Measured), ("if_bad", Judge::IfBad)])
            .unwrap_or_default(),
        repeat: fields.seconds("repeat", std::time::Duration::from_mins(1)..=units::DURATION_MAX),
        labels: fields.labels("labels"),
        summary,
        when: when?,
    };
    fields.require("priority");
    let when_at = fields.value_at("when");
    fields.close();
    Some(Decoded { policy, slos, when_at })
}

/// The SLOs that the patterns under `key` match, in their order. `all` is sorted. `verb` is what the owner does with them.
/// Within a `service`, a pattern may leave it out.
pub(crate) fn matched(
    fields: &Fields<'_>,
    key: &'static str,
    verb: &str,
    all: &[SloId],
    service: Option<&Name>,
) -> Vec<SloId> {
    let mut found: BTreeSet<&SloId> = BTreeSet::new();
    for word in fields.words(key) {
        let whole = match service {
            Some(service) if !word.value.contains('/') => format!("{service}/{}", word.value),
            _ => word.value.clone(),
        };
        let Some((service, slo)) = whole.split_once('/').filter(|(_, slo)| !slo.contains('/')) else {
            let message = format!("`{key}` of {} must be `service/slo`, not `{}`", fields.owner, clipped(&word.value));
            fields.cx.push(Finding::error(Code::MatchesNothing, word.at, message));
            continue;
        };
        if !whole.contains(['*', '?']) {
            match all.binary_search(&SloId::new(service, slo)) {
                Ok(at) => _ = found.insert(&all[at]),
                Err(_) => matches_nothing(fields, &word, verb, all),
            }
            continue;
        }
        if !fields.cx.spend(all.len()) {
            let message = format!("{}: too many patterns for so many SLOs", fields.owner);
            fields.cx.push(Finding::error(Code::TooLarge, word.at, message).help("name fewer SLOs by patterns"));
            break;
        }
        let hits: Vec<&SloId> =
            all.iter().filter(|id| pattern::matches(service, &id.service) && pattern::matches(slo, &id.slo)).collect();
        if hits.is_empty() {
            matches_nothing(fields, &word, verb, all);
        }
        found.extend(hits);
    }
    found.into_iter().cloned().collect()
}

fn matches_nothing(fields: &Fields<'_>, word: &Key, verb: &str, all: &[SloId]) {
    let message = if word.value.contains(['*', '?']) {
        format!("{}: `{}` matches no SLO", fields.owner, clipped(&word.value))
    } else {
        format!("{} {verb} SLO `{}`, which does not exist", fields.owner, clipped(&word.value))
    };
    let finding = Finding::error(Code::MatchesNothing, word.at, message);
    if fields.cx.is_crowded() {
        return fields.cx.push(finding);
    }
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fields.cx.push(finding.help(suggestion(&word.value, &names)));
}

/// `2` (slots) or `10m`.
fn clear_after(fields: &Fields<'_>) -> ClearAfter {
    let default = ClearAfter::Slots(1);
    let Some(found) = fields.get("clear_after").and_then(|node| node.scalar()) else {
        return fields.seconds("clear_after", ANY).map_or(default, ClearAfter::Seconds);
    };
    if units::is_number(found) {
        let slots = fields.integer("clear_after", 1..=10_000);
        return slots.map_or(default, |slots| ClearAfter::Slots(slots as u32));
    }
    fields.seconds("clear_after", ANY).map_or(default, ClearAfter::Seconds)
}

fn flapping(fields: &Fields<'_>, entry: &Entry) -> Option<Flapping> {
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, format!("`flapping` of {}", fields.owner))?;
    inner.require("changes");
    inner.require("within");
    let changes = inner.integer("changes", 2..=1000);
    let within = inner.seconds("within", FROM_SECOND);
    inner.close();
    Some(Flapping { changes: changes? as u32, within: within? })
}

fn min_confidence(fields: &Fields<'_>) -> Option<f64> {
    let parts = fields.percent("min_confidence", 500_000_000..=999_999_999)?;
    Some(parts as f64 / f64::from(BILLION))
}

fn summary(fields: &Fields<'_>) -> Option<String> {
    let summary = fields.word("summary", "a template")?;
    if summary.value.len() > SOURCE_MAX {
        let message = format!("`summary` of {} is over 16 KiB", fields.owner);
        fields.cx.push(Finding::error(Code::OutOfRange, summary.at, message));
        return None;
    }
    Some(summary.value)
}
