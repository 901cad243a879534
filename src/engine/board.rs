//! What was last known, published for whoever asks. Readers never wait for the decider.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use super::{diagnostics::Wanted, metrics::Meters};
use crate::{
    domain::{
        decide::{SeriesKey, SourceState},
        history::History,
        name::{Name, SloId},
        policy::Priority,
    },
    views::slo::SloView,
};

/// What a gauge last showed.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugeValue {
    /// HELP text.
    pub help: String,
    /// The number; none if the source had none.
    pub value: Option<f64>,
}

/// The published state.
#[derive(Debug, Default)]
pub struct Board {
    slos: RwLock<BTreeMap<SeriesKey, Arc<SloView>>>,
    histories: RwLock<BTreeMap<SloId, History>>,
    fills: RwLock<BTreeMap<SloId, String>>,
    sources: RwLock<BTreeMap<Name, SourceState>>,
    gauges: RwLock<BTreeMap<String, GaugeValue>>,
    incidents: RwLock<BTreeMap<(&'static str, Priority), u64>>,
    silences: AtomicUsize,
    latencies: RwLock<BTreeMap<Name, f64>>,
    heard_at: RwLock<BTreeMap<Name, DateTime<Utc>>>,
    looks: RwLock<BTreeMap<String, Wanted>>,
    /// Rung when incidents ask for other looks than before.
    pub bell: Notify,
    beats: Mutex<BTreeMap<&'static str, DateTime<Utc>>>,
    delivering: Mutex<BTreeMap<Name, DateTime<Utc>>>,
    trouble: RwLock<Option<String>>,
    unheard: RwLock<BTreeMap<Name, u64>>,
    /// Counters and histograms of events.
    pub meters: Meters,
}

impl Board {
    /// Notes that a message to this receiver could not be delivered, and that there was nobody to be told instead.
    pub fn note_unheard(&self, receiver: &Name) {
        *write(&self.unheard).entry(receiver.clone()).or_default() += 1;
    }

    /// Of how many such messages it knows since its start, by receiver.
    pub fn unheard(&self) -> BTreeMap<Name, u64> {
        read(&self.unheard).clone()
    }

    /// All SLOs' figures.
    pub fn slos(&self) -> Vec<Arc<SloView>> {
        read(&self.slos).values().cloned().collect()
    }

    /// One series' figures.
    pub fn slo(&self, key: &SeriesKey) -> Option<Arc<SloView>> {
        read(&self.slos).get(key).cloned()
    }

    /// Publishes figures.
    pub fn publish(&self, key: SeriesKey, view: SloView) {
        write(&self.slos).insert(key, Arc::new(view));
    }

    /// Leaves only these series.
    pub fn keep(&self, keep: impl Fn(&SeriesKey) -> bool) {
        write(&self.slos).retain(|key, _| keep(key));
    }

    /// Looks at what is still to be asked about.
    pub fn with_histories<T>(&self, look: impl FnOnce(&BTreeMap<SloId, History>) -> T) -> T {
        look(&read(&self.histories))
    }

    /// What of an SLO is still to be asked about.
    pub fn history(&self, id: &SloId) -> Option<History> {
        read(&self.histories).get(id).cloned()
    }

    /// Publishes what is still to be asked about.
    pub fn publish_history(&self, id: SloId, history: History) {
        write(&self.histories).insert(id, history);
    }

    /// Leaves only these.
    pub fn keep_histories(&self, keep: impl Fn(&SloId) -> bool) {
        write(&self.histories).retain(|id, _| keep(id));
    }

    /// Why an SLO's history is not filled at the moment; none if it is.
    pub fn fill_trouble(&self, id: &SloId) -> Option<String> {
        read(&self.fills).get(id).cloned()
    }

    /// Says why an SLO's history is not filled, or that it is again.
    pub fn set_fill_trouble(&self, id: &SloId, trouble: Option<String>) {
        match trouble {
            Some(why) => drop(write(&self.fills).insert(id.clone(), why)),
            None => drop(write(&self.fills).remove(id)),
        }
    }

    /// How the sources stand.
    pub fn sources(&self) -> BTreeMap<Name, SourceState> {
        read(&self.sources).clone()
    }

    /// Publishes how the sources stand.
    pub fn publish_sources(&self, sources: &BTreeMap<Name, SourceState>) {
        if *read(&self.sources) != *sources {
            write(&self.sources).clone_from(sources);
        }
    }

    /// Notes an answer or a failure of a source, and how long it took.
    pub fn heard(&self, source: &Name, at: DateTime<Utc>, seconds: f64) {
        write(&self.heard_at).insert(source.clone(), at);
        write(&self.latencies).insert(source.clone(), seconds);
    }

    /// When a source last answered or failed.
    pub fn heard_at(&self, source: &Name) -> Option<DateTime<Utc>> {
        read(&self.heard_at).get(source).copied()
    }

    /// How long a source's newest answer took, in seconds.
    pub fn latency(&self, source: &Name) -> Option<f64> {
        read(&self.latencies).get(source).copied()
    }

    /// The published gauges.
    pub fn gauges(&self) -> BTreeMap<String, GaugeValue> {
        read(&self.gauges).clone()
    }

    /// Publishes a gauge.
    pub fn publish_gauge(&self, name: &str, gauge: GaugeValue) {
        write(&self.gauges).insert(name.to_owned(), gauge);
    }

    /// Leaves only these gauges.
    pub fn keep_gauges(&self, keep: impl Fn(&str) -> bool) {
        write(&self.gauges).retain(|name, _| keep(name));
    }

    /// Live incidents by state and priority.
    pub fn incidents(&self) -> BTreeMap<(&'static str, Priority), u64> {
        read(&self.incidents).clone()
    }

    /// Publishes live incidents by state and priority.
    pub fn publish_incidents(&self, counts: BTreeMap<(&'static str, Priority), u64>) {
        *write(&self.incidents) = counts;
    }

    /// Looks that incidents ask for, by id.
    pub fn looks_wanted(&self) -> BTreeMap<String, Wanted> {
        read(&self.looks).clone()
    }

    /// Publishes which looks incidents ask for.
    pub fn publish_looks(&self, looks: BTreeMap<String, Wanted>) {
        if *read(&self.looks) != looks {
            *write(&self.looks) = looks;
            self.bell.notify_waiters();
        }
    }

    /// How many silences mute something now.
    pub fn silences(&self) -> usize {
        self.silences.load(Ordering::Relaxed)
    }

    /// Publishes how many silences there are.
    pub fn publish_silences(&self, count: usize) {
        self.silences.store(count, Ordering::Relaxed);
    }

    /// A loop says that it moves: the watchdog asks.
    pub fn beat(&self, name: &'static str, at: DateTime<Utc>) {
        self.beats.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name, at);
    }

    /// When each loop last moved.
    pub fn beats(&self) -> BTreeMap<&'static str, DateTime<Utc>> {
        self.beats.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// A receiver's deliverer says that it moves.
    pub fn delivering(&self, receiver: &Name, at: DateTime<Utc>) {
        let mut delivering = self.delivering.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match delivering.get_mut(receiver) {
            Some(beat) => *beat = at,
            None => drop(delivering.insert(receiver.clone(), at)),
        }
    }

    /// When a receiver's deliverer last moved.
    pub fn delivered(&self, receiver: &Name) -> Option<DateTime<Utc>> {
        self.delivering.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(receiver).copied()
    }

    /// Why decisions cannot be written, if they cannot.
    pub fn trouble(&self) -> Option<String> {
        read(&self.trouble).clone()
    }

    /// Says why decisions cannot be written, or that they can again.
    pub fn set_trouble(&self, trouble: Option<String>) {
        if *read(&self.trouble) != trouble {
            *write(&self.trouble) = trouble;
        }
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}
