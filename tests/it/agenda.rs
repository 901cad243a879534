//! Reports and reminders on crontabs: each time once, through kills, downtime and clocks that are set.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod moved_clock;
mod passed_on;
mod stored;

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use testbed::{
    clock::eventually,
    daemon::Slod,
    inbox::{Fault, Inbox, Peer, Received},
    ports::free_port,
};

use crate::live::{PATIENCE, PROGRAM};

/// A daemon with a report and two reminders, and the inbox that it tells.
struct World {
    inbox: Inbox,
    slod: Slod,
    folder: TempDir,
}

/// Every minute would be too often, every month is what people write. Times are moved in the store instead.
fn config(inbox: &Inbox) -> Value {
    json!({
        "version": 1,
        "daemon": {"timezone": "Europe/Paris"},
        "sources": {"gone": {"prometheus": {"url": "http://127.0.0.1:1", "timeout": "1s"}}},
        "services": {"shop": {"title": "Shop <b>&", "slos": {
            "front": {"objective": "99%", "window": "30d", "every": "1m", "indicator": {"ratio": {
                "source": "gone", "bad": "errors_total", "total": "requests_total",
            }}},
        }}},
        "mail": {"smtp": inbox.smtp_url(), "from": "slod@example.com"},
        "receivers": {
            "lead": {"email": "lead@example.com"},
            "team": {"slack": {"webhook": inbox.url("/slack/services/T000/B000/SECRET")}},
            "bot": {"slack": {"channel": "C0TEAM", "token": "xoxb-SECRET", "url": inbox.url("/slack")}},
        },
        "reports": {"monthly": {"services": ["shop"], "cron": "0 9 1 * *", "notify": ["lead", "team", "bot"]}},
        "reminders": {
            "keys": {"text": "Are the keys still good?", "cron": "0 9 1 * *", "check": "online", "notify": ["lead"]},
            "tea": {"text": "Make tea.", "cron": "0 9 1 * *", "notify": ["team"]},
        },
    })
}

impl World {
    async fn launch() -> Self {
        Self::launch_with(|_| {}).await
    }

    /// With other words in its configuration.
    async fn launch_with(edit: impl FnOnce(&mut Value)) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let (inbox, folder) = (Inbox::start().await, TempDir::with_prefix("slod-agenda-").unwrap());
        let mut config = config(&inbox);
        edit(&mut config);
        std::fs::write(folder.path().join("slo.yaml"), config.to_string()).unwrap();
        let env = BTreeMap::from([("SLOD_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port().unwrap()))]);
        let slod = Slod::launch(Path::new(PROGRAM), folder.path(), &env).await.unwrap();
        let world = Self { inbox, slod, folder };
        world.until("on the agenda", async || world.count("select count(*) from agenda").await == 3).await;
        world
    }

    async fn until(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        assert!(eventually(PATIENCE, condition).await, "not within {PATIENCE:?}: {what}\n{}", self.slod.log());
    }

    async fn sql(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("slod.db"));
        SqliteConnection::connect_with(&options.busy_timeout(PATIENCE)).await.unwrap()
    }

    async fn count(&self, query: &'static str) -> i64 {
        let mut connection = self.sql().await;
        sqlx::query(query).fetch_one(&mut connection).await.map_or(-1, |row| row.get(0))
    }

    /// As if slod had last looked so many days ago.
    async fn away_for(&self, days: i64) {
        let mut connection = self.sql().await;
        let moved = "update agenda set since = since - ? * 86400000";
        sqlx::query(moved).bind(days).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Accepted mails, and messages to chats.
    fn told(&self, peer: Peer) -> Vec<Received> {
        let received = self.inbox.received().into_iter();
        received.filter(|entry| entry.peer == peer && matches!(entry.status, 200 | 250)).collect()
    }

    async fn is_quiet(&self) -> bool {
        let waiting = "select count(*) from deliveries where state in ('queued', 'sending', 'retry')";
        self.count(waiting).await == 0
    }
}

#[tokio::test]
async fn what_was_missed_runs_once_and_says_so() {
    let mut world = World::launch().await;
    assert_eq!(world.count("select count(*) from deliveries").await, 0, "nothing from before it existed");
    world.slod.kill9();
    world.away_for(100).await;
    world.slod.relaunch().await.unwrap();
    world
        .until("five messages", async || world.count("select count(*) from deliveries where state = 'sent'").await == 5)
        .await;
    let mails = world.told(Peer::Mail);
    assert_eq!(mails.len(), 2);
    let mail = |word: &str| mails.iter().find(|mail| mail.body["subject"].as_str().unwrap().contains(word)).unwrap();
    let report = mail("[report, late]");
    assert!(report.body["html"].as_str().unwrap().contains("Shop &lt;b&gt;&amp;"), "{}", report.body["html"]);
    let plain = report.body["plain"].as_str().unwrap();
    assert!(plain.contains("times before it were missed") && plain.contains("/shop/budget?month="), "{plain}");
    let keys = mail("[reminder, late]");
    let plain = keys.body["plain"].as_str().unwrap();
    assert!(plain.contains("source gone: no answer") && plain.contains("receiver bot: ok"), "{plain}");
    assert!(plain.contains("Are the keys still good?") && !plain.contains("SECRET"), "{plain}");
    let chats = world.told(Peer::Slack);
    let posts = chats.iter().filter(|entry| entry.path.ends_with("chat.postMessage")).count();
    assert_eq!((chats.len() - posts, posts), (3, 1), "two by webhook, one by the bot, whose token was looked at");
    assert!(world.inbox.problems().is_empty(), "{:?}", world.inbox.problems());
    // The same time is not run again, whatever is thought of how long slod was away.
    for _ in 0..2 {
        world.slod.kill9();
        world.away_for(20).await;
        world.slod.relaunch().await.unwrap();
        let looked = "select count(*) from agenda where since >= (select max(at) from occurrences)";
        world.until("looked", async || world.count(looked).await == 3).await;
    }
    assert_eq!(world.count("select count(*) from deliveries").await, 5);
    assert_eq!(world.count("select count(*) from occurrences").await, 3);
    let page = world.slod.get("/sources").await.unwrap().1;
    assert!(page.contains("monthly") && page.contains("0 9 1 * *") && page.contains("Europe/Paris"), "{page}");
    let log = world.slod.log();
    assert!(!log.contains("SECRET") && !log.contains("panicked"), "{log}");
}

/// Killed at every moment from the start to the last message.
#[tokio::test]
async fn killed_again_and_again_each_time_is_written_once() {
    let mut world = World::launch().await;
    world.inbox.fault("smtp", Fault::Lost, 1);
    world.slod.kill9();
    world.away_for(40).await;
    for milliseconds in [0, 15, 30, 60, 120, 250, 500] {
        world.slod.relaunch().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
        world.slod.kill9();
    }
    world.slod.relaunch().await.unwrap();
    world
        .until("all is said", async || {
            world.count("select count(*) from occurrences").await == 3 && world.is_quiet().await
        })
        .await;
    assert_eq!(world.count("select count(*) from deliveries").await, 5, "{}", world.slod.log());
    let mut ids: Vec<_> =
        world.told(Peer::Mail).iter().map(|mail| mail.body["headers"]["message-id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2, "a repeat is the same mail");
    assert!(world.inbox.problems().is_empty(), "{:?}", world.inbox.problems());
}

#[tokio::test]
async fn another_crontab_begins_anew() {
    let mut world = World::launch().await;
    let mut other = config(&world.inbox);
    other["reports"]["monthly"]["cron"] = json!("0 9 * * *");
    other["reminders"].as_object_mut().unwrap().remove("tea");
    world.slod.kill9();
    world.away_for(70).await;
    std::fs::write(world.folder.path().join("slo.yaml"), other.to_string()).unwrap();
    world.slod.relaunch().await.unwrap();
    world.until("the one that stayed", async || world.count("select count(*) from occurrences").await == 1).await;
    // What was taken out and comes back has missed nothing.
    std::fs::write(world.folder.path().join("slo.yaml"), config(&world.inbox).to_string()).unwrap();
    let (status, body) = world.slod.post("/-/reload", &json!({})).await.unwrap();
    assert_eq!(status, 200, "{body}");
    world.until("back", async || world.count("select count(*) from agenda").await == 3).await;
    assert_eq!(world.count("select count(*) from occurrences where entry = 'reminder/keys'").await, 1);
    assert_eq!(world.count("select count(*) from occurrences").await, 1);
}
