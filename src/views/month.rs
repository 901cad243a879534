//! What a month's figures say, in words: the same in every form of the report. A verdict never stands without the share of
//! the time that it is about, and no figure without which reading of the budget it is.

use super::{
    render_words::{percent, percent_or_absent},
    report::{BudgetReport, BudgetUse, SloReport},
};

/// What can be said of an objective and a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is met.
    Met,
    /// It is missed: in a month that goes on, the budget of the whole month is gone.
    Missed,
    /// What was measured is under the objective, but the month's budget is not gone.
    Under,
    /// Too little is known.
    Open,
    /// There were no events.
    Silent,
}

impl Verdict {
    /// Of an SLO, in a month that still runs or is over.
    pub fn of(slo: &SloReport, runs: bool) -> Self {
        let Some(met) = slo.met else { return Self::Silent };
        let over = |reading: Option<f64>| reading.map(|left| left < 0.0);
        let gone = over(slo.budget.remaining_if_good) == Some(true);
        // What is unmeasured can change nothing.
        let is_sure = if met { over(slo.budget.remaining_if_bad) == Some(false) } else { gone };
        match (met, slo.coverage >= slo.min_coverage || is_sure) {
            (_, false) => Self::Open,
            (true, true) => Self::Met,
            (false, true) if runs && !gone => Self::Under,
            (false, true) => Self::Missed,
        }
    }

    /// Its glyph and its word.
    pub fn word(self, runs: bool) -> &'static str {
        match (self, runs) {
            (Self::Met, false) => "● met",
            (Self::Met, true) => "● met so far",
            (Self::Missed, false) => "■ missed",
            (Self::Missed, true) => "■ missed so far",
            (Self::Under, _) => "▲ under so far",
            (Self::Open, _) => "◌ cannot tell",
            (Self::Silent, _) => "○ no events",
        }
    }

    /// How grave it is: picks the colour. What nobody can tell is neither good nor bad.
    pub fn tone(self) -> &'static str {
        match self {
            Self::Met => "good",
            Self::Missed => "bad",
            Self::Under => "warn",
            Self::Open | Self::Silent => "mute",
        }
    }
}

impl BudgetReport {
    /// Whether the month went on when the report was made.
    pub fn runs(&self) -> bool {
        self.generated_at < self.ends_at
    }

    /// What the readings mean, in one or two sentences.
    pub fn legend(&self) -> String {
        let to_come = if self.runs() { ", and all that is to come is good" } else { "" };
        format!(
            "“As measured” is the share of what was counted. “If good” and “if bad” are shares of the whole month's budget if all \
             that is unmeasured was good, or bad{to_come}; time used of time allowed is “if good”. An incident's cost is its \
             share of the month's budget as measured."
        )
    }
}

/// What stands beside a verdict: how much of the time it is about; none if that is all of it.
pub fn measured(slo: &SloReport, verdict: Verdict) -> Option<String> {
    let share = percent(slo.coverage);
    match (verdict, slo.met) {
        (Verdict::Open, Some(true)) => Some(format!("met in the {share} measured")),
        (Verdict::Open, _) => Some(format!("missed in the {share} measured")),
        _ => (slo.coverage < 1.0).then(|| format!("{share} measured")),
    }
}

/// The readings with what is unmeasured, if they differ from the measured one: `if good 99 %, if bad −1900 %`.
pub fn bounds(budget: &BudgetUse) -> Option<String> {
    let (left, good, bad) = (budget.remaining?, budget.remaining_if_good?, budget.remaining_if_bad);
    let (left, good, bad) = (percent(left), percent(good), percent_or_absent(bad));
    if good == bad {
        return (good != left).then(|| format!("{good} of the whole month's"));
    }
    Some(format!("if good {good}, if bad {bad}"))
}

/// How much of the whole month's budget is used, 0–1 and above: time used of time allowed.
pub fn used(budget: &BudgetUse) -> Option<f64> {
    budget.consumed?;
    Some(budget.used_seconds / budget.allowed_seconds).filter(|used| used.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::gaps::GapsView;

    fn slo(met: Option<bool>, coverage: f64, (left, good, bad): (f64, f64, f64)) -> SloReport {
        SloReport {
            id: "shop/front".into(),
            title: "Front".into(),
            budgeting: "occurrences".into(),
            objective: 0.99,
            achieved: met.map(|_| 0.9),
            good: 9.0,
            bad: 1.0,
            total: 10.0,
            in_seconds: false,
            met,
            coverage,
            min_coverage: 0.9,
            budget: BudgetUse {
                consumed: met.map(|_| 1.0 - left),
                remaining: met.map(|_| left),
                remaining_if_good: met.map(|_| good),
                remaining_if_bad: met.map(|_| bad),
                allowed_bad: 0.1,
                allowed_seconds: 100.0,
                used_seconds: 25.0,
            },
            series: Vec::new(),
            incidents: Vec::new(),
            breaches: Vec::new(),
            corrections: Vec::new(),
            objective_changes: Vec::new(),
            gaps: GapsView::default(),
        }
    }

    /// Met or not, coverage, the three readings, whether the month runs; what is said, and beside it.
    #[test]
    fn no_verdict_on_almost_no_data() {
        let (yes, no) = (Some(true), Some(false));
        for (met, coverage, readings, runs, verdict, beside, bounded) in [
            (yes, 1.0, (0.5, 0.5, 0.5), false, "● met", None, None),
            (no, 1.0, (-0.5, -0.5, -0.5), false, "■ missed", None, None),
            (yes, 1.0, (0.5, 0.8, 0.8), true, "● met so far", None, Some("80 % of the whole month's")),
            (no, 1.0, (-0.5, 0.2, 0.2), true, "▲ under so far", None, Some("20 % of the whole month's")),
            (no, 1.0, (-0.5, -0.1, -0.1), true, "■ missed so far", None, Some("−10 % of the whole month's")),
            (yes, 0.998, (0.5, 0.51, 0.3), false, "● met", Some("99.8 % measured"), Some("if good 51 %, if bad 30 %")),
            (
                no,
                0.0004,
                (-199.0, 0.99, -900.0),
                true,
                "◌ cannot tell",
                Some("missed in the 0.04 % measured"),
                Some("if good 99 %, if bad −90,000 %"),
            ),
            (
                no,
                0.0004,
                (-199.0, 0.99, -900.0),
                false,
                "◌ cannot tell",
                Some("missed in the 0.04 % measured"),
                Some("if good 99 %, if bad −90,000 %"),
            ),
            (
                yes,
                0.5,
                (1.0, 1.0, -9.0),
                false,
                "◌ cannot tell",
                Some("met in the 50 % measured"),
                Some("if good 100 %, if bad −900 %"),
            ),
            // However the rest was, it is missed; or met.
            (
                no,
                0.5,
                (-3.0, -1.0, -9.0),
                false,
                "■ missed",
                Some("50 % measured"),
                Some("if good −100 %, if bad −900 %"),
            ),
            (
                yes,
                0.5,
                (1.0, 1.0, 0.1),
                true,
                "● met so far",
                Some("50 % measured"),
                Some("if good 100 %, if bad 10 %"),
            ),
            (None, 0.0, (0.0, 0.0, 0.0), true, "○ no events", Some("0 % measured"), None),
            (None, 1.0, (0.0, 0.0, 0.0), false, "○ no events", None, None),
        ] {
            let slo = slo(met, coverage, readings);
            let found = Verdict::of(&slo, runs);
            assert_eq!(found.word(runs), verdict, "{met:?} {coverage} {readings:?}");
            assert_eq!(measured(&slo, found).as_deref(), beside, "{verdict}");
            assert_eq!(bounds(&slo.budget).as_deref(), bounded, "{verdict} {coverage}");
            assert_eq!(used(&slo.budget), met.map(|_| 0.25));
        }
    }
}
