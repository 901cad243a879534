//! Public pages: created once, told on, reset, and left to whoever edits them there. Statuspage and Instatus alike.

use std::{collections::BTreeMap, time::Duration};

use slod::{
    channel::Outcome,
    domain::notification::{Message, PublicState},
};
use testbed::inbox::{Fault, PublicIncident};

use super::world::{World, accepted, notification, post};

/// Receiver, the path of its lists, and the path of its creations.
const PAGES: [(&str, &str); 2] =
    [("page", "/statuspage/v1/pages/p4ge/incidents/unresolved"), ("instatus", "/instatus/v1/p4ge/incidents")];

fn public(world: &World, receiver: &str) -> BTreeMap<String, PublicIncident> {
    if receiver == "page" { world.inbox.statuspage_state() } else { world.inbox.instatus_state() }
}

fn states(world: &World, receiver: &str) -> Vec<String> {
    let all = public(world, receiver);
    all.values().flat_map(|incident| &incident.updates).map(|(state, _)| state.to_lowercase()).collect()
}

/// Of the opening numbered `number`.
fn numbered(state: PublicState, number: u32, opens: bool) -> Message {
    let Message::StatusPost(mut post) = post(state) else { unreachable!() };
    post.key = format!("0f0f/{number}");
    post.opens = opens;
    Message::StatusPost(post)
}

fn taken_over(outcome: Outcome) -> String {
    match outcome {
        Outcome::TakenOver { what } => what,
        other => panic!("not handed over: {other:?}"),
    }
}

#[tokio::test]
async fn one_incident_goes_through_its_states() {
    for (receiver, _) in PAGES {
        let world = World::start().await;
        let mut thread = None;
        for state in [PublicState::Investigating, PublicState::Monitoring, PublicState::Investigating] {
            let Message::StatusPost(mut again) = post(state) else { unreachable!() };
            again.opens = thread.is_none();
            let receipt = accepted(world.send(receiver, Message::StatusPost(again), thread.as_deref(), 1).await);
            assert_eq!(receipt.split(' ').count(), 3, "{receipt}");
            thread = Some(receipt);
        }
        // The answer may have been lost: nothing is said twice.
        let resolved = accepted(world.send(receiver, post(PublicState::Resolved), thread.as_deref(), 1).await);
        let again = world.send(receiver, post(PublicState::Resolved), thread.as_deref(), 2).await;
        assert_eq!(accepted(again), resolved);
        assert_eq!(states(&world, receiver), ["investigating", "monitoring", "investigating", "resolved"]);
        let incidents = public(&world, receiver);
        assert!(incidents.values().all(|page| page.components["component-1"].to_lowercase() == "operational"));
        world.settle();
    }
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_again() {
    for (receiver, list) in PAGES {
        let world = World::start().await;
        world.inbox.fault(list, Fault::Hang(Some(Duration::ZERO)), 1);
        world.inbox.fault("", Fault::Lost, 1);
        let first = world.send(receiver, post(PublicState::Investigating), None, 1).await;
        assert!(matches!(first, Outcome::Retry { .. }), "{first:?}");
        assert_eq!(public(&world, receiver).len(), 1, "it was made");
        accepted(world.send(receiver, post(PublicState::Investigating), None, 2).await);
        assert_eq!(states(&world, receiver), ["investigating"], "{receiver}");
        world.settle();
    }
}

/// What an older attempt has left is found by its mark although its receipt is not known.
#[tokio::test]
async fn a_lost_receipt_is_made_good() {
    for (receiver, _) in PAGES {
        let world = World::start().await;
        let first = accepted(world.send(receiver, post(PublicState::Investigating), None, 1).await);
        let again = accepted(world.send(receiver, post(PublicState::Investigating), None, 2).await);
        assert_eq!(first, again);
        accepted(world.send(receiver, post(PublicState::Monitoring), None, 1).await);
        assert_eq!(states(&world, receiver), ["investigating", "monitoring"]);
        world.settle();
    }
}

/// Somebody was quicker than the second attempt.
#[tokio::test]
async fn a_person_may_take_over_even_what_slod_does_not_know_to_be_there() {
    for (status, text) in [("identified", "found"), ("resolved", "all well")] {
        let world = World::start().await;
        world.inbox.fault(PAGES[0].1, Fault::Hang(Some(Duration::ZERO)), 1);
        world.inbox.fault("/statuspage", Fault::Lost, 1);
        world.send("page", post(PublicState::Investigating), None, 1).await;
        world.inbox.person_posts("sp1", status, text);
        let what = taken_over(world.send("page", post(PublicState::Investigating), None, 2).await);
        assert_eq!(what, format!("somebody has posted \"{status}\" there"));
        assert_eq!(public(&world, "page").len(), 1);
        world.settle();
    }
}

#[tokio::test]
async fn an_edit_by_a_person_is_noticed() {
    for (receiver, _) in PAGES {
        let world = World::start().await;
        let left = accepted(world.send(receiver, post(PublicState::Investigating), None, 1).await);
        let channel = &world.channels[receiver];
        assert_eq!(channel.changed(&left).await, Ok(None));
        let id = left.split(' ').next().unwrap();
        world.inbox.person_posts(id, if receiver == "page" { "identified" } else { "IDENTIFIED" }, "It is the disk.");
        let said = "somebody has posted \"identified\" there";
        assert_eq!(channel.changed(&left).await, Ok(Some(said.to_owned())));
        for attempt in [1, 2] {
            let outcome = world.send(receiver, post(PublicState::Monitoring), Some(&left), attempt).await;
            assert_eq!(taken_over(outcome), said);
        }
        let gone = world.send(receiver, post(PublicState::Monitoring), Some("other u1 0011223344556677"), 1).await;
        assert_eq!(taken_over(gone), "somebody has removed the incident there");
        assert_eq!(states(&world, receiver), ["investigating", "identified"]);
    }
}

#[tokio::test]
async fn the_next_public_incident_is_another_one() {
    let world = World::start().await;
    let first = accepted(world.send("page", post(PublicState::Investigating), None, 1).await);
    let ended = accepted(world.send("page", post(PublicState::Resolved), Some(&first), 1).await);
    let second = accepted(world.send("page", numbered(PublicState::Investigating, 2, true), Some(&ended), 1).await);
    assert_ne!(second.split(' ').next(), first.split(' ').next());
    accepted(world.send("page", numbered(PublicState::Resolved, 2, false), Some(&second), 1).await);
    assert_eq!(world.inbox.statuspage_state().len(), 2);
    world.settle();
}

#[tokio::test]
async fn what_was_never_public_is_not_ended_there() {
    for (receiver, _) in PAGES {
        let world = World::start().await;
        for state in [PublicState::Monitoring, PublicState::Resolved] {
            assert_eq!(accepted(world.send(receiver, post(state), None, 1).await), "nothing-to-resolve");
        }
        assert!(public(&world, receiver).is_empty());
        world.settle();
    }
}

#[tokio::test]
async fn instatus_may_misbehave() {
    let world = World::start().await;
    let faults = [
        (Fault::Busy(429, 7), true),
        (Fault::Status(500), true),
        (Fault::Drop, true),
        (Fault::Garbage, true),
        (Fault::Status(400), false),
        (Fault::Status(401), false),
    ];
    for (fault, passing) in faults {
        world.inbox.fault("/instatus", fault.clone(), 1);
        let outcome = world.send("instatus", post(PublicState::Investigating), None, 1).await;
        assert_eq!(matches!(outcome, Outcome::Retry { .. }), passing, "{fault:?}: {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Dead { .. }), !passing, "{fault:?}: {outcome:?}");
    }
    let outcome = world.send("instatus", notification(slod::domain::notification::Event::Trigger), None, 1).await;
    assert!(matches!(&outcome, Outcome::Dead { reason } if reason.contains("the public reads it")), "{outcome:?}");
    assert!(world.channels["instatus"].verify().await.is_ok());
    world.inbox.fault("/instatus", Fault::Status(401), 1);
    assert_eq!(world.channels["instatus"].verify().await, Err("401 switched on".to_owned()));
    world.settle();
}

fn over(state: PublicState) -> Message {
    let Message::StatusPost(mut post) = post(state) else { unreachable!() };
    post.over = true;
    Message::StatusPost(post)
}

/// Only look-ups had failed before: nothing is begun for what is over. Nothing proves that but another look-up.
#[tokio::test]
async fn what_is_over_is_not_begun() {
    for (receiver, list) in PAGES {
        let world = World::start().await;
        world.inbox.fault(list, Fault::Status(503), 1);
        let first = world.send(receiver, post(PublicState::Investigating), None, 1).await;
        assert!(matches!(first, Outcome::Retry { .. }), "{first:?}");
        let receipt = accepted(world.send(receiver, over(PublicState::Investigating), None, 2).await);
        assert_eq!(receipt, "nothing-to-resolve");
        for state in [PublicState::Monitoring, PublicState::Resolved] {
            assert_eq!(accepted(world.send(receiver, over(state), Some(&receipt), 1).await), receipt);
        }
        assert_eq!(states(&world, receiver), Vec::<String>::new());
        // An answer that was lost: it is there, and goes its way to the end.
        world.inbox.fault(list, Fault::Hang(Some(Duration::ZERO)), 1);
        world.inbox.fault(&format!("/{}", list.split('/').nth(1).unwrap()), Fault::Lost, 1);
        world.send(receiver, numbered(PublicState::Investigating, 2, true), None, 1).await;
        let Message::StatusPost(mut again) = numbered(PublicState::Investigating, 2, true) else { unreachable!() };
        again.over = true;
        let left = accepted(world.send(receiver, Message::StatusPost(again), None, 2).await);
        accepted(world.send(receiver, numbered(PublicState::Resolved, 2, false), Some(&left), 1).await);
        assert_eq!(states(&world, receiver), ["investigating", "resolved"]);
        world.settle();
    }
}
