//! Budget corrections: they count in every window that holds their slot, and in no run.

use slod::domain::{
    budget::{WindowSums, window_sums},
    correction::Correction,
    decide::{Decision, Input, Rejected, SeriesKey, time},
    name::SloId,
    policy::{Condition, Judge, Priority},
    slo::{Budgeting, IndicatorKind, Objective, Window},
    slot::Reading,
};

use super::world::{START, World, at, pair, planned, policy, slo, under};

fn correction(minute: i64, bad: f64, total: f64) -> Correction {
    let (reason, by) = ("load test".into(), "ann".into());
    Correction { at: time(START + minute * 60 + 30), bad, total, reason, by, made_at: at(0) }
}

fn correct(world: &mut World, minute: i64, bad: f64, total: f64) {
    let (key, correction) = (world.key.clone(), correction(minute, bad, total));
    world.input(Input::Correct { key, correction });
}

/// Minute, bad, total.
type Made = (i64, f64, f64);

/// Ten slots of 100 events, the last two bad; corrections (minute, bad, total); good and total of the ten and of the
/// last five.
#[test]
fn they_count_in_every_window_that_holds_their_slot() {
    #[rustfmt::skip]
    let cases: Vec<(Vec<Made>, f64, f64, f64, f64)> = vec![
        (vec![], 800.0, 1_000.0, 300.0, 500.0),
        (vec![(8, -100.0, 0.0)], 900.0, 1_000.0, 400.0, 500.0),          // they were good after all
        (vec![(8, -100.0, -100.0)], 800.0, 900.0, 300.0, 400.0),         // they were no events at all
        (vec![(1, 50.0, 50.0)], 800.0, 1_050.0, 300.0, 500.0),           // not in the last five
        (vec![(8, 0.0, 70.0)], 870.0, 1_070.0, 370.0, 570.0),
        (vec![(8, -100.0, 0.0), (9, -100.0, 0.0)], 1_000.0, 1_000.0, 500.0, 500.0),
        (vec![(9, -9_999.0, 0.0)], 1_000.0, 1_000.0, 500.0, 500.0),      // never more good than events
        (vec![(9, 0.0, -9_999.0)], 0.0, 0.0, 0.0, 0.0),                  // never below nothing
        (vec![(99, 5.0, 5.0)], 800.0, 1_000.0, 300.0, 500.0),
    ];
    for (made, good, total, late_good, late_total) in cases {
        let mut world = World::new(slo(IndicatorKind::Ratio, 90.0, 60), Vec::new());
        world.feed("g*8 bb");
        for (minute, bad, total) in &made {
            correct(&mut world, *minute, *bad, *total);
        }
        let state = &world.core.series[&world.key];
        let newest = state.ledger.newest().unwrap();
        let spec = &world.core.rules.slos[&world.key.id].spec;
        for (sums, good, total) in [
            (window_sums(spec, state.tally(), newest), good, total),
            (WindowSums::ending_at(state.tally(), newest, 300), late_good, late_total),
        ] {
            assert!(
                (sums.totals.good - good).abs() < 1e-9 && (sums.totals.total - total).abs() < 1e-9,
                "{made:?}: {sums:?}"
            );
            assert!(sums.remaining(spec.objective, Judge::Measured).is_some_and(f64::is_finite), "{made:?}");
        }
    }
}

/// Judged when it is made, and forgotten with its slot.
#[test]
fn they_are_judged_at_once() {
    let mut rules = slo(IndicatorKind::Ratio, 90.0, 60);
    rules.spec.window = Window::Rolling(6_000);
    let policies = vec![
        planned(policy("spent", Priority::P1, under(0.5)), None),
        planned(policy("down", Priority::P2, Condition::Consecutive(2)), None),
    ];
    let mut world = World::new(rules, policies);
    world.feed("g*20 bb");
    assert_eq!(world.firing(), ["down"], "2 of 10 allowed");
    correct(&mut world, 3, 450.0, 450.0);
    assert_eq!(world.firing(), ["down", "spent"], "a run is not corrected, a budget is");
    correct(&mut world, 21, -20.0, 0.0);
    assert_eq!(world.firing(), ["down", "spent"]);
    correct(&mut world, 3, -450.0, -450.0);
    assert_eq!(world.firing(), ["down"]);
    let burn = policy("burn", Priority::P1, pair(1_200, 300, 3.0));
    let mut world = World::with(slo(IndicatorKind::Ratio, 90.0, 60), burn);
    world.feed("g*14 b*5");
    assert_eq!(world.firing(), Vec::<String>::new());
    world.feed("b");
    correct(&mut world, 19, 60.0, 60.0);
    assert_eq!(world.firing(), ["burn:20m/5m"]);
}

#[test]
fn slots_are_corrected_where_slots_are_counted() {
    let mut rules = slo(IndicatorKind::Ratio, 90.0, 60);
    rules.spec.budgeting = Budgeting::Timeslices { slice_target: Objective::from_ppb(950_000_000).unwrap() };
    let mut world = World::new(rules, Vec::new());
    world.feed("g*18 bb");
    correct(&mut world, 19, -1.0, 0.0);
    let state = &world.core.series[&world.key];
    let totals = state.tally().totals(0, i64::MAX / 60);
    assert_eq!((totals.good, totals.total), (19.0, 20.0));
}

#[test]
fn they_are_told_to_the_store_and_bounded() {
    let mut world = World::new(slo(IndicatorKind::Ratio, 90.0, 60), Vec::new());
    world.feed("g");
    let mut decision = Decision::default();
    let input = |key: &SeriesKey| Input::Correct { key: key.clone(), correction: correction(0, 1.0, 1.0) };
    world.core.handle(world.now, input(&world.key), &mut decision).unwrap();
    assert_eq!(decision.corrections, [(world.key.clone(), correction(0, 1.0, 1.0))]);
    assert!(decision.judged.contains(&world.key), "its figures are new");
    let nobody = SeriesKey::whole(SloId::new("shop", "nothing"));
    let refused = world.core.handle(world.now, input(&nobody), &mut decision);
    assert!(matches!(refused, Err(Rejected::NoSeries(_))));
    for _ in 1..1_000 {
        world.core.handle(world.now, input(&world.key), &mut decision).unwrap();
    }
    assert!(matches!(world.core.handle(world.now, input(&world.key), &mut decision), Err(Rejected::TooMany(_))));
    // Late slots and other rules leave them.
    world.settled(START / 60 - 5, Reading::Empty);
    let rules = world.core.rules.clone();
    world.core.adopt(rules);
    assert_eq!(world.core.series[&world.key].corrections.len(), 1_000);
}

/// What is taken away was counted since, so that nothing later is made up for.
#[test]
fn no_more_is_taken_away_than_was_counted_since() {
    // Ten slots of 100 events, the last two bad; what was corrected before, what is asked for, and what is said of it.
    #[rustfmt::skip]
    let cases: Vec<(&[Made], Made, &str)> = vec![
        (&[], (8, -200.0, 0.0), ""), (&[], (0, -200.0, -200.0), ""), (&[], (0, 5_000.0, 5_000.0), ""), (&[], (9, -100.0, 400.0), ""),
        (&[], (8, -201.0, 0.0), "201 bad events are taken away, but only 200 were counted from 2026-01-05T00:08:30Z on"),
        (&[], (9, -200.0, 0.0), "only 100 were"),           // the other hundred was before
        (&[], (0, 0.0, -801.0), "801 good events"), (&[], (9, 100.0, 0.0), "100 good events"), (&[], (10, -1.0, 0.0), "only 0 were"),
        (&[(8, -150.0, 0.0)], (8, -51.0, 0.0), "only 50 were"), (&[(8, -150.0, 0.0)], (8, -50.0, 0.0), ""),
        (&[(9, 30.0, 30.0)], (8, -230.0, 0.0), ""), (&[(7, 30.0, 30.0)], (8, -230.0, 0.0), "only 200"),
    ];
    for (before, (minute, bad, total), said) in cases {
        let mut world = World::new(slo(IndicatorKind::Ratio, 90.0, 60), Vec::new());
        world.feed("g*8 bb");
        for (minute, bad, total) in before {
            correct(&mut world, *minute, *bad, *total);
        }
        let made = Correction { made_at: world.now, ..correction(minute, bad, total) };
        let found = world.core.can_correct(&world.key, &made).unwrap();
        match found {
            Ok(()) => assert_eq!(said, "", "{minute} {bad} {total}"),
            Err(why) => assert!(!said.is_empty() && why.to_string().contains(said), "{minute} {bad} {total}: {why}"),
        }
    }
}
