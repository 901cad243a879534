//! How an SLO went over a time: its slots, joined into stretches that are wide enough to be drawn.
//!
//! Sums are exact, and so are the extremes: a single bad slot is the worst of its stretch however many others are in it.

use chrono::{DateTime, TimeDelta, Utc};

use super::slo::SlotView;
use crate::domain::slot::SlotState;

/// A time, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Its beginning.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// How long a stretch is; the last one may be shorter.
    pub step: TimeDelta,
    /// In order, without gaps.
    pub stretches: Vec<Stretch>,
}

/// Slots that begin within one part of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Good events.
    pub good: f64,
    /// All events.
    pub total: f64,
    /// The lowest share of good events of a slot, 0–1; none without events.
    pub worst: Option<f64>,
    /// The highest.
    pub best: Option<f64>,
    /// The lowest value or percentile of a slot.
    pub lowest: Option<f64>,
    /// The highest.
    pub highest: Option<f64>,
    /// The sum of all values, and how many there were.
    pub readings: (f64, u32),
    /// Seconds of slots that were measured, or empty.
    pub known_seconds: i64,
    /// Seconds of slots that were left out of the budget.
    pub excluded_seconds: i64,
}

impl Stretch {
    fn add(&mut self, slot: &SlotView) {
        let seconds = i64::from(slot.seconds);
        match slot.state {
            SlotState::Measured | SlotState::Empty => self.known_seconds += seconds,
            SlotState::Excluded => self.excluded_seconds += seconds,
            SlotState::Unmeasured => return,
        }
        self.good += slot.good;
        self.total += slot.total;
        if let Some(value) = slot.reading.filter(|value| value.is_finite()) {
            self.readings = (self.readings.0 + value, self.readings.1 + 1);
        }
        let share = (slot.total > 0.0).then(|| slot.good / slot.total);
        for (kept, value, least) in [
            (&mut self.worst, share, true),
            (&mut self.best, share, false),
            (&mut self.lowest, slot.reading, true),
            (&mut self.highest, slot.reading, false),
        ] {
            let value = value.filter(|value| value.is_finite());
            *kept = match (*kept, value) {
                (Some(kept), Some(value)) => Some(if least { kept.min(value) } else { kept.max(value) }),
                (kept, value) => kept.or(value),
            };
        }
    }

    /// The share of good events, 0–1; none without events.
    pub fn share(&self) -> Option<f64> {
        (self.total > 0.0).then(|| self.good / self.total)
    }

    /// The mean of the values; none without any.
    pub fn mean(&self) -> Option<f64> {
        (self.readings.1 > 0).then(|| self.readings.0 / f64::from(self.readings.1))
    }

    /// Bad events.
    pub fn bad(&self) -> f64 {
        self.total - self.good
    }
}

impl Course {
    /// Joins slots into at most `most` stretches. Slots that begin before `from` or at or after `to` are left out.
    pub fn new(slots: impl IntoIterator<Item = SlotView>, from: DateTime<Utc>, to: DateTime<Utc>, most: usize) -> Self {
        let to = to.max(from + TimeDelta::seconds(1));
        let most = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
        let slots: Vec<SlotView> = slots.into_iter().collect();
        let every = slots.iter().map(|slot| i64::from(slot.seconds)).max().unwrap_or(1).max(1);
        // Whole slots: a stretch that holds a part of one more than its neighbour would look worse for nothing.
        let length = ((to - from).num_seconds().max(1) + most - 1) / most;
        let length = (length + every - 1) / every * every;
        let count = ((to - from).num_seconds() + length - 1) / length;
        let mut stretches = vec![Stretch::default(); usize::try_from(count).unwrap_or_default()];
        for slot in slots.iter().filter(|slot| slot.start >= from && slot.start < to) {
            let at = (slot.start - from).num_seconds() / length;
            if let Some(stretch) = usize::try_from(at).ok().and_then(|at| stretches.get_mut(at)) {
                stretch.add(slot);
            }
        }
        Self { from, to, step: TimeDelta::seconds(length), stretches }
    }

    /// Adds what a person corrected, where it was.
    pub fn correct(&mut self, at: DateTime<Utc>, bad: f64, total: f64) {
        let place = (at - self.from).num_seconds().checked_div_euclid(self.step.num_seconds().max(1));
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(stretch) = place.and_then(|place| self.stretches.get_mut(place)) {
            stretch.total += total;
            stretch.good += total - bad;
        }
    }

    /// Each stretch with its beginning and its end.
    pub fn spans(&self) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>, &Stretch)> {
        self.stretches.iter().enumerate().map(|(at, stretch)| {
            let start = self.from + self.step * i32::try_from(at).unwrap_or(i32::MAX);
            (start, (start + self.step).min(self.to), stretch)
        })
    }

    /// What was left of a budget of `allowed` bad events at the end of each stretch, if it was whole at the beginning: 1 is all
    /// of it, below 0 it is overspent. None if nothing is allowed.
    pub fn remaining(&self, allowed: f64) -> Option<Vec<(DateTime<Utc>, f64)>> {
        if allowed <= 0.0 {
            return None;
        }
        let mut bad = 0.0;
        let spent = self.spans().map(|(_, end, stretch)| {
            bad += stretch.bad();
            (end, 1.0 - bad / allowed)
        });
        Some(std::iter::once((self.from, 1.0)).chain(spent).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slots(text: &str, every: u32) -> Vec<SlotView> {
        let at = |place: usize| DateTime::UNIX_EPOCH + TimeDelta::seconds(place as i64 * i64::from(every));
        let slot = |(place, letter): (usize, char)| {
            let (state, good, total) = match letter {
                'g' => (SlotState::Measured, 10.0, 10.0),
                'b' => (SlotState::Measured, 4.0, 10.0),
                'e' => (SlotState::Empty, 0.0, 0.0),
                'x' => (SlotState::Excluded, 0.0, 0.0),
                _ => (SlotState::Unmeasured, 0.0, 0.0),
            };
            SlotView { start: at(place), seconds: every, good, total, state, reading: Some(total - good) }
        };
        text.chars().enumerate().map(slot).collect()
    }

    fn course(text: &str, most: usize) -> Course {
        let end = DateTime::UNIX_EPOCH + TimeDelta::seconds(60 * text.len() as i64);
        Course::new(slots(text, 60), DateTime::UNIX_EPOCH, end, most)
    }

    #[test]
    fn sums_and_extremes_are_exact() {
        for (text, most, expected) in [
            (
                "gggg",
                4,
                vec![(10.0, Some(1.0), 60), (10.0, Some(1.0), 60), (10.0, Some(1.0), 60), (10.0, Some(1.0), 60)],
            ),
            ("gggb", 2, vec![(20.0, Some(1.0), 120), (20.0, Some(0.4), 120)]),
            ("gg-e", 2, vec![(20.0, Some(1.0), 120), (0.0, None, 60)]),
            ("ggggg", 2, vec![(30.0, Some(1.0), 180), (20.0, Some(1.0), 120)]),
            ("bx", 100, vec![(10.0, Some(0.4), 60), (0.0, None, 0)]),
            ("", 10, vec![(0.0, None, 0)]),
        ] {
            let found: Vec<_> =
                course(text, most).stretches.iter().map(|s| (s.total, s.worst, s.known_seconds)).collect();
            assert_eq!(found, expected, "{text}");
        }
        let all = course("gbgxg-", 1);
        assert_eq!((all.stretches[0].lowest, all.stretches[0].highest), (Some(0.0), Some(6.0)));
        assert_eq!(all.stretches[0].share(), Some(34.0 / 40.0));
    }

    #[test]
    fn what_is_left_ends_where_the_budget_is() {
        let left = course("gbgb", 2).remaining(12.0);
        let left: Vec<f64> = left.into_iter().flatten().map(|(_, left)| left).collect();
        assert_eq!(left, [1.0, 0.5, 0.0]);
        assert_eq!(course("gb", 2).remaining(0.0), None);
    }

    proptest! {
        /// However few parts are drawn: no extreme is lost, and nothing is counted twice.
        #[test]
        fn extremes_survive(
            readings in prop::collection::vec((prop::option::of(-1e9..1e9_f64), 0.0..=1.0_f64), 1..400),
            most in 1..60_usize,
        ) {
            let at = |place: usize| DateTime::UNIX_EPOCH + TimeDelta::seconds(60 * place as i64);
            let slots: Vec<SlotView> = readings.iter().enumerate().map(|(place, (reading, share))| SlotView {
                start: at(place),
                seconds: 60,
                good: *share,
                total: 1.0,
                state: SlotState::Measured,
                reading: *reading,
            }).collect();
            let course = Course::new(slots.clone(), at(0), at(slots.len()), most);
            prop_assert!(course.stretches.len() <= most);
            let least = |values: Vec<Option<f64>>| values.into_iter().flatten().reduce(f64::min);
            let most_of = |values: Vec<Option<f64>>| values.into_iter().flatten().reduce(f64::max);
            let of = |pick: fn(&Stretch) -> Option<f64>| course.stretches.iter().map(pick).collect::<Vec<_>>();
            let all: Vec<_> = slots.iter().map(|slot| slot.reading).collect();
            let shares: Vec<_> = slots.iter().map(|slot| Some(slot.good)).collect();
            prop_assert_eq!(least(of(|part| part.lowest)), least(all.clone()));
            prop_assert_eq!(most_of(of(|part| part.highest)), most_of(all));
            prop_assert_eq!(least(of(|part| part.worst)), least(shares.clone()));
            prop_assert_eq!(most_of(of(|part| part.best)), most_of(shares));
            let total: f64 = course.stretches.iter().map(|part| part.total).sum();
            prop_assert!((total - slots.len() as f64).abs() < 1e-6);
            let known: i64 = course.stretches.iter().map(|part| part.known_seconds).sum();
            prop_assert_eq!(known, 60 * slots.len() as i64);
        }
    }
}
