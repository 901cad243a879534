//! All channels pointed at one inbox, and what is sent through them.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use slod::{
    channel::{Delivery, Limits, Outcome, SharedChannel, build},
    config::{
        model::{Mail, PagerdutyPeople, Receiver, ReceiverKind, SlackPeople},
        secret::Secret,
    },
    domain::{
        name::Name,
        notification::{Event, Link, Message, Notification, Phase, PublicState, StatusPost},
        policy::Priority,
    },
};
use testbed::inbox::{Inbox, Peer, WEBHOOK_SECRET};

pub const ROUTING_KEY: &str = "0123456789abcdef0123456789SECRET";
const BOT_TOKEN: &str = "xoxb-SECRET";
const WEBHOOK_PATH: &str = "/slack/services/T000/B000/SECRET";
const PAGE_KEY: &str = "page-SECRET";

/// All channels, pointed at one inbox.
pub struct World {
    pub inbox: Inbox,
    pub channels: BTreeMap<Name, SharedChannel>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Duration::from_secs(5)).await
    }

    /// `limit`: how long one attempt may take.
    pub async fn start_with(limit: Duration) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inbox = Inbox::start().await;
        let kinds = [
            (
                "pager",
                ReceiverKind::Pagerduty {
                    routing_key: Secret::new(ROUTING_KEY),
                    url: inbox.url("/pagerduty"),
                    people: PagerdutyPeople::default(),
                },
            ),
            (
                "chat",
                ReceiverKind::SlackBot {
                    channel: "C0ALERTS".into(),
                    token: Secret::new(BOT_TOKEN),
                    url: inbox.url("/slack"),
                    people: SlackPeople::default(),
                },
            ),
            ("hook", ReceiverKind::SlackWebhook { webhook: Secret::new(inbox.url(WEBHOOK_PATH)) }),
            (
                "mail",
                ReceiverKind::Email { to: vec!["ops-lead@example.com".into()], cc: vec!["eng@example.com".into()] },
            ),
            ("typo", ReceiverKind::Email { to: vec!["nobody@example.com".into()], cc: vec!["eng@example.com".into()] }),
            (
                "page",
                ReceiverKind::Statuspage {
                    page: "p4ge".into(),
                    key: Secret::new(PAGE_KEY),
                    components: [("dashboard".to_owned(), "component-1".to_owned())].into(),
                    url: inbox.url("/statuspage"),
                },
            ),
            (
                "instatus",
                ReceiverKind::Instatus {
                    page: "p4ge".into(),
                    key: Secret::new(PAGE_KEY),
                    components: [("dashboard".to_owned(), "component-1".to_owned())].into(),
                    url: inbox.url("/instatus"),
                },
            ),
            (
                "webhook",
                ReceiverKind::Webhook {
                    url: Secret::new(inbox.url("/webhook/hook-SECRET")),
                    secret: Some(Secret::new(WEBHOOK_SECRET)),
                },
            ),
            (
                "alertmanager",
                ReceiverKind::Alertmanager {
                    urls: ["/alertmanager/1", "/alertmanager/2"].map(|path| Secret::new(inbox.url(path))).to_vec(),
                },
            ),
        ];
        let receiver = |kind| Receiver { kind, fallback: None, fallback_after: Duration::from_mins(2), max_rate: None };
        let receivers = kinds.into_iter().map(|(name, kind)| (name.into(), receiver(kind))).collect();
        let mail = Mail {
            smtp: inbox.smtp_url(),
            user: Some("slod".into()),
            password: Some(Secret::new("mail-SECRET")),
            from: "slod@example.com".into(),
        };
        let limits = Limits { total: limit, ..Limits::default() };
        Self { channels: build(&receivers, Some(&mail), limits).unwrap(), inbox }
    }

    pub async fn send(&self, receiver: &str, message: Message, thread: Option<&str>, attempt: u32) -> Outcome {
        // One id per message, stable over attempts, as the outbox gives them.
        let id = match &message {
            Message::Notification(notification) => notification.event as i64 + 1,
            Message::StatusPost(post) => post.state as i64 + 1,
            Message::Record(_) => 1,
            Message::Bulletin(bulletin) => bulletin.kind as i64 + 1,
        };
        let delivery = Delivery { id, message, thread: thread.map(str::to_owned), attempt, now: now() };
        let outcome = self.channels[receiver].deliver(&delivery).await;
        let shown = format!("{outcome:?}");
        assert!(!shown.contains("SECRET") && !shown.contains("B000") && !shown.contains(&ROUTING_KEY[..16]), "{shown}");
        outcome
    }

    /// What must be true at the end of every test.
    pub fn settle(&self) {
        assert_eq!(self.inbox.problems(), [""; 0]);
        let http = self.inbox.received().into_iter().filter(|entry| entry.peer != Peer::Mail);
        assert!(http.into_iter().all(|entry| entry.agent == concat!("slod/", env!("CARGO_PKG_VERSION"))));
    }
}

/// When everything is sent.
pub fn now() -> DateTime<Utc> {
    "2026-10-25T14:16:00Z".parse().unwrap()
}

pub fn accepted(outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted { receipt } => receipt,
        other => panic!("not accepted: {other:?}"),
    }
}

pub fn notification(event: Event) -> Message {
    let (phase, headline) = match event {
        Event::Acknowledge => (Phase::Acknowledged, "inventory availability: acknowledged by ops-lead"),
        Event::Resolve => (Phase::Resolved, "inventory availability: healthy again after 31 min"),
        Event::Update | Event::Digest => (Phase::Open, "inventory availability: still failing after 30 min"),
        Event::Trigger => (Phase::Open, "inventory availability: health check failing for 25 min"),
        Event::Test => (Phase::Open, "test message from slod: nothing is wrong"),
    };
    Message::Notification(Box::new(Notification {
        event,
        incident: "7".into(),
        dedup_key: "0f0f/2".into(),
        thread_key: "0f0f".into(),
        phase,
        priority: Priority::P1,
        service: Some("inventory".into()),
        slo: Some("availability".into()),
        series: BTreeMap::new(),
        headline: headline.into(),
        lines: vec!["Budget overspent (−13 %): 4 h 5 min of 3 h 36 min used in these 30 days.".into()],
        standing: Some("ops-pager (not acknowledged) · next: platform-pager 14:33 UTC".into()),
        reason: "opening".into(),
        policies: vec![("outage".into(), Priority::P1)],
        opened_at: "2026-10-25T14:03:00Z".parse().unwrap(),
        decided_at: "2026-10-25T14:03:15Z".parse().unwrap(),
        late: false,
        links: vec![Link { text: "Incident".into(), url: "http://127.0.0.1:8080/incident/7".into() }],
        figures: [("budget_remaining".to_owned(), -0.13)].into(),
    }))
}

pub fn hostile() -> Message {
    let nasty = "<!channel> <@U123> <script>alert(1)</script> & \r\nBcc: x@evil.example\0 \u{202e}abc שלום";
    let Message::Notification(mut hostile) = notification(Event::Trigger) else { unreachable!() };
    hostile.headline = nasty.repeat(100);
    hostile.lines = vec![format!("{nasty}{}", "<&>".repeat(10_000)); 40];
    hostile.standing = Some(nasty.repeat(50));
    hostile.reason = nasty.repeat(50);
    hostile.series = (0..2_000).map(|n| (format!("{n}{nasty}"), nasty.repeat(10))).collect();
    hostile.links.push(Link { text: nasty.into(), url: "https://a.example/<b>?c|d".into() });
    hostile.links.push(Link { text: nasty.into(), url: "javascript:alert(1)".into() });
    hostile.figures.insert("nan".into(), f64::NAN);
    hostile.dedup_key = "k".repeat(300);
    hostile.thread_key = nasty.into();
    Message::Notification(hostile)
}

pub fn post(state: PublicState) -> Message {
    Message::StatusPost(StatusPost {
        incident: "7".into(),
        key: "0f0f".into(),
        state,
        name: "Inventory dashboard is unavailable".into(),
        body: format!("We are {}.", state.as_str()),
        component: "dashboard".into(),
        decided_at: "2026-10-25T14:15:00Z".parse().unwrap(),
        opens: state == PublicState::Investigating,
        down_elsewhere: false,
        over: false,
    })
}
