//! What comes in, what goes out, and what is kept of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// Who a request was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// PagerDuty.
    Pagerduty,
    /// Slack.
    Slack,
    /// Statuspage.
    Statuspage,
    /// The decision log.
    Supabase,
    /// Instatus.
    Instatus,
    /// An Alertmanager.
    Alertmanager,
    /// Somebody's webhook.
    Webhook,
    /// A dead man's switch.
    Heartbeat,
    /// The mail server.
    Mail,
    /// Nobody we play.
    Other,
}

/// One request or mail, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    /// When it came.
    pub at: DateTime<Utc>,
    /// Who it was meant for.
    pub peer: Peer,
    /// `POST`; `DATA` for a mail.
    pub method: String,
    /// The path without its query; `smtp` for a mail.
    pub path: String,
    /// Its `User-Agent`.
    pub agent: String,
    /// The body: JSON, else text. A mail is `{to, headers, plain, html}`.
    pub body: Value,
    /// One line for people.
    pub summary: String,
    /// What was answered; 0 if nothing was.
    pub status: u16,
    /// The fault it met.
    pub fault: Option<String>,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

/// A request, read whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// By lower-case names.
    pub headers: BTreeMap<String, String>,
    pub raw: Vec<u8>,
}

impl Request {
    /// A JSON request, for the vendors' own tests.
    #[cfg(test)]
    pub fn test(method: &str, path: &str, authorization: &str, body: &Value) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let headers = [("content-type", "application/json"), ("authorization", authorization)];
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            raw: body.to_string().into_bytes(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as JSON, or as text if it is none.
    pub fn body(&self) -> Value {
        if self.raw.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.raw).unwrap_or_else(|_| String::from_utf8_lossy(&self.raw).into_owned().into())
    }

    /// The body as `T`, or what keeps it from being one.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        if !self.header("content-type").starts_with("application/json") {
            return Err(format!("content type `{}`, not JSON", self.header("content-type")));
        }
        serde_json::from_slice(&self.raw).map_err(|error| error.to_string())
    }

    pub fn peer(&self) -> Peer {
        let known = [
            ("/pagerduty/", Peer::Pagerduty),
            ("/slack/", Peer::Slack),
            ("/statuspage/", Peer::Statuspage),
            ("/supabase/", Peer::Supabase),
            ("/instatus/", Peer::Instatus),
            ("/alertmanager/", Peer::Alertmanager),
            ("/webhook/", Peer::Webhook),
            ("/heartbeat/", Peer::Heartbeat),
        ];
        known.iter().find(|(prefix, _)| self.path.starts_with(prefix)).map_or(Peer::Other, |(_, peer)| *peer)
    }
}

/// An answer, with one line for people about what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub status: u16,
    pub kind: &'static str,
    pub body: String,
    pub summary: String,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, kind: "application/json", body: body.to_string(), summary: String::new() }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self { status, kind: "text/plain", body: body.to_owned(), summary: String::new() }
    }

    pub fn about(self, summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..self }
    }
}

/// Notes a problem if `text` has more than `max` code points.
pub(super) fn check_length(problems: &mut Vec<String>, field: &str, text: &str, max: usize) {
    let length = text.chars().count();
    if length > max {
        problems.push(format!("{field} has {length} characters, over {max}"));
    }
    if text.contains('\0') {
        problems.push(format!("{field} contains NUL"));
    }
}
