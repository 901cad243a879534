//! Counts by slot and series, as samples are entered. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::counter::{Before, Point, growth};
use crate::domain::name::Series;

/// The most slots before a question that a series can be charged for when it returns.
const CHARGED_MAX: i64 = 10_000;

/// What one series counted in one slot. There is one where there was a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// All events.
    pub value: f64,
    /// Those at most the threshold, for native histograms.
    pub part: f64,
    /// How many values there were, for expressions.
    pub values: usize,
    /// Why it is no count.
    pub fault: Option<String>,
}

/// Counts by slot and series.
pub(super) type Tallies = BTreeMap<i64, BTreeMap<Series, Tally>>;

/// Counts of one selector.
#[derive(Clone, Debug)]
pub(super) struct Book {
    every: i64,
    first: i64,
    /// No sample is unknown that came after this, in milliseconds.
    from: i64,
    /// By slot and series.
    pub tallies: Tallies,
    /// The newest sample before the first slot.
    seen: BTreeMap<Series, i64>,
    /// The newest sample.
    newest: BTreeMap<Series, i64>,
    /// Where series were silent, as changes of how many are: by slot.
    silent: BTreeMap<Series, BTreeMap<i64, i64>>,
}

impl Book {
    /// For slots of `every` seconds from the second `start` on. Samples are known from the second `from` on, and of
    /// those up to there the newest in `seen`.
    pub fn new(every: u32, start: i64, from: i64, seen: BTreeMap<Series, i64>) -> Self {
        let every = i64::from(every.max(1)) * 1_000;
        let first = (start * 1_000).div_euclid(every);
        let newest = seen.clone();
        Self { every, first, from: from * 1_000, tallies: Tallies::new(), seen, newest, silent: BTreeMap::new() }
    }

    /// The slot of a sample: edges belong to the slot that ends there.
    fn slot(&self, at: i64) -> i64 {
        (at - 1).div_euclid(self.every)
    }

    /// Notes a sample of `series` before the first slot.
    pub fn saw(&mut self, series: &Series, at: i64) {
        later(&mut self.seen, series, at);
        later(&mut self.newest, series, at);
    }

    /// Enters consecutive samples of one time series, which counts for `series`. At the moments in `restarts` it began at
    /// zero again.
    pub fn enter(&mut self, series: &Series, before: Before, points: &[Point], restarts: &BTreeSet<i64>) {
        let mut before = before;
        for point in points {
            if let Before::Point(last) = before
                && restarts.contains(&point.at)
            {
                before = Before::Restarted(last);
            }
            let slot = self.slot(point.at);
            let by_series = self.tallies.entry(slot).or_default();
            if !by_series.contains_key(series) {
                by_series.insert(series.clone(), Tally::default());
            }
            if let Some(tally) = by_series.get_mut(series) {
                match growth(before, *point) {
                    Ok(growth) => {
                        tally.value += growth.value;
                        tally.part += growth.part;
                    }
                    Err(fault) => tally.fault = Some(fault),
                }
            }
            if let Before::Point(last) | Before::Restarted(last) = before {
                self.pass(series, last.at, slot);
            }
            before = Before::Point(*point);
        }
        if let Some(last) = points.last() {
            later(&mut self.newest, series, last.at);
        }
    }

    /// A time series was silent between a sample and the slot of its next.
    fn pass(&mut self, series: &Series, last: i64, returned: i64) {
        let from = self.slot(last.max(0)).max(self.first - CHARGED_MAX) + 1;
        if from < returned {
            let changes = self.silent.entry(series.clone()).or_default();
            *changes.entry(from).or_default() += 1;
            *changes.entry(returned).or_default() -= 1;
        }
    }

    /// Series that returned from a silence that is longer than what is known.
    pub fn unseen(&self) -> impl Iterator<Item = &Series> {
        let is_early = |(_, changes): &(&Series, &BTreeMap<i64, i64>)| {
            changes.first_key_value().is_some_and(|(from, _)| *from < self.first)
        };
        let unseen = self.silent.iter().filter(is_early).map(|(series, _)| series);
        unseen.filter(|series| !self.seen.contains_key(*series))
    }

    /// Notes that samples are known from the second `from` on.
    pub fn known_from(&mut self, from: i64) {
        self.from = self.from.min(from * 1_000);
    }

    /// Slots without a sample whose events are counted in the slot in which the series returned.
    pub fn charged(&self, series: &Series) -> Vec<i64> {
        let Some(changes) = self.silent.get(series) else { return Vec::new() };
        // Before the first slot only those count that are known to be without a sample.
        let seen = self.seen.get(series).copied().unwrap_or(self.from);
        let known_from = self.slot(seen) + 1;
        let mut charged = Vec::new();
        let mut silent = 0;
        let mut changes = changes.iter().peekable();
        while let Some((from, change)) = changes.next() {
            silent += change;
            let until = changes.peek().map_or(*from, |(until, _)| **until);
            if silent > 0 {
                charged.extend((*from.max(&known_from)..until).filter(|slot| !self.has(*slot, series)));
            }
        }
        charged
    }

    /// All series that were silent and returned.
    pub fn returned(&self) -> impl Iterator<Item = &Series> {
        self.silent.keys()
    }

    /// The newest sample of each series, in milliseconds.
    pub fn newest(&self) -> &BTreeMap<Series, i64> {
        &self.newest
    }

    fn has(&self, slot: i64, series: &Series) -> bool {
        self.tallies.get(&slot).is_some_and(|tallies| tallies.contains_key(series))
    }
}

fn later(newest: &mut BTreeMap<Series, i64>, series: &Series, at: i64) {
    match newest.get_mut(series) {
        Some(newest) => *newest = at.max(*newest),
        None => drop(newest.insert(series.clone(), at)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(samples: &[(i64, f64)]) -> Vec<Point> {
        samples.iter().map(|(at, value)| Point { at: *at, value: *value, part: 0.0 }).collect()
    }

    fn all() -> Series {
        Series::new()
    }

    /// Slots of 10 s from 100 s on; samples before are known from 50 s on.
    fn book() -> Book {
        Book::new(10, 100, 50, BTreeMap::new())
    }

    #[test]
    fn silent_slots_are_charged_where_nobody_else_spoke() {
        let long_ago = Before::Point(Point { at: i64::MIN, value: 1.0, part: 0.0 });
        let at = |at: i64| Before::Point(Point { at, value: 1.0, part: 0.0 });
        for (name, seen, entered, charged) in [
            ("a slot between", None, vec![(at(99_000), vec![(105_000, 2.0), (125_000, 3.0)])], vec![11]),
            (
                "edges belong to the slot before",
                None,
                vec![(at(100_000), vec![(110_000, 2.0), (120_000, 3.0)])],
                vec![],
            ),
            ("before the question", Some(75_000), vec![(at(75_000), vec![(105_000, 2.0)])], vec![8, 9]),
            ("not further than what is known", None, vec![(long_ago, vec![(105_000, 2.0)])], vec![5, 6, 7, 8, 9]),
            ("another spoke later", Some(85_000), vec![(at(75_000), vec![(105_000, 2.0)])], vec![9]),
            (
                "another speaks",
                None,
                vec![(at(99_000), vec![(135_000, 2.0)]), (at(99_000), vec![(115_000, 2.0)])],
                vec![10, 12],
            ),
            ("new series return from nowhere", None, vec![(Before::Zero, vec![(125_000, 2.0)])], vec![]),
        ] {
            let mut book = book();
            if let Some(at) = seen {
                book.saw(&all(), at);
            }
            for (before, samples) in &entered {
                book.enter(&all(), *before, &points(samples), &BTreeSet::new());
            }
            assert_eq!(book.charged(&all()), charged, "{name}");
        }
    }

    #[test]
    fn silences_beyond_what_is_known_are_told() {
        let mut book = book();
        let long_ago = Before::Point(Point { at: i64::MIN, value: 1.0, part: 0.0 });
        book.enter(&all(), long_ago, &points(&[(105_000, 2.0)]), &BTreeSet::new());
        assert_eq!(book.unseen().count(), 1);
        book.known_from(30);
        assert_eq!(book.charged(&all()), [3, 4, 5, 6, 7, 8, 9]);
        book.saw(&all(), 41_000);
        assert_eq!(book.unseen().count(), 0);
        assert_eq!(book.charged(&all()), [5, 6, 7, 8, 9]);
    }

    /// Values that go up, and start anew, at moments that go on.
    fn history() -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec((1_i64..40_000, prop_oneof![4 => (0..50_u32).prop_map(Some), 1 => Just(None)]), 0..60)
            .prop_map(|steps| {
                let (mut at, mut value) = (0, 0.0);
                let mut points = Vec::new();
                for (pause, step) in steps {
                    at += pause;
                    value = step.map_or(0.0, |step| value + f64::from(step));
                    points.push(Point { at, value, part: 0.0 });
                }
                points
            })
    }

    fn sums(book: &Book, slots: &mut BTreeMap<i64, f64>) {
        for (slot, tallies) in &book.tallies {
            *slots.entry(*slot).or_default() += tallies.values().map(|tally| tally.value).sum::<f64>();
        }
    }

    proptest! {
        #[test]
        fn slots_add_up_however_they_are_cut(
            series in prop::collection::vec(history(), 1..4),
            every in 1_u32..90,
            cuts in prop::collection::btree_set(1_i64..100, 0..10),
        ) {
            let (mut whole, mut parts) = (BTreeMap::new(), BTreeMap::new());
            let mut truth = 0;
            let every_ms = i64::from(every) * 1_000;
            for points in &series {
                let mut book = Book::new(every, 0, 0, BTreeMap::new());
                book.enter(&all(), Before::Zero, points, &BTreeSet::new());
                sums(&book, &mut whole);
                let mut last = 0.0;
                for point in points {
                    let grown = if point.value >= last { point.value - last } else { point.value };
                    truth += grown as i64;
                    last = point.value;
                }
                // The same, question by question, each knowing only the sample before it.
                let mut before = Before::Zero;
                let edges: Vec<i64> = [0].into_iter().chain(cuts.iter().copied()).chain([i64::MAX / every_ms]).collect();
                for edge in edges.windows(2) {
                    let (start, end) = (edge[0] * every_ms, edge[1] * every_ms);
                    let within: Vec<Point> =
                        points.iter().copied().filter(|point| point.at > start && point.at <= end).collect();
                    let mut book = Book::new(every, start / 1_000, start / 1_000, BTreeMap::new());
                    book.enter(&all(), before, &within, &BTreeSet::new());
                    sums(&book, &mut parts);
                    before = within.last().map_or(before, |last| Before::Point(*last));
                }
            }
            prop_assert_eq!(&whole, &parts);
            prop_assert_eq!(whole.values().sum::<f64>() as i64, truth);
        }
    }
}
