//! Series come and go: one that is gone is not judged any more, and blindness is not being gone.

use std::collections::BTreeMap;

use slod::domain::{
    decide::{Input, SeriesKey},
    name::Series,
    notification::Message,
    policy::{Condition, Priority},
    slo::IndicatorKind,
    slot::{Gap, Reading, SlotAnswer},
};

use super::world::{START, World, policy, slo};

fn series(tenant: &str) -> Series {
    BTreeMap::from([("tenant".to_owned(), tenant.to_owned())])
}

fn per_tenant(every: u32) -> World {
    let mut rules = slo(IndicatorKind::Ratio, 99.0, every);
    rules.per = vec!["tenant".into()];
    let mut world = World::with(rules, policy("down", Priority::P1, Condition::Consecutive(2)));
    world.core.series.clear();
    world
}

/// So many slots with these answers (tenant, what); a source that does not answer at all for `None`.
fn ask(world: &mut World, every: i64, slots: i64, answers: Option<&[(&str, char)]>) {
    for _ in 0..slots {
        let slot = world.next;
        world.next += 1;
        world.until(world.next * every - START);
        let found = answers.unwrap_or_default().iter();
        let found = found.map(|(tenant, what)| SlotAnswer {
            slot,
            series: series(tenant),
            reading: world.reading(*what).unwrap(),
        });
        let slots = found.collect();
        let gap = if answers.is_some() { Gap::NoData } else { Gap::NoAnswer("timeout".into()) };
        let (id, absent) = (world.key.id.clone(), Reading::Unmeasured(gap));
        world.input(Input::Settled { id, asked: slot..slot + 1, slots, absent, degraded: None, late: false });
    }
}

fn tenants(world: &World) -> String {
    world.core.series.keys().map(|key| key.series["tenant"].as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_series_that_is_gone_for_a_day_is_retired() {
    let mut world = per_tenant(3_600);
    ask(&mut world, 3_600, 3, Some(&[("acme", 'g'), ("bolt", 'b')]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger", "acme bolt"));
    ask(&mut world, 3_600, 23, Some(&[("acme", 'g')]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger", "acme bolt"));
    ask(&mut world, 3_600, 1, Some(&[("acme", 'g')]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger resolve", "acme"));
    let end = world.incident().clone();
    assert_eq!(end.title, "shop front [bolt]: series is gone: nothing of it is measured any more");
    assert!(end.resolved.is_some_and(|end| end.gone));
    // It comes back: what is stored of it is asked for first.
    let slots = vec![SlotAnswer { slot: world.next, series: series("bolt"), reading: Reading::Empty }];
    let input = Input::Settled {
        id: world.key.id.clone(),
        asked: world.next..world.next + 1,
        slots,
        absent: Reading::Empty,
        degraded: None,
        late: false,
    };
    let bolt = SeriesKey { id: world.key.id.clone(), series: series("bolt") };
    assert_eq!(world.core.unknown_series(&input), [bolt]);
    ask(&mut world, 3_600, 2, Some(&[("acme", 'g'), ("bolt", 'b')]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger resolve trigger/2", "acme bolt"));
}

/// Long slots count as slots: twelve of a day each.
#[test]
fn long_slots_have_time() {
    let mut world = per_tenant(86_400);
    ask(&mut world, 86_400, 1, Some(&[("acme", 'g'), ("bolt", 'g')]));
    ask(&mut world, 86_400, 11, Some(&[("acme", 'g')]));
    assert_eq!(tenants(&world), "acme bolt");
    ask(&mut world, 86_400, 1, Some(&[("acme", 'g')]));
    assert_eq!(tenants(&world), "acme");
}

/// A source that does not answer for days, and then for a while without its series.
#[test]
fn blindness_retires_nothing() {
    let mut world = per_tenant(600);
    ask(&mut world, 600, 3, Some(&[("acme", 'b')]));
    ask(&mut world, 600, 500, None);
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger", "acme"));
    ask(&mut world, 600, 11, Some(&[]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger", "acme"));
    ask(&mut world, 600, 1, Some(&[("acme", 'b')]));
    ask(&mut world, 600, 100, Some(&[]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger", "acme"));
    ask(&mut world, 600, 44, Some(&[]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger resolve", ""));
}

/// An SLO that is one whole is never gone.
#[test]
fn one_whole_is_never_gone() {
    let mut world =
        World::with(slo(IndicatorKind::Ratio, 99.0, 600), policy("down", Priority::P1, Condition::Consecutive(2)));
    world.feed("bb _*500");
    assert_eq!((world.told("pager").as_str(), world.core.series.len()), ("trigger", 1));
}

fn headline(message: &Message) -> Option<&str> {
    match message {
        Message::Notification(notification) => Some(&notification.headline),
        _ => None,
    }
}

/// Each series has its own incident, named by its labels.
#[test]
fn titles_name_the_labels() {
    let mut world = per_tenant(60);
    ask(&mut world, 60, 2, Some(&[("a\u{202e}cme", 'b'), ("bolt", 'b'), ("cafe", 'g')]));
    let mut titles: Vec<&str> = world.core.incidents.values().map(|incident| incident.title.as_str()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["shop front [a cme]: too many bad events", "shop front [bolt]: too many bad events"]);
    let mut said: Vec<&str> = world.heard.iter().filter_map(|heard| headline(&heard.outgoing.message)).collect();
    said.sort_unstable();
    said.dedup();
    assert_eq!(
        said,
        ["shop front [a cme]: too many bad events for 2 min", "shop front [bolt]: too many bad events for 2 min"]
    );
}

#[test]
fn what_nobody_ever_saw_is_not_silent() {
    let mut rules = slo(IndicatorKind::Ratio, 99.0, 60);
    rules.per = vec!["tenant".into()];
    let mut world = World::with(rules, policy("silent", Priority::P2, Condition::NoData(180)));
    world.core.series.clear();
    // A typo in a label, or a source that is away from the first start on.
    ask(&mut world, 60, 2, Some(&[]));
    ask(&mut world, 60, 2, None);
    assert_eq!(world.told("pager"), "trigger");
    assert_eq!(world.core.series.len(), 1);
    // The first series comes, and the one that stood in for it goes.
    ask(&mut world, 60, 1, Some(&[("acme", 'g')]));
    assert_eq!((world.told("pager").as_str(), tenants(&world).as_str()), ("trigger resolve", "acme"));
}

#[test]
fn those_that_wait_get_the_places_of_those_that_are_gone() {
    let mut rules = slo(IndicatorKind::Ratio, 99.0, 60);
    (rules.per, rules.max_series) = (vec!["tenant".into()], 2);
    let mut world = World::with(rules, policy("down", Priority::P1, Condition::Consecutive(2)));
    world.core.series.clear();
    ask(&mut world, 60, 1, Some(&[("acme", 'g'), ("bolt", 'g')]));
    ask(&mut world, 60, 11, Some(&[("acme", 'g'), ("cargo", 'g')]));
    assert_eq!(tenants(&world), "acme bolt");
    ask(&mut world, 60, 2, Some(&[("acme", 'g'), ("cargo", 'g')]));
    assert_eq!(tenants(&world), "acme cargo");
}
