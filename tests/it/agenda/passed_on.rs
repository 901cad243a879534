//! What could not be delivered is told to somebody else, once: reports and reminders, and what died of an incident that is
//! over for good.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use slod::{
    domain::{
        decide::{Outgoing, time},
        delivery::Next,
        incident::{Incident, Resolution, Subject},
        name::{Name, SloId},
        notification::{Event, Message, Notification, Phase},
        policy::Priority,
    },
    store::{Store, attempts::Attempt, commit::Commit},
};
use testbed::inbox::{Fault, Peer};

use super::World;

const SENT: &str = "select count(*) from deliveries where state = 'sent'";

/// The team's chat is gone; the lead reads instead, and nobody stands behind the bot.
async fn launch() -> World {
    let world = World::launch_with(|config| {
        config["receivers"]["team"]["fallback"] = json!("pager");
        let pager =
            json!({"pagerduty": {"routing_key": "KEY-SECRET", "url": "http://127.0.0.1:1"}, "fallback": "lead"});
        config["receivers"]["pager"] = pager;
        config["maintenance"] = json!({"move": {"cron": "0 3 1 1 *", "duration": "1h"}});
        config["reports"]["monthly"]["notify"] = json!(["team"]);
        config["reminders"]["keys"].as_object_mut().unwrap().remove("check");
    });
    let world = world.await;
    world.inbox.fault("/slack/services", Fault::Status(404), u32::MAX);
    world
}

fn plain(world: &World) -> Vec<String> {
    let mails = world.told(Peer::Mail);
    mails.iter().map(|mail| mail.body["plain"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn reports_and_reminders_go_to_the_fallback_that_reads() {
    let mut world = launch().await;
    world.slod.kill9();
    world.away_for(100).await;
    world.slod.relaunch().await.unwrap();
    // The reminder that is the lead's own, and the two that were the team's.
    world.until("three mails", async || world.count(SENT).await == 3).await;
    let mails = plain(&world);
    let passed: Vec<_> = mails.iter().filter(|mail| mail.contains("Passed on: team could not be told: 404")).collect();
    assert_eq!(passed.len(), 2, "{mails:?}");
    assert!(passed.iter().any(|mail| mail.contains("Make tea.")), "{mails:?}");
    assert!(!mails.join("\n").contains("SECRET"), "{mails:?}");
    let status = world.slod.cli(&["status"]).await.unwrap();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    for wanted in ["next\n", "report monthly to team\n", "reminder keys to lead\n", "maintenance move until "] {
        assert!(status.contains(wanted), "{wanted}: {status}");
    }
    // Once, although slod is killed: what is told is marked with what tells it.
    world.slod.kill9();
    world.slod.relaunch().await.unwrap();
    world.until("it is quiet", async || world.is_quiet().await).await;
    assert_eq!(world.count("select count(*) from deliveries where state = 'dead' and fallback_told = 0").await, 0);
    assert_eq!((world.count(SENT).await, world.told(Peer::Mail).len()), (3, 3));
}

/// A page to `receiver` that died when its incident was finished already.
async fn died(store: &Store, number: i64, receiver: &str) -> String {
    let at = time(1_767_571_200 + number);
    let subject = Subject::Slo { id: SloId::new("shop", "front"), series: std::collections::BTreeMap::new() };
    let mut incident = Incident::open(subject, at, Priority::P1);
    incident.resolved = Some(Resolution { by: None, at, taken_out: None, new_period: false, gone: false });
    incident.title = "Shop is down".into();
    let notification = Notification {
        event: Event::Trigger,
        incident: incident.id.clone(),
        dedup_key: incident.key.clone(),
        thread_key: incident.key.clone(),
        phase: Phase::Open,
        priority: Priority::P1,
        service: None,
        slo: None,
        series: std::collections::BTreeMap::new(),
        headline: "Shop is down".into(),
        lines: Vec::new(),
        standing: None,
        reason: String::new(),
        policies: Vec::new(),
        opened_at: at,
        decided_at: at,
        late: false,
        links: Vec::new(),
        figures: std::collections::BTreeMap::new(),
    };
    let outgoing = Outgoing {
        incident: incident.id.clone(),
        receiver: receiver.into(),
        event: Event::Trigger,
        priority: Priority::P1,
        dedup_key: incident.key.clone(),
        message: Message::Notification(Box::new(notification)),
    };
    let id = incident.id.clone();
    let commit = Commit { incidents: vec![(incident, false)], outgoing: vec![outgoing], ..Commit::default() };
    store.commit(Arc::new(commit), at).await.unwrap();
    let lease = store.lease(&Name::from(receiver), at + TimeDelta::hours(24), 75, 1).await.unwrap().remove(0);
    let attempt = Attempt { error: Some("503".into()), ..Attempt::new(lease.attempt, at, at, &Next::Dead) };
    store.finish(lease.id, Next::Dead, attempt).await.unwrap();
    id
}

#[tokio::test]
async fn what_died_of_a_finished_incident_is_told() {
    let mut world = launch().await;
    world.slod.kill9();
    let store = Store::open(&world.folder.path().join("slod.db")).await.unwrap();
    let (first, second) = (died(&store, 0, "team").await, died(&store, 1, "bot").await);
    store.close().await;
    drop(store);
    world.slod.relaunch().await.unwrap();
    world.until("a mail", async || world.count(SENT).await == 1).await;
    let mail = plain(&world).remove(0);
    assert!(mail.contains(&format!("team was not told of incident {first}")) && mail.contains("503"), "{mail}");
    let lines = world.slod.api(&format!("/api/v1/incidents/{first}")).await.unwrap()["timeline"].to_string();
    assert!(lines.contains("team: 503; lead hears of it instead"), "{lines}");
    // Nobody stands behind the bot: whoever looks at slod sees it.
    let lines = world.slod.api(&format!("/api/v1/incidents/{second}")).await.unwrap()["timeline"].to_string();
    assert!(lines.contains("bot: trigger not delivered: 503"), "{lines}");
    let (_, health) = world.slod.get("/-/ready").await.unwrap();
    assert!(health.contains("a message to bot could not be delivered since the start"), "{health}");
    world.slod.kill9();
    world.slod.relaunch().await.unwrap();
    world.until("it is quiet", async || world.is_quiet().await).await;
    assert_eq!(world.count(SENT).await, 1, "once");
}
