//! One SLO as the API shows it. Ratios are 0–1, absent is null, never NaN.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::render_words::percent;
use crate::domain::{name::SloId, slot::SlotState};

/// `GET /api/v1/slos/{service}/{slo}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloView {
    /// `service/slo`.
    #[schemars(with = "String")]
    pub id: SloId,
    /// Service name.
    pub service: String,
    /// SLO name.
    pub name: String,
    /// For people.
    pub title: String,
    /// Label values, for `per:`.
    pub series: BTreeMap<String, String>,
    /// 0–1.
    pub objective: f64,
    /// As configured: `30d`.
    pub window: String,
    /// `occurrences` or `timeslices`.
    pub budgeting: String,
    /// ok, burning, exhausted, blind, empty.
    pub state: SloState,
    /// Null without events.
    pub sli: Option<f64>,
    /// Good events in the window.
    pub good: f64,
    /// Bad events in the window.
    pub bad: f64,
    /// All events in the window.
    pub total: f64,
    /// Good, bad and total are seconds up and down, not events. Left out where they are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_seconds: bool,
    /// The budget.
    pub budget: BudgetView,
    /// Burn rates by window: `5m 30m 1h 6h 3d`, null where the window has under two slots.
    pub burn_rate: BTreeMap<String, Option<f64>>,
    /// The newest shown value or percentile.
    pub value: Option<ValueView>,
    /// The current run.
    pub streak: StreakView,
    /// End of the newest settled slot.
    pub watermark: Option<DateTime<Utc>>,
    /// When this was computed.
    pub evaluated_at: DateTime<Utc>,
    /// Alerts by policy.
    pub policies: Vec<PolicyView>,
    /// The data fault or source error of the newest slot, if any.
    pub fault: Option<String>,
    /// While slots of the window are still to be asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<BackfillView>,
}

/// How far an SLO's history is filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackfillView {
    /// Slots that are still to be asked about.
    pub missing_slots: i64,
    /// Slots in the window.
    pub window_slots: i64,
    /// Why it stands still, if it does.
    pub waiting: Option<String>,
}

impl BackfillView {
    /// The part of the window that was asked about, 0–1.
    pub fn done(&self) -> f64 {
        let done = (self.window_slots - self.missing_slots).max(0);
        done as f64 / self.window_slots.max(1) as f64
    }
}

impl SloView {
    /// By state, then by budget left, then by name and labels: the worst first.
    pub fn worst_first(one: &Self, other: &Self) -> std::cmp::Ordering {
        let left = |slo: &Self| slo.budget.remaining.unwrap_or(f64::INFINITY);
        let by_state = one.state.cmp(&other.state).then(left(one).total_cmp(&left(other)));
        by_state.then_with(|| (&one.id, &one.series).cmp(&(&other.id, &other.series)))
    }
}

/// The state of an SLO: the first that holds of blind, exhausted, burning, empty, ok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SloState {
    /// Its newest slots are unmeasured for `blind_after`.
    Blind,
    /// `remaining_if_good` < 0.
    Exhausted,
    /// A condition is pending or firing.
    Burning,
    /// The window holds no events.
    Empty,
    /// None of these.
    Ok,
}

impl SloState {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Exhausted => "exhausted",
            Self::Burning => "burning",
            Self::Empty => "empty",
            Self::Ok => "ok",
        }
    }
}

/// `budget` of an SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetView {
    /// The measured reading; 1 = untouched, negative = overspent.
    pub remaining: Option<f64>,
    /// If every unmeasured slot was good.
    pub remaining_if_good: Option<f64>,
    /// If every unmeasured slot was bad. Null while no slot is known.
    pub remaining_if_bad: Option<f64>,
    /// Known slots / (expected − excluded), 0–1.
    pub coverage: f64,
    /// Bad events the window may hold.
    pub allowed_bad: f64,
    /// When it will be gone at the present rate.
    pub exhausts_at: Option<DateTime<Utc>>,
    /// The budget as time.
    pub allowed_seconds: f64,
}

impl BudgetView {
    /// What is left if all that is unmeasured was good, in words, where those differ from the measured reading's.
    pub fn if_good_apart(&self) -> Option<String> {
        let (left, good) = (percent(self.remaining?), percent(self.remaining_if_good?));
        (left != good).then_some(good)
    }
}

/// `value` of an SLO.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueView {
    /// Which percentile, for latencies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentile: Option<f64>,
    /// In seconds, for latencies and ages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The number, for values in other units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// The unit as configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// `streak` of an SLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreakView {
    /// Bad slots in a row.
    pub bad: u32,
}

/// One alert of an SLO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyView {
    /// The policy, for a burn pair `policy:1h/5m`.
    pub name: String,
    /// ok, pending, firing, clearing.
    pub state: String,
}

/// One slot as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlotView {
    /// Start.
    pub start: DateTime<Utc>,
    /// Length.
    pub seconds: u32,
    /// Good events.
    pub good: f64,
    /// All events.
    pub total: f64,
    /// State.
    #[schemars(with = "super::shapes::SlotState")]
    pub state: SlotState,
    /// The shown value or percentile.
    pub reading: Option<f64>,
}
