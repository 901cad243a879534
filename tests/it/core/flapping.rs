//! An alert that goes back and forth: told once, open until it is quiet, silent in between.

use slod::domain::{
    decide::Input,
    incident::IncidentEvent,
    notification::{Event, Message},
    policy::{Condition, Flapping, Policy, Priority, Unless},
    slo::IndicatorKind,
    slot::{Reading, SlotAnswer},
};

use super::world::{Heard, START, World, at, planned, policy, slo, steps};

/// Fires at every bad slot; flaps by the default: four changes within an hour.
fn down(name: &str, priority: Priority) -> Policy {
    let mut policy = policy(name, priority, Condition::Consecutive(1));
    policy.flapping = None;
    policy
}

fn probe() -> slod::domain::rulebook::SloRules {
    slo(IndicatorKind::Probe, 99.0, 60)
}

fn world() -> World {
    World::with(probe(), down("down", Priority::P1))
}

fn lines(world: &World, kind: &str) -> usize {
    world.lines.iter().filter(|line| line.split(' ').next() == Some(kind)).count()
}

fn reason(heard: &Heard) -> &str {
    let Message::Notification(message) = &heard.outgoing.message else { panic!("a notification") };
    &message.reason
}

/// Slots, and what the pager and the chat heard of them, with the minute.
#[test]
fn one_message_and_no_storm() {
    #[rustfmt::skip]
    let cases = [
        // the fourth change is an end: it stays open, and chat hears why
        ("bgbg", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        ("bgbg bgbgbgbgbgbg", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        // an hour of quiet
        ("bgbg g*59", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        ("bgbg g*60", "1:trigger 2:resolve 3:trigger/2 64:resolve/2", "1:trigger 2:resolve 3:trigger 4:update 64:resolve"),
        ("bgbg g*30 b g*59", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        ("bgbg g*30 b g*61", "1:trigger 2:resolve 3:trigger/2 96:resolve/2", "1:trigger 2:resolve 3:trigger 4:update 96:resolve"),
        // what is not known is not quiet
        ("bgbg _*90", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        ("bgbg _*90 g", "1:trigger 2:resolve 3:trigger/2 95:resolve/2", "1:trigger 2:resolve 3:trigger 4:update 95:resolve"),
        ("bgbg .*90 b g", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        // firing steadily: it is not flapping any more, and ends as any other
        ("bgbg b*60 g", "1:trigger 2:resolve 3:trigger/2", "1:trigger 2:resolve 3:trigger 4:update"),
        ("bgbg b*61 g", "1:trigger 2:resolve 3:trigger/2 66:resolve/2", "1:trigger 2:resolve 3:trigger 4:update 66:resolve"),
        // slowly: the fourth change within the hour is a firing, in an incident that was over
        ("b*59 g*5 b*2 g*5 b g", "1:trigger 60:resolve 65:trigger/2 67:resolve/2 72:trigger/3", "1:trigger 60:resolve 65:trigger 67:resolve 72:trigger"),
        // incidents of their own, and the last of them flaps
        ("b g*24 b g*19 b g", "1:trigger 2:resolve 26:trigger", "1:trigger 2:resolve 26:trigger 27:update"),
        // four changes in more than an hour are not flapping
        ("b g*68 b g*68 b g", "1:trigger 2:resolve 70:trigger 71:resolve 139:trigger 140:resolve", "1:trigger 2:resolve 70:trigger 71:resolve 139:trigger 140:resolve"),
    ];
    for (slots, pager, chat) in cases {
        let mut world = world();
        world.feed(slots);
        assert_eq!((world.minutes("pager").as_str(), world.minutes("chat").as_str()), (pager, chat), "{slots}");
    }
}

#[test]
fn it_is_said_where_people_look() {
    let mut world = world();
    world.feed("bgbg");
    let incident = world.incident().clone();
    assert!(incident.resolved.is_none() && incident.members["down"].flapping.is_some());
    assert!(!incident.members["down"].firing);
    let words = "flapping: 4 changes in 3m; open until there is none for 1h";
    assert_eq!(reason(world.heard.last().unwrap()), words);
    assert!(world.lines.iter().any(|line| *line == format!("flapping down is {words}")));
    let Message::Notification(message) = &world.heard.last().unwrap().outgoing.message else { panic!() };
    assert_eq!(message.headline, "shop front: flapping, does not fire right now; open for 3 min");
    assert_eq!(world.incident().title, "shop front: flapping");
    assert!(message.lines.contains(&format!("down is {words}.")), "{:?}", message.lines);
    assert_eq!(message.policies.len(), 1, "it is about this policy");
    world.feed("g*60");
    assert!(world.incident().resolved.is_some());
    assert_eq!(lines(&world, "flapping"), 1);
}

/// `changes` and `within` as written; slots of a quarter of an hour take three hours.
#[test]
fn as_it_is_configured() {
    let mut two = down("down", Priority::P1);
    two.flapping = Some(Flapping { changes: 2, within: 600 });
    let mut world = World::with(probe(), two);
    world.feed("bg g*9");
    assert_eq!((world.minutes("pager"), world.minutes("chat")), ("1:trigger".into(), "1:trigger 2:update".into()));
    world.feed("g");
    assert_eq!(world.minutes("pager"), "1:trigger 12:resolve");
    let mut world = World::with(slo(IndicatorKind::Probe, 99.0, 900), down("down", Priority::P1));
    world.feed("bgggg bgggg b");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2", "four changes in an hour and a half");
    world.feed("g*12");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2", "the incident is held open");
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2", "three hours later");
}

/// The fourth change is a firing that opens an incident of its own: the opening says so, and nothing else does.
#[test]
fn an_opening_that_flaps() {
    let mut quick = down("down", Priority::P1);
    quick.reopen_within = Some(0);
    quick.flapping = Some(Flapping { changes: 3, within: 3_600 });
    let mut world = World::with(probe(), quick);
    world.feed("bgg b");
    assert_eq!(world.minutes("chat"), "1:trigger 2:resolve 4:trigger", "no message more");
    assert_eq!(lines(&world, "flapping"), 1);
    world.feed("gbgbg");
    assert_eq!(world.minutes("chat"), "1:trigger 2:resolve 4:trigger");
    world.feed("g*60");
    assert_eq!(world.told("chat"), "trigger resolve trigger resolve");
}

/// Nobody takes it: it goes on to the next on its clock, whether it fires in that minute or not.
#[test]
fn what_nobody_takes_escalates() {
    let escalation = steps(
        &[(0, Unless::Acknowledged, "pager"), (600, Unless::Acknowledged, "boss"), (900, Unless::Resolved, "lead")],
        Some(1_200),
    );
    let mut policy = down("down", Priority::P1);
    policy.notify = Vec::new();
    let plan = planned(policy, Some(&escalation));
    let mut world = World::new(probe(), vec![plan.clone()]);
    world.feed("bgbg g*20");
    assert_eq!((world.minutes("boss"), world.minutes("lead")), ("11:trigger/2".into(), "16:trigger".into()));
    let mut world = World::new(probe(), vec![plan]);
    world.feed("bgbg").acknowledge();
    world.feed("gbgbgb gggggggggggg");
    assert_eq!((world.minutes("boss"), world.minutes("lead")), (String::new(), "16:trigger".into()));
    assert_eq!(world.minutes("pager"), "1:trigger 2:resolve 3:trigger/2 4:acknowledge", "coming back is no opening");
    world.feed("g*10");
    assert_eq!(world.minutes("boss"), "24:trigger/3", "the acknowledgement lapses, and what was skipped runs");
}

/// Another alert of the incident that clears does not close it; one that is more urgent is heard.
#[test]
fn beside_others() {
    let mut minor = policy("minor", Priority::P3, Condition::Consecutive(3));
    minor.notify = vec!["mail".into()];
    let mut world = World::new(probe(), vec![planned(down("down", Priority::P2), None), planned(minor, None)]);
    world.feed("bgbg bbb g");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2", "both are over, one of them flaps");
    assert_eq!(world.told("mail"), "trigger");
    let mut urgent = policy("urgent", Priority::P1, Condition::Consecutive(3));
    urgent.notify = vec!["boss".into()];
    let mut world = World::new(probe(), vec![planned(down("down", Priority::P2), None), planned(urgent, None)]);
    world.feed("bgbg bbb");
    assert_eq!(
        (world.told("pager"), world.told("boss")),
        ("trigger resolve trigger/2 trigger/2".into(), "trigger/2".into())
    );
    world.feed("g bbb");
    assert_eq!(world.told("boss"), "trigger/2", "it has not heard of an end");
}

/// A person ends it: whatever fires next is heard, and the counting begins anew.
#[test]
fn a_manual_end() {
    let mut world = world();
    world.feed("bgbg").resolve();
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2");
    world.feed("ggg");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2");
    world.feed("b");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2 trigger/3");
    world.feed("g");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2 trigger/3 resolve/3");
    let mut world = self::world();
    world.feed("bgbgb").resolve();
    world.feed("bb");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2", "silent until it has cleared once");
    world.feed("gb");
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2 trigger/3");
}

/// Slots that come in late change an alert at most once: what went back and forth in them is over.
#[test]
fn late_slots_do_not_flap_and_say_nothing_twice() {
    let batch = |world: &mut World, from: i64, slots: &str| {
        let first = START / 60 + from;
        let answer = |(number, what)| {
            let reading = world.reading(what).unwrap();
            SlotAnswer { slot: first + number as i64, series: world.key.series.clone(), reading }
        };
        let slots: Vec<_> = slots.chars().enumerate().map(answer).collect();
        let (id, asked) = (world.key.id.clone(), first..first);
        world.input(Input::Settled { id, asked, slots, absent: Reading::Empty, degraded: None, late: true });
    };
    let mut world = world();
    world.feed("g !*9 b");
    batch(&mut world, 1, "bgbgbgbgb");
    assert_eq!((world.told("chat"), lines(&world, "flapping")), ("trigger".into(), 0));
    world.feed("gbg");
    assert_eq!(world.told("chat"), "trigger resolve trigger update");
    world.feed("!!!! b");
    batch(&mut world, 14, "gbgb");
    batch(&mut world, 14, "gbgb");
    assert_eq!(world.told("chat"), "trigger resolve trigger update");
    world.feed("g*61");
    assert_eq!(world.told("chat"), "trigger resolve trigger update resolve");
}

#[test]
fn a_restart_at_any_slot_changes_nothing() {
    let slots = format!("bgbgbbgbg{}bg{}", "g".repeat(50), "g".repeat(61));
    let mut steady = world();
    steady.feed(&slots);
    for kill in (0..20).chain(58..64).chain([110, 121]) {
        let mut killed = world();
        killed.feed(&slots[..kill]);
        killed.restart();
        killed.feed(&slots[kill..]);
        assert_eq!((&steady.heard, &steady.lines), (&killed.heard, &killed.lines), "at {kill}");
    }
    assert_eq!(steady.told("chat"), "trigger resolve trigger update resolve");
}

/// A series that is gone, a policy that is taken away: nothing holds an incident that nobody watches.
#[test]
fn what_is_no_longer_watched_is_not_held_open() {
    let mut world = world();
    world.feed("bgbg");
    let rules = super::world::rulebook(vec![probe()]);
    super::clock::adopt(&mut world, rules);
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 resolve/2");
}

/// What an older slod has stored knows of no flapping.
#[test]
fn an_older_document_can_be_read() {
    let mut world = world();
    world.feed("b");
    let mut incident = serde_json::to_value(world.incident()).unwrap();
    let member = incident["members"]["down"].as_object_mut().unwrap();
    assert!(!member.contains_key("flapping") && !incident.as_object().unwrap().contains_key("reminders"));
    let mut alert = serde_json::to_value(&world.core.series[&world.key].alerts["down"]).unwrap();
    alert.as_object_mut().unwrap().remove("flaps");
    serde_json::from_value::<slod::domain::alert::Alert>(alert).unwrap();
}

/// A note, an undelivered page and an acknowledgement say what they say while it flaps.
#[test]
fn people_are_heard_while_it_flaps() {
    let mut world = world();
    world.feed("bgbg");
    world.about(IncidentEvent::Note { by: "ann".into(), text: "a loose cable".into() });
    world.acknowledge();
    assert_eq!(world.told("pager"), "trigger resolve trigger/2 acknowledge");
    assert!(world.heard.iter().filter(|heard| heard.outgoing.event == Event::Update).count() == 2);
    assert!(world.now == at(240));
}
