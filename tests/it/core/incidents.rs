//! Incidents: joining, raising, acknowledging, lapsing, reopening, resolving.

use slod::domain::{
    incident::{IncidentEvent, Refused},
    notification::{Event, Message},
    policy::{Condition, Policy, Priority, Unless},
    slo::IndicatorKind,
};

use super::world::{Heard, World, planned, policy, slo, steps};

fn probe() -> slod::domain::rulebook::SloRules {
    slo(IndicatorKind::Probe, 99.0, 60)
}

fn run(name: &str, priority: Priority, slots: u32) -> Policy {
    policy(name, priority, Condition::Consecutive(slots))
}

fn quiet(mut policy: Policy, notify: &[&str]) -> Policy {
    policy.notify = notify.iter().map(|name| (*name).into()).collect();
    policy
}

fn two(first: Policy, second: Policy) -> World {
    World::new(probe(), vec![planned(first, None), planned(second, None)])
}

#[test]
fn the_most_urgent_of_one_slot_opens() {
    let mut world = two(run("a-minor", Priority::P3, 2), run("b-major", Priority::P1, 2));
    world.feed("gbb");
    assert_eq!((world.told("pager"), world.told("chat")), ("trigger".into(), "trigger".into()));
    assert_eq!(world.heard[0].outgoing.priority, Priority::P1);
    assert_eq!(world.core.incidents.len(), 1);
}

#[test]
fn a_joining_alert_tells_only_those_who_have_not_heard() {
    let mut world = two(run("first", Priority::P2, 1), quiet(run("second", Priority::P2, 2), &["pager", "mail"]));
    world.feed("bb");
    assert_eq!(world.minutes("pager"), "1:trigger", "told at that priority already");
    assert_eq!(world.minutes("mail"), "2:trigger", "its own step, left to whoever was not told");
    let mut world = two(run("first", Priority::P1, 1), quiet(run("second", Priority::P3, 2), &["boss", "mail"]));
    world.feed("bb");
    assert_eq!(world.minutes("boss"), "", "a pager never hears of a lower priority");
    assert_eq!(world.minutes("mail"), "2:trigger");
}

#[test]
fn a_rise_in_priority_is_heard_once_by_each() {
    let mut world = two(run("minor", Priority::P3, 1), run("major", Priority::P1, 3));
    world.feed("bbb");
    assert_eq!(world.minutes("pager"), "1:trigger 3:trigger", "the same key, if nobody has acknowledged");
    assert_eq!(world.minutes("chat"), "1:trigger 3:trigger");
    assert_eq!(world.incident().priority, Priority::P1);
    world.feed("g");
    assert_eq!(world.minutes("pager"), "1:trigger 3:trigger 4:resolve");
}

#[test]
fn acknowledged_and_raised_is_a_new_key_and_all_keys_are_resolved() {
    let mut world = two(run("minor", Priority::P3, 1), run("major", Priority::P1, 3));
    world.feed("b").acknowledge().feed("bb");
    assert_eq!(world.minutes("pager"), "1:trigger 1:acknowledge 3:trigger/2");
    assert_eq!(world.minutes("chat"), "1:trigger 1:acknowledge 3:trigger");
    world.feed("g");
    assert_eq!(world.minutes("pager"), "1:trigger 1:acknowledge 3:trigger/2 4:resolve 4:resolve/2");
    assert_eq!(world.minutes("chat"), "1:trigger 1:acknowledge 3:trigger 4:resolve");
}

#[test]
fn steps_are_spared_by_an_acknowledgement_and_run_once_when_it_lapses() {
    use Unless::{Acknowledged, Resolved};
    let escalation = steps(
        &[
            (0, Acknowledged, "pager"),
            (300, Acknowledged, "pager boss"),
            (600, Acknowledged, "boss"),
            (900, Resolved, "lead"),
        ],
        Some(1_200),
    );
    let down = || quiet(run("down", Priority::P1, 1), &[]);
    let mut world = World::new(probe(), vec![planned(down(), Some(&escalation))]);
    world.feed("b*30 g");
    assert_eq!(world.minutes("boss"), "6:trigger 11:trigger 31:resolve");
    assert_eq!(world.minutes("pager"), "1:trigger 6:trigger 31:resolve");
    assert_eq!(world.minutes("lead"), "16:trigger 31:resolve");

    let mut world = World::new(probe(), vec![planned(down(), Some(&escalation))]);
    world.feed("bb").acknowledge();
    world.feed("b*30");
    assert_eq!(world.minutes("lead"), "16:trigger 22:trigger", "unless: resolved runs; then open again for all");
    assert_eq!(world.minutes("pager"), "1:trigger 2:acknowledge 22:trigger/2", "lapsed after 20 minutes");
    assert_eq!(world.minutes("boss"), "22:trigger/2", "the skipped steps, once, in one");
    world.feed("g");
    assert_eq!(world.told("boss"), "trigger/2 resolve/2");
    assert_eq!(world.told("pager"), "trigger acknowledge trigger/2 resolve resolve/2");
}

#[test]
fn nothing_runs_after_the_end_and_reopening_keeps_clock_and_steps() {
    let escalation = steps(&[(0, Unless::Acknowledged, "pager"), (600, Unless::Resolved, "boss")], None);
    let mut world = World::new(probe(), vec![planned(quiet(run("down", Priority::P1, 2), &[]), Some(&escalation))]);
    world.feed("bbbg*9");
    assert_eq!((world.minutes("pager").as_str(), world.told("boss").as_str()), ("2:trigger 4:resolve", ""));
    let key = world.incident().key.clone();
    // 13, 14: within ten minutes of the end. The step was due at 12.
    world.feed("bb");
    assert_eq!(world.incident().key, key, "the same epoch");
    assert_eq!(world.minutes("pager"), "2:trigger 4:resolve 14:trigger/2");
    assert_eq!(world.minutes("boss"), "14:trigger/2", "due at 12, runs at once");
    world.feed("g");
    assert_eq!(world.minutes("pager"), "2:trigger 4:resolve 14:trigger/2 15:resolve/2", "each key once");
    world.feed("g*10 bb");
    assert_eq!(
        world.minutes("pager"),
        "2:trigger 4:resolve 14:trigger/2 15:resolve/2 27:trigger",
        "too late: a new one"
    );
    assert_ne!(world.incident().key, key);
}

/// A lower alert that reopens an incident does not wake the pager of the higher one.
#[test]
fn a_pager_does_not_hear_a_lower_reopening() {
    let minor = quiet(run("minor", Priority::P4, 1), &["chat"]);
    let mut world = two(minor, quiet(run("major", Priority::P1, 3), &["pager"]));
    world.feed("bbbg");
    assert_eq!(world.told("pager"), "trigger resolve");
    world.feed("b");
    assert_eq!(world.told("pager"), "trigger resolve");
    assert_eq!(world.told("chat"), "trigger trigger resolve trigger");
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve", "nothing new to resolve");
    assert_eq!(world.told("chat"), "trigger trigger resolve trigger resolve");
    world.feed("bbb");
    assert_eq!(world.told("pager"), "trigger resolve trigger/3", "its own alert wakes it");
}

#[test]
fn an_acknowledged_incident_that_reopens_is_open() {
    let mut world = World::with(probe(), run("down", Priority::P1, 1));
    world.feed("b").acknowledge().feed("gb");
    assert_eq!(world.told("pager"), "trigger acknowledge resolve trigger/2");
    assert!(world.incident().acknowledged.is_none());
}

#[test]
fn overdue_steps_happen_once_and_are_marked_late() {
    let escalation = steps(
        &[
            (0, Unless::Acknowledged, "pager"),
            (300, Unless::Acknowledged, "pager boss"),
            (600, Unless::Acknowledged, "boss"),
            (3_600, Unless::Acknowledged, "lead"),
        ],
        None,
    );
    let mut world = World::new(probe(), vec![planned(quiet(run("down", Priority::P1, 1), &[]), Some(&escalation))]);
    world.feed("b");
    // slod is away for half an hour
    world.now = super::world::at(1_860);
    world.restart();
    world.input(slod::domain::decide::Input::Tick);
    assert_eq!(world.minutes("boss"), "31:trigger");
    assert_eq!(world.minutes("pager"), "1:trigger 31:trigger");
    let late = |heard: &Heard| matches!(&heard.outgoing.message, Message::Notification(message) if message.late);
    assert_eq!(world.heard.iter().map(late).collect::<Vec<_>>(), [false, true, true]);
    world.until(3_660);
    assert_eq!(world.minutes("lead"), "61:trigger");
    assert!(!late(world.heard.last().unwrap()), "this one is on time");
}

/// A long `settle` is not lateness.
#[test]
fn a_long_settle_is_not_late() {
    let mut rules = probe();
    rules.spec.settle_ms = 180_000;
    let mut world = World::with(rules, run("down", Priority::P1, 1));
    world.settle = 180;
    world.feed("b");
    assert!(world.heard.iter().all(|h| matches!(&h.outgoing.message, Message::Notification(message) if !message.late)));
    let mut late = World::with(probe(), run("down", Priority::P1, 1));
    late.settle = 180;
    late.feed("b");
    assert!(late.heard.iter().all(|h| matches!(&h.outgoing.message, Message::Notification(message) if message.late)));
}

#[test]
fn steps_of_a_clearing_alert_wait() {
    let escalation = steps(&[(0, Unless::Acknowledged, "pager"), (900, Unless::Acknowledged, "boss")], None);
    let mut burn = quiet(policy("burn", Priority::P1, super::world::pair(3_600, 1_200, 2.0)), &[]);
    burn.reopen_within = Some(3_600);
    let kept = quiet(run("other", Priority::P2, 1), &["chat"]);
    let mut world =
        World::new(slo(IndicatorKind::Ratio, 99.0, 60), vec![planned(burn, Some(&escalation)), planned(kept, None)]);
    world.history(60, 'g');
    world.feed("bbb g*5");
    assert_eq!(world.told("pager"), "trigger resolve", "clearing holds no incident open");
    world.feed("g*9");
    assert_eq!(world.told("boss"), "");
    world.feed("b");
    assert_eq!(world.minutes("boss"), "18:trigger/2", "due since 16, runs when it fires again");
}

#[test]
fn a_manual_resolve_mutes_until_cleared_once() {
    let mut world = two(run("down", Priority::P1, 1), run("worse", Priority::P1, 3));
    world.feed("bb").resolve();
    assert_eq!(world.told("pager"), "trigger resolve");
    world.feed("b");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2", "another alert was not muted");
    world.resolve().feed("bbb");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2", "now both are");
    world.feed("gb");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2 trigger/3", "cleared once, so heard again");
}

/// Good again counts as cleared: the next outage is not swallowed because a window remembers the first.
#[test]
fn a_muted_alert_is_heard_again_after_it_was_good() {
    let mut world = World::with(
        slo(IndicatorKind::Ratio, 99.0, 60),
        policy("burn", Priority::P1, super::world::pair(3_600, 1_200, 2.0)),
    );
    world.history(60, 'g');
    world.feed("bbb").resolve().feed("b");
    assert_eq!(world.told("pager"), "trigger resolve");
    world.feed("g*6 b");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2");
}

#[test]
fn people_cannot_do_what_makes_no_sense() {
    let mut world = World::with(probe(), run("down", Priority::P1, 1));
    world.feed("bg");
    let incident = world.incident().id.clone();
    for event in [
        IncidentEvent::Acknowledge { by: "ann".into() },
        IncidentEvent::Resolve { by: "ann".into() },
        IncidentEvent::StatusDraft { by: "ann".into(), approve: true },
    ] {
        let mut decision = slod::domain::decide::Decision::default();
        let input = slod::domain::decide::Input::About { incident: incident.clone(), event };
        let refused = world.core.handle(world.now, input, &mut decision);
        assert!(matches!(
            refused,
            Err(slod::domain::decide::Rejected::Refused(Refused::Resolved(_) | Refused::NoDraft(_)))
        ));
        assert!(decision.outgoing.is_empty() && decision.lines.is_empty());
    }
}

#[test]
fn an_alert_that_takes_over_in_the_same_slot_keeps_the_incident() {
    // The value condition ends in the slot in which the silence begins.
    let high = policy(
        "low",
        Priority::P2,
        Condition::Value(slod::domain::slo::Comparison { operator: slod::domain::slo::Operator::Less, bound: 500.0 }),
    );
    let mut world = two(high, run("bad", Priority::P2, 1));
    world.feed("gb");
    assert_eq!(world.told("pager"), "trigger");
    assert_eq!(world.firing(), ["bad"]);
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger", "and back");
}

#[test]
fn events_reach_only_those_who_listen_to_them() {
    let mut world = World::with(probe(), quiet(run("down", Priority::P1, 1), &["pager", "chat", "mail", "gone"]));
    world.feed("b").about(IncidentEvent::Note { by: "ann".into(), text: "looking".into() });
    assert_eq!(
        (world.told("pager"), world.told("chat"), world.told("mail")),
        ("trigger".into(), "trigger update".into(), "trigger".into())
    );
    assert_eq!(world.told("gone"), "", "a receiver that is not configured is a line, not a message");
    assert!(world.lines.iter().any(|line| line.starts_with("not-told gone")));
    assert!(!world.heard.iter().any(|heard| heard.outgoing.event == Event::Digest));
}
