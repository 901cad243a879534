//! One alert for each (policy, SLO, series, pair): `ok → pending → firing → clearing → ok`.
//!
//! A machine over slots: stepping it twice with one slot, or after the clock jumped, is harmless.

use serde::{Deserialize, Serialize};

use super::{
    condition::{Judgement, Memory, Truth},
    flaps::Flaps,
    policy::{ClearAfter, Flapping, Policy},
};

/// Where an alert stands. Times are slot ends in Unix seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum AlertState {
    /// Nothing.
    #[default]
    Ok,
    /// True, but not for long enough.
    Pending {
        /// Since this slot's end.
        since: i64,
    },
    /// It is so.
    Firing {
        /// Since this slot's end.
        since: i64,
        /// The condition is false since then, but not for long enough.
        false_since: Option<i64>,
        /// Distinct slots with the condition false.
        false_slots: u32,
    },
    /// Everything is good again and only a window remembers. Holds no incident open.
    Clearing {
        /// When it had fired.
        since: i64,
    },
}

impl AlertState {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Pending { .. } => "pending",
            Self::Firing { .. } => "firing",
            Self::Clearing { .. } => "clearing",
        }
    }

    fn is_firing(self) -> bool {
        matches!(self, Self::Firing { .. })
    }
}

/// One alert: what is stored of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Where it stands.
    pub state: AlertState,
    /// What its condition remembers.
    pub memory: Memory,
    /// Resolved by a person: silent until it has cleared once.
    pub muted: bool,
    /// End of the newest slot it was judged at.
    pub judged_at: i64,
    /// Whether it goes back and forth.
    #[serde(default)]
    pub flaps: Flaps,
}

/// What a step changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing that an incident must hear of.
    None,
    /// It fired, or fired again out of clearing, as of this slot end.
    Fired {
        /// The slot's end.
        at: i64,
    },
    /// All is good again, though the window remembers.
    Clearing,
    /// It is over.
    Cleared,
    /// It is over: it was on the budget of a calendar period that has ended.
    NewPeriod,
}

impl Alert {
    /// Takes back what was judged after `latest`: the clock had been ahead.
    pub fn rewind(&mut self, latest: i64) {
        self.judged_at = self.judged_at.min(latest);
        self.memory.rewind(latest);
        self.flaps.rewind(latest);
        match &mut self.state {
            AlertState::Ok => {}
            AlertState::Pending { since } | AlertState::Clearing { since } => *since = latest.min(*since),
            AlertState::Firing { since, false_since, .. } => {
                *since = latest.min(*since);
                *false_since = false_since.map(|since| since.min(latest));
            }
        }
    }

    /// Counts what its newest judgement changed against `before`. `known`: whether anything is known of the newest slot.
    pub fn count_change(&mut self, before: &Self, rule: Flapping, change: Change, known: bool) {
        self.flaps = before.flaps.clone();
        match change {
            Change::NewPeriod => self.flaps = Flaps::default(),
            // Of what a person has silenced nobody hears.
            _ if before.muted && !matches!(change, Change::Fired { .. }) => {}
            Change::None if known => self.flaps.unchanged(rule, self.judged_at),
            Change::None => {}
            _ if before.state.is_firing() != self.state.is_firing() => self.flaps.changed(rule, self.judged_at),
            Change::Fired { .. } | Change::Clearing | Change::Cleared => {}
        }
    }

    /// Judges one more slot, which ends at `at`. An older slot changes nothing.
    pub fn step(&mut self, policy: &Policy, at: i64, seen: Judgement) -> Change {
        if at < self.judged_at {
            return Change::None;
        }
        let again = at == self.judged_at;
        self.judged_at = at;
        match self.state {
            AlertState::Firing { .. } | AlertState::Clearing { .. }
                if seen.new_period && seen.truth == Truth::False =>
            {
                self.clear();
                Change::NewPeriod
            }
            AlertState::Ok | AlertState::Pending { .. } => self.towards_firing(policy, at, seen),
            AlertState::Firing { since, false_since, false_slots } => match seen.truth {
                Truth::True if seen.good_again => {
                    // Good again is as good as cleared: the next outage is heard.
                    self.muted = false;
                    self.state = AlertState::Clearing { since };
                    Change::Clearing
                }
                Truth::True => {
                    self.state = AlertState::Firing { since, false_since: None, false_slots: 0 };
                    Change::None
                }
                Truth::False if seen.clearable => {
                    let slots = if again && false_slots > 0 { false_slots } else { false_slots + 1 };
                    let first = false_since.unwrap_or(at);
                    let over = match policy.clear_after {
                        ClearAfter::Slots(needed) => slots >= needed,
                        ClearAfter::Seconds(needed) => at - first >= i64::from(needed),
                    };
                    if over {
                        return self.clear();
                    }
                    self.state = AlertState::Firing { since, false_since: Some(first), false_slots: slots };
                    Change::None
                }
                Truth::False | Truth::Unknown => Change::None,
            },
            AlertState::Clearing { .. } => match seen.truth {
                Truth::True if seen.bad_now => self.fire(at),
                Truth::False if seen.clearable => self.clear(),
                _ => Change::None,
            },
        }
    }

    fn towards_firing(&mut self, policy: &Policy, at: i64, seen: Judgement) -> Change {
        let since = match (self.state, seen.truth) {
            (_, Truth::Unknown) => return Change::None,
            (_, Truth::False) => {
                self.state = AlertState::Ok;
                self.muted = false;
                return Change::None;
            }
            // A window that still remembers what was over before it was judged, or before it was long enough.
            (_, Truth::True) if seen.good_again => {
                self.state = AlertState::Ok;
                return Change::None;
            }
            (AlertState::Pending { since }, Truth::True) => since,
            (_, Truth::True) => at,
        };
        if at - since >= i64::from(policy.hold) {
            self.fire(at)
        } else {
            self.state = AlertState::Pending { since };
            Change::None
        }
    }

    fn fire(&mut self, at: i64) -> Change {
        self.state = AlertState::Firing { since: at, false_since: None, false_slots: 0 };
        if self.muted { Change::None } else { Change::Fired { at } }
    }

    fn clear(&mut self) -> Change {
        self.state = AlertState::Ok;
        self.muted = false;
        Change::Cleared
    }
}
