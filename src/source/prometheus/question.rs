//! Indicators as PromQL. One request asks for all parts of a slot, each part marked by a label,
//! so that all are of the same moment.

use std::collections::BTreeMap;

use super::{
    answer::{Sample, Samples},
    selector::Selector,
};
use crate::source::SourceError;

/// The label that says which part of a question a sample answers.
const PART: &str = "slod_part";

/// What a counter grew by within the slot: its last value before the slot's end less its last value before the slot's
/// beginning, or its value at the end if it was reset in between.
///
/// Unlike `increase()` nothing is extrapolated, so that counts are whole and neighbouring slots add up to the growth over
/// all of them, and one sample a slot is enough. A series that was not there before counts from the next slot on.
fn growth(selector: &str, seconds: i64) -> String {
    format!("({selector} - {selector} offset {seconds}s) >= 0 or {selector} and {selector} offset {seconds}s")
}

/// The number of events of a slot: a plain selector's growth, or an expression with `$window` as written.
pub(super) fn count(query: &str, seconds: i64) -> Result<String, SourceError> {
    if Selector::parse(query).is_some() {
        Ok(format!("sum({})", growth(query.trim(), seconds)))
    } else if query.contains("$window") {
        Ok(windowed(query, seconds))
    } else {
        Err(SourceError::Refused(format!(
            "`{}` is neither a plain selector nor an expression with `$window`",
            query.trim()
        )))
    }
}

/// An expression with the slot's length written into it.
pub(super) fn windowed(query: &str, seconds: i64) -> String {
    query.trim().replace("$window", &format!("{seconds}s"))
}

/// Joins named questions into one.
pub(super) fn joined(parts: &[(&str, String)]) -> String {
    // The line break ends a comment the expression may end with.
    let mark =
        |(name, query): &(&str, String)| format!(r#"label_replace(({query}{}), "{PART}", "{name}", "", "")"#, "\n");
    parts.iter().map(mark).collect::<Vec<_>>().join(" or ")
}

/// The answer to a joined question, taken apart again.
pub(super) fn parts(answer: Samples) -> BTreeMap<String, Vec<Sample>> {
    let mut parts: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for mut sample in answer.samples {
        let part = sample.labels.remove(PART).unwrap_or_default();
        parts.entry(part).or_default().push(sample);
    }
    parts
}

/// A classic histogram's questions for one slot.
pub(super) struct HistogramQuestion {
    /// Answers the slot's events per `le`.
    pub buckets: String,
    /// Answers the slot's events.
    pub count: String,
    /// Answers the percentile.
    pub percentile: Option<String>,
}

impl HistogramQuestion {
    /// Asks about the histogram `selector` (without `_bucket`) and the percentile, e.g. 95.
    pub fn new(selector: &str, percentile: Option<f64>, seconds: i64) -> Result<Self, SourceError> {
        let suffixed = |suffix| {
            Selector::parse(selector).and_then(|found| found.suffixed(suffix)).ok_or_else(|| {
                SourceError::Refused(format!("`{}` is no histogram's selector: write name{{…}}", selector.trim()))
            })
        };
        let buckets = format!("sum by (le) ({})", growth(&suffixed("_bucket")?, seconds));
        let percentile = percentile.map(|percent| format!("histogram_quantile({}, {buckets})", percent / 100.0));
        Ok(Self { count: format!("sum({})", growth(&suffixed("_count")?, seconds)), buckets, percentile })
    }

    /// All of it as one question.
    pub fn joined(&self) -> String {
        let mut parts = vec![("bucket", self.buckets.clone()), ("count", self.count.clone())];
        parts.extend(self.percentile.clone().map(|query| ("percentile", query)));
        joined(&parts)
    }
}

/// The events in the bucket whose upper bound is `threshold`, however its `le` is spelled (`1`, `1.0`, `1e+00`).
/// `Err` lists the bounds there are.
pub(super) fn bucket_at(threshold: f64, buckets: &[Sample]) -> Result<f64, SourceError> {
    let bound = |sample: &Sample| sample.labels.get("le").and_then(|le| le.parse::<f64>().ok());
    let near = |bound: f64| {
        bound.total_cmp(&threshold).is_eq()
            || (threshold.is_finite() && (bound - threshold).abs() <= threshold.abs() * 1e-9)
    };
    let mut found = buckets.iter().filter(|sample| bound(sample).is_some_and(near)).peekable();
    if found.peek().is_some() {
        return Ok(found.map(|sample| sample.value).sum());
    }
    let mut bounds: Vec<f64> = buckets.iter().filter_map(bound).filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let list = bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    let help = if list.is_empty() { "there are none".to_owned() } else { format!("there are {list}") };
    Err(SourceError::Refused(format!("no bucket ends at the threshold of {threshold} seconds; {help}")))
}

/// Counts as they are judged.
///
/// An expression's `increase()` extrapolates, so whole counts come out as 19.999999999996 and sums of equal parts differ in their last
/// digits. A count within a millionth of a whole number is that number; `part` over `whole` by less than a millionth
/// of it is `whole`. Real fractions stay: they are what the server believes.
pub(super) fn settled_counts(part: f64, whole: f64) -> (f64, f64) {
    let rounded = |count: f64| if (count - count.round()).abs() <= 1e-6 { count.round() } else { count };
    let (part, whole) = (rounded(part), rounded(whole));
    let over = part - whole;
    (if over > 0.0 && over <= whole * 1e-6 { whole } else { part }, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(le: &str, value: f64) -> Sample {
        Sample { labels: BTreeMap::from([("le".to_owned(), le.to_owned())]), value }
    }

    #[test]
    fn counts_are_growth() {
        for (query, expected) in [
            (
                " errors_total ",
                Some("sum((errors_total - errors_total offset 60s) >= 0 or errors_total and errors_total offset 60s)"),
            ),
            (
                r#"x{code=~"5.."}"#,
                Some(
                    r#"sum((x{code=~"5.."} - x{code=~"5.."} offset 60s) >= 0 or x{code=~"5.."} and x{code=~"5.."} offset 60s)"#,
                ),
            ),
            (
                r#"{__name__="x"}"#,
                Some(
                    r#"sum(({__name__="x"} - {__name__="x"} offset 60s) >= 0 or {__name__="x"} and {__name__="x"} offset 60s)"#,
                ),
            ),
            ("sum(rate(x[$window])) * 60", Some("sum(rate(x[60s])) * 60")),
            ("sum(x)", None),
        ] {
            assert_eq!(count(query, 60).ok().as_deref(), expected);
        }
    }

    #[test]
    fn histograms_ask_for_all_parts_at_once() {
        let question = HistogramQuestion::new(r#"h_seconds{handler="/x"}"#, Some(95.0), 60).unwrap().joined();
        let of = |suffix: &str| growth(&format!(r#"h_seconds{suffix}{{handler="/x"}}"#), 60);
        let lines: Vec<_> = question.lines().collect();
        assert_eq!(
            lines,
            [
                format!("label_replace((sum by (le) ({})", of("_bucket")),
                format!(r#"), "slod_part", "bucket", "", "") or label_replace((sum({})"#, of("_count")),
                format!(
                    r#"), "slod_part", "count", "", "") or label_replace((histogram_quantile(0.95, sum by (le) ({}))"#,
                    of("_bucket")
                ),
                r#"), "slod_part", "percentile", "", "")"#.to_owned(),
            ]
        );
        assert!(HistogramQuestion::new("rate(x[5m])", None, 60).is_err());
    }

    #[test]
    fn bucket_bounds_are_numbers() {
        for le in ["0.8", "0.80", "8e-1", "8E-01", "+0.8"] {
            assert_eq!(bucket_at(0.8, &[bucket("0.5", 1.0), bucket(le, 3.0), bucket("+Inf", 9.0)]), Ok(3.0), "{le}");
        }
        for le in ["1", "1.0", "1e+00"] {
            assert_eq!(bucket_at(1.0, &[bucket(le, 3.0)]), Ok(3.0), "{le}");
        }
        assert_eq!(bucket_at(f64::INFINITY, &[bucket("1", 3.0), bucket("+Inf", 4.0)]), Ok(4.0));
        assert_eq!(bucket_at(1e6, &[bucket("1e+06", 3.0)]), Ok(3.0));
        assert_eq!(bucket_at(1.0, &[bucket("1", 3.0), bucket("1.0", 4.0)]), Ok(7.0), "two programs, two spellings");
    }

    #[test]
    fn a_missing_bucket_lists_those_there_are() {
        let there = [bucket("1", 0.0), bucket("0.5", 0.0), bucket("+Inf", 0.0), bucket("1.0", 0.0)];
        assert_eq!(
            bucket_at(0.8, &there).unwrap_err().to_string(),
            "no bucket ends at the threshold of 0.8 seconds; there are 0.5, 1"
        );
        assert!(bucket_at(0.8, &[]).unwrap_err().to_string().ends_with("there are none"));
    }

    #[test]
    fn the_last_digits_are_not_believed() {
        for (counts, settled) in [
            ((19.999_999_999_6, 20.000_000_000_3), (20.0, 20.0)),
            ((20.4, 20.399_999_9), (20.399_999_9, 20.399_999_9)),
            ((20.4, 20.5), (20.4, 20.5)),
            ((3.0, 2.0), (3.0, 2.0)),
            ((0.000_000_1, 0.0), (0.0, 0.0)),
        ] {
            assert_eq!(settled_counts(counts.0, counts.1), settled);
        }
        assert!(settled_counts(f64::NAN, 1.0).0.is_nan());
    }
}
