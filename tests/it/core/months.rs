//! Two months of outages, gaps, flapping, people and restarts, through the real core in seconds. After every slot and
//! every act, what holds of any course of events is checked; a course that breaks it shrinks to what it takes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestCaseError};
use slod::domain::{
    decide::{Decision, Input},
    escalation::StepState,
    incident::{IncidentEvent, Member},
    name::Name,
    notification::{Event, Message},
    policy::{Condition, Escalation, Policy, Priority, Repeat, Unless},
    slo::IndicatorKind,
};

use super::world::{Heard, World, pair, planned, policy, slo, steps, under};

/// Slots of five minutes.
const EVERY: u32 = 300;
/// In two months.
const SLOTS: usize = 61 * 288;
/// How long slod is away, in slots.
const AWAY: i64 = 7;

/// An outage with an escalation that repeats, a budget, a burn rate, a silence: all flap by the default.
fn world() -> World {
    let escalation = steps(
        &[
            (0, Unless::Acknowledged, "pager"),
            (1_200, Unless::Acknowledged, "pager boss"),
            (2_400, Unless::Resolved, "mail"),
        ],
        Some(5_400),
    );
    let escalation = Escalation { repeat: Some(Repeat { every: 3_600, times: 2 }), ..escalation };
    let named = |name: &str, priority, when, notify: &[&str]| Policy {
        notify: notify.iter().map(|name| (*name).into()).collect(),
        flapping: None,
        ..policy(name, priority, when)
    };
    let down = named("down", Priority::P2, Condition::Consecutive(2), &[]);
    let burn =
        Policy { repeat: Some(3_600), ..named("burn", Priority::P3, pair(21_600, 1_800, 6.0), &["chat", "mail"]) };
    let spent = named("spent", Priority::P1, under(0.2), &["boss", "chat"]);
    let silent = Policy { hold: 600, ..named("silent", Priority::P4, Condition::NoData(1_800), &["chat"]) };
    let mut rules = slo(IndicatorKind::Probe, 97.0, EVERY);
    rules.spec.window = slod::domain::slo::Window::Rolling(7 * 86_400);
    let plans = [planned(down, Some(&escalation)), planned(burn, None), planned(spent, None), planned(silent, None)];
    let mut world = World::new(rules, plans.to_vec());
    world.history(2_016, 'g');
    world
}

/// What each receiver has heard, and what it may hear next.
#[derive(Default)]
struct Watch {
    seen: usize,
    /// Open for a receiver, by key.
    open: BTreeSet<(Name, String)>,
    /// Resolved at a pager: never used again.
    spent: BTreeSet<(Name, String)>,
    /// Receiver, opening and reason of every trigger.
    said: BTreeSet<(Name, String, String)>,
}

impl Watch {
    fn look(&mut self, world: &World) -> Result<(), TestCaseError> {
        let new = &world.heard[self.seen..];
        self.seen = world.heard.len();
        for heard in new {
            self.hear(heard)?;
        }
        prop_assert!(world.core.wake_at().is_none_or(|wake| wake > world.now), "nothing that is due waits");
        for incident in world.core.incidents.values() {
            for step in &incident.steps {
                if let StepState::Done { at } = step.state {
                    prop_assert!(at >= step.due_at, "before its time: {step:?}");
                }
            }
            let mut order: BTreeMap<&Name, Vec<_>> = BTreeMap::new();
            for step in incident.steps.iter().filter(|step| matches!(step.state, StepState::Waiting)) {
                order.entry(&step.policy).or_default().push(step.due_at);
            }
            // What waits for its alert to fire again may be older than what was done.
            order.retain(|policy, _| incident.members.values().any(|one| one.holds() && one.policy == **policy));
            for (policy, waiting) in order {
                let done = incident.steps.iter().filter(|step| step.policy == *policy);
                let done =
                    done.filter(|step| matches!(step.state, StepState::Done { .. })).map(|step| step.due_at).max();
                prop_assert!(
                    waiting.iter().all(|due| done.is_none_or(|done| *due >= done)),
                    "out of order: {policy} {:?}",
                    incident.steps
                );
            }
            let holds = incident.members.values().any(Member::holds);
            prop_assert!(incident.resolved.is_some() || holds, "open, and nothing holds it: {incident:?}");
        }
        Ok(())
    }

    fn hear(&mut self, heard: &Heard) -> Result<(), TestCaseError> {
        let outgoing = &heard.outgoing;
        let pager = matches!(&*outgoing.receiver, "pager" | "boss");
        let key = (outgoing.receiver.clone(), outgoing.dedup_key.clone());
        let Message::Notification(message) = &outgoing.message else { panic!("no public page") };
        match outgoing.event {
            Event::Trigger => {
                prop_assert!(!self.spent.contains(&key), "a key is used again: {key:?}");
                let said = (key.0.clone(), message.dedup_key.clone(), message.reason.clone());
                prop_assert!(self.said.insert(said.clone()), "heard twice: {said:?}");
                self.open.insert(key);
            }
            Event::Resolve => {
                prop_assert!(self.open.remove(&key), "a resolve of nothing: {key:?}");
                if pager {
                    self.spent.insert(key);
                }
            }
            Event::Acknowledge => prop_assert!(self.open.contains(&key), "taken after the end: {key:?}"),
            Event::Update => {
                prop_assert!(!pager, "a pager hears no update");
                prop_assert!(self.open.contains(&key), "said after the end: {key:?} {}", message.reason);
            }
            Event::Digest | Event::Test => prop_assert!(false),
        }
        Ok(())
    }
}

fn act(world: &mut World, what: char) {
    let event = match what {
        'A' => IncidentEvent::Acknowledge { by: "ann".into() },
        'R' => IncidentEvent::Resolve { by: "ann".into() },
        'N' => IncidentEvent::Note { by: "ann".into(), text: "text".into() },
        'K' => return world.restart(),
        'D' => {
            // Killed, and away for a while: nothing is asked, nothing ticks.
            world.now += chrono::TimeDelta::seconds(AWAY * i64::from(EVERY));
            world.next += AWAY;
            world.restart();
            return world.input(Input::Tick);
        }
        slot => {
            world.feed(&slot.to_string());
            return;
        }
    };
    let open = world.core.incidents.values().find(|incident| incident.resolved.is_none());
    if let Some(incident) = open.map(|incident| incident.id.clone()) {
        let mut decision = Decision::default();
        world.core.handle(world.now, Input::About { incident, event }, &mut decision).unwrap();
        world.take(decision);
    }
}

/// What happens, and how many good slots go before it.
fn story() -> impl Strategy<Value = Vec<(String, u16)>> {
    let trouble = "(b{1,30}|(bb?gg?){2,12}|[gb_]{1,12}|_{1,20}|\\.{1,20}|b{2,6}[ARN]|[ARNKD]|b{3,9}D|bbAb{15,25}){1,6}";
    prop::collection::vec((trouble, 0_u16..300), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn two_months(story in story()) {
        let (mut world, mut watch) = (world(), Watch::default());
        let quiet = |count: u16| std::iter::repeat_n('g', usize::from(count));
        let course = story.iter().flat_map(|(trouble, count)| quiet(*count).chain(trouble.chars()));
        let mut course: Vec<char> = course.collect();
        course.truncate(SLOTS);
        // A week of good slots: everything has an end, and windows forget.
        course.extend(std::iter::repeat_n('g', 2_100));
        for what in course {
            act(&mut world, what);
            watch.look(&world)?;
        }
        prop_assert!(watch.open.is_empty(), "never told of the end: {:?}", watch.open);
        prop_assert!(world.core.incidents.is_empty(), "{:?}", world.core.incidents);
    }
}

/// The same every day, for exactly two months: how much is heard does not grow with how often it flaps.
#[test]
fn two_months_of_the_same_day() {
    let (mut world, mut watch) = (world(), Watch::default());
    for day in 0..61 {
        let trouble = ["bbbbbb", "bbgbbgbbgbbgbbgbbgbbgbbg", "bb_bbAbbbbb", "bbbbbbbbD"][day % 4];
        for what in trouble.chars().chain(std::iter::repeat_n('g', 288 - trouble.len())) {
            act(&mut world, what);
            watch.look(&world).unwrap();
        }
    }
    world.feed("g*2100");
    watch.look(&world).unwrap();
    assert!(watch.open.is_empty() && world.core.incidents.is_empty());
    let pages = world.told("pager").split(' ').filter(|word| word.starts_with("trigger")).count();
    assert!((20..=4 * 61).contains(&pages), "{pages}");
}
