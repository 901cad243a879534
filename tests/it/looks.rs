//! Looks and attempts as they are kept: bounded, written once, gone with their incident; and the task that looks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use slod::{
    clock::SystemClock,
    config::{self, Code, Loaded, Mode, Overrides},
    domain::{
        decide::{Outgoing, time},
        delivery::Next,
        diagnostic::{DIAGNOSTICS_MAX, Diagnosis, Found},
        incident::{Incident, IncidentEvent, Resolution, Subject},
        name::{Name, SloId},
        notification::{Event, Message, PublicState, StatusPost},
        policy::Priority,
    },
    engine::{
        board::Board,
        diagnostics::{Diagnostics, Wanted},
        mailbox::{Mailbox, Order, mailbox},
    },
    source::Diagnoser,
    store::{Store, attempts::Attempt, commit::Commit},
};
use testbed::inbox::Inbox;
use tokio_util::sync::CancellationToken;

const START: i64 = 1_767_571_200;

fn incident() -> Incident {
    let subject = Subject::Slo { id: SloId::new("shop", "front"), series: BTreeMap::new() };
    Incident::open(subject, time(START), Priority::P1)
}

fn diagnosis(name: &str, look: u32) -> Diagnosis {
    Diagnosis { look, ..Diagnosis::new(name.into(), "sql", time(START), 0.1, Ok(Found::said(true, "ok"))) }
}

fn page(incident: &Incident) -> Outgoing {
    let post = StatusPost {
        incident: incident.id.clone(),
        key: incident.key.clone(),
        state: PublicState::Investigating,
        name: "n".into(),
        body: "b".into(),
        component: "c".into(),
        opens: true,
        down_elsewhere: false,
        over: false,
        decided_at: time(START),
    };
    Outgoing {
        incident: incident.id.clone(),
        receiver: "pager".into(),
        event: Event::Trigger,
        priority: Priority::P1,
        dedup_key: incident.key.clone(),
        message: Message::StatusPost(post),
    }
}

#[tokio::test]
async fn looks_are_kept_once_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let incident = incident();
    let many: Vec<Diagnosis> = (0..1_000).map(|n| diagnosis(&format!("d-{n}"), 1)).collect();
    let commit = Commit {
        incidents: vec![(incident.clone(), true)],
        diagnoses: vec![(incident.id.clone(), many), (incident.id.clone(), vec![diagnosis("again", 1)])],
        ..Commit::default()
    };
    store.commit(Arc::new(commit), time(START)).await.unwrap();
    let kept = store.diagnoses(&incident.id).await.unwrap();
    assert_eq!((kept.len(), &*kept[0].name), (DIAGNOSTICS_MAX, "d-0"));
    assert!(!Commit { diagnoses: vec![("x".into(), Vec::new())], ..Commit::default() }.is_empty());
}

#[tokio::test]
async fn of_many_attempts_the_first_and_the_last_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let mut incident = incident();
    let outgoing = vec![page(&incident)];
    let commit = Commit { incidents: vec![(incident.clone(), true)], outgoing, ..Commit::default() };
    store.commit(Arc::new(commit), time(START)).await.unwrap();
    let pager = Name::from("pager");
    for number in 1..=120_u32 {
        let now = time(START + i64::from(number));
        let lease = store.lease(&pager, now, 75, 1).await.unwrap().remove(0);
        assert_eq!(lease.attempt, number);
        let next = Next::RetryAt(now);
        let long = "é".repeat(100_000);
        let attempt = Attempt { error: Some(long), ..Attempt::new(number, now - TimeDelta::seconds(1), now, &next) };
        store.finish(lease.id, next, attempt).await.unwrap();
    }
    let kept = store.attempts_of(&incident.id).await.unwrap();
    let numbers: Vec<u32> = kept.iter().map(|(_, attempt)| attempt.number).collect();
    assert_eq!(numbers, (1..=10).chain(81..=120).collect::<Vec<_>>());
    assert_eq!(kept[0].1.error.as_ref().unwrap().chars().count(), 2_000);
    assert_eq!(
        store.reasons_of(&incident.id).await.unwrap().into_values().next(),
        Some((Some("investigating".into()), false))
    );

    // They go with their delivery, and looks with their incident.
    let now = time(START + 1_000);
    let lease = store.lease(&pager, now, 75, 1).await.unwrap().remove(0);
    store.finish(lease.id, Next::Sent, Attempt::new(121, now, now, &Next::Sent)).await.unwrap();
    incident.resolved = Some(Resolution { by: None, at: now, taken_out: None, new_period: false, gone: false });
    let diagnoses = vec![(incident.id.clone(), vec![diagnosis("a", 1)])];
    let commit = Commit { incidents: vec![(incident.clone(), false)], diagnoses, ..Commit::default() };
    store.commit(Arc::new(commit), now).await.unwrap();
    assert!(store.prune(now + TimeDelta::days(1)).await.unwrap() > 0);
    assert!(store.incident(&incident.id).await.unwrap().is_none());
    assert!(store.diagnoses(&incident.id).await.unwrap().is_empty());
    assert!(store.attempts_of(&incident.id).await.unwrap().is_empty());
}

fn loaded(diagnostics: &Value) -> Loaded {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir().unwrap();
    let document = json!({"version": 1, "services": {"shop": {"runbook": {"diagnostics": diagnostics}}}});
    std::fs::write(folder.path().join("slo.yaml"), document.to_string()).unwrap();
    config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default())
}

#[test]
fn a_thousand_diagnostics_are_refused() {
    let many = |count: usize| {
        let one = |number| (format!("d-{number}"), json!({"http": {"url": "http://127.0.0.1:1"}}));
        loaded(&Value::Object((0..count).map(one).collect()))
    };
    assert!(many(DIAGNOSTICS_MAX).config.is_some());
    let refused = many(1_000);
    assert!(refused.config.is_none());
    let found: Vec<_> = refused.diagnostics.iter().filter(|found| found.code == Code::OutOfRange).collect();
    assert_eq!(found.len(), 1, "{:?}", refused.diagnostics);
    assert!(found[0].message.contains("1000 diagnostics"), "{}", found[0].message);
}

/// The task that looks, over a service whose one diagnostic asks the inbox.
struct Looking {
    inbox: Inbox,
    board: Arc<Board>,
    ordered: Mailbox,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

async fn looking(started_at: DateTime<Utc>) -> Looking {
    let inbox = Inbox::start().await;
    let page = json!({"page": {"public_status": {"url": inbox.url("/shopify")}}});
    let config = Arc::new(loaded(&page).config.unwrap());
    let (orders, ordered) = mailbox();
    let board = Arc::new(Board::default());
    let task = Diagnostics {
        diagnoser: Arc::new(Diagnoser::new(&config).unwrap()),
        config,
        orders,
        board: board.clone(),
        clock: Arc::new(SystemClock),
        started_at,
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(task.run(stop.clone()));
    Looking { inbox, board, ordered, stop, task }
}

/// Many incidents of one service at once are one look.
#[tokio::test]
async fn a_storm_is_one_look() {
    let now: DateTime<Utc> = slod::clock::Clock::now(&SystemClock);
    let Looking { inbox, board, mut ordered, stop, task } = looking(now).await;
    let wanted = |number: i64, service: &str| {
        let at = now - TimeDelta::seconds(number);
        (format!("incident-{number:03}"), Wanted { service: service.into(), look: 1, at })
    };
    let mut looks: BTreeMap<String, Wanted> = (0..200).map(|number| wanted(number, "shop")).collect();
    looks.extend([wanted(900, "without-diagnostics")]);
    board.publish_looks(looks);
    let mut heard = Vec::new();
    while heard.len() < 200 {
        let Some(Order::Act { incident, event: IncidentEvent::Diagnosed { look: 1, late, found }, reply }) =
            ordered.recv().await
        else {
            panic!("something else was ordered")
        };
        assert_eq!((found.len(), found[0].summary.as_str()), (1, "operational"));
        assert_eq!(late, incident != "incident-000", "{incident}: asked for before the start");
        heard.push(incident);
        // What the decider does, once it is written.
        let rest = board.looks_wanted().into_iter().filter(|(id, _)| !heard.contains(id)).collect();
        board.publish_looks(rest);
        drop(reply.send(Ok(())));
    }
    assert_eq!(inbox.received().len(), 1, "one question for all of them");
    stop.cancel();
    task.await.unwrap();
}

/// Two SLOs of a service fail in the same slot, and are judged one after the other: one look, attached to both. Who asks
/// again gets another one.
#[tokio::test]
async fn what_opens_together_shares_one_look() {
    let Looking { inbox, board, mut ordered, stop, task } = looking(slod::clock::Clock::now(&SystemClock)).await;
    let mut looks = Vec::new();
    for (incident, look, asked) in [("first", 1, 1), ("second", 1, 1), ("first", 2, 2)] {
        let wanted = Wanted { service: "shop".into(), look, at: slod::clock::Clock::now(&SystemClock) };
        board.publish_looks(BTreeMap::from([(incident.to_owned(), wanted)]));
        let Some(Order::Act { incident: told, event: IncidentEvent::Diagnosed { look: number, found, .. }, reply }) =
            ordered.recv().await
        else {
            panic!("something else was ordered")
        };
        assert_eq!((told.as_str(), number, inbox.received().len()), (incident, look, asked));
        looks.push(found[0].at);
        // What the decider does, once it is written.
        board.publish_looks(BTreeMap::new());
        drop(reply.send(Ok(())));
    }
    assert!(looks[0] == looks[1] && looks[1] < looks[2], "{looks:?}");
    stop.cancel();
    task.await.unwrap();
}
