//! Which slots of an SLO are still to be asked about after the fact: those from before the first start, from when slod
//! or a source was away, and those the clock jumped over.
//!
//! Numbers of slots only: what the answers were is in the ledger. Kept beside it in the store, so that a fill goes on after a
//! restart where it stopped.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// More stretches than this are joined: asking once more about what is known changes nothing.
const STRETCHES_MAX: usize = 256;

/// What was asked about, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Slot length in seconds.
    every: u32,
    /// First slot that was never due yet.
    through: i64,
    /// Slots that no source has answered about, oldest first, without overlaps.
    missing: Vec<Range<i64>>,
}

impl History {
    /// Of an SLO that was never asked about: everything from slot `first` to before `next` is missing.
    pub fn new(every: u32, first: i64, next: i64) -> Self {
        let mut history = Self { every: every.max(1), through: next, missing: Vec::new() };
        history.miss(first..next);
        history
    }

    /// Takes note of a live question about `slots`. What lies between it and the one before was passed over; a
    /// question from before means that the clock went back, and what is missing after it is no more.
    pub fn live(&mut self, slots: &Range<i64>, answered: bool) {
        if slots.end < self.through {
            self.through = slots.end;
            self.missing.retain(|stretch| stretch.start < slots.end);
            if let Some(last) = self.missing.last_mut() {
                last.end = last.end.min(slots.end);
            }
        } else {
            self.miss(self.through..slots.start);
            self.through = slots.end;
        }
        if answered {
            self.answered(slots);
        } else {
            self.miss(slots.clone());
        }
    }

    /// Slots before `next` were asked about already, though that was not noted here.
    pub fn resume(&mut self, next: i64) {
        self.through = self.through.max(next);
    }

    /// A source has answered about `slots`, whatever it knew of them.
    pub fn answered(&mut self, slots: &Range<i64>) {
        let mut left = Vec::with_capacity(self.missing.len() + 1);
        for stretch in &self.missing {
            let before = stretch.start..stretch.end.min(slots.start);
            let after = stretch.start.max(slots.end)..stretch.end;
            left.extend([before, after].into_iter().filter(|part| !part.is_empty()));
        }
        left.dedup();
        self.missing = left;
    }

    /// Nobody knows of `slots` yet.
    pub fn unanswered(&mut self, slots: &Range<i64>) {
        self.miss(slots.clone());
    }

    /// Forgets what is missing before slot `first`: nobody wants it any more.
    pub fn forget_before(&mut self, first: i64) {
        self.answered(&(i64::MIN..first));
    }

    /// The newest missing slots, at most so many, all in one stretch.
    pub fn newest(&self, at_most: i64) -> Option<Range<i64>> {
        self.missing.last().map(|stretch| stretch.start.max(stretch.end - at_most.max(1))..stretch.end)
    }

    /// How many slots are missing.
    pub fn missing(&self) -> i64 {
        self.missing.iter().map(|stretch| stretch.end - stretch.start).sum()
    }

    /// Whether a slot that begins within the seconds `[from, to)` is missing.
    pub fn is_missing_within(&self, from: i64, to: i64) -> bool {
        let every = i64::from(self.every);
        self.missing.iter().any(|stretch| stretch.start * every < to && stretch.end * every > from)
    }

    /// Slot length in seconds.
    pub fn every(&self) -> u32 {
        self.every
    }

    /// The same for slots of another length: what is missing in part is missing.
    #[must_use]
    pub fn with_every(&self, every: u32) -> Self {
        let (old, new) = (i64::from(self.every), i64::from(every.max(1)));
        let through = (self.through * old).div_euclid(new);
        let mut history = Self { every: every.max(1), through, missing: Vec::new() };
        for stretch in &self.missing {
            let end = (stretch.end * old + new - 1).div_euclid(new);
            history.miss((stretch.start * old).div_euclid(new)..end.min(through));
        }
        history
    }

    fn miss(&mut self, slots: Range<i64>) {
        if slots.is_empty() {
            return;
        }
        self.missing.push(slots);
        self.missing.sort_by_key(|stretch| stretch.start);
        let mut joined: Vec<Range<i64>> = Vec::with_capacity(self.missing.len());
        for stretch in self.missing.drain(..) {
            match joined.last_mut() {
                Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
                _ => joined.push(stretch),
            }
        }
        while joined.len() > STRETCHES_MAX {
            // The two that are closest together lose the least.
            let gap = |at: &usize| joined[at + 1].start - joined[*at].end;
            let Some(at) = (0..joined.len() - 1).min_by_key(gap) else { break };
            joined[at].end = joined[at + 1].end;
            joined.remove(at + 1);
        }
        self.missing = joined;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(history: &History) -> BTreeSet<i64> {
        history.missing.iter().cloned().flatten().collect()
    }

    /// What happens, and what is missing then. `4` a live answer about slot 4, `!4` a live question without answer,
    /// `2-4` an answer about 2 and 3 after the fact, `<3` nobody wants what is before 3.
    #[test]
    fn what_is_missing() {
        for (happens, missing) in [
            ("", "0 1 2 3 4 5 6 7 8 9"),
            ("10", "0 1 2 3 4 5 6 7 8 9"),
            ("10 !11 12", "0 1 2 3 4 5 6 7 8 9 11"),
            ("10 15", "0 1 2 3 4 5 6 7 8 9 11 12 13 14"),
            ("10 6-10 2-4", "0 1 4 5"),
            ("0-10 10 !11 !12 13 11-13", ""),
            ("0-10 20 <15", "15 16 17 18 19"),
            // The clock went back to 12, and comes along again.
            ("0-10 20 12", "10 11"),
            ("0-10 20 12 13 14", "10 11"),
            ("0-10 10 !11 11", ""),
        ] {
            let mut history = History::new(60, 0, 10);
            for word in happens.split_whitespace() {
                let number = |text: &str| text.parse::<i64>().expect("a number");
                if let Some(slot) = word.strip_prefix('!') {
                    history.live(&(number(slot)..number(slot) + 1), false);
                } else if let Some(first) = word.strip_prefix('<') {
                    history.forget_before(number(first));
                } else if let Some((first, next)) = word.split_once('-') {
                    history.answered(&(number(first)..number(next)));
                } else {
                    history.live(&(number(word)..number(word) + 1), true);
                }
            }
            let got: Vec<String> = set(&history).iter().map(ToString::to_string).collect();
            assert_eq!(got.join(" "), missing, "{happens}");
        }
    }

    #[test]
    fn the_newest_first() {
        let mut history = History::new(60, 0, 100);
        history.answered(&(40..90));
        assert_eq!((history.newest(4), history.newest(50)), (Some(96..100), Some(90..100)));
        history.answered(&(90..100));
        assert_eq!(history.newest(7), Some(33..40));
        history.answered(&(0..40));
        assert_eq!((history.newest(7), history.missing()), (None, 0));
    }

    #[test]
    fn another_slot_length_keeps_the_time() {
        let mut history = History::new(60, 0, 100);
        history.answered(&(0..97));
        assert_eq!(set(&history.with_every(300)), BTreeSet::from([19]));
        assert_eq!(set(&history.with_every(30)), (194..200).collect());
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_slots(acts in prop::collection::vec((0_i64..80, 1_i64..9, any::<bool>()), 0..60)) {
            let mut history = History::new(60, 0, 80);
            let mut oracle: BTreeSet<i64> = (0..80).collect();
            for (start, length, misses) in acts {
                if misses {
                    history.miss(start..start + length);
                    oracle.extend(start..start + length);
                } else {
                    history.answered(&(start..start + length));
                    oracle.retain(|slot| !(start..start + length).contains(slot));
                }
                prop_assert_eq!(set(&history), oracle.clone());
                prop_assert_eq!(history.missing(), oracle.len() as i64);
                prop_assert!(history.missing.windows(2).all(|pair| pair[0].end < pair[1].start));
            }
        }

        #[test]
        fn many_holes_stay_bounded(holes in 0_i64..2_000) {
            let mut history = History::new(60, 0, 4_000);
            (0..holes).for_each(|at| history.answered(&(at * 2..at * 2 + 1)));
            history.miss(0..1);
            prop_assert!(history.missing.len() <= STRETCHES_MAX + 1);
        }
    }
}
