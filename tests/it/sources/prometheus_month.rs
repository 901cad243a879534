//! Exact counting over days and a month: made-up histories with everything that happens to targets.

use std::collections::BTreeMap;

use slod::{
    config::model::{Indicator, SourceKind},
    domain::slot::{Reading, Span},
    source::{Question, SharedSource},
};
use testbed::{
    history::{History, Plan, Series, Truth},
    prometheus::Prometheus,
};

use super::{LIMIT, main_source, only, prometheus_at};

/// A minute far in the past. It counts from a day later on, so that there is something to look back at.
const START: i64 = 1_767_225_600;
const DAY: i64 = 86_400;
const EVERY: i64 = 60;

const REQUESTS: &str = "http_requests_total";
const BUCKET: &str = "http_request_duration_seconds_bucket";

fn errors(code: &str) -> Indicator {
    Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: format!("{REQUESTS}{{code=~\"{code}\"}}"),
        events_are_bad: true,
        total: REQUESTS.to_owned(),
    }
}

fn slow() -> Indicator {
    Indicator::LatencyHistogram {
        source: main_source(),
        histogram: "http_request_duration_seconds".to_owned(),
        threshold: 0.5,
        percentile: None,
    }
}

/// Bad and all events.
fn truths(history: &History) -> [(&'static str, Indicator, Truth, Truth); 3] {
    let all = || history.truth(|series| series.name == REQUESTS);
    let code = |code: &'static str| move |series: &Series| series.is(REQUESTS, code);
    let bucket = |le: &'static str| history.truth(move |series| series.is(BUCKET, le));
    [
        (
            "errors",
            errors("5.."),
            history.truth(|series| series.name == REQUESTS && !series.is(REQUESTS, "200")),
            all(),
        ),
        ("rare errors", errors("503"), history.truth(code("503")), all()),
        ("slow", slow(), bucket("+Inf").less(&bucket("0.5")), bucket("+Inf")),
    ]
}

/// Bad and all events by slot, of those that had any, asked in questions of so many slots, again and again.
async fn counted(
    source: &SharedSource,
    indicator: &Indicator,
    span: Span,
    groups: &[i64],
) -> BTreeMap<i64, (f64, f64)> {
    let mut slots = BTreeMap::new();
    let mut start = span.start;
    for group in groups.iter().cycle() {
        if start >= span.end {
            break;
        }
        let asked = Span { start, end: (start + group * EVERY).min(span.end) };
        let question = Question { indicator, per: &[], every: EVERY as u32, max_series: 1 };
        let answer = source.read(question, asked, LIMIT).await.unwrap();
        for answer in answer.slots {
            match answer.reading {
                Reading::Events { good, total, .. } => {
                    assert_eq!(slots.insert(answer.slot, (total - good, total)), None, "slot {}", answer.slot);
                }
                Reading::Empty | Reading::Charged => {}
                other => panic!("slot {}: {other:?}", answer.slot),
            }
        }
        start = asked.end;
    }
    slots
}

/// Each slot, and so all of them, counts what the samples show, however it is asked about.
async fn holds(plan: Plan, cuts: &[&[i64]]) {
    let history = plan.history();
    let server = Prometheus::with_history(&history.text()).await.unwrap();
    let span = Span { start: plan.start + DAY, end: plan.start + plan.seconds };
    for (what, indicator, bad, all) in truths(&history) {
        let truth = |slot: i64| {
            let Span { start, end } = Span::slot(slot, EVERY as u32);
            (bad.count(start, end) as f64, all.count(start, end) as f64)
        };
        let expected: BTreeMap<_, _> = (span.start / EVERY..span.end / EVERY)
            .map(|slot| (slot, truth(slot)))
            .filter(|(_, of)| of.1 > 0.0)
            .collect();
        assert!(bad.count(span.start, span.end) > 0, "{what} of seed {}", plan.seed);
        for groups in cuts {
            let source = only(SourceKind::Prometheus(prometheus_at(&server.url())));
            let found = counted(&source, &indicator, span, groups).await;
            let wrong: Vec<_> =
                expected.keys().chain(found.keys()).filter(|slot| expected.get(slot) != found.get(slot)).collect();
            let shown: Vec<_> = wrong.iter().take(5).map(|slot| (slot, expected.get(slot), found.get(slot))).collect();
            assert!(wrong.is_empty(), "{what} of seed {} by {groups:?}: {} wrong: {shown:?}", plan.seed, wrong.len());
        }
    }
}

#[tokio::test]
async fn days_are_counted_to_the_event() {
    for seed in 1..=4 {
        let plan = Plan { histogram: true, scrape: 60, targets: 5, ..Plan::days(seed, START, 5) };
        holds(plan, &[&[10_000], &[700, 1, 60, 1, 2_000]]).await;
    }
}

#[tokio::test]
async fn a_month_is_counted_to_the_event() {
    holds(Plan { histogram: true, scrape: 30, targets: 8, ..Plan::days(99, START, 31) }, &[&[10_000]]).await;
}
