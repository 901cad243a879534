//! What makes an alert, and who hears of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{name::Name, slo::Comparison};

/// P1 is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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

impl Priority {
    /// All, the most urgent first.
    pub const ALL: [Self; 5] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5];

    /// Whether somebody is woken: P1 and P2.
    pub fn is_page(self) -> bool {
        self <= Self::P2
    }

    /// PagerDuty's severity for it.
    pub fn severity(self) -> &'static str {
        match self {
            Self::P1 => "critical",
            Self::P2 => "error",
            Self::P3 | Self::P4 => "warning",
            Self::P5 => "info",
        }
    }

    /// `P1` … `P5`.
    pub fn as_str(self) -> &'static str {
        ["P1", "P2", "P3", "P4", "P5"][self as usize]
    }
}

impl std::fmt::Display for Priority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// One entry under `policies:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// When it is true.
    pub when: Condition,
    /// How long it must be true before it fires, in seconds.
    pub hold: u32,
    /// What ends it.
    pub clear_after: ClearAfter,
    /// Changes within a time that count as flapping. Default 4 within max(1h, 12 slots).
    pub flapping: Option<Flapping>,
    /// How urgent.
    pub priority: Priority,
    /// Told at once.
    pub notify: Vec<Name>,
    /// Told in steps. If both this and `notify` are absent, the service's default.
    pub escalation: Option<Name>,
    /// Bad events needed in the long window or the run. 1 switches the guard off.
    pub min_bad: u32,
    /// One-sided confidence needed, 0–1, that as much is bad as the condition says.
    pub min_confidence: Option<f64>,
    /// What gaps do to a run.
    pub on_gap: OnGap,
    /// How long a spent budget counts as still being spent, in seconds. Default max(1h, 12 slots).
    pub active: Option<u32>,
    /// Firing again this soon is the same incident, in seconds. Default max(10m, 4 slots).
    pub reopen_within: Option<u32>,
    /// Which reading of the budget decides.
    pub judge: Judge,
    /// Reminds chat and mail this often, in seconds; never pagers.
    pub repeat: Option<u32>,
    /// Carried into messages.
    pub labels: BTreeMap<String, String>,
    /// The first line of messages, as a template; the built-in text without it.
    pub summary: Option<String>,
}

/// What ends a firing alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearAfter {
    /// So many measured slots with the condition false.
    Slots(u32),
    /// So many seconds with the condition false.
    Seconds(u32),
}

/// A flapping rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// How many changes.
    pub changes: u32,
    /// Within how many seconds.
    pub within: u32,
}

/// What a gap does to a run of bad slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnGap {
    /// Neither extends nor breaks it, for at most 12 slots.
    #[default]
    Hold,
    /// Ends it.
    Reset,
    /// Unmeasured counts as bad (empty never).
    Count,
}

/// Which of the three readings a condition is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Judge {
    /// Unmeasured slots were good.
    #[default]
    IfGood,
    /// Only what was measured.
    Measured,
    /// Unmeasured slots were bad.
    IfBad,
}

/// `when:` of a policy.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The last so many measured slots were bad.
    Consecutive(u32),
    /// Budget left is under this share (may be negative).
    BudgetRemaining(Comparison),
    /// Both windows of a pair burn at least `factor` times too fast.
    BurnRate(BurnRate),
    /// The time to exhaustion is below `time`, at the rate of `over`. Both in seconds.
    ExhaustedWithin {
        /// Fires below this.
        time: u32,
        /// The window the rate is taken from.
        over: u32,
    },
    /// No known slot for so many seconds.
    NoData(u32),
    /// A value indicator's number.
    Value(Comparison),
    /// All of them.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
}

/// Which pairs of windows.
#[derive(Clone, Debug, PartialEq)]
pub enum BurnRate {
    /// As written.
    Pairs(Vec<BurnPair>),
    /// The SRE workbook's three, fitted to the SLO.
    SreWorkbook,
    /// The one of them with this long window, in seconds: fitted anew in each calendar period.
    SreWorkbookPair(u32),
}

/// A long and a short window that must both burn at least `factor` times too fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurnPair {
    /// Seconds.
    pub long: u32,
    /// Seconds.
    pub short: u32,
    /// Times the rate that would spend the budget exactly over the window.
    pub factor: f64,
}

/// Who hears next, and when. Counted from the moment the policy's alert fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Escalation {
    /// Its name.
    pub name: Name,
    /// An acknowledgement lapses after so many seconds.
    pub acknowledge_timeout: Option<u32>,
    /// All steps again, counted from the last.
    pub repeat: Option<Repeat>,
    /// In order of `after`.
    pub steps: Vec<EscalationStep>,
}

/// Repetition of an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Seconds after the last step.
    pub every: u32,
    /// How many times.
    pub times: u32,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct EscalationStep {
    /// Seconds after the alert fired.
    pub after: u32,
    /// What makes the step unnecessary.
    pub unless: Unless,
    /// Who is told.
    pub notify: Vec<Name>,
}

/// What makes a step unnecessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unless {
    /// Somebody acknowledged.
    #[default]
    Acknowledged,
    /// Only the end of the incident.
    Resolved,
}
