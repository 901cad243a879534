//! What is put on record: each incident that is urgent enough, once, when it is over for good.

use std::sync::Arc;

use slod::domain::{
    incident::IncidentEvent,
    policy::{Condition, Policy, Priority},
    record::{RecordRule, receiver_of},
    rulebook::Rulebook,
    slo::IndicatorKind,
};

use super::world::{World, planned, policy, slo, status_page};

fn down(priority: Priority) -> Policy {
    let mut down = policy("down", priority, Condition::Consecutive(1));
    down.notify = vec!["chat".into()];
    down.reopen_within = Some(600);
    down
}

fn recording(world: &mut World, min_priority: Priority) {
    let service = world.key.id.service.clone();
    let rule = RecordRule { receiver: receiver_of(&service), action: "postmortem".into(), min_priority };
    let rules = Rulebook { records: [(service, rule)].into(), ..(*world.core.rules).clone() };
    world.core.adopt(Arc::new(rules));
}

fn world(priority: Priority, min_priority: Priority) -> World {
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), down(priority));
    recording(&mut world, min_priority);
    world
}

/// The minutes at which something was put on record.
fn minutes(world: &World) -> Vec<i64> {
    world.records.iter().map(|(second, _)| second / 60).collect()
}

#[test]
fn once_when_it_cannot_open_again() {
    let mut world = world(Priority::P1, Priority::P2);
    world.feed("b*3 g*2");
    let id = world.incident().id.clone();
    world.until(14 * 60 - 1);
    assert_eq!(world.records, []);
    world.until(14 * 60 + 1);
    assert_eq!(world.records, [(14 * 60, id)], "ten minutes after it was resolved");
    assert!(world.lines.last().unwrap().starts_with("recorded "), "{:?}", world.lines);
    world.feed("g*9").until(100 * 60);
    assert_eq!(minutes(&world), [14]);
    assert!(world.core.incidents.is_empty());
}

#[test]
fn a_reopening_puts_it_off() {
    let mut world = world(Priority::P1, Priority::P5);
    world.feed("b g*5 b g*30");
    assert_eq!(minutes(&world), [18], "resolved at 2, opened again at 7, resolved at 8");
}

#[test]
fn each_incident_has_its_own() {
    let mut world = world(Priority::P1, Priority::P1);
    world.feed("b g*20 b g*20");
    let ids: std::collections::BTreeSet<_> = world.records.iter().map(|(_, id)| id.clone()).collect();
    assert_eq!((minutes(&world), ids.len()), (vec![12, 33], 2));
}

#[test]
fn what_is_not_urgent_enough_is_not_recorded() {
    for (priority, least, recorded) in [
        (Priority::P1, Priority::P1, 1),
        (Priority::P2, Priority::P1, 0),
        (Priority::P3, Priority::P2, 0),
        (Priority::P5, Priority::P5, 1),
    ] {
        let mut world = world(priority, least);
        world.feed("b g*30");
        assert_eq!(world.records.len(), recorded, "{priority} {least}");
    }
}

#[test]
fn a_restart_forgets_nothing_and_repeats_nothing() {
    let mut world = world(Priority::P1, Priority::P2);
    world.feed("b g*2");
    world.restart();
    world.until(60 * 60);
    assert_eq!(world.records.len(), 1);
    let mut world = self::world(Priority::P1, Priority::P2);
    world.feed("b g*2").until(11 * 60);
    let before = world.clone();
    world.until(12 * 60 + 1);
    assert_eq!(world.records.len(), 1);
    // Read back before it was written: decided again, under the same key.
    let mut again = before;
    again.restart();
    again.until(12 * 60 + 1);
    assert_eq!(again.records, world.records);
}

#[test]
fn a_person_may_have_ended_it() {
    let mut world = world(Priority::P1, Priority::P2);
    world.feed("b*2").resolve();
    world.until(60 * 60);
    assert_eq!(minutes(&world), [12]);
}

fn approve(world: &mut World) {
    world.about(IncidentEvent::StatusDraft { by: "ann".into(), approve: true });
}

/// An outage that is over; its public page has had all but its last post.
fn over_with_a_public_page() -> World {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    rules.status = Some(status_page(true, 0));
    let mut world = World::new(rules, vec![planned(down(Priority::P1), None)]);
    recording(&mut world, Priority::P2);
    world.feed("b");
    approve(&mut world);
    world.feed("g*2");
    approve(&mut world);
    world
}

/// The page that waits for a person holds it up for a day, not for ever.
#[test]
fn the_public_page_is_part_of_it() {
    let mut world = over_with_a_public_page();
    let mut forgotten = world.clone();
    world.feed("g*30");
    assert_eq!(world.records, [], "\"resolved\" waits for approval");
    approve(&mut world);
    world.until(34 * 60);
    assert_eq!(minutes(&world), [33]);
    forgotten.until(3 * 86_400);
    assert_eq!(minutes(&forgotten), [24 * 60 + 12]);
    assert_eq!(forgotten.core.incidents.len(), 1, "its page still waits");
}

/// The page takes its last post when the incident cannot open again any more.
#[test]
fn a_slow_public_page_loses_no_record() {
    let mut world = over_with_a_public_page();
    world.feed("g*30");
    approve(&mut world);
    // What comes last in a round: the shell forgets then.
    let now = world.now;
    world.core.forget_finished(now);
    world.until(40 * 60);
    assert_eq!(world.records.len(), 1);
}

#[test]
fn a_source_is_nobodys_service() {
    let mut world = world(Priority::P1, Priority::P5);
    for minute in 0..10 {
        world.until(minute * 60);
        world.hears(Some("refused"));
    }
    world.hears(None);
    world.until(86_400);
    assert!(world.core.incidents.is_empty() && !world.heard.is_empty());
    assert_eq!(world.records, []);
}
