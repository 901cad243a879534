//! What is said again: reminders of a policy, repeated steps of an escalation, acknowledgements that lapse.

use slod::domain::{
    decide::Input,
    notification::{Event, Message},
    policy::{ClearAfter, Condition, Escalation, Policy, Priority, Repeat, Unless},
    slo::IndicatorKind,
};

use super::world::{World, at, planned, policy, slo, steps};

fn probe() -> slod::domain::rulebook::SloRules {
    slo(IndicatorKind::Probe, 99.0, 60)
}

/// Tells a pager, a chat and a mailbox at once, and reminds every ten minutes.
fn reminding(name: &str) -> Policy {
    let mut policy = policy(name, Priority::P1, Condition::Consecutive(1));
    policy.notify = ["pager", "chat", "mail"].map(Into::into).to_vec();
    policy.repeat = Some(600);
    policy
}

#[test]
fn chat_and_mail_are_reminded_and_pagers_never() {
    let mut world = World::with(probe(), reminding("down"));
    world.feed("b*35 g*20");
    assert_eq!(world.minutes("pager"), "1:trigger 36:resolve");
    for receiver in ["chat", "mail"] {
        assert_eq!(world.minutes(receiver), "1:trigger 11:update 21:update 31:update 36:resolve", "{receiver}");
    }
    let reasons = world.heard.iter().filter_map(|heard| match &heard.outgoing.message {
        Message::Notification(message) if heard.outgoing.event == Event::Update => Some(message.reason.clone()),
        _ => None,
    });
    let reasons: Vec<_> = reasons.collect();
    assert_eq!(reasons[0], "reminder: open for 10 min, not acknowledged");
    assert_eq!(world.lines.iter().filter(|line| line.starts_with("reminded")).count(), 6);
}

/// What is done at which minute, and what chat hears.
#[test]
fn who_is_reminded_when() {
    let mut lapsing = steps(&[(0, Unless::Acknowledged, "chat")], Some(1_500));
    lapsing.name = "lapsing".into();
    // acknowledged: no reminder, until the acknowledgement lapses, which is an opening
    let mut quiet = reminding("down");
    quiet.notify = Vec::new();
    let mut world = World::new(probe(), vec![planned(quiet, Some(&lapsing))]);
    world.feed("b*5").acknowledge();
    world.feed("b*40");
    assert_eq!(world.minutes("chat"), "1:trigger 5:acknowledge 30:trigger 31:update 41:update");
    // slod is away for an hour: one reminder, late, and then on the old clock
    let mut world = World::with(probe(), reminding("down"));
    world.feed("b");
    world.now = at(4_000);
    world.restart();
    world.input(Input::Tick);
    world.until(4_500);
    let late = world.heard.iter().skip(3).map(|heard| match &heard.outgoing.message {
        Message::Notification(message) => (heard.at, message.late),
        Message::StatusPost(_) | Message::Bulletin(_) | Message::Record(_) => panic!("no page here"),
    });
    assert_eq!(late.collect::<Vec<_>>(), [(4_000, true), (4_000, true), (4_260, false), (4_260, false)]);
    // over and back: the clock begins anew
    let mut world = World::with(probe(), reminding("down"));
    world.feed("b*8 ggg b*12");
    assert_eq!(world.minutes("chat"), "1:trigger 9:resolve 12:trigger 22:update");
    // two policies at the same minute: one reminder
    let mut world = World::new(probe(), vec![planned(reminding("down"), None), planned(reminding("other"), None)]);
    world.feed("b*12");
    assert_eq!(world.minutes("chat"), "1:trigger 11:update");
    // a policy that is over reminds nobody
    let mut slow = policy("slow", Priority::P2, Condition::Consecutive(1));
    (slow.notify, slow.clear_after) = (vec!["boss".into()], ClearAfter::Slots(30));
    let mut world = World::new(probe(), vec![planned(reminding("down"), None), planned(slow, None)]);
    world.feed("b g*20");
    assert_eq!(world.minutes("chat"), "1:trigger", "open, but not by that policy");
}

/// A receiver that a step tells in the minute of a reminder hears the step.
#[test]
fn a_step_is_as_good_as_a_reminder() {
    let mut down = reminding("down");
    down.notify = Vec::new();
    let escalation = steps(&[(0, Unless::Acknowledged, "chat mail"), (600, Unless::Acknowledged, "chat")], None);
    let mut world = World::new(probe(), vec![planned(down, Some(&escalation))]);
    world.feed("b*12");
    assert_eq!(
        (world.minutes("chat"), world.minutes("mail")),
        ("1:trigger 11:trigger".into(), "1:trigger 11:update".into())
    );
}

fn ladder(timeout: Option<u32>) -> Escalation {
    let steps = steps(&[(0, Unless::Acknowledged, "chat"), (300, Unless::Acknowledged, "mail")], timeout);
    Escalation { repeat: Some(Repeat { every: 600, times: 2 }), ..steps }
}

fn climbing(timeout: Option<u32>) -> World {
    let mut down = policy("down", Priority::P1, Condition::Consecutive(1));
    down.notify = Vec::new();
    World::new(probe(), vec![planned(down, Some(&ladder(timeout)))])
}

/// All steps again, counted from the last: 0 and 5, 15 and 20, 30 and 35 minutes after the firing.
#[test]
fn an_escalation_is_gone_through_again() {
    let mut world = climbing(None);
    world.feed("b*60 g");
    assert_eq!(world.minutes("chat"), "1:trigger 16:trigger 31:trigger 61:resolve");
    assert_eq!(world.minutes("mail"), "6:trigger 21:trigger 36:trigger 61:resolve");
    // It ends in between: nothing more.
    let mut world = climbing(None);
    world.feed("b*17 g*60");
    assert_eq!(world.minutes("chat"), "1:trigger 16:trigger 18:resolve");
}

#[test]
fn repeated_steps_are_spared_coalesced_and_late() {
    // acknowledged between: what is due is skipped
    let mut world = climbing(None);
    world.feed("b*7").acknowledge();
    world.feed("b*60");
    assert_eq!(world.minutes("chat"), "1:trigger 7:acknowledge");
    assert_eq!(world.lines.iter().filter(|line| line.starts_with("skipped")).count(), 4);
    // the acknowledgement lapses: what was skipped runs once, what is to come in its time
    let mut world = climbing(Some(1_200));
    world.feed("b*7").acknowledge();
    world.feed("b*60");
    assert_eq!(world.minutes("chat"), "1:trigger 7:acknowledge 27:trigger 31:trigger");
    assert_eq!(world.minutes("mail"), "6:trigger 7:acknowledge 27:trigger 36:trigger");
    // away from the 3rd to the 40th minute: each receiver once, late
    let mut world = climbing(None);
    world.feed("bb");
    world.now = at(2_400);
    world.restart();
    world.input(Input::Tick);
    assert_eq!((world.minutes("chat"), world.minutes("mail")), ("1:trigger 40:trigger".into(), "40:trigger".into()));
    let late = |receiver: &str| {
        let heard = world.heard.iter().rfind(|heard| &*heard.outgoing.receiver == receiver).unwrap();
        matches!(&heard.outgoing.message, Message::Notification(message) if message.late)
    };
    assert!(late("chat") && late("mail"));
    world.until(10_000);
    assert_eq!(world.heard.len(), 3, "all is done");
}

/// Each time somebody takes it anew, it is theirs for as long again.
#[test]
fn an_acknowledgement_is_renewed() {
    let escalation = steps(&[(0, Unless::Acknowledged, "pager"), (300, Unless::Acknowledged, "boss")], Some(1_200));
    let mut down = policy("down", Priority::P1, Condition::Consecutive(1));
    down.notify = Vec::new();
    let mut world = World::new(probe(), vec![planned(down, Some(&escalation))]);
    world.feed("bb").acknowledge();
    world.feed("b*15").acknowledge();
    world.feed("b*15");
    assert_eq!((world.minutes("pager"), world.minutes("boss")), ("1:trigger 2:acknowledge".into(), String::new()));
    world.feed("b*10");
    assert_eq!(world.minutes("pager"), "1:trigger 2:acknowledge 37:trigger/2", "twenty minutes after the 17th");
    assert_eq!(world.minutes("boss"), "37:trigger/2");
}
