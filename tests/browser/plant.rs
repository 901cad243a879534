//! Thirty days of slots, written into a store as slod itself writes them.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    domain::{
        chunk::{SLOTS, chunk_of},
        decide::SeriesKey,
        history::History,
        ledger::Ledger,
        name::SloId,
        slot::{Reading, Slot},
    },
    store::{Store, commit::Commit, ledger::Definition},
};

/// Days that are planted: the window of the SLOs.
pub const DAYS: i64 = 30;

/// A time in which things went worse than usual.
#[derive(Clone, Copy, Debug)]
pub struct Dip {
    /// Its start, in hours before now.
    pub hours_ago: f64,
    /// Its length in minutes.
    pub minutes: f64,
    /// The share of events that were bad.
    pub bad: f64,
}

/// The past of one SLO.
#[derive(Clone, Debug)]
pub struct Past {
    /// `service` and `slo`.
    pub slo: (&'static str, String),
    /// Label and value, for an SLO with `per`.
    pub series: Vec<(&'static str, String)>,
    /// Slot length in seconds.
    pub every: u32,
    /// Promised then, in parts per billion.
    pub objective_ppb: u32,
    /// Events of a slot, about; one: a check.
    pub events: f64,
    /// The share of events that are bad at other times.
    pub bad: f64,
    /// The exceptions.
    pub dips: Vec<Dip>,
    /// The value that is shown beside a slot without bad events.
    pub shown: Option<f64>,
}

impl Past {
    fn key(&self) -> SeriesKey {
        let id = SloId::new(self.slo.0, self.slo.1.as_str());
        let labels = self.series.iter().map(|(label, value)| ((*label).to_owned(), value.clone()));
        SeriesKey { series: labels.collect(), ..SeriesKey::whole(id) }
    }

    /// What a slot held, with a little noise.
    fn reading(&self, start: i64, now: i64, noise: &mut u64) -> Reading {
        *noise ^= *noise << 13;
        *noise ^= *noise >> 7;
        *noise ^= *noise << 17;
        let random = (*noise >> 11) as f64 / (1_u64 << 53) as f64;
        let dip = self.dips.iter().find(|dip| {
            let from = now as f64 - dip.hours_ago * 3_600.0;
            (from..from + dip.minutes * 60.0).contains(&(start as f64))
        });
        let share = dip.map_or(self.bad, |dip| dip.bad);
        if self.events < 2.0 {
            return Reading::check(random >= share, self.shown.map(|shown| shown * (0.8 + random / 2.0)));
        }
        // More by day than by night.
        let day = 1.0 + 0.5 * (start as f64 / 86_400.0 * std::f64::consts::TAU).sin();
        let total = (self.events * day * (0.9 + random / 5.0)).round().max(1.0);
        let bad = (total * share * (0.5 + random)).round().min(total);
        Reading::events(total - bad, total, self.shown.map(|shown| shown * (0.9 + random / 5.0 + 3.0 * share)))
    }
}

/// Writes the past of all these SLOs, up to the slot before the one that has just ended.
pub async fn plant(store: &Path, pasts: &[Past], now: DateTime<Utc>) {
    let store = Store::open(store).await.unwrap();
    let since = now - TimeDelta::days(DAYS + 5);
    let definition = |past: &Past| Definition { since, hash: 0, objective_ppb: past.objective_ppb, every: past.every };
    store.enrol(pasts.iter().map(|past| (past.key(), definition(past))).collect()).await.unwrap();
    let mut commit = Commit::default();
    let mut noise = 88_172_645_463_325_252_u64;
    for past in pasts {
        let every = i64::from(past.every);
        // The slot that has just ended is asked about at the start.
        let end = now.timestamp().div_euclid(every) - 1;
        let start = end - DAYS * 86_400 / every;
        let series = store.series_id(&past.key()).unwrap();
        let mut ledger = Ledger::new(past.every);
        for index in start..end {
            ledger.insert(Slot::settled(index, &past.reading(index * every, now.timestamp(), &mut noise)));
        }
        for chunk in chunk_of(start)..=chunk_of(end - 1) {
            commit.chunks.push((series, past.every, chunk, ledger.chunk_bytes(chunk).unwrap()));
        }
        commit.sums.extend(ledger.take_sums().map(|sums| (series, past.every, sums)));
        commit.histories.push((past.key().id, History::new(past.every, end, end)));
        assert!(end - start > SLOTS, "some chunks are closed");
    }
    // One history an SLO, whatever its series.
    commit.histories.sort_by(|one, other| one.0.cmp(&other.0));
    commit.histories.dedup_by(|one, other| one.0 == other.0);
    store.commit(Arc::new(commit), now).await.unwrap();
    store.close().await;
}
