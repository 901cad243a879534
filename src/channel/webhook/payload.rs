//! The body of a webhook: the neutral notification as JSON, in a shape that is promised (`docs/receivers.md`).
//!
//! Within a version fields are only ever added.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::text;
use crate::domain::{
    name::Name,
    notification::{Notification, Phase},
};

/// The version of the shape.
pub const VERSION: u32 = 1;
/// In code points.
const LINE_MAX: usize = 2_000;
/// Lines, links, policies and labels.
const ITEMS_MAX: usize = 100;

#[derive(Serialize)]
struct Body<'a> {
    version: u32,
    delivery: &'a str,
    event: &'static str,
    decided_at: DateTime<Utc>,
    late: bool,
    reason: String,
    headline: String,
    lines: Vec<String>,
    standing: Option<String>,
    incident: About<'a>,
    links: Vec<Link>,
    figures: Value,
}

#[derive(Serialize)]
struct About<'a> {
    id: String,
    key: String,
    state: Phase,
    priority: &'static str,
    opened_at: DateTime<Utc>,
    service: Option<&'a str>,
    slo: Option<&'a str>,
    series: Value,
    policies: Vec<Policy<'a>>,
}

#[derive(Serialize)]
struct Policy<'a> {
    name: &'a str,
    priority: &'static str,
}

#[derive(Serialize)]
struct Link {
    text: String,
    url: String,
}

/// The same delivery is the same bytes, whenever it is sent.
pub fn body(notification: &Notification, delivery: &str) -> Vec<u8> {
    let line = |text: &String| text::line(text, LINE_MAX);
    let series = notification.series.iter().take(ITEMS_MAX).map(|(name, value)| (line(name), line(value).into()));
    let links = notification.links.iter().take(ITEMS_MAX);
    let figures = notification.figures.iter().map(|(name, value)| (name.clone(), Value::from(*value)));
    let policies = notification.policies.iter().take(ITEMS_MAX);
    let body = Body {
        version: VERSION,
        delivery,
        event: notification.event.as_str(),
        decided_at: notification.decided_at,
        late: notification.late,
        reason: line(&notification.reason),
        headline: line(&notification.headline),
        lines: notification.lines.iter().take(ITEMS_MAX).map(line).collect(),
        standing: notification.standing.as_ref().map(line),
        incident: About {
            id: line(&notification.incident),
            key: line(&notification.thread_key),
            state: notification.phase,
            priority: notification.priority.as_str(),
            opened_at: notification.opened_at,
            service: notification.service.as_ref().map(Name::as_str),
            slo: notification.slo.as_ref().map(Name::as_str),
            series: Value::Object(series.collect()),
            policies: policies
                .map(|(name, priority)| Policy { name: name.as_str(), priority: priority.as_str() })
                .collect(),
        },
        links: links
            .filter_map(|link| Some(Link { text: line(&link.text), url: text::address(link, LINE_MAX)? }))
            .collect(),
        figures: Value::Object(figures.collect()),
    };
    // Nothing in it can fail to be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Names a delivery: the same for all its attempts, and no other's, whatever becomes of the store.
pub fn delivery_id(notification: &Notification, row: i64) -> String {
    name(&notification.dedup_key, notification.decided_at, row)
}

/// Names what was decided then under a key, as a row of the outbox.
pub fn name(key: &str, decided_at: DateTime<Utc>, row: i64) -> String {
    let mut hash = Sha256::new();
    let decided = decided_at.timestamp_micros();
    hash.update(format!("{row} {decided} {key}"));
    hex::encode(&hash.finalize()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{channel::samples, domain::notification::Event};

    fn shown(notification: &Notification) -> Value {
        serde_json::from_slice(&body(notification, "0123456789abcdef01234567")).unwrap()
    }

    #[test]
    fn it_says_everything() {
        insta::assert_json_snapshot!("trigger", shown(&samples::opening()));
        let resolve = shown(&samples::later(Event::Resolve));
        assert_eq!((&resolve["event"], &resolve["incident"]["state"]), (&"resolve".into(), &"resolved".into()));
    }

    #[test]
    fn hostile_texts_are_bounded_and_stay_texts() {
        let shown = shown(&samples::hostile());
        assert!(shown.to_string().len() < 700_000, "{}", shown.to_string().len());
        assert_eq!(shown["links"].as_array().unwrap().len(), 1);
        assert_eq!(shown["figures"]["nan"], Value::Null);
        assert!(!shown.to_string().contains("\\u0000"));
    }

    #[test]
    fn a_delivery_has_one_name() {
        let one = samples::opening();
        assert_eq!(delivery_id(&one, 7), delivery_id(&one, 7));
        assert_ne!(delivery_id(&one, 7), delivery_id(&one, 8));
        let again = Notification { decided_at: one.decided_at + chrono::TimeDelta::seconds(1), ..one.clone() };
        assert_ne!(delivery_id(&one, 7), delivery_id(&again, 7), "of another store");
    }
}
