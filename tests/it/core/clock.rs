//! A clock that jumps, a configuration that changes, many series.

use std::sync::Arc;

use slod::domain::{
    alert::AlertState,
    decide::{Decision, SeriesKey},
    name::SloId,
    policy::{Condition, Policy, Priority},
    rulebook::{PolicyRules, Rulebook, SloRules},
    slo::IndicatorKind,
};

use super::world::{World, at, planned, policy, rulebook, settled, slo};

fn run(name: &str, slots: u32) -> Policy {
    policy(name, Priority::P1, Condition::Consecutive(slots))
}

fn probe(every: u32) -> SloRules {
    slo(IndicatorKind::Probe, 99.0, every)
}

/// The clock was an hour ahead for two minutes. Slots of that hour are no truth when the real ones come.
#[test]
fn a_clock_that_jumps_ahead_and_back() {
    let mut world = World::with(probe(60), run("down", 3));
    world.feed("ggg");
    let back = world.next;
    world.next += 60;
    world.feed("gg");
    world.next = back;
    world.now = at(180);
    world.feed("bbb");
    assert_eq!(world.minutes("pager"), "6:trigger", "three bad slots in a row, now");
    world.feed("g");
    assert_eq!(world.minutes("pager"), "6:trigger 7:resolve");
    world.feed("g*55 bbb g");
    assert_eq!(
        world.minutes("pager"),
        "6:trigger 7:resolve 65:trigger 66:resolve",
        "the hour that was skipped, when it comes"
    );
}

/// It fired in the wrong hour: what it waits for must not lie in the future.
#[test]
fn an_alert_that_fired_ahead_of_time_ends_in_time() {
    let mut world = World::with(probe(60), run("down", 2));
    world.feed("ggg");
    let back = world.next;
    world.next += 60;
    world.feed("bb");
    assert_eq!(world.told("pager"), "trigger");
    world.next = back;
    world.now = at(180);
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve");
    assert_eq!(world.state("down"), AlertState::Ok);
}

/// Half a second back over the edge of a slot: nothing is lost.
#[test]
fn a_small_step_back_loses_nothing() {
    let mut world = World::with(probe(60), run("down", 2));
    world.feed("gb");
    // a probe is settled at its slot's start; then the clock steps back behind that start
    world.until(121);
    let slot = world.next;
    let bad = world.reading('b').unwrap();
    world.settled(slot, bad);
    assert_eq!(world.told("pager"), "trigger");
    world.now = at(119);
    world.late(-3, 'g');
    world.next += 1;
    world.feed("b g");
    assert_eq!(world.told("pager"), "trigger resolve");
    assert_eq!(world.core.series[&world.key].ledger.back_from(i64::MAX / 2).count(), 6);
}

#[test]
fn a_long_sleep_is_only_a_gap() {
    let mut world = World::with(probe(60), run("down", 3));
    world.feed("gbb .*10 b");
    assert_eq!(world.minutes("pager"), "14:trigger", "ten missing slots are held");
    let mut world = World::with(probe(60), run("down", 3));
    world.feed("gbb .*600 b");
    assert_eq!(world.told("pager"), "", "ten hours are not");
    world.feed("bb");
    assert_eq!(world.told("pager"), "trigger");
}

pub fn adopt(world: &mut World, rules: Rulebook) -> String {
    let mut decision = Decision::default();
    world.core.adopt(Arc::new(rules));
    let touched = world.core.retire(world.now, &mut decision);
    world.take(decision);
    touched.to_string()
}

fn rules(every: u32, policies: Vec<Policy>) -> Rulebook {
    let mut slo = probe(every);
    let policies = policies.into_iter().map(|one| planned(one, None));
    slo.policies = policies.map(|(policy, plan)| PolicyRules::new(policy, plan, &slo.spec)).collect();
    rulebook(vec![slo])
}

#[test]
fn a_policy_that_is_taken_away_ends_its_incident() {
    let mut world = World::with(probe(60), run("down", 1));
    world.feed("bb");
    let said = adopt(&mut world, rules(60, vec![run("other", 5)]));
    assert_eq!(said, format!("; ended incidents: {} shop/front", world.incident().id));
    assert_eq!(world.told("pager"), "trigger resolve");
    assert!(world.lines.iter().any(|line| line.starts_with("reload down")));
    world.feed("bbb");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2", "the other one has its own view");
}

/// One of two alerts goes: the incident stays, and is named.
#[test]
fn a_policy_that_is_taken_away_beside_another() {
    let both = vec![planned(run("down", 1), None), planned(run("down-long", 2), None)];
    let mut world = World::new(probe(60), both);
    world.feed("bb");
    let said = adopt(&mut world, rules(60, vec![run("down-long", 2)]));
    assert_eq!(said, format!("; changed incidents: {} shop/front", world.incident().id));
    assert_eq!(world.told("pager"), "trigger");
    world.feed("g");
    assert_eq!(world.incident().title, "shop front: good again after 2 min");
}

#[test]
fn the_same_policies_again_change_nothing() {
    let mut world = World::with(probe(60), run("down", 1));
    world.feed("bb");
    assert_eq!(adopt(&mut world, rules(60, vec![run("down", 1), run("other", 50)])), "");
    world.feed("bg");
    assert_eq!(world.minutes("pager"), "1:trigger 4:resolve");
}

/// A stricter line on a firing alert: it clears by its new condition.
#[test]
fn a_changed_condition_is_judged_at_the_next_slot() {
    let mut world = World::with(probe(60), run("down", 1));
    world.feed("gb");
    adopt(&mut world, rules(60, vec![run("down", 5)]));
    world.feed("b");
    assert_eq!(world.told("pager"), "trigger resolve");
}

/// Another slot length: the ledger begins anew in memory, the alert and its incident go on.
#[test]
fn another_slot_length_keeps_alert_and_incident() {
    let mut world = World::with(probe(60), run("down", 1));
    world.feed("b*10");
    adopt(&mut world, rules(300, vec![run("down", 1)]));
    assert_eq!(world.firing(), ["down"]);
    world.next = world.next * 60 / 300;
    world.feed("b");
    assert_eq!(world.told("pager"), "trigger");
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve");
}

/// An SLO that is taken away with everything on it, its status page and its receivers.
#[test]
fn an_slo_that_is_taken_away() {
    let mut slo = probe(60);
    slo.status = Some(super::world::status_page(true, 300));
    let mut world = World::with(slo, run("down", 1));
    world.feed("b*10");
    let mut rules = rulebook(Vec::new());
    rules.hearers.remove("chat");
    adopt(&mut world, rules);
    assert_eq!((world.told("pager"), world.told("chat")), ("trigger resolve".into(), "trigger".into()));
    world.until(7_200);
    assert!(world.core.incidents.is_empty(), "nothing wants to be woken for ever");
}

#[test]
fn a_status_page_that_is_taken_away() {
    let mut slo = probe(60);
    slo.status = Some(super::world::status_page(true, 60));
    let mut world = World::with(slo, run("down", 1));
    world.feed("bbb");
    adopt(&mut world, rules(60, vec![run("down", 1)]));
    world.feed("b*30 g");
    world.until(7_200);
    assert_eq!(world.told("lead"), "update", "no reminders of a page that is no more");
    assert!(world.core.incidents.is_empty());
}

#[test]
fn a_source_that_is_taken_away_ends_its_incident() {
    let mut world = World::with(probe(60), run("down", 1));
    for minute in 1..=7 {
        world.until(minute * 60);
        world.hears(Some("refused"));
    }
    let mut rules = rules(60, vec![run("down", 1)]);
    rules.sources.clear();
    adopt(&mut world, rules);
    assert_eq!(world.told("chat"), "trigger resolve");
}

/// Series do not touch each other.
#[test]
fn many_series() {
    let mut slos = Vec::new();
    for number in 0..50 {
        let mut slo = probe(60);
        slo.spec.id = SloId::new("shop", format!("s{number:02}"));
        let (policy, plan) = planned(run("down", 2), None);
        slo.policies = vec![PolicyRules::new(policy, plan, &slo.spec)];
        slos.push(slo);
    }
    let mut world = World::with(probe(60), run("down", 2));
    world.core.adopt(Arc::new(rulebook(slos)));
    let first = world.next;
    for minute in 0..4 {
        world.until((minute + 1) * 60);
        for number in 0..50 {
            let key = SeriesKey::whole(SloId::new("shop", format!("s{number:02}")));
            let reading = world.reading(if number % 7 == 0 && minute < 3 { 'b' } else { 'g' }).unwrap();
            world.input(settled(&key, first + minute, reading));
        }
    }
    let triggers = world.told("pager").split(' ').filter(|word| *word == "trigger").count();
    let resolves = world.told("pager").split(' ').filter(|word| *word == "resolve").count();
    assert_eq!((triggers, resolves), (8, 8));
    assert_eq!(world.core.incidents.len(), 8);
}
