//! Readings from a Prometheus-compatible HTTP API.
//!
//! One instant query a slot, always at the slot's end by our own time. An absent events series counts 0 where the
//! total's series exist; no series at all is no data; a growth of 0 is proof of no event.

mod answer;
mod client;
mod question;
mod selector;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};

use self::{
    answer::{Sample, Samples},
    question::{HistogramQuestion, bucket_at, count, joined, parts, settled_counts, windowed},
    selector::Selector,
};
use super::{Answer, Question, Source, SourceError};
use crate::{
    config::model::{Indicator, NumberQuery},
    domain::{
        name::Name,
        slot::{Gap, Reading, Span},
    },
};

pub(super) use client::Client;

/// One Prometheus source. It knows the others, because a ratio's two counts may come from two servers.
pub(super) struct PrometheusSource {
    name: Name,
    clients: Arc<BTreeMap<Name, Client>>,
}

/// One slot's reading, and what the server warned of.
struct Judged {
    reading: Reading,
    degraded: Option<String>,
}

/// A `ratio` in PromQL.
#[derive(Clone, Copy)]
struct Ratio<'a> {
    events: &'a str,
    events_are_bad: bool,
    total: &'a str,
    total_source: Option<&'a Name>,
}

impl PrometheusSource {
    /// The source `name` among `clients`.
    pub fn new(name: Name, clients: Arc<BTreeMap<Name, Client>>) -> Self {
        Self { name, clients }
    }

    fn client(&self, name: &Name) -> Result<&Client, SourceError> {
        self.clients.get(name).ok_or_else(|| SourceError::Refused(format!("`{name}` is no prometheus source")))
    }

    async fn ask(&self, query: &str, at: i64, limit: Duration) -> Result<Samples, SourceError> {
        self.client(&self.name)?.ask(query, at, limit).await
    }

    async fn read_slot(&self, indicator: &Indicator, span: Span, limit: Duration) -> Result<Judged, SourceError> {
        match indicator {
            Indicator::RatioPromql { total_source, events, events_are_bad, total, .. } => {
                let total_source = total_source.as_ref().filter(|name| **name != self.name);
                let ratio = Ratio { events, events_are_bad: *events_are_bad, total, total_source };
                self.ratio(ratio, span, limit).await
            }
            Indicator::LatencyHistogram { histogram, threshold, percentile, .. } => {
                self.latency(histogram, *threshold, *percentile, span, limit).await
            }
            Indicator::Value { query, good, .. } => {
                let answer = self.ask(&windowed(&query.query, span.seconds()), span.end, limit).await?;
                let reading = match one("the query", &answer.samples) {
                    Ok(Some(value)) => Reading::value(value, good),
                    Ok(None) => Reading::Unmeasured(Gap::NoData),
                    Err(fault) => Reading::Unmeasured(fault),
                };
                Ok(Judged { reading, degraded: answer.degraded })
            }
            _ => Err(SourceError::Refused("a prometheus source cannot be asked for this indicator".to_owned())),
        }
    }

    async fn ratio(&self, ratio: Ratio<'_>, span: Span, limit: Duration) -> Result<Judged, SourceError> {
        let events = count(ratio.events, span.seconds())?;
        let total = count(ratio.total, span.seconds())?;
        let (events, total, degraded) = if let Some(other) = ratio.total_source {
            let other = self.client(other)?;
            let both = (self.ask(&events, span.end, limit), other.ask(&total, span.end, limit));
            let (events, total) = tokio::try_join!(both.0, both.1)?;
            (events.samples, total.samples, events.degraded.or(total.degraded))
        } else {
            let mut answer = self.ask(&joined(&[("events", events), ("total", total)]), span.end, limit).await?;
            let degraded = answer.degraded.take();
            let mut parts = parts(answer);
            (parts.remove("events").unwrap_or_default(), parts.remove("total").unwrap_or_default(), degraded)
        };
        Ok(Judged { reading: ratio.judge(&events, &total), degraded })
    }

    async fn latency(
        &self,
        histogram: &str,
        threshold: f64,
        percentile: Option<f64>,
        span: Span,
        limit: Duration,
    ) -> Result<Judged, SourceError> {
        let question = HistogramQuestion::new(histogram, percentile, span.seconds())?;
        let mut answer = self.ask(&question.joined(), span.end, limit).await?;
        let degraded = answer.degraded.take();
        let parts = parts(answer);
        let first = |part: &str| parts.get(part).and_then(|samples| samples.first()).map(|sample| sample.value);
        let reading = match (first("count"), parts.get("bucket")) {
            (None, None) => Reading::Unmeasured(Gap::NoData),
            (total, buckets) => {
                let buckets = buckets.map(Vec::as_slice).unwrap_or_default();
                let good = bucket_at(threshold, buckets)?;
                // Some drop `_count` at the scrape: the last bucket holds the same.
                let total = total.map_or_else(|| bucket_at(f64::INFINITY, buckets), Ok)?;
                let (good, total) = settled_counts(good, total);
                Reading::events(good, total, first("percentile"))
            }
        };
        Ok(Judged { reading, degraded })
    }

    /// How many series a selector matches at the end of `span`; none for an expression, which cannot be looked into.
    async fn matched(&self, source: &Name, query: &str, span: Span, limit: Duration) -> Result<Option<f64>, String> {
        if Selector::parse(query).is_none() {
            return Ok(None);
        }
        let ask = async { self.client(source)?.ask(&format!("count({query})"), span.end, limit).await };
        let answer = ask.await.map_err(|error| error.to_string())?;
        Ok(Some(answer.samples.first().map_or(0.0, |sample| sample.value)))
    }

    async fn look(&self, indicator: &Indicator, span: Span, limit: Duration) -> Result<String, String> {
        let (total_source, total, events) = match indicator {
            Indicator::RatioPromql { events, total, total_source, .. } => {
                (total_source.as_ref().unwrap_or(&self.name), Some(total.clone()), Some(events))
            }
            Indicator::LatencyHistogram { histogram, .. } => {
                (&self.name, Selector::parse(histogram).and_then(|found| found.suffixed("_bucket")), None)
            }
            Indicator::Value { query, .. } => (&self.name, Some(query.query.clone()), None),
            _ => (&self.name, None, None),
        };
        let mut found = Vec::new();
        if let Some(total) = &total
            && let Some(series) = self.matched(total_source, total, span, limit).await?
        {
            if series == 0.0 {
                return Err(format!("no series matches `{}`: check its name and labels", total.trim()));
            }
            found.push(format!("{series} series match"));
        }
        if let Some(events) = events
            && self.matched(&self.name, events, span, limit).await? == Some(0.0)
        {
            found.push(format!("none matches `{}` yet, which counts as 0 events", events.trim()));
        }
        let answer = self.read_slot(indicator, span, limit).await.map_err(|error| error.to_string())?;
        found.push(describe(&answer.reading, !found.is_empty())?);
        found.extend(answer.degraded.map(|warning| format!("warning: {warning}")));
        Ok(found.join("; "))
    }
}

impl Ratio<'_> {
    fn judge(self, events: &[Sample], total: &[Sample]) -> Reading {
        let (events, total) = match (one("the events", events), one("the total", total)) {
            (Err(fault), _) | (_, Err(fault)) => return Reading::Unmeasured(fault),
            (Ok(events), Ok(total)) => (events, total),
        };
        let Some(total) = total else { return Reading::Unmeasured(Gap::NoData) };
        let (events, total) = settled_counts(events.unwrap_or(0.0), total);
        if self.events_are_bad && events > total {
            return Reading::Unmeasured(Gap::DataFault(format!("bad ({events}) is more than total ({total})")));
        }
        Reading::events(if self.events_are_bad { total - events } else { events }, total, None)
    }
}

/// The only sample of an answer, or none. Several are a contradiction: which one is meant?
fn one(what: &str, samples: &[Sample]) -> Result<Option<f64>, Gap> {
    match samples {
        [] => Ok(None),
        [sample] => Ok(Some(sample.value)),
        several => Err(Gap::DataFault(format!(
            "{what} answered {} series where one is expected: put sum() or max() around it",
            several.len()
        ))),
    }
}

/// A reading in words, for `check --online`. `Err` if it is none though series match.
fn describe(reading: &Reading, series_match: bool) -> Result<String, String> {
    match reading {
        Reading::Events { good, total, shown: None } => Ok(format!("{good} of {total} events good in the last slot")),
        Reading::Events { good, total, shown: Some(shown) } => {
            Ok(format!("{good} of {total} events good in the last slot, value {shown}"))
        }
        Reading::Empty => Ok("no events in the last slot".to_owned()),
        Reading::Unmeasured(Gap::NoData) if series_match => Err(
            "series match, but had no sample before the last slot: is the target new, or scraped less often than the \
             server looks back (5 minutes)?"
                .to_owned(),
        ),
        Reading::Unmeasured(Gap::NoData) => Err("the query answers nothing: check its names and labels".to_owned()),
        Reading::Unmeasured(Gap::DataFault(fault)) => Err(fault.clone()),
        other => Err(format!("{other:?}")),
    }
}

impl Source for PrometheusSource {
    fn read<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>> {
        async move {
            let mut answer = Answer::default();
            for slot in question.slots(span) {
                let Judged { reading, degraded } =
                    self.read_slot(question.indicator, Span::slot(slot, question.every), limit).await?;
                answer.slots.extend(Answer::one(slot, reading).slots);
                answer.degraded = answer.degraded.or(degraded);
            }
            Ok(answer)
        }
        .boxed()
    }

    fn reach(&self, _: Question<'_>) -> i64 {
        60
    }

    fn number<'a>(
        &'a self,
        query: &'a NumberQuery,
        at: i64,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<f64>, SourceError>> {
        async move {
            let answer = self.ask(&query.query, at, limit).await?;
            match one("the query", &answer.samples) {
                Ok(number) => Ok(number.filter(|number| !number.is_nan())),
                Err(Gap::DataFault(fault)) => Err(SourceError::Refused(fault)),
                Err(_) => Ok(None),
            }
        }
        .boxed()
    }

    fn ping(&self, limit: Duration) -> BoxFuture<'_, Result<(), SourceError>> {
        // Constant, so its moment does not matter: the epoch's second hour is a time every server accepts.
        async move { self.ask("vector(1)", 3_600, limit).await.map(drop) }.boxed()
    }

    fn inspect<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<String, String>> {
        self.look(question.indicator, span, limit).boxed()
    }
}
