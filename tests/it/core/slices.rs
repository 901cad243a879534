//! Time slices: a slot is one event, good if its ratio reaches the target.

use slod::{
    domain::{
        budget::window_sums,
        notification::Message,
        policy::{Condition, Judge, Priority},
        rulebook::SloRules,
        slo::{Budgeting, IndicatorKind, Objective, Window},
        slot::Reading,
    },
    views::figures::{Shown, slo_view},
};

use super::world::{World, at, pair, policy, slo};

/// 90 % of the minutes of twenty must have 95 % good events.
fn slices() -> SloRules {
    let mut rules = slo(IndicatorKind::Ratio, 90.0, 60);
    rules.spec.window = Window::Rolling(1_200);
    rules.spec.budgeting = Budgeting::Timeslices { slice_target: Objective::from_ppb(950_000_000).unwrap() };
    rules
}

/// Slots, then good and total slots, and what is left in the three readings.
#[test]
fn slots_are_counted() {
    #[rustfmt::skip]
    let cases = [
        ("g*20", 20.0, 20.0, 1.0, 1.0, 1.0),
        ("g*19 b", 19.0, 20.0, 0.5, 0.5, 0.5),
        ("g*18 bb", 18.0, 20.0, 0.0, 0.0, 0.0),
        ("1*20", 20.0, 20.0, 1.0, 1.0, 1.0),            // one bad event of a hundred is within the target
        ("e*19 b", 19.0, 20.0, 0.5, 0.5, 0.5),          // an empty slot is good
        ("g*9 b _*10", 9.0, 10.0, 0.0, 0.5, -4.5),      // an unmeasured slot is one slot
        ("g*9 b .*10", 9.0, 10.0, 0.0, 0.5, -4.5),
        ("x*10 g*9 b", 9.0, 10.0, 0.0, 0.0, 0.0),
    ];
    for (slots, good, total, measured, if_good, if_bad) in cases {
        let mut world = World::new(slices(), Vec::new());
        world.feed(slots);
        let (rules, state) = (&world.core.rules.slos[&world.key.id], &world.core.series[&world.key]);
        let sums = window_sums(&rules.spec, state.tally(), world.next - 1);
        assert_eq!((sums.totals.good, sums.totals.total), (good, total), "{slots}");
        for (judge, want) in [(Judge::Measured, measured), (Judge::IfGood, if_good), (Judge::IfBad, if_bad)] {
            let got = sums.remaining(rules.spec.objective, judge).unwrap();
            assert!((got - want).abs() < 1e-9, "{slots} {judge:?}: {got}");
        }
        if !slots.ends_with("*10") {
            let view = slo_view(&world.key, rules, &Shown::default(), state, at(1_200));
            assert_eq!((view.good, view.bad, view.total), (good, total - good, total), "{slots}");
            assert_eq!((view.budgeting.as_str(), view.budget.allowed_seconds), ("timeslices", 120.0));
        }
    }
}

/// What an OpenSLO objective calls `timeSliceTarget`: the same minutes, counted both ways.
#[test]
fn a_quiet_minute_counts_as_much_as_a_busy_one() {
    for (budgeting, left) in [(slices().spec.budgeting, 0.5), (Budgeting::Occurrences, 1.0 - 1.0 / 19_001.0 / 0.1)] {
        let mut rules = slices();
        rules.spec.budgeting = budgeting;
        let mut world = World::new(rules, Vec::new());
        world.events = 1_000.0;
        world.feed("g*19");
        let slot = world.next;
        world.until(1_200);
        world.settled(slot, Reading::events(0.0, 1.0, None));
        let (rules, state) = (&world.core.rules.slos[&world.key.id], &world.core.series[&world.key]);
        let sums = window_sums(&rules.spec, state.tally(), slot);
        let got = sums.remaining(rules.spec.objective, Judge::Measured).unwrap();
        assert!((got - left).abs() < 1e-9, "{budgeting:?}: {got}");
    }
}

/// Runs are held to the slice target; windows need two bad slots.
#[test]
fn runs_and_windows() {
    let mut world = World::with(slices(), policy("down", Priority::P1, Condition::Consecutive(2)));
    world.feed("g 1 1 1");
    assert_eq!(world.told("pager"), "", "99 % reach the target");
    world.feed("bb");
    let Message::Notification(page) = &world.heard[0].outgoing.message else { panic!("no page") };
    assert_eq!(page.headline, "shop front: under 95% for 2 min");
    assert_eq!(world.incident().title, "shop front: under 95%");
    world.feed("1");
    assert_eq!(world.told("pager"), "trigger resolve");

    let mut world = World::with(slices(), policy("burn", Priority::P1, pair(600, 120, 1.0)));
    world.feed("g*12 b");
    assert_eq!(world.told("pager"), "", "a hundred bad events are one bad slot");
    world.feed("b");
    assert_eq!(world.told("pager"), "trigger");
}
