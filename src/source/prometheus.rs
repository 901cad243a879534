//! Readings from a Prometheus-compatible HTTP API.
//!
//! A plain selector is counted from its samples, so that slots add up to what happened; an expression is evaluated at
//! each slot's end as it is written. An absent events series counts 0 where the total's series exist; no sample is no
//! data; samples without growth are proof of no event, and so is an `up` target without the series.

mod answer;
mod book;
mod client;
mod counter;
mod counting;
mod counts;
mod expression;
mod glance;
mod histogram;
mod inspect;
mod look;
mod memory;
mod native;
mod proof;
mod restart;
mod selector;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::time::timeout;

use self::{
    client::Query,
    counting::Counting,
    counts::{Counts, bounded, readings},
    expression::{Evaluation, windowed},
    histogram::Histogram,
    memory::Memory,
    selector::Selector,
};
use super::{Answer, Question, Source, SourceError};
use crate::{
    config::model::{Indicator, NumberQuery},
    domain::{
        name::{Name, Series},
        slot::{Gap, Reading, SlotAnswer, Span},
    },
};

pub(super) use self::{client::Client, glance::glance};

/// The most slots of one question: a range query may hold 11,000 points.
const SLOTS_MAX: i64 = 10_000;
/// The most seconds of one question.
const SECONDS_MAX: i64 = 7 * 86_400;

/// One Prometheus source. It knows the others, because a ratio's two counts may come from two servers.
pub(super) struct PrometheusSource {
    name: Name,
    clients: Arc<BTreeMap<Name, Client>>,
    memory: Memory,
}

/// The slots of a question, and what their answers must be like.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    per: &'a [String],
    every: u32,
    span: Span,
    limit: Duration,
}

impl Asked<'_> {
    fn slots(&self) -> std::ops::Range<i64> {
        let every = i64::from(self.every);
        self.span.start.div_euclid(every)..self.span.end.div_euclid(every)
    }
}

/// A `ratio` in PromQL.
#[derive(Clone, Copy)]
struct Ratio<'a> {
    events: &'a str,
    events_are_bad: bool,
    total: &'a str,
    total_source: &'a Name,
}

impl PrometheusSource {
    /// The source `name` among `clients`.
    pub fn new(name: Name, clients: Arc<BTreeMap<Name, Client>>) -> Self {
        Self { name, clients, memory: Memory::default() }
    }

    fn client(&self, name: &Name) -> Result<&Client, SourceError> {
        self.clients.get(name).ok_or_else(|| SourceError::Refused(format!("`{name}` is no prometheus source")))
    }

    async fn answer(&self, question: Question<'_>, asked: Asked<'_>) -> Result<Answer, SourceError> {
        let (mut slots, degraded) = match question.indicator {
            Indicator::RatioPromql { total_source, events, events_are_bad, total, .. } => {
                let total_source = total_source.as_ref().unwrap_or(&self.name);
                self.ratio(Ratio { events, events_are_bad: *events_are_bad, total, total_source }, asked).await?
            }
            Indicator::LatencyHistogram { histogram, threshold, percentile, .. } => {
                let histogram = Histogram { selector: histogram, threshold: *threshold, percentile: *percentile };
                self.latency(histogram, asked).await?
            }
            Indicator::Value { query, good, .. } => {
                let counts = self.evaluated(&self.name, "the query", &query.query, asked).await?;
                let read = |_, _: &Series, tally: &book::Tally| match &tally.fault {
                    Some(fault) => Reading::Unmeasured(Gap::DataFault(fault.clone())),
                    None => Reading::value(tally.value, good),
                };
                (readings(&counts, read), counts.degraded)
            }
            _ => {
                let why = "a prometheus source cannot be asked for this indicator".to_owned();
                return Err(SourceError::Refused(why));
            }
        };
        let range = asked.slots();
        slots.retain(|answer| range.contains(&answer.slot) || answer.reading == Reading::Charged);
        let too_many = bounded(&mut slots, question.max_series.max(1));
        Ok(Answer { slots, degraded: too_many.or(degraded), ..Answer::default() })
    }

    async fn ratio(
        &self,
        ratio: Ratio<'_>,
        asked: Asked<'_>,
    ) -> Result<(Vec<SlotAnswer>, Option<String>), SourceError> {
        let Ratio { events, events_are_bad, total, total_source } = ratio;
        let selectors = [Selector::parse(events), Selector::parse(total)];
        let is_one_server = self.name == *total_source;
        let both: Vec<_> = selectors.iter().copied().flatten().collect();
        let part = async |name: &Name, what, query, selector: Option<Selector<'_>>| match selector {
            Some(selector) if is_one_server => self.counted(name, selector, &both, None, asked).await,
            Some(selector) => self.counted(name, selector, &[selector], None, asked).await,
            None => self.evaluated(name, what, is_count(query)?, asked).await,
        };
        let (events, mut total) = if both.is_empty() && is_one_server {
            self.both_evaluated(events, total, asked).await?
        } else {
            tokio::try_join!(
                part(&self.name, "the events", events, selectors[0]),
                part(total_source, "the total", total, selectors[1])
            )?
        };
        if let Some(selector) = selectors[1] {
            self.prove(total_source, selector, &mut total, asked).await?;
        }
        let read = |slot, series: &Series, tally: &book::Tally| {
            counts::ratio(events.tally(slot, series), tally, events_are_bad)
        };
        Ok((readings(&total, read), events.degraded.or(total.degraded.clone())))
    }

    async fn latency(
        &self,
        histogram: Histogram<'_>,
        asked: Asked<'_>,
    ) -> Result<(Vec<SlotAnswer>, Option<String>), SourceError> {
        let (mut counts, shown) = self.histogram(histogram, asked).await?;
        let count = Selector::parse(histogram.selector).and_then(|found| found.suffixed("_count"));
        if let Some(selector) = count.as_deref().and_then(Selector::parse) {
            self.prove(&self.name, selector, &mut counts, asked).await?;
        }
        let shown = |slot, series: &Series| {
            let kinds = ["classic", "native"].iter().filter_map(|kind| shown.get(kind)?.tally(slot, series));
            kinds.map(|tally| tally.value).find(|value| value.is_finite())
        };
        let read = |slot, series: &Series, tally: &book::Tally| {
            if let Some(fault) = &tally.fault {
                return Reading::Unmeasured(Gap::DataFault(fault.clone()));
            }
            let (good, total) = counts::settled(tally.part, tally.value);
            Reading::events(good, total, shown(slot, series))
        };
        Ok((readings(&counts, read), counts.degraded.clone()))
    }

    /// Counts a selector.
    async fn counted(
        &self,
        source: &Name,
        selector: Selector<'_>,
        siblings: &[Selector<'_>],
        threshold: Option<f64>,
        asked: Asked<'_>,
    ) -> Result<Counts, SourceError> {
        let Asked { per, every, span, limit } = asked;
        let question = remembered_as(source, selector, threshold, per, every);
        let (client, memory) = (self.client(source)?, &self.memory);
        let counting = Counting { client, memory, question, selector, siblings, threshold, per, every, limit };
        counting.count(span).await.map(Counts::from)
    }

    /// Evaluates an expression.
    async fn evaluated(
        &self,
        source: &Name,
        what: &'static str,
        query: &str,
        asked: Asked<'_>,
    ) -> Result<Counts, SourceError> {
        let parts = [(what, windowed(query, asked.every))];
        self.evaluate(source, &parts, asked).await.map(|mut found| found.remove(what).unwrap_or_default())
    }

    async fn both_evaluated(
        &self,
        events: &str,
        total: &str,
        asked: Asked<'_>,
    ) -> Result<(Counts, Counts), SourceError> {
        let parts = [
            ("the events", windowed(is_count(events)?, asked.every)),
            ("the total", windowed(is_count(total)?, asked.every)),
        ];
        let mut found = self.evaluate(&self.name, &parts, asked).await?;
        Ok((found.remove("the events").unwrap_or_default(), found.remove("the total").unwrap_or_default()))
    }

    async fn evaluate(
        &self,
        source: &Name,
        parts: &[(&'static str, String)],
        asked: Asked<'_>,
    ) -> Result<BTreeMap<&'static str, Counts>, SourceError> {
        let Asked { per, every, span, limit } = asked;
        Evaluation { client: self.client(source)?, parts, per, every, limit }.values(span).await
    }
}

/// What a selector's samples are remembered as.
fn remembered_as(source: &Name, selector: Selector<'_>, threshold: Option<f64>, per: &[String], every: u32) -> String {
    format!("{source}\n{}\n{threshold:?}\n{}\n{every}", selector.narrowed(""), per.join(","))
}

/// An expression that can be a count of one slot.
fn is_count(query: &str) -> Result<&str, SourceError> {
    if query.contains("$window") {
        return Ok(query);
    }
    let why = format!("`{}` is neither a plain selector nor an expression with `$window`", query.trim());
    Err(SourceError::Refused(why))
}

impl Source for PrometheusSource {
    fn read<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>> {
        let asked = Asked { per: question.per, every: question.every.max(1), span, limit };
        async move { timeout(limit, self.answer(question, asked)).await.map_err(|_| SourceError::Timeout(limit))? }
            .boxed()
    }

    fn reach(&self, question: Question<'_>) -> i64 {
        let every = question.every.max(1);
        let pace = |source: &Name, query: &str| {
            let selector = Selector::parse(query)?;
            // As much again may well be answered.
            Some(self.memory.pace(&remembered_as(source, selector, None, question.per, every)) * 2)
        };
        let seconds = match question.indicator {
            Indicator::RatioPromql { source, total_source, events, total, .. } => {
                let total = pace(total_source.as_ref().unwrap_or(source), total);
                pace(source, events).into_iter().chain(total).min()
            }
            Indicator::LatencyHistogram { source, histogram, .. } => {
                let count = Selector::parse(histogram).and_then(|found| found.suffixed("_count"));
                count.and_then(|count| pace(source, &count))
            }
            _ => None,
        };
        let seconds = seconds.unwrap_or(SECONDS_MAX).min(SECONDS_MAX);
        (seconds / i64::from(every)).clamp(1, SLOTS_MAX)
    }

    fn number<'a>(
        &'a self,
        query: &'a NumberQuery,
        at: i64,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<f64>, SourceError>> {
        let asked = Asked { per: &[], every: 1, span: Span { start: at - 1, end: at }, limit };
        async move {
            let counts = self.evaluate(&self.name, &[("the query", query.query.clone())], asked).await?;
            let only =
                counts.get("the query").and_then(|counts| counts.tallies.values().flat_map(BTreeMap::values).next());
            match only {
                Some(tally) if tally.fault.is_some() => {
                    Err(SourceError::Refused(tally.fault.clone().unwrap_or_default()))
                }
                only => Ok(only.map(|tally| tally.value).filter(|number| !number.is_nan())),
            }
        }
        .boxed()
    }

    fn ping(&self, limit: Duration) -> BoxFuture<'_, Result<(), SourceError>> {
        // Constant, so its moment does not matter: the epoch's second hour is a time every server accepts.
        async move { self.client(&self.name)?.ask(Query::values("vector(1)", 3_600), limit).await.map(drop) }.boxed()
    }

    fn inspect<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<String, String>> {
        let asked = Asked { per: question.per, every: question.every.max(1), span, limit };
        self.look(question, asked).boxed()
    }
}
