//! Receivers that misbehave: tried again, told elsewhere, never overtaken, never in anybody's way.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use testbed::{
    clock::eventually,
    inbox::{Fault, Inbox, PagerdutyStatus, Received},
    service::InventoryService,
    world::{OPS_KEY, PLATFORM_KEY, World},
};

use crate::live::{Live, PATIENCE, deliveries, outages_only, timeline};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// A world in which the operations' pager, and only that, has its own inbox.
async fn with_own_pager() -> (World, Inbox) {
    let mut world = outages_only().await;
    let pager = Inbox::start().await;
    world.config.set("/receivers/ops-pager/pagerduty/url", json!(pager.url("/pagerduty")));
    (world, pager)
}

async fn in_an_outage(world: World) -> (Live, String) {
    let live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    (live, id)
}

/// Waits until a pager of its own shows exactly this for each of its keys.
async fn shows(live: &Live, pager: &Inbox, wanted: &[PagerdutyStatus]) {
    let shown = || pager.pagerduty_state().into_values().map(|page| page.status).collect::<Vec<_>>();
    let reached = eventually(PATIENCE, async || shown() == wanted).await;
    assert!(reached, "{:?}\n{:?}\n{}", pager.pagerduty_state(), pager.received(), live.story().await);
}

/// The actions that a pager was sent, whatever became of them.
fn actions(received: &[Received]) -> Vec<&str> {
    received.iter().filter_map(|entry| entry.body["event_action"].as_str()).collect()
}

/// The pager's delivery of this event.
async fn delivery(live: &Live, id: &str, event: &str) -> Value {
    let rows = live.whole(id).await["deliveries"].as_array().cloned().unwrap();
    rows.into_iter().find(|row| row["receiver"] == "ops-pager" && row["event"] == event).unwrap()
}

/// Meets `fault` twice, and is told in the end: once.
async fn is_told_after(fault: Fault) -> Vec<Received> {
    let (world, pager) = with_own_pager().await;
    pager.fault("/pagerduty", fault, 2);
    let (live, id) = in_an_outage(world).await;
    shows(&live, &pager, &[PagerdutyStatus::Triggered]).await;
    live.until("written", async || delivery(&live, &id, "trigger").await["state"] == "sent").await;
    assert_eq!(delivery(&live, &id, "trigger").await["attempts"], 3);
    live.world.service.answer_with(200).unwrap();
    shows(&live, &pager, &[PagerdutyStatus::Resolved]).await;
    live.settle().await;
    assert_eq!(pager.problems(), [""; 0]);
    assert_eq!(actions(&pager.received()), ["trigger", "trigger", "trigger", "resolve"]);
    pager.received()
}

#[tokio::test]
async fn a_busy_receiver_is_given_the_time_it_asks_for() {
    let received = is_told_after(Fault::Busy(429, 3)).await;
    let waits: Vec<_> = received.windows(2).take(2).map(|pair| (pair[1].at - pair[0].at).num_milliseconds()).collect();
    assert!(waits.iter().all(|wait| (2_900..8_000).contains(wait)), "{waits:?}");
}

#[tokio::test]
async fn a_failing_receiver_is_tried_again() {
    is_told_after(Fault::Status(500)).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_up_is_tried_again() {
    is_told_after(Fault::Drop).await;
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_not_taken_for_a_yes() {
    is_told_after(Fault::Garbage).await;
}

#[tokio::test]
async fn a_receiver_that_hangs_is_in_nobodys_way_and_its_fallback_is_told() {
    let (world, pager) = with_own_pager().await;
    pager.fault("/pagerduty", Fault::Hang(Some(Duration::from_secs(9))), 1);
    let (live, id) = in_an_outage(world).await;
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Triggered).await;
    live.until("the fallback is told", async || {
        timeline(&live.whole(&id).await).iter().any(|line| line.starts_with("undelivered: ops-pager"))
    })
    .await;
    assert_eq!(delivery(&live, &id, "trigger").await["state"], "sending");
    // It is over before the page has arrived: the resolve waits for its turn.
    live.world.service.answer_with(200).unwrap();
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Resolved).await;
    assert_eq!(delivery(&live, &id, "trigger").await["state"], "sending");
    shows(&live, &pager, &[PagerdutyStatus::Resolved]).await;
    live.settle().await;
    assert_eq!(pager.problems(), [""; 0]);
    assert_eq!(actions(&pager.received()), ["trigger", "resolve"]);
    let told = live.world.inbox.received().into_iter().filter(|entry| entry.path.starts_with("/slack/services"));
    let fallback = told.filter(|entry| entry.body.to_string().contains("ops-pager could not be told")).count();
    assert_eq!(fallback, 1, "{}", live.story().await);
}

#[tokio::test]
async fn one_message_that_hangs_does_not_hold_up_another_incident() {
    let (mut world, pager) = with_own_pager().await;
    let other = InventoryService::start().await.unwrap();
    let mut slo = world.config.document()["services"]["inventory"]["slos"]["dashboard-availability"].clone();
    slo["indicator"]["probe"]["url"] = json!(format!("{}/inventory/alerts", other.url()));
    world.config.set("/services/inventory/slos/alerts-availability", slo);
    world.config.set("/policies/outage/slo", json!("inventory/*"));
    pager.fault("/pagerduty", Fault::Hang(Some(Duration::from_secs(12))), 1);
    let (live, id) = in_an_outage(world).await;
    live.until("it hangs", async || delivery(&live, &id, "trigger").await["state"] == "sending").await;
    other.answer_with(500).unwrap();
    let second = live.opened("inventory/alerts-availability").await;
    live.until("the other page", async || delivery(&live, &second, "trigger").await["state"] == "sent").await;
    assert_eq!(delivery(&live, &id, "trigger").await["state"], "sending", "the first still hangs");
    live.world.service.answer_with(200).unwrap();
    other.answer_with(200).unwrap();
    shows(&live, &pager, &[PagerdutyStatus::Resolved, PagerdutyStatus::Resolved]).await;
    live.settle().await;
}

#[tokio::test]
async fn a_page_that_was_never_tried_is_dropped_with_its_resolve_and_said_to_be_missed() {
    let (world, pager) = with_own_pager().await;
    pager.fault("/pagerduty", Fault::Hang(None), u32::MAX);
    let (live, id) = in_an_outage(world).await;
    live.cli(&["ack", &id]).await;
    live.until("the acknowledgement has lapsed", async || {
        timeline(&live.whole(&id).await).iter().any(|line| line.contains("has lapsed"))
    })
    .await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    let sent = deliveries(&live.whole(&id).await);
    let pager_rows: Vec<_> = sent.iter().filter(|row| row.starts_with("ops-pager")).map(String::as_str).collect();
    let dropped = ["ops-pager acknowledge dropped", "ops-pager trigger dropped"];
    assert_eq!(pager_rows, ["ops-pager trigger sending", dropped[0], dropped[1], "ops-pager resolve queued"]);
    live.until("a missed page is told", async || {
        let told = live.world.inbox.received();
        told.iter().any(|entry| entry.body.to_string().contains("over before this page could be sent"))
    })
    .await;
    // The receiver comes back as a new process on the same address.
    let address: SocketAddr = pager.url("").trim_start_matches("http://").parse().unwrap();
    drop(pager);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut pager = None;
    live.until("the address is free", async || {
        pager = Inbox::start_at(address, any).await.ok();
        pager.is_some()
    })
    .await;
    let pager = pager.unwrap();
    shows(&live, &pager, &[PagerdutyStatus::Resolved]).await;
    live.settle().await;
    assert_eq!(pager.problems(), [""; 0]);
}

#[tokio::test]
async fn a_refused_page_is_dead_at_once_and_told_elsewhere() {
    let (world, pager) = with_own_pager().await;
    pager.fault("/pagerduty", Fault::Status(400), u32::MAX);
    let (live, id) = in_an_outage(world).await;
    live.until("the fallback is told", async || {
        timeline(&live.whole(&id).await).iter().any(|line| line.starts_with("undelivered: ops-pager"))
    })
    .await;
    let row = delivery(&live, &id, "trigger").await;
    assert_eq!((&row["state"], &row["attempts"]), (&"dead".into(), &1.into()));
    // Somebody mends the integration and has the page sent again.
    pager.clear_faults();
    let path = format!("/api/v1/deliveries/{}/retry", row["id"]);
    assert_eq!(live.slod.post(&path, &json!({"by": "ops-lead"})).await.unwrap().0, 200);
    shows(&live, &pager, &[PagerdutyStatus::Triggered]).await;
    live.world.service.answer_with(200).unwrap();
    shows(&live, &pager, &[PagerdutyStatus::Resolved]).await;
    live.settle().await;
    assert_eq!(live.pages(OPS_KEY).len(), 0);
}
