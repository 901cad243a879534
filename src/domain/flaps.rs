//! Flapping: an alert that goes back and forth between firing and not. It is told once, holds its incident open, and is
//! over after as long a quiet.
//!
//! What counts is what was told: a change of which an incident heard. Slots that come in late change an alert at most
//! once, however often it went back and forth in them; so neither they nor a restart make anything flap twice.

use serde::{Deserialize, Serialize};

use super::{condition::duration, policy::Flapping};

/// The newest changes of one alert between firing and not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flaps {
    /// Slot ends in Unix seconds, the oldest first; at most as many as make it flap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<i64>,
    /// What made it flap, for as long as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flapping: Option<Burst>,
}

/// So many changes within so short a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// How many changes.
    pub changes: u32,
    /// From the first to the last of them, in seconds.
    pub seconds: u32,
    /// It is over after so many seconds without a change.
    pub quiet: u32,
}

impl std::fmt::Display for Burst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (span, quiet) = (duration(self.seconds), duration(self.quiet));
        write!(f, "flapping: {} changes in {span}; open until there is none for {quiet}", self.changes)
    }
}

impl Flaps {
    /// What made it flap; none if it does not.
    pub fn burst(&self) -> Option<Burst> {
        self.flapping
    }

    /// It went from firing to not, or back, at the slot that ends at `at`.
    pub fn changed(&mut self, rule: Flapping, at: i64) {
        self.changes.retain(|change| *change <= at && at - change <= i64::from(rule.within));
        self.changes.push(at);
        let most = rule.changes.max(1) as usize;
        if let Some(first) = self.changes.len().checked_sub(most) {
            self.changes.drain(..first);
            let seconds = u32::try_from(at - self.changes[0]).unwrap_or(u32::MAX);
            self.flapping.get_or_insert(Burst { changes: rule.changes, seconds, quiet: rule.within });
        }
    }

    /// Nothing changed up to the slot that ends at `at`, of which something is known: what is not known is not quiet.
    pub fn unchanged(&mut self, rule: Flapping, at: i64) {
        if self.flapping.is_some() && self.changes.last().is_none_or(|last| at - last >= i64::from(rule.within)) {
            *self = Self::default();
        }
    }

    /// The clock had been ahead: what changed after `latest` did so at a time that never was.
    pub fn rewind(&mut self, latest: i64) {
        let last = self.changes.last().map(|last| *last.min(&latest));
        self.changes.retain(|change| *change <= latest);
        if self.flapping.is_some() && self.changes.is_empty() {
            self.changes.extend(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Flapping = Flapping { changes: 4, within: 3_600 };

    /// Minutes of changes, and whether it flaps at the last of them.
    #[test]
    fn four_changes_within_an_hour() {
        for (minutes, flaps) in [
            (&[0, 1, 2][..], false),
            (&[0, 1, 2, 3], true),
            (&[0, 20, 40, 60], true),
            (&[0, 20, 40, 61], false),
            (&[0, 30, 60, 90, 120, 150], false),
            (&[0, 50, 70, 80, 90], true),
        ] {
            let mut state = Flaps::default();
            for minute in minutes {
                state.changed(RULE, minute * 60);
            }
            assert_eq!(state.burst().is_some(), flaps, "{minutes:?}");
            assert!(state.changes.len() <= 4);
        }
    }

    #[test]
    fn it_is_over_after_as_long_a_quiet() {
        let mut state = Flaps::default();
        for at in [60, 120, 180, 240, 600] {
            state.changed(RULE, at);
        }
        let words = "flapping: 4 changes in 3m; open until there is none for 1h";
        assert_eq!(state.burst().map(|burst| burst.to_string()).as_deref(), Some(words), "told of once, as it began");
        state.unchanged(RULE, 600 + 3_599);
        assert!(state.burst().is_some());
        state.unchanged(RULE, 600 + 3_600);
        assert_eq!(state, Flaps::default());
    }

    #[test]
    fn a_clock_that_went_back_takes_its_changes_with_it() {
        let mut state = Flaps::default();
        for at in [60, 7_200, 7_260] {
            state.changed(RULE, at);
        }
        state.rewind(120);
        assert_eq!(state, Flaps::default(), "of the hour only the newest were left");
        for at in [130, 140, 150, 160] {
            state.changed(RULE, at);
        }
        state.rewind(100);
        assert!(state.burst().is_some(), "it is not over by that");
        state.unchanged(RULE, 100 + 3_600);
        assert!(state.burst().is_none());
    }
}
