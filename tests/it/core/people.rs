//! Acts of people from outside: each counts once, is passed on, and never goes back to where it came from.

use proptest::prelude::*;
use slod::domain::{
    decide::{Decision, Input, Rejected},
    incident::{Actor, IncidentEvent, Refused, Via},
    policy::{Condition, Policy, Priority, Unless},
    slo::IndicatorKind,
};

use super::world::{World, at, planned, policy, slo, steps};

fn down(notify: &[&str]) -> Policy {
    let mut policy = policy("down", Priority::P1, Condition::Consecutive(1));
    policy.notify = notify.iter().map(|name| (*name).into()).collect();
    policy
}

fn world(notify: &[&str], acknowledge_timeout: Option<u32>) -> World {
    let names = notify.join(" ");
    let escalation = steps(&[(0, Unless::Acknowledged, names.as_str())], acknowledge_timeout);
    World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(down(&[]), Some(&escalation))])
}

/// Ann, at a pager of ours.
fn at_pager(receiver: &str, event: &str, opening: u32) -> Actor {
    Actor {
        via: Via::Receiver(receiver.into()),
        event: Some(event.into()),
        opening: Some(opening),
        knows: Some(receiver.into()),
        ..Actor::new("ann")
    }
}

/// Tells the newest incident. An error if it is refused.
fn tell(world: &mut World, event: IncidentEvent) -> Result<(), Rejected> {
    let incident = world.incident().id.clone();
    let mut decision = Decision::default();
    let result = world.core.handle(world.now, Input::About { incident, event }, &mut decision);
    assert!(
        result.is_ok() || decision.outgoing.is_empty() && decision.lines.is_empty() && decision.incidents.is_empty()
    );
    world.take(decision);
    result
}

#[test]
fn an_act_is_passed_on_and_not_echoed() {
    let mut world = world(&["pager", "boss", "chat"], None);
    world.feed("b");
    tell(&mut world, IncidentEvent::Acknowledge { by: at_pager("pager", "1", 1) }).unwrap();
    assert_eq!((world.told("pager"), world.told("boss")), ("trigger".into(), "trigger acknowledge".into()));
    assert_eq!(world.told("chat"), "trigger acknowledge");
    // Given up there: it rings there by itself, the others under a new key.
    tell(&mut world, IncidentEvent::Unacknowledge { by: at_pager("pager", "2", 1) }).unwrap();
    assert_eq!((world.told("pager"), world.told("boss")), ("trigger".into(), "trigger acknowledge trigger/2".into()));
    // Its key is still its own; the other's first one is not any more.
    let stale = tell(&mut world, IncidentEvent::Acknowledge { by: at_pager("boss", "3", 1) });
    assert!(matches!(stale, Err(Rejected::Refused(Refused::Stale(_)))));
    tell(&mut world, IncidentEvent::Resolve { by: at_pager("pager", "4", 1) }).unwrap();
    assert_eq!(world.told("pager"), "trigger");
    assert_eq!(world.told("boss"), "trigger acknowledge trigger/2 resolve resolve/2");
    assert_eq!(world.told("chat"), "trigger acknowledge trigger resolve");
    assert_eq!(world.incident().resolved.as_ref().unwrap().by.as_deref(), Some("ann (pager)"));
    world.feed("bbb");
    assert_eq!(world.told("chat"), "trigger acknowledge trigger resolve", "silent until it has cleared once");
}

/// Its newest key is resolved there; the one before, which was acknowledged, is still open there.
#[test]
fn all_other_keys_are_resolved_where_one_was() {
    let mut world = world(&["pager", "boss"], Some(120));
    world.feed("b");
    tell(&mut world, IncidentEvent::Acknowledge { by: at_pager("pager", "1", 1) }).unwrap();
    world.feed("bb");
    assert_eq!(world.minutes("pager"), "1:trigger 3:trigger/2", "lapsed after two minutes, whoever gave it");
    let late = tell(&mut world, IncidentEvent::Resolve { by: at_pager("pager", "2", 1) });
    assert!(matches!(late, Err(Rejected::Refused(Refused::Stale(_)))));
    tell(&mut world, IncidentEvent::Resolve { by: at_pager("pager", "3", 2) }).unwrap();
    assert_eq!(world.told("pager"), "trigger trigger/2 resolve");
    assert_eq!(world.told("boss"), "trigger acknowledge trigger/2 resolve resolve/2");
}

/// A second acknowledgement takes over and holds for as long again; nobody is told of it, and the first is not forgotten.
#[test]
fn the_second_to_acknowledge_takes_over() {
    let mut world = world(&["pager", "chat"], Some(600));
    let by = |name: &str| IncidentEvent::Acknowledge { by: Actor { via: Via::Api, ..Actor::new(name) } };
    world.feed("b");
    tell(&mut world, by("ann")).unwrap();
    assert_eq!(world.incident().acknowledged.as_ref().unwrap().before, None);
    let first = world.now;
    world.feed("bb");
    tell(&mut world, by("bob")).unwrap();
    let held = world.incident().acknowledged.clone().unwrap();
    let before = held.before.unwrap();
    assert_eq!((held.by.as_str(), before.by.as_str(), before.at), ("bob (api)", "ann (api)", first));
    assert_eq!((world.told("pager"), world.told("chat")), ("trigger acknowledge".into(), "trigger acknowledge".into()));
    let lines = world.lines.iter().filter(|line| line.starts_with("acknowledged"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["acknowledged acknowledged by ann (api)", "acknowledged acknowledged by bob (api)"]
    );
    // What an older store holds has no such thing.
    let mut stored = serde_json::to_value(world.incident()).unwrap();
    stored["acknowledged"].as_object_mut().unwrap().remove("before").unwrap();
    let read: slod::domain::incident::Incident = serde_json::from_value(stored).unwrap();
    assert_eq!(read.acknowledged.unwrap().before, None);
}

#[test]
fn what_is_doubtful_spares_nobody() {
    let mut world = world(&["pager", "boss"], None);
    world.feed("b");
    let by = |event: &str| Actor { knows: None, ..at_pager("pager", event, 1) };
    tell(&mut world, IncidentEvent::Acknowledge { by: by("1") }).unwrap();
    tell(&mut world, IncidentEvent::Resolve { by: by("2") }).unwrap();
    for pager in ["pager", "boss"] {
        assert_eq!(world.told(pager), "trigger acknowledge resolve");
    }
}

/// Our own words come back as a receiver's: they change nothing.
#[test]
fn an_echo_changes_nothing() {
    let mut world = world(&["pager", "boss"], Some(600));
    world.feed("b").acknowledge();
    let before = world.incident().clone();
    world.feed("b");
    tell(&mut world, IncidentEvent::Acknowledge { by: at_pager("boss", "1", 1) }).unwrap();
    assert_eq!(*world.incident(), before, "neither who has it nor for how long");
    world.resolve();
    let echo = tell(&mut world, IncidentEvent::Resolve { by: at_pager("boss", "2", 1) });
    assert!(matches!(echo, Err(Rejected::Refused(Refused::Resolved(_)))));
}

/// A look from before something changed here says nothing.
#[test]
fn an_old_look_is_stale() {
    let mut world = world(&["pager"], None);
    world.feed("b");
    let seen = |event: &str, as_of| Actor { as_of: Some(as_of), ..at_pager("pager", event, 1) };
    tell(&mut world, IncidentEvent::Acknowledge { by: seen("1", at(60)) }).unwrap();
    world.feed("b");
    tell(&mut world, IncidentEvent::Unacknowledge { by: at_pager("pager", "2", 1) }).unwrap();
    let old = tell(&mut world, IncidentEvent::Acknowledge { by: seen("3", at(90)) });
    assert!(matches!(old, Err(Rejected::Refused(Refused::Stale(_)))));
    tell(&mut world, IncidentEvent::Acknowledge { by: seen("4", at(121)) }).unwrap();
}

#[test]
fn what_a_person_ended_opens_again_only_if_it_fires() {
    let reopen =
        |event: &str, opening| IncidentEvent::Reopen { by: at_pager("pager", event, opening), firing: Vec::new() };
    let mut world = world(&["pager", "boss"], None);
    world.feed("b");
    tell(&mut world, IncidentEvent::Resolve { by: at_pager("pager", "1", 1) }).unwrap();
    tell(&mut world, reopen("2", 1)).unwrap();
    assert_eq!((world.told("pager"), world.told("boss")), ("trigger".into(), "trigger resolve trigger/2".into()));
    assert!(world.incident().resolved.is_none());
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve", "heard again, so it ends by itself");
    assert_eq!(world.told("boss"), "trigger resolve trigger/2 resolve/2");
    tell(&mut world, reopen("3", 1)).unwrap();
    assert!(world.incident().resolved.is_some(), "nothing fires");
    let unknown_there = tell(&mut world, reopen("4", 2));
    assert!(matches!(unknown_there, Err(Rejected::Refused(Refused::Stale(_)))));
}

#[test]
fn only_so_many_events_are_taken() {
    let mut world = world(&["pager"], None);
    world.feed("b");
    let note = |number: usize| IncidentEvent::Note { by: at_pager("pager", &number.to_string(), 1), text: "x".into() };
    let taken = (0..6_000).take_while(|number| tell(&mut world, note(*number)).is_ok()).count();
    assert_eq!(taken, 5_000);
    assert!(tell(&mut world, IncidentEvent::Note { by: "bob".into(), text: "still".into() }).is_ok());
}

/// One event of a source: `a` acknowledge, `u` give up, `r` resolve, `o` open again, `n` note; capitals at the other pager.
fn act(world: &mut World, number: usize, what: char) {
    let open = world.core.incidents.values().next().map(|incident| (incident.id.clone(), incident.opening));
    let Some((incident, opening)) = open else { return };
    let event = repeated(number, what, opening);
    let mut decision = Decision::default();
    // Much of it makes no sense.
    let _ = world.core.handle(world.now, Input::About { incident, event }, &mut decision);
    world.take(decision);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Sources tell again what they have told, at any time, before and after a restart: nothing is different for it.
    #[test]
    fn what_comes_again_changes_nothing(
        story in "([bg]{1,3}|[auronAUR]{1,4}){1,20}",
        again in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..20),
        kill in any::<prop::sample::Index>(),
    ) {
        let mut once = world(&["pager", "boss", "chat"], Some(180));
        let mut often = once.clone();
        let story: Vec<char> = story.chars().collect();
        // The opening that an event is of is part of it: it does not change when it comes again.
        let mut sent: Vec<Option<(String, IncidentEvent)>> = Vec::new();
        for (number, what) in story.iter().enumerate() {
            if kill.index(story.len()) == number {
                often.restart();
            }
            if "bg".contains(*what) {
                once.feed(&what.to_string());
                often.feed(&what.to_string());
                sent.push(None);
            } else {
                act(&mut once, number, *what);
                let about = often.core.incidents.values().next().map(|incident| (incident.id.clone(), incident.opening));
                act(&mut often, number, *what);
                sent.push(about.map(|(id, opening)| (id, repeated(number, *what, opening))));
            }
            let repeats = again.iter().filter(|(after, _)| after.index(story.len()) == number);
            for (_, which) in repeats {
                if let Some((incident, event)) = sent[which.index(sent.len())].clone() {
                    let mut decision = Decision::default();
                    let _ = often.core.handle(often.now, Input::About { incident, event }, &mut decision);
                    prop_assert!(decision.outgoing.is_empty() && decision.settled.is_empty(), "{:?}", decision);
                    often.take(decision);
                }
            }
        }
        prop_assert_eq!(&once.heard, &often.heard);
        prop_assert_eq!(&once.lines, &often.lines);
        prop_assert_eq!(&once.core.incidents, &often.core.incidents);
    }

    /// Whatever people do at their pagers: everybody who was woken hears of the end once under each key, or ended it.
    #[test]
    fn every_page_has_one_end(story in "([bg]{1,3}|[auonAUR]{1,4}){1,20}") {
        let mut world = world(&["pager", "boss", "chat"], Some(180));
        for (number, what) in story.chars().enumerate() {
            if "bg".contains(what) {
                world.feed(&what.to_string());
            } else {
                act(&mut world, number, what);
            }
        }
        world.feed("g*30");
        prop_assert!(world.core.incidents.is_empty(), "{:?}", world.core.incidents);
        let mut keys = std::collections::BTreeMap::<_, Vec<_>>::new();
        for heard in world.heard.iter().filter(|heard| matches!(&*heard.outgoing.receiver, "pager" | "boss")) {
            let key = (heard.outgoing.receiver.clone(), heard.outgoing.dedup_key.clone());
            keys.entry(key).or_default().push(heard.outgoing.event.as_str());
        }
        for ((receiver, key), events) in keys {
            prop_assert_eq!(events[0], "trigger", "{} {}: {:?}", receiver, key, events);
            let ends = events.iter().filter(|event| **event == "resolve").count();
            // Only `boss` ends anything there; it may be opened again there, and ended again.
            let least = usize::from(&*receiver == "pager");
            prop_assert!(ends >= least && (ends == 0 || events.last() == Some(&"resolve")), "{} {}: {:?}", receiver, key, events);
        }
    }
}

/// The event that [`act`] sends at this opening.
fn repeated(number: usize, what: char, opening: u32) -> IncidentEvent {
    let receiver = if what.is_ascii_uppercase() { "boss" } else { "pager" };
    // Every third is about the opening before.
    let opening = if number % 3 == 2 { opening.max(2) - 1 } else { opening };
    let by = at_pager(receiver, &number.to_string(), opening);
    match what.to_ascii_lowercase() {
        'a' => IncidentEvent::Acknowledge { by },
        'u' => IncidentEvent::Unacknowledge { by },
        'r' => IncidentEvent::Resolve { by },
        'o' => IncidentEvent::Reopen { by, firing: Vec::new() },
        _ => IncidentEvent::Note { by, text: "text".into() },
    }
}
