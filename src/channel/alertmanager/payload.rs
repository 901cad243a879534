//! From a notification to alerts as Alertmanager takes them.
//!
//! An alert is its labels. They hold the priority, for people route by it; so a rise in priority is another alert, and
//! the one before must end. Which ones were told of is kept in the receipt.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::super::text;
use crate::domain::{
    notification::{Event, Notification, Phase},
    policy::Priority,
};

/// An alert that is not told again lapses after this long: four tellings may be lost.
pub const LAPSES_AFTER: TimeDelta = TimeDelta::minutes(5);
/// In code points.
const VALUE_MAX: usize = 500;
const SUMMARY_MAX: usize = 2_000;
/// Labels of a series.
const SERIES_MAX: usize = 30;
/// The first word of the receipt of an end.
const OVER: &str = "resolved";

/// The priorities under which an incident was told of, the newest first; empty before the first and after an end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    told: Vec<Priority>,
    is_over: bool,
}

impl Known {
    /// Reads a receipt; of none, nothing is known.
    pub fn read(receipt: &str) -> Self {
        let words = receipt.split([' ', ',']);
        let told = words.clone().filter_map(|word| Priority::ALL.into_iter().find(|known| known.as_str() == word));
        Self { told: told.collect(), is_over: words.clone().next() == Some(OVER) }
    }

    /// After `notification`: firing at the most urgent so far, or over.
    pub fn after(&self, notification: &Notification) -> Self {
        let mut told = if self.is_over { Vec::new() } else { self.told.clone() };
        let is_over = notification.phase == Phase::Resolved;
        if is_over {
            if told.is_empty() {
                told.push(notification.priority);
            }
            return Self { told, is_over };
        }
        let current = told.first().map_or(notification.priority, |known| notification.priority.min(*known));
        told.retain(|known| *known != current);
        told.insert(0, current);
        Self { told, is_over }
    }

    /// `P1`, `P1 P2`, `resolved P1`: how [`Known::read`] reads it.
    pub fn receipt(&self) -> String {
        let words = self.is_over.then_some(OVER).into_iter().chain(self.told.iter().map(|known| known.as_str()));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The alerts of an incident as of `now`: the one that fires, and those that are over.
pub fn alerts(notification: &Notification, known: &Known, now: DateTime<Utc>) -> Vec<Value> {
    let over = notification.decided_at.max(notification.opened_at);
    let ends = |at: usize| if at == 0 && !known.is_over { now.max(over) + LAPSES_AFTER } else { over };
    known.told.iter().enumerate().map(|(at, priority)| alert(notification, *priority, ends(at))).collect()
}

/// A test: fires, and lapses after a minute.
pub fn test_alert(notification: &Notification, now: DateTime<Utc>) -> Value {
    let starts = notification.opened_at.min(now);
    alert(&Notification { opened_at: starts, ..notification.clone() }, Priority::P5, now + TimeDelta::minutes(1))
}

fn alert(notification: &Notification, priority: Priority, ends: DateTime<Utc>) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut alert = json!({
        "labels": labels(notification, priority),
        "annotations": annotations(notification),
        "startsAt": time(notification.opened_at.min(ends)),
        "endsAt": time(ends),
    });
    if let Some(url) = link(notification, "Incident") {
        alert["generatorURL"] = url.into();
    }
    alert
}

/// Empty values are left out: Alertmanager would.
fn labels(notification: &Notification, priority: Priority) -> BTreeMap<String, String> {
    let name = match (notification.event, &notification.slo) {
        (Event::Test, _) => "SlodTest",
        (_, Some(slo)) => slo.as_str(),
        (_, None) => "SourceBlind",
    };
    let own = [
        ("alertname", name.to_owned()),
        ("service", notification.service.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("slo", notification.slo.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("incident", notification.incident.clone()),
        ("priority", priority.to_string()),
        ("severity", priority.severity().to_owned()),
    ];
    let mut labels: BTreeMap<_, _> =
        own.into_iter().map(|(name, value)| (name.to_owned(), text::line(&value, VALUE_MAX))).collect();
    for (name, value) in notification.series.iter().take(SERIES_MAX) {
        let name = label_name(name);
        let name = if labels.contains_key(&name) { format!("series_{name}") } else { name };
        labels.insert(name, text::line(value, VALUE_MAX));
    }
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, whatever came.
fn label_name(name: &str) -> String {
    let name: String = name.chars().take(VALUE_MAX).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() { format!("_{name}") } else { name }
}

fn annotations(notification: &Notification) -> BTreeMap<&'static str, String> {
    let lines = notification.lines.iter().take(50).map(|line| text::line(line, VALUE_MAX));
    let all = [
        ("summary", text::line(&notification.headline, SUMMARY_MAX)),
        ("description", lines.collect::<Vec<_>>().join("\n")),
        ("standing", notification.standing.as_ref().map(|text| text::line(text, VALUE_MAX)).unwrap_or_default()),
        ("reason", text::line(&notification.reason, VALUE_MAX)),
        ("runbook_url", link(notification, "Runbook").unwrap_or_default()),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn link(notification: &Notification, name: &str) -> Option<String> {
    notification.links.iter().find(|link| link.text == name).and_then(|link| text::address(link, SUMMARY_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    fn now() -> DateTime<Utc> {
        "2026-10-25T14:20:00Z".parse().unwrap()
    }

    #[test]
    fn an_incident_is_an_alert_with_its_facts() {
        let opening = samples::opening();
        let known = Known::default().after(&opening);
        insta::assert_json_snapshot!("firing", alerts(&opening, &known, now()));
        let resolve = samples::later(Event::Resolve);
        insta::assert_json_snapshot!("resolved", alerts(&resolve, &known.after(&resolve), now()));
        insta::assert_json_snapshot!("test", test_alert(&samples::later(Event::Test), now()));
    }

    #[test]
    fn a_rise_ends_the_alert_before_it() {
        let at = |priority| Notification { priority, ..samples::opening() };
        let mut known = Known::default();
        let mut receipts = Vec::new();
        for priority in [Priority::P3, Priority::P1, Priority::P2, Priority::P1] {
            known = Known::read(&known.after(&at(priority)).receipt());
            receipts.push(known.receipt());
        }
        assert_eq!(receipts, ["P3", "P1 P3", "P1 P3", "P1 P3"], "it never falls while it lasts");
        let resolved = Known::read(&known.after(&samples::later(Event::Resolve)).receipt());
        assert_eq!(resolved.receipt(), "resolved P1 P3");
        assert_eq!(resolved.after(&at(Priority::P3)).receipt(), "P3", "firing again begins anew");
        let sent = alerts(&samples::opening(), &known, now());
        let ends: Vec<_> = sent.iter().map(|alert| alert["endsAt"].as_str().unwrap()).collect();
        assert_eq!(ends, ["2026-10-25T14:25:00.000Z", "2026-10-25T14:03:15.000Z"]);
        assert_eq!(Known::read("P1 P3, taken by 1 of 2"), known);
    }

    #[test]
    fn labels_are_texts_with_legal_names() {
        let alert = &alerts(&samples::hostile(), &Known::default().after(&samples::hostile()), now())[0];
        let labels = alert["labels"].as_object().unwrap();
        assert!(labels.values().all(|value| value.as_str().is_some_and(|text| text.chars().count() <= VALUE_MAX)));
        assert!(labels.keys().all(|name| label_name(name) == *name));
        let series = [("severity".to_owned(), "x".to_owned()), ("9 a".to_owned(), "y".to_owned())].into();
        let own = labels_of(&Notification { series, ..samples::opening() });
        assert_eq!((&*own["severity"], &*own["series_severity"], &*own["_9_a"]), ("critical", "x", "y"));
    }

    fn labels_of(notification: &Notification) -> BTreeMap<String, String> {
        labels(notification, Priority::P1)
    }
}
