//! Budgets and burn rates: arithmetic over [`Totals`], after the Google SRE workbook, chapter 5.
//!
//! allowed = 1 − objective · burn = (bad / total) / allowed · remaining = 1 − burn over the window.
//! Unmeasured time has the mean traffic of the known time; `if_good` takes it as good, `if_bad` as bad.

use super::{
    correction::Correction,
    ledger::{Ledger, Totals},
    policy::Judge,
    slo::{Objective, SloSpec, Window},
};

/// The window whose rate time to exhaustion is told at, in seconds.
pub const RATE_WINDOW: u32 = 6 * 3_600;

/// What sums are made of: a series' slots, and what people corrected.
#[derive(Clone, Copy, Debug)]
pub struct Tally<'a> {
    /// The slots.
    pub ledger: &'a Ledger,
    /// The corrections, in any order.
    pub corrections: &'a [Correction],
}

impl<'a> From<&'a Ledger> for Tally<'a> {
    fn from(ledger: &'a Ledger) -> Self {
        Self { ledger, corrections: &[] }
    }
}

impl Tally<'_> {
    /// Sums of the slots numbered `[from, to)`, as corrected. No correction takes away more than there is.
    pub fn totals(self, from: i64, to: i64) -> Totals {
        let mut totals = self.ledger.totals(from, to);
        let every = i64::from(self.ledger.every());
        let inside = |made: &&Correction| (from..to).contains(&made.at.timestamp().div_euclid(every));
        correct(&mut totals, self.corrections.iter().filter(inside));
        totals
    }
}

/// Adds corrections to sums. No more is taken away than there is.
pub fn correct<'a>(totals: &mut Totals, made: impl Iterator<Item = &'a Correction>) {
    let mut corrected = false;
    for made in made {
        totals.total += made.total;
        totals.good += made.total - made.bad;
        corrected = true;
    }
    if corrected {
        totals.total = totals.total.max(0.0);
        totals.good = totals.good.clamp(0.0, totals.total);
    }
}

/// The sums of a window together with how much of it there should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowSums {
    /// What was counted.
    pub totals: Totals,
    /// Length of the window in seconds.
    pub expected_seconds: i64,
    /// How much of that is still to come: the rest of a calendar period.
    pub to_come_seconds: i64,
}

impl WindowSums {
    /// The window of `seconds` that ends with slot `at`, in whole slots, at least one.
    pub fn ending_at<'a>(tally: impl Into<Tally<'a>>, at: i64, seconds: u32) -> Self {
        let tally = tally.into();
        let every = tally.ledger.every();
        let slots = slots_in(seconds, every);
        let expected_seconds = slots * i64::from(every);
        Self { totals: tally.totals(at + 1 - slots, at + 1), expected_seconds, to_come_seconds: 0 }
    }

    /// Expected − excluded: the seconds that the budget is of.
    pub fn budgeted_seconds(&self) -> i64 {
        (self.expected_seconds - self.totals.excluded_seconds).max(0)
    }

    /// Seconds that the budget is of and of which nothing is known: those to come, and those that are over and were missed.
    fn unknown_seconds(&self) -> i64 {
        (self.budgeted_seconds() - self.totals.known_seconds).max(0)
    }

    /// Seconds that are over and of which nothing is known.
    pub fn missed_seconds(&self) -> i64 {
        (self.unknown_seconds() - self.to_come_seconds).max(0)
    }

    /// Known / (expected − excluded), 0–1; 1 if everything is excluded.
    pub fn coverage(&self) -> f64 {
        let expected = self.budgeted_seconds();
        if expected <= 0 { 1.0 } else { (self.totals.known_seconds as f64 / expected as f64).min(1.0) }
    }

    /// Events that so many seconds would hold at the mean traffic of the known time.
    fn imputed(&self, seconds: i64) -> f64 {
        let totals = &self.totals;
        if totals.known_seconds == 0 { 0.0 } else { totals.total / totals.known_seconds as f64 * seconds as f64 }
    }

    /// Bad and all events in one of the three readings. What is still to come is good in both that say "if". `None`
    /// for `if_bad` while nothing is known.
    pub fn events(&self, judge: Judge) -> Option<(f64, f64)> {
        let (bad, total) = (self.totals.bad(), self.totals.total);
        let (unknown, missed) = (self.unknown_seconds(), self.missed_seconds());
        match judge {
            Judge::Measured => Some((bad, total)),
            Judge::IfGood => Some((bad, total + self.imputed(unknown))),
            Judge::IfBad if self.totals.known_seconds == 0 => None,
            Judge::IfBad => Some((bad + self.imputed(missed), total + self.imputed(unknown))),
        }
    }

    /// Burn rate: how many times faster than allowed. `None` without events.
    pub fn burn(&self, objective: Objective, judge: Judge) -> Option<f64> {
        let (bad, total) = self.events(judge)?;
        (total > 0.0).then(|| bad / total / objective.allowed())
    }

    /// Share of the budget that is left, 1 = untouched, negative = overspent. `None` for `if_bad` while nothing is
    /// known. Without events the budget is untouched.
    pub fn remaining(&self, objective: Objective, judge: Judge) -> Option<f64> {
        let (bad, total) = self.events(judge)?;
        if total <= 0.0 {
            return Some(1.0);
        }
        // A service exactly on its objective has exactly nothing left.
        let remaining = 1.0 - bad / total / objective.allowed();
        Some(if remaining < 0.0 && objective.is_met(bad, total) { 0.0 } else { remaining })
    }
}

/// Whole slots in so many seconds, at least one.
pub fn slots_in(seconds: u32, every: u32) -> i64 {
    i64::from((seconds / every.max(1)).max(1))
}

/// The first slot of an SLO's window as of slot `at`.
pub fn first_slot(spec: &SloSpec, at: i64) -> i64 {
    let every = i64::from(spec.every);
    match spec.window.period_at(at * every) {
        Some(period) => (period.start + every - 1).div_euclid(every),
        None => at + 1 - slots_in(spec.window.longest_seconds(), spec.every),
    }
}

/// The budget of an SLO's window as of slot `at`: the window that ends with it, or the calendar period that holds its
/// start.
pub fn window_sums<'a>(spec: &SloSpec, tally: impl Into<Tally<'a>>, at: i64) -> WindowSums {
    let tally = tally.into();
    let every = i64::from(tally.ledger.every());
    match &spec.window {
        Window::Rolling(seconds) => WindowSums::ending_at(tally, at, *seconds),
        Window::Calendar(calendar) => {
            let period = calendar.at(at * every);
            // A slot belongs to the period that holds its start.
            let first = |start: i64| (start + every - 1).div_euclid(every);
            let (from, to) = (first(period.start), first(period.end));
            WindowSums {
                totals: tally.totals(from, at + 1),
                expected_seconds: (to - from) * every,
                to_come_seconds: (to - at - 1).max(0) * every,
            }
        }
    }
}

/// Seconds until the budget is gone at the burn rate of the last `over` seconds, in one of the three readings:
/// remaining × window / burn, what is left and not a full budget. `None` if it will not be or is unknown: a rolling
/// window forgets as fast as it is spent up to a burn rate of 1, and a calendar period's budget need only last to its end.
pub fn seconds_to_exhaustion<'a>(
    spec: &SloSpec,
    tally: impl Into<Tally<'a>>,
    at: i64,
    over: u32,
    judge: Judge,
) -> Option<f64> {
    let tally = tally.into();
    let every = i64::from(tally.ledger.every());
    let remaining = window_sums(spec, tally, at).remaining(spec.objective, judge)?.max(0.0);
    let burn = WindowSums::ending_at(tally, at, over).burn(spec.objective, judge)?;
    let left = remaining * f64::from(spec.window.seconds_at(at * every)) / burn;
    let comes = match spec.window.period_at(at * every) {
        None => burn > 1.0,
        Some(period) => burn > 0.0 && left <= (period.end - (at + 1) * every) as f64,
    };
    comes.then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slot::{Reading, Slot};

    fn ledger(every: u32, slots: &str) -> Ledger {
        let mut ledger = Ledger::new(every);
        for (index, what) in slots.chars().enumerate() {
            let reading = match what {
                'g' => Reading::events(10.0, 10.0, None),
                'b' => Reading::events(0.0, 10.0, None),
                'h' => Reading::events(9.0, 10.0, None),
                'e' => Reading::Empty,
                'x' => Reading::Excluded,
                _ => continue,
            };
            ledger.insert(Slot::settled(index as i64, &reading));
        }
        ledger
    }

    /// Slots, then measured / if_good / if_bad remaining at 90 %, and coverage.
    #[test]
    fn three_readings() {
        #[rustfmt::skip]
        let cases = [
            ("gggggggggg", Some(1.0), Some(1.0), Some(1.0), 1.0),
            ("hhhhhhhhhh", Some(0.0), Some(0.0), Some(0.0), 1.0),
            ("bggggggggg", Some(0.0), Some(0.0), Some(0.0), 1.0),
            (".....bgggg", Some(-1.0), Some(0.0), Some(-5.0), 0.5),
            ("..........", Some(1.0), Some(1.0), None, 0.0),
            ("eeeeeeeeee", Some(1.0), Some(1.0), Some(1.0), 1.0),
            ("eeeeebgggg", Some(-1.0), Some(-1.0), Some(-1.0), 1.0),
            ("xxxxxbgggg", Some(-1.0), Some(-1.0), Some(-1.0), 1.0),
            ("xxxxx..bgg", Some(1.0 - 1.0 / 0.3), Some(-1.0), Some(-5.0), 0.6),
            ("xxxxxxxxxx", Some(1.0), Some(1.0), None, 1.0),
        ];
        let objective = Objective::from_ppb(900_000_000).expect("90 %");
        for (slots, measured, if_good, if_bad, coverage) in cases {
            let sums = WindowSums::ending_at(&ledger(60, slots), 9, 600);
            for (judge, want) in [(Judge::Measured, measured), (Judge::IfGood, if_good), (Judge::IfBad, if_bad)] {
                let got = sums.remaining(objective, judge);
                let near = match (got, want) {
                    (Some(got), Some(want)) => (got - want).abs() < 1e-9,
                    (got, want) => got == want,
                };
                assert!(near, "{slots} {judge:?}: {got:?}, want {want:?}");
            }
            assert!((sums.coverage() - coverage).abs() < 1e-9, "{slots}");
        }
    }

    /// 99.5 % over 30 days, a probe every 5 minutes, 3 days of data, then hard down:
    /// overspent as measured at the 5th bad slot, even if all unmeasured time was good at the 44th.
    #[test]
    fn cold_start_outage() {
        let objective = Objective::from_ppb(995_000_000).expect("99.5 %");
        let mut ledger = Ledger::new(300);
        for index in 0..864 {
            ledger.insert(Slot::settled(index, &Reading::check(true, None)));
        }
        let (mut measured, mut if_good) = (None, None);
        for bad in 1..=50 {
            let at = 863 + bad;
            ledger.insert(Slot::settled(at, &Reading::check(false, None)));
            let sums = WindowSums::ending_at(&ledger, at, 30 * 86_400);
            let under = |judge| sums.remaining(objective, judge).is_some_and(|left| left < 0.0);
            measured = measured.or(under(Judge::Measured).then_some(bad));
            if_good = if_good.or(under(Judge::IfGood).then_some(bad));
        }
        assert_eq!((measured, if_good), (Some(5), Some(44)));
    }
}
