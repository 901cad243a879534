//! The budget report of one month.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gaps::GapsView;
use crate::domain::{correction::Correction, name::Series};

/// `GET /api/v1/budget`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetReport {
    /// `2026-10`.
    pub month: String,
    /// The zone the month is cut in.
    pub timezone: String,
    /// When it was made.
    pub generated_at: DateTime<Utc>,
    /// When the month ends, or ended: before that, all figures are figures so far.
    pub ends_at: DateTime<Utc>,
    /// The configuration's hash.
    pub config_hash: String,
    /// By service.
    pub services: Vec<ServiceReport>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceReport {
    /// Name.
    pub service: String,
    /// For people.
    pub title: String,
    /// Its SLOs.
    pub slos: Vec<SloReport>,
}

/// One SLO over the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloReport {
    /// `service/slo`.
    pub id: String,
    /// For people.
    pub title: String,
    /// `occurrences`: events are counted, left out; `timeslices`: slots are.
    #[serde(default = "events", skip_serializing_if = "counts_events")]
    pub budgeting: String,
    /// 0–1.
    pub objective: f64,
    /// Null without events.
    pub achieved: Option<f64>,
    /// Good events.
    pub good: f64,
    /// Bad events.
    pub bad: f64,
    /// All events.
    pub total: f64,
    /// Good, bad and total are seconds up and down, not events. Left out where they are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_seconds: bool,
    /// Whether what was measured met the objective; null without events. Where `coverage` is under `min_coverage`, nobody
    /// can tell whether the month did.
    pub met: Option<bool>,
    /// Known slots / (expected so far − excluded), 0–1.
    pub coverage: f64,
    /// Under this coverage nobody can tell whether the objective was met: as configured, for `slod gate` too.
    #[serde(default = "usual_min_coverage")]
    pub min_coverage: f64,
    /// The budget.
    pub budget: BudgetUse,
    /// Its series, for `per`, the worst first; their sum is above. Empty without `per`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesReport>,
    /// What happened.
    pub incidents: Vec<IncidentCost>,
    /// Bad time that no incident was about, in order: it was over when it was found, or no policy watches it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<Breach>,
    /// Corrections by people.
    pub corrections: Vec<CorrectionView>,
    /// Changes of the objective.
    pub objective_changes: Vec<serde_json::Value>,
    /// What was not measured.
    #[serde(default)]
    pub gaps: GapsView,
}

fn usual_min_coverage() -> f64 {
    0.9
}

fn events() -> String {
    "occurrences".to_owned()
}

fn counts_events(budgeting: &str) -> bool {
    budgeting == "occurrences"
}

/// How the budget was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetUse {
    /// The measured reading: 0–1, above 1 = overspent. Null without events.
    pub consumed: Option<f64>,
    /// 1 − consumed: the measured reading.
    pub remaining: Option<f64>,
    /// Of the whole month's budget: if all that is unmeasured was good, and all that is to come is. It is
    /// 1 − `used_seconds` / `allowed_seconds`. Null without events.
    #[serde(default)]
    pub remaining_if_good: Option<f64>,
    /// Of the whole month's budget: if all that is unmeasured was bad, and all that is to come is good. Null without events.
    #[serde(default)]
    pub remaining_if_bad: Option<f64>,
    /// Bad events that as many events as were counted may hold.
    pub allowed_bad: f64,
    /// The whole month's budget as time.
    pub allowed_seconds: f64,
    /// What was used of it, as time: measured bad time.
    pub used_seconds: f64,
}

/// One series of an SLO with `per`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesReport {
    /// Its labels.
    pub series: Series,
    /// Null without events.
    pub achieved: Option<f64>,
    /// Bad events.
    pub bad: f64,
    /// All events.
    pub total: f64,
    /// Whether the objective was met; null without events.
    pub met: Option<bool>,
    /// 1 − consumed, in the measured reading; null without events.
    pub remaining: Option<f64>,
}

/// Bad slots in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breach {
    /// Of which series; empty without `per`.
    #[serde(default, skip_serializing_if = "Series::is_empty")]
    pub series: Series,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended.
    pub to: DateTime<Utc>,
    /// Bad events.
    pub bad: f64,
    /// Share of the month's budget, in the measured reading: of `allowed_bad`.
    pub budget_share: f64,
}

/// A correction by a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectionView {
    /// Of which series; empty without `per`.
    #[serde(default, skip_serializing_if = "Series::is_empty")]
    pub series: Series,
    /// The correction.
    #[serde(flatten)]
    #[schemars(with = "super::shapes::Correction")]
    pub correction: Correction,
}

impl CorrectionView {
    /// One correction of a series.
    pub fn new(series: &Series, correction: &Correction) -> Self {
        Self { series: series.clone(), correction: correction.clone() }
    }
}

impl std::ops::Deref for CorrectionView {
    type Target = Correction;

    fn deref(&self) -> &Correction {
        &self.correction
    }
}

/// One incident's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentCost {
    /// Incident.
    pub id: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Bad events within the month.
    pub bad: f64,
    /// Share of the month's budget, in the measured reading: of `allowed_bad`.
    pub budget_share: Option<f64>,
    /// The public status page, if a post was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_page: Option<PageDelay>,
}

/// When the public was told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageDelay {
    /// When the first post was due.
    pub due_at: DateTime<Utc>,
    /// When the page showed it; null if it never did.
    pub posted_at: Option<DateTime<Utc>>,
    /// How late that was, or is so far, in seconds; null in time.
    pub late_seconds: Option<i64>,
}
