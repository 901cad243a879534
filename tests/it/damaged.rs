//! Damaged stores: what can be read is taken over, whatever page is broken, and nothing refers to what is lost.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{fs, path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    domain::{
        alert::{Alert, AlertState},
        annotation::{Annotation, Kind},
        decide::{Line, Outgoing, SeriesKey, SourceEvent, time},
        incident::{Incident, Subject},
        name::{Name, Series, SloId},
        notification::{Event, Message, PublicState, StatusPost},
        policy::Priority,
        silence::{Matcher, Silence},
    },
    store::{Store, StoreError, commit::Commit, ledger::Definition},
};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

const PAGE: usize = 4_096;
const INCIDENTS: i64 = 60;

fn now() -> DateTime<Utc> {
    time(1_767_600_000)
}

fn id(number: i64) -> SloId {
    SloId::new("shop", format!("slo-{number}").as_str())
}

fn incident(number: i64) -> Incident {
    let subject = Subject::Slo { id: id(number), series: std::collections::BTreeMap::new() };
    Incident::open(subject, time(1_767_571_200 + number), Priority::P1)
}

fn trigger(about: &Incident) -> Outgoing {
    let post = StatusPost {
        incident: about.id.clone(),
        key: about.key.clone(),
        state: PublicState::Investigating,
        name: "it".into(),
        body: "words ".repeat(80),
        component: "it".into(),
        decided_at: about.opened_at,
        opens: true,
        down_elsewhere: false,
        over: false,
    };
    Outgoing {
        incident: about.id.clone(),
        receiver: "pager".into(),
        event: Event::Trigger,
        priority: Priority::P1,
        dedup_key: about.key.clone(),
        message: Message::StatusPost(post),
    }
}

/// A store of many small incidents, each with a page that waits, an alert that fires, lines and slots.
async fn filled(path: &Path) {
    let store = Store::open(path).await.unwrap();
    let definition = Definition { since: now(), hash: 1, objective_ppb: 990_000_000, every: 60 };
    let keys: Vec<_> = (0..INCIDENTS).map(|number| (SeriesKey::whole(id(number)), definition)).collect();
    store.enrol(keys).await.unwrap();
    for number in 0..INCIDENTS {
        let about = incident(number);
        let series = store.series_id(&SeriesKey::whole(id(number))).unwrap();
        let state = AlertState::Firing { since: 1, false_since: None, false_slots: 0 };
        let line =
            |number| Line { incident: about.id.clone(), at: now(), kind: "note", text: format!("line {number}") };
        let commit = Commit {
            chunks: (0..6).map(|chunk| (series, 60, 100 + chunk, vec![7; 700])).collect(),
            alerts: vec![(series, vec![("down".into(), Alert { state, ..Alert::default() })])],
            lines: (0..20).map(line).collect(),
            outgoing: vec![trigger(&about)],
            incidents: vec![(about.clone(), true)],
            silences: vec![silence(number)],
            source_events: vec![heard(number, &about.id)],
            ..Commit::default()
        };
        store.commit(Arc::new(commit), now()).await.unwrap();
        store.annotate(deploy(number), now()).await.unwrap();
    }
    store.close().await;
}

fn deploy(number: i64) -> Annotation {
    Annotation {
        kind: Kind::Deploy,
        at: now(),
        text: format!("shop {number} {}", "and more ".repeat(20)),
        url: None,
        service: Some(Name::from("shop")),
        by: "ci".into(),
        created_at: now(),
    }
}

fn silence(number: i64) -> Silence {
    let slo = Some(Name::from(format!("slo-{number}").as_str()));
    let matcher = Matcher { service: Name::from("shop"), slo, policy: None, labels: Series::new() };
    Silence::new(matcher, "ann", &"planned ".repeat(20), now(), now() + TimeDelta::days(3))
}

fn heard(number: i64, incident: &str) -> SourceEvent {
    SourceEvent {
        source: "receiver:ops-pager".into(),
        event: format!("event-{number}"),
        incident: incident.to_owned(),
        what: "acknowledge",
        by: "ann".into(),
        at: now(),
    }
}

async fn count(path: &Path, query: &'static str) -> i64 {
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    let row = sqlx::query(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}

fn broken(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".broken-") && name.ends_with('Z')).count()
}

/// Copies a store into a folder of its own, with the lock file of the slod that had it.
fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(from, folder.path().join("slod.db")).unwrap();
    fs::write(folder.path().join("slod.db.lock"), "").unwrap();
    folder
}

/// Each page of the file in its turn: most of everything is kept, what is kept can be used, and what fires without its
/// incident will fire again.
#[tokio::test]
async fn any_page_may_be_broken() {
    let origin = tempfile::tempdir().unwrap();
    let original = origin.path().join("slod.db");
    filled(&original).await;
    let bytes = fs::read(&original).unwrap();
    let pages = bytes.len() / PAGE;
    assert!(pages > 50, "{pages}");
    // A page at the root of a table takes the table with it.
    let (mut salvaged, mut lost, mut pages_read, mut messages, mut deploys) = (0, 0, 0, 0, 0);
    let (mut silences, mut heard) = (0, 0);
    for page in (0..pages).step_by(7).chain([1, pages - 1]) {
        let folder = copy(&original);
        let path = folder.path().join("slod.db");
        let mut broken_bytes = bytes.clone();
        broken_bytes[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        fs::write(&path, broken_bytes).unwrap();
        let store = Store::open(&path).await.unwrap();
        salvaged += usize::from(!store.damaged().is_empty());
        let live = store.live_incidents().await.unwrap();
        let leases = store.lease(&Name::from("pager"), now() + TimeDelta::hours(1), 60, 1_000).await.unwrap();
        let alerts = store.load_alerts().await.unwrap().len();
        assert!(alerts <= live.len(), "page {page}: {alerts} fire, {} incidents", live.len());
        if live.is_empty() {
            // The pages that say which tables there are: without them nothing can be found.
            lost += 1;
        } else {
            assert!(live.len() as i64 >= INCIDENTS / 2, "page {page}: {} incidents", live.len());
            pages_read += 1;
            messages += leases.len() as i64;
            let annotations = store.annotations(None, time(0), now() + TimeDelta::days(1), 1_000).await.unwrap();
            deploys += annotations.len() as i64;
            silences += store.live_silences(now()).await.unwrap().len() as i64;
            heard += i64::from(store.heard_events().await.unwrap().len() as i64 >= INCIDENTS / 2);
        }
        store
            .commit(Arc::new(Commit { incidents: vec![(incident(500), true)], ..Commit::default() }), now())
            .await
            .unwrap();
        store.close().await;
        drop(store);
        assert_eq!(count(&path, "select count(*) from pragma_foreign_key_check").await, 0, "page {page}");
        let again = Store::open(&path).await.unwrap();
        assert_eq!(broken(folder.path()), again.damaged().len(), "page {page}: once");
        assert_eq!(again.live_incidents().await.unwrap().len(), live.len() + 1);
    }
    assert!(salvaged > 3 && lost <= 3, "{salvaged}, {lost} without anything");
    assert!(messages * 10 >= pages_read * INCIDENTS * 9, "{messages} messages after {pages_read} broken pages");
    assert!(deploys * 10 >= pages_read * INCIDENTS * 8, "{deploys} annotations after {pages_read} broken pages");
    assert!(silences * 10 >= pages_read * INCIDENTS * 8, "{silences} silences after {pages_read} broken pages");
    assert!(heard * 10 >= pages_read * 8, "events of people's acts after {heard} of {pages_read} broken pages");
}

#[tokio::test]
async fn the_whole_file_may_be_broken() {
    let origin = tempfile::tempdir().unwrap();
    let original = origin.path().join("slod.db");
    filled(&original).await;
    let whole = fs::read(&original).unwrap();
    let halved = whole[..whole.len() / PAGE / 2 * PAGE].to_vec();
    let headless = [vec![0; PAGE], whole[PAGE..].to_vec()].concat();
    for (bytes, least) in [(halved, 1), (headless, 0), (b"something else".to_vec(), 0), (Vec::new(), 0)] {
        let folder = copy(&original);
        let path = folder.path().join("slod.db");
        let is_empty = bytes.is_empty();
        fs::write(&path, &bytes).unwrap();
        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.damaged().len(), usize::from(!is_empty));
        let rows = count(&path, "select (select count(*) from series) + (select count(*) from incidents)").await;
        assert!(rows >= least, "{rows}");
        store
            .enrol(vec![(SeriesKey::whole(id(999)), Definition { since: now(), hash: 1, objective_ppb: 1, every: 60 })])
            .await
            .unwrap();
        if !is_empty {
            let kept = fs::read(folder.path().join(&store.damaged()[0])).unwrap();
            assert_eq!(kept.len(), bytes.len(), "nothing of it is thrown away");
        }
    }
}

/// Messages of incidents that are lost: an end is still said, nothing else is.
#[tokio::test]
async fn what_waits_for_a_lost_incident() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    let (one, other) = (incident(1), incident(2));
    let incidents = vec![(one.clone(), true), (other.clone(), true)];
    store.commit(Arc::new(Commit { incidents, ..Commit::default() }), now()).await.unwrap();
    let outgoing = vec![trigger(&one), trigger(&other)];
    store.commit(Arc::new(Commit { outgoing, ..Commit::default() }), now()).await.unwrap();
    let leases = store.lease(&Name::from("pager"), now(), 60, 10).await.unwrap();
    assert_eq!(leases.len(), 2);
    let outgoing = vec![Outgoing { event: Event::Resolve, ..trigger(&one) }];
    store.commit(Arc::new(Commit { outgoing, ..Commit::default() }), now()).await.unwrap();
    store.close().await;
    drop(store);
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path).foreign_keys(false)).await.unwrap();
    sqlx::query("update incidents set document = '{'").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    // A document that cannot be understood is no reason not to start.
    let store = Store::open(&path).await.unwrap();
    assert!(store.live_incidents().await.unwrap().is_empty());
    store.close().await;
    drop(store);
    fs::write(folder.path().join("slod.db.suspect"), "").unwrap();
    let store = Store::open(&path).await.unwrap();
    assert!(!folder.path().join("slod.db.suspect").exists());
    let rows = store.deliveries(None, 10).await.unwrap();
    let left: Vec<_> = rows.iter().map(|row| (row.event.as_str(), row.incident.is_none())).collect();
    assert_eq!(left, [("resolve", true)]);
}

/// A message that cannot be understood stands in nobody's way.
#[tokio::test]
async fn a_message_that_cannot_be_read_is_dead() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    let (one, other) = (incident(1), incident(2));
    let (incidents, outgoing) =
        (vec![(one.clone(), true), (other.clone(), true)], vec![trigger(&one), trigger(&other)]);
    store.commit(Arc::new(Commit { incidents, outgoing, ..Commit::default() }), now()).await.unwrap();
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
    sqlx::query("update deliveries set message = '{' where id = 1").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let leases = store.lease(&Name::from("pager"), now(), 60, 10).await.unwrap();
    assert_eq!(leases.iter().map(|lease| lease.id).collect::<Vec<_>>(), [2]);
    let row = store.delivery(1).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.last_error.is_some()), ("dead", true));
}

#[tokio::test]
async fn a_lock_is_a_lock_whatever_the_file_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    assert!(matches!(Store::open(&path).await, Err(StoreError::InUse(_))));
    store.close().await;
    fs::write(&path, "broken meanwhile").unwrap();
    assert!(matches!(Store::open(&path).await, Err(StoreError::InUse(_))));
    assert_eq!(broken(folder.path()), 0);
}
