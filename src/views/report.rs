//! The budget report of one month.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/budget`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetReport {
    /// `2026-10`.
    pub month: String,
    /// The zone the month is cut in.
    pub timezone: String,
    /// When it was made.
    pub generated_at: DateTime<Utc>,
    /// The configuration's hash.
    pub config_hash: String,
    /// By service.
    pub services: Vec<ServiceReport>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Name.
    pub service: String,
    /// For people.
    pub title: String,
    /// Its SLOs.
    pub slos: Vec<SloReport>,
}

/// One SLO over the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloReport {
    /// `service/slo`.
    pub id: String,
    /// For people.
    pub title: String,
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
    /// Whether the objective was met; null without events.
    pub met: Option<bool>,
    /// Known slots / (expected so far − excluded), 0–1.
    pub coverage: f64,
    /// The budget.
    pub budget: BudgetUse,
    /// What happened.
    pub incidents: Vec<IncidentCost>,
    /// Corrections by people.
    pub corrections: Vec<serde_json::Value>,
    /// Changes of the objective.
    pub objective_changes: Vec<serde_json::Value>,
}

/// How the budget was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetUse {
    /// 0–1, above 1 = overspent. Null without events.
    pub consumed: Option<f64>,
    /// 1 − consumed.
    pub remaining: Option<f64>,
    /// Bad events the month may hold.
    pub allowed_bad: f64,
    /// The budget as time.
    pub allowed_seconds: f64,
    /// What was used, as time.
    pub used_seconds: f64,
}

/// One incident's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentCost {
    /// Incident.
    pub id: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Bad events within the month.
    pub bad: f64,
    /// Share of the month's budget.
    pub budget_share: Option<f64>,
}
