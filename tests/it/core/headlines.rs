//! The first line of messages: what is wrong, and whether anything got better.

use slod::domain::{
    incident::IncidentEvent,
    notification::Message,
    policy::{Condition, Policy, Priority},
    slo::{IndicatorKind, Window},
};

use super::{
    clock::adopt,
    world::{World, pair, planned, policy, rulebook, slo, under},
};

fn title(world: &World) -> &str {
    let title = &world.incident().title;
    assert!(title.chars().count() <= 80, "{title}");
    title
}

/// What the newest message said.
fn said(world: &World) -> &str {
    let newest = world.heard.iter().rev().find_map(|heard| match &heard.outgoing.message {
        Message::Notification(notification) => Some(&notification.headline),
        _ => None,
    });
    newest.map_or("nothing", String::as_str)
}

fn run(slots: u32) -> Policy {
    policy("down", Priority::P1, Condition::Consecutive(slots))
}

/// A person ends it, or nobody watches it any more: nothing got better, and nobody says so.
#[test]
fn good_again_is_said_only_when_something_got_better() {
    #[rustfmt::skip]
    let cases = [
        (IndicatorKind::Probe, "bbb", "shop front: resolved by ann after 2 min (health check still failing)"),
        (IndicatorKind::Value, "bbb", "shop front: resolved by ann after 2 min (value still not good)"),
        (IndicatorKind::Latency, "bbb", "shop front: resolved by ann after 2 min (still too slow)"),
        (IndicatorKind::Uptime, "bbb", "shop front: resolved by ann after 2 min (still down)"),
        (IndicatorKind::Ratio, "bbb", "shop front: resolved by ann after 2 min (still too many bad events)"),
        (IndicatorKind::Probe, "bbb_", "shop front: resolved by ann after 3 min (health check still failing)"),
    ];
    for (kind, slots, want) in cases {
        let mut world = World::with(slo(kind, 99.0, 60), run(1));
        world.feed(slots).resolve();
        assert_eq!(title(&world), want);
    }
    let mut patient = run(1);
    patient.clear_after = slod::domain::policy::ClearAfter::Slots(5);
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), patient);
    world.feed("bb g").resolve();
    assert_eq!(title(&world), "shop front: resolved by ann after 2 min", "it is good");
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), run(1));
    world.feed("bb g");
    assert_eq!(title(&world), "shop front: good again after 2 min");
}

#[test]
fn long_names_leave_room_for_what_matters() {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    rules.spec.id = slod::domain::name::SloId::new("inventory", "availability");
    let mut world = World::with(rules, run(1));
    world.feed("bbb").resolve();
    assert_eq!(title(&world), "inventory availability: resolved by ann after 2 min (health check still failing)");
    let mut again = world.clone();
    again.feed("g b");
    again.about(IncidentEvent::Resolve { by: "somebody-with-a-long-name".into() });
    assert_eq!(title(&again), "inventory availability: resolved by somebody-with-a-long-na… (still failing)");
}

#[test]
fn what_is_taken_out_of_the_configuration() {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    let mut world = World::with(rules.clone(), run(1));
    world.feed("bb");
    adopt(&mut world, rulebook(vec![rules.clone()]));
    assert_eq!(title(&world), "shop front: no longer watched (down was taken out of the configuration)");
    let mut world = World::with(rules.clone(), run(1));
    world.feed("bb");
    adopt(&mut world, rulebook(Vec::new()));
    assert_eq!(title(&world), "shop front: no longer watched (the SLO was taken out of the configuration)");
    rules.spec.id = slod::domain::name::SloId::new("inventory", "rop-freshness");
    let mut world = World::with(rules.clone(), policy("freshness-breach", Priority::P1, Condition::Consecutive(1)));
    world.feed("bb");
    adopt(&mut world, rulebook(vec![rules]));
    assert_eq!(title(&world), "inventory rop-freshness: no longer watched (freshness-breach taken out)");
}

#[test]
fn silence_says_so() {
    let silent = policy("silent", Priority::P2, Condition::NoData(900));
    let mut world = World::with(slo(IndicatorKind::Value, 99.0, 60), silent);
    world.feed("g*3 b _*15");
    assert_eq!((said(&world), title(&world)), ("shop front: no data for 15 min", "shop front: no data"));
    world.feed("_*5").acknowledge();
    assert_eq!((said(&world), title(&world)), ("shop front: no data for 20 min", "shop front: no data"));
    world.feed("g");
    assert_eq!(title(&world), "shop front: data again after 6 min");
}

/// Two alerts: the more urgent one's words.
#[test]
fn the_most_urgent_alert_speaks() {
    let silent = |priority| policy("silent", priority, Condition::NoData(300));
    for (urgency, want, lasts) in [
        (Priority::P1, "no data for 5 min", "no data"),
        (Priority::P3, "health check failing for 5 min", "health check failing"),
    ] {
        let down = policy("down", Priority::P2, Condition::Consecutive(2));
        let mut world =
            World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(down, None), planned(silent(urgency), None)]);
        world.feed("bb _*5").about(IncidentEvent::Acknowledge { by: "ann".into() });
        assert_eq!(said(&world), format!("shop front: {want}"));
        assert_eq!(title(&world), format!("shop front: {lasts}"));
    }
}

#[test]
fn a_source_counts_from_when_it_began_to_fail() {
    let mut world = World::with(slo(IndicatorKind::Ratio, 99.0, 60), run(3));
    for minute in 1..=6 {
        world.until(minute * 60);
        world.hears(Some("connection refused"));
    }
    let lasts = "source prometheus: does not answer";
    assert_eq!((said(&world), title(&world)), ("source prometheus: does not answer for 5 min", lasts));
    world.restart();
    world.until(480);
    world.acknowledge();
    assert_eq!((said(&world), title(&world)), ("source prometheus: does not answer for 7 min", lasts));
    let mut manual = world.clone();
    manual.resolve();
    assert_eq!(title(&manual), "source prometheus: resolved by ann after 7 min (still does not answer)");
    world.hears(None);
    assert_eq!(title(&world), "source prometheus: answers again after 7 min");
}

/// The newest slot is good, and yet it fires: what the window remembers.
#[test]
fn windows_say_what_burns() {
    #[rustfmt::skip]
    let cases = [
        (pair(600, 120, 10.0), "g*8 b g", "burning 10.0× too fast (10m/2m)", "burning too fast (10m/2m)"),
        (under(0.0), "g*8 b _ ", "too many bad events for 1 min", "too many bad events"),
        (under(-9.0), "g*8 b", "too many bad events for 1 min", "too many bad events"),
        (Condition::All(vec![under(0.0), pair(600, 120, 10.0)]), "g*8 b g", "budget left −900 %", "budget left < 0 %"),
        (Condition::ExhaustedWithin { time: 86_400, over: 600 }, "g*8 b g", "budget gone in 0 s at this rate", "budget gone within 1d at this rate"),
    ];
    for (condition, slots, want, lasts) in cases {
        let mut rules = slo(IndicatorKind::Ratio, 99.0, 60);
        rules.spec.window = Window::Rolling(600);
        let mut held = policy("burn", Priority::P2, condition);
        held.judge = slod::domain::policy::Judge::Measured;
        held.hold = if slots.ends_with('g') { 60 } else { 0 };
        let mut world = World::with(rules, held);
        world.feed(slots);
        assert_eq!(said(&world), format!("shop front: {want}"), "{slots}");
        assert_eq!(title(&world), format!("shop front: {lasts}"), "{slots}");
    }
}

/// Who reads it in the middle of the night reads what is wrong; for how long, the clock says.
#[test]
fn a_title_does_not_grow_old() {
    #[rustfmt::skip]
    let cases = [
        (IndicatorKind::Probe, "health check failing"),
        (IndicatorKind::Value, "value not <= 15m"),
        (IndicatorKind::Latency, "too slow (not <= 15m)"),
        (IndicatorKind::Uptime, "down"),
        (IndicatorKind::Ratio, "too many bad events"),
    ];
    for (kind, want) in cases {
        let mut rules = slo(kind, 99.0, 15);
        rules.good = "<= 15m".into();
        let mut world = World::with(rules, run(1));
        world.feed("b");
        assert!(said(&world).ends_with("for 15 s"), "{}", said(&world));
        assert_eq!(title(&world), format!("shop front: {want}"));
        world.feed("b*67").acknowledge();
        assert!(said(&world).ends_with("for 17 min"), "{}", said(&world));
        assert_eq!(title(&world), format!("shop front: {want}"));
    }
}
