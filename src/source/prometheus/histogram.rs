//! Latency from a histogram: events at most the threshold, and all events.
//!
//! Of a classic histogram the bucket at the threshold and the count are counted as counters are; a native histogram's
//! samples hold both. A slot that has both kinds is counted from the classic one.

use std::collections::BTreeMap;

use super::{
    Asked, PrometheusSource, book::Tally, client::Query, counts::Counts, expression::Evaluation, selector::Selector,
};
use crate::source::SourceError;

/// A histogram, and where it is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Histogram<'a> {
    /// Without `_bucket`.
    pub selector: &'a str,
    /// In seconds.
    pub threshold: f64,
    /// What is shown beside the counts, e.g. 95.
    pub percentile: Option<f64>,
}

/// A classic histogram's two counters.
struct Classic {
    buckets: String,
    count: String,
}

impl Histogram<'_> {
    fn classic(&self) -> Result<Classic, SourceError> {
        let suffixed = |suffix| Selector::parse(self.selector).and_then(|found| found.suffixed(suffix));
        match (suffixed("_bucket"), suffixed("_count")) {
            (Some(buckets), Some(count)) => Ok(Classic { buckets, count }),
            _ => Err(SourceError::Refused(format!(
                "`{}` is no histogram's selector: write name{{…}}",
                self.selector.trim()
            ))),
        }
    }

    /// Shows the percentile of both kinds of histogram, classic first.
    fn percentiles(&self, asked: Asked<'_>) -> Result<Vec<(&'static str, String)>, SourceError> {
        let Some(percent) = self.percentile else { return Ok(Vec::new()) };
        let (every, per) = (asked.every, asked.per.join(","));
        let buckets = self.classic()?.buckets;
        let growth = format!("({buckets} - {buckets} offset {every}s) >= 0 or {buckets} and {buckets} offset {every}s");
        let quantile = |inner: String| format!("histogram_quantile({}, {inner})", percent / 100.0);
        let native = Selector::parse(self.selector).map(|found| found.narrowed("")).unwrap_or_default();
        Ok(vec![
            ("classic", quantile(format!("sum by (le,{per}) ({growth})"))),
            ("native", quantile(format!("sum by ({per}) (increase({native}[{every}s]))"))),
        ])
    }
}

impl PrometheusSource {
    /// All events of every slot, those at most the threshold as their part, and the percentile by its side.
    pub(super) async fn histogram(
        &self,
        histogram: Histogram<'_>,
        asked: Asked<'_>,
    ) -> Result<(Counts, BTreeMap<&'static str, Counts>), SourceError> {
        let percentiles = histogram.percentiles(asked)?;
        let Asked { per, every, limit, .. } = asked;
        let shown = Evaluation { client: self.client(&self.name)?, parts: &percentiles, per, every, limit };
        let (counts, shown) = tokio::join!(self.both_kinds(histogram, asked), shown.values(asked.span));
        // What is only shown may be missing.
        Ok((counts?, shown.unwrap_or_default()))
    }

    async fn both_kinds(&self, histogram: Histogram<'_>, asked: Asked<'_>) -> Result<Counts, SourceError> {
        let mut counts = self.classic(histogram, asked).await?;
        if asked.slots().all(|slot| counts.tallies.contains_key(&slot)) {
            return Ok(counts);
        }
        let Some(selector) = Selector::parse(histogram.selector) else { return Ok(counts) };
        let native = self.counted(&self.name, selector, &[selector], Some(histogram.threshold), asked).await?;
        for (slot, tallies) in native.tallies {
            counts.tallies.entry(slot).or_insert(tallies);
        }
        for (series, slots) in native.charged {
            counts.charged.entry(series).or_default().extend(slots);
        }
        counts.degraded = counts.degraded.or(native.degraded);
        Ok(counts)
    }

    async fn classic(&self, histogram: Histogram<'_>, asked: Asked<'_>) -> Result<Counts, SourceError> {
        let Classic { buckets, count } = histogram.classic()?;
        let (Some(buckets), Some(count)) = (Selector::parse(&buckets), Selector::parse(&count)) else {
            return Ok(Counts::default());
        };
        let at_threshold = buckets.narrowed(&spellings(histogram.threshold));
        let (mut good, mut total) =
            tokio::try_join!(self.counted_text(&at_threshold, asked), self.counted_alone(count, asked))?;
        if good.tallies.iter().any(|(slot, tallies)| tallies.keys().any(|series| total.tally(*slot, series).is_none()))
        {
            // Some drop `_count` at the scrape: the last bucket holds the same.
            let last = self.counted_text(&buckets.narrowed(r#"le="+Inf""#), asked).await?;
            fill(&mut total, last);
        }
        let mut missing = None;
        if total.tallies.iter().any(|(slot, tallies)| tallies.keys().any(|series| good.tally(*slot, series).is_none()))
        {
            let there = self.bounds(buckets, asked).await?;
            let found: Vec<_> = there.iter().filter(|(bound, _)| near(*bound, histogram.threshold)).collect();
            if found.is_empty() {
                missing = Some(no_bucket(histogram.threshold, &there));
            } else if good.tallies.is_empty() {
                // Spelled in a way that was not thought of.
                let spelled = found.iter().map(|(_, le)| regex_of(le)).collect::<Vec<_>>().join("|");
                good = self.counted_text(&buckets.narrowed(&format!("le=~\"{spelled}\"")), asked).await?;
            }
        }
        match missing {
            Some(missing) if good.tallies.is_empty() => Err(SourceError::Refused(missing)),
            missing => {
                let missing = missing.unwrap_or_else(|| {
                    format!("no bucket ends at the threshold of {} seconds in this slot", histogram.threshold)
                });
                Ok(joined(good, total, &missing))
            }
        }
    }

    async fn counted_text(&self, selector: &str, asked: Asked<'_>) -> Result<Counts, SourceError> {
        match Selector::parse(selector) {
            Some(selector) => self.counted_alone(selector, asked).await,
            None => Ok(Counts::default()),
        }
    }

    async fn counted_alone(&self, selector: Selector<'_>, asked: Asked<'_>) -> Result<Counts, SourceError> {
        self.counted(&self.name, selector, &[selector], None, asked).await
    }

    /// The upper bounds of the buckets there are, and how they are spelled.
    async fn bounds(&self, buckets: Selector<'_>, asked: Asked<'_>) -> Result<Vec<(f64, String)>, SourceError> {
        let client = self.client(&self.name)?;
        let sight = asked.span.seconds() + client.lookback();
        let text = format!("count by (le) (last_over_time({}[{sight}s]))", buckets.narrowed(""));
        let answer = client.ask(Query::values(&text, asked.span.end), asked.limit).await?;
        let bound = |le: &String| Some((le.parse().ok()?, le.clone()));
        Ok(answer.series.iter().filter_map(|series| series.labels.get("le").and_then(bound)).collect())
    }
}

/// Whether two bounds are the same but for their last digits.
fn near(bound: f64, threshold: f64) -> bool {
    (bound - threshold).abs() <= threshold.abs() * 1e-9
}

fn no_bucket(threshold: f64, there: &[(f64, String)]) -> String {
    let mut bounds: Vec<f64> = there.iter().map(|(bound, _)| *bound).filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let list = bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    let help = if list.is_empty() { "there are none".to_owned() } else { format!("there are {list}") };
    format!("no bucket ends at the threshold of {threshold} seconds; {help}")
}

/// Puts what `total` lacks where `other` has it.
fn fill(total: &mut Counts, other: Counts) {
    for (slot, tallies) in other.tallies {
        let there = total.tallies.entry(slot).or_default();
        for (series, tally) in tallies {
            there.entry(series).or_insert(tally);
        }
    }
    for (series, slots) in other.charged {
        total.charged.entry(series).or_default().extend(slots);
    }
}

/// The total with the good events as its part.
fn joined(good: Counts, mut total: Counts, missing: &str) -> Counts {
    for (slot, tallies) in &mut total.tallies {
        for (series, tally) in tallies {
            match good.tally(*slot, series) {
                Some(Tally { value, fault, .. }) => {
                    tally.part = *value;
                    tally.fault = tally.fault.take().or(fault.clone());
                }
                None => tally.fault = Some(missing.to_owned()),
            }
        }
    }
    total.degraded = total.degraded.or(good.degraded);
    total
}

/// A matcher for the usual spellings of a bound: `1`, `1.0`, `1e+00`, `+1`, `0.80`, `8e-1`.
fn spellings(bound: f64) -> String {
    let zeros = |digits: &str| {
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = if whole == "0" && !part.is_empty() { "0*".to_owned() } else { format!("0*{whole}") };
        if part.is_empty() { format!("{whole}([.]0*)?") } else { format!("{whole}[.]{part}0*") }
    };
    let plain = zeros(&format!("{bound}"));
    let scientific = format!("{bound:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let sign = if exponent.starts_with('-') { "-" } else { "[+]?" };
    let power = format!("{}[eE]{sign}0*{}", zeros(digits), exponent.trim_start_matches('-'));
    format!(r#"le=~"[+]?({plain}|{power})""#)
}

/// A spelled bound as a regular expression: the only letters of a number that mean more are `.` and `+`.
fn regex_of(le: &str) -> String {
    le.replace('.', "[.]").replace('+', "[+]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_spelled_in_many_ways() {
        for (bound, expected) in [
            (0.8, r#"le=~"[+]?(0*[.]80*|0*8([.]0*)?[eE]-0*1)""#),
            (1.0, r#"le=~"[+]?(0*1([.]0*)?|0*1([.]0*)?[eE][+]?0*0)""#),
            (2.5e6, r#"le=~"[+]?(0*2500000([.]0*)?|0*2[.]50*[eE][+]?0*6)""#),
        ] {
            assert_eq!(spellings(bound), expected);
        }
    }

    #[test]
    fn a_missing_bucket_lists_those_there_are() {
        let there =
            [(1.0, "1"), (0.5, "0.5"), (f64::INFINITY, "+Inf"), (1.0, "1.0")].map(|(bound, le)| (bound, le.to_owned()));
        assert_eq!(no_bucket(0.8, &there), "no bucket ends at the threshold of 0.8 seconds; there are 0.5, 1");
        assert!(no_bucket(0.8, &[]).ends_with("there are none"));
        assert!(near(0.1 + 0.2, 0.3) && !near(0.3, 0.300_001));
    }

    #[test]
    fn percentiles_are_of_the_growth() {
        let question = Histogram { selector: r#"h{a="b"}"#, threshold: 0.8, percentile: Some(95.0) };
        let per = ["path".to_owned()];
        let asked = Asked {
            per: &per,
            every: 60,
            span: crate::domain::slot::Span { start: 0, end: 60 },
            limit: std::time::Duration::ZERO,
        };
        let texts: Vec<_> = question.percentiles(asked).unwrap().into_iter().map(|(_, text)| text).collect();
        let bucket = r#"h_bucket{a="b"}"#;
        assert_eq!(
            texts,
            [
                format!(
                    "histogram_quantile(0.95, sum by (le,path) (({bucket} - {bucket} offset 60s) >= 0 or {bucket} and {bucket} offset 60s))"
                ),
                r#"histogram_quantile(0.95, sum by (path) (increase(h{a="b"}[60s])))"#.to_owned(),
            ]
        );
        assert!(Histogram { selector: "rate(x[5m])", ..question }.percentiles(asked).is_err());
    }
}
