//! What a slot costs the core: judged through `Core::handle` with 30 days of minutes in its ledger, packed, and summed over
//! windows. One element is one slot.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slod::domain::{
    chunk::{self, SLOTS},
    decide::{Core, Decision, Input, SeriesKey, time},
    escalation::Plan,
    ledger::Ledger,
    name::SloId,
    policy::{BurnRate, ClearAfter, Condition, Judge, OnGap, Policy, Priority},
    rulebook::{PolicyRules, Rulebook, SloRules},
    slo::{Budgeting, Comparison, IndicatorKind, Objective, Operator, SloSpec, Window},
    slot::{Reading, Slot, SlotAnswer},
};

const EVERY: u32 = 60;
const MONTH: u32 = 30 * 86_400;
const SLOTS_OF_MONTH: i64 = 43_200;
/// The last slot of the history.
const NEWEST: i64 = 29_000_000;
/// Orders that the decider takes in one transaction.
const BATCH: i64 = 1_024;

fn reading(slot: i64) -> Reading {
    let total = (5_900 + slot * 37 % 200) as f64;
    Reading::events(total - (slot % 7) as f64, total, None)
}

fn history(slots: i64) -> Ledger {
    let mut ledger = Ledger::new(EVERY);
    for slot in NEWEST - slots..=NEWEST {
        ledger.insert(Slot::settled(slot, &reading(slot)));
    }
    ledger
}

fn policy(name: &str, when: Condition) -> Policy {
    Policy {
        name: name.into(),
        when,
        hold: 0,
        clear_after: ClearAfter::Slots(1),
        flapping: None,
        priority: Priority::P2,
        notify: Vec::new(),
        escalation: None,
        min_bad: 2,
        min_confidence: None,
        on_gap: OnGap::Hold,
        active: None,
        reopen_within: None,
        judge: Judge::IfGood,
        repeat: None,
        labels: BTreeMap::new(),
        summary: None,
    }
}

fn consecutive() -> Vec<Policy> {
    vec![policy("run", Condition::Consecutive(3))]
}

fn workbook() -> Vec<Policy> {
    let line = Comparison { operator: Operator::Less, bound: 0.2 };
    vec![policy("burn", Condition::BurnRate(BurnRate::SreWorkbook)), policy("budget", Condition::BudgetRemaining(line))]
}

fn rules(id: &SloId, policies: &[Policy]) -> Option<SloRules> {
    let spec = SloSpec {
        id: id.clone(),
        objective: Objective::from_ppb(990_000_000)?,
        window: Window::Rolling(MONTH),
        budgeting: Budgeting::Occurrences,
        every: EVERY,
        settle_ms: 0,
        good_for: 300,
        min_coverage: 0.9,
        kind: IndicatorKind::Ratio,
    };
    let policies = policies.iter().map(|policy| PolicyRules::new(policy.clone(), Plan::of(policy, None, None), &spec));
    Some(SloRules {
        policies: policies.collect(),
        spec,
        title: "Front".into(),
        service_title: "Shop".into(),
        good: "99%".into(),
        in_seconds: false,
        source: Some("prometheus".into()),
        blind_after: 300,
        asks_past: false,
        per: Vec::new(),
        max_series: 1_000,
        retention: i64::from(MONTH) + 28_800,
        runbook_url: None,
        manual: Vec::new(),
        has_diagnostics: false,
        status: None,
    })
}

/// A core of so many SLOs, the same history in each.
fn core(slos: usize, history_slots: i64, policies: &[Policy]) -> (Core, Vec<SloId>) {
    let ids: Vec<SloId> = (0..slos).map(|number| SloId::new("shop", format!("slo-{number}").as_str())).collect();
    let slos = ids.iter().filter_map(|id| Some((id.clone(), rules(id, policies)?)));
    let mut core = Core::new(Arc::new(Rulebook { slos: slos.collect(), ..Rulebook::default() }));
    let ledger = history(history_slots);
    for id in &ids {
        if let Some(state) = core.series.get_mut(&SeriesKey::whole(id.clone())) {
            state.ledger = ledger.clone();
        }
    }
    (core, ids)
}

/// Settles one slot after the other, the SLOs in turn.
struct Run {
    core: Core,
    ids: Vec<SloId>,
    next: usize,
    slot: i64,
    decision: Decision,
    taken: i64,
}

impl Run {
    fn new(slos: usize, history_slots: i64, policies: &[Policy]) -> Self {
        let (core, ids) = core(slos, history_slots, policies);
        Self { core, ids, next: 0, slot: NEWEST + 1, decision: Decision::default(), taken: 0 }
    }

    fn input(&mut self) -> Input {
        let id = self.ids[self.next].clone();
        let slot = self.slot;
        self.next += 1;
        if self.next == self.ids.len() {
            self.next = 0;
            self.slot += 1;
        }
        let reading = reading(slot);
        let slots = vec![SlotAnswer { slot, series: BTreeMap::new(), reading: reading.clone() }];
        Input::Settled { id, asked: slot..slot + 1, slots, absent: reading, degraded: None, late: false }
    }

    fn settle(&mut self) {
        let now = time((self.slot + 1) * i64::from(EVERY));
        let input = self.input();
        // Nothing rejects what a source says.
        drop(self.core.handle(now, input, &mut self.decision));
        self.taken += 1;
        if self.taken % BATCH == 0 {
            self.decision = Decision::default();
        }
    }
}

fn judging(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge a slot, 30 days in the ledger");
    group.throughput(Throughput::Elements(1));
    for (name, policies) in [("one consecutive", consecutive()), ("sre-workbook and budget", workbook())] {
        let mut run = Run::new(1, SLOTS_OF_MONTH, &policies);
        group.bench_function(name, |bencher| bencher.iter(|| run.settle()));
    }
    group.finish();
}

fn growth(criterion: &mut Criterion) {
    let mut group =
        criterion.benchmark_group("judge a slot by sre-workbook and budget, 3 days in each of so many ledgers");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    for slos in [10, 100, 1_000, 10_000] {
        let mut run = Run::new(slos, 4_560, &workbook());
        // Each window is asked for once before it goes along.
        (0..slos * 2).for_each(|_| run.settle());
        group.bench_function(BenchmarkId::from_parameter(slos), |bencher| bencher.iter(|| run.settle()));
    }
    group.finish();
}

fn ledger(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger");
    group.throughput(Throughput::Elements(1));
    let (mut ledger, mut slot) = (history(SLOTS_OF_MONTH), NEWEST);
    group.bench_function("append", |bencher| {
        bencher.iter(|| {
            slot += 1;
            ledger.insert(Slot::settled(slot, &reading(slot)))
        });
    });
    for (name, slots) in [("5 minutes", 5), ("6 hours", 360), ("30 days", SLOTS_OF_MONTH)] {
        let (mut ledger, mut slot) = (history(SLOTS_OF_MONTH + 240), NEWEST);
        group.bench_function(format!("append and sum {name}"), |bencher| {
            bencher.iter(|| {
                slot += 1;
                ledger.insert(Slot::settled(slot, &reading(slot)));
                ledger.totals(slot + 1 - slots, slot + 1)
            });
        });
    }
    let month = history(SLOTS_OF_MONTH);
    group.bench_function("sum 30 days anew", |bencher| {
        bencher.iter(|| month.totals(NEWEST - SLOTS_OF_MONTH + 7, NEWEST - 3));
    });
    group.finish();
}

fn packing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk");
    group.throughput(Throughput::Elements(SLOTS as u64));
    let slots: Vec<Slot> = (0..SLOTS).map(|slot| Slot::settled(slot, &reading(slot))).collect();
    let bytes = chunk::encode(&slots);
    group.bench_function("encode", |bencher| bencher.iter(|| chunk::encode(&slots)));
    group.bench_function("decode", |bencher| bencher.iter(|| chunk::decode(0, &bytes)));
    group.bench_function("fill late, newest chunk first", |bencher| {
        bencher.iter_batched(
            || Ledger::new(EVERY),
            |mut ledger| {
                ledger.insert(Slot::settled(SLOTS * 9, &Reading::Empty));
                for slot in &slots {
                    ledger.insert(*slot);
                }
                ledger
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = judging, ledger, packing, growth
}
criterion_main!(benches);
