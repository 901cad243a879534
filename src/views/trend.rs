//! How the budget went down: what bad events of the newest hours have cost of it, as a line of blocks.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::slo::{SloView, SlotView};

/// How far back a trend looks.
pub const HOURS: i64 = 24;
/// Its points.
pub const POINTS: usize = 24;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The bad events of one SLO by point of time, as far as they were asked about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// Bad events, and whether anything was known, by number of the point since 1970.
    points: BTreeMap<i64, f64>,
    /// The start of the newest slot that is counted.
    newest: Option<DateTime<Utc>>,
}

/// Seconds of one point.
const POINT: i64 = HOURS * 3600 / POINTS as i64;

impl Spent {
    /// From when on slots are to be asked about.
    pub fn from(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let begin = DateTime::from_timestamp((point(now) - POINTS as i64 + 1) * POINT, 0).unwrap_or(now);
        self.newest.map_or(begin, |newest| (newest + TimeDelta::seconds(1)).max(begin))
    }

    /// Counts slots; those that were counted before do not count again.
    pub fn count(&mut self, slots: &[SlotView], now: DateTime<Utc>) {
        for slot in slots {
            if self.newest.is_some_and(|newest| slot.start <= newest) {
                continue;
            }
            *self.points.entry(point(slot.start)).or_default() += (slot.total - slot.good).max(0.0);
            self.newest = Some(slot.start);
        }
        let oldest = point(now) - POINTS as i64;
        self.points.retain(|at, _| *at > oldest);
    }

    /// What was left of the budget at the end of each point, the oldest first: from what is left now backwards, with nothing
    /// of what left the window at its other end meanwhile. None where no slot is known.
    pub fn left(&self, slo: &SloView, now: DateTime<Utc>) -> Vec<Option<f64>> {
        // Slots say how many events were bad, not whether a time slice was.
        let Some(mut left) =
            slo.budget.remaining.filter(|_| slo.budgeting == "occurrences" && slo.budget.allowed_bad > 0.0)
        else {
            return Vec::new();
        };
        let newest = point(now);
        let mut line = vec![None; POINTS];
        for (place, cell) in line.iter_mut().rev().enumerate() {
            let Some(bad) = self.points.get(&(newest - place as i64)) else { continue };
            *cell = Some(left);
            left += bad / slo.budget.allowed_bad;
        }
        line
    }
}

fn point(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(POINT)
}

/// The line in `cells` letters: full for an untouched budget, empty from zero on.
pub fn spark(left: &[Option<f64>], cells: usize) -> String {
    if left.is_empty() || cells == 0 {
        return String::new();
    }
    let each = left.len().div_ceil(cells);
    left.rchunks(each)
        .rev()
        .map(|chunk| match chunk.iter().rev().find_map(|left| *left) {
            Some(left) => BLOCKS[((left.clamp(0.0, 1.0) * 7.0).round()) as usize],
            None => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slot::SlotState;

    #[test]
    fn a_line_is_as_long_as_it_is_told_and_stays_within() {
        let falling: Vec<_> = (0..24).map(|at| Some(1.0 - f64::from(at) / 16.0)).collect();
        assert_eq!(spark(&falling, 24), "██▇▇▆▆▅▅▅▄▄▃▃▂▂▁▁▁▁▁▁▁▁▁");
        assert_eq!(spark(&falling, 8), "▇▆▅▃▂▁▁▁");
        assert_eq!(spark(&[None, Some(f64::INFINITY), Some(-3.0), None], 4), " █▁ ");
        assert_eq!((spark(&[], 8), spark(&falling, 0)), (String::new(), String::new()));
    }

    #[test]
    fn slots_count_once_and_old_ones_go() {
        let now: DateTime<Utc> = "2026-10-25T12:30:00Z".parse().expect("a time");
        let slot = |hours: i64, good: f64| SlotView {
            start: now - TimeDelta::hours(hours),
            seconds: 60,
            good,
            total: 10.0,
            state: SlotState::Measured,
            reading: None,
        };
        let mut spent = Spent::default();
        assert_eq!(spent.from(now).to_rfc3339(), "2026-10-24T13:00:00+00:00");
        let slots = [slot(30, 0.0), slot(2, 5.0), slot(1, 10.0), slot(0, 8.0)];
        spent.count(&slots, now);
        spent.count(&slots, now);
        assert_eq!(spent.from(now), now + TimeDelta::seconds(1));
        assert_eq!(spent.points.values().sum::<f64>(), 7.0);
        spent.count(&[], now + TimeDelta::hours(23));
        assert_eq!(spent.points.len(), 1);
    }
}
