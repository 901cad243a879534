//! A closer look at one indicator, for `check --online`.

use super::{Asked, PrometheusSource, client::Query, selector::Selector};
use crate::{
    config::model::Indicator,
    domain::{
        name::Name,
        slot::{Gap, Reading},
    },
    source::{Answer, Question},
};

impl PrometheusSource {
    /// How many series a selector matches at the end of the slot; none for an expression, which cannot be looked into.
    async fn matched(&self, source: &Name, query: &str, asked: Asked<'_>) -> Result<Option<f64>, String> {
        let Some(selector) = Selector::parse(query) else { return Ok(None) };
        let text = format!("count({})", selector.narrowed(""));
        let ask = async { self.client(source)?.ask(Query::values(&text, asked.span.end), asked.limit).await };
        let answer = ask.await.map_err(|error| error.to_string())?;
        Ok(Some(answer.series.first().and_then(|series| series.numbers.first()).map_or(0.0, |(_, value)| *value)))
    }

    pub(super) async fn look(&self, question: Question<'_>, asked: Asked<'_>) -> Result<String, String> {
        let (total_source, total, events) = match question.indicator {
            Indicator::RatioPromql { events, total, total_source, .. } => {
                (total_source.as_ref().unwrap_or(&self.name), Some(total.clone()), Some(events))
            }
            Indicator::LatencyHistogram { histogram, .. } => (&self.name, self.kind(histogram, asked).await?, None),
            Indicator::Value { query, .. } => (&self.name, Some(query.query.clone()), None),
            _ => (&self.name, None, None),
        };
        let mut found = Vec::new();
        if let Some(total) = &total
            && let Some(series) = self.matched(total_source, total, asked).await?
        {
            if series == 0.0 {
                return Err(format!("no series matches `{}`: check its name and labels", total.trim()));
            }
            found.push(format!("{series} series match"));
        }
        if let Some(events) = events
            && self.matched(&self.name, events, asked).await? == Some(0.0)
        {
            found.push(format!("none matches `{}` yet, which counts as 0 events", events.trim()));
        }
        let answer = self.answer(question, asked).await.map_err(|error| error.to_string())?;
        found.push(described(&answer, question.per, !found.is_empty())?);
        found.extend(answer.degraded.map(|warning| format!("warning: {warning}")));
        Ok(found.join("; "))
    }

    /// The selector of a histogram's series: its buckets, or itself if it is native.
    async fn kind(&self, histogram: &str, asked: Asked<'_>) -> Result<Option<String>, String> {
        let buckets = Selector::parse(histogram).and_then(|found| found.suffixed("_bucket"));
        let Some(classic) = &buckets else { return Ok(None) };
        let is_native = self.matched(&self.name, classic, asked).await? == Some(0.0)
            && self.matched(&self.name, histogram, asked).await?.is_some_and(|series| series > 0.0);
        Ok(if is_native { Some(histogram.to_owned()) } else { buckets })
    }
}

/// The readings of the last slot in words.
fn described(answer: &Answer, per: &[String], series_match: bool) -> Result<String, String> {
    if per.is_empty() {
        return describe(answer.slots.last().map_or(&answer.absent, |slot| &slot.reading), series_match);
    }
    let measured = answer.slots.iter().filter(|slot| slot.reading.state().is_known()).count();
    let fault = answer.slots.iter().find(|slot| matches!(slot.reading, Reading::Unmeasured(_)));
    match fault {
        Some(fault) => describe(&fault.reading, series_match),
        None if measured == 0 => describe(&answer.absent, series_match),
        None => Ok(format!("{measured} values of `{}` in the last slot", per.join("`, `"))),
    }
}

/// A reading in words. `Err` if it is none though series match.
fn describe(reading: &Reading, series_match: bool) -> Result<String, String> {
    match reading {
        Reading::Events { good, total, shown: None } => Ok(format!("{good} of {total} events good in the last slot")),
        Reading::Events { good, total, shown: Some(shown) } => {
            Ok(format!("{good} of {total} events good in the last slot, value {shown}"))
        }
        Reading::Empty => Ok("no events in the last slot".to_owned()),
        Reading::Unmeasured(Gap::NoData) if series_match => {
            Err("series match, but none had a sample in the last slot: is `every` shorter than the scrape interval?"
                .to_owned())
        }
        Reading::Unmeasured(Gap::NoData) => Err("the query answers nothing: check its names and labels".to_owned()),
        Reading::Unmeasured(Gap::DataFault(fault)) => Err(fault.clone()),
        other => Err(format!("{other:?}")),
    }
}
