//! The shapes of what the ground floor keeps, as the API describes them.
//!
//! The ground floor derives what stores a document and nothing that describes one. Each type here repeats one of its types
//! field by field; it is never made, and every answer of the companion is held to it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// P1 is the most urgent.
#[derive(Serialize, JsonSchema)]
pub enum Priority {
    /// Critical.
    P1,
    /// Error.
    P2,
    /// Warning.
    P3,
    /// Warning.
    P4,
    /// Informational.
    P5,
}

/// The state of a settled slot.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SlotState {
    /// Events were counted (or were charged to a later slot: total 0).
    Measured,
    /// Proof of no event.
    Empty,
    /// Nothing is known; may be replaced by a later answer.
    Unmeasured,
    /// In a maintenance window that does not count.
    Excluded,
}

/// One correction of a budget.
#[derive(Serialize, JsonSchema)]
pub struct Correction {
    /// The time it is about.
    pub at: DateTime<Utc>,
    /// Bad events more, or less if negative. Slots, where time slices are counted.
    pub bad: f64,
    /// Events more, or less if negative; the bad ones are among them.
    pub total: f64,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

/// What a silence is about: all of it must match, to the letter.
#[derive(Serialize, JsonSchema)]
pub struct Matcher {
    /// The service.
    pub service: String,
    /// One SLO of it; null for all of them.
    pub slo: Option<String>,
    /// What one policy's alerts would say; null for all of them.
    pub policy: Option<String>,
    /// Labels of series, for SLOs with `per`; empty for all series.
    pub labels: BTreeMap<String, String>,
}

/// A small table. A cell is null where the source had no value.
#[derive(Serialize, JsonSchema)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more rows or columns than are kept.
    pub more: bool,
}

/// What came of one look at the surroundings of an incident.
#[derive(Serialize, JsonSchema)]
pub struct Diagnosis {
    /// Its name.
    pub name: String,
    /// `public_status`, `sql`, `explain`, `promql`, `http`.
    pub kind: String,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// How long the answer took.
    pub took_seconds: f64,
    /// It could be asked, and nothing wrong was found.
    pub ok: bool,
    /// In few words; `could not be asked: …` where it failed.
    pub summary: String,
    /// Lines as the source wrote them, such as a plan.
    pub text: Option<String>,
    /// Rows.
    pub table: Option<Table>,
    /// Which look at the incident it belongs to, from 1.
    pub look: u32,
    /// Looked at well after the incident opened: slod was away.
    pub late: bool,
}
