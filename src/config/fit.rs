//! Whether a policy's conditions make sense for the SLOs it watches: thresholds that can never be reached,
//! values that an SLO does not have, pairs of the workbook that do not fit.

use super::{codes::Code, context::Context, finding::Finding, policies::Decoded, tree::Span, units};
use crate::domain::{
    policy::{BurnPair, BurnRate, Condition},
    slo::{IndicatorKind, SloSpec},
};

/// The workbook's pairs: long, short, share of the budget in thousandths.
const WORKBOOK: [(u32, u32, f64); 3] = [(3600, 300, 0.02), (6 * 3600, 1800, 0.05), (3 * 86_400, 6 * 3600, 0.1)];

/// Checks a policy against what it watches.
pub(crate) fn check(cx: &Context<'_>, decoded: &Decoded, specs: &[&SloSpec]) {
    let owner = format!("policy `{}`", decoded.policy.name);
    let mut judging = Judging { cx, owner, at: decoded.when_at, left_out: Vec::new() };
    for spec in specs {
        judging.condition(&decoded.policy.when, spec);
    }
    judging.notes();
}

/// The workbook's pairs for an SLO; `Err` says why a pair is left out.
pub(crate) fn workbook(spec: &SloSpec) -> [Result<BurnPair, (&'static str, &'static str)>; 3] {
    let window = spec.window.nominal_seconds();
    WORKBOOK.map(|(long, short, share)| {
        let name = match long {
            3600 => "1h/5m",
            21_600 => "6h/30m",
            _ => "3d/6h",
        };
        let factor = (share * f64::from(window) / f64::from(long)).max(1.0);
        let short = short.max(spec.every.saturating_mul(2));
        if u64::from(long) < 6 * u64::from(spec.every) {
            Err((name, "its long window holds under 6 slots"))
        } else if long > window {
            Err((name, "it is longer than the window"))
        } else if factor > 1.0 / spec.objective.allowed() {
            Err((name, "its factor can never be reached"))
        } else if short >= long {
            Err((name, "its short window is no shorter than the long one"))
        } else {
            Ok(BurnPair { long, short, factor })
        }
    })
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
            Condition::BurnRate(BurnRate::SreWorkbook) => {
                let pairs = workbook(spec);
                if pairs.iter().all(Result::is_err) {
                    let message = format!("{}: no pair of `sre-workbook` fits SLO `{}`", self.owner, spec.id);
                    self.error(Code::Unreachable, message, "write `burn_rate: {long, short, factor}`");
                    return;
                }
                let left_out: Vec<String> =
                    pairs.into_iter().filter_map(Result::err).map(|(pair, why)| format!("{pair} ({why})")).collect();
                if !left_out.is_empty() {
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
    fn workbook_pairs_fit_the_slo() {
        let factors = |objective, window, every| {
            workbook(&spec(objective, window, every))
                .map(|pair| pair.map_or(0, |pair| (pair.factor * 10.0).round() as u32))
        };
        assert_eq!(factors(999_000_000, 30 * 86_400, 60), [144, 60, 10]);
        assert_eq!(factors(950_000_000, 30 * 86_400, 3600), [0, 60, 10]);
        assert_eq!(factors(900_000_000, 30 * 86_400, 60), [0, 60, 10]);
        assert_eq!(factors(999_000_000, 86_400, 60), [10, 10, 0]);
        assert_eq!(workbook(&spec(999_000_000, 30 * 86_400, 300))[0].unwrap().short, 600);
    }
}
