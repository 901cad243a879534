//! What a silence matches, and which are refused.

use chrono::TimeDelta;
use slod::domain::{
    decide::{Core, Decision, Input, Rejected},
    name::{Name, Series, SloId},
    policy::{Condition, Priority},
    rulebook::{PolicyRules, Rulebook},
    silence::{Matcher, SILENCES_MAX, Silence, Unwanted, check},
    slo::IndicatorKind,
};

use super::world::{World, at, planned, policy, rulebook, slo};

/// Silences are by series; so is what they mute.
#[test]
fn labels_are_matched_to_the_letter() {
    let series = |text: &str| -> Series {
        text.split_whitespace()
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    };
    let (front, back) = (SloId::new("shop", "front"), SloId::new("shop", "back"));
    for (slo, labels, id, given, covered) in [
        (None, "", &front, "", true),
        (None, "", &SloId::new("bank", "front"), "", false),
        (Some("front"), "", &front, "region=eu", true),
        (Some("front"), "", &back, "", false),
        (None, "region=eu", &front, "region=eu", true),
        (None, "region=eu", &front, "region=eu shop=1", true),
        (None, "region=eu shop=1", &front, "region=eu", false),
        (None, "region=eu", &front, "region=EU", false),
        (None, "region=eu", &front, "", false),
        (None, "region=*", &front, "region=eu", false),
    ] {
        let matcher =
            Matcher { service: "shop".into(), slo: slo.map(Name::from), policy: None, labels: series(labels) };
        assert_eq!(matcher.covers(id, &series(given)), covered, "{matcher:?} {id} {given}");
    }
}

/// Four SLOs of a shop, two of a bank; `down` and `burn` on all of them, one of them by region.
fn town() -> Rulebook {
    let mut rules = Vec::new();
    for (service, name) in [("shop", "a"), ("shop", "b"), ("shop", "c"), ("shop", "d"), ("bank", "a"), ("bank", "b")] {
        let mut one = slo(IndicatorKind::Probe, 99.0, 60);
        one.spec.id = SloId::new(service, name);
        if (service, name) == ("bank", "b") {
            one.per = vec!["region".into()];
        }
        for name in ["down", "burn"] {
            let (policy, plan) = planned(policy(name, Priority::P1, Condition::Consecutive(1)), None);
            one.policies.push(PolicyRules::new(policy, plan, &one.spec));
        }
        rules.push(one);
    }
    rulebook(rules)
}

#[test]
fn what_makes_sense() {
    let rules = town();
    let long = "x".repeat(1_001);
    let silence =
        |service: &str, slo: &str, policy: &str, labels: &[(&str, &str)], hours: i64, by: &str, reason: &str| {
            let name = |text: &str| Some(Name::from(text)).filter(|_| !text.is_empty());
            let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let matcher = Matcher { service: service.into(), slo: name(slo), policy: name(policy), labels };
            Silence::new(matcher, by, reason, at(0), at(0) + TimeDelta::hours(hours))
        };
    let hostile = [("region", "\u{202e}<script>\0")];
    let many: Vec<(String, String)> = (0..17).map(|number| (format!("l{number}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let wide = [("region", long.as_str())];
    #[rustfmt::skip]
    let cases = [
        (silence("shop", "a", "", &[], 1, "ann", "move"), Ok((1, 2))),
        (silence("shop", "a", "", &[], 168, "ann", "move"), Ok((1, 2))),
        (silence("bank", "", "", &[], 1, "ann", "move"), Ok((2, 2))),
        (silence("shop", "", "down", &[], 1, "ann", "move"), Ok((4, 1))),
        (silence("bank", "", "", &[("region", "eu")], 1, "ann", "move"), Ok((1, 2))),
        (silence("bank", "b", "down", &hostile, 1, "ann", "<b>\u{1b}[31m"), Ok((1, 1))),
        (silence("shop", "", "", &[], 1, "ann", "move"), Err("4 of 6 SLOs")),
        (silence("shop", "a", "", &[], 1, "ann", " "), Err("needs a `reason`")),
        (silence("shop", "a", "", &[], 1, "ann", &long), Err("longer than 1000")),
        (silence("shop", "a", "", &[], 1, "", "move"), Err("needs an author")),
        (silence("shop", "a", "", &[], 1, &long, "move"), Err("longer than 200")),
        (silence("shop", "a", "", &[], 0, "ann", "move"), Err("not in the future")),
        (silence("shop", "a", "", &[], -1, "ann", "move"), Err("not in the future")),
        (silence("shop", "a", "", &[], 169, "ann", "move"), Err("at most 7 days")),
        (silence("shop", "a", "", &[], 1_000_000, "ann", "move"), Err("at most 7 days")),
        (silence("", "", "", &[], 1, "ann", "move"), Err("no service ``")),
        (silence("*", "", "", &[], 1, "ann", "move"), Err("no service `*`")),
        (silence("shop", "z", "", &[], 1, "ann", "move"), Err("no SLO `z`")),
        (silence("shop", "a", "up", &[], 1, "ann", "move"), Err("no policy `up`")),
        (silence("shop", "a", "", &hostile, 1, "ann", "move"), Err("no SLO there with series of these labels")),
        (silence("bank", "b", "", &[("shop", "1")], 1, "ann", "move"), Err("no SLO there with series of these labels")),
        (silence("bank", "b", "", &many, 1, "ann", "move"), Err("at most 16 labels")),
        (silence("bank", "b", "", &wide, 1, "ann", "move"), Err("at most 16 labels")),
    ];
    for (silence, expected) in cases {
        let got = check(&silence, &rules, at(0)).map(|scope| (scope.slos.len(), scope.policies.len()));
        match (&got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(*got, expected, "{silence:?}"),
            (Err(why), Err(said)) => assert!(why.to_string().contains(said), "{why}: {silence:?}"),
            _ => panic!("{got:?} instead of {expected:?}: {silence:?}"),
        }
    }
}

/// Where there is one SLO, a silence that names it is taken.
#[test]
fn a_small_town() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)));
    let matcher = |slo: Option<&str>| Matcher {
        service: "shop".into(),
        slo: slo.map(Name::from),
        policy: None,
        labels: Series::new(),
    };
    let whole = Silence::new(matcher(None), "ann", "move", at(0), at(60));
    assert_eq!(world.core.scope_of(&whole, at(0)), Err(Unwanted::TooBroad { covers: 1, all: 1 }));
    world.feed("b");
    let named = Silence::new(matcher(Some("front")), "ann", "move", at(60), at(120));
    let scope = world.core.scope_of(&named, at(60)).unwrap();
    assert_eq!((scope.whole, scope.all, scope.incidents), (1, 1, vec![world.incident().id.clone()]));
}

#[test]
fn so_many_and_no_more() {
    let mut core = Core::new(std::sync::Arc::new(town()));
    let mut made = Vec::new();
    for number in 0..10_000 {
        let matcher = Matcher { service: "shop".into(), slo: Some("a".into()), policy: None, labels: Series::new() };
        let silence = Silence::new(matcher, "ann", &format!("move {number}"), at(0), at(3_600));
        let id = silence.id.clone();
        let mut decision = Decision::default();
        match core.handle(at(0), Input::Silence(Box::new(silence)), &mut decision) {
            Ok(()) => made.push(id),
            Err(why) => {
                assert_eq!(why, Rejected::Unwanted(Unwanted::TooMany));
                assert!(decision.silences.is_empty());
            }
        }
    }
    assert_eq!((made.len(), core.silences.len()), (SILENCES_MAX, SILENCES_MAX));
    let mut decision = Decision::default();
    let expire = |id: &str| Input::Unsilence { id: id.to_owned(), by: "bob".into() };
    core.handle(at(10), expire(&made[0]), &mut decision).unwrap();
    assert_eq!(decision.silences[0].expired.as_ref().map(|end| (end.at, end.by.as_str())), Some((at(10), "bob")));
    let again = core.handle(at(11), expire(&made[0]), &mut decision);
    assert_eq!(again, Err(Rejected::NoSilence(made[0].clone())));
    core.forget_finished(at(11));
    assert_eq!(core.silences.len(), SILENCES_MAX - 1);
    core.forget_finished(at(3_600));
    assert!(core.silences.is_empty());
}
