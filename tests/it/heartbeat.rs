//! The outward heartbeat, in the running daemon and at the store.

use serde_json::json;
use testbed::{
    inbox::{Fault, PagerdutyStatus, Peer},
    world::OPS_KEY,
};

use crate::live::{Live, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

fn beats(live: &Live) -> usize {
    live.world.inbox.received().iter().filter(|entry| entry.peer == Peer::Heartbeat && entry.status == 200).count()
}

async fn metrics_say(live: &Live, wanted: &str) {
    live.until(wanted, async || live.slod.get("/metrics").await.is_ok_and(|(_, text)| text.contains(wanted))).await;
}

/// It beats while all is well; a page that does not arrive stops it, and its arrival starts it again.
#[tokio::test]
async fn it_beats_only_while_pages_arrive() {
    let mut world = outages_only().await;
    world.config.set("/daemon/heartbeat", json!({"url": world.inbox.url("/heartbeat/SECRET"), "every": "1s"}));
    world.config.remove("/receivers/ops-pager/fallback");
    world
        .config
        .set("/escalations/inventory/steps", json!([{"after": "0s", "notify": ["ops-pager", "inventory-eng"]}]));
    for needless in ["platform-pager", "cto-pager"] {
        world.config.remove(&format!("/receivers/{needless}"));
    }
    let live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.until("it beats", async || beats(&live) > 2).await;
    metrics_say(&live, "slod_heartbeat_well 1").await;
    live.world.inbox.fault("/pagerduty", Fault::Status(503), u32::MAX);
    live.world.service.answer_with(503).unwrap();
    metrics_say(&live, "slod_heartbeat_well 0").await;
    let log = live.slod.log();
    assert_eq!(log.matches("no heartbeat").count(), 1, "{log}");
    assert!(log.contains("to ops-pager is overdue"), "{log}");
    let stopped = beats(&live);
    metrics_say(&live, "slod_heartbeats_total{outcome=\"withheld\"} 3").await;
    assert_eq!(beats(&live), stopped);
    live.world.inbox.clear_faults();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("it beats again", async || beats(&live) > stopped + 1).await;
    assert!(live.slod.log().contains("heartbeats again"));
    live.world.service.answer_with(200).unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.settle().await;
}

/// Whoever is told does not answer: that is said, and nothing else suffers.
#[tokio::test]
async fn an_address_that_does_not_answer_is_in_nobodys_way() {
    let mut world = outages_only().await;
    world.config.set("/daemon/heartbeat", json!({"url": world.inbox.url("/heartbeat/SECRET"), "every": "1s"}));
    world.inbox.fault("/heartbeat", Fault::Status(302), 2);
    let live = Live::of(world).await;
    live.until("it beats", async || beats(&live) > 1).await;
    metrics_say(&live, "slod_heartbeats_total{outcome=\"failed\"} 2").await;
    assert_eq!(live.slod.log().matches("no heartbeat").count(), 1);
    live.world.service.answer_with(503).unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.settle().await;
}
