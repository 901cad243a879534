//! `max_rate` of receivers: `10/1m`.

use chrono::TimeDelta;

use super::{codes::Code, context::Context, fields::Fields, finding::Finding, tree::Entry, units};
use crate::domain::digest::Rate;

/// Most messages, and the longest time in seconds.
const COUNT_MAX: u32 = 10_000;
const SECONDS_MAX: u64 = 86_400;

/// So many messages in that time.
pub(crate) fn max_rate(fields: &Fields<'_>) -> Option<Rate> {
    let entry = fields.entry("max_rate")?;
    let read = entry
        .value
        .scalar()
        .and_then(|text| text.split_once('/'))
        .and_then(|(count, time)| Some((count.trim().parse::<u32>().ok()?, units::duration(time.trim()).ok()?)));
    let Some((count, time)) = read.filter(|(count, _)| *count > 0) else {
        let message = format!("`max_rate` of {} must be a rate such as `10/1m`", fields.owner);
        fields.cx.push(Finding::error(Code::NoUnit, entry.value.at, message));
        return None;
    };
    let within = TimeDelta::from_std(time).ok().filter(|_| (1..=SECONDS_MAX).contains(&time.as_secs()));
    let Some(within) = within.filter(|_| count <= COUNT_MAX) else {
        let message = format!("`max_rate` of {} is out of bounds", fields.owner);
        let help = format!("write at most {COUNT_MAX} messages, within 1s to 1d");
        fields.cx.push(Finding::error(Code::OutOfRange, entry.value.at, message).help(help));
        return None;
    };
    Some(Rate { count, within })
}

/// What is joined would be lost where each message is an act of its own.
pub(crate) fn check_kind(cx: &Context<'_>, receiver: &Entry, kind: &str) {
    let why = match kind {
        "statuspage" | "instatus" => "each post to a status page says something else",
        "alertmanager" => "an alert must be told in time; Alertmanager itself groups what it passes on",
        _ => return,
    };
    let at = receiver.value.child("max_rate").map_or(receiver.key.at, |node| node.at);
    let message = format!("receiver `{}` of kind `{kind}` cannot have `max_rate`: {why}", receiver.key.value);
    cx.push(Finding::error(Code::WrongKind, at, message).help("remove it"));
}
