//! What is not believed: nothing changes, everything is counted, little is said.

use serde_json::json;

use super::{
    calls::{changed, event, press, signature},
    world::{CHANNEL, HOOK, HOOK_SECRET, SLACK_SECRET, World},
};

const PAGERDUTY: &str = "/webhooks/pagerduty";

#[tokio::test]
async fn calls_that_nobody_signed_change_nothing() {
    let world = World::start(HOOK, "").await;
    let (_, key) = world.opened().await;
    let before = world.incident().await["timeline"].clone();
    let acknowledged = event("E1", "incident.acknowledged", "QOPS", Some(&key)).to_string();
    let right = signature(HOOK_SECRET, acknowledged.as_bytes());
    let post =
        async |header: &str, body: Vec<u8>| world.post(PAGERDUTY, &[("x-pagerduty-signature", header)], body).await;

    for header in [
        "",
        "v1=",
        "v1=00",
        &signature("another-secret", acknowledged.as_bytes()),
        &signature(HOOK_SECRET, b"another body"),
        &right.replace("v1", "v2"),
        &right[3..],
    ] {
        assert_eq!(post(header, acknowledged.clone().into_bytes()).await, 403, "{header}");
    }
    assert_eq!(world.post(PAGERDUTY, &[], acknowledged.clone()).await, 403, "no header at all");
    assert_eq!(post(&right, acknowledged.as_bytes()[1..].to_vec()).await, 403, "cut in front");
    assert_eq!(post(&right, acknowledged.as_bytes()[..200].to_vec()).await, 403, "cut off");
    assert_eq!(world.counted("pagerduty", "forged").await, 10);

    // Signed, but nothing that could be read.
    let whole = acknowledged.as_bytes();
    let mut binary = whole.to_vec();
    binary[50] = 0xff;
    let no_id =
        changed(event("E1", "incident.acknowledged", "../users", Some(&key)), "/event/id", json!("")).to_string();
    for body in [binary, whole[..200].to_vec(), Vec::new(), b"null".to_vec(), b"{}".to_vec(), no_id.into_bytes()] {
        assert_eq!(post(&signature(HOOK_SECRET, &body), body.clone()).await, 400, "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(world.counted("pagerduty", "malformed").await, 6);

    // What is too large is not read to its end: the caller may see no more than a connection that breaks.
    let huge = vec![b'x'; 10 << 20];
    let header = signature(HOOK_SECRET, &huge);
    assert!([413, 0].contains(&post(&header, huge).await));
    assert_eq!(world.counted("pagerduty", "too_large").await, 1);

    // Nothing of our business, but signed: not to be sent again.
    for kind in ["pagey.ping", "incident.triggered", "incident.danced", "service.updated"] {
        assert_eq!(world.call(&event("E1", kind, "QOPS", Some(&key))).await, 202, "{kind}");
    }
    assert_eq!(world.counted("pagerduty", "ignored").await, 4);

    // No app is configured.
    assert_eq!(world.pressed(press("U1ANN", CHANNEL, "slod-acknowledge", &key, "1.2"), SLACK_SECRET, 0).await, 403);
    assert_eq!(world.counted("slack", "unconfigured").await, 1);

    assert_eq!(world.incident().await["timeline"], before);
    let log = world.own.slod.log();
    assert_eq!(log.matches("a call was turned away").count(), 2, "one line for each caller\n{log}");

    // During a rotation one of several signatures is enough, and any host name will do.
    let rotated = format!("{}, {right}", signature("old", acknowledged.as_bytes()));
    let headers = [("x-pagerduty-signature", rotated.as_str()), ("host", "slod.example.com")];
    assert_eq!(world.post(PAGERDUTY, &headers, acknowledged.clone()).await, 202);
    world.reaches("acknowledged").await;
    assert_eq!(
        world.post("/api/v1/incidents", &[("host", "slod.example.com")], "").await,
        421,
        "nothing else is served so"
    );
    world.settle();
}

#[tokio::test]
async fn without_a_secret_there_is_nobody_to_call() {
    let world = World::start("", "").await;
    let (_, key) = world.opened().await;
    assert_eq!(world.call(&event("E1", "incident.acknowledged", "QOPS", Some(&key))).await, 403);
    assert_eq!(world.counted("pagerduty", "unconfigured").await, 1);
    assert_eq!(world.incident().await["state"], "open");
    assert!(world.inbox.slack_buttons().values().all(Vec::is_empty), "{:?}", world.inbox.slack_buttons());
    world.settle();
}
