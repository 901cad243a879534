//! Alerts recomputed from stored slots, when slots came in late: in order, as if they had come in time.
//!
//! What is still true at the newest slot fires as of the slot that made it so; what was true and is over leaves no trace
//! but the slots. A firing alert is followed from the slot at which it fired.

use super::{
    alert::{Alert, AlertState, Change},
    budget::Tally,
    condition::{Judgement, Truth, judge},
    memory::{Memory, lines, lines_at},
    policy::{ClearAfter, Condition, Policy},
    slo::SloSpec,
};

/// Slots that are looked back at; what has been true for longer fires as of the oldest of them.
const BACK_MAX: usize = 5_000;
/// Steps that are looked back for a budget line that was crossed.
const RECALL_MAX: usize = 1_000;

/// An alert and everything it is judged by.
#[derive(Clone, Copy)]
pub struct Replay<'a> {
    /// What is asked.
    pub condition: &'a Condition,
    /// Its policy.
    pub policy: &'a Policy,
    /// Of which SLO.
    pub spec: &'a SloSpec,
    /// The slots.
    pub tally: Tally<'a>,
}

impl Replay<'_> {
    /// The alert as it would stand if every slot up to `newest` had come in its time, and what that changes.
    pub fn recompute(self, alert: &Alert, newest: i64) -> (Alert, Change) {
        let every = i64::from(self.spec.every);
        let mut fresh = Alert { memory: alert.memory.without_lines(), ..Alert::default() };
        let first = match alert.state {
            AlertState::Firing { since, .. } | AlertState::Clearing { since } => {
                fresh.state = AlertState::Firing { since, false_since: None, false_slots: 0 };
                fresh.muted = alert.muted;
                // It fired at the end of its slot.
                (since.div_euclid(every) - 1).min(newest)
            }
            AlertState::Ok | AlertState::Pending { .. } => {
                let first = self.quiet_before(newest, fresh.memory);
                self.recall(first, &mut fresh.memory);
                first
            }
        };
        let mut ended = Change::Cleared;
        for slot in self.slots(first, newest) {
            let Some(seen) = self.seen(slot, &mut fresh.memory) else { continue };
            match fresh.step(self.policy, (slot + 1) * every, seen) {
                change @ (Change::Cleared | Change::NewPeriod) => ended = change,
                Change::None | Change::Fired { .. } | Change::Clearing => {}
            }
        }
        self.compared(alert, fresh, newest, ended)
    }

    /// The alert as it stood at slot `newest`, had every slot up to there come in its time and nobody muted it.
    pub fn as_of(self, newest: i64) -> Alert {
        let every = i64::from(self.spec.every);
        let mut alert = Alert::default();
        let first = self.quiet_before(newest, alert.memory);
        self.recall(first, &mut alert.memory);
        for slot in self.slots(first, newest) {
            let Some(seen) = self.seen(slot, &mut alert.memory) else { continue };
            alert.step(self.policy, (slot + 1) * every, seen);
        }
        alert
    }

    /// What is new about `fresh`, which is recomputed, against `alert`.
    fn compared(self, alert: &Alert, mut fresh: Alert, newest: i64, ended: Change) -> (Alert, Change) {
        match (alert.state, fresh.state) {
            (AlertState::Firing { since, .. }, AlertState::Firing { since: again, false_since, false_slots }) => {
                // Cleared once, and firing again: a person's silence is over.
                if alert.muted && !fresh.muted {
                    return (fresh, Change::Fired { at: again });
                }
                fresh.state = AlertState::Firing { since, false_since, false_slots };
                (fresh, Change::None)
            }
            (AlertState::Firing { .. }, _) if !self.is_known(newest) && ended != Change::NewPeriod => {
                // Not while nothing is known of the newest slot.
                (Alert { judged_at: fresh.judged_at, ..alert.clone() }, Change::None)
            }
            (AlertState::Firing { .. }, AlertState::Clearing { .. }) => (fresh, Change::Clearing),
            (AlertState::Firing { .. } | AlertState::Clearing { .. }, AlertState::Ok | AlertState::Pending { .. }) => {
                (fresh, ended)
            }
            (AlertState::Clearing { since }, AlertState::Clearing { .. }) => {
                fresh.state = AlertState::Clearing { since };
                (fresh, Change::None)
            }
            (_, AlertState::Firing { since, .. }) => (fresh, Change::Fired { at: since }),
            (_, AlertState::Clearing { .. }) => {
                // It fired and was over before anybody could be told.
                fresh.state = AlertState::Ok;
                (fresh, Change::None)
            }
            (_, AlertState::Ok | AlertState::Pending { .. }) => (fresh, Change::None),
        }
    }

    /// The newest slot at which the alert, had it been firing, would have been over for sure, and no budget line is being
    /// spent below; else the oldest slot that is looked back at.
    fn quiet_before(self, newest: i64, memory: Memory) -> i64 {
        let every = i64::from(self.spec.every);
        let mut over: Option<(i64, u32)> = None;
        let mut oldest = newest;
        for slot in self.tally.ledger.back_from(newest).take(BACK_MAX) {
            oldest = slot.index;
            let mut memory = memory;
            let Some(seen) = self.seen(oldest, &mut memory) else { continue };
            match (seen.truth, seen.clearable && !memory.is_spending()) {
                (Truth::True, _) => over = None,
                (Truth::False, true) => {
                    let (last, slots) = over.map_or((oldest, 1), |(last, slots)| (last, slots + 1));
                    let is_long_enough = match self.policy.clear_after {
                        ClearAfter::Slots(needed) => slots >= needed,
                        ClearAfter::Seconds(needed) => (last - oldest) * every >= i64::from(needed),
                    };
                    if is_long_enough {
                        return oldest;
                    }
                    over = Some((last, slots));
                }
                (Truth::False | Truth::Unknown, _) => {}
            }
        }
        oldest
    }

    /// Which budget lines were crossed before slot `first`, in its calendar period, and have not been armed since. Looked for in steps: a budget
    /// comes back as slowly as its window forgets.
    fn recall(self, first: i64, memory: &mut Memory) {
        let stride = self.policy.active.unwrap_or(3_600).div_ceil(self.spec.every).max(12);
        let every = i64::from(self.spec.every);
        let begun = self.spec.window.period_at(first * every).map_or(i64::MIN, |period| period.start);
        let mut open = lines(self.condition);
        let mut slot = first;
        for _ in 0..RECALL_MAX {
            let settled = self.tally.ledger.back_from(slot).next().filter(|_| open != 0);
            let Some(settled) = settled.filter(|slot| slot.index * every >= begun) else { return };
            let (crossed, armed) = lines_at(self.condition, self.policy, self.spec, self.tally, settled.index);
            memory.cross(crossed & open);
            open &= !(crossed | armed);
            slot = settled.index - i64::from(stride);
        }
    }

    fn seen(self, slot: i64, memory: &mut Memory) -> Option<Judgement> {
        judge(self.condition, self.policy, self.spec, self.tally, slot, memory)
    }

    fn is_known(self, slot: i64) -> bool {
        self.tally.ledger.get(slot).is_some_and(|slot| slot.state.is_known())
    }

    /// The settled slots from `first` to `last`, at most as many as are looked back at, in order.
    fn slots(self, first: i64, last: i64) -> Vec<i64> {
        let back = self.tally.ledger.back_from(last).map(|slot| slot.index);
        let mut slots: Vec<i64> = back.take_while(|slot| *slot >= first).take(BACK_MAX).collect();
        slots.reverse();
        slots
    }
}
