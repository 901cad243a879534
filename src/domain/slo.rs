//! What an SLO promises, without where its numbers come from.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use super::window::{Calendar, Period, Window};
use super::{
    name::SloId,
    slot::{Slot, SlotState},
};

/// One whole in parts per billion.
pub const BILLION: u32 = 1_000_000_000;

/// The share of events that must be good, kept as an integer so that a service exactly on its
/// objective is met. Between 0 and 100 %, both excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Objective {
    allowed_ppb: u32,
}

impl Objective {
    /// From the objective in parts per billion (`995_000_000` is 99.5 %).
    /// `None` unless `0 < objective < 1`.
    pub fn from_ppb(objective_ppb: u32) -> Option<Self> {
        (objective_ppb > 0 && objective_ppb < BILLION).then(|| Self { allowed_ppb: BILLION - objective_ppb })
    }

    /// The objective as a ratio, 0–1.
    pub fn ratio(self) -> f64 {
        f64::from(BILLION - self.allowed_ppb) / f64::from(BILLION)
    }

    /// The share of events that may be bad, 0–1: `1 − objective`.
    pub fn allowed(self) -> f64 {
        f64::from(self.allowed_ppb) / f64::from(BILLION)
    }

    /// The share that may be bad, in parts per billion.
    pub fn allowed_ppb(self) -> u32 {
        self.allowed_ppb
    }

    /// Whether `bad` of `total` events keep the promise. Exact for whole counts.
    pub fn is_met(self, bad: f64, total: f64) -> bool {
        if bad.fract() == 0.0 && total.fract() == 0.0 && bad.abs() < 9e15 && total.abs() < 9e15 {
            bad as i128 * i128::from(BILLION) <= i128::from(self.allowed_ppb) * total as i128
        } else {
            bad <= self.allowed() * total
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ppb = BILLION - self.allowed_ppb;
        let digits = format!("{}.{:07}", ppb / 10_000_000, ppb % 10_000_000);
        write!(formatter, "{}%", digits.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// How slots become a service level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budgeting {
    /// Σ good / Σ total.
    Occurrences,
    /// Good slots / known slots; a slot is good if its ratio reaches the target.
    Timeslices {
        /// The ratio a slot must reach.
        slice_target: Objective,
    },
}

/// The promise itself: everything that counting, budgets and conditions need to know of an SLO.
#[derive(Clone, Debug, PartialEq)]
pub struct SloSpec {
    /// `service/slo`.
    pub id: SloId,
    /// The share of good events that is promised.
    pub objective: Objective,
    /// What the budget is counted over.
    pub window: Window,
    /// How slots are counted.
    pub budgeting: Budgeting,
    /// Slot length in seconds, at least 1.
    pub every: u32,
    /// How long after its end a slot is asked for, in milliseconds.
    pub settle_ms: u64,
    /// How long everything must have been good before a window alert counts as clearing, in seconds.
    pub good_for: u32,
    /// Coverage under which a gate answers "cannot tell", 0–1.
    pub min_coverage: f64,
    /// The indicator's kind: decides what an event is.
    pub kind: IndicatorKind,
}

impl SloSpec {
    /// What the ratio of one slot must reach to be good: the slice target, or the objective itself.
    pub fn slot_target(&self) -> Objective {
        match self.budgeting {
            Budgeting::Occurrences => self.objective,
            Budgeting::Timeslices { slice_target } => slice_target,
        }
    }

    /// Whether a slot is bad: measured, and its ratio below what it must reach.
    pub fn is_bad(&self, slot: &Slot) -> bool {
        slot.state == SlotState::Measured && slot.total > 0.0 && !self.slot_target().is_met(slot.bad(), slot.total)
    }

    /// Whether seconds are counted, not events.
    pub fn counts_seconds(&self) -> bool {
        self.kind == IndicatorKind::Uptime && !self.counts_slots()
    }

    /// Whether slots are counted, not events.
    pub fn counts_slots(&self) -> bool {
        matches!(self.budgeting, Budgeting::Timeslices { .. })
    }
}

/// The kind of an indicator, as far as counting cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndicatorKind {
    /// Good and total event counts.
    Ratio,
    /// Events at most a threshold long.
    Latency,
    /// One number a slot against a comparison.
    Value,
    /// One HTTP check a slot.
    Probe,
    /// Up and down seconds.
    Uptime,
}

impl IndicatorKind {
    /// Whether a slot holds many events (so that `min_bad` guards runs), not one yes or no.
    pub fn counts_events(self) -> bool {
        matches!(self, Self::Ratio | Self::Latency)
    }
}

/// `<= 15m`, `> 30`: a comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// How.
    pub operator: Operator,
    /// With what, in the indicator's unit (seconds where durations are written).
    pub bound: f64,
}

/// A comparison's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Operator {
    /// As it is written: `<=`.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl Comparison {
    /// Whether `value` satisfies it. NaN satisfies nothing.
    pub fn holds(&self, value: f64) -> bool {
        match self.operator {
            Operator::Less => value < self.bound,
            Operator::AtMost => value <= self.bound,
            Operator::Greater => value > self.bound,
            Operator::AtLeast => value >= self.bound,
            Operator::Equal => value.total_cmp(&self.bound).is_eq(),
            Operator::NotEqual => !value.is_nan() && value.total_cmp(&self.bound).is_ne(),
        }
    }
}
