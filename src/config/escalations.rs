//! `escalations:`

use super::{
    codes::Code,
    context::Context,
    fields::Fields,
    finding::Finding,
    tree::{Entry, Node},
    values::{ANY, FROM_SECOND},
};
use crate::domain::{
    name::Name,
    policy::{Escalation, EscalationStep, Repeat, Unless},
};

/// Most steps of an escalation, with those of its repetitions: each incident carries all of them.
const STEPS_MAX: usize = 500;

/// Reads one escalation.
pub(crate) fn decode(cx: &Context<'_>, entry: &Entry) -> Option<Escalation> {
    let owner = format!("escalation `{}`", entry.key.value);
    let fields = Fields::open(cx, &entry.value, entry.key.at, owner)?;
    let acknowledge_timeout = fields.seconds("acknowledge_timeout", FROM_SECOND);
    let repeat = fields.entry("repeat").and_then(|entry| repeat(&fields, entry));
    fields.require("steps");
    let mut steps: Vec<EscalationStep> = fields.list("steps").iter().filter_map(|node| step(&fields, node)).collect();
    if fields.has("steps") && fields.list("steps").is_empty() {
        let message = format!("{} has no steps", fields.owner);
        cx.push(Finding::error(Code::MissingKey, fields.key_at("steps"), message));
    }
    if let Some(repeat) = repeat.filter(|repeat| steps.len() * (repeat.times as usize + 1) > STEPS_MAX) {
        let message = format!("{}: {} steps, {} times more, are too many", fields.owner, steps.len(), repeat.times);
        let finding = Finding::error(Code::OutOfRange, fields.key_at("repeat"), message);
        cx.push(finding.help(format!("all in all at most {STEPS_MAX}")));
    }
    fields.close();
    steps.sort_by_key(|step| step.after);
    Some(Escalation { name: Name::from(entry.key.value.as_str()), acknowledge_timeout, repeat, steps })
}

fn repeat(fields: &Fields<'_>, entry: &Entry) -> Option<Repeat> {
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, format!("`repeat` of {}", fields.owner))?;
    inner.require("every");
    inner.require("times");
    let every = inner.seconds("every", FROM_SECOND);
    let times = inner.integer("times", 1..=1000);
    inner.close();
    Some(Repeat { every: every?, times: times? as u32 })
}

fn step(fields: &Fields<'_>, node: &Node) -> Option<EscalationStep> {
    let inner = Fields::open(fields.cx, node, node.at, format!("a step of {}", fields.owner))?;
    let after = inner.seconds("after", ANY);
    inner.require("after");
    inner.require("notify");
    let unless = [("acknowledged", Unless::Acknowledged), ("resolved", Unless::Resolved)];
    let unless = inner.choice("unless", &unless).unwrap_or_default();
    let notify = inner.receivers("notify");
    if notify.as_ref().is_some_and(Vec::is_empty) && inner.list("notify").is_empty() {
        let message = format!("a step of {} tells nobody", fields.owner);
        fields.cx.push(Finding::error(Code::MissingKey, inner.key_at("notify"), message));
    }
    inner.close();
    Some(EscalationStep { after: after?, unless, notify: notify? })
}
