//! Whether everything that was to be delivered was.

use chrono::{DateTime, Utc};
use serde_json::Value;
use testbed::inbox::{PagerdutyStatus, Peer};

use crate::{
    screen::Actor,
    stage::Stage,
    story::{FRESHNESS, OUTAGE, QUEUE},
};

/// Says what holds and what does not. The answer is whether all of it holds.
pub async fn pass(stage: &mut Stage<'_>) -> anyhow::Result<bool> {
    let seen = stage.look().await?;
    let resolved = [FRESHNESS, QUEUE, OUTAGE].into_iter().filter(|slo| seen.is(slo, "resolved")).count();
    let deliveries = || seen.incidents().iter().filter_map(|incident| incident["deliveries"].as_array()).flatten();
    // News that nobody was told before the end is dropped with it.
    let is_done = |delivery: &Value| delivery["state"] == "sent" || delivery["state"] == "dropped";
    let unsent = deliveries().filter(|delivery| !is_done(delivery)).map(described).collect::<Vec<_>>();
    let pages = stage.world.inbox.pagerduty_state();
    let open = pages.values().filter(|page| page.status != PagerdutyStatus::Resolved).count();
    let public = stage.world.inbox.statuspage_state();
    let closed = public.len() == 1 && public.values().all(|incident| incident.status == "resolved");
    let problems = stage.world.inbox.problems();
    let messages = seen.received.iter().filter(|entry| entry.peer != Peer::Other).count();
    let checks = [
        (resolved == 3, format!("{resolved} of 3 incidents opened, delivered and resolved")),
        (
            unsent.is_empty(),
            format!("{} of {} messages sent", deliveries().count() - unsent.len(), deliveries().count()),
        ),
        (
            open == 0 && !pages.is_empty(),
            format!("{} of {} pages resolved at PagerDuty", pages.len() - open, pages.len()),
        ),
        (closed, "the public status page is resolved".to_owned()),
        (problems.is_empty(), format!("{messages} messages received, {} problems", problems.len())),
    ];
    for (holds, text) in &checks {
        let (actor, mark) = if *holds { (Actor::Mended, "✓") } else { (Actor::Broken, "✗") };
        stage.screen.line(actor, &format!("{mark} {text}"));
    }
    let slowest = deliveries().filter_map(milliseconds).max().unwrap_or_default();
    stage
        .screen
        .line(Actor::Slod, &format!("slowest message: {slowest} ms from the decision to the receiver's answer"));
    stage.screen.quote(unsent.iter().chain(&problems).map(String::as_str));
    Ok(checks.iter().all(|(holds, _)| *holds))
}

/// From the decision to the receiver's answer.
fn milliseconds(delivery: &Value) -> Option<i64> {
    let at = |key: &str| delivery[key].as_str()?.parse::<DateTime<Utc>>().ok();
    Some((at("sent_at")? - at("decided_at")?).num_milliseconds())
}

fn described(delivery: &Value) -> String {
    let word = |key: &str| delivery[key].as_str().unwrap_or("—");
    format!("{} to {}: {} {}", word("event"), word("receiver"), word("state"), word("last_error"))
}
