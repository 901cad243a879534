//! The report of a month, from a store: what was measured, what was not and why, and figures that agree.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    config::{self, Mode, Overrides, model::Config},
    domain::{
        chunk::chunk_of,
        decide::SeriesKey,
        history::History,
        incident::{Incident, Resolution, Subject},
        ledger::Ledger,
        name::SloId,
        policy::Priority,
        slot::{Gap, Reading, Slot},
    },
    engine::report::budget_report,
    schedule::month,
    store::{Store, commit::Commit, ledger::Definition},
    views::report::SloReport,
};

const EVERY: u32 = 600;

const SLO: &str = "
version: 1
sources:
  prometheus: {prometheus: {url: 'http://127.0.0.1:9'}, blind_after: 1m}
services:
  shop:
    title: Shop
    slos:
      front:
        objective: 99%
        window: 30d
        every: 10m
        indicator: {ratio: {source: prometheus, bad: 'http_requests_total{code=\"500\"}', total: http_requests_total}}
      late:
        objective: 99%
        window: 30d
        every: 10m
        indicator: {ratio: {source: prometheus, bad: 'late_total{code=\"500\"}', total: late_total}}
      door:
        objective: 99%
        window: 30d
        every: 10m
        indicator: {probe: {url: 'http://127.0.0.1:9/', timeout: 1s}}
";

fn october() -> DateTime<Utc> {
    "2026-10-01T00:00:00Z".parse().unwrap()
}

fn slot(number: i64) -> DateTime<Utc> {
    october() + TimeDelta::seconds(number * i64::from(EVERY))
}

fn first() -> i64 {
    october().timestamp() / i64::from(EVERY)
}

/// Settles one slot a letter from the beginning of the month: `g` good, `b` half bad, `u` unmeasured, `.` never asked about.
async fn settle(store: &Store, name: &str, text: &str, watched_from: i64) {
    let key = SeriesKey::whole(SloId::new("shop", name));
    let definition = Definition { since: slot(watched_from), hash: 1, objective_ppb: 990_000_000, every: EVERY };
    store.enrol(vec![(key.clone(), definition)]).await.unwrap();
    let (series, mut ledger) = (store.series_id(&key).unwrap(), Ledger::new(EVERY));
    let mut commit = Commit::default();
    for (at, letter) in text.chars().enumerate() {
        let reading = match letter {
            'g' => Reading::events(10.0, 10.0, None),
            'b' => Reading::events(5.0, 10.0, None),
            'u' => Reading::Unmeasured(Gap::NoData),
            _ => continue,
        };
        ledger.insert(Slot::settled(first() + at as i64, &reading));
    }
    for chunk in chunk_of(first())..=chunk_of(first() + text.len() as i64) {
        commit.chunks.extend(ledger.chunk_bytes(chunk).map(|bytes| (series, EVERY, chunk, bytes)));
    }
    store.commit(Arc::new(commit), october()).await.unwrap();
}

/// The source was silent from one slot to another.
async fn outage(store: &Store, from: i64, to: i64) -> String {
    let opened = slot(from) + TimeDelta::minutes(1);
    let mut incident = Incident::open(Subject::Source("prometheus".into()), opened, Priority::P3);
    let (by, taken_out) = (None, None);
    incident.resolved = Some(Resolution { at: slot(to), by, taken_out, new_period: false, gone: false });
    let id = incident.id.clone();
    let commit = Commit { incidents: vec![(incident, false)], ..Commit::default() };
    store.commit(Arc::new(commit), october()).await.unwrap();
    id
}

async fn still_to_ask(store: &Store, from: i64, to: i64) {
    let history = History::new(EVERY, first() + from, first() + to);
    let commit = Commit { histories: vec![(SloId::new("shop", "front"), history)], ..Commit::default() };
    store.commit(Arc::new(commit), october()).await.unwrap();
}

fn shop() -> Config {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slo.yaml"), SLO).unwrap();
    let loaded = config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

async fn reported(store: &Store, name: &str, now: i64) -> SloReport {
    let october = month("2026-10", "UTC").unwrap();
    let report = budget_report(store, &shop(), &october, None, slot(now)).await.unwrap();
    let id = format!("shop/{name}");
    report.services[0].slos.iter().find(|slo| slo.id == id).unwrap().clone()
}

/// From slot to slot, and why.
fn said(slo: &SloReport) -> Vec<(i64, i64, &str)> {
    let number = |at: DateTime<Utc>| (at - october()).num_seconds() / i64::from(EVERY);
    slo.gaps.longest.iter().map(|gap| (number(gap.from), number(gap.to), gap.why.as_str())).collect()
}

#[tokio::test]
async fn gaps_say_why_as_far_as_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    //                      0      7    12 15   20 22 25   30  32    38
    settle(&store, "front", ".......ggggguuuggggg..gggugggguugbgggg", 6).await;
    settle(&store, "door", ".......gguugg....gg", 6).await;
    let incident = outage(&store, 12, 15).await;
    still_to_ask(&store, 30, 32).await;
    let front = reported(&store, "front", 40).await;
    let gaps = [
        (0, 7, "before it was watched"),
        (12, 15, "source `prometheus` did not answer"),
        (20, 22, "slod was not running"),
        (25, 26, "the answer held no data, or none that can be used"),
        (30, 32, "no answer yet: it is asked again"),
    ];
    assert_eq!(said(&front), gaps);
    let incidents: Vec<_> = front.gaps.longest.iter().filter_map(|gap| gap.incident.as_ref()).collect();
    assert_eq!(incidents, [&incident]);
    assert_eq!((front.gaps.count, front.gaps.seconds), (5, 15 * i64::from(EVERY)));
    assert!((front.coverage - 23.0 / 38.0).abs() < 1e-9, "{}", front.coverage);
    // The newest slots are missing for longer than a slot lasts: they are a gap, too.
    let later = reported(&store, "front", 50).await;
    assert_eq!(said(&later).last(), Some(&(38, 48, "slod was not running")));
    // What was asked about behind the first start is no time without slod.
    settle(&store, "late", "....uuuuuggggggg.uu.gg", 8).await;
    let late = reported(&store, "late", 22).await;
    let none = "the answer held no data, or none that can be used";
    let mixed = (format!("before it was watched; {none}"), format!("slod was not running; {none}"));
    assert_eq!(said(&late), [(0, 9, mixed.0.as_str()), (16, 20, mixed.1.as_str())]);
    let door = reported(&store, "door", 20).await;
    let own = "our own network failed: the probe's witnesses did not answer either";
    assert_eq!(said(&door), [(0, 7, "before it was watched"), (9, 11, own), (13, 17, "slod was not running")]);
}

#[tokio::test]
async fn percents_seconds_and_gaps_agree() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slod.db")).await.unwrap();
    settle(&store, "front", "gb", 0).await;
    let young = reported(&store, "front", 2).await;
    let budget = &young.budget;
    let close = |one: f64, other: f64| (one - other).abs() < 1e-9;
    assert!(close(budget.remaining.unwrap(), -24.0), "{budget:?}");
    let used = budget.used_seconds / budget.allowed_seconds;
    assert!(close(budget.remaining_if_good.unwrap(), 1.0 - used) && used < 0.02, "{budget:?}");
    assert_eq!((young.gaps.count, young.coverage), (0, 1.0));
    // Three weeks without anybody: as little is known, and neither reading says that it is missed or met.
    let later = reported(&store, "front", 3_000).await;
    let known = later.coverage * 2_998.0;
    assert!(close(known, 2.0), "{}", later.coverage);
    assert_eq!(later.gaps.seconds, 2_996 * i64::from(EVERY));
    assert!(
        close(later.budget.remaining_if_good.unwrap(), 1.0 - used) && later.budget.remaining_if_bad.unwrap() < -60.0
    );
    // The month is over.
    let over = reported(&store, "front", 9_000).await;
    assert_eq!(over.gaps.seconds + 2 * i64::from(EVERY), 31 * 86_400);
}
