//! The outward heartbeat, in the running daemon and at the store.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::json;
use slod::{
    channel::{Limits, Pulse},
    clock::Clock,
    config::{self, Mode, Overrides, secret::Secret},
    domain::decide::time,
    engine::{board::Board, heartbeat::Heartbeat},
    store::Store,
};
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

struct Stopped;

const NOW: i64 = 1_767_600_000;

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        time(NOW)
    }
}

/// A heartbeat over a board on which everything moves, and a store that can be written; in force for so many seconds.
async fn resting(in_force: i64) -> (Heartbeat, tempfile::TempDir) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let document = json!({
        "version": 1,
        "mail": {"smtp": "smtp://127.0.0.1:1", "from": "slod@example.com"},
        "receivers": {"team": {"email": "team@example.com"}},
        "services": {"shop": {"slos": {"front": {"objective": "99%", "window": "30d", "every": "1m", "indicator": {"probe": {
            "url": "http://127.0.0.1:1", "timeout": "5s",
        }}}}}},
    });
    std::fs::write(folder.path().join("slo.yaml"), document.to_string()).unwrap();
    let loaded = config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
    let (board, now) = (Arc::new(Board::default()), time(NOW));
    board.beat("decider", now);
    board.beat("evaluator", now);
    board.delivering(&"team".into(), now);
    let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1), body_bytes: 1 << 10 };
    let heartbeat = Heartbeat {
        pulse: Pulse::new(Secret::new("http://127.0.0.1:1"), limits).unwrap(),
        every: Duration::from_secs(1),
        config: Arc::new(loaded.config.unwrap()),
        board,
        store: Store::open(&folder.path().join("slod.db")).await.unwrap(),
        clock: Arc::new(Stopped),
        since: time(NOW - in_force),
    };
    (heartbeat, folder)
}

#[tokio::test]
async fn what_does_not_move_withholds_it() {
    let (heartbeat, _folder) = resting(90).await;
    assert_eq!(heartbeat.unwell().await, None);
    for (part, said) in [("decider", "the decider does not move"), ("evaluator", "the evaluator does not move")] {
        heartbeat.board.beat(part, time(NOW - 60));
        assert_eq!(heartbeat.unwell().await, None, "{part}: not yet");
        heartbeat.board.beat(part, time(NOW - 61));
        assert_eq!(heartbeat.unwell().await.as_deref(), Some(said));
        heartbeat.board.beat(part, time(NOW));
    }
    heartbeat.board.delivering(&"team".into(), time(NOW - 61));
    assert_eq!(heartbeat.unwell().await.as_deref(), Some("the deliverer to team does not move"));
}

/// A slot of a minute may be settled two minutes after it could be.
#[tokio::test]
async fn slots_that_lag_withhold_it() {
    for (in_force, said) in [(180, None), (400, Some("shop/front: its newest slot was not settled in time"))] {
        let (heartbeat, _folder) = resting(in_force).await;
        assert_eq!(heartbeat.unwell().await.as_deref(), said, "{in_force}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_withholds_it() {
    let (heartbeat, _folder) = resting(90).await;
    heartbeat.board.set_trouble(Some("disk full".to_owned()));
    assert_eq!(heartbeat.unwell().await.as_deref(), Some("the store cannot be written: disk full"));
    heartbeat.board.set_trouble(None);
    assert_eq!(heartbeat.unwell().await, None);
    heartbeat.store.close().await;
    let said = heartbeat.unwell().await.unwrap();
    assert!(said.starts_with("the store cannot be written: "), "{said}");
}
