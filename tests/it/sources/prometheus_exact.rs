//! Exact counting: histories with known truth in a real Prometheus, cut into slots and questions in every way.

use std::collections::BTreeMap;

use slod::{
    config::model::{Indicator, SourceKind},
    domain::slot::{Reading, Span},
    source::{Question, SharedSource},
};
use testbed::prometheus::Prometheus;

use super::{
    LIMIT,
    history::{History, Plan, START},
    main_source, only, prometheus_at,
};

fn errors_of(job: &str) -> Indicator {
    Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: format!(r#"errors_total{{job="{job}"}}"#),
        events_are_bad: true,
        total: format!(r#"requests_total{{job="{job}"}}"#),
    }
}

/// Bad and total events of every slot of `span`, asked in questions of the given numbers of slots, which are repeated.
async fn counted(
    source: &SharedSource,
    indicator: &Indicator,
    span: Span,
    every: u32,
    groups: &[i64],
) -> BTreeMap<i64, Reading> {
    let mut slots = BTreeMap::new();
    let (mut slot, end) = (span.start / i64::from(every), span.end / i64::from(every));
    for group in groups.iter().cycle() {
        if slot >= end {
            break;
        }
        let asked = Span { start: slot * i64::from(every), end: (slot + group).min(end) * i64::from(every) };
        let question = Question { indicator, per: &[], every, max_series: 1 };
        let answer = source.read(question, asked, LIMIT).await.unwrap();
        for answer in answer.slots {
            let old = slots.get(&answer.slot);
            if answer.reading != Reading::Charged || !matches!(old, Some(Reading::Events { .. } | Reading::Empty)) {
                slots.insert(answer.slot, answer.reading);
            }
        }
        slot += group;
    }
    slots
}

fn bad_and_total(slots: &BTreeMap<i64, Reading>) -> (f64, f64) {
    let each = slots.values().map(|reading| match reading {
        Reading::Events { good, total, .. } => (total - good, *total),
        Reading::Empty | Reading::Charged => (0.0, 0.0),
        other => panic!("{other:?}"),
    });
    each.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// Whatever happens to targets, series, scrapes and processes: slots add up to what the samples show, each slot is the same
/// however it is asked, and the same as the generator says.
#[tokio::test]
async fn slots_add_up_however_they_are_cut() {
    let history = History::of(&Plan::all());
    let server = Prometheus::with_history(&history.text).await.unwrap();
    let span = Span { start: START, end: START + 3_600 };
    for (job, truth) in &history.truth {
        let indicator = errors_of(job);
        for (every, groups) in [
            (60, vec![1]),
            (60, vec![60]),
            (60, vec![7, 1, 1, 13]),
            (15, vec![1]),
            (15, vec![100]),
            (20, vec![1, 3]),
            (300, vec![1]),
            (600, vec![2]),
            (3_600, vec![1]),
        ] {
            let source = only(SourceKind::Prometheus(prometheus_at(&server.url())));
            let slots = counted(&source, &indicator, span, every, &groups).await;
            let expected = truth.sum(span);
            assert_eq!(bad_and_total(&slots), expected, "{job} by {every} in {groups:?}");
            for (slot, reading) in &slots {
                let one = BTreeMap::from([(*slot, reading.clone())]);
                let expected = truth.sum(Span::slot(*slot, every));
                assert_eq!(bad_and_total(&one), expected, "{job}: slot {slot} by {every} in {groups:?}");
            }
        }
    }
}
