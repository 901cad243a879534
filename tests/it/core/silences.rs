//! Silences and planned work: what is muted, what goes out all the same, what is told at the end.

use chrono::TimeDelta;
use slod::domain::{
    decide::Input,
    incident::IncidentEvent,
    muting::Work,
    name::{Name, SloId},
    notification::{Event, Message},
    policy::{Condition, Policy, Priority, Unless},
    slo::IndicatorKind,
    slot::Span,
};

use super::world::{START, World, planned, policy, slo, status_page, steps};

/// One alert on the first bad check: pager and chat at once, the boss after 5 minutes, the lead after 10 even if
/// somebody has it. An acknowledgement holds for 15 minutes.
fn escalated() -> World {
    let ladder = steps(
        &[
            (0, Unless::Acknowledged, "pager chat"),
            (300, Unless::Acknowledged, "boss"),
            (600, Unless::Resolved, "lead"),
        ],
        Some(900),
    );
    let down = quiet(policy("down", Priority::P1, Condition::Consecutive(1)), &[]);
    World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(down, Some(&ladder))])
}

fn quiet(mut policy: Policy, notify: &[&str]) -> Policy {
    policy.notify = notify.iter().map(|name| (*name).into()).collect();
    policy
}

/// Work from the start of minute `from` until that of minute `to`.
fn work(from: i64, to: i64) -> Work {
    let spans = vec![Span { start: START + from * 60, end: START + to * 60 }];
    Work {
        name: "move".into(),
        reason: Some("to another rack".into()),
        slos: vec![SloId::new("shop", "front")].into(),
        spans,
    }
}

/// `S10` silences for ten minutes, `S10:down` one policy; `M5-9` plans work; `X` ends all silences early; `A` takes the
/// incident, `R` ends it, `N` notes; `K` kills and starts again; all else are slots.
fn play(world: &mut World, script: &str) {
    for word in script.split_whitespace() {
        match word.split_at(1) {
            ("S", rest) => {
                let (minutes, policy) = rest.split_once(':').map_or((rest, None), |(first, last)| (first, Some(last)));
                world.silence(policy, minutes.parse::<i64>().unwrap() * 60);
            }
            ("M", rest) => {
                let (from, to) = rest.split_once('-').unwrap();
                world.input(Input::Planned(vec![work(from.parse().unwrap(), to.parse().unwrap())]));
            }
            ("X", _) => {
                for id in world.core.silences.keys().cloned().collect::<Vec<_>>() {
                    world.expire(&id);
                }
            }
            ("A", _) => _ = world.acknowledge(),
            ("R", _) => _ = world.resolve(),
            ("N", _) => _ = world.about(IncidentEvent::Note { by: "ann".into(), text: "looking".into() }),
            ("K", _) => world.restart(),
            _ => _ = world.feed(word),
        }
    }
}

#[test]
fn what_is_muted_and_what_is_told_at_the_end() {
    #[rustfmt::skip]
    let cases = [
        // script, pager, chat, boss (5m), lead (10m, whoever has it)
        ("b*12", "1:trigger", "1:trigger", "6:trigger", "11:trigger"),
        ("S10 b*12", "10:trigger", "10:trigger", "10:trigger", "11:trigger"),
        ("M0-10 b*12", "10:trigger", "10:trigger", "10:trigger", "11:trigger"),
        ("M0-10 S20 b*25", "20:trigger", "20:trigger", "20:trigger", "20:trigger"),
        ("S60 M3-50 b*5 X b*50", "50:trigger", "50:trigger", "50:trigger", "50:trigger"),
        // Over before the silence ends: nobody ever hears of it.
        ("S10 b*5 g*9", "", "", "", ""),
        ("M0-10 b*5 g*9", "", "", "", ""),
        ("S10 b*8 g bb", "10:trigger/2", "10:trigger", "10:trigger/2", "11:trigger"),
        // Told before: the end is told during it.
        ("b S10 b*3 g", "1:trigger 5:resolve", "1:trigger 5:resolve", "", ""),
        ("b S10 R b*20", "1:trigger 1:resolve", "1:trigger 1:resolve", "", ""),
        ("b M2-10 b*3 g*9", "1:trigger 5:resolve", "1:trigger 5:resolve", "", ""),
        // Steps become due meanwhile.
        ("b S10 b*12", "1:trigger", "1:trigger", "11:trigger", "11:trigger"),
        ("b M2-8 b*12", "1:trigger", "1:trigger", "8:trigger", "11:trigger"),
        ("b S10 b*12 g", "1:trigger 14:resolve", "1:trigger 14:resolve", "11:trigger 14:resolve", "11:trigger 14:resolve"),
        // Ended early, and nothing is told twice.
        ("S60 b*3 X b*9", "3:trigger", "3:trigger", "6:trigger", "11:trigger"),
        ("S60 S30 b*3 X b*9", "3:trigger", "3:trigger", "6:trigger", "11:trigger"),
        // Somebody takes it: a pager hears that at once, a conversation later, steps are spared.
        ("b S10 A b*12", "1:trigger 1:acknowledge", "1:trigger 11:acknowledge", "", "11:trigger"),
        ("S10 b A b*12", "", "", "", "11:trigger"),
        // … and it lapses after 15 minutes, still muted.
        ("b S30 A b*33", "1:trigger 1:acknowledge 31:trigger/2", "1:trigger 31:trigger", "31:trigger/2", "31:trigger"),
        ("S30 b A b*33", "30:trigger/2", "30:trigger", "30:trigger/2", "30:trigger"),
        ("b S30 A b*20 A b*14", "1:trigger 1:acknowledge 21:acknowledge", "1:trigger 31:acknowledge", "", "31:trigger"),
        // A relapse.
        ("b g S10 b*12", "1:trigger 2:resolve 12:trigger/2", "1:trigger 2:resolve 12:trigger", "12:trigger/2", "12:trigger"),
        ("b g S10 b*3 g*9", "1:trigger 2:resolve", "1:trigger 2:resolve", "", ""),
        // News wait too, and are one.
        ("b S4 N N b*6", "1:trigger", "1:trigger 5:update", "6:trigger", ""),
        ("b S4 N b*2 g", "1:trigger 4:resolve", "1:trigger 4:resolve", "", ""),
        ("b S4 N R", "1:trigger 1:resolve", "1:trigger 1:resolve", "", ""),
        // What is out is out; the next incident is heard.
        ("S5 b*2 g*12 b", "15:trigger", "15:trigger", "", ""),
    ];
    for (script, pager, chat, boss, lead) in cases {
        for killed in [false, true] {
            let mut world = escalated();
            let script = if killed { script.replace(' ', " K ") } else { script.to_owned() };
            play(&mut world, &script);
            let told = ["pager", "chat", "boss", "lead"].map(|who| world.minutes(who));
            assert_eq!(told, [pager, chat, boss, lead], "{script}\n{}", world.lines.join("\n"));
        }
    }
}

#[test]
fn the_timeline_and_the_messages_say_why() {
    let mut world = escalated();
    play(&mut world, "S10 b*12");
    let lines: Vec<&str> = world.lines.iter().map(String::as_str).filter(|line| line.starts_with("muted")).collect();
    assert_eq!(
        lines,
        [
            "muted silenced until 2026-01-05 00:10:00 UTC by ann: database move",
            "muted step 1 of down is due: pager, chat not told now",
            "muted step 2 of down is due: boss not told now",
            "muted silence ended (by ann: database move)",
        ]
    );
    let said = |world: &World| {
        let reason = |heard: &super::world::Heard| match &heard.outgoing.message {
            Message::Notification(message) => format!("{}{}", message.reason, if message.late { " LATE" } else { "" }),
            _ => String::new(),
        };
        world.heard.iter().map(reason).collect::<Vec<_>>()
    };
    assert_eq!(
        said(&world),
        [
            "silence ended: down opened",
            "silence ended: down opened",
            "silence ended: down: not acknowledged 5m after it fired",
            "down: not resolved 10m after it fired",
        ]
    );
    let mut world = escalated();
    play(&mut world, "b g M3-5 b*3");
    assert!(
        world
            .lines
            .contains(&"muted muted until 2026-01-05 00:05:00 UTC by maintenance `move`: to another rack".to_owned())
    );
    assert_eq!(said(&world).last().map(String::as_str), Some("maintenance ended: firing again"));
    assert!(world.incident().muted.is_none());
}

fn two(first: Policy, second: Policy) -> World {
    World::new(slo(IndicatorKind::Probe, 99.0, 60), vec![planned(first, None), planned(second, None)])
}

/// A silence of one policy mutes only what that policy's alerts would say.
#[test]
fn of_one_policy() {
    let run = |name: &str, priority, slots, notify: &[&str]| {
        quiet(policy(name, priority, Condition::Consecutive(slots)), notify)
    };
    let minor = || run("minor", Priority::P3, 1, &["chat", "lead"]);
    let major = || run("major", Priority::P1, 3, &["pager", "chat"]);
    #[rustfmt::skip]
    let cases = [
        // script, pager, chat, lead
        ("b*12", "3:trigger", "1:trigger 3:trigger", "1:trigger 3:trigger"),
        ("S10:major b*12", "10:trigger", "1:trigger 10:trigger", "1:trigger 10:trigger"),
        ("S10:minor b*12", "3:trigger", "3:trigger", "10:trigger"),
        ("S10:minor b*5 g*9", "3:trigger 6:resolve", "3:trigger 6:resolve", ""),
        ("S10:major b*5 g*9", "", "1:trigger 6:resolve", "1:trigger 6:resolve"),
        // Taken at the lower priority: the rise that nobody heard opens it again, unless somebody took it since.
        ("S10:major b A b*12", "10:trigger/2", "1:trigger 1:acknowledge 10:trigger", "1:trigger 1:acknowledge 10:trigger"),
        ("S10:major b*5 A b*9", "", "1:trigger 5:acknowledge", "1:trigger 5:acknowledge"),
        ("S10:major S20:minor b*22", "10:trigger", "10:trigger", "20:trigger"),
    ];
    for (script, pager, chat, lead) in cases {
        for killed in [false, true] {
            let mut world = two(minor(), major());
            let script = if killed { script.replace(' ', " K ") } else { script.to_owned() };
            play(&mut world, &script);
            let told = ["pager", "chat", "lead"].map(|who| world.minutes(who));
            assert_eq!(told, [pager, chat, lead], "{script}\n{}", world.lines.join("\n"));
        }
    }
}

/// What a muted alert is about is in nobody's message, and its priority wakes nobody.
#[test]
fn a_muted_alert_is_not_in_what_others_say() {
    let loud = quiet(policy("loud", Priority::P4, Condition::Consecutive(2)), &["boss"]);
    let silent = quiet(policy("silent", Priority::P1, Condition::Consecutive(1)), &["pager"]);
    let mut world = two(loud, silent);
    play(&mut world, "S10:silent b*5");
    assert_eq!((world.minutes("boss"), world.minutes("pager")), ("2:trigger".into(), String::new()));
    let outgoing = &world.heard[0].outgoing;
    assert_eq!(outgoing.priority, Priority::P4);
    let Message::Notification(message) = &outgoing.message else { panic!() };
    assert_eq!(message.policies, [(Name::from("loud"), Priority::P4)]);
    assert_eq!(world.incident().priority, Priority::P1, "what is so is shown");
    play(&mut world, "b*6");
    assert_eq!((world.minutes("boss"), world.minutes("pager")), ("2:trigger 10:trigger".into(), "10:trigger".into()));
}

#[test]
fn fallbacks_wait_too() {
    let undelivered = |world: &mut World, event| {
        let (receiver, fallback, why) = ("pager".into(), "mail".into(), "400 invalid key".into());
        world.about(IncidentEvent::Undelivered { receiver, fallback, event, why });
    };
    for (script, event, then, told) in [
        ("b S5", Event::Trigger, "b*7", "6:trigger"),
        ("b S5", Event::Trigger, "g*7", ""),
        // It stands for the end, which goes out.
        ("b S5 R", Event::Resolve, "", "1:update"),
        // The page was never sent, and it is over.
        ("b S5 R", Event::Trigger, "b*7", ""),
    ] {
        let mut world = escalated();
        play(&mut world, script);
        undelivered(&mut world, event);
        play(&mut world, then);
        assert_eq!(world.minutes("mail"), told, "{script} {event:?} {then}");
    }
}

#[test]
fn the_public_page() {
    #[rustfmt::skip]
    let cases = [
        // people approve, script, public, reminded
        (false, "b*7", "6:investigating", ""),
        (false, "S20 b*30", "20:investigating", ""),
        (false, "M0-20 b*30 g*12", "20:investigating 31:monitoring 41:resolved", ""),
        (false, "S20 b*9 g*30", "", ""),
        (false, "M3-20 b*9 g*30", "", ""),
        // What is public already goes its way to the end.
        (false, "b*7 S30 g*12", "6:investigating 8:monitoring 18:resolved", ""),
        // A relapse waits.
        (false, "b*7 g S9 b*12", "6:investigating 8:monitoring 17:investigating", ""),
        // Reminders: when it is confirmed, five minutes before the deadline, at the deadline.
        (true, "b*30", "", "6:update 16:update 21:update"),
        (true, "S20 b*40", "", "20:update 30:update 35:update"),
        (true, "b*7 S11 b*20", "", "6:update 18:update 21:update"),
        (true, "b*7 S30 b*35", "", "6:update 37:update"),
    ];
    for (approve, script, public, lead) in cases {
        let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
        rules.status = Some(status_page(approve, 300));
        let down = quiet(policy("down", Priority::P1, Condition::Consecutive(1)), &["chat"]);
        let mut world = World::new(rules, vec![planned(down, None)]);
        play(&mut world, script);
        assert_eq!([world.minutes("public"), world.minutes("lead")], [public, lead], "{approve} {script}");
    }
}

/// A person who posts a draft is a person: nothing mutes that.
#[test]
fn people_post_all_the_same() {
    let mut rules = slo(IndicatorKind::Probe, 99.0, 60);
    rules.status = Some(status_page(true, 0));
    let mut world = World::with(rules, policy("down", Priority::P1, Condition::Consecutive(1)));
    play(&mut world, "b S10");
    world.about(IncidentEvent::StatusDraft { by: "ann".into(), approve: true });
    assert_eq!(world.minutes("public"), "1:investigating");
}

/// Nobody plans that a source does not answer, and no silence of a service is about it.
#[test]
fn a_blind_source_is_heard() {
    let mut world =
        World::with(slo(IndicatorKind::Value, 99.0, 60), policy("down", Priority::P1, Condition::Consecutive(1)));
    play(&mut world, "S60 M0-60");
    world.hears(Some("timeout"));
    for minute in 1..=7 {
        world.until(minute * 60);
        world.hears(Some("timeout"));
    }
    assert_eq!(world.minutes("chat"), "5:trigger");
}

/// A clock that is set back makes nobody silent for longer than a week.
#[test]
fn a_clock_set_back() {
    let mut world = escalated();
    world.silence(None, 7 * 86_400);
    world.now -= TimeDelta::days(3);
    let slot = world.now.timestamp().div_euclid(60);
    let bad = world.reading('b').unwrap();
    world.settled(slot, bad);
    assert_eq!(world.told("pager"), "trigger");
}
