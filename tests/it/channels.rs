//! Every channel against an inbox that knows the vendors' rules: the life of an incident, every fault, hostile texts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod machines;
mod public;
mod words;
mod world;

use std::time::Duration;

use slod::{
    channel::{Delivery, Outcome},
    domain::notification::{Event, PublicState},
};
use testbed::inbox::{Fault, PagerdutyStatus, Peer};
use world::{ROUTING_KEY, World, accepted, hostile, notification, now, post};

#[tokio::test]
async fn a_pager_hears_of_an_incident_once_and_of_its_end() {
    let world = World::start().await;
    for event in [Event::Trigger, Event::Trigger, Event::Acknowledge, Event::Resolve] {
        assert_eq!(accepted(world.send("pager", notification(event), None, 1).await), "0f0f/2");
    }
    for event in [Event::Update, Event::Digest] {
        assert!(matches!(world.send("pager", notification(event), None, 1).await, Outcome::Dead { .. }));
    }
    accepted(world.send("pager", notification(Event::Test), None, 1).await);
    let state = world.inbox.pagerduty_state();
    assert_eq!(state.len(), 2);
    assert!(state.values().all(|incident| (incident.status, incident.opened) == (PagerdutyStatus::Resolved, 1)));
    assert_eq!(state[&(ROUTING_KEY.to_owned(), "0f0f/2".to_owned())].severity, "critical");
    assert_eq!(state[&(ROUTING_KEY.to_owned(), "test-0f0f/2".to_owned())].severity, "info");
    world.settle();
}

#[tokio::test]
async fn a_slack_thread_grows_while_its_root_is_kept_up_to_date() {
    let world = World::start().await;
    let root = accepted(world.send("chat", notification(Event::Trigger), None, 1).await);
    for event in [Event::Update, Event::Acknowledge, Event::Resolve] {
        assert_eq!(accepted(world.send("chat", notification(event), Some(&root), 1).await), root);
    }
    let shown = world.inbox.slack_state();
    assert_eq!(shown.len(), 4);
    assert!(shown[&root].starts_with("✓ P1 inventory availability: healthy again"), "{}", shown[&root]);
    let paths: Vec<_> = world.inbox.received().into_iter().map(|entry| entry.path).collect();
    let (post, edit) = ("/slack/api/chat.postMessage", "/slack/api/chat.update");
    assert_eq!(paths, [post, edit, post, edit, post, edit, post]);
    world.settle();
}

#[tokio::test]
async fn a_slack_root_that_is_gone_is_replaced_and_one_that_is_closed_is_replied_to() {
    let world = World::start().await;
    let root = accepted(world.send("chat", notification(Event::Trigger), None, 1).await);
    let says = |word: &str| Fault::Says(200, format!(r#"{{"ok":false,"error":"{word}"}}"#));
    world.inbox.fault("/slack/api/chat.update", says("edit_window_closed"), 1);
    assert_eq!(accepted(world.send("chat", notification(Event::Update), Some(&root), 1).await), root);
    world.inbox.fault("/slack/api/chat.update", says("message_not_found"), 1);
    let other = accepted(world.send("chat", notification(Event::Resolve), Some(&root), 1).await);
    assert_ne!(other, root);
    world.inbox.fault("/slack/api/chat.postMessage", says("thread_not_found"), 1);
    assert_ne!(accepted(world.send("chat", notification(Event::Resolve), Some(&root), 1).await), root);
    world.settle();
}

#[tokio::test]
async fn slack_words_decide_between_later_and_never() {
    let world = World::start().await;
    for (word, transient) in
        [("internal_error", true), ("ratelimited", true), ("channel_not_found", false), ("token_revoked", false)]
    {
        world.inbox.fault("/slack/api", Fault::Says(200, format!(r#"{{"ok":false,"error":"{word}"}}"#)), 1);
        let expected = if transient {
            Outcome::Retry { reason: word.into(), after: None }
        } else {
            Outcome::Dead { reason: word.into() }
        };
        assert_eq!(world.send("chat", notification(Event::Trigger), None, 1).await, expected);
    }
    world.inbox.fault("/slack/services", Fault::Says(410, "channel_is_archived".into()), 1);
    let dead = Outcome::Dead { reason: "410 channel_is_archived".into() };
    assert_eq!(world.send("hook", notification(Event::Trigger), None, 1).await, dead);
    world.settle();
}

#[tokio::test]
async fn a_webhook_takes_every_event() {
    let world = World::start().await;
    for event in [Event::Trigger, Event::Update, Event::Acknowledge, Event::Resolve, Event::Digest, Event::Test] {
        assert_eq!(accepted(world.send("hook", notification(event), None, 1).await), "ok");
    }
    world.settle();
}

#[tokio::test]
async fn mails_form_a_thread_and_a_repeat_is_the_same_mail() {
    let world = World::start().await;
    let first = accepted(world.send("mail", notification(Event::Trigger), None, 1).await);
    assert_eq!(accepted(world.send("mail", notification(Event::Trigger), None, 2).await), first);
    assert_eq!(first, "<slod-0f0f-1@example.com>");
    for event in [Event::Update, Event::Acknowledge, Event::Resolve] {
        accepted(world.send("mail", notification(event), Some(&first), 1).await);
    }
    let mails = world.inbox.received();
    assert_eq!(mails.len(), 5);
    assert_eq!(mails[0].body["subject"], "[P1] inventory availability: health check failing for 25 min");
    assert_eq!(mails[0].body["to"], serde_json::json!(["ops-lead@example.com", "eng@example.com"]));
    assert_eq!(mails[4].body["headers"]["in-reply-to"], first.as_str());
    world.settle();
}

#[tokio::test]
async fn one_refused_mailbox_does_not_keep_the_mail_from_the_other() {
    let world = World::start().await;
    accepted(world.send("typo", notification(Event::Trigger), None, 1).await);
    let mails = world.inbox.received();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].body["to"], serde_json::json!(["eng@example.com"]));
    world.settle();
}

#[tokio::test]
async fn every_fault_has_its_outcome() {
    let world = World::start().await;
    let message = |receiver: &str| {
        if receiver == "page" { post(PublicState::Investigating) } else { notification(Event::Trigger) }
    };
    let http = [("pager", "/pagerduty"), ("chat", "/slack/api"), ("hook", "/slack/services"), ("page", "/statuspage")];
    for (receiver, path) in http {
        let faults = [
            (Fault::Busy(429, 7), Some(7), true),
            (Fault::Busy(420, 3), Some(3), true),
            (Fault::Busy(429, 86_400), Some(600), true),
            (Fault::Status(500), None, true),
            (Fault::Status(408), None, true),
            (Fault::Status(302), None, true),
            (Fault::Status(400), None, false),
            (Fault::Status(404), None, false),
            (Fault::Drop, None, true),
            (Fault::Garbage, None, true),
        ];
        for (fault, wait, passing) in faults {
            world.inbox.fault(path, fault.clone(), 1);
            match world.send(receiver, message(receiver), None, 1).await {
                Outcome::Retry { after, .. } if passing => {
                    assert_eq!(after, wait.map(Duration::from_secs), "{receiver} {fault:?}");
                }
                Outcome::Dead { .. } if !passing => {}
                other => panic!("{receiver} {fault:?}: {other:?}"),
            }
        }
    }
    let faults = [(Fault::Status(400), false), (Fault::Status(500), true), (Fault::Drop, true), (Fault::Garbage, true)];
    for (fault, passing) in faults {
        // Two mailboxes: a refusal is met once by both together, then once by each.
        world.inbox.fault("smtp", fault.clone(), if passing { 1 } else { 3 });
        let outcome = world.send("mail", notification(Event::Trigger), None, 1).await;
        assert_eq!(matches!(outcome, Outcome::Retry { .. }), passing, "{fault:?}: {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Dead { .. }), !passing, "{fault:?}: {outcome:?}");
    }
    world.settle();
}

#[tokio::test]
async fn silence_ends() {
    let world = World::start_with(Duration::from_millis(300)).await;
    for receiver in ["pager", "chat", "hook", "mail", "page"] {
        world.inbox.fault("", Fault::Hang(None), 1);
        let message = if receiver == "page" { post(PublicState::Investigating) } else { notification(Event::Trigger) };
        let outcome = world.send(receiver, message, None, 1).await;
        assert!(
            matches!(&outcome, Outcome::Retry { reason, after: None } if reason.starts_with("no answer")),
            "{outcome:?}"
        );
    }
    world.settle();
}

#[tokio::test]
async fn a_lost_answer_is_made_good_without_a_second_page() {
    let world = World::start().await;
    for path in
        ["/pagerduty", "/slack/api", "/slack/services", "/statuspage/v1/pages/p4ge/incidents/unresolved", "smtp"]
    {
        world.inbox.fault(path, Fault::Lost, 1);
    }
    for receiver in ["pager", "chat", "hook", "mail", "page"] {
        let message =
            || if receiver == "page" { post(PublicState::Investigating) } else { notification(Event::Trigger) };
        assert!(
            matches!(world.send(receiver, message(), None, 1).await, Outcome::Retry { after: None, .. }),
            "{receiver}"
        );
        accepted(world.send(receiver, message(), None, 2).await);
    }
    assert!(world.inbox.pagerduty_state().values().all(|incident| incident.opened == 1));
    assert_eq!(world.inbox.statuspage_state().len(), 1);
    let repeats = world.inbox.received().into_iter().filter(|entry| entry.peer == Peer::Slack && entry.fault.is_none());
    for repeat in repeats {
        assert!(repeat.body["blocks"].to_string().contains("may be a repeat"), "{}", repeat.body);
    }
    world.settle();
}

#[tokio::test]
async fn hostile_texts_arrive_escaped_and_cut() {
    let world = World::start().await;
    for receiver in ["pager", "chat", "hook", "mail"] {
        accepted(world.send(receiver, hostile(), None, 1).await);
    }
    let received = world.inbox.received();
    assert!(received.iter().all(|entry| !entry.body.to_string().contains("\\u0000")));
    let mail = received.iter().find(|entry| entry.peer == Peer::Mail).unwrap();
    assert_eq!(mail.body["headers"].get("bcc"), None);
    assert!(mail.body["html"].as_str().unwrap().contains("&lt;script&gt;"));
    assert!(mail.body["plain"].as_str().unwrap().contains("שלום"));
    world.settle();
}

#[tokio::test]
async fn messages_of_the_other_kind_are_refused_with_a_reason() {
    let world = World::start().await;
    for receiver in ["pager", "chat", "hook", "mail"] {
        let outcome = world.send(receiver, post(PublicState::Investigating), None, 1).await;
        assert!(matches!(&outcome, Outcome::Dead { reason } if reason.contains("does not take")), "{outcome:?}");
    }
    let outcome = world.send("page", notification(Event::Trigger), None, 1).await;
    assert_eq!(
        outcome,
        Outcome::Dead { reason: "a statuspage receiver does not take notifications: the public reads it".into() }
    );
    assert!(world.inbox.received().is_empty());
}

#[tokio::test]
async fn verifying_sends_no_message() {
    let world = World::start().await;
    for receiver in ["pager", "chat", "hook", "mail", "page"] {
        let learned = world.channels[receiver].verify().await;
        assert!(learned.is_ok(), "{receiver}: {learned:?}");
    }
    assert!(world.inbox.pagerduty_state().is_empty() && world.inbox.slack_state().is_empty());
    world.inbox.fault("/slack/api/auth.test", Fault::Says(200, r#"{"ok":false,"error":"invalid_auth"}"#.into()), 1);
    assert_eq!(world.channels["chat"].verify().await, Err("invalid_auth".to_owned()));
    world.inbox.fault("/statuspage", Fault::Status(401), 1);
    assert_eq!(world.channels["page"].verify().await, Err("401 switched on".to_owned()));
    world.settle();
}

#[tokio::test]
async fn nobody_at_home_is_worth_another_try() {
    let world = World::start().await;
    let World { inbox, channels } = world;
    drop(inbox);
    tokio::time::sleep(Duration::from_millis(50)).await;
    for (receiver, channel) in &channels {
        let message = if matches!(receiver.as_str(), "page" | "instatus") {
            post(PublicState::Investigating)
        } else {
            notification(Event::Trigger)
        };
        let outcome = channel.deliver(&Delivery { id: 1, message, thread: None, attempt: 1, now: now() }).await;
        let shown = format!("{outcome:?}");
        assert!(matches!(outcome, Outcome::Retry { .. }), "{receiver}: {shown}");
        assert!(!shown.contains("SECRET") && !shown.contains("http:"), "{shown}");
    }
}
