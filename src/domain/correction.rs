//! Budget corrections: events that people add to, or take away from, what was counted. Append-only.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ledger::Totals;

/// Sums of many halves are not exact to the last digit.
const ROUNDING: f64 = 1e-6;

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

/// A correction that takes away what was never counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{wanted} {what} events are taken away, but only {counted} were counted from {} on, with all corrections; `at` is \
     where what is to be corrected begins",
    .at.format("%Y-%m-%dT%H:%M:%SZ")
)]
pub struct TooMuch {
    what: &'static str,
    wanted: String,
    counted: String,
    at: DateTime<Utc>,
}

impl Correction {
    /// Whether what it takes away is among `since`: the sums from the slot of `at` on, as corrected so far. A window
    /// that holds the correction holds all of those too, so no later event is ever made up for by it.
    pub fn is_covered_by(&self, since: &Totals) -> Result<(), TooMuch> {
        let parts = [
            ("bad", self.bad, since.bad()),
            ("good", self.total - self.bad, since.good),
            ("of all", self.total, since.total),
        ];
        let short = |number: f64| ((number * 1_000.0).round() / 1_000.0).to_string();
        match parts.into_iter().find(|(_, change, counted)| counted + change < -ROUNDING) {
            None => Ok(()),
            Some((what, change, counted)) => {
                Err(TooMuch { what, wanted: short(-change), counted: short(counted), at: self.at })
            }
        }
    }
}
