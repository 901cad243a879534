//! Buttons in Slack.

use testbed::inbox::PagerdutyStatus;

use super::{
    calls::press,
    world::{CHANNEL, OPS_KEY, PLATFORM_KEY, SLACK_SECRET, World},
};

const TEAM: &str = ", signing_secret: {from_env: SLACK_SIGNING}, allow: [U1ANN, U2BOB]";
const ACKNOWLEDGE: &str = "slod-acknowledge";
const RESOLVE: &str = "slod-resolve";
const SILENCE: &str = "slod-silence-1h";

/// `action_id`s under the message that is kept up to date, and the value they share.
fn buttons(world: &World) -> (Vec<String>, Option<String>) {
    let under = world.inbox.slack_buttons();
    let (_, root) = under.first_key_value().unwrap();
    assert!(under.values().skip(1).all(Vec::is_empty), "only one message has any: {under:?}");
    assert!(root.iter().all(|(_, value)| *value == root[0].1), "{root:?}");
    (root.iter().map(|(action, _)| action.clone()).collect(), root.first().map(|(_, value)| value.clone()))
}

#[tokio::test]
async fn who_is_allowed_presses_and_the_message_follows() {
    let world = World::start("", TEAM).await;
    let (_, key) = world.opened().await;
    assert_eq!(buttons(&world), ([ACKNOWLEDGE, RESOLVE, SILENCE].map(str::to_owned).to_vec(), Some(key.clone())));

    // Somebody else may not, and hears why.
    assert_eq!(world.press("U3EVE", ACKNOWLEDGE, &key, "1.1", 0).await, 200);
    world.until("a whisper", async || world.inbox.slack_whispers().len() == 1).await;
    let (user, text) = world.inbox.slack_whispers().remove(0);
    assert!(user == "U3EVE" && text.contains("U3EVE is not under `allow` of receiver team"), "{text}");
    assert_eq!(world.incident().await["state"], "open");

    assert_eq!(world.press("U1ANN", ACKNOWLEDGE, &key, "1.2", 0).await, 200);
    let incident = world.reaches("acknowledged").await;
    assert_eq!(incident["acknowledged_by"], "ann U1ANN (team)");
    for routing_key in [OPS_KEY, PLATFORM_KEY] {
        assert_eq!(world.status(routing_key, &key), PagerdutyStatus::Acknowledged);
    }
    assert_eq!(buttons(&world).0, [RESOLVE, SILENCE]);
    let root = world.inbox.slack_state().into_values().next().unwrap();
    assert!(root.starts_with("● P1"), "{root}");

    // The very same press once more, a second person's, and a link.
    for (user, action, at) in [("U1ANN", ACKNOWLEDGE, "1.2"), ("U2BOB", ACKNOWLEDGE, "1.3"), ("U3EVE", "link-0", "1.4")]
    {
        assert_eq!(world.press(user, action, &key, at, 0).await, 200);
    }
    assert_eq!(world.counted("slack", "repeated").await, 1);
    assert_eq!(world.incident().await["timeline"], incident["timeline"]);

    assert_eq!(world.press("U1ANN", SILENCE, &key, "1.5", 0).await, 200);
    world.until("a word on silences", async || world.inbox.slack_whispers().len() == 2).await;
    assert!(world.inbox.slack_whispers()[1].1.starts_with("silenced for one hour"));
    assert_eq!(world.press("U1ANN", SILENCE, &key, "1.5", 0).await, 200, "the same press again");
    let silences = world.own.slod.api("/api/v1/silences").await.unwrap();
    let silences = silences["silences"].as_array().unwrap();
    assert_eq!((silences.len(), &silences[0]["by"]), (1, &"ann U1ANN (team)".into()));

    assert_eq!(world.press("U2BOB", RESOLVE, &key, "1.6", 0).await, 200);
    world.reaches("resolved").await;
    assert_eq!(buttons(&world), (Vec::new(), None));
    assert_eq!(world.press("U2BOB", ACKNOWLEDGE, &key, "1.7", 0).await, 200);
    world.until("a word on the end", async || world.inbox.slack_whispers().len() == 3).await;
    let (_, text) = world.inbox.slack_whispers().pop().unwrap();
    assert!(text.contains("resolved already"), "{text}");
    assert_eq!(world.told("team").await, "trigger acknowledge resolve");
    world.settle();
}

#[tokio::test]
async fn presses_that_are_not_believed_change_nothing() {
    let world = World::start("", TEAM).await;
    let (_, key) = world.opened().await;
    let body = || press("U1ANN", CHANNEL, ACKNOWLEDGE, &key, "1.1");
    for (secret, ago, status) in
        [("another", 0, 403), (SLACK_SECRET, 400, 403), (SLACK_SECRET, -400, 403), (SLACK_SECRET, 86_400, 403)]
    {
        assert_eq!(world.pressed(body(), secret, ago).await, status, "{secret} {ago}");
    }
    assert_eq!(world.post("/webhooks/slack", &[], body()).await, 403);
    assert_eq!((world.counted("slack", "forged").await, world.counted("slack", "expired").await), (2, 3));
    for bad in [b"payload=%7B".to_vec(), b"x".to_vec(), vec![0xff; 20], Vec::new()] {
        assert_eq!(world.pressed(bad, SLACK_SECRET, 0).await, 400);
    }
    // Signed, but from a channel where we say nothing, or about nothing of ours.
    let elsewhere = press("U1ANN", "C0OTHER", ACKNOWLEDGE, &key, "1.2");
    assert_eq!(world.pressed(elsewhere, SLACK_SECRET, 0).await, 200);
    assert_eq!(world.counted("slack", "denied").await, 1);
    for value in ["nothing", &format!("{key}/2"), "../../etc"] {
        assert_eq!(world.press("U1ANN", ACKNOWLEDGE, value, "1.3", 0).await, 200);
    }
    assert_eq!(world.counted("slack", "stale").await, 3);
    assert_eq!(world.incident().await["state"], "open");
    assert_eq!(world.told("team").await, "trigger");
    world.settle();
}

#[tokio::test]
async fn without_a_list_nobody_may() {
    let world = World::start("", ", signing_secret: {from_env: SLACK_SIGNING}").await;
    let (_, key) = world.opened().await;
    assert_eq!(world.press("U1ANN", RESOLVE, &key, "1.1", 0).await, 200);
    world.until("a whisper", async || !world.inbox.slack_whispers().is_empty()).await;
    let (_, text) = world.inbox.slack_whispers().remove(0);
    assert!(text.contains("no `allow`") && text.contains("U1ANN"), "{text}");
    assert_eq!(world.incident().await["state"], "open");
    world.settle();
}

/// The pager's people give it up: a new opening, whose buttons are new ones.
#[tokio::test]
async fn a_button_of_an_earlier_opening_is_stale() {
    let world = World::start(super::world::HOOK, TEAM).await;
    let (_, key) = world.opened().await;
    for kind in ["acknowledged", "unacknowledged"] {
        let event = super::calls::event(kind, &format!("incident.{kind}"), "QOPS", Some(&key));
        assert_eq!(world.call(&event).await, 202);
    }
    world.until("new buttons", async || buttons(&world).1 == Some(format!("{key}/2"))).await;
    assert_eq!(world.press("U1ANN", ACKNOWLEDGE, &key, "1.1", 0).await, 200);
    world.until("a whisper", async || !world.inbox.slack_whispers().is_empty()).await;
    let (_, text) = world.inbox.slack_whispers().remove(0);
    assert!(text.contains("an earlier opening"), "{text}");
    assert_eq!(world.reaches("open").await["state"], "open");
    assert_eq!(world.press("U1ANN", ACKNOWLEDGE, &format!("{key}/2"), "1.2", 0).await, 200);
    world.reaches("acknowledged").await;
    world.settle();
}
