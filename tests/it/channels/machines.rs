//! Receivers that are programs: webhooks of somebody's own, and Alertmanager.

use std::time::Duration;

use chrono::TimeDelta;
use slod::{
    channel::{Outcome, Told},
    domain::{
        bulletin::{Bulletin, BulletinKind},
        notification::{Event, Message, Notification, PublicState},
        policy::Priority,
    },
};
use testbed::inbox::{Fault, HeldAlert, Peer};

use super::world::{World, accepted, hostile, notification, post};

fn plain(message: Message) -> Notification {
    match message {
        Message::Notification(notification) => *notification,
        Message::StatusPost(_) | Message::Bulletin(_) | Message::Record(_) => unreachable!(),
    }
}

#[tokio::test]
async fn a_webhook_takes_every_event_signed() {
    let world = World::start().await;
    for event in [Event::Trigger, Event::Update, Event::Acknowledge, Event::Resolve, Event::Digest, Event::Test] {
        assert_eq!(accepted(world.send("webhook", notification(event), None, 1).await).len(), 24);
    }
    accepted(world.send("webhook", hostile(), None, 1).await);
    assert_eq!(world.inbox.received()[0].body["incident"]["priority"], "P1");
    world.settle();
}

/// The second attempt is the same delivery: same name, same bytes.
#[tokio::test]
async fn a_repeated_webhook_is_the_same_delivery() {
    let world = World::start().await;
    world.inbox.fault("/webhook", Fault::Lost, 1);
    let lost = world.send("webhook", notification(Event::Trigger), None, 1).await;
    assert!(matches!(lost, Outcome::Retry { .. }), "{lost:?}");
    accepted(world.send("webhook", notification(Event::Trigger), None, 2).await);
    let received = world.inbox.received();
    assert_eq!(received[0].body, received[1].body);
    world.settle();
}

#[tokio::test]
async fn a_webhook_has_its_yes_later_and_never() {
    let world = World::start().await;
    let faults = [
        (Fault::Busy(429, 7), Some(Some(7))),
        (Fault::Status(408), Some(None)),
        (Fault::Status(500), Some(None)),
        (Fault::Drop, Some(None)),
        (Fault::Status(301), None),
        (Fault::Status(307), None),
        (Fault::Status(400), None),
        (Fault::Status(410), None),
    ];
    for (fault, later) in faults {
        world.inbox.fault("/webhook", fault.clone(), 1);
        match (world.send("webhook", notification(Event::Trigger), None, 1).await, later) {
            (Outcome::Retry { after, .. }, Some(wait)) => assert_eq!(after, wait.map(Duration::from_secs), "{fault:?}"),
            (Outcome::Dead { .. }, None) => {}
            (other, _) => panic!("{fault:?}: {other:?}"),
        }
    }
    let outcome = world.send("webhook", post(PublicState::Investigating), None, 1).await;
    assert!(matches!(&outcome, Outcome::Dead { reason } if reason.contains("does not take")), "{outcome:?}");
    assert!(world.channels["webhook"].verify().await.is_ok_and(|text| text.contains("405")));
    world.inbox.fault("/webhook", Fault::Status(503), 1);
    assert!(world.channels["webhook"].verify().await.is_err());
    world.settle();
}

/// What one member holds, in the order of priorities: `P1 firing`.
fn held(world: &World, member: &str) -> Vec<String> {
    let all = world.inbox.alertmanager_state();
    let mine = all.iter().filter(|((at, _), _)| at == member);
    let shown = |alert: &HeldAlert| {
        format!("{} {}", alert.labels["priority"], if alert.firing { "firing" } else { "resolved" })
    };
    let mut all_said: Vec<_> = mine.map(|(_, alert)| shown(alert)).collect();
    all_said.sort();
    all_said
}

/// The inbox lives now; so do these messages.
#[expect(clippy::disallowed_methods, reason = "Alertmanager tells by its clock what fires")]
fn now_there() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// A message of now, at some priority.
fn alert(event: Event, priority: Priority) -> Message {
    let mut alert = plain(notification(event));
    (alert.opened_at, alert.decided_at, alert.priority) = (now_there(), now_there(), priority);
    Message::Notification(Box::new(alert))
}

async fn tell(world: &World, message: Message, thread: Option<&str>) -> Outcome {
    let delivery =
        slod::channel::Delivery { id: 1, message, thread: thread.map(str::to_owned), attempt: 1, now: now_there() };
    world.channels["alertmanager"].deliver(&delivery).await
}

#[tokio::test]
async fn every_member_hears_of_an_incident_its_rise_and_its_end() {
    let world = World::start().await;
    let first = accepted(tell(&world, alert(Event::Trigger, Priority::P2), None).await);
    assert_eq!(first, "P2, taken by 2 of 2");
    let risen = accepted(tell(&world, alert(Event::Trigger, Priority::P1), Some(&first)).await);
    let acknowledged = accepted(tell(&world, alert(Event::Acknowledge, Priority::P1), Some(&risen)).await);
    for member in ["1", "2"] {
        assert_eq!(held(&world, member), ["P1 firing", "P2 resolved"]);
    }
    let over = accepted(tell(&world, alert(Event::Resolve, Priority::P1), Some(&acknowledged)).await);
    assert_eq!(over, "resolved P1 P2, taken by 2 of 2");
    assert_eq!(held(&world, "1"), ["P1 resolved", "P2 resolved"]);
    accepted(tell(&world, alert(Event::Test, Priority::P5), None).await);
    accepted(tell(&world, hostile(), None).await);
    world.settle();
}

#[tokio::test]
async fn a_member_that_fails_holds_up_nobody_and_hears_it_the_next_time() {
    let world = World::start().await;
    world.inbox.fault("/alertmanager/1", Fault::Status(500), 1);
    let receipt = accepted(tell(&world, alert(Event::Trigger, Priority::P1), None).await);
    assert_eq!(receipt, "P1, taken by 1 of 2");
    assert_eq!((held(&world, "1").len(), held(&world, "2").len()), (0, 1));
    let channel = &world.channels["alertmanager"];
    assert_eq!(channel.repeats(), Some(Duration::from_mins(1)));
    let told = [Told { notification: plain(alert(Event::Trigger, Priority::P1)), receipt, at: now_there() }];
    world.inbox.fault("/alertmanager/2", Fault::Status(503), 1);
    assert_eq!(channel.repeat(&told, now_there()).await, Err("503 switched on".to_owned()));
    assert_eq!(held(&world, "1"), ["P1 firing"], "the other one heard it");
    assert_eq!(channel.repeat(&told, now_there()).await, Ok(()));
    world.settle();
}

#[tokio::test]
async fn many_are_told_again_in_batches_and_old_ends_are_not() {
    let world = World::start().await;
    let told = |number: usize, event: Event, minutes: i64| {
        let mut notification = plain(alert(event, Priority::P3));
        notification.incident = format!("{number}");
        let receipt = if event == Event::Resolve { "resolved P3" } else { "P3" };
        Told { notification, receipt: receipt.to_owned(), at: now_there() - TimeDelta::minutes(minutes) }
    };
    let mut all: Vec<_> = (0..300).map(|number| told(number, Event::Trigger, 60)).collect();
    all.extend([told(300, Event::Resolve, 4), told(301, Event::Resolve, 6)]);
    assert_eq!(world.channels["alertmanager"].repeat(&all, now_there()).await, Ok(()));
    let sizes: Vec<_> = world.inbox.received().iter().map(|entry| entry.body.as_array().map_or(0, Vec::len)).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 2 * 301);
    assert!(sizes.iter().all(|size| *size <= 256), "{sizes:?}");
    world.settle();
}

#[tokio::test]
async fn alertmanagers_answers_decide() {
    let world = World::start().await;
    let both = |fault: Fault| world.inbox.fault("/alertmanager", fault, 2);
    both(Fault::Says(400, "\"bad label\"".into()));
    let dead = tell(&world, alert(Event::Trigger, Priority::P1), None).await;
    assert!(matches!(&dead, Outcome::Dead { reason } if reason.contains("bad label")), "{dead:?}");
    for fault in [Fault::Status(500), Fault::Drop, Fault::Status(429)] {
        both(fault);
        let later = tell(&world, alert(Event::Trigger, Priority::P1), None).await;
        assert!(matches!(later, Outcome::Retry { .. }), "{later:?}");
    }
    assert_eq!(world.channels["alertmanager"].verify().await, Ok("2 members answer (0.28.0)".to_owned()));
    world.inbox.fault("/alertmanager/2", Fault::Status(404), 1);
    assert!(world.channels["alertmanager"].verify().await.is_err_and(|error| error.starts_with("member 2: 404")));
    assert!(world.inbox.received().iter().all(|entry| entry.peer == Peer::Alertmanager));
    world.settle();
}

/// What is about no single incident is JSON with its data; Alertmanager, which pages, takes none of it.
#[tokio::test]
async fn a_webhook_takes_reports_and_alertmanager_does_not() {
    let world = World::start().await;
    let report = || {
        let at = "2026-11-01T09:00:00Z".parse().unwrap();
        Message::Bulletin(Box::new(Bulletin {
            kind: BulletinKind::Report,
            name: "monthly".into(),
            key: "report/monthly@1793523600".into(),
            headline: "2026-10 Shop: no objective of 3 missed".into(),
            lines: vec!["Incidents: 0. Pages: 0.".into()],
            tables: Vec::new(),
            links: Vec::new(),
            due_at: at,
            decided_at: at,
            late: false,
            data: serde_json::json!({"budget": {"month": "2026-10"}}),
        }))
    };
    let first = accepted(world.send("webhook", report(), None, 1).await);
    assert_eq!(accepted(world.send("webhook", report(), None, 2).await), first, "the same delivery");
    let body = &world.inbox.received()[0].body;
    assert_eq!((&body["event"], &body["bulletin"]["kind"]), (&"digest".into(), &"report".into()));
    assert_eq!(body["bulletin"]["data"]["budget"]["month"], "2026-10");
    for receiver in ["pager", "alertmanager"] {
        let outcome = world.send(receiver, report(), None, 1).await;
        assert!(matches!(outcome, Outcome::Dead { .. }), "{receiver}: {outcome:?}");
    }
    world.settle();
}
