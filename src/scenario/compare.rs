//! What was expected against what there is.

use std::collections::BTreeSet;

use super::{Budget, Expectation, Failure, Feed, Spot, Told, play::firing};
use crate::domain::{
    budget::window_sums,
    condition::duration,
    decide::{Core, SeriesKey},
    name::{Name, SloId},
    policy::Judge,
};

/// How far two figures may be apart, relative to the larger one.
const TOLERANCE: f64 = 1e-6;

/// Everything that is not as expected.
pub(super) fn compare(expectation: &Expectation, core: &Core, feeds: &[Feed], told: &Told) -> Vec<Failure> {
    let at = duration(expectation.at);
    let mut failures = Vec::new();
    let mut fail = |spot: &Spot, what: String, rows| {
        failures.push(Failure { spot: spot.clone(), what: format!("at {at}: {what}"), rows });
    };
    if let Some((spot, expected)) = &expectation.firing {
        let got = firing(core, feeds);
        if *expected != got {
            fail(spot, "firing".to_owned(), beside(expected, &got));
        }
    }
    if let Some((spot, expected)) = &expectation.notified {
        let mut expected = expected.clone();
        expected.retain(|_, events| !events.is_empty());
        if expected != *told {
            let names: BTreeSet<&Name> = expected.keys().chain(told.keys()).collect();
            let words = |of: &Told, name: &Name| match of.get(name) {
                Some(events) => {
                    format!("{name}: {}", events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", "))
                }
                None => format!("{name}: (nothing)"),
            };
            let rows = names.into_iter().map(|name| (words(&expected, name), words(told, name))).collect();
            fail(spot, "notified".to_owned(), rows);
        }
    }
    for (spot, id, expected) in &expectation.budgets {
        let rows = figures(core, id, *expected);
        if rows.iter().any(|(_, _, fine)| !fine) {
            let rows = rows.into_iter().map(|(expected, got, _)| (expected, got)).collect();
            fail(spot, format!("budget of {id}"), rows);
        }
    }
    failures
}

/// Two sorted lists, the same names beside each other.
fn beside(expected: &[String], got: &[String]) -> Vec<(String, String)> {
    let names: BTreeSet<&String> = expected.iter().chain(got).collect();
    let mut rows = Vec::new();
    for name in names {
        let count = |list: &[String]| list.iter().filter(|other| *other == name).count();
        let (left, right) = (count(expected), count(got));
        for row in 0..left.max(right) {
            let cell = |count: usize| if row < count { name.clone() } else { "(not firing)".to_owned() };
            rows.push((cell(left), cell(right)));
        }
    }
    rows
}

/// The figures that are expected beside those that are measured, and whether they agree.
fn figures(core: &Core, id: &SloId, expected: Budget) -> Vec<(String, String, bool)> {
    let key = SeriesKey::whole(id.clone());
    let (Some(rules), Some(state)) = (core.rules.slos.get(id), core.series.get(&key)) else { return Vec::new() };
    let sums = window_sums(&rules.spec, state.tally(), state.ledger.newest().unwrap_or_default());
    let got = [
        ("remaining", expected.remaining, sums.remaining(rules.spec.objective, Judge::Measured)),
        ("good", expected.good, Some(sums.totals.good)),
        ("total", expected.total, Some(sums.totals.total)),
    ];
    let row = |(name, expected, got): (&str, Option<f64>, Option<f64>)| {
        let expected = expected?;
        let shown = got.map_or_else(|| format!("{name}: (unknown)"), |got| format!("{name}: {got}"));
        Some((format!("{name}: {expected}"), shown, got.is_some_and(|got| is_near(expected, got))))
    };
    got.into_iter().filter_map(row).collect()
}

fn is_near(one: f64, other: f64) -> bool {
    // What is nothing but the rounding of a sum is nothing.
    (one - other).abs() <= (TOLERANCE * one.abs().max(other.abs())).max(1e-9)
}
