//! The seed's policies from breach to delivered to resolved, in a world of real servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use serde_json::Value;
use testbed::{
    inbox::PagerdutyStatus,
    service::Pace,
    world::{CTO_KEY, OPS_KEY, PLATFORM_KEY},
};

use crate::live::{Live, deliveries, outages_only, timeline};

const FRESHNESS: &str = "inventory/rop-freshness";
const QUEUE: &str = "inventory/action-queue-latency";
const AVAILABILITY: &str = "inventory/dashboard-availability";

/// Whether each of the newest `count` slots up to the opening was bad, the newest first.
async fn bad_slots_before(live: &Live, incident: &Value, count: usize) -> Vec<bool> {
    let slo = format!("{}/{}", incident["service"].as_str().unwrap(), incident["slo"].as_str().unwrap());
    let answer = live.slod.api(&format!("/api/v1/slos/{slo}/slots")).await.unwrap();
    let time = |value: &Value| value.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let opened_at = time(&incident["opened_at"]);
    let mut slots = answer["slots"].as_array().cloned().unwrap();
    // A probe is judged at the start of its slot, everything else after its end.
    let judged = |start| if slo == AVAILABILITY { start <= opened_at } else { start < opened_at };
    slots.retain(|slot| judged(time(&slot["start"])) && slot["state"] == "measured");
    let bad = |slot: &Value| slot["good"].as_f64().unwrap() < 0.95 * slot["total"].as_f64().unwrap();
    slots.iter().rev().take(count).map(bad).collect()
}

#[tokio::test]
async fn freshness_pages_after_three_stale_checks() {
    let live = Live::start().await;
    live.slo_is(FRESHNESS, "ok").await;
    live.world.service.freeze_sync(Duration::from_mins(20));
    let id = live.opened(FRESHNESS).await;
    let page = live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    assert_eq!(page.severity, "error", "P2");
    let incident = live.whole(&id).await;
    assert_eq!((&incident["priority"], &incident["state"]), (&"P2".into(), &"open".into()));
    assert_eq!(bad_slots_before(&live, &incident, 4).await, [true, true, true, false]);

    live.cli(&["ack", &id, "--by", "ops-lead"]).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Acknowledged).await;
    live.cli(&["note", &id, "the cron job did not run"]).await;
    live.world.service.resume_sync();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    let incident = live.reaches(&id, "resolved").await;
    assert_eq!(incident["acknowledged_by"], "ops-lead");
    let said = timeline(&incident).join("\n");
    for line in ["opened: ", "told: ops-pager: ", "acknowledged by ops-lead", "the cron job did not run", "resolved: "]
    {
        assert!(said.contains(line), "{line} is missing:\n{said}");
    }
    live.settle().await;
    let sent = deliveries(&live.whole(&id).await);
    assert_eq!(sent, ["ops-pager trigger sent", "ops-pager acknowledge sent", "ops-pager resolve sent"]);
    assert!(live.world.inbox.slack_state().is_empty());
}

#[tokio::test]
async fn a_slow_queue_pages_and_is_told_to_slack_after_two_bad_hours() {
    let mut live = Live::start().await;
    let queue = live.world.queue.clone().unwrap();
    let pace = |milliseconds| Some(Pace { per_second: 10.0, seen_after: Duration::from_millis(milliseconds) });
    live.world.service.write_actions(&queue, pace(200));
    live.slo_is(QUEUE, "ok").await;
    live.world.service.write_actions(&queue, pace(2_500));
    let id = live.opened(QUEUE).await;
    let shown = live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    assert_eq!(shown.severity, "error", "P2");
    live.until("a message in Slack", async || live.world.inbox.slack_state().len() == 1).await;
    let incident = live.whole(&id).await;
    assert_eq!(incident["priority"], "P2");
    assert_eq!(bad_slots_before(&live, &incident, 2).await, [true, true]);

    live.world.service.write_actions(&queue, pace(200));
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.reaches(&id, "resolved").await;
    live.settle().await;
    let texts = live.world.inbox.slack_state();
    assert!(texts.values().any(|text| text.starts_with('✓')), "{texts:?}");
}

#[tokio::test]
async fn an_outage_is_escalated_and_published_with_approval() {
    let live = Live::start().await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    let page = live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    assert_eq!(page.severity, "critical", "P1");
    let incident = live.whole(&id).await;
    assert_eq!(bad_slots_before(&live, &incident, 3).await, [true, true, false]);

    // Confirmed after a while: a draft, a reminder, and nothing public before somebody approves it.
    live.until("a draft", async || live.whole(&id).await["status_page"]["draft"] == "investigating").await;
    live.until("a reminder", async || {
        live.world.inbox.received().iter().any(|entry| entry.body.to_string().contains("slod status-page approve"))
    })
    .await;
    assert!(live.world.inbox.statuspage_state().is_empty());
    live.cli(&["status-page", "approve", &id, "--by", "ops-lead"]).await;
    let public = async |state: &str| {
        live.until(state, async || live.world.inbox.statuspage_state().values().any(|post| post.status == state)).await;
    };
    public("investigating").await;
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Triggered).await;
    live.cli(&["ack", &id]).await;
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Acknowledged).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Acknowledged).await;

    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Resolved).await;
    for state in ["monitoring", "resolved"] {
        live.until(state, async || live.whole(&id).await["status_page"]["draft"] == state).await;
        live.cli(&["status-page", "approve", &id, "--by", "ops-lead"]).await;
        public(state).await;
    }
    live.settle().await;
    assert!(live.pages(CTO_KEY).is_empty());
    assert_eq!(live.world.inbox.statuspage_state().len(), 1);
    let incident = live.whole(&id).await;
    assert_eq!(incident["status_page"]["state"], "resolved");
}

#[tokio::test]
async fn an_outage_that_nobody_ends_reaches_the_last_step_although_acknowledged() {
    let live = Live::small().await;
    live.world.service.answer_with(500).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Triggered).await;
    live.cli(&["ack", &id]).await;
    // The acknowledgement lapses after 8 s: everybody told hears it again, under a new key.
    live.until("paged again", async || live.pages(OPS_KEY).len() == 2).await;
    live.cli(&["ack", &id]).await;
    live.pager_shows(CTO_KEY, PagerdutyStatus::Triggered).await;
    live.cli(&["resolve", &id, "--by", "cto"]).await;
    let over = |key| live.pages(key).iter().all(|page| page.status == PagerdutyStatus::Resolved);
    live.until("all keys resolved", async || [OPS_KEY, PLATFORM_KEY, CTO_KEY].into_iter().all(over)).await;
    // Resolved by hand: still failing, and silent until it has been good once.
    live.world.service.answer_with(200).unwrap();
    live.slo_is(AVAILABILITY, "exhausted").await;
    live.settle().await;
    assert_eq!(live.pages(OPS_KEY).len(), 2);
    assert_eq!(live.incidents().await.len(), 1);
}

#[tokio::test]
async fn a_relapse_is_the_same_incident_and_pages_again() {
    let live = Live::of(outages_only().await).await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.world.service.answer_with(503).unwrap();
    live.until("paged again", async || {
        let pages = live.pages(OPS_KEY);
        pages.len() == 2 && pages.iter().any(|page| page.status == PagerdutyStatus::Triggered)
    })
    .await;
    assert_ne!(live.whole(&id).await["state"], "resolved");
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 1);
    assert!(live.pages(OPS_KEY).iter().all(|page| page.status == PagerdutyStatus::Resolved));
}
