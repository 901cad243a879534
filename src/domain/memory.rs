//! What a condition remembers between slots: which of its budget lines were crossed.

use serde::{Deserialize, Serialize};

use super::{
    budget::{Tally, window_sums},
    policy::{Condition, Policy},
    slo::{Comparison, SloSpec},
};

/// A crossed budget line re-arms this far above itself.
pub(super) const REARM: f64 = 0.05;

/// What the budget lines of a condition remember between slots: one bit for each, in the order they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The line was crossed and has not re-armed since.
    pub(super) crossed: u8,
    /// It is being spent below the line right now.
    pub(super) spending: u8,
    /// The clock went back to here (a slot's end): what was good up to then was so before the alert fired.
    #[serde(default)]
    pub(super) rewound_to: i64,
    /// Start of the calendar period it was last judged in; 0 before that, and on rolling windows.
    #[serde(default)]
    period: i64,
}

impl Memory {
    /// The clock went back: the slots after `latest` are no more.
    pub fn rewind(&mut self, latest: i64) {
        self.rewound_to = latest;
    }

    /// What is left of it when slots are judged anew.
    #[must_use]
    pub fn without_lines(&self) -> Self {
        Self { rewound_to: self.rewound_to, ..Self::default() }
    }

    /// Whether a budget is being spent below one of its lines.
    pub fn is_spending(&self) -> bool {
        self.spending != 0
    }

    /// These lines (a bit each) were crossed some time ago.
    pub fn cross(&mut self, lines: u8) {
        self.crossed |= lines;
    }

    /// Enters the period that begins at `start`. Answers whether it is a new one: then every line is armed again.
    pub(super) fn enter(&mut self, start: Option<i64>) -> bool {
        let begun = start.is_some_and(|start| self.period != 0 && start > self.period);
        if begun {
            (self.crossed, self.spending) = (0, 0);
        }
        self.period = start.unwrap_or_default();
        begun
    }

    pub(super) fn set(bits: &mut u8, line: u8, on: bool) {
        *bits = (*bits & !(1 << line)) | (u8::from(on) << line);
    }
}

/// The budget lines of a condition, a bit each, in the order they are written.
pub fn lines(condition: &Condition) -> u8 {
    budget_lines(condition).iter().enumerate().fold(0, |bits, (number, _)| bits | 1 << (number % 8))
}

/// Which budget lines are crossed at slot `at`, and for which the budget is so far above that they are armed.
pub fn lines_at(condition: &Condition, policy: &Policy, spec: &SloSpec, tally: Tally<'_>, at: i64) -> (u8, u8) {
    let left = window_sums(spec, tally, at).remaining(spec.objective, policy.judge);
    let (mut crossed, mut armed) = (0, 0);
    for (number, line) in budget_lines(condition).into_iter().enumerate() {
        Memory::set(&mut crossed, number as u8 % 8, left.is_some_and(|left| line.holds(left)));
        Memory::set(&mut armed, number as u8 % 8, left.is_some_and(|left| left >= line.bound + REARM));
    }
    (crossed, armed)
}

fn budget_lines(condition: &Condition) -> Vec<&Comparison> {
    match condition {
        Condition::BudgetRemaining(line) => vec![line],
        Condition::All(parts) | Condition::Any(parts) => parts.iter().flat_map(budget_lines).collect(),
        _ => Vec::new(),
    }
}
