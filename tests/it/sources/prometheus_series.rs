//! Series told apart by `per`, and questions about many slots: the same answers as one slot at a time gives.

use std::fmt::Write as _;

use slod::{
    config::model::{Indicator, SourceKind},
    domain::{
        name::Name,
        slot::{Gap, Reading, SlotAnswer, Span},
    },
    source::{Answer, Question, SharedSource},
};
use testbed::prometheus::Prometheus;

use super::{LIMIT, at_most, built, main_source, number_query, only, prometheus_at};

const NOON: i64 = 1_767_268_800;
const MINUTE: Span = Span { start: NOON, end: NOON + 60 };

/// Ten minutes around noon of counters that grow by `step` every 15 seconds.
fn history() -> String {
    let mut text = String::new();
    for (family, suffix, all) in [
        (
            "requests counter",
            "requests_total",
            [(r#"path="/a",code="200""#, 5.0), (r#"path="/a",code="500""#, 1.0)].as_slice(),
        ),
        ("", "requests_total", &[(r#"path="/b",code="200""#, 2.0), (r#"code="200""#, 3.0)]),
        ("h_seconds histogram", "h_seconds_bucket", &[(r#"path="/a",le="1""#, 2.0), (r#"path="/a",le="+Inf""#, 4.0)]),
        ("", "h_seconds_count", &[(r#"path="/a""#, 4.0)]),
        ("only histogram", "only_bucket", &[(r#"le="2.50""#, 1.0), (r#"le="+Inf""#, 4.0)]),
        ("age gauge", "age", &[(r#"path="/a""#, 7.0), (r#"path="/b""#, 30.0)]),
    ] {
        if !family.is_empty() {
            writeln!(text, "# TYPE {family}").unwrap();
        }
        for (labels, step) in all {
            for scrape in 0..40_i32 {
                let at = NOON - 300 + 7 + i64::from(scrape) * 15;
                writeln!(text, "{suffix}{{{labels}}} {} {at}", f64::from(scrape) * step).unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

fn ratio(events: &str, total: &str) -> Indicator {
    Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: events.to_owned(),
        events_are_bad: true,
        total: total.to_owned(),
    }
}

fn latency(histogram: &str, threshold: f64) -> Indicator {
    let (histogram, percentile) = (histogram.to_owned(), Some(50.0));
    Indicator::LatencyHistogram { source: main_source(), histogram, threshold, percentile }
}

fn value(query: &str) -> Indicator {
    Indicator::Value { query: number_query(query), unit: None, good: at_most(300.0) }
}

fn shown(answer: &SlotAnswer) -> String {
    let labels: Vec<_> = answer.series.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let reading = match &answer.reading {
        Reading::Events { good, total, shown: None } => format!("{good}/{total}"),
        Reading::Events { good, total, shown: Some(shown) } => format!("{good}/{total} at {shown:.1}"),
        Reading::Unmeasured(Gap::DataFault(fault)) => fault.clone(),
        other => format!("{other:?}"),
    };
    format!("{} {reading}", labels.join(",")).trim().to_owned()
}

fn shown_slot(answer: &Answer, slot: i64) -> Vec<String> {
    let mut slots: Vec<_> = answer.slots.iter().filter(|answer| answer.slot == slot).collect();
    slots.sort_by(|one, other| one.series.cmp(&other.series));
    slots.into_iter().map(shown).collect()
}

fn source_at(server: &Prometheus) -> SharedSource {
    only(SourceKind::Prometheus(prometheus_at(&server.url())))
}

#[tokio::test]
async fn series_are_told_apart() {
    let server = Prometheus::with_history(&history()).await.unwrap();
    let source = source_at(&server);
    let path: &[String] = &["path".to_owned()];
    let both: &[String] = &["code".to_owned(), "path".to_owned()];
    let none = "the query answered 2 series where one is expected: put sum() or max() around it";
    for (indicator, per, max_series, expected, degraded) in [
        // A series without the label is one of its own, without a name.
        (
            ratio(r#"requests_total{code="500"}"#, "requests_total"),
            path,
            9,
            vec!["12/12", "path=/a 20/24", "path=/b 8/8"],
            None,
        ),
        (
            ratio(r#"requests_total{code="500"}"#, "requests_total"),
            path,
            2,
            vec!["12/12", "path=/a 20/24"],
            Some("1 series over max_series_per_slo (2)"),
        ),
        (
            ratio("nothing_total", r#"requests_total{path="/a"}"#),
            both,
            9,
            vec!["code=200,path=/a 20/20", "code=500,path=/a 4/4"],
            None,
        ),
        (
            ratio(r#"requests_total{code="500"}"#, "sum by (path) (increase(requests_total[$window]))"),
            path,
            9,
            vec!["12/12", "path=/a 20/24", "path=/b 8/8"],
            None,
        ),
        (latency("h_seconds", 1.0), path, 9, vec!["path=/a 8/16 at 1.0"], None),
        // The count may be missing, and the bound be spelled oddly.
        (latency("only", 2.5), &[], 9, vec!["4/16 at 2.5"], None),
        (value("age"), path, 9, vec!["path=/a 1/1 at 161.0", "path=/b 0/1 at 690.0"], None),
        (value("age"), &[], 9, vec![none], None),
        (value("age"), path, 1, vec!["path=/a 1/1 at 161.0"], Some("1 series over max_series_per_slo (1)")),
        (value("sum(age)"), path, 9, vec!["0/1 at 851.0"], None),
    ] {
        let question = Question { indicator: &indicator, per, every: 60, max_series };
        let answer = source.read(question, MINUTE, LIMIT).await.unwrap();
        assert_eq!(shown_slot(&answer, NOON / 60), expected, "{indicator:?} {per:?}");
        assert_eq!(answer.degraded.as_deref(), degraded, "{indicator:?}");
        assert_eq!(answer.absent, Reading::Unmeasured(Gap::NoData));
    }
    let all = ratio(r#"requests_total{code="500"}"#, "requests_total");
    let question = Question { indicator: &all, per: path, every: 60, max_series: 9 };
    let looked = source.inspect(question, MINUTE, LIMIT).await;
    assert_eq!(looked.as_deref(), Ok("4 series match; 3 values of `path` in the last slot"));
}

/// Whatever the indicator: a question about many slots answers what one about each does.
#[tokio::test]
async fn many_slots_are_like_one_by_one() {
    let here = Prometheus::with_history(&history()).await.unwrap();
    let there = Prometheus::with_history(&history()).await.unwrap();
    let kind = |server: &Prometheus| SourceKind::Prometheus(prometheus_at(&server.url()));
    let sources = built(vec![("main", kind(&here)), ("other", kind(&there))]);
    let source = &sources["main"];
    let mut two_servers = ratio(r#"requests_total{code="500"}"#, "requests_total");
    let mut mixed = ratio(r#"requests_total{code="500"}"#, "sum(increase(requests_total[$window]))");
    for indicator in [&mut two_servers, &mut mixed] {
        if let Indicator::RatioPromql { total_source, .. } = indicator {
            *total_source = Some(Name::from("other"));
        }
    }
    let span = Span { start: NOON - 360, end: NOON + 360 };
    for (indicator, per) in [
        (ratio(r#"requests_total{code="500"}"#, "requests_total"), true),
        (ratio(r#"requests_total{code="500"}"#, "requests_total"), false),
        (two_servers, false),
        (mixed, false),
        (
            ratio(
                "sum by (path) (increase(requests_total{code=\"500\"}[$window]))",
                "sum by (path) (increase(requests_total[$window]))",
            ),
            true,
        ),
        (latency("h_seconds", 1.0), false),
        (latency("only", 2.5), false),
        (value("age"), true),
        (value("max_over_time(age{path=\"/a\"}[$window])"), false),
        (value("nothing"), false),
    ] {
        let per: Vec<String> = if per { vec!["path".to_owned()] } else { Vec::new() };
        let question = Question { indicator: &indicator, per: &per, every: 60, max_series: 9 };
        let all = source.read(question, span, LIMIT).await.unwrap();
        for slot in question.slots(span) {
            let one = source.read(question, Span::slot(slot, 60), LIMIT).await.unwrap();
            assert_eq!(shown_slot(&all, slot), shown_slot(&one, slot), "{indicator:?} {slot}");
        }
    }
    // One answer that is missing is no answer, as for one slot.
    drop(there);
    let mut gone = ratio("requests_total", "requests_total");
    if let Indicator::RatioPromql { total_source, .. } = &mut gone {
        *total_source = Some(Name::from("other"));
    }
    let question = Question { indicator: &gone, per: &[], every: 60, max_series: 9 };
    let error = source.read(question, span, LIMIT).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot reach 127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn a_bucket_that_is_missing_in_some_slots_is_a_fault_of_those() {
    let mut text = "# TYPE h histogram\n".to_owned();
    for (at, le) in [(-10, "1"), (10, "1"), (50, "1"), (70, "2"), (110, "2"), (610, "2")] {
        writeln!(text, r#"h_bucket{{le="{le}"}} {} {}"#, at + 10, NOON + at).unwrap();
    }
    for at in [-10, 10, 50, 70, 110, 610] {
        writeln!(text, "h_count {} {}", 2 * (at + 10), NOON + at).unwrap();
    }
    text.push_str("# EOF\n");
    let server = Prometheus::with_history(&text).await.unwrap();
    let source = source_at(&server);
    let indicator = latency("h", 1.0);
    let question = Question { indicator: &indicator, per: &[], every: 60, max_series: 9 };
    let span = Span { start: NOON, end: NOON + 120 };
    let answer = source.read(question, span, LIMIT).await.unwrap();
    let shown: Vec<_> = question.slots(span).flat_map(|slot| shown_slot(&answer, slot)).collect();
    assert_eq!(shown[0], "60/120");
    assert_eq!(shown[1], "no bucket ends at the threshold of 1 seconds in this slot");
    let late = Span { start: NOON + 60, end: NOON + 120 };
    let alone = source.read(question, late, LIMIT).await.unwrap();
    assert_eq!(shown_slot(&alone, NOON / 60 + 1), [shown[1].as_str()]);
    let much_later = Span { start: NOON + 600, end: NOON + 660 };
    let error = source.read(question, much_later, LIMIT).await.unwrap_err().to_string();
    assert_eq!(error, "no bucket ends at the threshold of 1 seconds; there are 2");
}
