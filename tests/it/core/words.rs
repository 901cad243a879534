//! Numbers and names in messages.

use slod::domain::{
    message::{percent, span_words},
    name::SloId,
    notification::{Message, Notification},
    policy::{Condition, Priority},
    rulebook::PolicyRules,
    slo::IndicatorKind,
};

use super::world::{World, planned, policy, slo};

fn messages(world: &World) -> Vec<Notification> {
    let notification = |message: &Message| match message {
        Message::Notification(notification) => Some((**notification).clone()),
        Message::StatusPost(_) | Message::Bulletin(_) | Message::Record(_) => None,
    };
    world.heard.iter().filter_map(|heard| notification(&heard.outgoing.message)).collect()
}

#[test]
fn headlines_fit_into_eighty_characters_whatever_the_names() {
    let long = "näme-".repeat(60);
    for kind in [
        IndicatorKind::Probe,
        IndicatorKind::Value,
        IndicatorKind::Latency,
        IndicatorKind::Uptime,
        IndicatorKind::Ratio,
    ] {
        for (service, name) in [("shop", "front"), (&*long, "front"), ("shop", &*long), (&*long, &*long)] {
            let mut rules = slo(kind, 99.0, 60);
            rules.spec.id = SloId::new(service, name);
            rules.good = "<= 123456789 very-long-units-of-something-measured".into();
            let mut policy = policy("down", Priority::P1, Condition::Consecutive(1));
            policy.min_bad = 1;
            let mut world = World::with(rules, policy);
            world.feed("bbb g");
            let messages = messages(&world);
            assert_eq!(messages.len(), 4);
            for message in messages {
                let length = message.headline.chars().count();
                assert!(length <= 80, "{length}: {}", message.headline);
                assert!(message.headline.contains(": "), "{}", message.headline);
            }
        }
    }
}

#[test]
fn hostile_labels_stay_on_one_line() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)));
    let mut key = world.key.clone();
    key.series.insert("path".into(), format!("a\nBcc: x\u{1b}[31m\r\u{202e}{}", "y".repeat(5_000)));
    let state = world.core.series[&world.key].clone();
    world.core.series.insert(key.clone(), state);
    world.key = key;
    world.feed("b");
    for message in messages(&world) {
        assert!(
            message.headline.chars().all(|letter| !letter.is_control() && letter != '\u{202e}'),
            "{:?}",
            message.headline
        );
        assert!(message.headline.chars().count() <= 80);
    }
}

#[test]
fn headlines_say_state_and_damage() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 300), policy("down", Priority::P1, Condition::Consecutive(2)));
    world.feed("bb").acknowledge().feed("b g");
    let headlines: Vec<_> = messages(&world).into_iter().map(|message| message.headline).collect();
    assert_eq!(headlines[0], "shop front: health check failing for 10 min");
    assert_eq!(headlines.last().unwrap(), "shop front: good again after 10 min");
}

/// A policy's second opening does not say that nobody resolved it for 0 s.
#[test]
fn reasons_are_sentences_that_hold() {
    let down = policy("down", Priority::P2, Condition::Consecutive(1));
    let mut later = policy("later", Priority::P1, Condition::Consecutive(3));
    later.notify = vec!["boss".into()];
    let mut world = World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(down, None), planned(later, None)]);
    world.feed("bgbbb");
    let reasons: Vec<_> = messages(&world).into_iter().map(|message| message.reason).collect();
    assert!(reasons.iter().all(|reason| !reason.contains("0s") && !reason.is_empty()), "{reasons:?}");
}

#[test]
fn percent_and_time_words() {
    for (share, words) in [
        (0.999_7, "100 %"),
        (0.099_6, "10 %"),
        (0.095, "9.5 %"),
        (0.000_4, "0 %"),
        (-0.000_4, "0 %"),
        (-11.0, "−1100 %"),
        (f64::INFINITY, "inf %"),
    ] {
        assert_eq!(percent(share), words);
    }
    for (seconds, words) in [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (601, "10 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (3_661, "1 h 1 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (86_460, "1 d"),
    ] {
        assert_eq!(span_words(chrono::TimeDelta::seconds(seconds)), words);
    }
}

/// Figures for machines are finite, whatever was counted.
#[test]
fn figures_are_finite() {
    let mut rules = slo(IndicatorKind::Ratio, 99.999_999_9, 60);
    let (policy, plan) = planned(policy("down", Priority::P1, Condition::Consecutive(1)), None);
    rules.policies = vec![PolicyRules::new(policy.clone(), plan, &rules.spec)];
    for events in [1e300, 1e-300, 9e15] {
        let mut world = World::with(rules.clone(), {
            let mut p = policy.clone();
            p.min_bad = 0;
            p
        });
        world.events = events;
        world.feed("bgb");
        for message in messages(&world) {
            assert!(message.figures.values().all(|figure| figure.is_finite()), "{:?}", message.figures);
            assert!(message.lines.iter().all(|line| !line.contains("NaN")), "{:?}", message.lines);
        }
    }
}

/// The incident is the same, but what was good in between was not failing.
#[test]
fn what_opens_again_fails_since_then() {
    let mut world =
        World::with(slo(IndicatorKind::Probe, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)));
    world.feed("b g*6 b");
    let again = messages(&world).pop().unwrap();
    assert_eq!((again.event.as_str(), &*again.reason), ("trigger", "firing again"));
    assert!(again.headline.ends_with("health check failing for 1 min"), "{}", again.headline);
}
