//! What is asked of PagerDuty's REST API: priorities, what became of pages, and whose a call was.

use testbed::inbox::{Fault, PagerdutyStatus};

use super::{
    calls::event,
    world::{HOOK, OPS_KEY, PLATFORM_KEY, World},
};

const TOKEN: &str = "api_token: {from_env: API_TOKEN}\n      from: ops@example.com";
const TOKEN_ALONE: &str = "api_token: {from_env: API_TOKEN}";

fn both() -> String {
    format!("{HOOK}\n      {TOKEN_ALONE}")
}

#[tokio::test]
async fn priorities_are_set_beside_the_page() {
    let world = World::start(TOKEN, "").await;
    // The first answers are of no use; the page itself does not wait.
    world.inbox.fault("/pagerduty/incidents", Fault::Status(503), 1);
    world.inbox.fault("/pagerduty/incidents", Fault::Busy(429, 1), 1);
    world.inbox.fault("/pagerduty/incidents", Fault::Garbage, 1);
    let (_, key) = world.opened().await;
    world.until("a priority", async || world.page(OPS_KEY, &key).priority.is_some()).await;
    assert_eq!(world.page(OPS_KEY, &key).priority.as_deref(), Some("P1"));
    // Once it is set it is left to people.
    let puts = || world.inbox.received().iter().filter(|entry| entry.method == "PUT").count();
    let so_far = puts();
    world
        .until("a second look at the page", async || {
            let asked = world.inbox.received();
            asked.iter().filter(|entry| entry.path == "/pagerduty/incidents" && entry.status == 200).count() >= 2
        })
        .await;
    assert_eq!(puts(), so_far);
    world.settle();
}

#[tokio::test]
async fn an_account_without_priorities_is_said_once() {
    let world = World::start(TOKEN, "").await;
    let none = r#"{"error":{"message":"Account does not have the ability to perform the action","code":2014}}"#;
    world.inbox.fault("/pagerduty/incidents/", Fault::Says(402, none.to_owned()), 1_000);
    world.opened().await;
    world.until("a word", async || world.own.slod.log().contains("does not take the priority")).await;
    assert_eq!(world.own.slod.log().matches("does not take the priority").count(), 1);
    assert_eq!(world.told("ops-pager").await, "trigger");
    world.settle();
}

#[tokio::test]
async fn what_people_do_there_is_seen_without_webhooks() {
    let world = World::start(TOKEN_ALONE, "").await;
    let (_, key) = world.opened().await;
    // An integration is no person.
    world.inbox.pagerduty_moves(OPS_KEY, &key, PagerdutyStatus::Acknowledged, Some("Ann Example"));
    let incident = world.reaches("acknowledged").await;
    let by = incident["acknowledged_by"].as_str().unwrap();
    assert!(by.starts_with("Ann Example"), "{by}");
    assert_eq!(world.status(PLATFORM_KEY, &key), PagerdutyStatus::Acknowledged);
    assert_eq!(world.told("platform-pager").await, "trigger acknowledge");
    for routing_key in [OPS_KEY, PLATFORM_KEY] {
        world.inbox.pagerduty_moves(routing_key, &key, PagerdutyStatus::Resolved, Some("Ann Example"));
    }
    world.reaches("resolved").await;
    assert!(!world.inbox.received().iter().any(|entry| entry.method == "PUT"), "without `from` nothing is written");
    world.settle();
}

/// Both ways at once: whichever comes first acts, the other finds it done.
#[tokio::test]
async fn webhooks_and_questions_act_once() {
    let world = World::start(&both(), "").await;
    let (_, key) = world.opened().await;
    let id = world.page(OPS_KEY, &key).id;
    world.inbox.pagerduty_moves(OPS_KEY, &key, PagerdutyStatus::Acknowledged, Some("Ann Example"));
    world.reaches("acknowledged").await;
    assert_eq!(world.call(&event("E1", "incident.acknowledged", &id, Some(&key))).await, 202);
    let incident = world.reaches("acknowledged").await;
    let lines = incident["timeline"].as_array().unwrap().iter().filter(|line| line["kind"] == "acknowledged").count();
    assert_eq!(lines, 1, "{}", incident["timeline"]);
    assert_eq!(world.told("platform-pager").await, "trigger acknowledge");
    world.settle();
}

#[tokio::test]
async fn a_call_without_our_key_is_looked_up() {
    let world = World::start(&both(), "").await;
    // The first question about the page is not answered, and the next one comes after half a minute.
    world.inbox.fault("/pagerduty/incidents", Fault::Status(500), 1);
    let (_, key) = world.opened().await;
    let asked = || world.inbox.received().iter().any(|entry| entry.path == "/pagerduty/incidents");
    world.until("a question", async || asked()).await;
    // A stranger's incident of the same service, and ours, both without a key.
    assert_eq!(world.call(&event("E1", "incident.acknowledged", "QSTRANGER", Some("another"))).await, 202);
    let id = world.page(PLATFORM_KEY, &key).id;
    assert_eq!(world.call(&event("E2", "incident.acknowledged", &id, None)).await, 202);
    assert_eq!(world.call(&event("E2", "incident.acknowledged", &id, None)).await, 202);
    world.reaches("acknowledged").await;
    assert!(world.counted("pagerduty", "kept").await >= 2);
    world.settle();
}

#[tokio::test]
async fn a_token_is_asked_about_without_sending() {
    let world = World::start(TOKEN, "").await;
    let before = world.inbox.received().len();
    let said = world.own.slod.cli(&["check", "--online", "--only", "ops-pager"]).await.unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(text.contains("the API token is good, and has the priorities P1 to P5"), "{text}");
    let asked: Vec<_> = world.inbox.received().split_off(before);
    assert!(asked.iter().any(|entry| entry.path == "/pagerduty/priorities"));
    world.inbox.fault("/pagerduty/incidents", Fault::Status(401), 1_000);
    let said = world.own.slod.cli(&["check", "--online", "--only", "ops-pager"]).await.unwrap();
    assert_eq!(said.status.code(), Some(1), "{said:?}");
}
