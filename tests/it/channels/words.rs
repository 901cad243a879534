//! What each vendor can say, whether it is worth another try, and that its word is what people read.

use std::time::Duration;

use slod::{
    channel::Outcome,
    domain::notification::{Event, PublicState},
};
use testbed::inbox::Fault;

use super::world::{World, accepted, notification, post};

/// What becomes of a message that is answered so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Later,
    Never,
}
use Class::{Later, Never};

/// Words of Slack's Web API for `ok: false`.
const SLACK: &[(&str, Class)] = &[
    ("channel_not_found", Never),
    ("not_in_channel", Never),
    ("is_archived", Never),
    ("restricted_action", Never),
    ("restricted_action_read_only_channel", Never),
    ("restricted_action_thread_only_channel", Never),
    ("restricted_action_non_threadable_channel", Never),
    ("invalid_auth", Never),
    ("not_authed", Never),
    ("account_inactive", Never),
    ("token_revoked", Never),
    ("token_expired", Never),
    ("missing_scope", Never),
    ("team_not_found", Never),
    ("no_text", Never),
    ("invalid_blocks", Never),
    ("invalid_blocks_format", Never),
    ("msg_too_long", Never),
    ("msg_blocks_too_long", Never),
    ("too_many_attachments", Never),
    ("attachment_payload_limit_exceeded", Never),
    ("metadata_too_large", Never),
    ("rate_limited", Later),
    ("ratelimited", Later),
    ("internal_error", Later),
    ("fatal_error", Later),
    ("service_unavailable", Later),
    ("request_timeout", Later),
];

/// Words of a webhook, with their statuses.
const WEBHOOK: &[(u16, &str, Class)] = &[
    (400, "invalid_payload", Never),
    (400, "user_not_found", Never),
    (400, "no_text", Never),
    (400, "too_many_attachments", Never),
    (400, "invalid_blocks", Never),
    (400, "invalid_blocks_format", Never),
    (403, "action_prohibited", Never),
    (403, "invalid_token", Never),
    (403, "posting_to_general_channel_denied", Never),
    (403, "team_disabled", Never),
    (404, "channel_not_found", Never),
    (404, "no_service", Never),
    (404, "no_team", Never),
    (404, "no_active_hooks", Never),
    (410, "channel_is_archived", Never),
    (500, "rollup_error", Later),
    (429, "rate_limited", Later),
];

/// PagerDuty's bodies, and what is read of them.
const PAGERDUTY: &[(u16, &str, Class, &str)] = &[
    (
        400,
        r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#,
        Never,
        "400 Event object is invalid: Length of 'routing_key' is incorrect (should be 32 characters)",
    ),
    (
        400,
        r#"{"status":"Unrecognized object","message":"Event object format is unrecognized","errors":["JSON parse error"]}"#,
        Never,
        "400 Event object format is unrecognized: JSON parse error",
    ),
    (
        400,
        r#"{"status":"invalid event","message":"Event object is invalid","errors":[]}"#,
        Never,
        "400 Event object is invalid",
    ),
    (400, r#"{"status":"invalid event","message":"Event object is invalid"}"#, Never, "400 Event object is invalid"),
    (400, "", Never, "400 Bad Request"),
    (403, r#"{"message":"not for you"}"#, Never, "403 not for you"),
    (408, "", Later, "408 Request Timeout"),
    (429, "", Later, "429 Too Many Requests"),
    (500, "<h1>oops</h1>", Later, "500 <h1>oops</h1>"),
    (202, "{}", Later, "202 without a dedup key: not PagerDuty's answer"),
];

/// Statuspage's bodies.
const STATUSPAGE: &[(u16, &str, Class, &str)] = &[
    (400, r#"{"message":"The request is bad"}"#, Never, "400 The request is bad"),
    (401, r#"{"error":"Could not authenticate"}"#, Never, "401 Could not authenticate"),
    (403, r#"{"error":"You do not own this page"}"#, Never, "403 You do not own this page"),
    (404, r#"{"error":"Not found"}"#, Never, "404 Not found"),
    (420, r#"{"error":"Rate limit exceeded"}"#, Later, "420 Rate limit exceeded"),
    (
        422,
        r#"{"error":["Name can't be blank","Status is invalid"]}"#,
        Never,
        "422 Name can't be blank, Status is invalid",
    ),
    (422, r#"{"error":"component_ids is unknown"}"#, Never, "422 component_ids is unknown"),
    (429, r#"{"error":"Too many requests"}"#, Later, "429 Too many requests"),
    (500, "", Later, "500 Internal Server Error"),
    (503, "{}", Later, "503 Service Unavailable"),
];

/// At which command, what the mail server says, and what is read of it.
const MAIL: &[(&str, u16, &str, Class)] = &[
    ("EHLO@smtp", 421, "4.3.2 service not available", Later),
    ("AUTH@smtp", 454, "4.7.0 temporary authentication failure", Later),
    ("AUTH@smtp", 535, "5.7.8 authentication credentials invalid", Never),
    ("MAIL@smtp", 451, "4.7.1 greylisted, come back later", Later),
    ("MAIL@smtp", 553, "5.1.8 sender address rejected", Never),
    ("RCPT@smtp", 450, "4.2.1 mailbox busy", Later),
    ("RCPT@smtp", 452, "4.2.2 mailbox full", Later),
    ("RCPT@smtp", 550, "5.1.1 no such user", Never),
    ("DATA@smtp", 451, "4.3.0 local error", Later),
    ("DATA@smtp", 554, "5.5.1 no valid recipients", Never),
    ("smtp", 451, "4.3.0 try again later", Later),
    ("smtp", 552, "5.3.4 message too big", Never),
    ("smtp", 554, "5.7.1 rejected as spam", Never),
];

/// The class and the reason that an outcome has; panics at an acceptance.
fn told(outcome: Outcome) -> (Class, String) {
    match outcome {
        Outcome::Retry { reason, .. } => (Later, reason),
        Outcome::Dead { reason } | Outcome::TakenOver { what: reason } => (Never, reason),
        Outcome::Accepted { receipt } => panic!("accepted: {receipt}"),
    }
}

async fn opening(world: &World, receiver: &str) -> (Class, String) {
    told(world.send(receiver, notification(Event::Trigger), None, 1).await)
}

#[tokio::test]
async fn slack_says() {
    let world = World::start().await;
    for (word, class) in SLACK {
        let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
        world.inbox.fault("/slack/api", Fault::Says(200, body), 1);
        assert_eq!(opening(&world, "chat").await, (*class, (*word).to_owned()));
    }
    world.inbox.fault("/slack/api", Fault::Says(429, r#"{"ok":false,"error":"ratelimited"}"#.into()), 1);
    assert_eq!(opening(&world, "chat").await, (Later, "ratelimited".to_owned()));
    let place = r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] no more than 50 items [json-pointer:/blocks]"]}}"#;
    world.inbox.fault("/slack/api", Fault::Says(200, place.into()), 1);
    let told = opening(&world, "chat").await;
    assert_eq!(told, (Never, "invalid_blocks: [ERROR] no more than 50 items [json-pointer:/blocks]".to_owned()));
    world.settle();
}

/// A root that cannot be edited is no reason not to say what is new.
#[tokio::test]
async fn slack_says_of_an_edit() {
    let world = World::start().await;
    let root = accepted(world.send("chat", notification(Event::Trigger), None, 1).await);
    for word in ["edit_window_closed", "cant_update_message", "block_mismatch", "msg_too_long"] {
        let body = format!(r#"{{"ok":false,"error":"{word}"}}"#);
        world.inbox.fault("/slack/api/chat.update", Fault::Says(200, body), 1);
        assert_eq!(accepted(world.send("chat", notification(Event::Update), Some(&root), 1).await), root, "{word}");
    }
    world.settle();
}

#[tokio::test]
async fn a_webhook_says() {
    let world = World::start().await;
    for (status, word, class) in WEBHOOK {
        world.inbox.fault("/slack/services", Fault::Says(*status, (*word).to_owned()), 1);
        assert_eq!(opening(&world, "hook").await, (*class, format!("{status} {word}")));
    }
    world.settle();
}

#[tokio::test]
async fn pagerduty_says() {
    let world = World::start().await;
    for (status, body, class, reason) in PAGERDUTY {
        world.inbox.fault("/pagerduty", Fault::Says(*status, (*body).to_owned()), 1);
        assert_eq!(opening(&world, "pager").await, (*class, (*reason).to_owned()), "{status} {body}");
    }
    world.settle();
}

#[tokio::test]
async fn statuspage_says() {
    let world = World::start().await;
    for (status, body, class, reason) in STATUSPAGE {
        // At the look-up, and at the creation behind it.
        for path in ["/statuspage/v1/pages/p4ge/incidents/unresolved", "/statuspage/v1/pages/p4ge/incidents"] {
            if !path.ends_with("unresolved") {
                world.inbox.fault(
                    "/statuspage/v1/pages/p4ge/incidents/unresolved",
                    Fault::Hang(Some(Duration::ZERO)),
                    1,
                );
            }
            world.inbox.fault(path, Fault::Says(*status, (*body).to_owned()), 1);
            let outcome = world.send("page", post(PublicState::Investigating), None, 1).await;
            assert_eq!(told(outcome), (*class, (*reason).to_owned()), "{path} {status} {body}");
        }
    }
    assert!(world.inbox.statuspage_state().is_empty());
    world.settle();
}

#[tokio::test]
async fn a_mail_server_says() {
    let world = World::start().await;
    for (at, code, text, class) in MAIL {
        world.inbox.fault(at, Fault::Says(*code, (*text).to_owned()), u32::MAX);
        assert_eq!(opening(&world, "mail").await, (*class, format!("{code} {text}")), "{at}");
        world.inbox.clear_faults();
    }
    world.settle();
}

/// A mail server that accepts and then says nothing, or nonsense, wherever in the conversation.
#[tokio::test]
async fn a_mail_server_falls_silent() {
    let world = World::start_with(Duration::from_millis(300)).await;
    for at in ["EHLO@smtp", "AUTH@smtp", "MAIL@smtp", "RCPT@smtp", "DATA@smtp", "smtp"] {
        world.inbox.fault(at, Fault::Hang(None), 1);
        assert_eq!(opening(&world, "mail").await, (Later, "no answer within 300ms".to_owned()), "{at}");
        world.inbox.fault(at, Fault::Drop, 1);
        let (class, reason) = opening(&world, "mail").await;
        assert!(class == Later && !reason.is_empty(), "{at}: {reason}");
        world.inbox.fault(at, Fault::Garbage, 1);
        let (class, reason) = opening(&world, "mail").await;
        assert!(class == Later && !reason.is_empty(), "{at}: {reason}");
    }
    accepted(world.send("mail", notification(Event::Trigger), None, 1).await);
    world.settle();
}
