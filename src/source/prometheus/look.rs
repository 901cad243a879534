//! A closer look at series that have a first sample in sight: did they return, are they new on a target that was
//! there, or is their target new with them?
//!
//! All limits are whole weeks before the week of the sample, so that the answer does not depend on which slot, or how
//! many, are asked about.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use super::{
    answer::{Answered, Labels, Series, Wanted},
    client::{Client, Query, When},
    counter::{Before, Point},
    memory::{Key, key},
    selector::{Selector, TARGET, hull, plain_names},
};
use crate::source::SourceError;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// What limits are whole numbers of: seconds.
pub(super) const WEEK: i64 = 7 * DAY;
/// How long a target that is gone is known.
const TARGET_DEPTH: i64 = 2 * WEEK;
/// How long a series that is gone is known, if the server knows it.
const SERIES_DEPTH: i64 = 57 * WEEK;
/// The most series that one question names, and about how many bytes that may take.
const BATCH: usize = 100;
const BATCH_BYTES: usize = 8_000;

/// A series whose sample at `at` is the first in sight.
#[derive(Clone, Debug)]
pub(super) struct Stranger {
    /// Its name.
    pub key: Key,
    /// Its labels.
    pub labels: Labels,
    /// In Unix milliseconds.
    pub at: i64,
}

/// Looks for what was before.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    /// Whom to ask.
    pub client: &'a Client,
    /// What is counted.
    pub selector: Selector<'a>,
    /// All that is counted in the same slots.
    pub siblings: &'a [Selector<'a>],
    /// For native histograms.
    pub threshold: Option<f64>,
    /// No stranger has a sample in the question's sight at or before this second.
    pub from: i64,
    /// The last second of the sight; in the same week as `from`, or at its end.
    pub until: i64,
    /// Whether many slots are asked about.
    pub is_history: bool,
    /// Of the whole question.
    pub limit: Duration,
}

/// What is known of a target.
#[derive(Clone, Debug, Default)]
struct Target {
    /// Its `up` had a sample before the sight.
    is_old: bool,
    /// Its `up` was 1 before the sight.
    was_up: bool,
    /// The first sample of its `up` in the sight.
    first: Option<i64>,
    /// The first that is 1.
    first_up: Option<i64>,
}

/// The values of `job` and `instance`; empty where they are missing.
type TargetName = [String; 2];

fn target(labels: &Labels) -> TargetName {
    TARGET.map(|name| labels.get(name).cloned().unwrap_or_default())
}

impl Target {
    /// Whether it was there before the moment of a sample.
    fn was_there(&self, at: i64) -> bool {
        self.is_old || self.first.is_some_and(|first| first < at)
    }

    /// Whether it was there, at that moment at last.
    fn is_there(&self, at: i64) -> bool {
        self.was_there(at) || self.first == Some(at)
    }

    fn was_up(&self, at: i64) -> bool {
        self.was_up || self.first_up.is_some_and(|first| first < at)
    }
}

impl Look<'_> {
    /// What was before the first sample of each.
    pub async fn at(&self, strangers: &[Stranger]) -> Result<HashMap<Key, Before>, SourceError> {
        let targets = self.targets(strangers).await?;
        let unknown = Target::default();
        let of = |stranger: &Stranger| targets.get(&target(&stranger.labels)).unwrap_or(&unknown);
        // A target's first scrape: whatever its series count, they were not seen before.
        let is_new = |stranger: &&Stranger| of(stranger).is_there(stranger.at) && !of(stranger).was_there(stranger.at);
        let (new, rest): (Vec<&Stranger>, Vec<&Stranger>) = strangers.iter().partition(is_new);
        let mut found: HashMap<Key, Before> = new.iter().map(|stranger| (stranger.key, Before::Nothing)).collect();
        found.extend(self.returned(&rest).await?);
        let missing = rest.into_iter().filter(|stranger| !found.contains_key(&stranger.key));
        let (scraped, other): (Vec<_>, Vec<_>) = missing.partition(|stranger| of(stranger).is_there(stranger.at));
        let judged = |stranger: &Stranger| {
            if of(stranger).was_up(stranger.at) { Before::Zero } else { Before::Nothing }
        };
        found.extend(scraped.into_iter().map(|stranger| (stranger.key, judged(stranger))));
        found.extend(self.joined(&other).await?);
        Ok(found)
    }

    /// Seconds from `weeks` before the week of `from` to `from`.
    fn depth(&self, weeks: i64) -> i64 {
        self.from.rem_euclid(WEEK) + weeks
    }

    pub(super) async fn values(&self, query: &str, at: i64) -> Result<Answered, SourceError> {
        let when = When::At(at);
        let query = Query { text: query, when, wanted: Wanted::Values, is_history: self.is_history };
        self.client.ask(query, self.limit).await
    }

    /// What `up` says of the strangers' targets.
    async fn targets(&self, strangers: &[Stranger]) -> Result<BTreeMap<TargetName, Target>, SourceError> {
        let names: BTreeSet<TargetName> = strangers.iter().map(|stranger| target(&stranger.labels)).collect();
        let mut targets: BTreeMap<TargetName, Target> =
            names.into_iter().map(|name| (name, Target::default())).collect();
        for depth in [HOUR, self.depth(TARGET_DEPTH)] {
            for up in ups(&targets) {
                let answer = self.values(&format!("max_over_time({up}[{depth}s])"), self.from * 1_000).await?;
                for Series { labels, numbers, .. } in answer.series {
                    if let (Some(found), Some((_, value))) = (targets.get_mut(&target(&labels)), numbers.first()) {
                        found.is_old = true;
                        found.was_up |= *value > 0.5;
                    }
                }
            }
        }
        for up in ups(&targets) {
            let range = format!("{up}[{}s]", self.until - self.from);
            let answer = self.client.ask(Query::ranges(&range, self.until, self.is_history), self.limit).await?;
            for Series { labels, numbers, .. } in answer.series {
                if let Some(found) = targets.get_mut(&target(&labels)) {
                    let mut within = numbers.into_iter().filter(|(at, _)| *at > self.from * 1_000).peekable();
                    found.first = within.peek().map(|(at, _)| *at);
                    found.first_up = within.find(|(_, up)| *up > 0.5).map(|(at, _)| at);
                }
            }
        }
        Ok(targets)
    }

    /// The last samples of those that had one before.
    async fn returned(&self, strangers: &[&Stranger]) -> Result<HashMap<Key, Before>, SourceError> {
        let mut found = HashMap::new();
        let deepest = self.depth(SERIES_DEPTH);
        for depth in [HOUR, 6 * HOUR, DAY, WEEK, 30 * DAY, deepest] {
            let missing = strangers.iter().filter(|stranger| !found.contains_key(&stranger.key));
            let missing: Vec<&Labels> = missing.map(|stranger| &stranger.labels).collect();
            for batch in batches(&missing) {
                let names = plain_names(batch, self.selector.fixed_name());
                let narrowed = self.selector.narrowed(&hull(batch, &names));
                let query = format!("last_over_time({narrowed}[{depth}s])");
                match self.values(&query, self.from * 1_000).await {
                    Ok(answer) => {
                        let before = |series: Series| {
                            let key = key(&series.labels, self.selector.fixed_name());
                            last(&series, self.threshold).map(|point| (key, Before::Point(point)))
                        };
                        found.extend(answer.series.into_iter().filter_map(before));
                    }
                    // A server may forbid to look back far: then what it forbids to see was not there.
                    Err(SourceError::Refused(_)) if depth > DAY => return Ok(found),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }

    /// Of series that are not scraped from a target: whether others with the same `job` and `instance` were there before.
    async fn joined(&self, strangers: &[&Stranger]) -> Result<HashMap<Key, Before>, SourceError> {
        let mut by_moment: BTreeMap<i64, Vec<&Stranger>> = BTreeMap::new();
        for stranger in strangers {
            by_moment.entry(stranger.at).or_default().push(stranger);
        }
        let mut found = HashMap::new();
        for (at, strangers) in by_moment {
            let mut known = BTreeSet::new();
            let since = at.div_euclid(1_000) - self.from;
            for depth in [HOUR, since + self.depth(TARGET_DEPTH)] {
                let missing = strangers.iter().filter(|stranger| !known.contains(&target(&stranger.labels)));
                let missing: Vec<&Labels> = missing.map(|stranger| &stranger.labels).collect();
                for batch in batches(&missing) {
                    let matchers = hull(batch, &TARGET.into());
                    for sibling in self.siblings {
                        let narrowed = sibling.narrowed(&matchers);
                        let query = format!("count by (job, instance) (count_over_time({narrowed}[{depth}s]))");
                        let answer = self.values(&query, at - 1).await?;
                        known.extend(answer.series.iter().map(|series| target(&series.labels)));
                    }
                }
            }
            let judged = |stranger: &Stranger| {
                if known.contains(&target(&stranger.labels)) { Before::Zero } else { Before::Nothing }
            };
            found.extend(strangers.iter().map(|stranger| (stranger.key, judged(stranger))));
        }
        Ok(found)
    }
}

/// The one sample of a series, as a count; its time is long ago.
fn last(series: &Series, threshold: Option<f64>) -> Option<Point> {
    let (value, part) = match threshold {
        None => (series.numbers.first()?.1, 0.0),
        Some(threshold) => {
            let native = &series.natives.first()?.1;
            (native.count, native.at_most(threshold))
        }
    };
    Some(Point { at: i64::MIN, value, part })
}

/// The `up` of targets that are not known to have been up.
fn ups(targets: &BTreeMap<TargetName, Target>) -> Vec<String> {
    let unknown = targets.iter().filter(|(_, target)| !target.was_up).map(|(name, _)| {
        TARGET.iter().zip(name).map(|(label, value)| ((*label).to_owned(), value.clone())).collect::<Labels>()
    });
    let unknown: Vec<Labels> = unknown.collect();
    let unknown: Vec<&Labels> = unknown.iter().collect();
    unknown.chunks(BATCH).map(|batch| format!("up{{{}}}", hull(batch, &TARGET.into()))).collect()
}

/// Few enough for one question each.
pub(super) fn batches<'s, 'a>(series: &'s [&'a Labels]) -> Vec<&'s [&'a Labels]> {
    let bytes = |labels: &Labels| -> usize { labels.values().map(|value| value.len() + 4).sum() };
    let mut batches = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (at, labels) in series.iter().enumerate() {
        size += bytes(labels);
        if at > start && (size > BATCH_BYTES || at - start >= BATCH) {
            batches.push(&series[start..at]);
            (start, size) = (at, bytes(labels));
        }
    }
    if start < series.len() {
        batches.push(&series[start..]);
    }
    batches
}
