//! A ruling is put in force: what is stored of its SLOs is read back.

use chrono::{DateTime, Utc};

use super::Decider;
use crate::{
    domain::{
        decide::{Decision, Input, SeriesKey, SeriesState, time},
        ledger::Ledger,
        rulebook::SloRules,
    },
    store::StoreError,
};

impl Decider {
    /// Puts the ruling in force: numbers for new series, their stored slots and alerts, then the rules.
    pub(super) async fn adopt(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let rules = self.ruling.rules.clone();
        let mut wanted = Vec::new();
        for (id, slo) in &rules.slos {
            let keys = if slo.per.is_empty() { vec![SeriesKey::whole(id.clone())] } else { self.store.series_of(id) };
            let keys = keys.into_iter().filter(|key| key.series.is_empty() == slo.per.is_empty());
            wanted.extend(keys.map(|key| (key, self.definition(id, slo, now))));
        }
        let keys: Vec<SeriesKey> = wanted.iter().map(|(key, _)| key.clone()).collect();
        self.store.enrol(wanted).await?;
        let known = self.ruling.fallbacks.keys().cloned().collect();
        let orphans = self.store.bury_orphans(known).await?;
        if orphans > 0 {
            tracing::warn!(orphans, "messages to receivers that are no longer configured are given up");
        }
        let mut loaded = Vec::new();
        for key in keys {
            let Some(slo) = rules.slos.get(&key.id) else { continue };
            let stays = self.core.series.get(&key).is_some_and(|state| state.ledger.is_for(&slo.spec));
            if let (false, Some(number)) = (stays, self.store.series_id(&key)) {
                let state = self.stored(now, &key, number, slo).await?;
                // What was gone before stays gone, unless somebody waits for its end.
                if slo.per.is_empty() || state.is_alarmed() || !state.is_silent(&slo.spec, now) {
                    loaded.push((key, state));
                }
            }
        }
        self.core.adopt(rules);
        self.core.series.extend(loaded);
        self.resume_histories().await?;
        let rules = self.core.rules.clone();
        self.board.keep(|key| rules.slos.contains_key(&key.id));
        Ok(())
    }

    /// What is still to be asked about, as it is stored and as far as the ledgers tell.
    async fn resume_histories(&mut self) -> Result<(), StoreError> {
        let rules = self.core.rules.clone();
        for (id, mut history) in self.store.histories().await? {
            let Some(slo) = rules.slos.get(&id).filter(|slo| slo.asks_past) else { continue };
            if self.core.histories.contains_key(&id) {
                continue;
            }
            if history.every() != slo.spec.every {
                history = history.with_every(slo.spec.every);
            }
            let newest = self.core.series_of(&id).filter_map(|key| self.core.series.get(key)?.ledger.newest()).max();
            history.resume(newest.map_or(i64::MIN, |newest| newest + 1));
            self.core.histories.insert(id, history);
        }
        Ok(())
    }

    /// Everything that is stored of a series.
    async fn stored(
        &self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        number: i64,
        slo: &SloRules,
    ) -> Result<SeriesState, StoreError> {
        let first = now.timestamp() - slo.retention;
        let mut state = SeriesState::new(Ledger::for_slo(&slo.spec));
        for broken in self.store.load_ledger(number, first, &mut state.ledger).await? {
            tracing::error!(slo = %key.id, error = %broken, "stored slots are left out");
        }
        state.alerts = self.store.load_alerts(number).await?;
        state.corrections = self.store.corrections(number, time(first)).await?;
        Ok(state)
    }

    /// Hands an input to the core. A series that comes back has its history with it.
    pub(super) async fn take(&mut self, now: DateTime<Utc>, input: Input, decision: &mut Decision) {
        for key in self.core.unknown_series(&input) {
            let rules = self.core.rules.clone();
            let (Some(slo), Some(number)) = (rules.slos.get(&key.id), self.store.series_id(&key)) else { continue };
            if self.core.series_of(&key.id).count() >= slo.max_series {
                continue;
            }
            match self.stored(now, &key, number, slo).await {
                Ok(state) => drop(self.core.series.insert(key, state)),
                Err(error) => {
                    tracing::error!(slo = %key.id, error = %error.text(), "what is stored of a series cannot be read")
                }
            }
        }
        // Nothing rejects what a source says.
        drop(self.core.handle(now, input, decision));
    }
}
