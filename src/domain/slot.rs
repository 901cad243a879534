//! Slots: the smallest stretch of time that is judged, and what was seen in it.

use serde::{Deserialize, Serialize};

use super::{name::Series, slo::Comparison};

/// A stretch of Unix time `[start, end)` in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First second.
    pub start: i64,
    /// First second after it.
    pub end: i64,
}

impl Span {
    /// Slot `index` of length `every`.
    pub fn slot(index: i64, every: u32) -> Self {
        Self { start: index * i64::from(every), end: (index + 1) * i64::from(every) }
    }

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        self.end - self.start
    }
}

/// What one question about one slot brought back.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Events were counted. `0 ≤ good ≤ total`, `total > 0`, both finite: see [`Reading::events`].
    Events {
        /// How many were good.
        good: f64,
        /// How many there were.
        total: f64,
        /// The value or percentile that is shown beside them, in the indicator's unit. Decides nothing.
        shown: Option<f64>,
    },
    /// Proof that there was no event.
    Empty,
    /// Its events are counted in a later slot: a scrape was missed, and the series came back there. Measured, with none.
    Charged,
    /// Nothing is known of the slot.
    Unmeasured(Gap),
    /// It overlaps a maintenance window that does not count.
    Excluded,
}

/// Why a slot is unmeasured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", content = "text")]
pub enum Gap {
    /// The source did not answer (error, timeout).
    NoAnswer(String),
    /// The source answered, but with no series or no value.
    NoData,
    /// The answer contradicts itself (good > total, NaN, negative).
    DataFault(String),
    /// The source does not know yet, and is to be asked again.
    NotYet,
    /// slod was not running, or could not ask.
    NotAsked,
    /// A probe whose witnesses failed too: our own network is at fault.
    OurFault(String),
}

impl Reading {
    /// Judges event counts: a contradiction is a data fault, a total of zero proof of no event.
    pub fn events(good: f64, total: f64, shown: Option<f64>) -> Self {
        if !good.is_finite() || !total.is_finite() {
            Self::Unmeasured(Gap::DataFault(format!("good is {good}, total is {total}")))
        } else if good < 0.0 || total < 0.0 {
            Self::Unmeasured(Gap::DataFault(format!("negative count: good is {good}, total is {total}")))
        } else if good > total {
            Self::Unmeasured(Gap::DataFault(format!("good ({good}) is more than total ({total})")))
        } else if total == 0.0 {
            Self::Empty
        } else {
            Self::Events { good, total, shown: shown.filter(|value| value.is_finite()) }
        }
    }

    /// Judges one number: the slot is one event, good or bad. NaN and infinities are data faults.
    pub fn value(number: f64, good: &Comparison) -> Self {
        if number.is_finite() {
            Self::Events { good: f64::from(u8::from(good.holds(number))), total: 1.0, shown: Some(number) }
        } else {
            Self::Unmeasured(Gap::DataFault(format!("the value is {number}")))
        }
    }

    /// One check, passed or failed. `seconds` is how long it took, where that is known.
    pub fn check(passed: bool, seconds: Option<f64>) -> Self {
        Self::Events { good: f64::from(u8::from(passed)), total: 1.0, shown: seconds }
    }

    /// Whether a later question may bring more: nobody answered, or nobody knew yet.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Unmeasured(Gap::NoAnswer(_) | Gap::NotAsked | Gap::NotYet))
    }

    /// The state this reading gives its slot.
    pub fn state(&self) -> SlotState {
        match self {
            Self::Events { .. } | Self::Charged => SlotState::Measured,
            Self::Empty => SlotState::Empty,
            Self::Unmeasured(_) => SlotState::Unmeasured,
            Self::Excluded => SlotState::Excluded,
        }
    }
}

/// What was learned about one slot of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotAnswer {
    /// Its number.
    pub slot: i64,
    /// Label values; empty without `per`.
    pub series: Series,
    /// What is known of it.
    pub reading: Reading,
}

/// The state of a settled slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

impl SlotState {
    /// Measured or empty.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Measured | Self::Empty)
    }
}

/// One settled slot as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Slot number: `start / every`.
    pub index: i64,
    /// What is known of it.
    pub state: SlotState,
    /// Good events; 0 unless measured.
    pub good: f64,
    /// All events; 0 unless measured.
    pub total: f64,
    /// The shown value or percentile.
    pub shown: Option<f64>,
}

impl Slot {
    /// A slot with the reading's counts.
    pub fn settled(index: i64, reading: &Reading) -> Self {
        let (good, total, shown) = match reading {
            Reading::Events { good, total, shown } => (*good, *total, *shown),
            _ => (0.0, 0.0, None),
        };
        Self { index, state: reading.state(), good, total, shown }
    }

    /// Bad events.
    pub fn bad(&self) -> f64 {
        self.total - self.good
    }
}
