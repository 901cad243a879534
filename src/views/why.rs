//! What was decided and sent, and what was not: the proof of both, as the API shows it.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    desk::DeskError,
    incident::{DeliveryView, TimelineView},
    slo::SlotView,
};
use crate::domain::{
    name::{Series, SloId},
    policy::Priority,
};

/// `GET /api/v1/incidents/{id}/why`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhyView {
    /// As `slod ack` takes it.
    pub id: String,
    /// What it is about: `service/slo`, or `source NAME`.
    pub subject: String,
    /// Label values.
    pub series: Series,
    /// What is wrong, or how it ended.
    pub title: String,
    /// P1 … P5.
    #[schemars(with = "super::shapes::Priority")]
    pub priority: Priority,
    /// open, acknowledged, resolved.
    pub state: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Everything that was decided and done, in order.
    pub events: Vec<WhyEvent>,
    /// Events in the middle are left out: there are too many.
    pub events_left_out: usize,
    /// Its messages, each with its attempts.
    pub deliveries: Vec<DeliveryProof>,
    /// Steps that have not run, and why.
    pub steps: Vec<StepProof>,
}

/// Something that was decided or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhyEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// A word of the timeline, or `message`, `attempt`, `dropped`.
    pub kind: String,
    /// In words.
    pub text: String,
    /// The outbox row it concerns.
    pub delivery: Option<i64>,
}

/// One message with all that is on record of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryProof {
    /// The outbox row.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// Why its receiver was told.
    pub reason: Option<String>,
    /// Decided later than it was due.
    pub late: bool,
    /// Attempts in order. Of many, the first and the last.
    pub tries: Vec<AttemptView>,
    /// Attempts that began and have no outcome on record: slod was ended meanwhile, or there were too many to keep.
    pub tries_without_record: u32,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: DateTime<Utc>,
    /// accepted, retry, dead.
    pub outcome: String,
    /// When it was to be tried again.
    pub next_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// The receiver's name for it.
    pub receipt: Option<String>,
}

/// An escalation step that has not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepProof {
    /// The policy whose step it is.
    pub policy: String,
    /// Its place, from 1.
    pub number: u32,
    /// When it is, or was, due.
    pub due_at: DateTime<Utc>,
    /// Who would hear.
    pub notify: Vec<String>,
    /// Why it has not run.
    pub why: String,
}

/// `GET /api/v1/slos/{service}/{slo}/why?at=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotPagedView {
    /// `service/slo`.
    #[schemars(with = "String")]
    pub id: SloId,
    /// For people.
    pub title: String,
    /// Label values.
    pub series: Series,
    /// The moment that was asked about.
    pub at: DateTime<Utc>,
    /// The slot that holds it, or else the newest one before.
    pub slot: Option<SlotView>,
    /// Nothing was known for long up to that slot.
    pub blind: bool,
    /// The alerts of the SLO's policies as of that slot.
    pub alerts: Vec<AlertAt>,
    /// The incidents that were open about then.
    pub incidents: Vec<IncidentAt>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// An alert as it stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertAt {
    /// The policy, for a burn pair `policy:1h/5m`.
    pub name: String,
    /// Its policy.
    pub policy: String,
    /// Its priority.
    #[schemars(with = "super::shapes::Priority")]
    pub priority: Priority,
    /// ok, pending, firing, clearing; muted.
    pub state: String,
    /// Since when, unless it is ok.
    pub since: Option<DateTime<Utc>>,
    /// Whether its condition held: true, false, unknown.
    pub condition: String,
    /// The parts of the condition, with the figures.
    pub parts: Vec<PartAt>,
    /// The guard that held it back.
    pub held_by: Option<String>,
    /// Why it paged, or did not, in a sentence.
    pub why: String,
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartAt {
    /// true, false, unknown.
    pub holds: String,
    /// Its figures, and what would be needed.
    pub text: String,
}

/// An incident that was open about the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentAt {
    /// As `slod ack` takes it.
    pub id: String,
    /// What is wrong, or how it ended.
    pub title: String,
    /// How it stood at the moment: open, acknowledged, resolved; `not open yet`.
    pub state: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// What had happened to it until the slot was judged.
    pub timeline: Vec<TimelineView>,
}

/// Proves what was sent and what was not. One implementation over the running daemon, one over fixed data for tests.
pub trait Proofs: Send + Sync {
    /// Everything that was decided of an incident.
    fn why<'a>(&'a self, incident: &'a str) -> BoxFuture<'a, Result<WhyView, DeskError>>;
    /// What stood in the way of a page at a moment; the newest slot without one. Of one policy, if given.
    fn not_paged<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        at: Option<DateTime<Utc>>,
        policy: Option<&'a str>,
    ) -> BoxFuture<'a, Result<NotPagedView, DeskError>>;
}
