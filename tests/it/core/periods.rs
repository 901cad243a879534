//! Calendar periods: months as long as they are, in their own zones; a new one begins with a whole budget.

use slod::{
    domain::{
        alert::AlertState,
        budget::{seconds_to_exhaustion, window_sums},
        condition::{Memory, judge},
        policy::{Condition, Judge, Policy, Priority},
        rulebook::SloRules,
        slo::{IndicatorKind, Period, Window},
    },
    schedule,
};

use super::world::{DAY, START, World, at, planned, policy, slo, steps, under, workbook};

fn calendar(kind: IndicatorKind, percent: f64, every: u32, period: Period, zone: &str) -> SloRules {
    let mut rules = slo(kind, percent, every);
    rules.spec.window = Window::Calendar(schedule::calendar(period, zone).unwrap());
    rules
}

/// A world whose week ends so many slots after its start (a Monday, midnight).
fn week(percent: f64, every: u32, slots_left: i64, policies: Vec<Policy>) -> World {
    let rules = calendar(IndicatorKind::Ratio, percent, every, Period::Week, "UTC");
    let mut world = World::new(rules, policies.into_iter().map(|one| planned(one, None)).collect());
    world.next += 7 * i64::from(DAY / every) - slots_left;
    world.now = at(world.next * i64::from(every) - START);
    world
}

#[test]
fn periods_begin_at_their_zone_s_midnight() {
    let second = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    #[rustfmt::skip]
    let cases = [
        (Period::Month, "UTC", "2026-02-14T00:00:00Z", "2026-02-01T00:00:00Z", 28 * 24),
        (Period::Month, "Europe/Paris", "2026-10-31T22:59:59Z", "2026-09-30T22:00:00Z", 31 * 24 + 1), // one hour twice
        (Period::Month, "Europe/Paris", "2026-10-31T23:00:00Z", "2026-10-31T23:00:00Z", 30 * 24),
        (Period::Month, "America/New_York", "2026-03-01T05:00:00Z", "2026-03-01T05:00:00Z", 31 * 24 - 1), // one never
        (Period::Week, "UTC", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z", 7 * 24),
        (Period::Week, "UTC", "2026-01-04T23:59:59Z", "2025-12-29T00:00:00Z", 7 * 24),
        (Period::Week, "Asia/Kathmandu", "2026-01-04T18:15:00Z", "2026-01-04T18:15:00Z", 7 * 24),
        (Period::Quarter, "Asia/Tokyo", "2026-05-05T00:00:00Z", "2026-03-31T15:00:00Z", 91 * 24),
        (Period::Year, "UTC", "2028-12-31T23:59:59Z", "2028-01-01T00:00:00Z", 366 * 24),
        (Period::Month, "America/Sao_Paulo", "2017-10-20T00:00:00Z", "2017-10-01T03:00:00Z", 31 * 24 - 1),
        (Period::Year, "UTC", "2100-12-31T23:59:59Z", "2100-01-01T00:00:00Z", 365 * 24),
        (Period::Week, "UTC", "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", 7 * 24),
    ];
    for (period, zone, at, start, hours) in cases {
        let span = schedule::calendar(period, zone).unwrap().at(second(at));
        assert_eq!((span.start, span.seconds()), (second(start), hours * 3_600), "{period:?} {zone} {at}");
    }
    assert!(schedule::calendar(Period::Month, "Mars/Olympus").is_err());
    // Times outside of all have the nearest.
    let months = schedule::calendar(Period::Month, "UTC").unwrap();
    for wild in [i64::MIN, -1, 0, i64::MAX] {
        assert!(months.at(wild).seconds() >= 28 * 86_400, "{wild}");
    }
}

/// Slots of a week of 168 hours, then what is left in the three readings at 90 %, and coverage.
#[test]
fn what_is_still_to_come_is_good_and_not_measured() {
    #[rustfmt::skip]
    let cases = [
        // 16.8 hours may be bad of 168
        ("b", -9.0, 1.0 - 1.0 / 16.8, Some(1.0 - 1.0 / 16.8), 1.0 / 168.0),
        ("g*83 b", 1.0 - 10.0 / 84.0, 1.0 - 1.0 / 16.8, Some(1.0 - 1.0 / 16.8), 0.5),
        ("g*42 .*42", 1.0, 1.0, Some(1.0 - 42.0 / 16.8), 0.25),
        ("g*41 b _*42", 1.0 - 10.0 / 42.0, 1.0 - 1.0 / 16.8, Some(1.0 - 43.0 / 16.8), 0.25),
        ("_*3", 1.0, 1.0, None, 0.0),
        ("g*151 b*17", 1.0 - 17.0 / 16.8, 1.0 - 17.0 / 16.8, Some(1.0 - 17.0 / 16.8), 1.0),
        // the next week is another one
        ("b*168 g", 1.0, 1.0, Some(1.0), 1.0 / 168.0),
    ];
    for (slots, measured, if_good, if_bad, coverage) in cases {
        let mut world = World::new(calendar(IndicatorKind::Ratio, 90.0, 3_600, Period::Week, "UTC"), Vec::new());
        world.feed(slots);
        let rules = &world.core.rules.slos[&world.key.id];
        let sums = window_sums(&rules.spec, &world.core.series[&world.key].ledger, world.next - 1);
        for (judge, want) in [(Judge::Measured, Some(measured)), (Judge::IfGood, Some(if_good)), (Judge::IfBad, if_bad)]
        {
            let got = sums.remaining(rules.spec.objective, judge);
            let near = got.zip(want).map_or(got == want, |(got, want)| (got - want).abs() < 1e-9);
            assert!(near, "{slots} {judge:?}: {got:?}, want {want:?}");
        }
        assert!((sums.coverage() - coverage).abs() < 1e-9, "{slots}: {}", sums.coverage());
    }
}

/// Left × period / burn, if that comes before the period ends; even at a burn rate of 1 or less.
#[test]
fn a_period_s_budget_need_only_last_to_its_end() {
    let left = |slots: &str| {
        let mut world = World::new(calendar(IndicatorKind::Ratio, 90.0, 3_600, Period::Week, "UTC"), Vec::new());
        world.feed(slots);
        let (rules, ledger) = (&world.core.rules.slos[&world.key.id], &world.core.series[&world.key].ledger);
        seconds_to_exhaustion(&rules.spec, ledger, world.next - 1, 2 * 3_600, Judge::IfGood).map(|left| left / 3_600.0)
    };
    assert_eq!(left("g*84"), None, "never");
    // one of two bad: 5 times too fast; 15.8 of 16.8 hours left
    assert!((left("g*23 b").unwrap() - 15.8 / 16.8 * 168.0 / 5.0).abs() < 1e-9);
    assert_eq!(left("g*159 b"), None, "8 hours are left, and the budget lasts for 31");
    // nearly spent, at a tenth of an hour bad each hour: burn rate 1
    let mut world = World::new(calendar(IndicatorKind::Ratio, 90.0, 3_600, Period::Week, "UTC"), Vec::new());
    world.feed("b*12");
    for _ in 0..20 {
        let slot = world.next;
        world.next += 1;
        world.until(world.next * 3_600 - START);
        world.settled(slot, slod::domain::slot::Reading::events(90.0, 100.0, None));
    }
    let (rules, ledger) = (&world.core.rules.slos[&world.key.id], &world.core.series[&world.key].ledger);
    let left = seconds_to_exhaustion(&rules.spec, ledger, world.next - 1, 6 * 3_600, Judge::IfGood).unwrap() / 3_600.0;
    assert!((left - 28.0).abs() < 1e-6, "2.8 of 16.8 hours are left: {left}");
}

/// The workbook's factors by the month's own length.
#[test]
fn factors_follow_the_period() {
    let spec = calendar(IndicatorKind::Ratio, 99.9, 60, Period::Month, "UTC").spec;
    let second = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    for (at, factor) in
        [("2026-02-10T00:00:00Z", 13.44), ("2026-03-10T00:00:00Z", 14.88), ("2026-04-10T00:00:00Z", 14.4)]
    {
        let pairs = slod::domain::watch::pairs(&slod::domain::policy::BurnRate::SreWorkbook, &spec, second(at));
        assert!((pairs[0].factor - factor).abs() < 1e-9, "{at}: {pairs:?}");
        assert_eq!(pairs.len(), 3);
    }
    let burn = policy("burn", Priority::P1, workbook());
    let names: Vec<_> = slod::domain::watch::watches(&burn, &spec).into_iter().map(|watch| watch.name).collect();
    assert_eq!(names, ["burn:1h/5m", "burn:6h/30m", "burn:3d/6h"]);
}

#[test]
fn a_new_period_clears_what_is_on_the_budget_and_nothing_else() {
    let spent = policy("spent", Priority::P1, under(0.9));
    let mut down = policy("down", Priority::P2, Condition::Consecutive(3));
    down.notify = vec!["chat".into()];
    let mut world = week(90.0, 3_600, 4, vec![spent, down]);
    world.feed("bbb b");
    assert_eq!(world.firing(), ["down", "spent"]);
    world.feed("b");
    assert_eq!(world.firing(), ["down"], "the run goes on");
    assert!(world.lines.iter().any(|line| line.contains("spent has cleared: new period")), "{:?}", world.lines);
    assert_eq!(world.told("pager"), "trigger", "the incident stays open");
    // The new week's own budget: 10 % of 16.8 hours are gone with the second bad hour.
    world.feed("b");
    assert_eq!(world.firing(), ["down", "spent"], "the line is armed again");
    world.feed("gg");
    assert_eq!(world.firing(), Vec::<String>::new());
}

/// Whatever is known of the first slot, and although one good slot would not clear it.
#[test]
fn a_new_period_ends_an_incident_even_if_nothing_is_known() {
    for first in ["_", "!", "e", "g", "_*3"] {
        let mut spent = policy("spent", Priority::P1, under(0.9));
        spent.clear_after = slod::domain::policy::ClearAfter::Slots(5);
        let mut world = week(90.0, 3_600, 2, vec![spent]);
        world.feed("bb").feed(first);
        assert_eq!(world.told("pager"), "trigger resolve", "{first}");
        let end = world.incident().resolved.clone().unwrap();
        assert!(end.new_period);
        assert!(world.incident().title.contains("new period"), "{}", world.incident().title);
        assert!(world.lines.iter().any(|line| line == "resolved new period: the budget is whole again"));
    }
    // A window is no budget: blindness does not clear it.
    let mut burn = policy("burn", Priority::P1, super::world::pair(7_200 * 3, 7_200, 3.0));
    burn.min_bad = 1;
    let mut world = week(90.0, 3_600, 2, vec![burn]);
    world.feed("bb _*3");
    assert_eq!(world.told("pager"), "trigger");
}

/// A budget that is still being spent too fast in the new period stays one incident.
#[test]
fn what_is_true_of_the_new_period_too_goes_on() {
    let soon = policy("soon", Priority::P1, Condition::ExhaustedWithin { time: 3 * DAY, over: 6 * 3_600 });
    let mut world = week(90.0, 3_600, 6, vec![soon]);
    world.feed("b*4");
    assert_eq!(world.firing(), Vec::<String>::new(), "spent only after the week");
    world.feed("b*2 b");
    assert_eq!(world.firing(), ["soon"], "15.8 hours at this rate");
}

#[test]
fn parts_of_a_condition_begin_anew_one_by_one() {
    let run = || Condition::Consecutive(2);
    for (condition, up) in [
        (Condition::All(vec![under(0.95), run()]), false),
        (Condition::Any(vec![under(0.95), run()]), true),
        (Condition::Any(vec![under(0.95), Condition::All(vec![under(0.95), run()])]), false),
    ] {
        let mut world = week(90.0, 3_600, 2, vec![policy("it", Priority::P1, condition.clone())]);
        world.feed("bb");
        assert_eq!(world.firing(), ["it"]);
        world.feed("_");
        assert_eq!(!world.firing().is_empty(), up, "{condition:?}");
    }
}

/// slod was away when the period began.
#[test]
fn a_new_period_is_seen_after_a_restart_too() {
    let mut world = week(90.0, 3_600, 2, vec![policy("spent", Priority::P1, under(0.9))]);
    world.feed("bb");
    world.restart();
    world.feed(".*5 _");
    assert_eq!(world.told("pager"), "trigger resolve");
    assert_eq!(world.state("spent"), AlertState::Ok);
}

/// A line that was crossed in the old period is armed, also when slots of then come in late.
#[test]
fn late_slots_of_the_old_period_cross_no_line_of_the_new_one() {
    for late in [false, true] {
        let mut world = week(90.0, 3_600, 3, vec![policy("spent", Priority::P1, under(0.9))]);
        world.feed("bbb g b g*20");
        assert_eq!(world.told("pager"), "trigger resolve");
        if late {
            let old = world.reading('g').unwrap();
            world.settled(world.next - 100, old);
        }
        world.feed("b");
        assert_eq!(world.firing(), ["spent"], "the second bad hour of the new week crosses its line: {late}");
    }
}

/// Asked of a slot of the old period, after the new one has begun.
#[test]
fn an_older_slot_is_judged_by_its_own_period() {
    let mut world = week(90.0, 3_600, 2, vec![policy("spent", Priority::P1, under(0.9))]);
    world.feed("bb g");
    let rules = &world.core.rules.slos[&world.key.id];
    let (policy, ledger) = (&rules.policies[0].policy, &world.core.series[&world.key].ledger);
    let seen = judge(&under(0.9), policy, &rules.spec, ledger, world.next - 2, &mut Memory::default()).unwrap();
    assert_eq!(seen.truth, slod::domain::condition::Truth::True);
}

/// The escalation of a budget that crossed its line stops with its period.
#[test]
fn steps_do_not_outlive_the_period() {
    let escalation = steps(&[(7_200, slod::domain::policy::Unless::Acknowledged, "boss")], None);
    let rules = calendar(IndicatorKind::Ratio, 90.0, 3_600, Period::Week, "UTC");
    let spent = policy("spent", Priority::P1, under(0.95));
    let mut world = World::new(rules, vec![planned(spent, Some(&escalation))]);
    world.next += 167;
    world.now = at(167 * 3_600);
    world.feed("b g g g");
    assert_eq!((world.told("pager"), world.told("boss")), ("trigger resolve".into(), String::new()));
}
