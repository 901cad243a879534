//! Exact counting: histories with known truth in a real Prometheus, cut into slots and questions in every way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use futures_util::future::join_all;
use slod::{
    config::model::{Indicator, SourceKind},
    domain::slot::{Gap, Reading, Span},
    source::{Answer, Question, SharedSource},
};
use testbed::prometheus::Prometheus;

use super::{
    LIMIT,
    history::{History, LENGTH, Plan, START},
    main_source, only, prometheus_at,
};

/// Readings by slot.
type Slots = BTreeMap<i64, Reading>;

fn errors_of(job: &str) -> Indicator {
    Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: format!(r#"errors_total{{job="{job}"}}"#),
        events_are_bad: true,
        total: format!(r#"requests_total{{job="{job}"}}"#),
    }
}

fn source_at(server: &Prometheus) -> SharedSource {
    only(SourceKind::Prometheus(prometheus_at(&server.url())))
}

/// What the store does: only what is unknown is replaced.
fn settle(slots: &mut Slots, asked: std::ops::Range<i64>, answer: Answer) {
    let there: BTreeSet<i64> = answer.slots.iter().map(|answer| answer.slot).collect();
    let absent = asked.filter(|slot| !there.contains(slot)).map(|slot| (slot, answer.absent.clone()));
    for (slot, reading) in answer.slots.into_iter().map(|answer| (answer.slot, answer.reading)).chain(absent) {
        if slots.get(&slot).is_none_or(|old| !old.state().is_known()) {
            slots.insert(slot, reading);
        }
    }
}

/// How slots are asked about.
#[derive(Clone, Debug)]
enum Way {
    /// In questions of these numbers of slots, again and again.
    Groups(Vec<i64>),
    /// One by one, each time by a daemon that just started.
    Restarting,
    /// All at the same time, one by one.
    AtOnce,
    /// In questions of this many slots, the last first.
    Backwards(i64),
}

async fn ask(source: &SharedSource, indicator: &Indicator, every: u32, slots: std::ops::Range<i64>) -> Answer {
    let span = Span { start: slots.start * i64::from(every), end: slots.end * i64::from(every) };
    let question = Question { indicator, per: &[], every, max_series: 1 };
    source.read(question, span, LIMIT).await.unwrap()
}

async fn counted(server: &Prometheus, indicator: &Indicator, span: Span, every: u32, way: &Way) -> Slots {
    let (first, end) = (span.start / i64::from(every), span.end / i64::from(every));
    let source = source_at(server);
    let mut questions = Vec::new();
    let groups = match way {
        Way::Groups(groups) => groups.clone(),
        Way::Backwards(slots) => vec![*slots],
        Way::AtOnce | Way::Restarting => vec![1],
    };
    let mut slot = first;
    for group in groups.iter().cycle() {
        if slot >= end {
            break;
        }
        questions.push(slot..(slot + group).min(end));
        slot += group;
    }
    let mut slots = Slots::new();
    match way {
        Way::AtOnce => {
            let answers = join_all(questions.iter().map(|asked| ask(&source, indicator, every, asked.clone()))).await;
            for (asked, answer) in questions.into_iter().zip(answers) {
                settle(&mut slots, asked, answer);
            }
        }
        Way::Restarting => {
            for asked in questions {
                settle(&mut slots, asked.clone(), ask(&source_at(server), indicator, every, asked).await);
            }
        }
        Way::Groups(_) => {
            for asked in questions {
                settle(&mut slots, asked.clone(), ask(&source, indicator, every, asked).await);
            }
        }
        Way::Backwards(_) => {
            for asked in questions.into_iter().rev() {
                settle(&mut slots, asked.clone(), ask(&source, indicator, every, asked).await);
            }
        }
    }
    slots.retain(|slot, _| (first..end).contains(slot));
    slots
}

fn bad_and_total(slots: &Slots) -> (f64, f64) {
    let each = slots.values().map(|reading| match reading {
        Reading::Events { good, total, .. } => (total - good, *total),
        Reading::Empty | Reading::Charged | Reading::Unmeasured(Gap::NoData) => (0.0, 0.0),
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
    let all = Span { start: START, end: START + LENGTH };
    let minutes = Span { start: START + 600, end: START + 900 };
    for (job, truth) in &history.truth {
        assert!(truth.sum(all).0 > 0.0, "{job} has errors");
        let indicator = errors_of(job);
        for (span, every, way) in [
            (all, 60, Way::Groups(vec![1])),
            (all, 60, Way::Groups(vec![60])),
            (all, 60, Way::Groups(vec![7, 1, 1, 13])),
            (all, 60, Way::Restarting),
            (all, 60, Way::AtOnce),
            (all, 60, Way::Backwards(9)),
            (minutes, 15, Way::Groups(vec![1])),
            (all, 15, Way::Groups(vec![100])),
            (minutes, 20, Way::Groups(vec![1, 3])),
            (all, 300, Way::Groups(vec![1])),
            (all, 300, Way::Groups(vec![2, 1])),
            (all, 900, Way::Groups(vec![1])),
        ] {
            let slots = counted(&server, &indicator, span, every, &way).await;
            assert_eq!(bad_and_total(&slots), truth.sum(span), "{job} by {every}: {way:?}");
            for (slot, reading) in &slots {
                let one = BTreeMap::from([(*slot, reading.clone())]);
                let expected = truth.sum(Span::slot(*slot, every));
                assert_eq!(bad_and_total(&one), expected, "{job}: slot {slot} by {every}: {way:?}");
            }
        }
    }
}

/// Samples of one series: seconds after the start, value.
type Samples<'a> = &'a [(i64, &'a str)];

const DAY: i64 = 86_400;
const UP: Samples<'_> = &[(-300, "1"), (10, "1"), (70, "1"), (130, "1"), (190, "1"), (250, "1")];

/// What five minutes come out as, written as bad/total, `empty`, `charged`, `no data` or a fault.
struct Case {
    name: &'static str,
    up: Samples<'static>,
    requests: Samples<'static>,
    errors: Samples<'static>,
    minutes: [&'static str; 5],
}

const fn case(name: &'static str, minutes: [&'static str; 5]) -> Case {
    Case { name, up: UP, requests: &[], errors: &[], minutes }
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            requests: &[(-50, "10"), (10, "12"), (30, "3"), (50, "1"), (70, "5"), (130, "5"), (190, "6"), (250, "7")],
            ..case("every reset counts the new value", ["0/6", "0/4", "empty", "0/1", "0/1"])
        },
        Case {
            requests: &[(0, "10"), (60, "12"), (120, "15"), (180, "19"), (240, "24"), (300, "30")],
            ..case("a sample on an edge belongs to the slot that ends there", ["0/2", "0/3", "0/4", "0/5", "0/6"])
        },
        Case {
            requests: &[(-50, "10"), (10, "11"), (70, "13"), (130, "17"), (190, "25"), (250, "41")],
            errors: &[(130, "2"), (190, "2"), (250, "5")],
            ..case("the first error counts", ["0/1", "0/2", "2/4", "0/8", "3/16"])
        },
        Case {
            up: &[(70, "1"), (130, "1")],
            requests: &[(70, "50"), (130, "53")],
            errors: &[(70, "5"), (130, "6")],
            ..case("what came with its target counts from there", ["no data", "empty", "1/3", "no data", "no data"])
        },
        Case {
            up: &[(-50, "0"), (10, "0"), (70, "1"), (130, "1")],
            requests: &[(70, "50"), (130, "53")],
            ..case("a target that was never up is new", ["no data", "empty", "0/3", "no data", "no data"])
        },
        Case {
            up: &[(-50, "1"), (10, "1"), (250, "1")],
            requests: &[(-50, "10"), (10, "11"), (250, "17")],
            errors: &[(250, "2")],
            ..case("a gap is charged where the series returns", ["0/1", "charged", "charged", "charged", "2/6"])
        },
        Case {
            up: &[(-9_000, "1"), (130, "1"), (190, "1")],
            requests: &[(-9_000, "10"), (130, "12"), (190, "13")],
            errors: &[(130, "1"), (190, "1")],
            ..case("a gap of hours", ["charged", "charged", "1/2", "0/1", "no data"])
        },
        Case {
            up: &[(-9 * DAY, "1"), (130, "1")],
            requests: &[(-9 * DAY, "10"), (130, "17")],
            ..case("a gap of days", ["charged", "charged", "0/7", "no data", "no data"])
        },
        Case {
            requests: &[(-100 * DAY, "1000"), (130, "1004"), (190, "1006")],
            ..case(
                "a series that was gone for months, on a target that was not",
                ["empty", "empty", "0/4", "0/2", "empty"],
            )
        },
        Case {
            up: &[(-100 * DAY, "1"), (130, "1"), (190, "1")],
            requests: &[(-100 * DAY, "1000"), (130, "1004"), (190, "1006")],
            ..case("a target that was gone for months is new", ["no data", "no data", "empty", "0/2", "no data"])
        },
        Case {
            up: &[(-50, "1"), (10, "1"), (70, "1"), (130, "0"), (190, "1"), (250, "1")],
            requests: &[(190, "4"), (250, "5")],
            ..case("a target without the series had no events", ["empty", "empty", "no data", "0/4", "0/1"])
        },
        Case {
            requests: &[(-50, "10"), (10, "11"), (70, "NaN"), (130, "13"), (190, "-1"), (250, "15")],
            ..case(
                "what is no count is a fault of its slot",
                ["0/1", "a counter's sample is NaN", "empty", "a counter's sample is -1", "empty"],
            )
        },
        Case {
            requests: &[(-50, "10"), (10, "12"), (70, "13"), (130, "14"), (190, "15"), (250, "15")],
            errors: &[(-50, "0"), (10, "1"), (70, "5"), (130, "+Inf"), (190, "5"), (250, "5")],
            ..case(
                "more errors than requests",
                ["1/2", "bad (4) is more than total (1)", "a counter's sample is inf", "0/1", "empty"],
            )
        },
        Case {
            up: &[],
            requests: &[(-50, "10"), (10, "11"), (70, "13"), (130, "17"), (190, "25")],
            errors: &[(70, "2"), (130, "3")],
            ..case("without `up`, others of the target tell", ["0/1", "2/2", "1/4", "0/8", "no data"])
        },
        Case {
            up: &[],
            requests: &[(70, "13"), (130, "17")],
            errors: &[(70, "2"), (130, "3")],
            ..case("without `up`, all new", ["no data", "empty", "1/4", "no data", "no data"])
        },
    ]
}

type Column = fn(&Case) -> Samples<'static>;

fn shown(reading: &Reading) -> String {
    match reading {
        Reading::Events { good, total, .. } => format!("{}/{total}", total - good),
        Reading::Empty => "empty".to_owned(),
        Reading::Charged => "charged".to_owned(),
        Reading::Unmeasured(Gap::NoData) => "no data".to_owned(),
        Reading::Unmeasured(Gap::DataFault(fault)) => fault.clone(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn what_happens_in_a_minute() {
    let cases = cases();
    let mut text = String::new();
    let families: [(&str, &str, Column); 3] = [
        ("up gauge", "up", |case| case.up),
        ("requests counter", "requests_total", |case| case.requests),
        ("errors counter", "errors_total", |case| case.errors),
    ];
    for (kind, name, samples) in families {
        writeln!(text, "# TYPE {kind}").unwrap();
        for (number, case) in cases.iter().enumerate() {
            for (at, value) in samples(case) {
                writeln!(text, r#"{name}{{instance="i",job="{number}"}} {value} {}"#, START + at).unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    let server = Prometheus::with_history(&text).await.unwrap();
    let span = Span { start: START, end: START + 300 };
    for (number, case) in cases.iter().enumerate() {
        for way in [
            Way::Groups(vec![1]),
            Way::Groups(vec![5]),
            Way::Groups(vec![2, 1]),
            Way::Restarting,
            Way::AtOnce,
            Way::Backwards(1),
            Way::Backwards(2),
        ] {
            let slots = counted(&server, &errors_of(&number.to_string()), span, 60, &way).await;
            let mut minutes: Vec<_> = slots.values().map(shown).collect();
            if matches!(way, Way::Backwards(_)) {
                // Charged before it was asked about: known to hold nothing, one way or the other.
                let both = minutes.iter_mut().zip(case.minutes);
                both.filter(|(found, expected)| *found == "charged" && *expected == "empty").for_each(|(found, _)| {
                    "empty".clone_into(found);
                });
            }
            assert_eq!(minutes, case.minutes, "{}: {way:?}", case.name);
        }
    }
}
