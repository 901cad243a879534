//! Whether a policy's conditions make sense for the SLOs it watches: thresholds that can never be reached,
//! values that an SLO does not have, pairs of the workbook that do not fit.

use super::{codes::Code, context::Context, finding::Finding, policies::Decoded, tree::Span, units};
use crate::domain::{
    policy::{BurnPair, BurnRate, Condition},
    slo::{IndicatorKind, SloSpec},
    watch,
};

/// Checks a policy against what it watches.
pub(crate) fn check(cx: &Context<'_>, decoded: &Decoded, specs: &[&SloSpec]) {
    let owner = format!("policy `{}`", decoded.policy.name);
    let mut judging = Judging { cx, owner, at: decoded.when_at, left_out: Vec::new() };
    for spec in specs {
        judging.condition(&decoded.policy.when, spec);
    }
    judging.notes();
}

/// The workbook's long windows, with the names of their pairs.
const WORKBOOK: [(u32, &str); 3] = [(3_600, "1h/5m"), (21_600, "6h/30m"), (259_200, "3d/6h")];

/// The workbook's pairs that do not fit an SLO, and why.
fn left_out(spec: &SloSpec) -> Vec<String> {
    let kept = watch::workbook_pairs(spec);
    let missing = WORKBOOK.iter().filter(|(long, _)| kept.iter().all(|pair| pair.long != *long));
    missing
        .map(|(long, name)| {
            let why = if u64::from(*long) < 6 * u64::from(spec.every) {
                "its long window holds under 6 slots"
            } else if *long > spec.window.longest_seconds() {
                "it is longer than the window"
            } else {
                "its factor can never be reached"
            };
            format!("{name} ({why})")
        })
        .collect()
}

struct Judging<'a> {
    cx: &'a Context<'a>,
    owner: String,
    at: Span,
    /// SLOs, each with its pairs and why.
    left_out: Vec<(String, Vec<String>)>,
}

impl Judging<'_> {
    fn condition(&mut self, condition: &Condition, spec: &SloSpec) {
        match condition {
            Condition::BurnRate(BurnRate::Pairs(pairs)) => {
                for pair in pairs {
                    self.pair(*pair, spec);
                }
            }
            Condition::BurnRate(_) => {
                let left_out = left_out(spec);
                if left_out.len() == WORKBOOK.len() {
                    let message = format!("{}: no pair of `sre-workbook` fits SLO `{}`", self.owner, spec.id);
                    self.error(Code::Unreachable, message, "write `burn_rate: {long, short, factor}`");
                } else if !left_out.is_empty() {
                    self.left_out.push((spec.id.to_string(), left_out));
                }
            }
            Condition::Value(_) if spec.kind != IndicatorKind::Value => {
                let message = format!("{}: SLO `{}` has no `value` indicator", self.owner, spec.id);
                self.error(Code::DoesNotFit, message, "watch an SLO whose indicator is a `value`");
            }
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    self.condition(part, spec);
                }
            }
            Condition::ExhaustedWithin { over, .. } if *over < spec.every.saturating_mul(2) => {
                let message = format!("{}: `over` holds less than two slots of SLO `{}`", self.owner, spec.id);
                self.error(Code::Unreachable, message, "take a longer window");
            }
            Condition::NoData(time) if *time < spec.every => {
                let message = format!("{}: `no_data` is shorter than a slot of SLO `{}`", self.owner, spec.id);
                self.error(Code::Unreachable, message, "take a longer time");
            }
            _ => {}
        }
    }

    fn pair(&self, pair: BurnPair, spec: &SloSpec) {
        let most = 1.0 / spec.objective.allowed();
        if pair.factor > most * (1.0 + 1e-9) {
            let message = format!(
                "{}: SLO `{}` can never burn {} times too fast: all bad is {most:.4} times",
                self.owner, spec.id, pair.factor
            );
            self.error(Code::Unreachable, message, &format!("take a factor of at most {most:.4}"));
        }
        if pair.short < spec.every.saturating_mul(2) {
            let slot = units::written(std::time::Duration::from_secs(u64::from(spec.every)));
            let message = format!(
                "{}: the short window holds less than two slots of SLO `{}` ({slot} each)",
                self.owner, spec.id
            );
            self.error(Code::Unreachable, message, "take a longer short window");
        }
    }

    fn error(&self, code: Code, message: String, help: &str) {
        self.cx.push(Finding::error(code, self.at, message).help(help));
    }

    /// One note for the whole policy.
    fn notes(self) {
        let Some((first, pairs)) = self.left_out.first() else { return };
        let more = match self.left_out.len() - 1 {
            0 => String::new(),
            1 => " (and others for one more SLO)".to_owned(),
            count => format!(" (and others for {count} more SLOs)"),
        };
        let message = format!("{} leaves out for SLO `{first}`: {}{more}", self.owner, pairs.join(", "));
        self.cx.push(Finding::note(Code::PairLeftOut, self.at, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        name::SloId,
        slo::{Budgeting, Objective, Window},
    };

    fn spec(objective_ppb: u32, window: u32, every: u32) -> SloSpec {
        SloSpec {
            id: SloId::new("a", "b"),
            objective: Objective::from_ppb(objective_ppb).unwrap(),
            window: Window::Rolling(window),
            budgeting: Budgeting::Occurrences,
            every,
            settle_ms: 0,
            good_for: 300,
            min_coverage: 0.9,
            kind: IndicatorKind::Ratio,
        }
    }

    #[test]
    fn pairs_that_do_not_fit_are_named() {
        let names = |objective, window, every| left_out(&spec(objective, window, every)).join(", ");
        assert_eq!(names(999_000_000, 30 * 86_400, 60), "");
        assert_eq!(names(950_000_000, 30 * 86_400, 3600), "1h/5m (its long window holds under 6 slots)");
        assert_eq!(names(900_000_000, 30 * 86_400, 60), "1h/5m (its factor can never be reached)");
        assert_eq!(names(999_000_000, 86_400, 60), "3d/6h (it is longer than the window)");
        assert_eq!(left_out(&spec(999_000_000, 30 * 86_400, 86_400)).len(), 3);
    }
}
