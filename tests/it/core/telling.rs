//! What happens when a receiver cannot be told.

use slod::domain::{
    incident::IncidentEvent,
    name::Name,
    notification::Event,
    policy::{Condition, Priority},
    slo::IndicatorKind,
};

use super::world::{World, policy, slo};

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
