//! Every PromQL indicator in every state, against a real server that holds a history written beforehand.

use std::{fmt::Write as _, time::Duration};

use slod::{
    config::model::{Indicator, SourceKind},
    domain::{name::Name, slot::Span},
    source::SharedSource,
};
use testbed::prometheus::Prometheus;

use super::{LIMIT, asking, at_most, built, main_source, number_query, only, prometheus_at, shown};

/// A minute far in the past; the history runs for ten minutes around it, scraped every 15 seconds.
const NOON: i64 = 1_767_268_800;
const SLOT: Span = Span { start: NOON, end: NOON + 60 };

/// A series whose value is the given one at each scrape, counted from 0 at five minutes before the slot.
fn series(text: &mut String, name: &str, value: impl Fn(f64) -> String) {
    for scrape in 0..40_i32 {
        let at = NOON - 300 + 7 + i64::from(scrape) * 15;
        writeln!(text, "{name} {} {at}", value(f64::from(scrape))).unwrap();
    }
}

fn counter(text: &mut String, family: &str, labelled: &[(&str, f64)]) {
    writeln!(text, "# TYPE {family} counter").unwrap();
    for (labels, step) in labelled {
        series(text, &format!("{family}_total{labels}"), |scrape| (scrape * step).to_string());
    }
}

fn gauge(text: &mut String, name: &str, labelled: &[(&str, &str)]) {
    writeln!(text, "# TYPE {name} gauge").unwrap();
    for (labels, value) in labelled {
        series(text, &format!("{name}{labels}"), |_| (*value).to_owned());
    }
}

fn history() -> String {
    let mut text = String::new();
    counter(&mut text, "requests", &[(r#"{code="200"}"#, 10.0), (r#"{code="500"}"#, 1.0)]);
    counter(&mut text, "idle", &[("", 0.0)]);
    counter(&mut text, "more", &[("", 20.0)]);
    gauge(&mut text, "age", &[("", "840.5")]);
    gauge(&mut text, "broken", &[("", "NaN")]);
    gauge(&mut text, "endless", &[("", "+Inf")]);
    gauge(&mut text, "twins", &[(r#"{a="1"}"#, "1"), (r#"{a="2"}"#, "2")]);
    text.push_str("# TYPE h_seconds histogram\n");
    for (le, step) in [("0.5", 5.0), ("0.80", 9.0), ("1.0", 10.0), ("+Inf", 10.0)] {
        let name = format!(r#"h_seconds_bucket{{handler="/x",le="{le}"}}"#);
        series(&mut text, &name, |scrape| (scrape * step).to_string());
    }
    series(&mut text, r#"h_seconds_count{handler="/x"}"#, |scrape| (scrape * 10.0).to_string());
    series(&mut text, r#"h_seconds_sum{handler="/x"}"#, |scrape| scrape.to_string());
    text.push_str("# EOF\n");
    text
}

async fn server() -> (Prometheus, SharedSource) {
    let server = Prometheus::with_history(&history()).await.unwrap();
    let source = only(SourceKind::Prometheus(prometheus_at(&server.url())));
    (server, source)
}

fn ratio(events: &str, events_are_bad: bool, total: &str) -> Indicator {
    Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: events.to_owned(),
        events_are_bad,
        total: total.to_owned(),
    }
}

fn latency(histogram: &str, threshold: f64) -> Indicator {
    Indicator::LatencyHistogram {
        source: main_source(),
        histogram: histogram.to_owned(),
        threshold,
        percentile: Some(90.0),
    }
}

fn value(query: &str) -> Indicator {
    Indicator::Value { query: number_query(query), unit: None, good: at_most(900.0) }
}

/// One sample a slot is enough, and the slots of a minute add up to the minute.
#[tokio::test]
async fn slots_as_long_as_the_scrape_interval_add_up() {
    let (_server, source) = server().await;
    for start in (NOON..NOON + 60).step_by(15) {
        let span = Span { start, end: start + 15 };
        let answer = source
            .read(asking(&ratio(r#"requests_total{code="200"}"#, false, "requests_total"), span), span, LIMIT)
            .await;
        assert_eq!(shown(&answer), "10/11", "{start}");
    }
}

#[tokio::test]
async fn ratios_in_every_state() {
    let (_server, source) = server().await;
    for (events, bad, total, expected) in [
        (r#"requests_total{code="200"}"#, false, "requests_total", "40/44"),
        (r#"requests_total{code=~"5.."}"#, true, "requests_total", "40/44"),
        (r#"requests_total{code="404"}"#, true, "requests_total", "44/44"),
        (r#"requests_total{code="404"}"#, false, "requests_total", "0/44"),
        ("idle_total", true, "idle_total", "empty"),
        ("requests_total", true, "nothing_total", "no data"),
        ("nothing_total", true, "nothing_total", "no data"),
        ("more_total", false, "requests_total", "fault: good (80) is more than total (44)"),
        ("more_total", true, "requests_total", "fault: bad (80) is more than total (44)"),
        (
            "sum(increase(requests_total{code=\"500\"}[$window])) # of a minute",
            true,
            "sum(increase(requests_total[$window]))",
            "40/44",
        ),
        (
            "-sum(increase(idle_total[$window]) + 1)",
            false,
            "requests_total",
            "fault: negative count: good is -1, total is 44",
        ),
        ("sum(increase(idle_total[$window])) / 0", false, "requests_total", "fault: good is NaN, total is 44"),
        (
            "increase(requests_total[$window])",
            false,
            "requests_total",
            "fault: the events answered 2 series where one is expected: put sum() or max() around it",
        ),
        (
            "sum(requests_total)",
            false,
            "requests_total",
            "refused: `sum(requests_total)` is neither a plain selector nor an expression with `$window`",
        ),
    ] {
        let answer = source.read(asking(&ratio(events, bad, total), SLOT), SLOT, LIMIT).await;
        assert_eq!(shown(&answer), expected, "{events} of {total}");
    }
    let broken = ratio("sum((increase(x[$window])", true, "requests_total");
    let syntax = source.read(asking(&broken, SLOT), SLOT, LIMIT).await;
    assert!(shown(&syntax).starts_with("refused: `invalid parameter \"query\": "), "{}", shown(&syntax));
    let before = Span { start: NOON - 3_600, end: NOON - 3_540 };
    let answer = source.read(asking(&ratio("requests_total", false, "requests_total"), before), before, LIMIT).await;
    assert_eq!(shown(&answer), "no data", "the past before the first sample");
}

#[tokio::test]
async fn a_ratio_may_take_its_total_from_another_server() {
    let here = Prometheus::with_history(&history()).await.unwrap();
    let there = Prometheus::with_history(&history()).await.unwrap();
    let sources = built(vec![
        ("main", SourceKind::Prometheus(prometheus_at(&here.url()))),
        ("other", SourceKind::Prometheus(prometheus_at(&there.url()))),
    ]);
    let mut two = ratio(r#"requests_total{code="500"}"#, true, "requests_total");
    if let Indicator::RatioPromql { total_source, .. } = &mut two {
        *total_source = Some(Name::from("other"));
    }
    assert_eq!(shown(&sources["main"].read(asking(&two, SLOT), SLOT, LIMIT).await), "40/44");
    drop(there);
    assert!(
        shown(&sources["main"].read(asking(&two, SLOT), SLOT, LIMIT).await)
            .starts_with("error: cannot reach 127.0.0.1:")
    );
}

#[tokio::test]
async fn latencies_and_values_in_every_state() {
    let (_server, source) = server().await;
    for (indicator, expected) in [
        (latency(r#"h_seconds{handler="/x"}"#, 0.8), "36/40 at 0.800"),
        (latency("h_seconds", 1.0), "40/40 at 0.800"),
        (latency("h_seconds", 0.5), "20/40 at 0.800"),
        (latency(r#"h_seconds{handler="/y"}"#, 0.8), "no data"),
        (latency("h_seconds", 0.7), "refused: no bucket ends at the threshold of 0.7 seconds; there are 0.5, 0.8, 1"),
        (latency("sum(h_seconds)", 0.8), "refused: `sum(h_seconds)` is no histogram's selector: write name{…}"),
        (value("age"), "1/1 at 840.500"),
        (value("age + 100"), "0/1 at 940.500"),
        (value("nothing"), "no data"),
        (value("broken"), "fault: the value is NaN"),
        (value("endless"), "fault: the value is inf"),
        (value("twins"), "fault: the query answered 2 series where one is expected: put sum() or max() around it"),
        (value("time() - 1767268000"), "1/1 at 860.000"),
        (value("max_over_time(age[$window])"), "1/1 at 840.500"),
        (value("age[5m]"), "refused: the query answers ranges of samples: put a function like increase() around it"),
        (value(r#""text""#), "refused: the query answers a text, not numbers"),
    ] {
        let answer = source.read(asking(&indicator, SLOT), SLOT, LIMIT).await;
        assert_eq!(shown(&answer), expected, "{indicator:?}");
    }
    let sql = Indicator::RatioSql { source: main_source(), sql: "select 1".to_owned() };
    assert!(shown(&source.read(asking(&sql, SLOT), SLOT, LIMIT).await).starts_with("refused: "));
}

#[tokio::test]
async fn numbers_and_closer_looks() {
    let (mut server, source) = server().await;
    let number = |query: &'static str| {
        let source = &source;
        async move { source.number(&number_query(query), NOON, LIMIT).await.map_err(|error| error.to_string()) }
    };
    assert_eq!(number("age").await, Ok(Some(840.5)));
    assert_eq!(number("nothing").await, Ok(None));
    assert_eq!(number("broken").await, Ok(None));
    assert!(number("twins").await.unwrap_err().contains("2 series"));

    let narrow = Span { start: NOON + 10, end: NOON + 20 };
    for (indicator, span, expected) in [
        (
            ratio("requests_total", false, "requests_total"),
            SLOT,
            "2 series match; 44 of 44 events good in the last slot",
        ),
        (
            ratio("nope_total", true, "requests_total"),
            SLOT,
            "2 series match; none matches `nope_total` yet, which counts as 0 events; 44 of 44 events good in the last slot",
        ),
        (
            ratio("requests_total", false, "nope_total"),
            SLOT,
            "no series matches `nope_total`: check its name and labels",
        ),
        (ratio("idle_total", true, "idle_total"), SLOT, "1 series match; no events in the last slot"),
        (
            ratio("requests_total", false, "requests_total"),
            narrow,
            "series match, but none had a sample in the last slot: is `every` shorter than the scrape interval?",
        ),
        (latency("h_seconds", 0.8), SLOT, "4 series match; 36 of 40 events good in the last slot, value 0.8"),
        (latency("h_seconds", 0.9), SLOT, "no bucket ends at the threshold of 0.9 seconds; there are 0.5, 0.8, 1"),
        (value("age"), SLOT, "1 series match; 1 of 1 events good in the last slot, value 840.5"),
        (value("nothing + 1"), SLOT, "the query answers nothing: check its names and labels"),
    ] {
        let (Ok(said) | Err(said)) = source.inspect(asking(&indicator, span), span, LIMIT).await;
        assert_eq!(said, expected);
    }

    assert_eq!(source.ping(LIMIT).await, Ok(()));
    server.stop();
    let refused = source.ping(Duration::from_secs(2)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("cannot reach {}: connection refused", server.url().trim_start_matches("http://"))
    );
    assert!(refused.is_blinding());
    server.restart().await.unwrap();
    assert_eq!(source.ping(LIMIT).await, Ok(()));
}
