//! One message after slod was away: to whom its absence concerned, once, never to a pager.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use chrono::TimeDelta;
use serde_json::json;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::{
    inbox::PagerdutyStatus,
    world::{OPS_KEY, PLATFORM_KEY},
};

use crate::{
    kills::away_for,
    live::{Live, outages_only},
};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// As if slod had last been alive so long ago.
async fn last_seen(live: &Live, ago: TimeDelta) {
    let options = SqliteConnectOptions::new().filename(live.slod.store());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let moved = sqlx::query("update life set seen_at = seen_at - ?").bind(ago.num_milliseconds());
    moved.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// What was received that tells of an absence.
fn tidings(live: &Live) -> Vec<String> {
    let received = live.world.inbox.received().into_iter().filter(|entry| entry.status == 200 || entry.status == 250);
    let told = received.filter(|entry| entry.body.to_string().contains("slod was away for"));
    told.map(|entry| format!("{} {}", entry.path, entry.body)).collect()
}

#[tokio::test]
async fn what_was_missed_and_what_is_open_is_told_once() {
    let mut world = outages_only().await;
    world.config.set("/escalations/inventory/steps/1/after", json!("3m"));
    world.config.set("/escalations/inventory/steps/2/after", json!("2h"));
    let mut live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    live.slod.kill9();
    away_for(&live.slod.store(), TimeDelta::minutes(10)).await;
    last_seen(&live, TimeDelta::minutes(10)).await;
    live.slod.restart().await.unwrap();
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Triggered).await;
    live.until("it is told", async || !tidings(&live).is_empty()).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    let told = tidings(&live);
    assert!(told.iter().all(|told| !told.starts_with("/pagerduty")), "{told:?}");
    assert!(
        told.iter()
            .all(|told| told.contains("slod was away for 10 min") && told.contains("1 step run late, 1 incident open")),
        "{told:?}"
    );
    assert!(told.iter().all(|told| told.contains(&id) && told.contains("step 3m of outage (due ")), "{told:?}");
    // Not again, whatever becomes of the next start; and not for a moment's absence.
    let before = told.len();
    live.slod.kill9();
    live.slod.restart().await.unwrap();
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(tidings(&live).len(), before);
    assert!(live.slod.log().contains("was away"));
}

#[tokio::test]
async fn nobody_hears_of_an_absence_that_missed_nothing() {
    let mut live = Live::of(outages_only().await).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.slod.kill9();
    last_seen(&live, TimeDelta::hours(3)).await;
    live.slod.restart().await.unwrap();
    live.until("it was noticed", async || live.slod.log().contains("told=0")).await;
    live.settle().await;
    assert!(live.world.inbox.received().is_empty(), "{}", live.story().await);
}
