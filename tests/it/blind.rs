//! Blind is not healthy, and not broken either: a source that does not answer resolves nothing and breaches nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use slod::clock::{Clock as _, SystemClock};
use testbed::{
    inbox::PagerdutyStatus,
    service::Pace,
    world::{OPS_KEY, World},
};

use crate::live::{Live, subject};

const FRESHNESS: &str = "inventory/rop-freshness";
const QUEUE: &str = "inventory/action-queue-latency";

/// A world without the policy whose windows would remember a breach.
async fn without_burn_rates() -> Live {
    let mut world = World::start().await.unwrap();
    world.config.remove("/policies/fast-burn");
    Live::of(world).await
}

/// Waits until the budget of an SLO has bounds, and answers it.
async fn bounds(live: &Live, slo: &str) -> Value {
    let mut budget = Value::Null;
    live.until("bounds", async || {
        budget = live.slod.api(&format!("/api/v1/slos/{slo}")).await.unwrap()["budget"].clone();
        let reading = |key: &str| budget[key].as_f64();
        reading("remaining_if_bad") < reading("remaining_if_good")
    })
    .await;
    budget
}

#[tokio::test]
async fn prometheus_is_away_while_all_is_well() {
    let mut live = without_burn_rates().await;
    live.slo_is(FRESHNESS, "ok").await;
    live.world.prometheus.as_mut().unwrap().stop();
    let id = live.opened("prometheus").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    assert_eq!(live.whole(&id).await["priority"], "P3");
    let slo = live.slo_is(FRESHNESS, "blind").await;
    assert!(slo["fault"].as_str().is_some_and(|fault| !fault.is_empty()), "{slo}");
    bounds(&live, FRESHNESS).await;
    live.world.prometheus.as_mut().unwrap().restart().await.unwrap();
    live.reaches(&id, "resolved").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.slo_is(FRESHNESS, "ok").await;
    live.settle().await;
    let subjects: Vec<_> = live.incidents().await.iter().map(subject).collect();
    assert_eq!(subjects, ["prometheus"], "{}", live.story().await);
}

#[tokio::test]
async fn prometheus_is_away_in_the_middle_of_a_breach() {
    let mut live = without_burn_rates().await;
    live.slo_is(FRESHNESS, "ok").await;
    live.world.service.freeze_sync(Duration::from_mins(20));
    let id = live.opened(FRESHNESS).await;
    live.world.prometheus.as_mut().unwrap().stop();
    let source = live.opened("prometheus").await;
    live.slo_is(FRESHNESS, "blind").await;
    assert_eq!(live.whole(&id).await["state"], "open", "blindness never clears");
    live.world.prometheus.as_mut().unwrap().restart().await.unwrap();
    live.reaches(&source, "resolved").await;
    // Seen again, and still stale.
    live.until("seen again", async || {
        live.slod.api(&format!("/api/v1/slos/{FRESHNESS}")).await.unwrap()["state"] != "blind"
    })
    .await;
    assert_eq!(live.whole(&id).await["state"], "open");
    live.world.service.resume_sync();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 2, "{}", live.story().await);
}

#[tokio::test]
async fn a_breach_that_nobody_could_see_pages_afterwards() {
    let mut world = World::start().await.unwrap();
    world.config.remove("/policies/fast-burn");
    world.link_prometheus().await.unwrap();
    let live = Live::of(world).await;
    live.slo_is(FRESHNESS, "ok").await;
    let watermark = async || -> DateTime<Utc> {
        let slo = live.slod.api(&format!("/api/v1/slos/{FRESHNESS}")).await.unwrap();
        slo["watermark"].as_str().unwrap().parse().unwrap()
    };
    live.world.link.as_ref().unwrap().cut();
    live.world.service.freeze_sync(Duration::from_mins(20));
    let seen = watermark().await;
    let source = live.opened("prometheus").await;
    live.slo_is(FRESHNESS, "blind").await;
    // Three stale checks and more.
    live.until("five slots", async || watermark().await > seen + TimeDelta::seconds(10)).await;
    live.world.link.as_ref().unwrap().mend();
    let mended = SystemClock.now();
    live.reaches(&source, "resolved").await;
    let id = live.opened(FRESHNESS).await;
    let opened: DateTime<Utc> = live.whole(&id).await["opened_at"].as_str().unwrap().parse().unwrap();
    assert!(opened <= mended, "as of {opened}, though it could be seen from {mended} on\n{}", live.story().await);
    // What could not be seen is known now: Prometheus had it all along.
    live.until("every slot is known", async || {
        let slots = live.slod.api(&format!("/api/v1/slos/{FRESHNESS}/slots")).await.unwrap();
        let slots = slots["slots"].as_array().unwrap().clone();
        let last_known = slots.iter().rposition(|slot| slot["state"] == "measured").unwrap_or_default();
        let first_known = slots.iter().position(|slot| slot["state"] == "measured").unwrap_or_default();
        slots[first_known..=last_known].iter().all(|slot| slot["state"] == "measured")
    })
    .await;
    live.world.service.resume_sync();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}

#[tokio::test]
async fn it_starts_although_nothing_can_be_asked() {
    let mut world = World::start().await.unwrap();
    world.prometheus.as_mut().unwrap().stop();
    world.postgres.as_mut().unwrap().stop();
    let mut live = Live::of(world).await;
    let prometheus = live.opened("prometheus").await;
    let postgres = live.opened("inventory-db").await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    // A restart while blind opens nothing anew, and tells nobody again.
    live.slod.kill9();
    live.slod.restart().await.unwrap();
    live.slo_is(FRESHNESS, "blind").await;
    live.world.prometheus.as_mut().unwrap().restart().await.unwrap();
    live.world.postgres.as_mut().unwrap().restart().await.unwrap();
    live.reaches(&prometheus, "resolved").await;
    live.reaches(&postgres, "resolved").await;
    live.slo_is(FRESHNESS, "ok").await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 2, "{}", live.story().await);
    assert_eq!(live.pages(OPS_KEY).len(), 2);
}

#[tokio::test]
async fn postgres_is_away_in_the_middle_of_a_breach() {
    let mut live = without_burn_rates().await;
    let queue = live.world.queue.clone().unwrap();
    let pace = |milliseconds| Some(Pace { per_second: 10.0, seen_after: Duration::from_millis(milliseconds) });
    live.world.service.write_actions(&queue, pace(2_500));
    let id = live.opened(QUEUE).await;
    live.world.postgres.as_mut().unwrap().stop();
    let source = live.opened("inventory-db").await;
    live.slo_is(QUEUE, "blind").await;
    bounds(&live, QUEUE).await;
    assert_eq!(live.whole(&id).await["state"], "open", "blindness never clears");
    live.world.service.write_actions(&queue, pace(200));
    live.world.postgres.as_mut().unwrap().restart().await.unwrap();
    live.reaches(&source, "resolved").await;
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 2, "{}", live.story().await);
}
