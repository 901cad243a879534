//! `kill -9` at the worst moments: what was decided is delivered, once, and nothing is forgotten.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::{
    inbox::{Fault, PagerdutyStatus},
    world::{CTO_KEY, OPS_KEY, PLATFORM_KEY},
};

use crate::live::{Live, deliveries, outages_only, timeline};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// A slod that was good at least once, and then nothing but bad.
async fn in_an_outage() -> Live {
    let live = Live::of(outages_only().await).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    live
}

/// Accepted requests to PagerDuty with this action.
fn accepted(live: &Live, action: &str) -> usize {
    let received = live.world.inbox.received();
    received.iter().filter(|entry| entry.body["event_action"] == action && entry.status == 202).count()
}

/// Moves everything that is stored of running incidents into the past, as if slod had been away for so long.
pub async fn away_for(store: &Path, away: TimeDelta) {
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(store)).await.unwrap();
    let rows =
        sqlx::query("select id, document from incidents where live = 1").fetch_all(&mut connection).await.unwrap();
    for row in rows {
        let mut document: Value = serde_json::from_str(row.get("document")).unwrap();
        shift(&mut document, away);
        let update = sqlx::query("update incidents set document = ? where id = ?");
        update.bind(document.to_string()).bind(row.get::<&str, _>("id")).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

fn shift(value: &mut Value, away: TimeDelta) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| shift(value, away)),
        Value::Array(items) => items.iter_mut().for_each(|value| shift(value, away)),
        Value::String(text) => {
            if let Ok(time) = text.parse::<DateTime<Utc>>() {
                *value = json!(time - away);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn between_commit_and_send() {
    let mut live = in_an_outage().await;
    live.world.inbox.fault("/", Fault::Hang(None), u32::MAX);
    let id = live.opened(AVAILABILITY).await;
    let under_way = async || {
        let sent = deliveries(&live.whole(&id).await);
        sent.contains(&"ops-pager trigger sending".to_owned())
            && sent.contains(&"inventory-eng trigger sending".to_owned())
    };
    live.until("both messages are under way", under_way).await;
    live.slod.kill9();
    live.world.inbox.reset();
    live.slod.restart().await.unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(accepted(&live, "trigger"), live.pages(OPS_KEY).len() + live.pages(PLATFORM_KEY).len());
    let received = live.world.inbox.received();
    let openings = received.iter().filter(|entry| {
        let body = entry.body.to_string();
        entry.path.starts_with("/slack/") && body.contains("health check failing") && !body.contains("status page:")
    });
    assert_eq!(openings.count(), 1, "{}", live.story().await);
}

#[tokio::test]
async fn between_send_and_finish() {
    let mut live = in_an_outage().await;
    live.world.inbox.fault("/pagerduty", Fault::Lost, 1);
    let id = live.opened(AVAILABILITY).await;
    live.world
        .inbox
        .wait_for(|seen| seen.iter().any(|entry| entry.fault.is_some()), crate::live::PATIENCE)
        .await
        .unwrap();
    live.slod.kill9();
    assert_eq!(live.pages(OPS_KEY).len(), 1, "it was accepted");
    live.slod.restart().await.unwrap();
    live.until("the answer that was lost comes again", async || accepted(&live, "trigger") >= 2).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(live.pages(OPS_KEY).len(), 1);
}

#[tokio::test]
async fn in_the_middle_of_an_escalation() {
    let mut world = outages_only().await;
    world.config.set("/escalations/inventory/steps/1/after", json!("3m"));
    world.config.set("/escalations/inventory/steps/2/after", json!("2h"));
    let mut live = Live::of(world).await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    live.slod.kill9();
    away_for(&live.slod.store(), TimeDelta::minutes(10)).await;
    live.slod.restart().await.unwrap();
    live.pager_shows(PLATFORM_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert!(live.pages(CTO_KEY).is_empty());
    assert_eq!(accepted(&live, "trigger"), 2);
    let received = live.world.inbox.received();
    let late = received.iter().find(|entry| entry.body["routing_key"] == PLATFORM_KEY).unwrap();
    assert!(late.body.to_string().contains("late"), "{}", late.body);
}

#[tokio::test]
async fn an_acknowledgement_survives() {
    let mut world = outages_only().await;
    world.config.set("/escalations/inventory/acknowledge_timeout", json!("10m"));
    world.config.set("/escalations/inventory/steps/1/after", json!("6s"));
    let mut live = Live::of(world).await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.cli(&["ack", &id, "--by", "ops-lead"]).await;
    live.slod.kill9();
    live.slod.restart().await.unwrap();
    let incident = live.whole(&id).await;
    assert_eq!((&incident["state"], &incident["acknowledged_by"]), (&"acknowledged".into(), &"ops-lead".into()));
    live.until("a step spared by the acknowledgement", async || {
        timeline(&live.whole(&id).await).iter().any(|line| line.starts_with("skipped: "))
    })
    .await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Acknowledged).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert!(live.pages(PLATFORM_KEY).is_empty());
}

#[tokio::test]
async fn while_resolving() {
    let mut live = in_an_outage().await;
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    live.world.inbox.fault("/pagerduty", Fault::Hang(None), u32::MAX);
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    let hanging = async || deliveries(&live.whole(&id).await).contains(&"ops-pager resolve sending".to_owned());
    live.until("the resolve is under way", hanging).await;
    live.slod.kill9();
    live.world.inbox.clear_faults();
    live.slod.restart().await.unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.settle().await;
}

#[tokio::test]
async fn it_is_over_when_slod_comes_back() {
    let mut live = in_an_outage().await;
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    live.slod.kill9();
    live.world.service.answer_with(200).unwrap();
    live.slod.restart().await.unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 1);
}

/// Killed as soon as anything at all has reached anybody, again and again, from the first page to the last word.
#[tokio::test]
async fn at_every_message() {
    let mut live = in_an_outage().await;
    let mut kills = 0;
    let id = loop {
        let seen = live.world.inbox.received().len();
        live.world.inbox.wait_for(|received| received.len() > seen, crate::live::PATIENCE).await.unwrap();
        live.slod.kill9();
        kills += 1;
        live.slod.restart().await.unwrap();
        if kills == 4 {
            live.world.service.answer_with(200).unwrap();
        }
        let id = live.opened(AVAILABILITY).await;
        if live.whole(&id).await["state"] == "resolved" {
            break id;
        }
    };
    let over = |key| live.pages(key).iter().all(|page| page.status == PagerdutyStatus::Resolved);
    live.until("all keys resolved", async || [OPS_KEY, PLATFORM_KEY, CTO_KEY].into_iter().all(over)).await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 1, "killed {kills} times\n{}", live.story().await);
    let lines = timeline(&live.whole(&id).await);
    assert_eq!(lines.iter().filter(|line| line.starts_with("opened: ")).count(), 1, "{lines:?}");
}
