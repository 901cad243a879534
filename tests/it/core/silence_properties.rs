//! Silences in any course of events.

use std::collections::BTreeMap;

use proptest::prelude::*;
use slod::domain::{
    incident::Hearing,
    name::Name,
    notification::{Event, Message},
    silence::Silence,
};

use super::{
    properties::{act, busy_world, without_last_answer},
    world::{World, at},
};

/// A silence, an end of one, or anything else that happens.
fn any_act(world: &mut World, what: char) {
    match what {
        'S' => drop(world.silence(None, 450)),
        's' => drop(world.silence(Some("down"), 330)),
        'X' => {
            for id in world.core.silences.keys().cloned().collect::<Vec<_>>() {
                world.expire(&id);
            }
        }
        other => act(world, other),
    }
}

fn acts() -> impl Strategy<Value = String> {
    "([gb]{1,9}|[gb1e_!.]{1,4}|[ARNU]|[SsX]){1,40}"
}

/// What is so of every open incident that nothing mutes and nobody has: whatever is due is told.
fn nothing_is_due(world: &World) {
    let open = world.core.incidents.values().filter(|incident| incident.resolved.is_none());
    for incident in open.filter(|incident| incident.muted.is_none() && incident.acknowledged.is_none()) {
        let fires = |policy: &Name| incident.members.values().any(|member| member.firing && member.policy == *policy);
        for step in incident.steps.iter().filter(|step| step.due_at <= world.now && fires(&step.policy)) {
            assert_ne!(step.state.as_str(), "waiting", "{step:?}\n{}", world.lines.join("\n"));
            for name in step.notify.iter().filter(|_| step.state.as_str() == "done") {
                let told = incident.told.get(name);
                let spared = world.core.rules.hearers[name] == Hearing::Pager;
                assert!(spared || told.is_some_and(|told| !told.openings.is_empty()), "{name} {step:?}");
            }
        }
        for (name, told) in incident.told.iter().filter(|(name, _)| world.core.rules.hearers[*name] != Hearing::Pager) {
            assert!(told.openings.contains(&incident.opening), "{name} {told:?}\n{}", world.lines.join("\n"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Nothing new is said while it is muted; what is open and due at the end is told, each receiver once; who was woken
    /// hears the end. And a kill changes nothing of it.
    #[test]
    fn whatever_happens(acts in acts(), kills in prop::collection::vec(any::<prop::sample::Index>(), 0..3)) {
        let mut world = busy_world(false);
        let mut killed = world.clone();
        let kills: Vec<_> = kills.into_iter().map(|kill| kill.index(acts.len())).collect();
        let mut silences: BTreeMap<String, Silence> = BTreeMap::new();
        let mut seen = 0;
        for (number, what) in acts.chars().enumerate() {
            any_act(&mut world, what);
            if kills.contains(&number) {
                killed.restart();
            }
            any_act(&mut killed, what);
            nothing_is_due(&world);
            silences.retain(|id, _| world.core.silences.contains_key(id) || what != 'X');
            for heard in &world.heard[seen..] {
                let (time, outgoing) = (at(heard.at), &heard.outgoing);
                let active = |silence: &&Silence| silence.starts_at <= time && time < silence.ends_at;
                let muted = |policy: Option<&str>| silences.values().filter(active).any(|silence| silence.matcher.policy.as_deref() == policy);
                let pager = matches!(&*outgoing.receiver, "pager" | "boss");
                let new = match (outgoing.event, &outgoing.message) {
                    (Event::Resolve, _) => false,
                    (Event::Acknowledge, _) => !pager,
                    (event, Message::StatusPost(_)) => event == Event::Trigger,
                    _ => true,
                };
                prop_assert!(!(new && muted(None)), "{heard:?}\n{}", world.lines.join("\n"));
                let only_down = |incident: &slod::domain::incident::Incident| {
                    incident.members.values().filter(|member| member.firing).all(|member| &*member.policy == "down")
                };
                let about = world.core.incidents.get(&outgoing.incident);
                let is_quiet = muted(Some("down")) && about.is_some_and(|incident| incident.resolved.is_none() && only_down(incident));
                prop_assert!(!(new && is_quiet), "{heard:?}\n{}", world.lines.join("\n"));
                if let Message::Notification(message) = &outgoing.message {
                    let by_down = message.reason.starts_with("down") && outgoing.event == Event::Trigger;
                    prop_assert!(!(by_down && muted(Some("down"))), "{heard:?}");
                }
                // Silences end between two slots: what is told then was held back.
                if heard.at % 60 == 30 && outgoing.event == Event::Trigger {
                    let same = world.heard[seen..].iter().filter(|other| {
                        other.at == heard.at && other.outgoing.event == Event::Trigger && other.outgoing.receiver == outgoing.receiver
                    });
                    prop_assert_eq!(same.count(), 1, "{:?}", heard);
                }
            }
            seen = world.heard.len();
            silences.extend(world.core.silences.clone());
        }
        prop_assert_eq!(without_last_answer(&world.heard), without_last_answer(&killed.heard));
        prop_assert_eq!(&world.lines, &killed.lines);
        prop_assert_eq!(&world.core.incidents, &killed.core.incidents);

        world.feed("g*150");
        prop_assert!(world.core.incidents.is_empty(), "everything has an end: {:?}", world.core.incidents);
        let mut open: BTreeMap<(Name, String), bool> = BTreeMap::new();
        for heard in &world.heard {
            let key = (heard.outgoing.receiver.clone(), heard.outgoing.dedup_key.clone());
            match heard.outgoing.event {
                Event::Trigger => drop(open.insert(key, true)),
                Event::Resolve => prop_assert_eq!(open.insert(key, false), Some(true), "{:?}", heard),
                _ => {}
            }
        }
        let left: Vec<_> = open.into_iter().filter(|(_, open)| *open).collect();
        prop_assert!(left.is_empty(), "never told of the end: {left:?}");
    }
}

/// What had been resolved fires again, of its policies only a silenced one: nobody is woken, and the page, which said
/// "resolved", says nothing of an end that nobody saw begin.
#[test]
fn what_opens_again_in_a_silence_is_quiet() {
    let mut world = busy_world(false);
    for what in "bbbbb1bRb.b.bbbg".chars() {
        any_act(&mut world, what);
    }
    any_act(&mut world, 's');
    let before = world.heard.len();
    world.feed("bbb");
    let open = world.core.incidents.values().next().unwrap();
    assert!(open.resolved.is_none() && open.opening == 2, "{open:?}");
    world.feed("g*150");
    let told: Vec<_> = world.heard[before..]
        .iter()
        .map(|heard| (heard.at, heard.outgoing.receiver.to_string(), heard.outgoing.event))
        .collect();
    let public: Vec<_> = told.iter().filter(|(_, receiver, _)| receiver == "public").collect();
    assert_eq!(public.len(), 1, "\"resolved\", of what was before: {told:?}\n{}", world.lines.join("\n"));
    assert_eq!(told.len(), 1, "{told:?}\n{}", world.lines.join("\n"));
}
