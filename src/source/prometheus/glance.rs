//! What a look at an incident reads: the answer of a query at one moment, as a small table.

use std::time::Duration;

use super::{
    answer::{Answered, Series},
    client::{Client, Query},
};
use crate::{
    domain::diagnostic::{COLUMNS_MAX, Found, ROWS_MAX, Table, number_words},
    source::SourceError,
};

/// The largest answer.
const BYTES: usize = 2 << 20;
/// The label that is the series' name.
const NAME: &str = "__name__";

/// Asks for the answer at the second `at`.
pub(in crate::source) async fn glance(
    client: &Client,
    query: &str,
    at: i64,
    limit: Duration,
) -> Result<Found, SourceError> {
    client.ask_for(Query::values(query, at), limit, BYTES).await.map(|answered| found(&answered))
}

fn found(answered: &Answered) -> Found {
    let series = &answered.series;
    let summary = match series.as_slice() {
        [] => "no value".to_owned(),
        [only] => value(only),
        [first, ..] => format!("{} series, first {}{}", series.len(), labels(first), value(first)),
    };
    let degraded = answered.degraded.as_ref().map(|why| format!(" (warning: {why})")).unwrap_or_default();
    Found { ok: true, summary: format!("{summary}{degraded}"), text: None, table: Some(table(series)) }
}

fn table(series: &[Series]) -> Table {
    let shown = &series[..series.len().min(ROWS_MAX + 1)];
    let mut names: Vec<&String> = shown.iter().flat_map(|one| one.labels.keys()).collect();
    names.sort();
    names.dedup();
    names.truncate(COLUMNS_MAX);
    let row = |one: &Series| {
        let labels = names.iter().map(|name| one.labels.get(*name).cloned());
        std::iter::once(Some(value(one))).chain(labels).collect()
    };
    let columns = std::iter::once("value".to_owned()).chain(names.iter().map(|name| (*name).clone()));
    Table::new(columns.collect(), shown.iter().map(row).collect(), false)
}

fn value(series: &Series) -> String {
    match series.numbers.last() {
        Some((_, number)) => number_words(*number),
        None if series.natives.is_empty() => "no value".to_owned(),
        None => "a histogram".to_owned(),
    }
}

/// A few of its labels: `{code=500, route=/a} `.
fn labels(series: &Series) -> String {
    let shown = series.labels.iter().filter(|(name, _)| *name != NAME).take(3);
    let shown: Vec<String> = shown.map(|(name, value)| format!("{name}={value}")).collect();
    if shown.is_empty() { String::new() } else { format!("{{{}}} ", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(labels: &[(&str, &str)], number: f64) -> Series {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Series { labels, numbers: vec![(0, number)], ..Series::default() }
    }

    #[test]
    fn answers_in_few_words() {
        let said = |series: Vec<Series>| found(&Answered { series, degraded: None }).summary;
        assert_eq!(said(vec![]), "no value");
        assert_eq!(said(vec![series(&[], 61.25)]), "61.25");
        assert_eq!(said(vec![series(&[("job", "a")], f64::NAN)]), "not a number");
        let two = vec![series(&[("__name__", "up"), ("job", "<b>")], 1.0), series(&[("job", "b")], 0.0)];
        assert_eq!(said(two.clone()), "2 series, first {job=<b>} 1");
        let table = table(&two);
        assert_eq!(table.columns, ["value", "__name__", "job"]);
        assert_eq!(table.rows[1], [Some("0".to_owned()), None, Some("b".to_owned())]);
    }

    #[test]
    fn a_flood_is_cut() {
        let many: Vec<Series> =
            (0..1_000).map(|n| series(&[("n", &n.to_string()), (&format!("l{n}"), "x")], 1.0)).collect();
        let table = table(&many);
        assert!(table.more && table.rows.len() == ROWS_MAX && table.columns.len() == COLUMNS_MAX);
    }
}
