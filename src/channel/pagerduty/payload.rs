//! From a neutral notification to an Events v2 body.

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::{
    answer::{Failure, not_for},
    text,
};
use crate::domain::notification::{Event, Notification};

/// The vendor's limits: code points, code points, bytes.
const SUMMARY_MAX: usize = 1024;
const DEDUP_KEY_MAX: usize = 255;
const BODY_MAX: usize = 512_000;
/// Our own limits: what a person reads, and what other fields may take.
const FIELD_MAX: usize = 255;
const LINE_MAX: usize = 2_000;
const LINKS_MAX: usize = 10;
/// What is left out first when the body is too large.
const LEAST_USEFUL_FIRST: [&str; 7] = ["figures", "series", "facts", "policies", "standing", "reason", "incident"];

/// The events one notification becomes, in order, without the routing key: one, or for a test a trigger and its resolve,
/// so that nobody is left with an open incident.
pub fn payloads(notification: &Notification) -> Result<Vec<Map<String, Value>>, Failure> {
    match notification.event {
        Event::Trigger => Ok(vec![trigger(notification, &key(&notification.dedup_key))]),
        Event::Acknowledge => Ok(vec![follow_up("acknowledge", &key(&notification.dedup_key))]),
        Event::Resolve => Ok(vec![follow_up("resolve", &key(&notification.dedup_key))]),
        Event::Test => {
            let key = key(&format!("test-{}", notification.dedup_key));
            Ok(vec![trigger(notification, &key), follow_up("resolve", &key)])
        }
        Event::Update | Event::Digest => Err(not_for("pagerduty", "updates or digests: they would page")),
    }
}

/// Anything but a trigger: needs the key only.
fn follow_up(action: &str, key: &str) -> Map<String, Value> {
    object(json!({"event_action": action, "dedup_key": key}))
}

fn trigger(notification: &Notification, key: &str) -> Map<String, Value> {
    let test = notification.event == Event::Test;
    let headline = text::one_line(&notification.headline);
    let (severity, summary) = if test {
        ("info", headline)
    } else {
        (notification.priority.severity(), format!("{} {headline}", notification.priority))
    };
    let mut payload = object(json!({
        "summary": text::cut(&summary, SUMMARY_MAX),
        "source": source(notification),
        "severity": severity,
        "timestamp": notification.opened_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "custom_details": details(notification),
    }));
    let named = [
        ("group", notification.service.as_ref()),
        ("component", notification.slo.as_ref()),
        ("class", notification.policies.first().map(|(name, _)| name)),
    ];
    payload.extend(
        named.into_iter().filter_map(|(field, name)| Some((field.to_owned(), text::line(name?, FIELD_MAX).into()))),
    );
    let mut event = object(json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": "slod",
        "payload": payload,
    }));
    let links = links(notification);
    if let Some(own) = links.iter().find(|link| link["text"] == "Incident").or_else(|| links.first()) {
        event.insert("client_url".to_owned(), own["href"].clone());
    }
    if !links.is_empty() {
        event.insert("links".to_owned(), links.into());
    }
    fit(event)
}

fn source(notification: &Notification) -> String {
    let subject = text::line(&notification.subject(), FIELD_MAX);
    if subject.is_empty() { "slod".to_owned() } else { subject }
}

fn details(notification: &Notification) -> Value {
    let figures = notification.figures.iter().filter(|(_, figure)| figure.is_finite());
    let mut details = object(json!({
        "priority": notification.priority.as_str(),
        "incident": text::line(&notification.incident, FIELD_MAX),
        "reason": text::line(&notification.reason, LINE_MAX),
        "facts": notification.lines.iter().map(|line| text::line(line, LINE_MAX)).collect::<Vec<_>>(),
        "policies": notification.policies.iter().map(|(name, priority)| format!("{name} ({priority})")).collect::<Vec<_>>(),
        "series": notification.series.iter()
            .map(|(label, value)| (text::line(label, FIELD_MAX), text::line(value, LINE_MAX).into()))
            .collect::<Map<_, _>>(),
        "figures": figures.map(|(name, figure)| (text::line(name, FIELD_MAX), (*figure).into())).collect::<Map<_, _>>(),
    }));
    if let Some(standing) = &notification.standing {
        details.insert("standing".to_owned(), text::line(standing, LINE_MAX).into());
    }
    if notification.late {
        details.insert("late".to_owned(), true.into());
    }
    details.retain(|_, value| {
        !(value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty))
    });
    details.into()
}

fn links(notification: &Notification) -> Vec<Value> {
    let known = notification.links.iter().filter_map(|link| {
        let href = text::address(link, LINE_MAX)?;
        Some(json!({"href": href, "text": text::line(&link.text, FIELD_MAX)}))
    });
    known.take(LINKS_MAX).collect()
}

/// The key as the vendor takes it. One that is too long keeps its beginning, and a hash that tells it from others.
fn key(key: &str) -> String {
    if key.chars().count() <= DEDUP_KEY_MAX {
        return key.to_owned();
    }
    let hash = hex::encode(&Sha256::digest(key)[..16]);
    format!("{}-{hash}", key.chars().take(DEDUP_KEY_MAX - hash.len() - 1).collect::<String>())
}

/// Leaves out the least useful until the body fits. The routing key comes on top, so some room is kept.
fn fit(mut event: Map<String, Value>) -> Map<String, Value> {
    let too_large =
        |event: &Map<String, Value>| serde_json::to_vec(event).map_or(0, |body| body.len()) > BODY_MAX - 1_000;
    for field in LEAST_USEFUL_FIRST {
        if !too_large(&event) {
            break;
        }
        if let Some(details) = event.get_mut("payload").and_then(|payload| payload["custom_details"].as_object_mut()) {
            details.remove(field);
            details.insert("left_out".to_owned(), "too large to be sent whole".into());
        }
    }
    event
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    fn only(notification: &Notification) -> Map<String, Value> {
        let mut events = payloads(notification).unwrap();
        assert_eq!(events.len(), 1);
        events.remove(0)
    }

    #[test]
    fn a_trigger_says_it_all() {
        insta::assert_json_snapshot!(only(&samples::opening()));
    }

    #[test]
    fn follow_ups_carry_the_key_alone() {
        insta::assert_json_snapshot!([
            only(&samples::later(Event::Acknowledge)),
            only(&samples::later(Event::Resolve))
        ]);
    }

    #[test]
    fn a_test_leaves_nothing_open() {
        insta::assert_json_snapshot!(payloads(&samples::later(Event::Test)).unwrap());
    }

    #[test]
    fn news_never_reaches_a_pager() {
        for event in [Event::Update, Event::Digest] {
            let failure = payloads(&samples::later(event)).unwrap_err();
            assert_eq!(
                failure,
                Failure::dead("a pagerduty receiver does not take updates or digests: they would page")
            );
        }
    }

    #[test]
    fn hostile_texts_are_cut_to_the_limits() {
        let event = only(&samples::hostile());
        let summary = event["payload"]["summary"].as_str().unwrap();
        assert_eq!(summary.chars().count(), SUMMARY_MAX);
        assert!(!summary.contains(['\n', '\0', '\u{202e}']));
        assert_eq!(event["dedup_key"].as_str().unwrap().len(), DEDUP_KEY_MAX);
        assert_eq!(event["links"].as_array().unwrap().len(), 1);
        assert_eq!(event["payload"]["custom_details"]["figures"], json!({"one": 1.0}));
    }

    #[test]
    fn a_flood_of_labels_is_left_out_and_said_so() {
        let series = (0..400).map(|n| (format!("label{n}"), "x".repeat(3_000))).collect();
        let event = only(&Notification { series, ..samples::opening() });
        assert!(serde_json::to_vec(&event).unwrap().len() < BODY_MAX);
        let details = &event["payload"]["custom_details"];
        assert_eq!(details.get("series"), None);
        assert_eq!(details["left_out"], "too large to be sent whole");
        assert!(details["facts"].is_array());
    }

    #[test]
    fn long_keys_stay_apart() {
        let (one, other) = (key(&format!("{}1", "k".repeat(300))), key(&format!("{}2", "k".repeat(300))));
        assert_ne!(one, other);
        assert_eq!(key("short/2"), "short/2");
    }
}
