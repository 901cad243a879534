//! The arithmetic of a month: how much of it should be known by now, and its budget in three readings and as time.

use chrono::{DateTime, Utc};

use crate::{
    domain::{
        budget::WindowSums,
        ledger::Totals,
        slo::{Objective, SloSpec},
        slot::Span,
    },
    schedule::Month,
};

/// The time of which something should be known by now, in whole slots: up to the newest that is settled (`newest` is its
/// end), at least up to those that ended longer ago than a slot lasts. What has only just ended is no gap.
pub fn due(spec: &SloSpec, newest: Option<i64>, month: &Month, now: DateTime<Utc>) -> Span {
    let every = i64::from(spec.every);
    let begins_from = |second: i64| -(-second).div_euclid(every) * every;
    let (start, end) = (begins_from(month.start.timestamp()), begins_from(month.end.timestamp()));
    let settle = i64::try_from(spec.settle_ms.div_ceil(1_000)).unwrap_or_default();
    let whole = |second: i64| second.div_euclid(every) * every;
    let through = whole(now.timestamp() - settle - every).max(newest.map_or(i64::MIN, whole));
    Span { start, end: through.clamp(start, end.max(start)) }
}

/// The sums over the whole month of `series` series, of which `passed` seconds, added up, should be known. The rest is to
/// come: good in both readings that say "if".
pub fn month_sums(totals: Totals, series: usize, passed: i64, month: &Month) -> WindowSums {
    let many = i64::try_from(series.max(1)).unwrap_or(i64::MAX);
    let whole = (month.end - month.start).num_seconds().saturating_mul(many);
    WindowSums { totals, expected_seconds: whole.max(passed), to_come_seconds: (whole - passed).max(0) }
}

/// Known / (what has passed − excluded), 0–1: 1 if all of it is excluded, 0 if nothing has passed.
pub fn coverage(sums: &WindowSums) -> f64 {
    let expected = sums.budgeted_seconds() - sums.to_come_seconds;
    if expected > 0 {
        return (sums.totals.known_seconds as f64 / expected as f64).min(1.0);
    }
    if sums.totals.excluded_seconds > 0 { 1.0 } else { 0.0 }
}

/// The whole month's budget, and the bad time that was measured, in seconds of one series: used / allowed is what
/// `if_good` says is gone.
pub fn as_time(sums: &WindowSums, series: usize, objective: Objective) -> (f64, f64) {
    let each = |seconds: i64| seconds as f64 / series.max(1) as f64;
    let totals = &sums.totals;
    let used = if totals.total > 0.0 { totals.bad() / totals.total * each(totals.known_seconds) } else { 0.0 };
    (each(sums.budgeted_seconds()) * objective.allowed(), used)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{
            decide::time,
            gaps::gaps,
            ledger::Counting,
            name::SloId,
            policy::Judge,
            slo::{Budgeting, IndicatorKind},
            slot::{Reading, Slot},
            window::Window,
        },
        engine::report::sum,
    };

    fn month(start: i64, seconds: i64) -> Month {
        Month { name: "2026-10".into(), start: time(start), end: time(start + seconds) }
    }

    fn spec(every: u32) -> SloSpec {
        SloSpec {
            id: SloId::new("shop", "front"),
            objective: Objective::from_ppb(999_000_000).expect("99.9 %"),
            window: Window::Rolling(86_400),
            budgeting: Budgeting::Occurrences,
            every,
            settle_ms: 15_000,
            good_for: 300,
            min_coverage: 0.9,
            kind: IndicatorKind::Ratio,
        }
    }

    /// Slots of ten minutes: `g` measured, `b` bad, `e` empty, `u` unmeasured, `x` excluded, `.` never asked about.
    fn slots(text: &str) -> Vec<(Span, Slot)> {
        let reading = |letter| match letter {
            'g' => Some(Reading::events(10.0, 10.0, None)),
            'b' => Some(Reading::events(7.0, 10.0, None)),
            'e' => Some(Reading::Empty),
            'x' => Some(Reading::Excluded),
            'u' => Some(Reading::Unmeasured(crate::domain::slot::Gap::NoData)),
            _ => None,
        };
        let slot = |(at, letter): (usize, char)| {
            Some((Span::slot(at as i64, 600), Slot::settled(at as i64, &reading(letter)?)))
        };
        text.chars().enumerate().filter_map(slot).collect()
    }

    fn covered(text: &str, hours: i64) -> f64 {
        let totals = sum(&slots(text), Counting::Occurrences);
        coverage(&month_sums(totals, 1, hours * 3_600, &month(0, 31 * 86_400)))
    }

    #[test]
    fn what_is_excluded_is_not_missed() {
        for (slots, hours, expected) in [
            ("gggggg", 1, 1.0),
            ("ggguuu", 1, 0.5),
            ("gggxxx", 1, 1.0),
            ("egxxxx", 1, 1.0),
            ("guxxxx", 1, 0.5),
            ("xxxxxx", 1, 1.0),
            ("xxxgge", 2, 1.0 / 3.0),
            ("xxxgggg", 1, 1.0),
            ("uuuuuu", 1, 0.0),
            ("", 1, 0.0),
            ("", 0, 0.0),
        ] {
            assert!((covered(slots, hours) - expected).abs() < 1e-9, "{slots}: {}", covered(slots, hours));
        }
    }

    /// Slots of five minutes in a month of an hour that begins at 600: the newest settled slot's end, the time, and up to
    /// when something should be known.
    #[test]
    fn what_has_just_ended_is_waited_for() {
        for (newest, now, through) in [
            (None, 0, 600),
            (None, 900, 600),
            (None, 1_214, 600),
            (None, 1_215, 900),
            (Some(1_200), 1_200, 1_200),
            (Some(900), 2_000, 1_500),
            (Some(1_500), 1_400, 1_500),
            (Some(4_200), 9_000, 4_200),
            (None, 9_000, 4_200),
            (Some(9_000), 9_000, 4_200),
        ] {
            let found = due(&spec(300), newest, &month(600, 3_600), time(now));
            assert_eq!((found.start, found.end), (600, through), "{newest:?} at {now}");
        }
        let odd = due(&spec(420), None, &month(600, 3_600), time(100_000));
        assert_eq!((odd.start, odd.end), (840, 4_200), "a slot belongs to the month that holds its start");
    }

    /// A daemon a few minutes old, three of five events bad: nearly all of the month's budget is left.
    #[test]
    fn a_young_daemon_has_not_spent_a_month() {
        let totals = sum(&slots("gb"), Counting::Occurrences);
        let sums = month_sums(totals, 1, 20 * 86_400, &month(0, 31 * 86_400));
        let objective = spec(600).objective;
        let left = |judge| sums.remaining(objective, judge).expect("known");
        assert!(left(Judge::Measured) < -100.0 && left(Judge::IfGood) > 0.9 && left(Judge::IfBad) < -600.0);
        assert!(coverage(&sums) < 0.001);
    }

    proptest! {
        /// The gaps, what is known and what does not count are all of the time that has passed.
        #[test]
        fn gaps_and_what_was_measured_are_the_time_so_far(text in "[gbeux.]{0,200}", later in 0_i64..20) {
            let (month, spec) = (month(0, 31 * 86_400), spec(600));
            let slots = slots(&text);
            let newest = slots.last().map(|(span, _)| span.end);
            let due = due(&spec, newest, &month, time((text.len() as i64 + later) * 600));
            let totals = sum(&slots, Counting::Occurrences);
            let missed: i64 = gaps(&slots, Some(due)).iter().map(|gap| gap.span.seconds()).sum();
            prop_assert_eq!(missed + totals.known_seconds + totals.excluded_seconds, due.seconds());
            let sums = month_sums(totals, 1, due.seconds(), &month);
            prop_assert_eq!(sums.missed_seconds(), missed);
            let known = (due.seconds() - totals.excluded_seconds > 0)
                .then(|| totals.known_seconds as f64 / (due.seconds() - totals.excluded_seconds) as f64);
            prop_assert!(known.is_none_or(|known| (coverage(&sums) - known).abs() < 1e-9));
        }

        /// Seconds and percents tell the same: used of allowed is what is gone if all that is unmeasured was good, of one
        /// series or of many, and the readings are in order.
        #[test]
        fn seconds_and_percents_agree(text in "[gbeux.]{1,200}", series in 1_usize..4) {
            let (month, objective) = (month(0, 31 * 86_400), spec(600).objective);
            let totals = sum(&slots(&text), Counting::Occurrences);
            let sums = month_sums(totals, series, text.len() as i64 * 600, &month);
            let (allowed, used) = as_time(&sums, series, objective);
            let left = sums.remaining(objective, Judge::IfGood).expect("always known");
            prop_assert!(((1.0 - used / allowed) - left).abs() < 1e-6, "{} of {}, {}", used, allowed, left);
            if let Some(worst) = sums.remaining(objective, Judge::IfBad) {
                prop_assert!(worst <= left + 1e-9);
            }
        }

        /// Incidents share out what was consumed: bad events in parts, over the same allowance.
        #[test]
        fn shares_of_the_budget_add_up(parts in prop::collection::vec(0_u32..500, 1..12), good in 1_u32..9_999) {
            let bad: f64 = parts.iter().copied().map(f64::from).sum();
            let totals = Totals { good: f64::from(good), total: f64::from(good) + bad, known_seconds: 600, ..Totals::default() };
            let sums = month_sums(totals, 1, 600, &month(0, 31 * 86_400));
            let objective = spec(600).objective;
            let allowed = totals.total * objective.allowed();
            let shares: f64 = parts.iter().map(|part| f64::from(*part) / allowed).sum();
            let left = 1.0 - shares;
            let measured = sums.remaining(objective, Judge::Measured).expect("always known");
            let near = (left - measured).abs() < 1e-6;
            prop_assert!(near, "{} and {}", left, measured);
        }
    }
}
