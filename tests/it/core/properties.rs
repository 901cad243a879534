//! What holds for any course of events.

use std::collections::BTreeMap;

use proptest::prelude::*;
use slod::domain::{
    alert::AlertState,
    decide::Input,
    escalation::Plan,
    incident::{Around, Ending, Incident, IncidentEvent, Say, Subject},
    message::percent,
    name::{Name, SloId},
    notification::{Event, Message},
    policy::{Condition, OnGap, Priority, Unless},
    slo::{IndicatorKind, Objective},
    slot::{Slot, Span},
};

use super::world::{Heard, START, World, at, pair, planned, policy, rulebook, slo, status_page, steps, under};

/// A probe with a run, a budget, a window and a silence to watch; escalations, lapsing acknowledgements, a public page.
pub fn busy_world(approve: bool) -> World {
    let mut rules = slo(IndicatorKind::Probe, 90.0, 60);
    rules.spec.window = slod::domain::slo::Window::Rolling(6_000);
    rules.status = Some(status_page(approve, 120));
    let escalation = steps(
        &[
            (0, Unless::Acknowledged, "pager"),
            (240, Unless::Acknowledged, "pager boss"),
            (420, Unless::Resolved, "mail"),
        ],
        Some(300),
    );
    let mut down = policy("down", Priority::P2, Condition::Consecutive(2));
    down.notify = Vec::new();
    let mut silent = policy("silent", Priority::P3, Condition::NoData(180));
    silent.notify = vec!["chat".into()];
    let mut spent = policy("spent", Priority::P1, under(0.3));
    (spent.notify, spent.active) = (vec!["boss".into(), "chat".into()], Some(600));
    let mut burn = policy("burn", Priority::P2, pair(1_200, 300, 3.0));
    (burn.notify, burn.hold, burn.on_gap) = (vec!["pager".into()], 60, OnGap::Reset);
    let policies =
        vec![planned(down, Some(&escalation)), planned(silent, None), planned(spent, None), planned(burn, None)];
    let mut world = World::new(rules, policies);
    world.history(100, 'g');
    world
}

/// A slot, or something that people or sources do.
pub fn act(world: &mut World, what: char) {
    let open = world.core.incidents.values().find(|incident| incident.resolved.is_none());
    let Some(id) = open.map(|incident| incident.id.clone()) else {
        if "gb1e_!.".contains(what) {
            world.feed(&what.to_string());
        }
        return;
    };
    let by = || "ann".to_owned();
    let event = match what {
        'A' => IncidentEvent::Acknowledge { by: by().into() },
        'R' => IncidentEvent::Resolve { by: by().into() },
        'N' => IncidentEvent::Note { by: by().into(), text: "text".into() },
        'P' | 'D' => IncidentEvent::StatusDraft { by: by(), approve: what == 'P' },
        'U' => IncidentEvent::Undelivered {
            receiver: "pager".into(),
            fallback: "mail".into(),
            event: Event::Trigger,
            why: "400".into(),
        },
        slot => {
            world.feed(&slot.to_string());
            return;
        }
    };
    let mut decision = slod::domain::decide::Decision::default();
    // People may ask for what makes no sense.
    let refused = world.core.handle(world.now, Input::About { incident: id, event }, &mut decision).is_err();
    assert!(!refused || decision.outgoing.is_empty());
    world.take(decision);
}

fn acts() -> impl Strategy<Value = String> {
    "([gb]{1,9}|[gb1e_!.]{1,4}|_{1,7}|[ARNPDU]){1,40}"
}

/// Without what is only remembered in memory: the words of the last answer.
pub fn without_last_answer(heard: &[Heard]) -> Vec<Heard> {
    let mut heard = heard.to_vec();
    for one in &mut heard {
        if let Message::Notification(notification) = &mut one.outgoing.message {
            notification.lines.retain(|line| !line.starts_with("Last answer"));
        }
    }
    heard
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Killed at any point and started again: the same messages, to the letter.
    #[test]
    fn a_restart_changes_nothing(acts in acts(), kills in prop::collection::vec(any::<prop::sample::Index>(), 1..4), approve: bool) {
        let mut steady = busy_world(approve);
        let mut killed = steady.clone();
        let kills: Vec<_> = kills.into_iter().map(|kill| kill.index(acts.len())).collect();
        for (number, what) in acts.chars().enumerate() {
            act(&mut steady, what);
            if kills.contains(&number) {
                killed.restart();
            }
            act(&mut killed, what);
        }
        prop_assert_eq!(without_last_answer(&steady.heard), without_last_answer(&killed.heard));
        prop_assert_eq!(&steady.lines, &killed.lines);
        prop_assert_eq!(&steady.core.incidents, &killed.core.incidents);
        prop_assert_eq!(&steady.core.series[&steady.key].alerts, &killed.core.series[&killed.key].alerts);
    }

    /// Whoever was woken is told of the end, under every key, once, and after it.
    #[test]
    fn every_trigger_is_followed_by_one_resolve(acts in acts()) {
        let mut world = busy_world(false);
        for what in acts.chars() {
            act(&mut world, what);
        }
        world.feed("g*150");
        prop_assert!(world.core.incidents.is_empty(), "everything has an end: {:?}", world.core.incidents);
        let mut keys: BTreeMap<(Name, String), Vec<Event>> = BTreeMap::new();
        for heard in &world.heard {
            let Heard { outgoing, .. } = heard;
            keys.entry((outgoing.receiver.clone(), outgoing.dedup_key.clone())).or_default().push(outgoing.event);
        }
        for ((receiver, key), events) in keys {
            let pager = matches!(&*receiver, "pager" | "boss");
            if &*receiver == "lead" {
                continue; // is only reminded
            }
            let mut open = false;
            for event in &events {
                match event {
                    Event::Trigger => open = true,
                    Event::Resolve => {
                        prop_assert!(open, "{receiver} {key}: a resolve of nothing: {events:?}");
                        open = false;
                    }
                    Event::Acknowledge => prop_assert!(open, "{receiver} {key}: {events:?}"),
                    Event::Update => prop_assert!(!pager, "{receiver} {key}: a pager hears no update"),
                    Event::Digest | Event::Test => prop_assert!(false),
                }
            }
            prop_assert!(!open, "{receiver} {key} was never told of the end: {events:?}");
            if pager {
                prop_assert_eq!(events.iter().filter(|event| **event == Event::Resolve).count(), 1, "{} {}", receiver, key);
                prop_assert_eq!(events.last(), Some(&Event::Resolve));
            }
        }
    }

    /// Settled in any order, some of them again and again: the same ledger, and the same alerts are up.
    #[test]
    fn any_order_of_slots_ends_the_same(slots in "[gb]{1,60}", order in any::<u64>(), again in any::<u64>()) {
        let fresh = || {
            let burn = policy("burn", Priority::P2, pair(1_800, 240, 5.0));
            let run = policy("run", Priority::P2, Condition::Consecutive(3));
            let mut world = World::new(slo(IndicatorKind::Ratio, 95.0, 60), vec![planned(burn, None), planned(run, None)]);
            world.history(60, 'g');
            world
        };
        let mut straight = fresh();
        straight.feed(&slots);
        let mut mixed = fresh();
        mixed.now = straight.now;
        let mut shuffled: Vec<_> = slots.chars().enumerate().collect();
        shuffled.sort_by_key(|(number, _)| (*number as u64).wrapping_mul(order | 1).rotate_left(23));
        for (number, what) in shuffled {
            let what = mixed.reading(what).unwrap();
            let slot = mixed.next + number as i64;
            for gap in 0..again % 3 {
                if gap == 0 {
                    let unknown = mixed.reading('_').unwrap();
                    mixed.settled(slot, unknown);
                }
                mixed.settled(slot, what.clone());
            }
            mixed.settled(slot, what);
        }
        let all = Span { start: START - 7_200, end: START + 7_200 };
        let (one, other) = (&straight.core.series[&straight.key], &mixed.core.series[&mixed.key]);
        prop_assert_eq!(one.ledger.slots(all), other.ledger.slots(all));
        prop_assert_eq!(straight.firing(), mixed.firing());
        let open = |world: &World| world.core.incidents.values().filter(|incident| incident.resolved.is_none()).count();
        prop_assert_eq!(open(&straight), open(&mixed));
    }

    /// Slots with their neighbours' kind of trouble, stepped twice each.
    #[test]
    fn the_same_slot_again_is_harmless(slots in "[gb1e_]{1,60}") {
        let mut once = busy_world(false);
        let mut twice = once.clone();
        for what in slots.chars() {
            once.feed(&what.to_string());
            twice.feed(&what.to_string());
            let (slot, reading) = (twice.next - 1, twice.reading(what).unwrap());
            twice.settled(slot, reading);
            // An older slot than any window comes in: everything is judged again at the newest.
            let old = Slot::settled(twice.next - 2_000, &twice.reading('g').unwrap());
            twice.settled(old.index, twice.reading('g').unwrap());
        }
        prop_assert_eq!(&once.heard, &twice.heard);
        prop_assert_eq!(&once.core.series[&once.key].alerts, &twice.core.series[&twice.key].alerts);
    }

    /// Any events in any order at any time: no panic, no resolve without a trigger, no wish to be woken in the past.
    #[test]
    fn an_incident_takes_anything(events in prop::collection::vec((0_u8..12, 0_usize..4, -900_i64..2_000), 1..80)) {
        let rules = rulebook(Vec::new());
        let rule = status_page(true, 60).rule;
        let escalation = steps(&[(300, Unless::Acknowledged, "boss"), (600, Unless::Resolved, "gone mail")], Some(200));
        let plan = Plan::new(&["pager".into(), "chat".into()], Some(&escalation));
        let subject = Subject::Slo { id: SloId::new("shop", "front"), series: BTreeMap::new() };
        let mut incident = Incident::open(subject, at(0), Priority::P2);
        let mut now = at(0);
        let mut known: Vec<(Name, u32)> = Vec::new();
        for (kind, number, step) in events {
            now += chrono::TimeDelta::seconds(step);
            let watch = format!("watch-{number}");
            let priority = Priority::ALL[number];
            let event = match kind {
                0..=3 => IncidentEvent::Fired {
                    watch, policy: Name::from(format!("policy-{}", number / 2)), priority, plan: plan.clone(), at: now, reopen_within: 600, late: false, because: String::new(), flapping: None,
                },
                4..=6 => IncidentEvent::Ended { watch, ending: if kind == 4 { Ending::GoodAgain } else { Ending::Cleared } },
                7 => IncidentEvent::Acknowledge { by: "ann".into() },
                8 => IncidentEvent::Resolve { by: "ann".into() },
                9 => IncidentEvent::StatusDraft { by: "ann".into(), approve: number > 1 },
                10 => IncidentEvent::Undelivered { receiver: "pager".into(), fallback: "boss".into(), event: Event::Trigger, why: String::new() },
                _ => IncidentEvent::Tick,
            };
            let around = Around { now, hearers: &rules.hearers, status: (number > 0).then_some(&rule), blind: number == 2, has_diagnostics: number == 3, mutes: &[] };
            let mut said = incident.handle(event, &around).unwrap_or_default();
            let around = Around { status: Some(&rule), ..around };
            said.extend(incident.handle(IncidentEvent::Tick, &around).unwrap());
            for say in said {
                let Say::Tell { receiver, event, opening, .. } = say else { continue };
                let key = (receiver, opening);
                match event {
                    Event::Trigger if !known.contains(&key) => known.push(key),
                    Event::Acknowledge => prop_assert!(known.contains(&key)),
                    Event::Resolve => {
                        let place = known.iter().position(|known| *known == key);
                        prop_assert!(place.is_some(), "a resolve of nothing: {key:?}");
                        known.remove(place.unwrap_or_default());
                    }
                    _ => {}
                }
            }
            prop_assert!(incident.wake_at().is_none_or(|wake| wake > now), "{:?} at {now}", incident.wake_at());
            let text = serde_json::to_string(&incident).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Incident>(&text).unwrap(), &incident);
        }
    }

    /// A service exactly on its objective keeps it; one more bad event breaks it.
    #[test]
    fn exactly_on_target_is_met(allowed in 1_u32..1_000_000_000, scale in 1_i64..1_000) {
        let objective = Objective::from_ppb(1_000_000_000 - allowed).unwrap();
        let (bad, total) = (i64::from(allowed) * scale, 1_000_000_000 * scale);
        prop_assert!(objective.is_met(bad as f64, total as f64));
        prop_assert!(!objective.is_met((bad + 1) as f64, total as f64));
        prop_assert!(!objective.is_met(bad as f64, (total - 1) as f64));
    }

    #[test]
    fn percentages_are_short(share in -100.0_f64..100.0) {
        prop_assert!(percent(share).chars().count() <= 9, "{}", percent(share));
    }
}

/// The clock may do what it wants: no panic, no busy loop, and what is bad at the end is heard.
#[test]
fn a_clock_gone_mad() {
    let jumps = [0_i64, 61, -3_600, 7_200, -1, -86_400, 30 * 86_400, -30 * 86_400, 59, 1];
    let mut world = busy_world(false);
    for (number, jump) in jumps.iter().cycle().take(200).enumerate() {
        world.now += chrono::TimeDelta::seconds(*jump);
        let slot = world.now.timestamp().div_euclid(60) - 1;
        let reading = world.reading(if number % 3 == 0 { 'g' } else { 'b' }).unwrap();
        world.settled(slot, reading);
        world.input(Input::Tick);
    }
    let slot = world.now.timestamp().div_euclid(60);
    for more in 0..20 {
        world.now += chrono::TimeDelta::seconds(60);
        let bad = world.reading('b').unwrap();
        world.settled(slot + more, bad);
    }
    assert!(matches!(world.state("down"), AlertState::Firing { .. }));
}
