//! Budget corrections: events that people add to, or take away from, what was counted. Append-only.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One correction. It counts in every window that holds the slot of `at`, and never in a run of slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// The time it is about.
    pub at: DateTime<Utc>,
    /// Bad events more, or less if negative. Slots, where time slices are counted.
    pub bad: f64,
    /// Events more, or less if negative; the bad ones are among them.
    pub total: f64,
    /// Why, in the author's words: from outside, hostile.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}
