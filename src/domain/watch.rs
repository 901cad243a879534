//! The alerts that a policy makes for an SLO, and the burn pairs that fit it.

use super::{
    condition::duration,
    policy::{BurnPair, BurnRate, Condition, Policy},
    slo::SloSpec,
};

/// The part of a policy that makes one alert: the whole `when`, or one pair of its burn rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// `policy`, or `policy:1h/5m` for a pair.
    pub name: String,
    /// What is asked.
    pub condition: Condition,
}

/// The alerts that a policy makes for an SLO: one, or one for each burn pair that fits.
pub fn watches(policy: &Policy, spec: &SloSpec) -> Vec<Watch> {
    let named = |long, short| format!("{}:{}/{}", policy.name, duration(long), duration(short));
    match &policy.when {
        Condition::BurnRate(BurnRate::Pairs(pairs)) => pairs
            .iter()
            .map(|pair| Watch {
                name: named(pair.long, pair.short),
                condition: Condition::BurnRate(BurnRate::Pairs(vec![*pair])),
            })
            .collect(),
        Condition::BurnRate(_) => workbook_pairs(spec)
            .into_iter()
            .map(|pair| Watch {
                name: named(pair.long, pair.short),
                condition: Condition::BurnRate(BurnRate::SreWorkbookPair(pair.long)),
            })
            .collect(),
        other => vec![Watch { name: policy.name.to_string(), condition: other.clone() }],
    }
}

/// The workbook's pairs that fit an SLO in some period of its window, with their factors where that is shortest or, if
/// they do not fit there, longest.
pub fn workbook_pairs(spec: &SloSpec) -> Vec<BurnPair> {
    let mut pairs = fitted(spec, spec.window.shortest_seconds());
    for pair in fitted(spec, spec.window.longest_seconds()) {
        if pairs.iter().all(|known| known.long != pair.long) {
            pairs.push(pair);
        }
    }
    pairs.sort_by_key(|pair| pair.long);
    pairs
}

/// The pairs of a burn-rate condition in the window whose newest slot begins at `at`.
pub fn pairs(rate: &BurnRate, spec: &SloSpec, at: i64) -> Vec<BurnPair> {
    match rate {
        BurnRate::Pairs(pairs) => pairs.clone(),
        BurnRate::SreWorkbook => fitted(spec, spec.window.seconds_at(at)),
        BurnRate::SreWorkbookPair(long) => {
            let mut pairs = fitted(spec, spec.window.seconds_at(at));
            pairs.retain(|pair| pair.long == *long);
            pairs
        }
    }
}

/// The workbook's pairs for a window of so many seconds (Google SRE workbook, chapter 5, "multiwindow, multi-burn-rate
/// alerts"): 1h/5m, 6h/30m, 3d/6h with the factors that spend 2 %, 5 % and 10 % of the budget within the long window, at
/// least 1; the short window has at least two slots. Pairs that cannot work for this SLO are left out.
fn fitted(spec: &SloSpec, window: u32) -> Vec<BurnPair> {
    [(3_600, 300, 0.02), (21_600, 1_800, 0.05), (259_200, 21_600, 0.10)]
        .into_iter()
        .map(|(long, short, share)| BurnPair {
            long,
            short: short.max(spec.every.saturating_mul(2)),
            factor: (share * f64::from(window) / f64::from(long)).max(1.0),
        })
        .filter(|pair| {
            pair.long >= spec.every.saturating_mul(6)
                && pair.long <= window
                && pair.short < pair.long
                && pair.factor * spec.objective.allowed() <= 1.0
        })
        .collect()
}
