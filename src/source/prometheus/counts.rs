//! From counts to readings: what a slot's good and total make of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    book::{Tallies, Tally},
    counting::Counted,
};
use crate::domain::{
    name::Series,
    slot::{Gap, Reading, SlotAnswer},
};

/// Counts of some slots, however they were come by.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// By slot and series. What is not there had no sample.
    pub tallies: Tallies,
    /// Slots whose events are counted in a later one.
    pub charged: BTreeMap<Series, Vec<i64>>,
    /// What the server warned of.
    pub degraded: Option<String>,
}

impl From<Counted> for Counts {
    fn from(counted: Counted) -> Self {
        let Counted { book, degraded } = counted;
        let charged = book.returned().map(|series| (series.clone(), book.charged(series))).collect();
        Self { tallies: book.tallies, charged, degraded }
    }
}

impl Counts {
    /// What was counted in a slot.
    pub fn tally(&self, slot: i64, series: &Series) -> Option<&Tally> {
        self.tallies.get(&slot)?.get(series)
    }
}

/// The readings of every slot and series in which there is a total; then those that are charged to a later slot.
pub(super) fn readings(total: &Counts, read: impl Fn(i64, &Series, &Tally) -> Reading) -> Vec<SlotAnswer> {
    let measured = total.tallies.iter().flat_map(|(slot, tallies)| {
        let read = &read;
        tallies.iter().map(move |(series, tally)| SlotAnswer {
            slot: *slot,
            series: series.clone(),
            reading: read(*slot, series, tally),
        })
    });
    let charged = total.charged.iter().flat_map(|(series, slots)| {
        slots.iter().map(|slot| SlotAnswer { slot: *slot, series: series.clone(), reading: Reading::Charged })
    });
    measured.chain(charged).collect()
}

/// Keeps the first `max_series` by name in each slot. Says so if there are more.
pub(super) fn bounded(slots: &mut Vec<SlotAnswer>, max_series: usize) -> Option<String> {
    let mut by_slot: BTreeMap<i64, BTreeSet<&Series>> = BTreeMap::new();
    for answer in slots.iter() {
        by_slot.entry(answer.slot).or_default().insert(&answer.series);
    }
    let most = by_slot.values().map(BTreeSet::len).max().filter(|most| *most > max_series)?;
    let past = |series: &BTreeSet<&Series>| series.iter().nth(max_series).map(|first| (*first).clone());
    let past: BTreeMap<i64, Series> =
        by_slot.iter().filter_map(|(slot, series)| Some((*slot, past(series)?))).collect();
    slots.retain(|answer| past.get(&answer.slot).is_none_or(|past| answer.series < *past));
    Some(format!("{} series over max_series_per_slo ({max_series})", most - max_series))
}

/// The reading of a ratio.
pub(super) fn ratio(events: Option<&Tally>, total: &Tally, events_are_bad: bool) -> Reading {
    if let Some(fault) = events.and_then(|tally| tally.fault.as_ref()).or(total.fault.as_ref()) {
        return Reading::Unmeasured(Gap::DataFault(fault.clone()));
    }
    let (events, total) = settled(events.map_or(0.0, |tally| tally.value), total.value);
    if events_are_bad && events > total {
        return Reading::Unmeasured(Gap::DataFault(format!("bad ({events}) is more than total ({total})")));
    }
    Reading::events(if events_are_bad { total - events } else { events }, total, None)
}

/// Counts as they are judged.
///
/// An expression's `increase()` extrapolates, so whole counts come out as 19.999999999996 and sums of equal parts differ in their last
/// digits. A count within a millionth of a whole number is that number; `part` over `whole` by less than a millionth
/// of it is `whole`. Real fractions stay: they are what the server believes.
pub(super) fn settled(part: f64, whole: f64) -> (f64, f64) {
    let rounded = |count: f64| if (count - count.round()).abs() <= 1e-6 { count.round() } else { count };
    let (part, whole) = (rounded(part), rounded(whole));
    let over = part - whole;
    (if over > 0.0 && over <= whole * 1e-6 { whole } else { part }, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digits_are_not_believed() {
        for (counts, expected) in [
            ((19.999_999_999_6, 20.000_000_000_3), (20.0, 20.0)),
            ((20.4, 20.399_999_9), (20.399_999_9, 20.399_999_9)),
            ((20.4, 20.5), (20.4, 20.5)),
            ((3.0, 2.0), (3.0, 2.0)),
            ((0.000_000_1, 0.0), (0.0, 0.0)),
        ] {
            assert_eq!(settled(counts.0, counts.1), expected);
        }
        assert!(settled(f64::NAN, 1.0).0.is_nan());
    }

    #[test]
    fn the_first_series_by_name_are_kept_in_each_slot() {
        let named = |name: &str| Series::from([("path".to_owned(), name.to_owned())]);
        let answer = |slot, name: &str| SlotAnswer { slot, series: named(name), reading: Reading::Empty };
        let mut slots = vec![answer(1, "c"), answer(1, "a"), answer(1, "b"), answer(2, "c"), answer(2, "d")];
        assert_eq!(bounded(&mut slots.clone(), 3), None);
        assert_eq!(bounded(&mut slots, 2).as_deref(), Some("1 series over max_series_per_slo (2)"));
        assert_eq!(slots, [answer(1, "a"), answer(1, "b"), answer(2, "c"), answer(2, "d")]);
    }
}
