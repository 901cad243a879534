//! Who hears of the story. A receiver more is a line more here; what it must have heard follows from the outbox.

use serde_json::Value;
use testbed::inbox::{Inbox, Received, WEBHOOK_SECRET};

/// A row of the outbox, at the end.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: i64,
    pub receiver: String,
    pub event: String,
    pub state: String,
    pub dedup_key: String,
    pub message: Value,
}

/// A receiver of the story.
pub struct Hearer {
    pub name: &'static str,
    /// Its line under `receivers:`; empty for what is configured elsewhere.
    pub config: fn(&Inbox) -> String,
    /// The step of the escalation in which it is told; none if it is told otherwise.
    pub step: Option<usize>,
    /// Whether a request was a message to it.
    pub hears: fn(&Received) -> bool,
    /// What makes it this message and no other, however often it comes.
    pub said: fn(&Received) -> String,
    /// Whether this is what the row says.
    pub fits: fn(&str, &Row) -> bool,
    /// What is decided to be said to it, in order. An update may be dropped when the end overtakes it.
    pub must: &'static [&'static str],
}

/// Repeats cannot be recognised by these: they say it themselves.
pub const REPEATS_SAY_SO: [&str; 2] = ["chat", "hook"];
pub const A_REPEAT: &str = "may be a repeat";

pub const PAGER_KEY: &str = "000000000000000000000000000first";
pub const SECOND_KEY: &str = "00000000000000000000000000second";

pub const HEARERS: &[Hearer] = &[
    Hearer {
        name: "pager",
        step: Some(0),
        config: |inbox| pagerduty("PAGER_KEY", inbox),
        hears: |entry| entry.body["routing_key"] == PAGER_KEY,
        said: event_and_key,
        fits: |said, row| said == format!("{} {}", row.event, row.dedup_key),
        must: &["trigger", "acknowledge", "trigger", "resolve", "resolve"],
    },
    Hearer {
        name: "second",
        step: Some(1),
        config: |inbox| pagerduty("SECOND_KEY", inbox),
        hears: |entry| entry.body["routing_key"] == SECOND_KEY,
        said: event_and_key,
        fits: |said, row| said == format!("{} {}", row.event, row.dedup_key),
        must: &["trigger", "acknowledge", "trigger", "resolve", "resolve"],
    },
    Hearer {
        name: "chat",
        step: Some(0),
        config: |inbox| {
            format!("{{slack: {{channel: C0ALERTS, token: {{from_env: TOKEN}}, url: \"{}\"}}}}", inbox.url("/slack"))
        },
        hears: |entry| entry.path == "/slack/api/chat.postMessage",
        said: blocks,
        fits: says_why,
        must: &["trigger", "acknowledge", "trigger", "resolve"],
    },
    Hearer {
        name: "hook",
        step: Some(0),
        config: |_| "{slack: {webhook: {from_env: WEBHOOK}}}".to_owned(),
        hears: |entry| entry.path.starts_with("/slack/services/"),
        said: blocks,
        fits: says_why,
        must: &["trigger", "acknowledge", "trigger", "resolve"],
    },
    Hearer {
        name: "mail",
        step: Some(0),
        config: |_| "{email: {to: [ops@example.com]}}".to_owned(),
        hears: |entry| entry.path == "smtp",
        said: |entry| entry.body["headers"]["message-id"].as_str().unwrap_or_default().to_owned(),
        fits: |said, row| said.contains(&format!("-{}@", row.id)),
        must: &["trigger", "acknowledge", "trigger", "resolve"],
    },
    Hearer {
        name: "public",
        step: None,
        config: |inbox| {
            let url = inbox.url("/statuspage");
            format!(
                "{{statuspage: {{page: p4ge, key: {{from_env: PAGE}}, components: {{front: component-1}}, url: \"{url}\"}}}}"
            )
        },
        hears: |entry| entry.path.starts_with("/statuspage/") && entry.method != "GET",
        said: |entry| entry.body["incident"]["status"].as_str().unwrap_or_default().to_owned(),
        fits: |said, row| row.message["content"]["state"] == said,
        must: &["trigger", "update", "resolve"],
    },
    Hearer {
        name: "own",
        step: Some(0),
        config: |inbox| format!("{{webhook: {{url: \"{}\", secret: {{from_env: OWN}}}}}}", inbox.url("/webhook/own")),
        hears: |entry| entry.path.starts_with("/webhook/") && entry.method == "POST",
        said: |entry| entry.body.to_string(),
        fits: says_why,
        must: &["trigger", "acknowledge", "trigger", "resolve"],
    },
    Hearer {
        name: "decision-log:shop",
        step: None,
        config: |_| String::new(),
        hears: |entry| entry.path.starts_with("/supabase/") && entry.method == "POST",
        said: |entry| entry.body["event_id"].as_str().unwrap_or_default().to_owned(),
        fits: |said, row| row.dedup_key == said,
        must: &["digest"],
    },
];

/// Their secrets, by the variables that the configuration reads.
pub fn secrets(inbox: &Inbox) -> [(&'static str, String); 7] {
    [
        ("PAGER_KEY", PAGER_KEY.to_owned()),
        ("SECOND_KEY", SECOND_KEY.to_owned()),
        ("TOKEN", "xoxb-SECRET".to_owned()),
        ("WEBHOOK", inbox.url("/slack/services/T000/B000/SECRET")),
        ("PAGE", "page-SECRET".to_owned()),
        ("OWN", WEBHOOK_SECRET.to_owned()),
        ("LOG", "supabase-SECRET".to_owned()),
    ]
}

fn pagerduty(key: &str, inbox: &Inbox) -> String {
    let url = inbox.url("/pagerduty");
    format!("{{pagerduty: {{routing_key: {{from_env: {key}}}, url: \"{url}\"}}, fallback: chat}}")
}

fn event_and_key(entry: &Received) -> String {
    let text = |name: &str| entry.body[name].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("event_action"), text("dedup_key"))
}

/// All that a message shows, but for the words that it may be a repeat.
fn blocks(entry: &Received) -> String {
    let blocks = entry.body["blocks"].as_array().into_iter().flatten().map(Value::to_string);
    blocks.filter(|block| !block.contains(A_REPEAT)).collect()
}

fn says_why(said: &str, row: &Row) -> bool {
    row.message["content"]["reason"].as_str().is_some_and(|reason| said.contains(reason))
}
