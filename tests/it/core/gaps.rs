//! What ends a firing alert when slod, the source or the clock was away: never a slot that is itself bad.

use slod::domain::{
    alert::AlertState,
    policy::{Condition, OnGap, Policy, Priority},
    slo::{Comparison, IndicatorKind, Operator},
};

use super::world::{World, at, pair, policy, settled, slo, under};

fn run(slots: u32) -> Policy {
    policy("down", Priority::P1, Condition::Consecutive(slots))
}

fn value_over(bound: f64) -> Condition {
    Condition::Value(Comparison { operator: Operator::Greater, bound })
}

/// A probe that is down throughout, however the time in between is missing: one page, one resolve.
#[test]
fn a_run_that_a_gap_cuts_short_ends_nothing() {
    #[rustfmt::skip]
    let cases = [
        ("slod was down", "bb .*13 b b g", "2:trigger 18:resolve"),
        ("for a day", "bb .*1440 b b g", "2:trigger 1445:resolve"),
        ("one bad slot, then good", "bb .*13 b g", "2:trigger 17:resolve"),
        ("the source was away", "bb _*13 b b g", "2:trigger 18:resolve"),
        ("it did not answer", "bb !*600 b b g", "2:trigger 605:resolve"),
        ("both", "bb _*6 .*7 b _*20 b g", "2:trigger 38:resolve"),
        ("maintenance", "bb x*20 b b g", "2:trigger 25:resolve"),
        ("good at once", "bb .*13 g", "2:trigger 16:resolve"),
    ];
    for (what, slots, want) in cases {
        for kind in [IndicatorKind::Probe, IndicatorKind::Value, IndicatorKind::Ratio] {
            let mut world = World::with(slo(kind, 99.0, 60), run(2));
            world.feed(slots);
            assert_eq!(world.minutes("pager"), want, "{what} {kind:?}");
        }
    }
    let mut reset = run(2);
    reset.on_gap = OnGap::Reset;
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), reset);
    world.feed("bb _ b _ b g");
    assert_eq!(world.minutes("pager"), "2:trigger 7:resolve");
}

/// A clock that jumps a day ahead, or ten minutes back, while everything is bad.
#[test]
fn a_clock_that_jumps_ends_nothing() {
    for jump in [86_400, 900, -600, -7_200] {
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), run(2));
        world.feed("g*20 bbb");
        world.next += jump / 60;
        world.now = at(world.next * 60 - at(0).timestamp());
        world.feed("b*5");
        assert_eq!(world.minutes("pager"), "22:trigger", "{jump}");
        // and back to where it was
        world.next -= jump / 60;
        world.now = at(world.next * 60 - at(0).timestamp());
        world.feed("b*5");
        assert_eq!(world.minutes("pager"), "22:trigger", "{jump} and back");
        world.feed("g");
        assert_eq!(world.told("pager"), "trigger resolve", "{jump}");
        let end = world.incident().resolved.clone().unwrap().at;
        assert!(end >= world.incident().opened_at, "{jump}");
    }
}

/// Only traffic that counts ends a run: a slot whose events were charged to a later one says nothing.
#[test]
fn a_slot_that_says_nothing_ends_nothing() {
    let mut world = World::with(slo(IndicatorKind::Ratio, 99.0, 60), run(2));
    world.feed("bb .*13");
    let slot = world.next;
    world.until(16 * 60);
    world.settled(slot, slod::domain::slot::Reading::Events { good: 0.0, total: 0.0, shown: None });
    assert!(matches!(world.state("down"), AlertState::Firing { .. }));
    world.next += 1;
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve");
}

/// Every other kind of condition, with its slots, whether its alert is up at the end.
#[test]
fn what_ends_which_condition() {
    let consecutive = Condition::Consecutive(2);
    let harder = value_over(500.0);
    let all = |parts: &[&Condition]| Condition::All(parts.iter().map(|part| (*part).clone()).collect());
    let any = |parts: &[&Condition]| Condition::Any(parts.iter().map(|part| (*part).clone()).collect());
    #[rustfmt::skip]
    let cases = [
        // the harder threshold is not met any more, though the slot is bad: `1` shows nothing, `s` is bad and shows 50
        (harder.clone(), "b s", false), (harder.clone(), "b .*13 s", false), (harder.clone(), "b _", true), (harder.clone(), "b .*13 b", true),
        (Condition::NoData(180), "g _*3 b", false), (Condition::NoData(180), "g _*3 .*13 b", false), (Condition::NoData(180), "g _*3 .*13 _", true),
        (all(&[&consecutive, &harder]), "bb .*13 s", false), (all(&[&consecutive, &harder]), "bb .*13 b", true),
        (all(&[&consecutive, &harder]), "bb .*13 g", false), (all(&[&consecutive, &harder]), "bb _", true),
        (any(&[&consecutive, &harder]), "bb .*13 s", true), (any(&[&consecutive, &harder]), "bb .*13 g", false),
    ];
    for (condition, slots, up) in cases {
        let mut world = World::with(slo(IndicatorKind::Value, 99.0, 60), policy("it", Priority::P2, condition.clone()));
        for part in slots.split(' ') {
            if part == "s" {
                let (key, slot) = (world.key.clone(), world.next);
                world.until((slot + 1) * 60 - at(0).timestamp());
                let reading = slod::domain::slot::Reading::events(0.0, 1.0, Some(50.0));
                world.input(settled(&key, slot, reading));
                world.next += 1;
            } else {
                world.feed(part);
            }
        }
        assert_eq!(!world.firing().is_empty(), up, "{condition:?} {slots}");
    }
}

/// Windows that are under their line again are over, whatever the newest slot; a gap in the short one is none.
#[test]
fn what_ends_a_window() {
    #[rustfmt::skip]
    let cases = [
        (pair(600, 120, 10.0), "g*10 bb g*1 .*30 b", true), (pair(600, 120, 10.0), "g*10 bb g*12 1", false),
        (pair(600, 120, 10.0), "g*10 bb .*30 1", true), (pair(600, 120, 10.0), "g*10 bb .*30 11", false),
        (under(0.5), "b .*13 b", true), (under(0.5), "b .*100 b", true), (under(0.5), "b .*100 g", false),
    ];
    for (condition, slots, up) in cases {
        let mut rules = slo(IndicatorKind::Ratio, 99.0, 60);
        rules.spec.window = slod::domain::slo::Window::Rolling(4 * 3_600);
        let mut world = World::with(rules, policy("it", Priority::P2, condition.clone()));
        world.feed(slots);
        assert_eq!(!world.firing().is_empty(), up, "{condition:?} {slots}");
    }
}

/// A person ends it after the clock was set back behind its opening.
#[test]
fn nothing_ends_before_it_began() {
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), run(2));
    world.feed("g*20 bb");
    world.now = at(600);
    world.resolve();
    let incident = world.incident();
    assert!(incident.resolved.as_ref().unwrap().at >= incident.opened_at);
}
