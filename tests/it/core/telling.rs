//! What happens when a receiver cannot be told.

use slod::domain::{
    escalation::Plan,
    incident::IncidentEvent,
    name::Name,
    notification::Event,
    policy::{Condition, Priority, Repeat, Unless},
    slo::IndicatorKind,
};

use super::world::{World, at, policy, slo, steps};

fn down() -> World {
    World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)))
}

fn undelivered(world: &mut World, fallback: &str, event: Event) {
    let (receiver, fallback) = (Name::from("pager"), Name::from(fallback));
    world.about(IncidentEvent::Undelivered { receiver, fallback, event, why: "400 invalid key".into() });
}

#[test]
fn a_fallback_hears_why_and_hears_the_end() {
    for (fallback, want) in
        [("mail", "trigger resolve"), ("boss", "trigger resolve"), ("chat", "trigger update resolve")]
    {
        let mut world = down();
        world.feed("b");
        undelivered(&mut world, fallback, Event::Trigger);
        let heard = world.heard.last().unwrap();
        let slod::domain::notification::Message::Notification(message) = &heard.outgoing.message else { panic!() };
        assert_eq!(message.reason, "fallback: pager could not be told (trigger): 400 invalid key");
        world.feed("g");
        assert_eq!(world.told(fallback), want);
    }
}

#[test]
fn a_missed_page_is_told_once_but_wakes_nobody_for_what_is_over() {
    for (fallback, want) in [("mail", "update"), ("boss", "")] {
        let mut world = down();
        world.feed("bg");
        undelivered(&mut world, fallback, Event::Trigger);
        assert_eq!(world.told(fallback), want);
        let line = world.lines.iter().find(|line| line.starts_with("undelivered")).unwrap();
        assert_eq!(line.contains("mail hears of it instead"), !want.is_empty(), "{line}");
    }
}

#[test]
fn a_resolve_that_is_not_delivered_is_no_page() {
    let mut world = down();
    world.feed("bg");
    undelivered(&mut world, "boss", Event::Resolve);
    assert_eq!(world.told("boss"), "");
    undelivered(&mut world, "mail", Event::Resolve);
    assert_eq!(world.told("mail"), "update");
}

/// An unknown fallback is a line, never a panic.
#[test]
fn a_fallback_that_is_gone() {
    let mut world = down();
    world.feed("b");
    undelivered(&mut world, "gone", Event::Trigger);
    assert_eq!(world.told("gone"), "");
}

/// `notify` is a step at 0m beside the escalation's own; the default counts only where there is neither.
#[test]
fn who_is_in_a_plan() {
    let own = steps(&[(0, Unless::Acknowledged, "boss"), (1_800, Unless::Acknowledged, "mail")], None);
    let default = steps(&[(600, Unless::Acknowledged, "lead")], None);
    let mut policy = policy("down", Priority::P1, Condition::Consecutive(1));
    let plan = |policy: &_, own: Option<&_>| {
        let steps = Plan::of(policy, own, Some(&default)).pin(&"down".into(), at(0));
        let who = |step: &slod::domain::escalation::Step| {
            let names: Vec<_> = step.notify.iter().map(Name::as_str).collect();
            format!("{}m {}", (step.due_at - at(0)).num_minutes(), names.join("+"))
        };
        steps.iter().map(who).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(plan(&policy, Some(&own)), "0m pager+chat, 0m boss, 30m mail");
    assert_eq!(plan(&policy, None), "0m pager+chat");
    policy.notify.clear();
    assert_eq!(plan(&policy, Some(&own)), "0m boss, 30m mail");
    assert_eq!(plan(&policy, None), "10m lead");
    let again = slod::domain::policy::Escalation { repeat: Some(Repeat { every: 600, times: 2 }), ..own };
    assert_eq!(
        plan(&policy, Some(&again)),
        "0m boss, 30m mail, 40m boss, 70m mail, 80m boss, 110m mail",
        "all steps again, counted from the last"
    );
}
