//! Looks at an incident's surroundings: when they are asked for, and what becomes of them.

use slod::domain::{
    diagnostic::{Diagnosis, Found, LOOKS_MAX},
    incident::{Incident, IncidentEvent},
    notification::{Message, Notification},
    policy::{Condition, Priority},
    slo::IndicatorKind,
};

use super::world::{World, at, policy, slo};

fn down() -> World {
    let rules = slod::domain::rulebook::SloRules { has_diagnostics: true, ..slo(IndicatorKind::Probe, 99.0, 60) };
    let mut policy = policy("down", Priority::P1, Condition::Consecutive(1));
    policy.notify = vec!["pager".into(), "chat".into(), "mail".into()];
    World::with(rules, policy)
}

fn found(said: &str) -> Vec<Diagnosis> {
    vec![Diagnosis::new("database".into(), "sql", at(60), 0.034, Ok(Found::said(true, said)))]
}

fn looked(world: &mut World, look: u32, late: bool, said: &str) {
    world.about(IncidentEvent::Diagnosed { look, late, found: found(said) });
}

fn wanted(world: &World) -> Option<u32> {
    world.incident().look_wanted().map(|(look, _)| look)
}

fn newest(world: &World) -> &Notification {
    match &world.heard.last().unwrap().outgoing.message {
        Message::Notification(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_found_is_told_once_and_wakes_nobody() {
    let mut world = down();
    world.feed("b");
    assert_eq!(wanted(&world), Some(1));
    for _ in 0..3 {
        looked(&mut world, 1, false, "ok");
    }
    assert_eq!(wanted(&world), None);
    assert_eq!(world.told("pager"), "trigger");
    assert_eq!((world.told("chat"), world.told("mail")), ("trigger update".into(), "trigger update".into()));
    assert!(world.lines.contains(&"looked first look: database ok".to_owned()), "{:?}", world.lines);
    assert_eq!(newest(&world).reason, "first look");
    assert!(newest(&world).lines.contains(&"First look: database ok".to_owned()), "{:?}", newest(&world).lines);
}

#[test]
fn later_messages_say_when_it_was() {
    let mut world = down();
    world.feed("b");
    looked(&mut world, 1, true, "ok");
    assert_eq!(newest(&world).reason, "first look, late: slod was away");
    world.until(1_800);
    world.acknowledge();
    let line = newest(&world).lines.iter().find(|line| line.starts_with("First look")).unwrap();
    assert_eq!(line, "First look (00:01 UTC): database ok");
}

#[test]
fn what_was_not_asked_for_changes_nothing() {
    let mut world = down();
    world.feed("b");
    let before = world.heard.len();
    for look in [0, 2, 7] {
        looked(&mut world, look, false, "ok");
    }
    assert_eq!((world.heard.len(), wanted(&world)), (before, Some(1)));
    world.about(IncidentEvent::Diagnosed { look: 1, late: false, found: Vec::new() });
    assert_eq!((world.heard.len(), wanted(&world)), (before, None));
}

#[test]
fn what_is_over_is_kept_but_not_news() {
    let mut world = down();
    world.feed("b");
    world.resolve();
    assert_eq!(wanted(&world), None, "nobody looks at what is over");
    looked(&mut world, 1, false, "ok");
    assert_eq!(world.told("chat"), "trigger resolve");
    assert!(world.lines.contains(&"looked first look: database ok".to_owned()));
}

#[test]
fn each_reopening_is_looked_at_but_not_for_ever() {
    let mut world = down();
    for look in 1..=LOOKS_MAX {
        world.feed("b");
        assert_eq!(wanted(&world), Some(look));
        looked(&mut world, look, false, "ok");
        world.feed("g");
    }
    world.feed("b");
    assert_eq!(wanted(&world), None);
    assert_eq!(world.incident().opening, LOOKS_MAX + 1);
}

#[test]
fn a_look_that_is_under_way_serves_a_reopening_as_well() {
    let mut world = down();
    world.feed("bgb");
    assert_eq!(wanted(&world), Some(1));
    looked(&mut world, 1, false, "ok");
    assert_eq!(wanted(&world), None);
}

/// A silence holds the news back, and keeps what was found.
#[test]
fn what_is_silenced_hears_of_it_when_that_ends() {
    let mut world = down();
    world.feed("b");
    world.silence(None, 600);
    looked(&mut world, 1, false, "ok");
    assert_eq!(world.told("chat"), "trigger");
    assert!(world.lines.contains(&"looked first look: database ok".to_owned()));
    world.until(700);
    assert_eq!((world.told("chat"), world.told("pager")), ("trigger update".into(), "trigger".into()));
}

#[test]
fn a_service_without_diagnostics_asks_for_none() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)));
    world.feed("b");
    assert_eq!(wanted(&world), None);
}

#[test]
fn an_incident_of_an_older_store_can_be_read() {
    let mut world = down();
    world.feed("b");
    let mut document = serde_json::to_value(world.incident()).unwrap();
    document.as_object_mut().unwrap().remove("looks");
    let read: Incident = serde_json::from_value(document).unwrap();
    assert_eq!((read.look_wanted(), read.first_look(at(60))), (None, None));
}

#[test]
fn a_restart_still_wants_what_did_not_come_back() {
    let mut world = down();
    world.feed("b");
    world.restart();
    assert_eq!(wanted(&world), Some(1));
    looked(&mut world, 1, true, "ok");
    world.restart();
    assert_eq!(wanted(&world), None);
    assert!(world.incident().first_look(world.now).is_some());
}
