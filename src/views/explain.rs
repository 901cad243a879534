//! A figure taken apart: what is asked, what was counted, how the figure follows, and the slots behind it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{report::CorrectionView, slo::SlotView};
use crate::domain::name::{Series, SloId};

/// `GET /api/v1/slos/{service}/{slo}/explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// `service/slo`.
    #[schemars(with = "String")]
    pub id: SloId,
    /// For people.
    pub title: String,
    /// Label values, for `per:`.
    pub series: Series,
    /// Where it is written: `slo.yaml:52`.
    pub location: String,
    /// What is promised, in words.
    pub promise: String,
    /// End of the slot that is explained.
    pub at: DateTime<Utc>,
    /// Slot length in seconds.
    pub every_seconds: u32,
    /// What is asked about each slot.
    pub asked: Vec<Asked>,
    /// The SLO's window first, then those that burn rates are told of.
    pub windows: Vec<Stretch>,
    /// The figures of the SLO's window, each with how it follows.
    pub figures: Vec<Figure>,
    /// What people corrected in the window; it is in all sums.
    #[serde(default)]
    pub corrections: Vec<CorrectionView>,
    /// The newest slots, the newest first.
    pub newest: Vec<SlotView>,
    /// The slots of the window with the most bad events, the worst first.
    pub worst: Vec<SlotView>,
}

/// One question about a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// What it answers: `bad`, `total`, …
    pub what: String,
    /// The source; none for a probe.
    pub source: Option<String>,
    /// As it is asked about the explained slot.
    pub query: String,
}

/// The sums of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// `30d`, `1h`.
    pub name: String,
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
    /// Seconds it should hold.
    pub expected_seconds: i64,
    /// Seconds that were measured or empty.
    pub known_seconds: i64,
    /// Seconds of which nothing is known.
    pub unmeasured_seconds: i64,
    /// Seconds that do not count.
    pub excluded_seconds: i64,
    /// Good events.
    pub good: f64,
    /// Bad events.
    pub bad: f64,
    /// All events.
    pub total: f64,
    /// Null without events.
    pub burn_rate: Option<f64>,
}

/// A figure and how it follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// `sli`, `budget.remaining`, …: as the API names it.
    pub name: String,
    /// In letters: `good / total`.
    pub formula: String,
    /// In numbers: `973,100 / 1,000,000`.
    pub with: String,
    /// What comes out; null where it says nothing.
    pub value: Option<f64>,
}
