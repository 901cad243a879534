//! `max_rate`: what is more than a receiver wants is joined into one message, and a page is never held up.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod flood;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    domain::{
        decide::{Outgoing, time},
        delivery::Next,
        digest::Rate,
        incident::{Incident, Subject},
        name::{Name, SloId},
        notification::{Event, Message, Notification, Phase},
        policy::Priority,
    },
    store::{
        Store,
        attempts::Attempt,
        commit::Commit,
        joining::{Taken, Turn},
        outbox::{Lease, StoredDelivery},
    },
};

const RATE: Rate = Rate { count: 5, within: TimeDelta::seconds(60) };

/// A store, and a clock.
struct Outbox {
    store: Store,
    folder: tempfile::TempDir,
    now: DateTime<Utc>,
}

fn incident(number: i64, priority: Priority) -> Incident {
    let subject = Subject::Slo { id: SloId::new("shop", format!("s{number}").as_str()), series: BTreeMap::new() };
    Incident::open(subject, time(1_767_571_200 + number), priority)
}

fn message(about: &Incident, event: Event) -> Outgoing {
    let notification = Notification {
        event,
        incident: about.id.clone(),
        dedup_key: about.key.clone(),
        thread_key: about.key.clone(),
        phase: if event == Event::Resolve { Phase::Resolved } else { Phase::Open },
        priority: about.priority,
        service: None,
        slo: None,
        series: BTreeMap::new(),
        headline: format!("{} is bad", about.id),
        lines: Vec::new(),
        standing: None,
        reason: String::new(),
        policies: Vec::new(),
        opened_at: about.opened_at,
        decided_at: about.opened_at,
        late: false,
        links: Vec::new(),
        figures: BTreeMap::new(),
    };
    Outgoing {
        incident: about.id.clone(),
        receiver: "team".into(),
        event,
        priority: about.priority,
        dedup_key: about.key.clone(),
        message: Message::Notification(Box::new(notification)),
    }
}

impl Outbox {
    /// Nobody waits any longer.
    async fn undelivered(&self) -> Vec<StoredDelivery> {
        let patience = BTreeMap::from([("team".into(), self.now)]);
        self.store.undelivered(&patience, 1_000).await.unwrap()
    }

    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
        Self { store, folder, now: time(1_767_600_000) }
    }

    async fn tell(&self, incidents: &[Incident], event: Event) {
        let outgoing = incidents.iter().map(|about| message(about, event)).collect();
        let incidents = incidents.iter().map(|about| (about.clone(), true)).collect();
        let commit = Commit { incidents, outgoing, ..Commit::default() };
        self.store.commit(Arc::new(commit), self.now).await.unwrap();
    }

    fn turn(&self) -> Turn {
        Turn { receiver: "team".into(), now: self.now, seconds: 75, room: 32, rate: RATE }
    }

    async fn joined(&self) -> Taken {
        self.store.lease_joined(self.turn()).await.unwrap()
    }

    async fn finish(&self, lease: &Lease, next: Next) {
        let error = (next != Next::Sent).then(|| "503".to_owned());
        let attempt = Attempt::new(lease.attempt, self.now, self.now, &next);
        let attempt = Attempt { receipt: Some("receipt".into()), error, ..attempt };
        self.store.finish(lease.id, next, attempt).await.unwrap();
    }

    /// Sends for as long as the rate lets it; answers what was sent.
    async fn send(&self) -> Vec<Notification> {
        let mut sent = Vec::new();
        loop {
            let taken = self.joined().await;
            if taken.leases.is_empty() {
                return sent;
            }
            for lease in taken.leases {
                self.finish(&lease, Next::Sent).await;
                sent.extend(notification(lease));
            }
        }
    }

    async fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for row in self.store.deliveries(None, 10_000).await.unwrap() {
            *states.entry(format!("{} {}", row.event, row.state)).or_default() += 1;
        }
        states
    }

    fn later(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }
}

fn notification(lease: Lease) -> Option<Notification> {
    match lease.message {
        Message::Notification(notification) => Some(*notification),
        Message::StatusPost(_) | Message::Bulletin(_) | Message::Record(_) => None,
    }
}

fn many(count: i64) -> Vec<Incident> {
    (0..count).map(|number| incident(number, if number == 77 { Priority::P1 } else { Priority::P3 })).collect()
}

/// 500 incidents in one second, and their ends in another: ten messages in all, and nobody is forgotten.
#[tokio::test]
async fn a_flood_is_a_few_messages() {
    let mut outbox = Outbox::open().await;
    let all = many(500);
    outbox.tell(&all, Event::Trigger).await;
    let sent = outbox.send().await;
    let events: Vec<_> = sent.iter().map(|message| message.event).collect();
    assert_eq!(events, [Event::Trigger, Event::Trigger, Event::Trigger, Event::Trigger, Event::Digest]);
    assert!(sent[..4].iter().any(|one| one.priority == Priority::P1), "the most urgent is told by itself");
    assert_eq!(sent[4].headline, "496 messages in one: 496 open");
    assert_eq!(outbox.states().await, BTreeMap::from([("digest sent".into(), 1), ("trigger sent".into(), 500)]));
    outbox.tell(&all, Event::Resolve).await;
    let held = outbox.joined().await;
    assert!(held.leases.is_empty(), "not within the same minute");
    assert_eq!(held.held_until, Some(outbox.now + RATE.within));
    outbox.later(61);
    let sent = outbox.send().await;
    assert_eq!((sent.len(), sent[4].headline.as_str()), (5, "496 messages in one: 496 over"));
    assert_eq!(outbox.states().await["resolve sent"], 500);
}

#[tokio::test]
async fn within_the_rate_nothing_is_joined() {
    let outbox = Outbox::open().await;
    outbox.tell(&many(5), Event::Trigger).await;
    let sent = outbox.send().await;
    assert!(sent.len() == 5 && sent.iter().all(|message| message.event == Event::Trigger));
}

/// Until the digest is taken its messages are neither sent nor lost; what comes later of an incident waits for it.
#[tokio::test]
async fn what_is_joined_has_the_fate_of_its_digest() {
    for (next, fate) in [(Next::Sent, "sent"), (Next::Dead, "dead")] {
        let mut outbox = Outbox::open().await;
        let all = many(20);
        outbox.tell(&all, Event::Trigger).await;
        let taken = outbox.joined().await;
        assert_eq!((taken.leases.len(), taken.joined), (5, 16));
        let digest = taken.leases.iter().find(|lease| lease.incident.is_none()).unwrap().clone();
        for lease in taken.leases.iter().filter(|lease| lease.id != digest.id) {
            outbox.finish(lease, Next::Sent).await;
        }
        outbox.finish(&digest, Next::RetryAt(outbox.now + TimeDelta::seconds(90))).await;
        outbox.tell(&all, Event::Resolve).await;
        assert_eq!(outbox.states().await["trigger joined"], 16);
        outbox.later(70);
        let due: Vec<_> = outbox.joined().await.leases;
        assert_eq!(due.len(), 4, "the ends of those four that were told by themselves");
        for lease in &due {
            outbox.finish(lease, Next::Sent).await;
        }
        outbox.later(70);
        let again = outbox.joined().await.leases;
        assert_eq!((again.len(), again[0].id, again[0].attempt), (1, digest.id, 2));
        outbox.finish(&again[0], next).await;
        assert_eq!(outbox.states().await.get("trigger joined"), None);
        assert_eq!(outbox.states().await[&format!("digest {fate}")], 1);
        let dead = outbox.undelivered().await;
        let dead = dead.iter().filter(|row| row.state == "dead" && row.event == "trigger").count();
        assert_eq!(dead, if fate == "dead" { 16 } else { 0 }, "each page has its fallback told");
        outbox.later(70);
        assert_eq!(outbox.send().await.len(), 5);
    }
}

/// A digest is rows: a restart finds it as it was, and does not make another.
#[tokio::test]
async fn a_digest_survives_a_restart() {
    let outbox = Outbox::open().await;
    outbox.tell(&many(100), Event::Trigger).await;
    assert_eq!(outbox.joined().await.joined, 96);
    let Outbox { store, folder, now } = outbox;
    store.close().await;
    drop(store);
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    let outbox = Outbox { store, folder, now };
    let sent = outbox.send().await;
    assert_eq!(sent.len(), 5, "all five had been leased, and none was sent");
    assert_eq!(sent.iter().filter(|message| message.event == Event::Digest).count(), 1);
    assert_eq!(outbox.states().await, BTreeMap::from([("digest sent".into(), 1), ("trigger sent".into(), 100)]));
}

/// A joined P1 that waits too long is told to the fallback like any other.
#[tokio::test]
async fn a_page_in_a_waiting_digest_is_known_as_undelivered() {
    let outbox = Outbox::open().await;
    let all: Vec<_> = (0..10).map(|number| incident(number, Priority::P1)).collect();
    outbox.tell(&all, Event::Trigger).await;
    outbox.joined().await;
    assert_eq!(outbox.undelivered().await.len(), 10);
}

/// For a pager nothing is joined: P1 and P2 go out at once, the others one after the other.
#[tokio::test]
async fn pages_are_never_held_up() {
    let mut outbox = Outbox::open().await;
    let all: Vec<_> = (0..30).map(|n| incident(n, if n < 20 { Priority::P2 } else { Priority::P3 })).collect();
    outbox.tell(&all, Event::Trigger).await;
    let taken = outbox.store.lease_paced(outbox.turn()).await.unwrap();
    let (pages, minor): (Vec<_>, Vec<_>) = taken
        .leases
        .into_iter()
        .partition(|lease| notification(lease.clone()).is_some_and(|message| message.priority.is_page()));
    assert_eq!((pages.len(), minor.len(), taken.joined), (20, 5, 0));
    assert!(taken.held_until.is_some());
    for lease in pages.iter().chain(&minor) {
        outbox.finish(lease, Next::Sent).await;
    }
    outbox.tell(&all[..1], Event::Acknowledge).await;
    let taken = outbox.store.lease_paced(outbox.turn()).await.unwrap();
    assert_eq!(taken.leases.len(), 1, "of a P2: at once");
    assert_eq!(taken.held_until, Some(outbox.now + RATE.within));
    outbox.finish(&taken.leases[0], Next::Sent).await;
    outbox.later(61);
    assert_eq!(outbox.store.lease_paced(outbox.turn()).await.unwrap().leases.len(), 5);
    let name = Name::from("team");
    assert_eq!(outbox.store.queues().await.unwrap().iter().find(|queue| queue.receiver == name).unwrap().joined, 0);
}

/// Pages that wait, and of which nobody hears yet, stand in no other's way.
#[tokio::test]
async fn what_may_wait_hides_nothing() {
    let outbox = Outbox::open().await;
    let all: Vec<_> = (0..20).map(|number| incident(number, Priority::P1)).collect();
    outbox.tell(&all, Event::Trigger).await;
    let dead = outbox.store.lease(&"team".into(), outbox.now, 75, 32).await.unwrap().pop().unwrap();
    outbox.finish(&dead, Next::Dead).await;
    let early = BTreeMap::from([("team".into(), outbox.now - TimeDelta::seconds(1))]);
    for patience in [BTreeMap::new(), early] {
        let found = outbox.store.undelivered(&patience, 10).await.unwrap();
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [dead.id]);
    }
    assert_eq!(outbox.store.undelivered(&BTreeMap::from([("team".into(), outbox.now)]), 10).await.unwrap().len(), 10);
}
