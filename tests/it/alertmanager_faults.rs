//! What routers of alerts are known to get wrong, done by the real daemon against the inbox.
//!
//! Shown elsewhere: killed between the sending and the end, the end is still told (`kills`: `while_resolving`,
//! `it_is_over_when_slod_comes_back`); a receiver that asks for time is given it (`faults`:
//! `a_busy_receiver_is_given_the_time_it_asks_for`); a page that was never tried is dropped with its resolve and said to
//! be missed (`faults`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{fs, io::Write as _, path::Path};

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::{
    daemon::Slod,
    inbox::{Fault, PagerdutyStatus},
    world::{OPS_KEY, World},
};

use crate::live::{Live, PROGRAM, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// What ops' pager was sent: the actions of all requests, accepted or not.
fn actions(live: &Live, accepted: bool) -> Vec<String> {
    let received = live.world.inbox.received();
    let mine = received.iter().filter(|entry| entry.body["routing_key"] == OPS_KEY);
    let mine = mine.filter(|entry| !accepted || entry.status == 202);
    mine.filter_map(|entry| entry.body["event_action"].as_str().map(str::to_owned)).collect()
}

async fn in_an_outage() -> (Live, String) {
    let live = Live::of(outages_only().await).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    (live, id)
}

/// It is over while the page is being tried again: the page goes out once, and its end behind it.
#[tokio::test]
async fn an_end_while_the_page_is_retried() {
    let live = Live::of(outages_only().await).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.inbox.fault("/pagerduty", Fault::Status(503), u32::MAX);
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("it was tried", async || actions(&live, false).len() > 1).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    assert!(actions(&live, true).is_empty());
    live.world.inbox.clear_faults();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.settle().await;
    assert_eq!(actions(&live, true), ["trigger", "resolve"], "nobody is left with a page that never ends");
}

/// Receivers and policies are added, taken away and put into another order while an incident is open.
#[tokio::test]
async fn a_reload_pages_nobody_again() {
    let (mut live, id) = in_an_outage().await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    let before = actions(&live, true);
    let document = live.world.config.document();
    // A receiver more, before all others; a policy more; all of them the other way round.
    document["receivers"]["aaa"] = json!({"slack": {"webhook": live.world.inbox.url("/slack/webhook")}});
    document["policies"]["a-later-one"] =
        json!({"slo": AVAILABILITY, "when": {"consecutive": 5000}, "priority": "P1", "notify": ["aaa", "ops-pager"]});
    for section in ["receivers", "policies"] {
        let turned: serde_json::Map<String, Value> =
            document[section].as_object().unwrap().clone().into_iter().rev().collect();
        document[section] = Value::Object(turned);
    }
    let notify = document["policies"]["outage"].get_mut("notify").and_then(Value::as_array_mut);
    if let Some(notify) = notify {
        notify.reverse();
    }
    live.world.write_config().unwrap();
    let (status, said) = live.slod.post("/-/reload", &json!({})).await.unwrap();
    assert_eq!(status, 200, "{said}");
    let asked = live.world.service.asked();
    live.until("it goes on asking", async || live.world.service.asked() > asked + 4).await;
    assert_eq!(actions(&live, true), before, "{}", live.story().await);
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(live.incidents().await.len(), 1);
}

/// Overwrites the pages of the store from `from` to `to`, in shares of its size.
fn damage(store: &Path, from: f64, to: f64) {
    let mut bytes = fs::read(store).unwrap();
    let page = |share: f64| ((bytes.len() as f64 * share) as usize) / 4096 * 4096;
    let (from, to) = (page(from), page(to));
    bytes[from..to].fill(0xa5);
    fs::write(store, bytes).unwrap();
}

/// Everything that is only in the log of SQLite goes into the file.
async fn checkpoint(store: &Path) {
    let options = SqliteConnectOptions::new().filename(store);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Killed in an outage, and its file is no longer what it was: it starts, says so, and pages and resolves.
#[tokio::test]
async fn a_damaged_store_is_no_reason_not_to_page() {
    type Way = fn(&Path);
    let ways: [(&str, Way); 4] = [
        ("a page in the middle", |store| damage(store, 0.5, 0.6)),
        ("cut off", |store| {
            let half = fs::metadata(store).unwrap().len() / 2;
            fs::OpenOptions::new().write(true).open(store).unwrap().set_len(half).unwrap();
        }),
        ("its beginning", |store| damage(store, 0.0, 0.2)),
        ("something else", |store| fs::write(store, "all is lost\n".repeat(1_000)).unwrap()),
    ];
    for (what, break_it) in ways {
        let (mut live, _) = in_an_outage().await;
        live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
        live.until("nothing under way", async || live.unsent().await.is_empty()).await;
        live.slod.kill9();
        let store = live.slod.store();
        checkpoint(&store).await;
        break_it(&store);
        live.slod.restart().await.unwrap();
        assert!(live.slod.log().contains("the store was damaged ("), "{what}: {}", live.slod.log());
        let (status, ready) = live.slod.get("/-/ready").await.unwrap();
        assert!(status == 200 && ready.contains(".broken-"), "{what}: {ready}");
        let said = live.cli(&["status"]).await;
        assert!(said.contains("■ the store was damaged") && said.contains(".broken-"), "{what}: {said}");
        // Whatever was lost: somebody is paged, and hears of the end.
        live.until(&format!("{what}: an open incident"), async || {
            live.incidents().await.iter().any(|incident| incident["state"] == "open")
        })
        .await;
        live.world.service.answer_with(200).unwrap();
        live.until(&format!("{what}: all over"), async || {
            let open = live.incidents().await.iter().filter(|incident| incident["state"] != "resolved").count();
            open == 0 && live.unsent().await.is_empty()
        })
        .await;
        // Of what is lost altogether, the old key included, nobody can know.
        live.until(&format!("{what}: its end is told"), async || {
            live.pages(OPS_KEY).iter().any(|page| page.status == PagerdutyStatus::Resolved)
        })
        .await;
        // Nothing is done twice: the new file is sound.
        live.slod.restart().await.unwrap();
        assert_eq!(live.slod.log().matches("the store was damaged (").count(), 1, "{what}");
    }
}

/// A file that is something else's is left as it is.
#[tokio::test]
async fn a_file_of_another_program_is_refused() {
    let world = World::small().await.unwrap();
    world.write_config().unwrap();
    let path = world.folder().join("slod.db");
    let slod = Slod::prepare(Path::new(PROGRAM), world.folder(), &world.env()).unwrap();
    assert_eq!(slod.store(), path);
    let refused = async || {
        let before = fs::read(&path).unwrap();
        let output = slod.cli(&["run"]).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("is not a store of slod's"), "{said}");
        assert_eq!(fs::read(&path).unwrap(), before, "it is left as it is");
    };
    fs::File::create(&path).unwrap().write_all(b"dear diary").unwrap();
    refused().await;
    refused().await;
    fs::remove_file(&path).unwrap();
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("create table diary (day text)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    refused().await;
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("drop table diary").execute(&mut other).await.unwrap();
    sqlx::query("pragma application_id = 252006673").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    refused().await;
}
