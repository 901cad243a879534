//! Alerts: pending, firing, clearing; blindness; hands off what is over.

use slod::domain::{
    alert::AlertState,
    policy::{ClearAfter, Condition, OnGap, Policy, Priority},
    slo::IndicatorKind,
};

use super::world::{World, pair, policy, slo, workbook};

/// `-` ok, `p` pending, `F` firing, `c` clearing after each slot.
fn states(policy: Policy, slots: &str) -> String {
    let kind = if matches!(policy.when, Condition::BurnRate(_)) { IndicatorKind::Ratio } else { IndicatorKind::Probe };
    let mut world = World::with(slo(kind, 99.0, 60), policy);
    world.history(60, 'g');
    let watch = world.core.rules.slos[&world.key.id].policies[0].watches[0].name.clone();
    let mut shown = String::new();
    for what in slots.chars().filter(|what| *what != ' ') {
        world.feed(&what.to_string());
        shown.push(match world.state(&watch) {
            AlertState::Ok => '-',
            AlertState::Pending { .. } => 'p',
            AlertState::Firing { .. } => 'F',
            AlertState::Clearing { .. } => 'c',
        });
    }
    shown
}

#[test]
fn for_and_clear_after() {
    let two = || policy("down", Priority::P2, Condition::Consecutive(2));
    let with = |change: fn(&mut Policy)| {
        let mut policy = two();
        change(&mut policy);
        policy
    };
    #[rustfmt::skip]
    let cases = [
        (two(), "bbbggb", "-FF---"),
        (with(|p| p.hold = 120), "bbbbgbb", "-ppF--p"),
        (with(|p| p.hold = 120), "bb_bbg", "-ppFF-"),            // a held run goes on while nothing is known
        (with(|p| p.clear_after = ClearAfter::Slots(3)), "bbggbggg", "-FFF----"), // one bad slot is no run of two
        (policy("down", Priority::P2, Condition::Consecutive(1)), "bgb", "F-F"),
        (Policy { clear_after: ClearAfter::Slots(3), ..policy("down", Priority::P2, Condition::Consecutive(1)) }, "bggbggg", "FFFFFF-"),
        (with(|p| p.clear_after = ClearAfter::Slots(3)), "bbg_g_g", "-FFFFF-"), // gaps do not count
        (with(|p| p.clear_after = ClearAfter::Seconds(120)), "bbggg", "-FFF-"),
        (with(|p| p.clear_after = ClearAfter::Seconds(120)), "bbgbbggg", "-FFFFFF-"),
        (with(|p| p.clear_after = ClearAfter::Seconds(120)), "bbg__g", "-FFFF-"),
        (with(|p| p.on_gap = OnGap::Reset), "bb__________g", "-FFFFFFFFFFF-"), // blindness never clears
        (two(), "bb______________g", "-FFFFFFFFFFFFFFF-"),
        (two(), "bbeg", "-FF-"),
    ];
    for (policy, slots, want) in cases {
        assert_eq!(states(policy, slots), want, "{slots}");
    }
}

#[test]
fn windows_remember_and_alerts_do_not() {
    let slow = || policy("burn", Priority::P2, pair(3_600, 1_200, 1.5));
    #[rustfmt::skip]
    let cases = [
        ("bbbggggggg", "FFFFFFFccc"),          // good for five minutes: clearing
        ("bbbggggggb", "FFFFFFFccF"),          // bad again while the window still burns
        ("bbbgggggg_b", "FFFFFFFcccF"),        // a gap changes nothing
        ("bbbgg_ggg", "FFFFFFFFF"),            // five minutes in a row
        ("bbbggeggg", "FFFFFFFFF"),            // an empty slot proves nothing good
    ];
    for (slots, want) in cases {
        assert_eq!(states(slow(), slots), want, "{slots}");
    }
    let mut held = slow();
    held.hold = 480;
    assert_eq!(states(held, "bgggggggggg"), "ppppp------", "over before it was pending long enough");
}

/// What is over before it is first judged is no page.
#[test]
fn an_old_breach_is_not_announced() {
    let mut world =
        World::with(slo(IndicatorKind::Ratio, 99.0, 60), policy("burn", Priority::P2, pair(3_600, 1_200, 1.5)));
    world.history(10, 'b');
    world.feed("g*0");
    for minute in 1..=5 {
        world.until(minute * 60);
    }
    let slot = world.next;
    for back in (0..5).rev() {
        let good = world.reading('g').unwrap();
        world
            .core
            .series
            .get_mut(&world.key)
            .unwrap()
            .ledger
            .insert(slod::domain::slot::Slot::settled(slot + back, &good));
    }
    world.next += 5;
    world.feed("g");
    assert_eq!((world.told("pager"), world.state("burn:1h/20m")), (String::new(), AlertState::Ok));
}

/// A burn pair clears only when no slot of its short window is unmeasured.
#[test]
fn a_pair_does_not_clear_on_holes() {
    let mut world =
        World::with(slo(IndicatorKind::Ratio, 99.9, 60), policy("burn", Priority::P2, pair(3_600, 300, 14.4)));
    world.history(60, 'g');
    world.feed("bbb ____");
    world.feed("g");
    assert_eq!(world.firing(), ["burn:1h/5m"]);
    world.feed("gg");
    assert_eq!(world.firing(), ["burn:1h/5m"], "two holes are left in the five minutes");
    world.feed("gg");
    assert_eq!(world.firing(), Vec::<String>::new());
}

/// Judging a slot again, in any way, changes nothing.
#[test]
fn a_slot_judged_twice_is_harmless() {
    let mut once = World::with(slo(IndicatorKind::Ratio, 99.9, 60), policy("burn", Priority::P2, workbook()));
    once.history(5_000, 'g');
    let mut twice = once.clone();
    for what in "gbbbggbbbbbgggggg_gg".chars() {
        once.feed(&what.to_string());
        twice.feed(&what.to_string());
        let slot = twice.next - 1;
        for again in ['b', 'g', '_'] {
            if what == '_' && again != '_' {
                continue; // that would be an answer
            }
            let reading = twice.reading(again).unwrap();
            twice.settled(slot, reading);
        }
        // and an old slot that was unknown so far: judged again at the newest
        twice.late(-4_999 - slot % 50, 'g');
    }
    assert_eq!((once.minutes("pager"), once.minutes("chat")), (twice.minutes("pager"), twice.minutes("chat")));
    assert_eq!(once.core.series[&once.key].alerts, twice.core.series[&twice.key].alerts);
}

/// Data that comes late is judged at the newest slot.
#[test]
fn late_answers() {
    let down = policy("down", Priority::P2, Condition::Consecutive(3));
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), down);
    world.feed("gb_b");
    world.late(2, 'b');
    assert_eq!(world.told("pager"), "trigger", "still true: fires");
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve");
    let mut over =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P2, Condition::Consecutive(3)));
    over.feed("gb_bg");
    over.late(2, 'b');
    assert_eq!(over.told("pager"), "", "already over: no page");
}
