//! Why a condition holds at a slot, or does not, in words; and how alerts stood at slots of the past.

use slod::domain::{
    alert::{Alert, AlertState},
    condition::Truth,
    policy::{Condition, Policy, Priority},
    replay::Replay,
    slo::{Comparison, IndicatorKind, Operator},
    verdict::Case,
    watch::watches,
};

use super::world::{START, World, pair, policy, slo, under};

/// The parts of a condition after these slots, one a line: `True …`.
fn clues(kind: IndicatorKind, policy: &Policy, slots: &str) -> Vec<String> {
    let mut world = World::with(slo(kind, 99.0, 60), policy.clone());
    world.feed(slots);
    with_case(&world, policy, |case| {
        case.clues().iter().map(|clue| format!("{:?} {}", clue.truth, clue.text)).collect()
    })
}

fn with_case<T>(world: &World, policy: &Policy, look: impl FnOnce(Case<'_>) -> T) -> T {
    let (rules, state) = (&world.core.rules.slos[&world.key.id], &world.core.series[&world.key]);
    let watch = &watches(policy, &rules.spec)[0];
    let memory = state.alerts.get(&watch.name).map(|alert| alert.memory).unwrap_or_default();
    let at = state.ledger.newest().unwrap();
    look(Case { condition: &watch.condition, policy, spec: &rules.spec, tally: state.tally(), at, memory })
}

#[test]
fn figures_are_told_with_what_is_needed() {
    let over = |bound| Condition::Value(Comparison { operator: Operator::Greater, bound });
    let either = Condition::Any(vec![Condition::Consecutive(3), Condition::NoData(120)]);
    let exhausted = Condition::ExhaustedWithin { time: 86_400, over: 21_600 };
    let table = [
        (IndicatorKind::Probe, Condition::Consecutive(2), "gb", "False 1 bad slot in a row, 2 needed"),
        (IndicatorKind::Probe, Condition::Consecutive(2), "gbb", "True 2 bad slots in a row, 2 needed"),
        (
            IndicatorKind::Ratio,
            Condition::Consecutive(1),
            "gb",
            "True 1 bad slot in a row, 1 needed with 100 bad events, 2 needed (`min_bad`)",
        ),
        (IndicatorKind::Probe, Condition::NoData(120), "g___", "True no data for 3 min, fires at 2m"),
        (IndicatorKind::Probe, Condition::NoData(120), "_g", "False there is data, fires at 2m"),
        (IndicatorKind::Value, over(900.0), "gb", "True value 1000, fires over 900"),
        (IndicatorKind::Value, over(900.0), "g_", "Unknown no value, fires over 900"),
        (IndicatorKind::Probe, under(0.25), "g*60", "False budget left 100 %, fires under 25 %; 0 bad slots within 1h"),
        (
            IndicatorKind::Ratio,
            pair(3_600, 300, 14.4),
            "g*59 b",
            "False burn rate 1.667 over 1h and 20 over 5m, 14.4 needed in both; 100 bad events in 1h, 2 needed (`min_bad`)",
        ),
        (IndicatorKind::Probe, exhausted, "g*10", "False the budget lasts at the rate of the last 6h, fires under 1d"),
        (IndicatorKind::Probe, either, "gbb", "False 2 bad slots in a row, 3 needed\nFalse there is data, fires at 2m"),
    ];
    for (kind, condition, slots, expected) in table {
        let policy = policy("p", Priority::P2, condition);
        assert_eq!(clues(kind, &policy, slots).join("\n"), expected, "{slots}");
    }
}

#[test]
fn a_guard_that_holds_is_named() {
    // 3 requests, one fails: burning like mad, by one event.
    let policy = policy("burn", Priority::P1, pair(3_600, 300, 2.0));
    let mut world = World::with(slo(IndicatorKind::Ratio, 99.9, 60), policy.clone());
    world.events = 3.0;
    world.feed("g1");
    assert!(world.firing().is_empty());
    assert_eq!(
        with_case(&world, &policy, |case| (case.truth(), case.held_by())),
        (Some(Truth::False), Some("min_bad"))
    );
    world.feed("1");
    assert_eq!(with_case(&world, &policy, |case| (case.truth(), case.held_by())), (Some(Truth::True), None));
}

#[test]
fn what_fires_says_why_on_the_record() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(2)));
    world.feed("gbb");
    let line = world.lines.iter().find(|line| line.starts_with("fired")).unwrap();
    assert_eq!(line, "fired down fires (P1) as of 00:03:00 UTC: 2 bad slots in a row, 2 needed");
}

#[test]
fn a_blind_source_says_why_on_the_record() {
    let mut world =
        World::with(slo(IndicatorKind::Value, 99.0, 60), policy("old", Priority::P1, Condition::Consecutive(2)));
    for minute in 0..=6 {
        world.until(minute * 60);
        world.hears(Some("connection refused"));
    }
    let line = world.lines.iter().find(|line| line.starts_with("fired")).unwrap();
    let wanted = "fired blind fires (P3) as of 00:05:00 UTC: no good answer for 5 min: connection refused";
    assert_eq!(line, wanted);
}

#[test]
fn a_resolve_by_a_person_says_what_it_mutes() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)));
    world.feed("b");
    world.resolve();
    assert!(world.lines.contains(&"muted silent until each has cleared once: down".to_owned()), "{:?}", world.lines);
}

/// How alerts stood is told from the slots alone: the same as they stood live, at every slot.
#[test]
fn alerts_of_the_past_are_those_that_were() {
    let story = "g*5 b*3 g*8 _*3 b g b*4 g*12 bb g";
    for condition in [Condition::Consecutive(2), pair(600, 120, 5.0), under(0.5)] {
        let mut policy = policy("p", Priority::P2, condition);
        policy.hold = 60;
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), policy.clone());
        let mut lived = Vec::new();
        let plain: String = unfolded(story);
        for slot in plain.chars() {
            world.feed(&slot.to_string());
            let state = &world.core.series[&world.key];
            lived.push(state.alerts.values().next().cloned().unwrap_or_default());
        }
        let (rules, state) = (&world.core.rules.slos[&world.key.id], &world.core.series[&world.key]);
        let watch = &watches(&policy, &rules.spec)[0];
        let replay = Replay { condition: &watch.condition, policy: &policy, spec: &rules.spec, tally: state.tally() };
        for (number, live) in lived.iter().enumerate() {
            let then = replay.as_of(START / 60 + number as i64);
            assert_eq!(word(&then), word(live), "slot {number} of {plain} under {:?}", watch.condition);
        }
    }
}

fn word(alert: &Alert) -> &'static str {
    match alert.state {
        AlertState::Ok => "ok",
        AlertState::Pending { .. } => "pending",
        AlertState::Firing { .. } => "firing",
        AlertState::Clearing { .. } => "clearing",
    }
}

/// `g*3 b` → `gggb`.
fn unfolded(story: &str) -> String {
    let part = |part: &str| match part.split_once('*') {
        Some((what, times)) => what.repeat(times.parse().unwrap()),
        None => part.to_owned(),
    };
    story.split(' ').map(part).collect()
}
