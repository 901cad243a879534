//! Deliveries in a real file: what is leased when, in which order, what is dropped, and what a retry may do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use slod::{
    domain::{
        decide::{Line, Outgoing, time},
        delivery::Next,
        incident::{Incident, Subject},
        name::{Name, SloId},
        notification::{Event, Message, Notification, Phase},
        policy::Priority,
    },
    store::{
        Store,
        attempts::Attempt,
        commit::{Commit, Missed},
        outbox::Lease,
    },
};

const LEASE: i64 = 75;

/// A store in a folder of its own, and a clock.
struct Outbox {
    store: Store,
    folder: tempfile::TempDir,
    now: DateTime<Utc>,
}

fn pager() -> Name {
    Name::from("pager")
}

fn incident(number: i64) -> Incident {
    let subject = Subject::Slo { id: SloId::new("shop", "front"), series: BTreeMap::new() };
    Incident::open(subject, time(1_767_571_200 + number), Priority::P1)
}

/// A message to `receiver` under the incident's key, or under `key/opening`.
fn message(about: &Incident, receiver: &str, event: Event, opening: u32) -> Outgoing {
    let notification = Notification {
        event,
        incident: about.id.clone(),
        dedup_key: about.dedup_key(opening),
        thread_key: about.key.clone(),
        phase: Phase::Open,
        priority: about.priority,
        service: None,
        slo: None,
        series: BTreeMap::new(),
        headline: event.as_str().into(),
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
        receiver: receiver.into(),
        event,
        priority: about.priority,
        dedup_key: about.dedup_key(opening),
        message: Message::Notification(Box::new(notification)),
    }
}

fn events(leases: &[Lease]) -> Vec<String> {
    let body = |lease: &Lease| match &lease.message {
        Message::Notification(notification) => notification.headline.clone(),
        Message::StatusPost(_) | Message::Bulletin(_) | Message::Record(_) => String::new(),
    };
    leases.iter().map(body).collect()
}

impl Outbox {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
        let outbox = Self { store, folder, now: time(1_767_600_000) };
        let incidents = (0..4).map(|number| (incident(number), true)).collect();
        outbox.store.commit(Arc::new(Commit { incidents, ..Commit::default() }), outbox.now).await.unwrap();
        outbox
    }

    /// Nobody waits any longer.
    fn patience(&self) -> BTreeMap<Name, DateTime<Utc>> {
        BTreeMap::from([(pager(), self.now)])
    }

    async fn put(&self, outgoing: Vec<Outgoing>) -> Vec<Missed> {
        self.store.commit(Arc::new(Commit { outgoing, ..Commit::default() }), self.now).await.unwrap()
    }

    async fn tell(&self, number: i64, event: Event) -> Vec<Missed> {
        self.put(vec![message(&incident(number), "pager", event, 1)]).await
    }

    async fn lease(&self) -> Vec<Lease> {
        self.store.lease(&pager(), self.now, LEASE, 32).await.unwrap()
    }

    async fn finish(&self, lease: &Lease, next: Next) {
        let error = (next != Next::Sent).then(|| "503".to_owned());
        let attempt = Attempt::new(lease.attempt, self.now - TimeDelta::seconds(1), self.now, &next);
        let attempt = Attempt { receipt: Some("receipt".into()), error, ..attempt };
        self.store.finish(lease.id, next, attempt).await.unwrap();
    }

    async fn send_all(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        loop {
            let leases = self.lease().await;
            if leases.is_empty() {
                return sent;
            }
            sent.extend(events(&leases));
            for lease in &leases {
                self.finish(lease, Next::Sent).await;
            }
        }
    }

    async fn states(&self) -> Vec<String> {
        let mut rows = self.store.deliveries(None, 100).await.unwrap();
        rows.reverse();
        rows.into_iter().map(|row| format!("{} {}", row.event, row.state)).collect()
    }

    fn later(&mut self, seconds: i64) {
        self.now += TimeDelta::seconds(seconds);
    }
}

#[tokio::test]
async fn one_at_a_time_and_in_order_for_each_incident() {
    let mut outbox = Outbox::open().await;
    for event in [Event::Trigger, Event::Acknowledge, Event::Trigger] {
        outbox.tell(0, event).await;
    }
    outbox.tell(1, Event::Trigger).await;
    let first = outbox.lease().await;
    assert_eq!(events(&first), ["trigger", "trigger"], "one of each incident");
    assert!(outbox.lease().await.is_empty(), "all are leased, or behind a lease");
    outbox.finish(&first[0], Next::RetryAt(outbox.now + TimeDelta::seconds(60))).await;
    assert!(outbox.lease().await.is_empty(), "what is behind a retry waits");
    outbox.later(60);
    let again = outbox.lease().await;
    assert_eq!((events(&again), again[0].attempt), (vec!["trigger".to_owned()], 2));
    outbox.finish(&again[0], Next::Sent).await;
    assert_eq!(outbox.send_all().await, ["acknowledge", "trigger"]);
}

#[tokio::test]
async fn the_most_urgent_goes_first_and_receivers_do_not_block_each_other() {
    let outbox = Outbox::open().await;
    let mut minor = message(&incident(0), "pager", Event::Trigger, 1);
    minor.priority = Priority::P4;
    let other = message(&incident(0), "chat", Event::Trigger, 1);
    outbox.put(vec![minor, other, message(&incident(1), "pager", Event::Trigger, 1)]).await;
    let leases = outbox.store.lease(&pager(), outbox.now, LEASE, 1).await.unwrap();
    assert_eq!(leases[0].incident, Some(incident(1).id));
    assert_eq!(outbox.store.lease(&"chat".into(), outbox.now, LEASE, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lease_that_runs_out_is_a_second_attempt_never_a_failure() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    let first = outbox.lease().await;
    assert_eq!(outbox.store.next_due(&pager()).await.unwrap(), Some(outbox.now + TimeDelta::seconds(LEASE)));
    outbox.later(LEASE - 1);
    assert!(outbox.lease().await.is_empty());
    outbox.later(1);
    let second = outbox.lease().await;
    assert_eq!((second[0].id, second[0].attempt), (first[0].id, 2));
    outbox.finish(&second[0], Next::Sent).await;
    // The first one answers after all.
    outbox.finish(&first[0], Next::Dead).await;
    assert_eq!(outbox.states().await, ["trigger sent"]);
}

#[tokio::test]
async fn what_was_queued_survives_a_restart() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    outbox.lease().await;
    outbox.tell(0, Event::Acknowledge).await;
    outbox.store.close().await;
    let path = outbox.folder.path().join("slod.db");
    let (old, now) = (std::mem::replace(&mut outbox.folder, tempfile::tempdir().unwrap()), outbox.now);
    drop(outbox);
    let store = Store::open(&path).await.unwrap();
    let mut outbox = Outbox { store, folder: old, now };
    assert_eq!(outbox.send_all().await, ["trigger", "acknowledge"], "nobody else has the file: the old lease is void");
}

/// The queue does not ask to be looked at because of what waits behind something else.
#[tokio::test]
async fn what_is_behind_a_retry_is_not_due() {
    let outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    outbox.tell(0, Event::Acknowledge).await;
    let retry = outbox.now + TimeDelta::seconds(300);
    let leases = outbox.lease().await;
    outbox.finish(&leases[0], Next::RetryAt(retry)).await;
    assert_eq!(outbox.store.next_due(&pager()).await.unwrap(), Some(retry));
    outbox.tell(1, Event::Trigger).await;
    assert_eq!(outbox.store.next_due(&pager()).await.unwrap(), Some(outbox.now), "another incident is");
}

#[tokio::test]
async fn an_untried_trigger_goes_with_its_resolve_and_is_missed() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    outbox.tell(0, Event::Acknowledge).await;
    let missed = outbox.tell(0, Event::Resolve).await;
    assert_eq!(missed, [Missed { incident: incident(0).id, receiver: pager(), priority: Priority::P1 }]);
    assert_eq!(outbox.states().await, ["trigger dropped", "acknowledge dropped"]);
    assert!(outbox.send_all().await.is_empty());
}

/// Whoever wrote the end may be killed before it could decide who hears of the missed page.
#[tokio::test]
async fn a_missed_page_is_known_until_somebody_is_told() {
    let outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    outbox.tell(0, Event::Acknowledge).await;
    outbox.tell(0, Event::Resolve).await;
    let missed = outbox.store.undelivered(&outbox.patience(), 10).await.unwrap();
    let why = "the incident was over before this page could be sent";
    let told: Vec<_> = missed.iter().map(|row| (row.event.as_str(), row.last_error.as_deref())).collect();
    assert_eq!(told, [("trigger", Some(why))]);
    let fallback_told = vec![missed[0].id];
    outbox.store.commit(Arc::new(Commit { fallback_told, ..Commit::default() }), outbox.now).await.unwrap();
    assert!(outbox.store.undelivered(&outbox.patience(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_tried_trigger_is_followed_by_its_resolve() {
    for next in [Next::Sent, Next::RetryAt(time(1_767_600_060)), Next::Dead] {
        let mut outbox = Outbox::open().await;
        outbox.tell(0, Event::Trigger).await;
        let leases = outbox.lease().await;
        outbox.finish(&leases[0], next.clone()).await;
        outbox.tell(0, Event::Acknowledge).await;
        assert!(outbox.tell(0, Event::Resolve).await.is_empty(), "nothing was missed");
        outbox.later(60);
        let want: &[&str] = if matches!(next, Next::RetryAt(_)) { &["trigger", "resolve"] } else { &["resolve"] };
        assert_eq!(outbox.send_all().await, want, "{next:?}");
    }
}

#[tokio::test]
async fn a_trigger_in_flight_is_followed_by_its_resolve() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    let leases = outbox.lease().await;
    assert!(outbox.tell(0, Event::Resolve).await.is_empty());
    assert!(outbox.lease().await.is_empty(), "not overtaken");
    outbox.finish(&leases[0], Next::Sent).await;
    assert_eq!(outbox.send_all().await, ["resolve"]);
}

/// A trigger that a person hurried up has still never been tried.
#[tokio::test]
async fn a_hurried_trigger_is_dropped_too() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    let id = outbox.store.deliveries(None, 1).await.unwrap()[0].id;
    assert!(outbox.store.retry_now(id, outbox.now).await.unwrap());
    assert_eq!(outbox.tell(0, Event::Resolve).await.len(), 1, "missed");
    assert!(outbox.send_all().await.is_empty(), "or it would page for what is over, and never be resolved");
}

/// Chats and mail know one key only: what counts is what was said since the incident was last over.
#[tokio::test]
async fn a_second_opening_that_was_never_told_is_missed() {
    let mut outbox = Outbox::open().await;
    for event in [Event::Trigger, Event::Resolve] {
        outbox.tell(0, event).await;
        outbox.send_all().await;
    }
    assert_eq!(outbox.states().await, ["trigger sent", "resolve sent"]);
    outbox.tell(0, Event::Trigger).await;
    assert_eq!(outbox.tell(0, Event::Resolve).await.len(), 1);
    assert!(outbox.send_all().await.is_empty());
}

#[tokio::test]
async fn keys_are_resolved_each_for_itself() {
    let mut outbox = Outbox::open().await;
    let about = incident(0);
    outbox.put(vec![message(&about, "pager", Event::Trigger, 1)]).await;
    outbox.send_all().await;
    outbox.put(vec![message(&about, "pager", Event::Trigger, 2)]).await;
    let missed = outbox
        .put(vec![message(&about, "pager", Event::Resolve, 1), message(&about, "pager", Event::Resolve, 2)])
        .await;
    assert_eq!(missed.len(), 1, "the second page was never tried");
    assert_eq!(outbox.send_all().await, ["resolve"], "of the first key only");
}

#[tokio::test]
async fn retrying_by_hand() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    let lease = outbox.lease().await.remove(0);
    assert!(!outbox.store.retry_now(lease.id, outbox.now).await.unwrap(), "it is being sent");
    outbox.finish(&lease, Next::RetryAt(outbox.now + TimeDelta::seconds(300))).await;
    assert!(outbox.store.retry_now(lease.id, outbox.now).await.unwrap());
    let lease = outbox.lease().await.remove(0);
    outbox.finish(&lease, Next::Dead).await;
    assert!(outbox.store.retry_now(lease.id, outbox.now).await.unwrap(), "a dead one lives again");
    assert_eq!(outbox.send_all().await, ["trigger"]);
    assert!(!outbox.store.retry_now(lease.id, outbox.now).await.unwrap(), "it was sent");
    assert!(!outbox.store.retry_now(4_711, outbox.now).await.unwrap());
}

/// A dead trigger whose resolve went out would open something that nobody closes.
#[tokio::test]
async fn a_dead_trigger_does_not_rise_after_its_resolve() {
    let mut outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    let lease = outbox.lease().await.remove(0);
    outbox.finish(&lease, Next::Dead).await;
    outbox.tell(0, Event::Resolve).await;
    assert!(outbox.store.retry_now(lease.id, outbox.now).await.unwrap(), "the resolve waits, and would follow it");
    assert_eq!(outbox.send_all().await, ["trigger", "resolve"]);

    outbox.tell(1, Event::Trigger).await;
    let lease = outbox.lease().await.remove(0);
    outbox.finish(&lease, Next::Dead).await;
    outbox.tell(1, Event::Resolve).await;
    assert_eq!(outbox.send_all().await, ["resolve"]);
    assert!(!outbox.store.retry_now(lease.id, outbox.now).await.unwrap());
}

#[tokio::test]
async fn the_undelivered_are_known() {
    let outbox = Outbox::open().await;
    outbox.tell(0, Event::Trigger).await;
    outbox.tell(1, Event::Update).await;
    let waiting = outbox.store.undelivered(&outbox.patience(), 10).await.unwrap();
    assert_eq!(waiting.len(), 1, "a page that waits; an update may");
    let fallback_told = vec![waiting[0].id];
    outbox.store.commit(Arc::new(Commit { fallback_told, ..Commit::default() }), outbox.now).await.unwrap();
    assert!(outbox.store.undelivered(&outbox.patience(), 10).await.unwrap().is_empty(), "told once");
    for lease in outbox.lease().await {
        outbox.finish(&lease, Next::Dead).await;
    }
    let dead = outbox.store.undelivered(&outbox.patience(), 10).await.unwrap();
    assert_eq!(dead.iter().map(|row| row.event.as_str()).collect::<Vec<_>>(), ["update"]);
}

/// Many at once share a transaction; one that cannot be written takes none of the others with it, nor half of itself.
#[tokio::test]
async fn one_failing_write_does_not_fail_the_others() {
    let mut outbox = Outbox::open().await;
    let unknown = incident(99);
    let writes = (0..60).map(|number| {
        let about = if number % 10 == 3 { unknown.clone() } else { incident(number % 4) };
        let line = Line { incident: incident(0).id, at: outbox.now, kind: "note", text: format!("{number}") };
        let outgoing = vec![message(&about, "pager", Event::Trigger, 1)];
        outbox.store.commit(Arc::new(Commit { lines: vec![line], outgoing, ..Commit::default() }), outbox.now)
    });
    let results = join_all(writes).await;
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), number % 10 == 3, "{number}: {result:?}");
    }
    assert_eq!(outbox.store.timeline(&incident(0).id).await.unwrap().len(), 54);
    assert_eq!(outbox.send_all().await.len(), 54);
    outbox.tell(0, Event::Trigger).await;
    assert_eq!(outbox.store.trouble(), None);
}

/// An incident goes on record once, even if it were decided twice: the second is no error, and no row.
#[tokio::test]
async fn an_incident_is_put_on_record_once() {
    let mut outbox = Outbox::open().await;
    let record = |number| message(&incident(number), "decision-log:shop", Event::Digest, 1);
    outbox.put(vec![record(0), record(1)]).await;
    outbox.put(vec![record(0)]).await;
    assert_eq!(outbox.states().await, ["digest queued", "digest queued"]);
    outbox.tell(0, Event::Update).await;
    outbox.tell(0, Event::Update).await;
    assert_eq!(outbox.send_all().await, ["update", "update"], "everything else may be said again");
}
