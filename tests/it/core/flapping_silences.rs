//! What goes back and forth, and is told again and again, while people silence it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use slod::domain::{
    notification::Event,
    policy::{Condition, Policy, Priority},
    silence::Silence,
    slo::IndicatorKind,
};

use super::world::{World, at, policy, slo};

/// Fires at every bad slot, flaps by the default, and reminds the chat every five minutes.
fn down() -> Policy {
    let mut down = policy("down", Priority::P1, Condition::Consecutive(1));
    down.flapping = None;
    down.repeat = Some(300);
    down
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Nothing new is said while it is muted, whether it flaps or reminds; the pager hears each opening once, and its end once.
    #[test]
    fn flapping_and_reminders_keep_silent(acts in "((bg){1,4}|b{1,14}|g{1,70}|[SX]){1,20}") {
        let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 60), down());
        let mut silences: BTreeMap<String, Silence> = BTreeMap::new();
        let mut seen = 0;
        for what in acts.chars() {
            match what {
                'S' => drop(world.silence(None, 450)),
                'X' => for id in world.core.silences.keys().cloned().collect::<Vec<_>>() {
                    world.expire(&id);
                },
                slot => drop(world.feed(&slot.to_string())),
            }
            silences.retain(|id, _| world.core.silences.contains_key(id) || what != 'X');
            for heard in &world.heard[seen..] {
                let time = at(heard.at);
                let muted = silences.values().any(|silence| silence.starts_at <= time && time < silence.ends_at);
                prop_assert!(!muted || heard.outgoing.event == Event::Resolve, "{heard:?}\n{}", world.lines.join("\n"));
            }
            seen = world.heard.len();
            silences.extend(world.core.silences.clone());
        }
        world.feed("g*150");
        prop_assert!(world.core.incidents.is_empty(), "everything has an end: {:?}", world.core.incidents);
        let mut pages: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for heard in world.heard.iter().filter(|heard| &*heard.outgoing.receiver == "pager") {
            pages.entry(heard.outgoing.dedup_key.clone()).or_default().push(heard.outgoing.event);
        }
        for (key, events) in pages {
            prop_assert_eq!(events, [Event::Trigger, Event::Resolve], "{}\n{}", key, world.lines.join("\n"));
        }
        // Bad slots that nothing muted to the end were told.
        if acts.contains('b') && !acts.contains('S') {
            prop_assert!(!world.heard.is_empty());
        }
    }
}
