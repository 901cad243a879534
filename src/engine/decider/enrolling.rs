//! Numbers for series: those of the configuration, and those that answers name for the first time.

use chrono::{DateTime, Utc};

use super::Decider;
use crate::{
    domain::{
        decide::{Decision, SeriesKey},
        name::SloId,
        rulebook::SloRules,
        slo::BILLION,
    },
    store::ledger::Definition,
};

impl Decider {
    /// What an SLO promises from `now` on.
    pub(super) fn definition(&self, id: &SloId, slo: &SloRules, now: DateTime<Utc>) -> Definition {
        Definition {
            since: now,
            hash: self.ruling.definitions.get(id).copied().unwrap_or_default(),
            objective_ppb: BILLION - slo.spec.objective.allowed_ppb(),
            every: slo.spec.every,
        }
    }

    /// Gives numbers to the series that a decision names for the first time, however long it takes.
    pub(super) async fn enrol_new(&self, now: DateTime<Utc>, decision: &Decision) {
        let new = |key: &&SeriesKey| self.store.series_id(key).is_none();
        let mut keys: Vec<&SeriesKey> = decision.chunks.iter().map(|(key, _)| key).filter(new).collect();
        keys.dedup();
        let wanted = keys.into_iter().filter_map(|key| {
            let slo = self.ruling.rules.slos.get(&key.id)?;
            Some((key.clone(), self.definition(&key.id, slo, now)))
        });
        let wanted: Vec<_> = wanted.collect();
        if !wanted.is_empty() {
            self.persist(|| self.store.enrol(wanted.clone())).await;
        }
    }
}
