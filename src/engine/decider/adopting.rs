//! A ruling is put in force: what is stored of its SLOs is read back.

use chrono::{DateTime, Utc};

use super::Decider;
use crate::{
    domain::decide::{Decision, Input, SeriesKey},
    store::StoreError,
};

impl Decider {
    /// Puts the ruling in force: numbers for new series, their stored slots and alerts, then the rules.
    pub(super) async fn adopt(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let rules = self.ruling.rules.clone();
        let mut wanted = Vec::new();
        for (id, slo) in &rules.slos {
            let keys = if slo.per.is_empty() { vec![SeriesKey::whole(id.clone())] } else { self.store.series_of(id) };
            let keys = keys.into_iter().filter(|key| !slo.per.is_empty() || key.series.is_empty());
            wanted.extend(keys.map(|key| (key, self.definition(id, slo, now))));
        }
        let keys: Vec<SeriesKey> = wanted.iter().map(|(key, _)| key.clone()).collect();
        self.store.enrol(wanted).await?;
        let known = self.ruling.fallbacks.keys().cloned().collect();
        let orphans = self.store.bury_orphans(known).await?;
        if orphans > 0 {
            tracing::warn!(orphans, "messages to receivers that are no longer configured are given up");
        }
        let stays = |key: &SeriesKey| {
            let (state, slo) = (self.core.series.get(key), rules.slos.get(&key.id));
            state.zip(slo).is_some_and(|(state, slo)| state.ledger.is_for(&slo.spec))
        };
        let mut loaded = self.load_series(keys.into_iter().filter(|key| !stays(key)).collect(), now).await?;
        // What was gone before stays gone, unless somebody waits for its end.
        loaded.retain(|(key, state)| {
            let Some(slo) = rules.slos.get(&key.id).filter(|slo| !slo.per.is_empty()) else { return true };
            key.series.is_empty() || state.is_alarmed() || !state.is_gone(&slo.spec, now)
        });
        self.core.adopt(rules);
        self.core.series.extend(loaded);
        self.last_round = None;
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

    /// Hands an input to the core. Series that come back have their history with them.
    pub(super) async fn take(&mut self, now: DateTime<Utc>, input: Input, decision: &mut Decision) {
        let mut back = self.core.unknown_series(&input);
        if let Some(SeriesKey { id, .. }) = back.first().cloned()
            && let Some(slo) = self.core.rules.slos.get(&id)
        {
            back.retain(|key| self.store.series_id(key).is_some());
            back.truncate(slo.max_series.saturating_sub(self.core.series_of(&id).count()));
            match self.load_series(back, now).await {
                Ok(loaded) => {
                    self.core.series.extend(loaded);
                    self.last_round = None;
                }
                Err(error) => tracing::error!(slo = %id, error = %error.text(), "stored series cannot be read"),
            }
        }
        // Nothing rejects what a source says.
        drop(self.handle(now, input, decision).await);
    }
}
