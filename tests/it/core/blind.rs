//! Sources that do not answer: an incident of their own, never a breach and never the end of one.

use slod::domain::{
    decide::Input,
    incident::Subject,
    policy::{Condition, Priority},
    slo::IndicatorKind,
};

use super::world::{World, at, policy, slo};

fn world() -> World {
    World::with(slo(IndicatorKind::Ratio, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(3)))
}

/// Asked every minute, failing from `from` to `to` (minutes).
fn failing(world: &mut World, from: i64, to: i64) {
    for minute in from..=to {
        world.until(minute * 60);
        world.hears(Some("connection refused"));
    }
}

#[test]
fn a_blind_source_is_one_incident_that_ends_when_it_answers() {
    let mut world = world();
    failing(&mut world, 1, 10);
    assert_eq!(world.minutes("chat"), "6:trigger", "five minutes after the first failure");
    assert_eq!(world.told("pager"), "");
    assert_eq!(world.incident().subject, Subject::Source("prometheus".into()));
    assert_eq!(world.incident().priority, Priority::P3);
    world.hears(None);
    assert_eq!(world.minutes("chat"), "6:trigger 10:resolve");
    // again within ten minutes: the same incident
    failing(&mut world, 12, 17);
    assert_eq!(world.minutes("chat"), "6:trigger 10:resolve 17:trigger");
    assert_eq!(world.core.incidents.len(), 1);
}

#[test]
fn an_answer_in_between_starts_the_count_anew() {
    let mut world = world();
    failing(&mut world, 1, 5);
    world.hears(None);
    failing(&mut world, 6, 10);
    assert_eq!(world.told("chat"), "");
    failing(&mut world, 11, 11);
    assert_eq!(world.minutes("chat"), "11:trigger");
}

/// Neither a restart nor a sleeping host counts: only what was heard does.
#[test]
fn own_downtime_does_not_count() {
    let mut world = world();
    failing(&mut world, 1, 2);
    world.now = at(3_600);
    world.input(Input::Tick);
    assert_eq!(world.told("chat"), "", "the host slept for an hour");
    failing(&mut world, 61, 65);
    assert_eq!(world.told("chat"), "");
    failing(&mut world, 66, 66);
    assert_eq!(world.minutes("chat"), "66:trigger");
}

#[test]
fn a_restart_keeps_the_incident_until_the_source_answers() {
    let mut world = world();
    failing(&mut world, 1, 6);
    world.restart();
    failing(&mut world, 7, 20);
    assert_eq!(world.minutes("chat"), "6:trigger");
    world.hears(None);
    assert_eq!(world.minutes("chat"), "6:trigger 20:resolve");
}

#[test]
fn a_person_may_end_it_and_is_not_asked_again_until_it_answered() {
    let mut world = world();
    failing(&mut world, 1, 6);
    world.resolve();
    failing(&mut world, 7, 30);
    assert_eq!(world.minutes("chat"), "6:trigger 6:resolve");
    world.hears(None);
    failing(&mut world, 31, 36);
    assert_eq!(world.minutes("chat"), "6:trigger 6:resolve 36:trigger");
}

#[test]
fn blindness_resolves_nothing() {
    let mut world = world();
    world.feed("bbb !*60");
    assert_eq!(world.told("pager"), "trigger");
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve");
}
