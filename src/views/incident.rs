//! Incidents and deliveries as the API shows them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{diagnostic::Diagnosis, policy::Priority};

/// `GET /api/v1/incidents/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentView {
    /// As `slod ack` takes it.
    pub id: String,
    /// As receivers know it.
    pub key: String,
    /// Null for a source's own incident.
    pub service: Option<String>,
    /// Null for a source's own incident.
    pub slo: Option<String>,
    /// The source, for its own incident.
    pub source: Option<String>,
    /// Label values.
    pub series: BTreeMap<String, String>,
    /// What is wrong, without what changes by the minute; once it is over, how it ended.
    pub title: String,
    /// P1 … P5.
    #[schemars(with = "super::shapes::Priority")]
    pub priority: Priority,
    /// open, acknowledged, resolved.
    pub state: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When somebody took it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who took it.
    pub acknowledged_by: Option<String>,
    /// Who had it already when that came. Left out where nobody had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_before: Option<HolderView>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who ended it. Left out where nobody did: it is open, or its alerts are over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// Decided late.
    pub late: bool,
    /// Its messages are muted; null if they are not.
    #[serde(default)]
    pub muted: Option<MutedView>,
    /// Its alerts.
    pub alerts: Vec<AlertView>,
    /// Its escalation steps.
    pub steps: Vec<StepView>,
    /// Its messages.
    pub deliveries: Vec<DeliveryView>,
    /// What was looked at when it opened, and when it reopened or rose.
    #[schemars(with = "Vec<super::shapes::Diagnosis>")]
    pub diagnostics: Vec<Diagnosis>,
    /// What people may do by hand, as the service's runbook has it.
    #[serde(default)]
    pub manual: Vec<ManualView>,
    /// What happened, in order.
    pub timeline: Vec<TimelineView>,
    /// The public status page, if the incident concerns one.
    pub status_page: Option<StatusPageView>,
    /// What it has cost.
    pub cost: CostView,
}

/// Who had an incident, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HolderView {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// One step of the runbook for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManualView {
    /// The command.
    pub run: String,
    /// Whose approval it needs first.
    pub needs: Option<String>,
}

/// Why an incident's messages are muted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MutedView {
    /// When something of that ends next.
    pub until: Option<DateTime<Utc>>,
    /// What mutes them, in words: silences and maintenance windows.
    pub why: Vec<String>,
}

/// One alert of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertView {
    /// The policy, for a burn pair `policy:1h/5m`.
    pub name: String,
    /// Its priority.
    #[schemars(with = "super::shapes::Priority")]
    pub priority: Priority,
    /// ok, pending, firing, clearing.
    pub state: String,
    /// When it fired.
    pub fired_at: DateTime<Utc>,
    /// It goes back and forth, and holds the incident open until it is quiet. Left out where it does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
}

/// One escalation step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepView {
    /// The policy whose escalation it is.
    pub policy: String,
    /// As configured: `30m`.
    pub after: String,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// waiting, done, skipped.
    pub state: String,
    /// Who hears.
    pub notify: Vec<String>,
}

/// One message in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryView {
    /// Outbox row.
    pub id: i64,
    /// Null for what is about no incident: tests, reports, reminders.
    pub incident: Option<String>,
    /// To whom.
    pub receiver: String,
    /// trigger, acknowledge, resolve, update, digest, test.
    pub event: String,
    /// queued, sending, retry, sent, dead, dropped; joined while the digest it went into is on its way.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the newest attempt failed.
    pub last_error: Option<String>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub sent_at: Option<DateTime<Utc>>,
    /// The vendor's name for it.
    pub receipt: Option<String>,
}

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineView {
    /// When.
    pub at: DateTime<Utc>,
    /// opened, fired, cleared, told, acknowledged, note, resolved, …
    pub kind: String,
    /// In words.
    pub text: String,
}

/// The status page side of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusPageView {
    /// none, investigating, identified, monitoring, resolved.
    pub state: String,
    /// A draft that waits for approval: the state it would post.
    pub draft: Option<String>,
    /// What the draft would say: the public incident's name and the text.
    #[serde(default)]
    pub draft_text: Option<String>,
    /// When the first post must be out.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was.
    pub posted_at: Option<DateTime<Utc>>,
    /// How late that was, or is so far, in seconds; null in time.
    #[serde(default)]
    pub late_seconds: Option<i64>,
    /// slod posts and proposes nothing more of this incident: people have taken the page over.
    #[serde(default)]
    pub left_to_people: bool,
}

/// What an incident has cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostView {
    /// Bad events since it opened.
    pub bad: f64,
    /// Those are seconds down, not events. Left out where they are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_seconds: bool,
    /// Share of the budget of the SLO's own window, 0–1 (may exceed 1). Null without events.
    pub budget_share: Option<f64>,
    /// That window, as configured: `30d`. Left out where there is no SLO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
}
