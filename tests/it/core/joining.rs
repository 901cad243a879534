//! Several policies of one SLO in one incident: who opens, who joins, who is woken when it comes back.

use slod::domain::{
    notification::{Event, Message},
    policy::{Condition, Policy, Priority, Unless},
    rulebook::SloRules,
    slo::IndicatorKind,
};

use super::world::{World, at, pair, planned, policy, slo, steps};

fn probe() -> SloRules {
    slo(IndicatorKind::Probe, 99.0, 60)
}

/// Fires after so many bad slots.
fn run(name: &str, priority: Priority, slots: u32, notify: &str) -> Policy {
    let mut policy = policy(name, priority, Condition::Consecutive(slots));
    policy.notify = notify.split(' ').map(Into::into).collect();
    policy
}

fn world(policies: &[Policy]) -> World {
    World::new(probe(), policies.iter().map(|policy| planned(policy.clone(), None)).collect())
}

const P1: Priority = Priority::P1;
const P2: Priority = Priority::P2;
const P3: Priority = Priority::P3;
const P4: Priority = Priority::P4;

/// Policies (priority, after how many bad slots, who), the slots, and what each receiver hears with the minute.
#[test]
fn who_hears_what() {
    type Row<'a> = (&'a [(Priority, u32, &'a str)], &'a str, &'a [(&'a str, &'a str)]);
    #[rustfmt::skip]
    let cases: &[Row<'_>] = &[
        // Of alerts that fire in one slot the highest opens; a pager hears of that alone, once.
        (&[(P3, 2, "pager chat"), (P1, 2, "pager chat")], "bb g", &[("pager", "2:trigger 3:resolve"), ("chat", "2:trigger 3:resolve")]),
        (&[(P3, 2, "boss"), (P1, 2, "pager")], "bb g", &[("pager", "2:trigger 3:resolve"), ("boss", "")]),
        (&[(P3, 2, "mail"), (P2, 2, "chat"), (P1, 2, "pager")], "bb g", &[("pager", "2:trigger 3:resolve"), ("chat", "2:trigger 3:resolve"), ("mail", "2:trigger 3:resolve")]),
        // One that joins at the same or a lower priority tells nobody who knows, and adds a line.
        (&[(P2, 1, "pager chat"), (P2, 3, "pager chat")], "bbb g", &[("pager", "1:trigger 4:resolve"), ("chat", "1:trigger 4:resolve")]),
        (&[(P2, 1, "pager chat"), (P3, 3, "pager chat")], "bbb g", &[("pager", "1:trigger 4:resolve"), ("chat", "1:trigger 4:resolve")]),
        // Its own steps run for whoever was not told; a pager never hears of a lower one.
        (&[(P2, 1, "pager"), (P2, 3, "boss chat")], "bbb g", &[("boss", "3:trigger 4:resolve"), ("chat", "3:trigger 4:resolve")]),
        (&[(P2, 1, "pager"), (P3, 3, "boss chat")], "bbb g", &[("boss", ""), ("chat", "3:trigger 4:resolve")]),
        // One that raises the priority tells at once: those who know a lower one, and its own.
        (&[(P3, 1, "pager mail"), (P1, 3, "boss")], "bbb g", &[("pager", "1:trigger 3:trigger 4:resolve"), ("mail", "1:trigger 3:trigger 4:resolve"), ("boss", "3:trigger 4:resolve")]),
        (&[(P4, 1, "chat"), (P3, 2, "chat"), (P2, 3, "chat"), (P1, 4, "chat")], "bbbb g", &[("chat", "1:trigger 2:trigger 3:trigger 4:trigger 5:resolve")]),
        // Coming back wakes whoever belongs to what comes back, though it knew a higher one.
        (&[(P2, 1, "pager"), (P1, 3, "boss")], "bbb g b", &[("pager", "1:trigger 3:trigger 4:resolve 5:trigger/2"), ("boss", "3:trigger 4:resolve")]),
        (&[(P1, 3, "pager"), (P2, 3, "pager boss"), (P2, 1, "chat")], "bbb g b", &[("chat", "1:trigger 3:trigger 4:resolve 5:trigger"), ("pager", "3:trigger 4:resolve"), ("boss", "")]),
        // … and then whoever belongs to what joins it.
        (&[(P4, 1, "chat"), (P2, 2, "pager"), (P1, 3, "pager boss")], "bbb g bb", &[("pager", "2:trigger 3:trigger 4:resolve 6:trigger/2"), ("boss", "3:trigger 4:resolve")]),
        (&[(P4, 1, "chat"), (P1, 2, "pager"), (P1, 3, "boss")], "bbb g bb", &[("pager", "2:trigger 4:resolve 6:trigger/2"), ("boss", "3:trigger 4:resolve 6:trigger/2")]),
        // The lower one stays when the higher ends: nobody is told of that, and the end is told to all.
        (&[(P3, 1, "chat"), (P1, 2, "pager")], "bb g", &[("chat", "1:trigger 2:trigger 3:resolve"), ("pager", "2:trigger 3:resolve")]),
    ];
    for (policies, slots, heard) in cases {
        let policies: Vec<Policy> = policies
            .iter()
            .enumerate()
            .map(|(number, (priority, slots, who))| run(&format!("p{number}"), *priority, *slots, who))
            .collect();
        // The order in which policies are written says nothing.
        for policies in [policies.clone(), policies.iter().rev().cloned().collect()] {
            let mut world = world(&policies);
            world.feed(slots);
            assert_eq!(world.core.incidents.len(), 1, "{slots}");
            for (receiver, words) in *heard {
                let names: Vec<_> = policies.iter().map(|policy| (policy.priority, &policy.notify)).collect();
                assert_eq!(world.minutes(receiver), *words, "{receiver} of {slots}: {names:?}");
            }
        }
    }
}

/// Slower pairs join one after the other: a line each, and no message to those who know.
#[test]
fn slower_pairs_add_a_line() {
    let mut burn = policy("burn", P2, Condition::All(Vec::new()));
    let pairs = [pair(3_600, 300, 14.4), pair(21_600, 1_800, 6.0)].map(|pair| match pair {
        Condition::BurnRate(slod::domain::policy::BurnRate::Pairs(pairs)) => pairs[0],
        _ => panic!("a pair"),
    });
    burn.when = Condition::BurnRate(slod::domain::policy::BurnRate::Pairs(pairs.to_vec()));
    let mut world = World::with(slo(IndicatorKind::Ratio, 99.9, 60), burn);
    world.history(1_000, 'g');
    world.feed("b*4");
    assert_eq!(world.firing(), ["burn:1h/5m", "burn:6h/30m"]);
    assert_eq!((world.minutes("pager"), world.minutes("chat")), ("1:trigger".into(), "1:trigger".into()));
    let fired: Vec<_> = world.lines.iter().filter(|line| line.starts_with("fired")).collect();
    assert_eq!(fired.len(), 2, "{fired:?}");
    let Message::Notification(message) = &world.heard[0].outgoing.message else { panic!("a notification") };
    assert_eq!(message.policies, [("burn".into(), P2)], "one policy, whichever of its pairs");
}

/// Each policy's steps count from its own alert, in one incident.
#[test]
fn steps_are_of_each_policy() {
    let ladder = |who: &str| steps(&[(0, Unless::Acknowledged, "chat"), (600, Unless::Acknowledged, who)], None);
    let (early, late) = (ladder("boss"), ladder("mail"));
    let bare = |name: &str, slots| Policy { notify: Vec::new(), ..run(name, P1, slots, "chat") };
    let mut world =
        World::new(probe(), vec![planned(bare("early", 1), Some(&early)), planned(bare("late", 5), Some(&late))]);
    world.feed("b*20");
    assert_eq!((world.minutes("boss"), world.minutes("mail")), ("11:trigger".into(), "15:trigger".into()));
    assert_eq!(world.minutes("chat"), "1:trigger");
}

/// An incident that comes back goes on where its clock stood; what was done is not done again for others.
#[test]
fn coming_back_keeps_the_clock() {
    let ladder = steps(
        &[(0, Unless::Acknowledged, "pager"), (300, Unless::Acknowledged, "boss"), (900, Unless::Acknowledged, "mail")],
        None,
    );
    let bare = Policy { notify: Vec::new(), ..run("down", P1, 1, "chat") };
    let mut world = World::new(probe(), vec![planned(bare, Some(&ladder))]);
    world.feed("b*7 g*3 b*10");
    assert_eq!(world.minutes("pager"), "1:trigger 8:resolve 11:trigger/2");
    assert_eq!(world.minutes("boss"), "6:trigger 8:resolve 11:trigger/2", "told before, so it is an opening for it");
    assert_eq!(world.minutes("mail"), "16:trigger", "a quarter of an hour after the first firing");
}

/// A manual end, a rise and a lapse resolve every key that was opened, once each.
#[test]
fn all_keys_are_resolved_together() {
    let mut world = world(&[run("minor", P3, 1, "pager"), run("major", P1, 3, "pager")]);
    world.feed("b").acknowledge();
    world.feed("bb").acknowledge().resolve();
    assert_eq!(world.minutes("pager"), "1:trigger 1:acknowledge 3:trigger/2 3:acknowledge 3:resolve 3:resolve/2");
    let resolves = world.heard.iter().filter(|heard| heard.outgoing.event == Event::Resolve);
    let mut keys: Vec<_> =
        resolves.filter(|heard| &*heard.outgoing.receiver == "pager").map(|heard| &heard.outgoing.dedup_key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 2);
    assert_eq!(world.now, at(180));
}
