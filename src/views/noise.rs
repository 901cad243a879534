//! The noise ledger: how often each policy has woken somebody, whether anybody took it, and what was at stake.
//!
//! A page is a trigger that a pager accepted. An incident's budget is shared out over the policies that paged for it, so that
//! no part of it is counted twice; where nobody was paged it goes to the most urgent policy.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most rows.
pub const ROWS_MAX: usize = 500;

/// `GET /api/v1/noise`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoiseReport {
    /// The time it is about, by when incidents opened.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// How many incidents were counted.
    pub incidents: usize,
    /// There were more: only the newest are counted.
    pub truncated: bool,
    /// The loudest first.
    pub policies: Vec<PolicyNoise>,
}

/// What one policy on one SLO has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyNoise {
    /// The policy; for a source's own incident `blind`.
    pub policy: String,
    /// Null for a source's own incident.
    pub service: Option<String>,
    /// `service/slo`, or the source.
    pub about: String,
    /// Incidents it took part in.
    pub incidents: usize,
    /// Triggers that pagers accepted.
    pub pages: usize,
    /// Of its incidents, those that somebody acknowledged.
    pub acknowledged: usize,
    /// Of its incidents, those that ended although nobody had acknowledged them.
    pub ended_alone: usize,
    /// Share of the SLO's budget that its incidents have spent, 0–1 (may exceed 1). Null where it is not known.
    pub budget_spent: Option<f64>,
    /// The same for one page. Null without a page.
    pub budget_per_page: Option<f64>,
}

/// One incident, as far as it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// Null for a source's own.
    pub service: Option<String>,
    /// `service/slo`, or the source.
    pub about: String,
    /// Its policies, the most urgent first.
    pub policies: Vec<String>,
    /// The policy of each page.
    pub pages: Vec<String>,
    /// Somebody acknowledged it.
    pub acknowledged: bool,
    /// It is over.
    pub resolved: bool,
    /// What it has spent of the budget; none if that is not known.
    pub budget_share: Option<f64>,
}

/// Counts.
pub fn noise(from: DateTime<Utc>, to: DateTime<Utc>, heard: &[Heard], truncated: bool) -> NoiseReport {
    let mut rows: BTreeMap<(&str, &str), PolicyNoise> = BTreeMap::new();
    for incident in heard {
        let mut policies: Vec<&str> = incident.policies.iter().chain(&incident.pages).map(String::as_str).collect();
        let mut seen = std::collections::BTreeSet::new();
        policies.retain(|policy| seen.insert(*policy));
        for (place, policy) in policies.into_iter().enumerate() {
            let row = rows.entry((&incident.about, policy)).or_insert_with(|| PolicyNoise {
                policy: policy.to_owned(),
                service: incident.service.clone(),
                about: incident.about.clone(),
                ..PolicyNoise::default()
            });
            let pages = incident.pages.iter().filter(|page| *page == policy).count();
            row.incidents += 1;
            row.pages += pages;
            row.acknowledged += usize::from(incident.acknowledged);
            row.ended_alone += usize::from(incident.resolved && !incident.acknowledged);
            let part = match incident.pages.len() {
                0 => f64::from(u8::from(place == 0)),
                all => pages as f64 / all as f64,
            };
            if let Some(share) = incident.budget_share {
                row.budget_spent = Some(row.budget_spent.unwrap_or_default() + share * part);
            }
        }
    }
    let mut policies: Vec<PolicyNoise> = rows.into_values().collect();
    for row in &mut policies {
        row.budget_per_page = row.budget_spent.filter(|_| row.pages > 0).map(|spent| spent / row.pages as f64);
    }
    policies.sort_by(|one, other| {
        (other.pages, other.incidents, &one.about, &one.policy).cmp(&(
            one.pages,
            one.incidents,
            &other.about,
            &other.policy,
        ))
    });
    let truncated = truncated || policies.len() > ROWS_MAX;
    policies.truncate(ROWS_MAX);
    NoiseReport { from, to, incidents: heard.len(), truncated, policies }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(policies: &str, pages: &str, acknowledged: bool, share: f64) -> Heard {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Heard {
            service: Some("shop".into()),
            about: "shop/front".into(),
            policies: words(policies),
            pages: words(pages),
            acknowledged,
            resolved: true,
            budget_share: Some(share),
        }
    }

    #[test]
    fn pages_and_budgets_are_counted_once() {
        let start = DateTime::UNIX_EPOCH;
        let all = [
            heard("outage fast-burn", "outage outage fast-burn", true, 0.3),
            heard("outage", "outage", false, 0.1),
            heard("budget", "", false, 0.05),
            Heard { about: "source prometheus".into(), policies: vec!["blind".into()], ..Heard::default() },
        ];
        let report = noise(start, start, &all, false);
        let said: Vec<_> = report
            .policies
            .iter()
            .map(|row| {
                let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
                let (spent, each) = (share(row.budget_spent), share(row.budget_per_page));
                format!(
                    "{} {}: {} incidents, {} pages, {} acknowledged, {} alone, {spent} spent, {each} a page",
                    row.about, row.policy, row.incidents, row.pages, row.acknowledged, row.ended_alone
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                "shop/front outage: 2 incidents, 3 pages, 1 acknowledged, 1 alone, 0.30 spent, 0.10 a page",
                "shop/front fast-burn: 1 incidents, 1 pages, 1 acknowledged, 0 alone, 0.10 spent, 0.10 a page",
                "shop/front budget: 1 incidents, 0 pages, 0 acknowledged, 1 alone, 0.05 spent, - a page",
                "source prometheus blind: 1 incidents, 0 pages, 0 acknowledged, 0 alone, - spent, - a page",
            ]
        );
        let spent: f64 = report.policies.iter().filter_map(|row| row.budget_spent).sum();
        assert!((spent - 0.45).abs() < 1e-9, "nothing is counted twice");
        assert_eq!(report.incidents, 4);
    }
}
