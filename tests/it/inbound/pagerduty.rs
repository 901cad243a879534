//! What people do at PagerDuty, told by its webhooks.

use serde_json::{Value, json};
use testbed::inbox::PagerdutyStatus;

use super::{
    calls::{changed, event, note},
    world::{HOOK, OPS_KEY, PLATFORM_KEY, World},
};
use crate::live::timeline;

#[tokio::test]
async fn an_acknowledgement_is_passed_on_and_not_echoed() {
    let mut world = World::start(HOOK, "").await;
    let (_, key) = world.opened().await;
    let acknowledged = event("E1", "incident.acknowledged", "QOPS", Some(&key));
    assert_eq!(world.call(&acknowledged).await, 202);
    let incident = world.reaches("acknowledged").await;
    assert_eq!(incident["acknowledged_by"], "Ann Example (ops-pager)");
    assert_eq!(world.told("ops-pager").await, "trigger");
    assert_eq!(world.told("platform-pager").await, "trigger acknowledge");
    assert_eq!(world.told("team").await, "trigger acknowledge");
    assert_eq!(world.status(PLATFORM_KEY, &key), PagerdutyStatus::Acknowledged);

    // It comes again, even after a kill, and a second person does it as well.
    assert_eq!(world.call(&acknowledged).await, 202);
    world.own.slod.kill9();
    world.own.slod.relaunch().await.unwrap();
    assert_eq!(world.call(&acknowledged).await, 202);
    assert_eq!(world.counted("pagerduty", "repeated").await, 1, "since the start");
    assert_eq!(world.call(&event("E2", "incident.acknowledged", "QOPS", Some(&key))).await, 202);
    let again = world.reaches("acknowledged").await;
    assert_eq!((&again["acknowledged_at"], &again["timeline"]), (&incident["acknowledged_at"], &incident["timeline"]));

    // Nobody has it any more: everybody hears, but where it came from.
    assert_eq!(world.call(&event("E3", "incident.unacknowledged", "QOPS", Some(&key))).await, 202);
    world.reaches("open").await;
    assert_eq!(world.call(&acknowledged).await, 202, "long ago");
    assert_eq!(world.reaches("open").await["state"], "open");
    assert_eq!(world.told("ops-pager").await, "trigger");
    assert_eq!(world.told("platform-pager").await, "trigger acknowledge trigger");
    assert_eq!(world.status(PLATFORM_KEY, &format!("{key}/2")), PagerdutyStatus::Triggered);
    assert_eq!(world.call(&note("E4", "QOPS", "restarting <it>")).await, 202);

    // A person ends it there: every other key is resolved, and the alert stays silent though the check fails on.
    assert_eq!(world.call(&event("E5", "incident.resolved", "QOPS", Some(&key))).await, 202);
    let incident = world.reaches("resolved").await;
    assert_eq!(world.told("ops-pager").await, "trigger");
    assert_eq!(world.told("platform-pager").await, "trigger acknowledge trigger resolve resolve");
    for key in [key.clone(), format!("{key}/2")] {
        assert_eq!(world.status(PLATFORM_KEY, &key), PagerdutyStatus::Resolved);
    }
    let said = timeline(&incident);
    for line in ["note: Ann Example (ops-pager): restarting <it>", "resolved: resolved by Ann Example (ops-pager)"] {
        assert!(said.iter().any(|said| said == line), "{said:#?}");
    }
    assert_eq!(world.call(&event("E6", "incident.acknowledged", "QOPS", Some(&key))).await, 202);
    assert_eq!(world.incident().await["timeline"], incident["timeline"], "what is over is over");
    world.settle();
}

/// Two receivers with one secret: nobody can say at which an act was done, so that all of them hear of it.
#[tokio::test]
async fn a_shared_secret_spares_nobody_and_a_stale_opening_changes_nothing() {
    let world = World::with(HOOK, HOOK, "", "").await;
    let (id, key) = world.opened().await;
    assert_eq!(world.call(&event("E1", "incident.acknowledged", "QOPS", Some(&key))).await, 202);
    world.reaches("acknowledged").await;
    let by_nobody = changed(event("E2", "incident.unacknowledged", "QOPS", Some(&key)), "/event/agent", Value::Null);
    assert_eq!(world.call(&by_nobody).await, 202);
    let opened = world.reaches("open").await;
    for pager in ["ops-pager", "platform-pager"] {
        assert_eq!(world.told(pager).await, "trigger acknowledge trigger", "{pager}");
    }
    let second = format!("{key}/2");
    for kind in ["acknowledged", "resolved", "unacknowledged"] {
        assert_eq!(world.call(&event(kind, &format!("incident.{kind}"), "QOPS", Some(&key))).await, 202);
    }
    assert_eq!(world.counted("pagerduty", "stale").await, 3);
    for (name, key) in [("E3", format!("{key}/9")), ("E4", format!("{key}/0")), ("E5", "somebody-elses".to_owned())] {
        assert_eq!(world.call(&event(name, "incident.acknowledged", "QFAR", Some(&key))).await, 202);
    }
    assert_eq!(world.counted("pagerduty", "ignored").await, 3, "not ours");
    assert_eq!(world.incident().await["timeline"], opened["timeline"]);
    assert_eq!(world.call(&event("E6", "incident.acknowledged", "QOPS2", Some(&second))).await, 202);
    world.reaches("acknowledged").await;
    let (status, _) =
        world.own.slod.post(&format!("/api/v1/incidents/{id}/resolve"), &json!({"by": "ann"})).await.unwrap();
    assert_eq!(status, 200);
    world.reaches("resolved").await;
    for pager in ["ops-pager", "platform-pager"] {
        assert_eq!(world.told(pager).await, "trigger acknowledge trigger acknowledge resolve resolve", "{pager}");
    }
    world.settle();
}

#[tokio::test]
async fn a_merge_is_no_end_and_its_target_goes_on() {
    let world = World::start(HOOK, "").await;
    let (_, key) = world.opened().await;
    let merged = changed(
        event("E1", "incident.resolved", "QOPS", Some(&key)),
        "/event/data/resolve_reason",
        json!({"type": "merge_resolve_reason", "incident": {"id": "QTARGET", "type": "incident_reference"}}),
    );
    assert_eq!(world.call(&merged).await, 202);
    assert_eq!(world.incident().await["state"], "open");
    // A timer of PagerDuty's is no person either.
    let timer = changed(
        event("E2", "incident.resolved", "QOPS", Some(&key)),
        "/event/agent",
        json!({"id": "PSHOP", "type": "service_reference", "summary": "Shop"}),
    );
    assert_eq!(world.call(&timer).await, 202);
    let incident = world.reaches("open").await;
    let said = timeline(&incident);
    for part in ["merged there into another incident", "by no person"] {
        assert!(said.iter().any(|line| line.starts_with("note: ") && line.contains(part)), "{said:#?}");
    }
    // The target shows a key of its own, or none.
    assert_eq!(world.call(&event("E3", "incident.acknowledged", "QTARGET", None)).await, 202);
    world.reaches("acknowledged").await;
    assert_eq!(world.call(&event("E4", "incident.resolved", "QTARGET", Some("another"))).await, 202);
    world.reaches("resolved").await;
    assert_eq!(world.told("platform-pager").await, "trigger acknowledge resolve");
    world.settle();
}

#[tokio::test]
async fn what_a_person_ended_can_be_opened_again() {
    let world = World::start(HOOK, "").await;
    let (_, key) = world.opened().await;
    assert_eq!(world.call(&event("E1", "incident.resolved", "QOPS", Some(&key))).await, 202);
    world.reaches("resolved").await;
    assert_eq!(world.call(&event("E2", "incident.reopened", "QOPS", Some(&key))).await, 202);
    world.reaches("open").await;
    assert_eq!(world.told("ops-pager").await, "trigger");
    assert_eq!(world.told("platform-pager").await, "trigger resolve trigger");
    assert_eq!(world.page(PLATFORM_KEY, &format!("{key}/2")).opened, 1);
    assert_eq!(world.call(&event("E3", "incident.resolved", "QOPS", Some(&key))).await, 202);
    world.reaches("resolved").await;
    assert_eq!(world.told("ops-pager").await, "trigger");
    assert_eq!(world.status(OPS_KEY, &key), PagerdutyStatus::Triggered, "nobody echoes to it");
    world.settle();
}

#[tokio::test]
async fn a_page_on_its_way_is_followed_by_its_end() {
    let world = World::start(HOOK, "").await;
    let (id, key) = world.opened().await;
    // An acknowledgement from here waits for the pager, which does not answer; a person ends it there meanwhile.
    world.inbox.fault("/pagerduty/v2/enqueue", testbed::inbox::Fault::Status(503), 1_000);
    let (status, _) =
        world.own.slod.post(&format!("/api/v1/incidents/{id}/acknowledge"), &json!({"by": "bob"})).await.unwrap();
    assert_eq!(status, 200);
    assert_eq!(world.call(&event("E1", "incident.resolved", "QOPS", Some(&key))).await, 202);
    world.until("the end", async || world.incident().await["state"] == "resolved").await;
    world.inbox.clear_faults();
    let incident = world.reaches("resolved").await;
    assert_eq!(incident["state"], "resolved");
    // What waited is dropped; what was on its way this very moment is followed by its end.
    let told = world.told("ops-pager").await;
    assert!(["trigger", "trigger acknowledge resolve"].contains(&told.as_str()), "{told}");
    assert_eq!(world.status(PLATFORM_KEY, &key), PagerdutyStatus::Resolved);
}
