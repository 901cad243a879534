//! The worked examples of the semantics, to the minute.

use slod::domain::{
    alert::AlertState,
    budget::window_sums,
    notification::Message,
    policy::{Condition, Judge, Priority, Unless},
    slo::IndicatorKind,
    slot::Reading,
};

use super::world::{DAY, World, planned, policy, slo, steps, under, workbook};

/// 99.5 % over 30 days, a probe every 5 minutes, 3 days of data, hard down.
#[test]
fn a_cold_start_pages_when_even_the_kind_reading_is_over() {
    let spent = policy("spent", Priority::P1, under(0.0));
    let mut down = policy("down", Priority::P2, Condition::Consecutive(2));
    down.notify = vec!["boss".into()];
    let mut world = World::new(slo(IndicatorKind::Probe, 99.5, 300), vec![planned(spent, None), planned(down, None)]);
    world.history(864, 'g');
    world.feed("b*60");
    assert_eq!(world.minutes("boss"), "10:trigger 220:trigger", "consecutive: 2 after 10 min, raised at 3 h 40 min");
    assert_eq!(world.minutes("pager"), "220:trigger", "the 44th bad slot");
}

/// 99.9 %, 100 requests a minute, full history, ten minutes of total outage.
#[test]
fn ten_minutes_of_outage_are_one_page_and_a_quarter_of_the_budget() {
    let escalation = steps(&[(0, Unless::Acknowledged, "pager"), (900, Unless::Acknowledged, "boss")], None);
    let mut burn = policy("burn", Priority::P1, workbook());
    burn.notify = Vec::new();
    let mut world = World::new(slo(IndicatorKind::Ratio, 99.9, 60), vec![planned(burn, Some(&escalation))]);
    world.history(30 * 1_440, 'g');
    let fired = |world: &World| world.firing().join(" ");
    world.feed("g").feed("b");
    assert_eq!(fired(&world), "burn:1h/5m");
    world.feed("b").feed("b");
    assert_eq!(fired(&world), "burn:1h/5m burn:6h/30m");
    world.feed("b").feed("b");
    assert_eq!(fired(&world), "burn:1h/5m burn:3d/6h burn:6h/30m");
    world.feed("b*5 g*4");
    assert_eq!(fired(&world).split(' ').count(), 3, "four good minutes are not enough");
    world.feed("g");
    assert_eq!(fired(&world), "");
    let spec = &world.core.rules.slos[&world.key.id].spec;
    let ledger = &world.core.series[&world.key].ledger;
    let left = window_sums(spec, ledger, ledger.newest().unwrap()).remaining(spec.objective, Judge::Measured).unwrap();
    assert!((left - (1.0 - 10.0 / 43.2)).abs() < 1e-9, "23 % spent: {left}");
    world.feed("g*600");
    assert_eq!(world.minutes("pager"), "2:trigger 16:resolve", "one page; over 5 min after the end");
    assert_eq!(world.told("boss"), "", "the step at 15 minutes never runs");
    assert_eq!(world.state("burn:3d/6h"), AlertState::Ok, "the window has forgotten after 6 h");
}

/// A probe has one event a slot: two bad ones are needed.
#[test]
fn a_probe_fires_at_the_second_bad_slot() {
    let mut world = World::with(slo(IndicatorKind::Probe, 99.9, 60), policy("burn", Priority::P1, workbook()));
    world.history(30 * 1_440, 'g');
    world.feed("b*3");
    assert_eq!(world.minutes("pager"), "2:trigger");
}

/// A gauge turns stale at 12:00 and its source cannot be asked from 12:10 to 12:30.
#[test]
fn answers_that_come_later_page_at_once_and_late() {
    let mut world =
        World::with(slo(IndicatorKind::Value, 95.0, 300), policy("stale", Priority::P2, Condition::Consecutive(3)));
    world.feed("gg bb !!!!");
    assert_eq!(world.told("pager"), "");
    // Back with history: slots 4…7 are asked for again, the newest first.
    world.until(2_400 + 15);
    for slot in [7, 6, 5, 4] {
        world.late(slot, 'b');
    }
    assert_eq!(world.told("pager"), "trigger");
    let Message::Notification(message) = &world.heard[0].outgoing.message else { panic!("a notification") };
    assert_eq!(world.heard[0].at, 2_415);
    // Judged at the newest slot when the third in a row came in.
    assert!(world.core.series[&world.key].alerts["stale"].state != AlertState::Ok);
    assert!(!message.headline.is_empty());
}

/// Prometheus itself was down: one slot was answered, the gap holds the run.
#[test]
fn a_run_is_held_over_a_gap() {
    let mut world =
        World::with(slo(IndicatorKind::Value, 95.0, 300), policy("stale", Priority::P2, Condition::Consecutive(3)));
    // 12:00 b, 12:05 asked again later, 12:10 … 12:30 unmeasured, 12:30 b
    world.feed("b !!!!!");
    world.late(1, 'b');
    world.feed("b");
    assert_eq!(world.minutes("pager"), "35:trigger", "12:35");
}

#[test]
fn an_empty_hour_neither_extends_nor_breaks_a_run() {
    let mut world =
        World::with(slo(IndicatorKind::Latency, 95.0, 3_600), policy("slow", Priority::P2, Condition::Consecutive(2)));
    world.settle = 5;
    world.feed("g b e b");
    assert_eq!(world.heard.iter().map(|heard| heard.at).collect::<Vec<_>>(), vec![4 * 3_600 + 5; 2]);
}

#[test]
fn one_failure_of_three_requests_is_no_page() {
    let mut world = World::with(slo(IndicatorKind::Ratio, 99.9, 60), policy("burn", Priority::P1, workbook()));
    world.history(i64::from(30 * DAY / 60), 'e');
    world.events = 3.0;
    world.feed("e*20 1 e*39");
    assert_eq!(world.told("pager"), "", "burn 333, but only one bad event");
    world.feed("1");
    assert_eq!(world.told("pager"), "trigger", "a second one within the long window");
}

/// One action of 4 minutes among nine of one: 90 % good at 95 % is a bad slot.
#[test]
fn a_slow_tenth_is_a_bad_slot() {
    let mut world =
        World::with(slo(IndicatorKind::Latency, 95.0, 3_600), policy("slow", Priority::P2, Condition::Consecutive(1)));
    world.until(3_600);
    let slot = world.next;
    world.settled(slot, Reading::events(9.0, 10.0, Some(240.0)));
    assert_eq!(world.told("pager"), "", "one bad event only: min_bad");
    world.until(7_200);
    world.settled(slot + 1, Reading::events(18.0, 20.0, Some(240.0)));
    assert_eq!(world.told("pager"), "trigger");
}

/// The workbook's own numbers: a total outage of a 99.9 % SLO is seen within a minute, 1.44 % errors within the hour.
#[test]
fn workbook_detection_times() {
    for (bad_share, first, minutes) in [(1.0, "burn:1h/5m", 1), (0.1, "burn:1h/5m", 9), (0.0144, "burn:1h/5m", 60)] {
        let mut world = World::with(slo(IndicatorKind::Ratio, 99.9, 60), policy("burn", Priority::P1, workbook()));
        world.core.rules = world.core.rules.clone();
        world.events = 10_000.0;
        world.history(30 * 1_440, 'g');
        let mut fired = None;
        for minute in 1..=70 {
            world.until(minute * 60);
            let slot = world.next + minute - 1;
            world.settled(slot, Reading::events(10_000.0 * (1.0 - bad_share), 10_000.0, None));
            if fired.is_none() && world.firing().iter().any(|watch| watch == first) {
                fired = Some(minute);
            }
        }
        assert_eq!(fired, Some(minutes), "{bad_share}");
    }
}
