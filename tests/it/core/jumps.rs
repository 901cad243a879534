//! A clock that jumps while an incident is open: no page, step, reminder or lapse is lost, and none comes twice.

use slod::domain::{
    decide::Input,
    policy::{Condition, Policy, Priority, Unless},
    slo::IndicatorKind,
};

use super::world::{World, at, planned, policy, slo, steps};

const HOUR: i64 = 3_600;

/// A pager at once, a boss after ten minutes, a mail after twenty even if acknowledged; chat is reminded every ten.
fn world() -> World {
    let escalation = steps(
        &[
            (0, Unless::Acknowledged, "pager chat"),
            (600, Unless::Acknowledged, "boss"),
            (1_200, Unless::Resolved, "mail"),
        ],
        Some(900),
    );
    let down =
        Policy { notify: Vec::new(), repeat: Some(600), ..policy("down", Priority::P1, Condition::Consecutive(1)) };
    World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(down, Some(&escalation))])
}

/// Sets the clock, and lets everything that is due happen.
fn set(world: &mut World, seconds: i64) {
    world.now = at(seconds);
    world.input(Input::Tick);
}

/// Feeds minutes by the clock as it stands.
fn feed(world: &mut World, slots: &str) {
    world.next = world.now.timestamp().div_euclid(60);
    world.feed(slots);
}

/// What all receivers heard, with the minute of the clock.
fn all(world: &World) -> [String; 4] {
    ["pager", "boss", "mail", "chat"].map(|name| world.minutes(name))
}

#[test]
fn an_hour_forward() {
    let mut world = world();
    world.feed("b*3");
    set(&mut world, HOUR + 180);
    assert_eq!(all(&world)[1..3], ["63:trigger", "63:trigger"], "all that became due, at once");
    feed(&mut world, "b*30 g");
    let [pager, boss, mail, chat] = all(&world);
    assert_eq!(pager, "1:trigger 94:resolve");
    assert_eq!(boss, "63:trigger 94:resolve");
    assert_eq!(mail, "63:trigger 71:update 81:update 91:update 94:resolve");
    assert_eq!(chat, "1:trigger 63:update 71:update 81:update 91:update 94:resolve");
}

/// The jump was a mistake: what was done in it is done; what it put off comes in its time.
#[test]
fn an_hour_forward_and_back() {
    let mut world = world();
    world.feed("b*3");
    set(&mut world, HOUR + 180);
    set(&mut world, 180);
    feed(&mut world, "b*30 g");
    let [pager, boss, mail, chat] = all(&world);
    assert_eq!(pager, "1:trigger 34:resolve");
    assert_eq!(boss, "63:trigger 34:resolve", "not again");
    assert_eq!(mail, "63:trigger 13:update 23:update 33:update 34:resolve");
    assert_eq!(chat, "1:trigger 63:update 13:update 23:update 33:update 34:resolve");
}

/// It fired while the clock was an hour ahead: nobody waits an hour longer for the next step.
#[test]
fn an_hour_back() {
    let mut world = world();
    world.next += 60;
    world.feed("b");
    assert_eq!(world.minutes("pager"), "61:trigger");
    set(&mut world, 60);
    feed(&mut world, "b*25 g");
    let [pager, boss, mail, chat] = all(&world);
    assert_eq!(pager, "61:trigger 27:resolve");
    assert_eq!((boss, mail), ("11:trigger 27:resolve".into(), "21:trigger 27:resolve".into()));
    assert_eq!(chat, "61:trigger 11:update 21:update 27:resolve");
}

/// A step back of two seconds moves nothing by more than that.
#[test]
fn two_seconds_back() {
    let mut world = world();
    world.feed("b*3");
    set(&mut world, 178);
    world.feed("b*12");
    assert_eq!(world.minutes("boss"), "11:trigger");
}

#[test]
fn an_acknowledgement_holds_as_long_as_it_was_given() {
    // ahead when it was given
    let mut world = world();
    world.next += 60;
    world.feed("b").acknowledge();
    set(&mut world, 60);
    feed(&mut world, "b*20");
    assert_eq!(
        world.minutes("pager"),
        "61:trigger 61:acknowledge 16:trigger/2",
        "a quarter of an hour, not five of them"
    );
    assert_eq!(world.minutes("boss"), "16:trigger/2");
    // jumps while it holds
    let mut world = self::world();
    world.feed("b").acknowledge();
    set(&mut world, HOUR);
    assert_eq!(world.minutes("pager"), "1:trigger 1:acknowledge 60:trigger/2");
    set(&mut world, 120);
    feed(&mut world, "b*40 g");
    assert_eq!(world.minutes("pager"), "1:trigger 1:acknowledge 60:trigger/2 43:resolve 43:resolve/2");
    assert_eq!(world.minutes("boss"), "60:trigger/2 43:resolve/2");
}

/// Over while the clock was ahead: what fires then is not taken for the same incident for an hour more.
#[test]
fn an_end_that_lay_ahead() {
    let mut world = world();
    world.next += 60;
    world.feed("b g");
    assert_eq!(world.minutes("pager"), "61:trigger 62:resolve");
    set(&mut world, 60);
    feed(&mut world, "g*15 b");
    assert_eq!(world.minutes("pager"), "61:trigger 62:resolve 17:trigger", "a new one, a quarter of an hour later");
}

/// Restarted in the hour that never was.
#[test]
fn a_restart_in_between() {
    let mut world = world();
    world.next += 60;
    world.feed("b");
    world.restart();
    set(&mut world, 60);
    world.restart();
    feed(&mut world, "b*25 g");
    assert_eq!(world.minutes("boss"), "11:trigger 27:resolve");
}
