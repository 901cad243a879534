//! Slots come in: live ones one by one, older ones in any order and number. Each series is judged once, at its newest slot,
//! when all of them are in its ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use chrono::{DateTime, Utc};

use super::{Core, Decision, SeriesKey, SeriesState};
use crate::domain::{
    chunk::chunk_of,
    ledger::{Inserted, Ledger},
    name::{Series, SloId},
    rulebook::SloRules,
    slot::{Gap, Reading, Slot, SlotAnswer},
};

/// What was learned of an SLO's slots.
pub(super) struct Settling {
    /// Which slots were asked about.
    pub asked: Range<i64>,
    /// What came back.
    pub slots: Vec<SlotAnswer>,
    /// What holds for what did not.
    pub absent: Reading,
    /// What the source warned of.
    pub degraded: Option<String>,
    /// Whether they were asked about after the fact.
    pub late: bool,
}

impl Core {
    pub(super) fn settle(&mut self, now: DateTime<Utc>, id: &SloId, settling: &Settling, decision: &mut Decision) {
        let rules = self.rules.clone();
        let Some(slo) = rules.slos.get(id) else { return };
        self.note_asked(now, id, slo, settling, decision);
        if slo.per.is_empty() && settling.slots.iter().all(|answer| answer.series.is_empty()) {
            let mut slots: BTreeMap<i64, &Reading> =
                settling.asked.clone().map(|slot| (slot, &settling.absent)).collect();
            slots.extend(settling.slots.iter().map(|answer| (answer.slot, &answer.reading)));
            let key = SeriesKey::whole(id.clone());
            if self.series.contains_key(&key) {
                self.settle_series(now, &key, slo, &slots, settling.degraded.as_deref(), decision);
                return;
            }
        }
        self.stand_in(now, slo, settling, decision);
        let known: BTreeSet<Series> = self.series_of(id).map(|key| key.series.clone()).collect();
        let mut by_series: BTreeMap<&Series, BTreeMap<i64, &Reading>> = BTreeMap::new();
        for series in &known {
            let absent = settling.asked.clone().map(|slot| (slot, &settling.absent));
            by_series.insert(series, absent.collect());
        }
        for answer in &settling.slots {
            by_series.entry(&answer.series).or_default().insert(answer.slot, &answer.reading);
        }
        let room = slo.max_series.saturating_sub(known.len());
        let (mut new, mut refused) = (0, 0);
        for (series, slots) in by_series {
            let key = SeriesKey { id: id.clone(), series: series.clone() };
            if !known.contains(series) {
                if new == room {
                    refused += 1;
                    continue;
                }
                new += 1;
                self.series.insert(key.clone(), SeriesState::new(Ledger::for_slo(&slo.spec)));
            }
            self.settle_series(now, &key, slo, &slots, settling.degraded.as_deref(), decision);
        }
        self.retire_gone(now, slo, settling, refused > 0, decision);
        if refused > 0 {
            let fault = format!(
                "data fault: {refused} series more than `max_series_per_slo` ({}) are not counted",
                slo.max_series
            );
            for key in self.series_of(id).cloned().collect::<Vec<_>>() {
                if let Some(state) = self.series.get_mut(&key) {
                    state.fault.get_or_insert_with(|| fault.clone());
                }
            }
        }
    }

    /// The series of an SLO that are known.
    pub fn series_of<'a>(&'a self, id: &'a SloId) -> impl Iterator<Item = &'a SeriesKey> {
        let first = SeriesKey::whole(id.clone());
        self.series.range(first..).map(|(key, _)| key).take_while(move |key| key.id == *id)
    }

    /// The clock had been ahead: what was settled there is not true of the time to come.
    pub fn rewind(&mut self, now: DateTime<Utc>, key: &SeriesKey, decision: &mut Decision) {
        if let Some(state) = self.series.get_mut(key) {
            let last = now.timestamp().div_euclid(i64::from(state.ledger.every())) + 1;
            state.rewind(key, last, decision);
            decision.judged.insert(key.clone());
        }
    }

    fn settle_series(
        &mut self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        slo: &SloRules,
        slots: &BTreeMap<i64, &Reading>,
        degraded: Option<&str>,
        decision: &mut Decision,
    ) {
        let Some(state) = self.series.get_mut(key) else { return };
        let every = i64::from(slo.spec.every);
        // A probe's slot is settled while it runs; a small step of the clock may put that into the next one.
        let last = now.timestamp().div_euclid(every) + 1;
        let mut first_changed: Option<i64> = None;
        for (slot, reading) in slots.range(..=last) {
            state.rewind(key, last, decision);
            let newest = state.ledger.newest().is_none_or(|newest| *slot >= newest);
            match state.ledger.insert(Slot::settled(*slot, reading)) {
                Inserted::New | Inserted::Replaced => {}
                Inserted::Unchanged => continue,
                Inserted::Evicted => {
                    decision.unplaced.insert((key.clone(), *slot));
                    continue;
                }
            }
            first_changed.get_or_insert(*slot);
            decision.chunks.insert((key.clone(), chunk_of(*slot)));
            if newest {
                state.fault = match reading {
                    Reading::Unmeasured(gap) => Some(gap_words(gap)),
                    _ => degraded.map(ToOwned::to_owned),
                };
            }
            if chunk_of(*slot) % 8 == 0 {
                state.ledger.forget_before(now.timestamp() - slo.retention);
            }
        }
        let newest = state.ledger.newest();
        if let Some(first) = first_changed {
            let came_late = newest.is_some_and(|newest| first < newest);
            self.judge(now, key, slo, came_late, decision);
            self.release_status_page(now, key, slo, decision);
        }
    }
}

impl SeriesState {
    /// Forgets the slots behind number `last`, and what was judged by them.
    fn rewind(&mut self, key: &SeriesKey, last: i64, decision: &mut Decision) {
        if self.ledger.newest().is_some_and(|newest| newest > last) {
            let forgotten = self.ledger.forget_after(last);
            decision.chunks.extend(forgotten.into_iter().map(|chunk| (key.clone(), chunk)));
            let end = |newest: i64| (newest + 1) * i64::from(self.ledger.every());
            let latest = self.ledger.newest().map_or(i64::MIN, end);
            self.alerts.values_mut().for_each(|alert| alert.rewind(latest));
            decision.alerts.insert(key.clone());
        }
    }
}

/// A gap in words.
pub fn gap_words(gap: &Gap) -> String {
    match gap {
        Gap::NoAnswer(why) => why.clone(),
        Gap::NotYet => "no data yet: the source is asked again".to_owned(),
        Gap::NoData => "no data: the answer holds no series or no value".to_owned(),
        Gap::DataFault(why) => format!("data fault: {why}"),
        Gap::NotAsked => "not asked: slod was not running".to_owned(),
        Gap::OurFault(why) => format!("our own network: {why}"),
    }
}
