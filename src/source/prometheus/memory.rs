//! What is remembered of counters between questions: the last sample of each series at a slot's edge, so that the next
//! slot reads nothing else. It is a cache: what is forgotten is asked again and comes out the same.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{answer::Labels, counter::Point};
use crate::domain::name::Series;

/// The name of a time series: a hash of its labels.
pub(super) type Key = [u8; 16];

/// Edges that are kept of one question: slots may be asked about in another order than they end in.
const EDGES_MAX: usize = 3;
/// The most series of an edge, and of all edges together.
const SERIES_MAX: usize = 100_000;
const ALL_MAX: usize = 1_000_000;
/// How long a series that is gone, or a question that is not asked any more, is remembered: seconds.
const AGE_MAX: i64 = 86_400;
/// Seconds of history that one request asks for: at first, at least and at most.
const PACE: i64 = 86_400;
const PACE_MIN: i64 = 60;
const PACE_MAX: i64 = 7 * 86_400;

/// The last samples at a moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    /// Unix seconds.
    pub at: i64,
    /// All samples since this second were seen.
    pub since: i64,
    /// The last sample at or before it of each time series.
    pub last: HashMap<Key, Point>,
    /// The newest of them in milliseconds, by the labels that are counted apart.
    pub newest: BTreeMap<Series, i64>,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    edges: HashMap<String, BTreeMap<i64, Arc<Edge>>>,
    paces: HashMap<String, i64>,
}

/// The hash of labels; `but` is left out.
pub(super) fn key(labels: &Labels, but: &str) -> Key {
    let mut hash = Sha256::new();
    for (name, value) in labels.iter().filter(|(name, _)| *name != but) {
        for text in [name, value] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    let mut key = Key::default();
    key.iter_mut().zip(hash.finalize()).for_each(|(into, from)| *into = from);
    key
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest edge of `question` between the seconds `from` and `until`.
    pub fn edge(&self, question: &str, from: i64, until: i64) -> Option<Arc<Edge>> {
        self.state().edges.get(question)?.range(from..=until).next_back().map(|(_, edge)| Arc::clone(edge))
    }

    /// Remembers an edge.
    pub fn put(&self, question: &str, mut edge: Edge) {
        let now = edge.at;
        let oldest = (now - AGE_MAX) * 1_000;
        edge.last.retain(|_, point| point.at > oldest);
        edge.newest.retain(|_, at| *at > oldest);
        // Of what was forgotten it must not be said that it was never seen.
        edge.since = edge.since.max(now - AGE_MAX);
        if edge.last.len() > SERIES_MAX {
            return;
        }
        let mut state = self.state();
        let edges = state.edges.entry(question.to_owned()).or_default();
        // A slot of long ago is nobody's next.
        if edges.last_key_value().is_some_and(|(newest, _)| *newest - now > AGE_MAX) {
            return;
        }
        edges.insert(now, Arc::new(edge));
        while edges.len() > EDGES_MAX {
            edges.pop_first();
        }
        state.sweep(now);
    }

    /// How many seconds of history one request should ask for.
    pub fn pace(&self, question: &str) -> i64 {
        self.state().paces.get(question).copied().unwrap_or(PACE)
    }

    /// Remembers how many seconds of history a request could ask for.
    pub fn set_pace(&self, question: &str, seconds: i64) {
        self.state().paces.insert(question.to_owned(), seconds.clamp(PACE_MIN, PACE_MAX));
    }
}

impl State {
    /// Forgets what is too old, and the oldest of what is too much.
    fn sweep(&mut self, now: i64) {
        let newest = |edges: &BTreeMap<i64, Arc<Edge>>| edges.last_key_value().map_or(i64::MIN, |(at, _)| *at);
        self.edges.retain(|_, edges| newest(edges) >= now - AGE_MAX);
        let size = |edges: &BTreeMap<i64, Arc<Edge>>| edges.values().map(|edge| edge.last.len()).sum::<usize>();
        while self.edges.values().map(size).sum::<usize>() > ALL_MAX {
            let oldest = self.edges.iter().min_by_key(|(_, edges)| newest(edges)).map(|(question, _)| question.clone());
            let Some(oldest) = oldest else { return };
            self.edges.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(at: i64, samples: &[i64]) -> Edge {
        let key = |number: usize| {
            let mut key = Key::default();
            key[..8].copy_from_slice(&number.to_le_bytes());
            key
        };
        let point = |(number, at): (usize, &i64)| (key(number), Point { at: *at * 1_000, value: 1.0, part: 0.0 });
        Edge { at, since: at, last: samples.iter().enumerate().map(point).collect(), newest: BTreeMap::new() }
    }

    #[test]
    fn edges_are_found_and_forgotten() {
        let memory = Memory::default();
        for at in [60, 120, 180, 240] {
            memory.put("x", edge(at, &[at]));
        }
        let found = |from, until| memory.edge("x", from, until).map(|edge| edge.at);
        assert_eq!(found(0, 60), None, "only the newest three are kept");
        assert_eq!(found(0, 200), Some(180));
        assert_eq!(found(200, 220), None);
        assert_eq!(memory.edge("y", 0, 240).map(|edge| edge.at), None);

        let day = 86_400;
        memory.put("x", edge(day + 240, &[240, 241]));
        assert_eq!(memory.edge("x", day, 2 * day).map(|edge| edge.last.len()), Some(1), "a day old is too old");
        memory.put("x", Edge { since: 7, ..edge(day + 300, &[]) });
        assert_eq!(memory.edge("x", day, 2 * day).map(|edge| edge.since), Some(300));
        memory.put("y", edge(3 * day, &[3 * day]));
        assert_eq!(found(0, 3 * day), None, "nobody asked for days");
        memory.put("y", edge(4, &[1]));
        assert_eq!(memory.edge("y", 0, 10 * day).map(|edge| edge.at), Some(3 * day), "history disturbs nothing");
    }

    #[test]
    fn memory_is_bounded() {
        let memory = Memory::default();
        memory.put("x", edge(60, &vec![60; SERIES_MAX + 1]));
        assert!(memory.edge("x", 0, 60).is_none());
        for number in 0..12 {
            memory.put(&format!("{number}"), edge(60 + number, &vec![60; SERIES_MAX]));
        }
        let kept = (0..12).filter(|number| memory.edge(&format!("{number}"), 0, 100).is_some()).count();
        assert_eq!(kept, ALL_MAX / SERIES_MAX);
        assert!(memory.edge("11", 0, 100).is_some());
    }

    #[test]
    fn keys_tell_series_apart() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_ne!(key(&labels(&[("a", "bc")]), ""), key(&labels(&[("ab", "c")]), ""));
        assert_ne!(key(&labels(&[("a", "b"), ("c", "d")]), ""), key(&labels(&[("a", "bcd")]), ""));
        let named = labels(&[("__name__", "x"), ("a", "b")]);
        assert_eq!(key(&named, "__name__"), key(&labels(&[("a", "b")]), ""));
    }
}
