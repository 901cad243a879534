//! From the core's state to the figures of one SLO.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::slo::{BudgetView, PolicyView, SloState, SloView, StreakView, ValueView};
use crate::domain::{
    alert::AlertState,
    budget::{RATE_WINDOW, Tally, WindowSums, seconds_to_exhaustion, window_sums},
    condition::{duration, is_blind},
    decide::{SeriesKey, SeriesState, time},
    ledger::Ledger,
    policy::{Judge, OnGap},
    rulebook::SloRules,
    run::run,
    slo::{Budgeting, IndicatorKind, SloSpec, Window},
};

/// The windows whose burn rates are always shown.
pub const BURN_WINDOWS: [(&str, u32); 5] =
    [("5m", 300), ("30m", 1_800), ("1h", 3_600), ("6h", 21_600), ("3d", 259_200)];

/// What is shown beside the counts, and in which unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Which percentile, for latencies.
    pub percentile: Option<f64>,
    /// The unit as configured, for values.
    pub unit: Option<String>,
}

/// Which reading time to exhaustion is told in: what is left of a calendar period counts its days to come.
pub fn exhaustion_reading(spec: &SloSpec, at: i64) -> Judge {
    if spec.window.period_at(at * i64::from(spec.every)).is_some() { Judge::IfGood } else { Judge::Measured }
}

/// All figures of one series at its newest slot.
pub fn slo_view(key: &SeriesKey, rules: &SloRules, shown: &Shown, state: &SeriesState, now: DateTime<Utc>) -> SloView {
    let (spec, tally) = (&rules.spec, state.tally());
    let at = tally.ledger.newest();
    let start = at.map_or(now.timestamp(), |at| at * i64::from(spec.every));
    let sums = window_sums(spec, tally, start.div_euclid(i64::from(spec.every)));
    let remaining = |judge| sums.remaining(spec.objective, judge);
    let watermark = at.map(|at| time((at + 1) * i64::from(spec.every)));
    let left = at.and_then(|at| seconds_to_exhaustion(spec, tally, at, RATE_WINDOW, exhaustion_reading(spec, at)));
    let totals = sums.totals;
    SloView {
        id: key.id.clone(),
        service: key.id.service.to_string(),
        name: key.id.slo.to_string(),
        title: rules.title.clone(),
        series: key.series.clone(),
        objective: spec.objective.ratio(),
        window: window_text(&spec.window),
        budgeting: budgeting_text(spec.budgeting).to_owned(),
        state: slo_state(rules, state, &sums),
        sli: (totals.total > 0.0).then(|| totals.good / totals.total),
        good: totals.good,
        bad: totals.bad(),
        total: totals.total,
        in_seconds: spec.counts_seconds(),
        budget: BudgetView {
            remaining: remaining(Judge::Measured),
            remaining_if_good: remaining(Judge::IfGood),
            remaining_if_bad: remaining(Judge::IfBad),
            coverage: sums.coverage(),
            allowed_bad: totals.total * spec.objective.allowed(),
            exhausts_at: watermark
                .zip(left)
                .and_then(|(from, left)| from.checked_add_signed(TimeDelta::seconds(left as i64))),
            allowed_seconds: f64::from(spec.window.seconds_at(start)) * spec.objective.allowed(),
        },
        burn_rate: burn_rates(rules, tally, at),
        value: value_view(rules, shown, tally.ledger, at),
        streak: StreakView { bad: at.map_or(0, |at| run(tally.ledger, spec, at, OnGap::Hold).slots) },
        watermark,
        evaluated_at: now,
        policies: policy_views(rules, state),
        fault: state.fault.clone(),
        backfill: None,
    }
}

fn burn_rates(rules: &SloRules, tally: Tally<'_>, at: Option<i64>) -> BTreeMap<String, Option<f64>> {
    let spec = &rules.spec;
    let burn = |seconds: u32| {
        let at = at.filter(|_| seconds >= spec.every.saturating_mul(2))?;
        WindowSums::ending_at(tally, at, seconds).burn(spec.objective, Judge::Measured)
    };
    BURN_WINDOWS.iter().map(|(name, seconds)| ((*name).to_owned(), burn(*seconds))).collect()
}

fn policy_views(rules: &SloRules, state: &SeriesState) -> Vec<PolicyView> {
    let watches = rules.policies.iter().flat_map(|policy| &policy.watches);
    watches
        .map(|watch| {
            let alert = state.alerts.get(&watch.name).map(|alert| alert.state).unwrap_or_default();
            PolicyView { name: watch.name.clone(), state: alert.as_str().to_owned() }
        })
        .collect()
}

fn value_view(rules: &SloRules, shown: &Shown, ledger: &Ledger, at: Option<i64>) -> Option<ValueView> {
    let newest = ledger.back_from(at?).take(16).find_map(|slot| slot.shown)?;
    let mut view = ValueView { percentile: shown.percentile, seconds: None, number: None, unit: shown.unit.clone() };
    match (rules.spec.kind, shown.unit.as_deref()) {
        (IndicatorKind::Value, unit) if !matches!(unit, Some("s" | "second" | "seconds")) => view.number = Some(newest),
        _ => view.seconds = Some(newest),
    }
    Some(view)
}

/// The first that holds of blind, exhausted, burning, empty, ok.
fn slo_state(rules: &SloRules, state: &SeriesState, sums: &WindowSums) -> SloState {
    let raised = |alert: &AlertState| matches!(alert, AlertState::Pending { .. } | AlertState::Firing { .. });
    if is_blind(&state.ledger, rules.blind_after) {
        SloState::Blind
    } else if sums.remaining(rules.spec.objective, Judge::IfGood).is_some_and(|left| left < 0.0) {
        SloState::Exhausted
    } else if state.alerts.values().any(|alert| raised(&alert.state)) {
        SloState::Burning
    } else if sums.totals.total <= 0.0 {
        SloState::Empty
    } else {
        SloState::Ok
    }
}

/// As it would be written in the configuration: `30d`; a calendar's with its zone: `month (Europe/Paris)`.
pub fn window_text(window: &Window) -> String {
    match window {
        Window::Rolling(seconds) => duration(*seconds),
        Window::Calendar(calendar) => format!("{} ({})", calendar.period().as_str(), calendar.timezone()),
    }
}

/// The word in configurations.
pub fn budgeting_text(budgeting: Budgeting) -> &'static str {
    match budgeting {
        Budgeting::Occurrences => "occurrences",
        Budgeting::Timeslices { .. } => "timeslices",
    }
}
