//! A flood through the running daemon, killed in the middle.

use std::time::Duration;

use serde_json::json;
use testbed::inbox::Received;

use crate::live::{Live, outages_only};

const SLOS: usize = 40;
const COUNT: usize = 4;
const WITHIN: Duration = Duration::from_secs(5);

fn chat(live: &Live) -> Vec<Received> {
    let received = live.world.inbox.received().into_iter();
    received.filter(|entry| entry.path.starts_with("/slack/services") && entry.status == 200).collect()
}

#[tokio::test]
async fn a_flood_is_a_bounded_number_of_messages_and_every_page_arrives() {
    let mut world = outages_only().await;
    let slo = world.config.document()["services"]["inventory"]["slos"]["dashboard-availability"].clone();
    for number in 0..SLOS {
        world.config.set(&format!("/services/inventory/slos/copy-{number}"), slo.clone());
    }
    world.config.remove("/services/inventory/status_page");
    world.config.remove("/receivers/public-status");
    world.config.set("/policies/outage/slo", json!("inventory/*"));
    world
        .config
        .set("/escalations/inventory/steps", json!([{"after": "0s", "notify": ["ops-pager", "inventory-eng"]}]));
    for needless in ["platform-pager", "cto-pager"] {
        world.config.remove(&format!("/receivers/{needless}"));
    }
    world.config.set("/receivers/ops-pager/fallback", json!("inventory-eng"));
    let rate = format!("{COUNT}/{}s", WITHIN.as_secs());
    world.config.set("/receivers/inventory-eng/max_rate", json!(rate));
    world.config.set("/receivers/ops-pager/max_rate", json!("1/1h"));
    let mut live = Live::of(world).await;
    live.slo_is("inventory/copy-39", "ok").await;
    live.world.service.answer_with(503).unwrap();
    live.until("the flood has begun", async || !chat(&live).is_empty()).await;
    live.slod.kill9();
    live.slod.restart().await.unwrap();
    live.until("all are open", async || live.incidents().await.len() == SLOS + 1).await;
    live.until("every page has arrived", async || live.world.inbox.pagerduty_state().len() == SLOS + 1).await;
    live.until("nothing waits", async || live.unsent().await.is_empty()).await;
    live.world.service.answer_with(200).unwrap();
    live.until("all are over", async || live.incidents().await.iter().all(|one| one["state"] == "resolved")).await;
    live.settle().await;
    let messages = chat(&live);
    let digests = messages.iter().filter(|entry| entry.body.to_string().contains("messages in one")).count();
    assert!(digests >= 2, "openings and ends: {}", live.story().await);
    for (first, entry) in messages.iter().enumerate() {
        let until = entry.at + WITHIN - Duration::from_millis(500);
        let within = messages[first..].iter().filter(|other| other.at < until).count();
        // One more may be the one that was on its way when slod was killed.
        assert!(within <= COUNT + 1, "{within} messages: {}", live.story().await);
    }
    let (_, metrics) = live.slod.get("/metrics").await.unwrap();
    assert!(metrics.contains("slod_deliveries_joined_total{receiver=\"inventory-eng\"}"), "{metrics}");
    let (_, page) = live.slod.get("/sources").await.unwrap();
    assert!(page.contains("4 in 5s"), "{page}");
}
