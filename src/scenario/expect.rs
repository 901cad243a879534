//! `expect:`: what must be so at some time.

use std::collections::BTreeSet;

use super::{Budget, Expectation, read::World};
use crate::{
    config::{
        Code,
        context::nearest,
        fields::{Fields, clipped, quoted},
        finding::Finding,
        tree::{Entry, Key, Node, Spanned, Value},
        values::ANY,
    },
    domain::{
        name::{Name, SloId},
        notification::Event,
    },
};

const EVENTS: [Event; 6] =
    [Event::Trigger, Event::Acknowledge, Event::Resolve, Event::Update, Event::Digest, Event::Test];

/// One item of `expect`; `fed` are the SLOs that have figures.
pub(super) fn expectation<'a>(world: &World<'a>, node: &'a Node, fed: &[SloId]) -> Option<Expectation> {
    let fields = Fields::open(world.cx, node, node.at, "an item of `expect`")?;
    fields.require("at");
    let at = fields.seconds("at", ANY);
    let firing = fields.has("firing").then(|| {
        let words = listed(&fields, "firing");
        (world.spot(fields.key_at("firing")), firing(world, words))
    });
    let notified = fields.has("notified").then(|| {
        let entries = world.entries(&fields, "notified");
        let told = entries.iter().filter_map(|entry| told(world, entry)).collect();
        (world.spot(fields.key_at("notified")), told)
    });
    let budgets: Vec<_> = world
        .entries(&fields, "budget")
        .iter()
        .filter_map(|entry| {
            let (id, budget) = budget(world, entry, fed)?;
            Some((world.spot(entry.key.at), id, budget))
        })
        .collect();
    if !["firing", "notified", "budget"].iter().any(|key| fields.has(key)) {
        let finding = Finding::error(Code::MissingKey, fields.at, "an item of `expect` expects nothing");
        world.cx.push(finding.help("add `firing: […]`, `notified: {…}` or `budget: {…}`"));
    }
    // Asked for even where they are not written, so that a misspelt one is known.
    let _ = (fields.get("firing"), fields.get("notified"));
    fields.close();
    Some(Expectation { at: at?, firing, notified, budgets })
}

/// The words under `key`; nothing at all is reported, because `[]` is meant.
fn listed(fields: &Fields<'_>, key: &'static str) -> Vec<Key> {
    if let Some(Node { value: Value::Null, at }) = fields.get(key) {
        let finding = Finding::error(Code::WrongType, *at, format!("`{key}` must be a list of words, not nothing"));
        fields.cx.push(finding.help(format!("write `{key}: []` for none")));
        return Vec::new();
    }
    fields.words(key)
}

fn firing(world: &World<'_>, words: Vec<Key>) -> Vec<String> {
    let policies = world.rules.slos.values().flat_map(|slo| &slo.policies);
    let known: BTreeSet<&str> = policies.flat_map(|rules| &rules.watches).map(|watch| watch.name.as_str()).collect();
    let known: Vec<&str> = known.into_iter().collect();
    let mut names = Vec::new();
    for word in words {
        if !known.contains(&word.value.as_str()) {
            world.unknown("alert", &word, &known);
        }
        names.push(word.value);
    }
    names.sort();
    names
}

fn told(world: &World<'_>, entry: &Entry) -> Option<(Name, Vec<Event>)> {
    let known: Vec<&str> = world.config.receivers.keys().map(Name::as_str).collect();
    if !known.contains(&entry.key.value.as_str()) {
        world.unknown("receiver", &entry.key, &known);
        return None;
    }
    let items = match &entry.value.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(&entry.value),
    };
    let events: Option<Vec<Event>> = items.iter().map(|node| event(world, node)).collect();
    Some((Name::from(entry.key.value.as_str()), events?))
}

fn event(world: &World<'_>, node: &Node) -> Option<Event> {
    let words = EVENTS.map(Event::as_str);
    let text = node.scalar().unwrap_or_default();
    let found = EVENTS.into_iter().find(|event| event.as_str() == text);
    if found.is_none() {
        let message = match node.scalar() {
            Some(text) => format!("`{}` is no event", clipped(text)),
            None => format!("an event is one word, not {}", node.word()),
        };
        let help = match nearest(text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", quoted(&words)),
        };
        world.cx.push(Finding::error(Code::UnknownChoice, node.at, message).help(help));
    }
    found
}

fn budget(world: &World<'_>, entry: &Entry, fed: &[SloId]) -> Option<(SloId, Budget)> {
    let key = Spanned { value: entry.key.value.clone(), at: entry.key.at };
    let id = world.slo(&key)?;
    if !fed.contains(&id) {
        let finding = Finding::error(Code::UnknownReference, key.at, format!("`{id}` has no slots here"));
        world.cx.push(finding.help("write them under `feed`"));
    }
    let fields = Fields::open(world.cx, &entry.value, entry.key.at, format!("the budget of `{id}`"))?;
    let number = |key| fields.number(key, f64::MIN..=f64::MAX);
    let budget = Budget { remaining: number("remaining"), good: number("good"), total: number("total") };
    if !["remaining", "good", "total"].iter().any(|key| fields.has(key)) {
        let finding = Finding::error(Code::MissingKey, fields.at, format!("{} expects nothing", fields.owner));
        world.cx.push(finding.help("add `remaining`, `good` or `total`"));
    }
    fields.close();
    Some((id, budget))
}
