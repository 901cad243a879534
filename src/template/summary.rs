//! What a policy's `summary` can say: the message that it begins, as data.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::{
    message::cut,
    name::Name,
    notification::{Event, Link, Notification, Phase},
    policy::Priority,
};

/// Figures that are always there, if only as nothing.
const FIGURES: [&str; 7] =
    ["objective", "budget_remaining", "budget_remaining_if_good", "coverage", "bad", "total", "bad_slots_in_a_row"];
/// Links that are always there, if only as nothing.
const LINKS: [&str; 2] = ["runbook", "incident"];
/// Most characters of one text from outside.
const TEXT_MAX: usize = 1_000;
/// Most labels of a series.
const LABELS_MAX: usize = 50;

/// What a message does not say itself.
#[derive(Clone, Debug)]
pub struct About<'a> {
    /// The policy.
    pub policy: &'a Name,
    /// The service's title.
    pub service_title: &'a str,
    /// The SLO's title.
    pub slo_title: &'a str,
    /// The policy's labels.
    pub labels: BTreeMap<String, String>,
}

/// The variables. `docs/templates.md` lists them.
pub fn context(notification: &Notification, about: &About<'_>) -> Value {
    json!({
        "service": notification.service,
        "service_title": about.service_title,
        "slo": notification.slo,
        "slo_title": about.slo_title,
        "series": labels(&notification.series),
        "labels": labels(&about.labels),
        "policy": about.policy,
        "policies": notification.policies.iter()
            .map(|(name, priority)| json!({"name": name, "priority": priority.as_str()}))
            .collect::<Vec<_>>(),
        "priority": notification.priority.as_str(),
        "phase": word(&notification.phase),
        "event": notification.event.as_str(),
        "headline": cut(&notification.headline, TEXT_MAX),
        "lines": notification.lines.iter().map(|line| cut(line, TEXT_MAX)).collect::<Vec<_>>(),
        "standing": notification.standing.as_deref().map(|standing| cut(standing, TEXT_MAX)),
        "reason": cut(&notification.reason, TEXT_MAX),
        "incident": notification.incident,
        "opened_at": super::post_incident::instant(notification.opened_at),
        "decided_at": super::post_incident::instant(notification.decided_at),
        "late": notification.late,
        "links": links(&notification.links),
        "figures": figures(&notification.figures),
    })
}

fn labels(all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    all.iter().take(LABELS_MAX).map(|(label, value)| (label.clone(), cut(value, TEXT_MAX))).collect()
}

fn word(phase: &impl Serialize) -> Value {
    serde_json::to_value(phase).unwrap_or_default()
}

fn links(all: &[Link]) -> Map<String, Value> {
    let mut links: Map<String, Value> = LINKS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    links.extend(all.iter().take(10).map(|link| (link.text.to_lowercase(), cut(&link.url, TEXT_MAX).into())));
    links
}

fn figures(all: &BTreeMap<String, f64>) -> Map<String, Value> {
    let mut figures: Map<String, Value> = FIGURES.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    figures.extend(all.iter().map(|(name, figure)| (name.clone(), json!(figure))));
    figures
}

/// What a sample incident is about.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// The service.
    pub service: &'a Name,
    /// The SLO.
    pub slo: &'a Name,
    /// Labels of its series.
    pub per: &'a [String],
    /// The policy.
    pub about: About<'a>,
    /// The policy's priority.
    pub priority: Priority,
}

/// The messages that every template is tried on: an opening, one that is acknowledged, the end, and one of a series that
/// nothing is known of.
pub fn samples(sample: &Sample<'_>) -> Vec<(&'static str, Value)> {
    let open = opening(sample);
    let acknowledged = Notification { event: Event::Acknowledge, phase: Phase::Acknowledged, ..open.clone() };
    let resolved = Notification {
        event: Event::Resolve,
        phase: Phase::Resolved,
        headline: format!("{} {}: good again after 31 min", sample.service, sample.slo),
        standing: None,
        policies: Vec::new(),
        ..open.clone()
    };
    let blind = Notification {
        event: Event::Update,
        headline: format!("{} {}: no data for 15 min", sample.service, sample.slo),
        lines: vec!["Last answer: connection refused".to_owned()],
        links: Vec::new(),
        figures: BTreeMap::new(),
        late: true,
        ..open.clone()
    };
    [("open", open), ("acknowledged", acknowledged), ("resolved", resolved), ("blind", blind)]
        .into_iter()
        .map(|(what, notification)| (what, context(&notification, &sample.about)))
        .collect()
}

fn opening(sample: &Sample<'_>) -> Notification {
    let opened_at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
    let figures = [0.995, -0.13, -0.12, 0.998, 31.0, 8_640.0, 5.0];
    Notification {
        event: Event::Trigger,
        incident: "0123456789ab".to_owned(),
        dedup_key: "0123456789abcdef0123456789abcdef".to_owned(),
        thread_key: "0123456789abcdef0123456789abcdef".to_owned(),
        phase: Phase::Open,
        priority: sample.priority,
        service: Some(sample.service.clone()),
        slo: Some(sample.slo.clone()),
        series: sample.per.iter().map(|label| (label.clone(), "sample".to_owned())).collect(),
        headline: format!("{} {}: too many bad events for 25 min", sample.service, sample.slo),
        lines: vec!["Budget overspent (−13 %): 4 h 5 min of 3 h 36 min used in 30d at 99.5%.".to_owned()],
        standing: Some("pager (not acknowledged)".to_owned()),
        reason: "sample opened".to_owned(),
        policies: vec![(sample.about.policy.clone(), sample.priority)],
        opened_at,
        decided_at: opened_at + TimeDelta::seconds(15),
        late: false,
        links: vec![
            Link { text: "Runbook".to_owned(), url: "https://runbooks.example/sample".to_owned() },
            Link { text: "Incident".to_owned(), url: "https://slod.example/incident/0123456789ab".to_owned() },
        ],
        figures: FIGURES.iter().map(|name| (*name).to_owned()).zip(figures).collect(),
    }
}
