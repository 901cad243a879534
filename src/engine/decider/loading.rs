//! Ledgers hold the sums of all their chunks, and only those chunks that are looked at. What else is needed is read here,
//! before it is; what has not been looked at for long is given back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Decider, Order, Told};
use crate::{
    domain::{
        chunk::{SLOTS, chunk_of},
        correction::Correction,
        decide::{Decision, Input, Rejected, SeriesKey, SeriesState, time},
        ledger::{ChunkKey, Ledger},
    },
    store::{StoreError, sums::Wanted},
    views::figures::slo_view,
};

/// More chunks of one series than this are looked through for what nothing needs.
const RESIDENT_MAX: usize = 12;
/// Series whose chunks are read at once.
const PART: usize = 1_024;
/// A look back goes on in steps: this many are more than a year.
const STEPS_MAX: usize = 4_096;

/// Which chunks are to be loaded.
type Needs = BTreeSet<(SeriesKey, ChunkKey)>;

impl Decider {
    /// Everything that is stored of these series.
    pub(super) async fn load_series(
        &self,
        keys: Vec<SeriesKey>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(SeriesKey, SeriesState)>, StoreError> {
        let (mut found, mut wanted) = (Vec::new(), Vec::new());
        for key in keys {
            let Some(slo) = self.ruling.rules.slos.get(&key.id) else { continue };
            if let Some(series) = self.store.series_id(&key) {
                let from = now.timestamp() - slo.retention;
                wanted.push(Wanted { series, from, ledger: Ledger::for_slo(&slo.spec) });
                found.push(key);
            }
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let loaded = self.store.load_ledgers(&mut wanted).await?;
        if loaded.recounted > 0 {
            tracing::info!(
                series = loaded.recounted,
                "sums were not stored, or not right: all slots were counted again"
            );
        }
        for (series, error) in &loaded.broken {
            tracing::error!(series, %error, "stored slots are left out");
        }
        let mut alerts = self.store.load_alerts().await?;
        let mut corrections = self.store.all_corrections().await?;
        let ledgers = found.into_iter().zip(wanted).map(|(key, Wanted { series, from, ledger })| {
            let mut corrections = corrections.remove(&series).unwrap_or_default();
            corrections.retain(|made| made.at >= time(from));
            let alerts = alerts.remove(&series).unwrap_or_default();
            (key, SeriesState { alerts, corrections, ..SeriesState::new(ledger) })
        });
        Ok(ledgers.collect())
    }

    /// Loads what the orders will need.
    pub(super) async fn prepare(&mut self, orders: &[Order], now: DateTime<Utc>) {
        self.come_back(now).await;
        let mut needs = Needs::new();
        for order in orders {
            if let Order::Input(Input::Settled { id, asked, slots, .. })
            | Order::Fill { input: Input::Settled { id, asked, slots, .. }, .. } = order
            {
                let mut chunks: Vec<i64> = slots.iter().map(|answer| chunk_of(answer.slot)).collect();
                if !asked.is_empty() {
                    chunks.extend(chunk_of(asked.start)..=chunk_of(asked.end - 1));
                }
                chunks.sort_unstable();
                chunks.dedup();
                for key in self.core.series_of(id) {
                    let Some(state) = self.core.series.get(key) else { continue };
                    let ledger = &state.ledger;
                    let mut wanted = ledger.wanted(1);
                    wanted.extend(chunks.iter().filter_map(|chunk| ledger.wanted_for(chunk * SLOTS)));
                    needs.extend(wanted.into_iter().map(|chunk| (key.clone(), chunk)));
                }
            }
        }
        self.load(needs).await;
    }

    /// The clock had been ahead: what was forgotten then as too old is not. It is read back before anything is written into
    /// the same chunks.
    async fn come_back(&mut self, now: DateTime<Utc>) {
        let last_round = self.last_round.replace(now);
        if last_round.is_some_and(|last_round| now >= last_round) {
            return;
        }
        let is_ahead = |state: &SeriesState| {
            let last = now.timestamp().div_euclid(i64::from(state.ledger.every())) + 1;
            state.ledger.newest().is_some_and(|newest| newest > last)
        };
        let ahead: Vec<SeriesKey> =
            self.core.series.iter().filter(|(_, state)| is_ahead(state)).map(|(key, _)| key.clone()).collect();
        if ahead.is_empty() {
            return;
        }
        tracing::warn!(series = ahead.len(), "the clock had been ahead: what it had settled is taken back");
        for (key, loaded) in self.persist(|| self.load_series(ahead.clone(), now)).await {
            if let Some(state) = self.core.series.get_mut(&key) {
                state.ledger = loaded.ledger;
            }
        }
        let mut decision = Decision::default();
        let mut needs = Needs::new();
        for key in &ahead {
            let Some(state) = self.core.series.get(key) else { continue };
            let last = now.timestamp().div_euclid(i64::from(state.ledger.every())) + 1;
            let wanted = state.ledger.wanted_to_forget_after(last);
            needs.extend(wanted.into_iter().map(|chunk| (key.clone(), chunk)));
        }
        self.load(needs).await;
        for key in &ahead {
            self.core.rewind(now, key, &mut decision);
        }
        Box::pin(self.conclude(now, decision, Told::default())).await;
    }

    /// Lets the core handle an input. A series that is judged by what is not at hand is judged again when it is.
    pub(super) async fn handle(
        &mut self,
        now: DateTime<Utc>,
        input: Input,
        decision: &mut Decision,
    ) -> Result<(), Rejected> {
        let result = self.core.handle(now, input, decision);
        for _ in 0..STEPS_MAX {
            let starved = std::mem::take(&mut decision.starved);
            if starved.is_empty() {
                break;
            }
            self.feed(&starved.keys().cloned().collect()).await;
            for (key, came_late) in &starved {
                self.core.judge_again(now, key, *came_late, decision);
            }
        }
        for key in std::mem::take(&mut decision.starved).into_keys() {
            tracing::error!(slo = %key.id, "not judged: stored slots are missing");
        }
        for (key, slot) in std::mem::take(&mut decision.unplaced) {
            tracing::error!(slo = %key.id, slot, "a slot was not taken: stored slots are missing");
        }
        result
    }

    /// Takes a correction, if what it takes away was counted.
    pub(super) async fn correct(
        &mut self,
        now: DateTime<Utc>,
        key: SeriesKey,
        correction: Correction,
        decision: &mut Decision,
    ) -> Result<(), Rejected> {
        for _ in 0..STEPS_MAX {
            match self.core.can_correct(&key, &correction) {
                Some(can) => {
                    can?;
                    break;
                }
                None => self.feed(&BTreeSet::from([key.clone()])).await,
            }
        }
        self.handle(now, Input::Correct { key, correction }, decision).await
    }

    /// Publishes the figures of these series, all of them whole.
    pub(super) async fn publish_whole(&mut self, keys: BTreeSet<SeriesKey>, now: DateTime<Utc>) {
        let keys: Vec<SeriesKey> = keys.into_iter().collect();
        for part in keys.chunks(PART) {
            self.publish_part(part.iter().cloned().collect(), now).await;
        }
    }

    async fn publish_part(&mut self, mut keys: BTreeSet<SeriesKey>, now: DateTime<Utc>) {
        for _ in 0..STEPS_MAX {
            keys.retain(|key| !self.publish(key, now));
            if keys.is_empty() {
                return;
            }
            self.feed(&keys).await;
        }
        for key in keys {
            tracing::error!(slo = %key.id, "figures are not shown: stored slots are missing");
        }
    }

    /// Publishes the figures of a series, if nothing that they are of is missing.
    fn publish(&self, key: &SeriesKey, now: DateTime<Utc>) -> bool {
        let shown = self.ruling.shown.get(&key.id).cloned().unwrap_or_default();
        if let (Some(rules), Some(state)) = (self.core.rules.slos.get(&key.id), self.core.series.get(key)) {
            let view = slo_view(key, rules, &shown, state, now);
            if !state.ledger.is_whole() {
                return false;
            }
            self.board.publish(key.clone(), view);
        } else {
            self.board.keep(|known| known != key);
        }
        true
    }

    /// Gives back what was not looked at for long, and fetches what the next hours will need: every series at another
    /// slot. All that these series hold is in the store.
    pub(super) async fn tend(&mut self, keys: &BTreeSet<SeriesKey>) {
        let mut needs = Needs::new();
        for key in keys {
            let (Some(number), Some(state)) = (self.store.series_id(key), self.core.series.get_mut(key)) else {
                continue;
            };
            let turn = state.ledger.newest().is_some_and(|newest| (newest + number).rem_euclid(SLOTS) == 0);
            if turn || state.ledger.resident() > RESIDENT_MAX {
                state.ledger.evict();
            }
            if turn {
                needs.extend(state.ledger.wanted(SLOTS).into_iter().map(|chunk| (key.clone(), chunk)));
            }
        }
        self.load(needs).await;
    }

    /// Loads what reads of these series have missed.
    async fn feed(&mut self, keys: &BTreeSet<SeriesKey>) {
        let mut needs = Needs::new();
        for key in keys {
            if let Some(state) = self.core.series.get(key) {
                needs.extend(state.ledger.missing().into_iter().map(|chunk| (key.clone(), chunk)));
            }
        }
        self.load(needs).await;
    }

    async fn load(&mut self, needs: Needs) {
        if needs.is_empty() {
            return;
        }
        let mut questions: BTreeMap<ChunkKey, Vec<i64>> = BTreeMap::new();
        for (key, chunk) in &needs {
            questions.entry(*chunk).or_default().extend(self.store.series_id(key));
        }
        let mut chunks = self.persist(|| self.store.all_chunks(&questions)).await;
        for (key, chunk) in needs {
            let data = self.store.series_id(&key).and_then(|series| chunks.remove(&(series, chunk)));
            let Some(state) = self.core.series.get_mut(&key) else { continue };
            let why = match data.map(|data| state.ledger.load(chunk.every, chunk.number, data)) {
                Some(Ok(())) => continue,
                Some(Err(error)) => error.to_string(),
                None => format!("chunk {} is not in the store", chunk.number),
            };
            tracing::error!(slo = %key.id, error = %why, "stored slots are left out");
            state.ledger.lose(chunk);
        }
    }
}
