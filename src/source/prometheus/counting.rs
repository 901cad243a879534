//! Counts a plain selector's events from its samples.
//!
//! One question for a slot: the samples that arrived in it. What came before is remembered, or asked for.

use std::{collections::HashMap, time::Duration};

use super::{
    answer::{Answered, Labels, Series as TimeSeries, Wanted},
    book::Book,
    client::{Client, Query, When},
    counter::{Before, Point},
    look::{Look, Stranger, WEEK},
    memory::{Edge, Key, Memory, key},
    restart::{Silence, silences},
    selector::Selector,
};
use crate::{
    domain::{name::Series, slot::Span},
    source::SourceError,
};

/// Samples in one answer from which on it need not be larger.
const SAMPLES_MANY: usize = 400_000;

/// The most slots that are looked at for a silent series' last sample.
const POINTS_MAX: i64 = 10_000;
const HOUR: i64 = 3_600;

/// A selector to count.
pub(super) struct Counting<'a> {
    /// Whom to ask.
    pub client: &'a Client,
    /// What is remembered.
    pub memory: &'a Memory,
    /// What this question is called there.
    pub question: String,
    /// What is counted.
    pub selector: Selector<'a>,
    /// All that is counted in the same slots.
    pub siblings: &'a [Selector<'a>],
    /// For native histograms: which events are parted from the others.
    pub threshold: Option<f64>,
    /// Labels that are counted apart.
    pub per: &'a [String],
    /// Seconds of a slot.
    pub every: u32,
    /// Of the whole question.
    pub limit: Duration,
}

/// What was counted.
pub(super) struct Counted {
    /// Slot by slot.
    pub book: Book,
    /// What the server warned of.
    pub degraded: Option<String>,
}

/// A count under way.
struct Run<'a> {
    counting: &'a Counting<'a>,
    span: Span,
    book: Book,
    last: HashMap<Key, Point>,
    degraded: Option<String>,
}

/// One time series of an answer, as counts.
struct Samples {
    key: Key,
    labels: Labels,
    series: Series,
    points: Vec<Point>,
}

impl Counting<'_> {
    /// Counts every slot of `span`.
    pub async fn count(&self, span: Span) -> Result<Counted, SourceError> {
        let is_live = span.seconds() <= i64::from(self.every);
        let lookback = self.client.lookback();
        let edge = if is_live { self.memory.edge(&self.question, span.start - lookback, span.start) } else { None };
        let blank = || Edge { at: span.start - lookback, since: span.start - lookback, ..Edge::default() };
        let edge = edge.map_or_else(blank, |edge| Edge::clone(&edge));
        let (from, since) = (edge.at, edge.since);
        let book = Book::new(self.every, span.start, since, edge.newest);
        let mut run = Run { counting: self, span, book, last: edge.last, degraded: None };
        run.all(from, is_live).await?;
        run.find_unseen(since).await?;
        let Run { book, last, degraded, .. } = run;
        if is_live {
            self.memory.put(&self.question, Edge { at: span.end, since, last, newest: book.newest().clone() });
        }
        Ok(Counted { book, degraded })
    }

    /// The samples after the second `from`, up to `until`.
    async fn samples(
        &self,
        from: i64,
        until: i64,
        is_history: bool,
    ) -> Result<(Vec<Samples>, Option<String>), SourceError> {
        let text = format!("{}[{}s]", self.selector.narrowed(""), until - from);
        let Answered { series, degraded } =
            self.client.ask(Query::ranges(&text, until, is_history), self.limit).await?;
        let within = from * 1_000 + 1..=until * 1_000;
        let samples = |series: TimeSeries| {
            let points = self.points(&series)?.into_iter().filter(|point| within.contains(&point.at)).collect();
            let key = key(&series.labels, self.selector.fixed_name());
            Ok(Samples { key, series: apart(&series.labels, self.per), labels: series.labels, points })
        };
        let mut all = series.into_iter().map(samples).collect::<Result<Vec<_>, SourceError>>()?;
        // Sums of fractions are the same in whatever order the server answers.
        all.sort_by_key(|samples| samples.key);
        if all.windows(2).any(|two| two[0].key == two[1].key) {
            return Err(SourceError::Unreadable("the answer holds a series twice".to_owned()));
        }
        Ok((all, degraded))
    }

    fn points(&self, series: &TimeSeries) -> Result<Vec<Point>, SourceError> {
        match self.threshold {
            None if !series.natives.is_empty() => Err(SourceError::Refused(
                "the selector is of a native histogram: take `latency`, or histogram_count() in an expression"
                    .to_owned(),
            )),
            None => Ok(series.numbers.iter().map(|&(at, value)| Point { at, value, part: 0.0 }).collect()),
            Some(threshold) => {
                let point = |(at, native): &(i64, super::native::Native)| Point {
                    at: *at,
                    value: native.count,
                    part: native.at_most(threshold),
                };
                Ok(series.natives.iter().map(point).collect())
            }
        }
    }
}

impl Run<'_> {
    /// Reads on from the second `from` to the end, in pieces that the server can answer.
    async fn all(&mut self, mut from: i64, is_live: bool) -> Result<(), SourceError> {
        let Counting { memory, question, .. } = self.counting;
        let mut pace = if is_live { self.span.end - from } else { memory.pace(question) };
        let mut may_grow = !is_live;
        while from < self.span.end {
            let week = from.div_euclid(WEEK) * WEEK + WEEK;
            let until = (from + pace).min(week).min(self.span.end);
            if !is_live {
                // Whoever gives up on us while we wait will ask for less.
                memory.set_pace(question, pace / 2);
            }
            match self.piece(from, until, !is_live).await {
                Err(error) if is_too_much(&error) && until - from > 1 => {
                    pace = (until - from) / 2;
                    may_grow = false;
                }
                Err(error) => {
                    if !is_live && !matches!(error, SourceError::Timeout(_)) {
                        memory.set_pace(question, pace);
                    }
                    return Err(error);
                }
                Ok(samples) => {
                    if may_grow && samples < SAMPLES_MANY / 2 {
                        pace = pace.max((until - from) * 2);
                    }
                    from = until;
                }
            }
        }
        if !is_live {
            memory.set_pace(question, pace);
        }
        Ok(())
    }

    /// Looks for the newest samples before the second `since` of series that were silent then, and returned.
    async fn find_unseen(&mut self, since: i64) -> Result<(), SourceError> {
        let Counting { client, selector, per, every, limit, .. } = self.counting;
        let step = i64::from(*every);
        let last = (since + step - 1).div_euclid(step) * step;
        for depth in [HOUR, WEEK] {
            let points = (depth / step).clamp(1, POINTS_MAX);
            if self.book.unseen().next().is_none() {
                break;
            }
            let text = format!("count by ({}) (count_over_time({}[{step}s]))", per.join(","), selector.narrowed(""));
            let when = When::Every { first: last - (points - 1) * step, last, step };
            let query = Query { text: &text, when, wanted: Wanted::Ranges, is_history: true };
            for series in client.ask(query, *limit).await?.series {
                if let Some((at, _)) = series.numbers.last() {
                    self.book.saw(&apart(&series.labels, per), *at);
                }
            }
            self.book.known_from(last - points * step);
        }
        Ok(())
    }

    /// Where series of a piece were silent, for longer than from scrape to scrape, and came back with no less than before.
    fn silences(&self, all: &[Samples], found: &HashMap<Key, Before>) -> Vec<Silence> {
        let start = self.span.start * 1_000;
        let pauses = all.iter().flat_map(|samples| samples.points.windows(2)).map(|two| two[1].at - two[0].at);
        let scrape = pauses.filter(|pause| *pause > 0).min().unwrap_or(i64::MAX);
        let longest = scrape.min(i64::from(self.counting.every) * 1_000) * 3 / 2;
        let of = |samples: &Samples| {
            let (warm, counted) = samples.points.split_at(samples.points.partition_point(|point| point.at <= start));
            let known = match found.get(&samples.key) {
                Some(Before::Point(point)) => Some(*point),
                _ => None,
            };
            let before = warm.last().or(self.last.get(&samples.key)).copied().or(known);
            silences((samples.key, &samples.labels), before, counted, longest)
        };
        all.iter().flat_map(of).collect()
    }

    /// Enters the samples of one piece. How many there were.
    async fn piece(&mut self, from: i64, until: i64, is_history: bool) -> Result<usize, SourceError> {
        let (all, degraded) = self.counting.samples(from, until, is_history).await?;
        let start = self.span.start * 1_000;
        let strangers = all.iter().filter_map(|samples| {
            let first = samples.points.first()?;
            let is_strange = first.at > start && !self.last.contains_key(&samples.key);
            is_strange.then(|| Stranger { key: samples.key, labels: samples.labels.clone(), at: first.at })
        });
        let strangers: Vec<Stranger> = strangers.collect();
        let Counting { client, selector, siblings, threshold, limit, .. } = *self.counting;
        let from = from.max(self.span.start);
        let look = Look { client, selector, siblings, threshold, from, until, is_history, limit };
        let found = if strangers.is_empty() { HashMap::new() } else { look.at(&strangers).await? };
        let restarted = look.restarted(&self.silences(&all, &found)).await?;
        // From here on nothing fails: a piece that is asked again is entered once.
        self.degraded = self.degraded.take().or(degraded);
        let count = all.iter().map(|samples| samples.points.len()).sum();
        for Samples { key, series, points, .. } in all {
            let (warm, counted) = points.split_at(points.partition_point(|point| point.at <= start));
            let mut before = self.last.get(&key).map(|last| Before::Point(*last)).or(found.get(&key).copied());
            if let Some(last) = warm.last() {
                self.book.saw(&series, last.at);
                before = Some(Before::Point(*last));
            }
            let restarts = counted.iter().map(|point| point.at).filter(|at| restarted.contains(&(key, *at))).collect();
            self.book.enter(&series, before.unwrap_or(Before::Nothing), counted, &restarts);
            if let Some(last) = points.last() {
                self.last.insert(key, *last);
            }
        }
        Ok(count)
    }
}

/// Whether less might be answered.
pub(super) fn is_too_much(error: &SourceError) -> bool {
    match error {
        SourceError::TooLarge(_) => true,
        SourceError::Refused(why) => ["too many", "too large", "exceed"].iter().any(|word| why.contains(word)),
        _ => false,
    }
}

/// The labels that are counted apart. A label that is missing, or empty, which is the same, is left out.
pub(super) fn apart(labels: &Labels, per: &[String]) -> Series {
    let value = |name: &String| Some((name.clone(), labels.get(name).filter(|value| !value.is_empty())?.clone()));
    per.iter().filter_map(value).collect()
}
