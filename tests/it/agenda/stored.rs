//! What the store promises: a time is written once, with its messages; what is about no incident waits for its own kind only.

use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    domain::{
        decide::time,
        name::Name,
        notification::{Event, Message, PublicState, StatusPost},
    },
    store::{
        Posting, Store,
        agenda::{Entry, Occurrence},
        life::Away,
    },
};

const START: i64 = 1_767_225_600;

async fn store() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::open(&folder.path().join("slod.db")).await.unwrap(), folder)
}

fn at(minute: i64) -> DateTime<Utc> {
    time(START) + TimeDelta::minutes(minute)
}

fn posting(key: &str, text: &str) -> Posting {
    let post = StatusPost {
        incident: String::new(),
        key: String::new(),
        state: PublicState::Resolved,
        name: String::new(),
        body: text.into(),
        component: String::new(),
        opens: false,
        down_elsewhere: false,
        over: false,
        decided_at: at(0),
    };
    Posting { receiver: Name::from("team"), event: Event::Digest, key: key.into(), message: Message::StatusPost(post) }
}

fn entry(name: &str, schedule: &str) -> Entry {
    Entry { name: name.into(), schedule: schedule.into() }
}

#[tokio::test]
async fn entries_begin_when_they_come_and_go_with_the_clock() {
    let (store, _folder) = store().await;
    let since = async |entries: &[(&str, &str)], minute| {
        let entries = entries.iter().map(|(name, schedule)| entry(name, schedule)).collect();
        let since = store.enrol_agenda(entries, at(minute)).await.unwrap();
        since.values().map(|since| (*since - at(0)).num_minutes()).collect::<Vec<_>>()
    };
    assert_eq!(since(&[("report/a", "1")], 10).await, [10]);
    assert_eq!(since(&[("report/a", "1"), ("report/b", "1")], 20).await, [10, 20], "a new one begins");
    assert_eq!(since(&[("report/a", "2"), ("report/b", "1")], 30).await, [30, 20], "another crontab begins anew");
    assert_eq!(since(&[("report/a", "2")], 40).await, [30], "one goes");
    assert_eq!(since(&[("report/a", "2"), ("report/b", "1")], 50).await, [30, 50], "and comes back");
    assert_eq!(since(&[("report/a", "2"), ("report/b", "1")], 5).await, [5, 5], "the clock was set back");
}

#[tokio::test]
async fn a_time_is_written_once_with_its_messages() {
    let (store, _folder) = store().await;
    store.enrol_agenda(vec![entry("report/a", "1")], at(0)).await.unwrap();
    let occurrence = |minute, missed| Occurrence { entry: "report/a".into(), at: at(minute), missed };
    let keep = async |minute| {
        store.keep_occurrence(occurrence(minute, 3), vec![posting("report/a", "x")], at(99)).await.unwrap()
    };
    assert!(keep(10).await);
    assert!(!keep(10).await, "it ran");
    assert!(keep(20).await);
    assert!(!keep(10).await, "the clock was set back");
    assert_eq!(store.deliveries(None, 10).await.unwrap().len(), 2);
    assert_eq!(store.newest_occurrences().await.unwrap()[0].missed, 3);
    // What cannot be written is written not at all.
    let refused = store.keep_occurrence(occurrence(30, 99_999), vec![posting("report/a", "x")], at(99)).await;
    assert!(refused.is_err());
    assert_eq!(store.deliveries(None, 10).await.unwrap().len(), 2);
    assert!(keep(30).await);
    // Old ones go with the retention.
    store.prune(at(25)).await.unwrap();
    assert_eq!(store.newest_occurrences().await.unwrap()[0].at, at(30));
}

#[tokio::test]
async fn what_is_about_no_incident_waits_for_its_own_kind_only() {
    let (store, _folder) = store().await;
    store.enrol_agenda(vec![entry("report/a", "1"), entry("reminder/b", "1")], at(0)).await.unwrap();
    for (name, minute) in [("report/a", 1), ("report/a", 2), ("reminder/b", 3)] {
        let occurrence = Occurrence { entry: name.into(), at: at(minute), missed: 0 };
        store.keep_occurrence(occurrence, vec![posting(name, &minute.to_string())], at(minute)).await.unwrap();
    }
    let team = Name::from("team");
    let body = |lease: &slod::store::outbox::Lease| match &lease.message {
        Message::StatusPost(post) => post.body.clone(),
        _ => String::new(),
    };
    let first: Vec<String> = store.lease(&team, at(5), 75, 8).await.unwrap().iter().map(body).collect();
    assert_eq!(first, ["1", "3"], "the second report waits for the first, the reminder for nobody");
    let rows = store.deliveries(Some("sending"), 10).await.unwrap();
    assert!(rows.iter().all(|row| row.incident.is_none() && row.event == "digest"));
    let oldest = rows.iter().map(|row| row.id).min().unwrap();
    let (dead, refused) = (slod::domain::delivery::Next::Dead, Some("no".into()));
    let attempt = slod::store::attempts::Attempt {
        error: refused,
        ..slod::store::attempts::Attempt::new(1, at(5), at(6), &dead)
    };
    store.finish(oldest, dead, attempt).await.unwrap();
    let second: Vec<String> = store.lease(&team, at(6), 75, 8).await.unwrap().iter().map(body).collect();
    assert_eq!(second, ["2"]);
}

#[tokio::test]
async fn a_time_away_is_kept_until_it_is_told() {
    let (store, _folder) = store().await;
    let back = async |minute| store.come_alive(at(minute), TimeDelta::minutes(5)).await.unwrap();
    let away = |from, to| Some(Away { from: at(from), to: at(to) });
    assert_eq!(back(0).await, None, "the first start");
    store.live_on(at(10)).await.unwrap();
    assert_eq!(back(14).await, None, "away for a moment");
    assert_eq!(back(20).await, away(14, 20));
    assert_eq!(back(21).await, away(14, 20), "killed before it was told");
    assert_eq!(back(40).await, away(14, 40), "and away again");
    store.tell_of_return(vec![posting("restart", "x")], at(41)).await.unwrap();
    store.tell_of_return(vec![posting("restart", "x")], at(41)).await.unwrap();
    assert_eq!(store.deliveries(None, 10).await.unwrap().len(), 1, "once");
    assert_eq!(back(42).await, None);
    // The clock had been ahead.
    assert_eq!(back(500).await, away(42, 500));
    assert_eq!(back(50).await, away(42, 500), "not told yet");
    store.tell_of_return(Vec::new(), at(50)).await.unwrap();
    assert_eq!(back(51).await, None);
}
