//! Slots that come in late: what is still true fires as of the slot that made it so; what is over is never a page.

use proptest::prelude::*;
use slod::domain::{
    alert::AlertState,
    decide::Input,
    notification::Message,
    policy::{ClearAfter, Condition, Policy, Priority, Unless},
    slo::{IndicatorKind, Window},
    slot::{Reading, SlotAnswer, Span},
};

use super::world::{START, World, pair, planned, policy, slo, steps, under};

fn run(slots: u32) -> Policy {
    policy("down", Priority::P1, Condition::Consecutive(slots))
}

fn minutes(seconds: i64) -> i64 {
    (seconds - START) / 60
}

/// Since which minute it fires.
fn firing_since(world: &World, watch: &str) -> Option<i64> {
    match world.state(watch) {
        AlertState::Firing { since, .. } => Some(minutes(since)),
        _ => None,
    }
}

/// Slots counted from the start, in one answer, in any order.
fn batch(world: &mut World, from: i64, slots: &str) {
    let first = START / world.every() + from;
    let answers = slots.chars().enumerate().filter_map(|(number, what)| {
        let (slot, series) = (first + number as i64, world.key.series.clone());
        Some(SlotAnswer { slot, series, reading: world.reading(what)? })
    });
    let mut slots: Vec<SlotAnswer> = answers.collect();
    slots.reverse();
    let (id, asked) = (world.key.id.clone(), first..first);
    world.input(Input::Settled { id, asked, slots, absent: Reading::Empty, degraded: None, late: true });
}

/// Worked example: a gauge is stale from 12:00, its source cannot be asked from 12:10 to 12:30.
#[test]
fn a_page_goes_out_at_once_as_of_the_slot_that_made_it_so() {
    let mut world =
        World::with(slo(IndicatorKind::Value, 95.0, 300), policy("stale", Priority::P2, Condition::Consecutive(3)));
    world.feed("gg b !!!!!");
    assert_eq!(world.told("pager"), "");
    world.until(2_400 + 20);
    batch(&mut world, 3, "bbbbb");
    assert_eq!(world.told("pager"), "trigger");
    assert_eq!(firing_since(&world, "stale"), Some(25), "the third stale check, a quarter of an hour ago");
    let Message::Notification(message) = &world.heard[0].outgoing.message else { panic!("a notification") };
    assert!(message.late);
    assert_eq!(minutes(message.opened_at.timestamp()), 25);
    assert!(message.lines.iter().any(|line| line.starts_with("Late")));
}

/// The same with a source that was down itself: one slot is known afterwards, and the gap holds the run.
#[test]
fn a_source_that_was_down_itself_leaves_a_gap() {
    let mut world =
        World::with(slo(IndicatorKind::Value, 95.0, 300), policy("stale", Priority::P2, Condition::Consecutive(3)));
    world.feed("b !!!!!");
    world.until(1_820);
    batch(&mut world, 1, "b____");
    assert_eq!(world.told("pager"), "");
    world.feed("b");
    assert_eq!(world.minutes("pager"), "35:trigger", "12:35, in time");
    assert_eq!(firing_since(&world, "stale"), Some(35));
}

/// Live slots, then what comes in late behind them: who hears of it, and since when it fires.
#[test]
fn what_is_over_is_no_page() {
    #[rustfmt::skip]
    let cases = [
        // (live, where, late, pager, since)
        ("g .*8 g", 1, "bbbbbbbb", "", None),
        ("g .*8 b", 1, "bbbbbbbb", "trigger", Some(4)),
        ("g .*8 b", 1, "bbbbgbbb", "trigger", Some(9)),
        ("g .*8 b", 1, "bbbbbbbg", "", None),
        ("g .*8 b", 6, "bbb", "trigger", Some(9)),
        ("g .*8 b", 1, "bb", "trigger", Some(10)), // six gaps hold
        ("g .*20 b", 1, "bb", "", None), // twenty do not
        ("_ .*8 _", 1, "bbbbbbbb", "trigger", Some(4)), // nothing is better since
        ("g .*8 _", 1, "bbbbgggg", "", None),
        ("e .*8 e", 1, "bbbbbbbb", "trigger", Some(4)), // empty slots end nothing before it fires
        // before everything that is known
        ("g", -8, "bbbbbbbb", "", None),
        ("b", -8, "bbbbbbbb", "trigger", Some(-5)),
        ("bb", -1, "b", "trigger", Some(2)),
    ];
    for (live, from, late, told, since) in cases {
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), run(3));
        world.feed(live);
        assert_eq!(world.told("pager"), "", "{live}");
        batch(&mut world, from, late);
        assert_eq!((world.told("pager").as_str(), firing_since(&world, "down")), (told, since), "{live} / {late}");
    }
}

/// What a batch says of an alert that is firing.
#[test]
fn a_firing_alert_is_followed_through_what_came_late() {
    #[rustfmt::skip]
    let cases = [
        ("gbbb .*5 b", 4, "bbbbb", "trigger", Some(4)),    // it has been so all the time
        ("gbbb .*5 b", 4, "ggbbb", "trigger", Some(4)),    // over and back: the same page
        ("gbbb .*5 b", 4, "ggggg", "trigger resolve", None),
        ("gbbb .*5 _", 4, "ggggg", "trigger", Some(4)),    // blind now: no resolve
        ("gbbb .*5 _", 4, "bbbbb", "trigger", Some(4)),
        ("gbbb _*5 b", 4, "ggggg", "trigger resolve", None),
        ("gbbb", -5, "bbbbb", "trigger", Some(4)),         // the run was longer than known
        ("gbb_b", 3, "g", "trigger resolve", None),        // it never was three in a row
    ];
    for (live, from, late, told, since) in cases {
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), run(3));
        world.feed(live);
        assert_eq!(world.told("pager"), "trigger", "{live}");
        batch(&mut world, from, late);
        assert_eq!((world.told("pager").as_str(), firing_since(&world, "down")), (told, since), "{live} / {late}");
        if since.is_some() {
            world.feed("g");
            assert_eq!(world.told("pager"), "trigger resolve", "{live} / {late}, then good");
        }
    }
}

/// `for` counts from the slot that made it true; what is settled decides, and the ninth slot is not.
#[test]
fn waiting_counts_from_the_slot_that_made_it_true() {
    for (late, told, since) in [("bbbbbb", "trigger", Some(10)), ("gggbbb", "", None), ("bbb_bb", "trigger", Some(10))]
    {
        let mut patient = run(3);
        patient.hold = 300;
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), patient);
        world.feed("g .*6 b .*1 b");
        batch(&mut world, 1, late);
        assert_eq!((world.told("pager").as_str(), firing_since(&world, "down")), (told, since), "{late}");
    }
}

/// A long `clear_after` had kept it up, if it had been seen.
#[test]
fn an_alert_that_would_not_have_cleared_yet_is_still_up() {
    for (clear_after, told) in
        [(ClearAfter::Slots(1), ""), (ClearAfter::Slots(4), "trigger"), (ClearAfter::Seconds(600), "trigger")]
    {
        let mut slow = run(2);
        slow.clear_after = clear_after;
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), slow);
        world.feed("g*20 .*3 gg");
        batch(&mut world, 20, "bbb");
        assert_eq!(world.told("pager"), told, "{clear_after:?}");
    }
}

/// 100 slots, ten may be bad: a line at 50 % is crossed at the sixth.
#[test]
fn a_budget_line_that_was_crossed_in_filled_history() {
    #[rustfmt::skip]
    let cases = [
        ("g*60", -30, "bbbbbbb", "", None),               // its spending is over
        ("g*60 b", -30, "bbbbbbb", "", None),             // crossed already: one bad slot is not spending again
        ("g*60 bb", -30, "bbbbbbb", "trigger", Some(62)), // two are
        ("g*5 b", -30, "bbbbbbb", "", None),
        ("g*5 b", -4, "bbbb", "", None),                  // five of a hundred are not over the line
        ("g*5 b", -5, "bbbbb", "trigger", Some(6)),       // the sixth crosses it
        ("g*3", -7, "bbbbbbb", "trigger", Some(-1)),      // still being spent
    ];
    for (live, from, late, told, since) in cases {
        let mut spent = policy("down", Priority::P1, under(0.5));
        spent.active = Some(600);
        let mut rules = slo(IndicatorKind::Ratio, 90.0, 60);
        rules.spec.window = Window::Rolling(6_000);
        let mut world = World::with(rules, spent);
        world.feed(live);
        batch(&mut world, from, late);
        assert_eq!((world.told("pager").as_str(), firing_since(&world, "down")), (told, since), "{live} / {late}");
    }
}

/// Steps that were due while nothing was known run once, together; a later one in its own time.
#[test]
fn steps_count_from_the_slot_that_made_it_so() {
    let escalation = steps(
        &[
            (0, Unless::Acknowledged, "pager"),
            (300, Unless::Acknowledged, "boss"),
            (1_800, Unless::Acknowledged, "mail"),
        ],
        None,
    );
    let mut quiet = run(3);
    quiet.notify = Vec::new();
    let mut world = World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(quiet, Some(&escalation))]);
    world.feed("g .*18 b");
    batch(&mut world, 1, "bbbbbbbbbbbbbbbbbb");
    assert_eq!((world.minutes("pager").as_str(), world.minutes("boss").as_str()), ("20:trigger", "20:trigger"));
    assert!(
        world.heard.iter().all(|heard| matches!(&heard.outgoing.message, Message::Notification(said) if said.late))
    );
    world.until(60 * 60);
    assert_eq!(world.minutes("mail"), "34:trigger", "half an hour after the third bad slot");
}

/// Of two alerts that fire in one batch the more urgent opens; each as of its own slot.
#[test]
fn two_alerts_of_one_batch() {
    let mut minor = policy("minor", Priority::P3, Condition::Consecutive(2));
    minor.notify = vec!["chat".into()];
    let mut world = World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(minor, None), planned(run(5), None)]);
    world.feed("g .*8 b");
    batch(&mut world, 1, "bbbbbbbb");
    assert_eq!((world.told("pager"), world.told("chat")), ("trigger".into(), "trigger".into()));
    assert_eq!((firing_since(&world, "minor"), firing_since(&world, "down")), (Some(3), Some(6)));
    assert_eq!(world.core.incidents.len(), 1);
}

/// A person ended it; what came late shows that it had been good in between.
#[test]
fn a_silence_ends_with_what_came_late() {
    for (late, told) in
        [("bbbbb", "trigger resolve"), ("ggbbb", "trigger resolve trigger/2"), ("_____", "trigger resolve")]
    {
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), run(3));
        world.feed("gbbb").resolve();
        world.feed(".*5 b");
        batch(&mut world, 4, late);
        assert_eq!(world.told("pager"), told, "{late}");
    }
}

/// A window that merely remembers an outage that came late.
#[test]
fn a_window_that_remembers_is_no_page() {
    let burn = policy("burn", Priority::P1, pair(3_600, 300, 10.0));
    let name = "burn:1h/5m";
    for (late, told) in [("b*20 g*20", ""), ("g*20 b*20", "trigger")] {
        let mut world = World::with(slo(IndicatorKind::Ratio, 99.0, 60), burn.clone());
        world.feed("g*60 .*40").feed(if told.is_empty() { "g" } else { "b" });
        let slots = late.split(' ').flat_map(|part| std::iter::repeat_n(&part[..1], 20)).collect::<String>();
        batch(&mut world, 60, &slots);
        assert_eq!(world.told("pager"), told, "{late}");
        assert_eq!(firing_since(&world, name).is_some(), !told.is_empty());
    }
}

/// A month of minutes comes in by 240, the newest first: in reasonable time, and nothing is told.
#[test]
fn a_month_of_history() {
    let policies = vec![
        planned(run(3), None),
        planned(policy("burn", Priority::P1, super::world::workbook()), None),
        planned(policy("spent", Priority::P2, under(0.25)), None),
    ];
    let mut world = World::new(slo(IndicatorKind::Ratio, 99.9, 60), policies);
    world.feed("g");
    for number in 1..=180 {
        let slots: String = (0..240).map(|slot| if slot % 40 == number % 40 { '1' } else { 'g' }).collect();
        batch(&mut world, -240 * number, &slots);
    }
    assert_eq!(world.told("pager"), "");
}

fn busy(kind: IndicatorKind) -> World {
    let mut rules = slo(kind, 90.0, 60);
    rules.spec.window = Window::Rolling(6_000);
    let mut patient = policy("patient", Priority::P2, Condition::Consecutive(2));
    patient.hold = 120;
    let mut spent = policy("spent", Priority::P1, under(0.3));
    spent.active = Some(600);
    let policies = [run(3), patient, spent, policy("burn", Priority::P2, pair(1_200, 300, 3.0))];
    let mut world = World::new(rules, policies.into_iter().map(|one| planned(one, None)).collect());
    world.history(100, 'g');
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Live slots, some of them late in batches of any order, some twice, with restarts: the same ledger, and at the end
    /// the same alerts are up.
    #[test]
    fn any_course_ends_as_the_undisturbed_one(
        slots in "([gb]{1,12}|[gb1e]{1,6}){1,8}", kind in prop::sample::select(vec![IndicatorKind::Probe, IndicatorKind::Ratio]),
        late in prop::collection::vec(any::<bool>(), 96), cuts in prop::collection::vec(1_usize..9, 1..20),
        newest_first: bool, gaps: bool, restart in any::<prop::sample::Index>(),
    ) {
        let mut straight = busy(kind);
        straight.feed(&slots);
        let mut mixed = busy(kind);
        let all: Vec<char> = slots.chars().collect();
        let mut missing: Vec<usize> = Vec::new();
        for (number, what) in all.iter().enumerate() {
            // The newest slot is always answered in time: it is what is judged at.
            if late[number % late.len()] && number + 1 < all.len() {
                missing.push(number);
                mixed.feed(if gaps { "_" } else { "." });
            } else {
                mixed.feed(&what.to_string());
            }
        }
        if newest_first {
            missing.reverse();
        }
        let mut cuts = cuts.iter().cycle();
        let restart = restart.index(all.len());
        let mut done = 0;
        while done < missing.len() {
            let count = (*cuts.next().unwrap()).min(missing.len() - done);
            let first = START / 60;
            let answer = |number: &usize| {
                let (slot, series) = (first + *number as i64, mixed.key.series.clone());
                SlotAnswer { slot, series, reading: mixed.reading(all[*number]).unwrap() }
            };
            let slots: Vec<SlotAnswer> = missing[done..done + count].iter().map(answer).collect();
            let input = Input::Settled { id: mixed.key.id.clone(), asked: first..first, slots, absent: Reading::Empty, degraded: None, late: true };
            mixed.input(input.clone());
            mixed.input(input);
            done += count;
            if done > restart {
                mixed.restart();
            }
        }
        let span = Span { start: START - 7_200, end: START + 7_200 };
        let (one, other) = (&straight.core.series[&straight.key], &mixed.core.series[&mixed.key]);
        prop_assert_eq!(one.ledger.slots(span), other.ledger.slots(span));
        let is_up = |world: &World, name: &str| matches!(world.state(name), AlertState::Firing { .. });
        for name in ["down", "burn:20m/5m"] {
            prop_assert_eq!(is_up(&straight, name), is_up(&mixed, name), "{}", name);
        }
        // What waits, or remembers a line, may have been paged for on less knowledge; it is not taken back while it is true.
        for name in ["patient", "spent"] {
            prop_assert!(!is_up(&straight, name) || is_up(&mixed, name), "{}", name);
        }
    }
}
