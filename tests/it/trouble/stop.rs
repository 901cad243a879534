//! How it ends, and when it does not even begin.

use std::{fs, path::Path, time::Duration};

use testbed::{
    daemon::Slod,
    inbox::{Fault, PagerdutyStatus},
    ports::free_port,
    world::{OPS_KEY, World},
};

use crate::live::{Live, PROGRAM, deliveries, outages_only};

#[tokio::test]
async fn it_ends_in_time_although_a_message_hangs_and_sends_it_after_the_next_start() {
    let mut live = Live::of(outages_only().await).await;
    live.world.inbox.fault("/", Fault::Hang(None), u32::MAX);
    live.world.service.answer_with(503).unwrap();
    let id = live.opened("inventory/dashboard-availability").await;
    let hanging = async || deliveries(&live.whole(&id).await).contains(&"ops-pager trigger sending".to_owned());
    live.until("it hangs", hanging).await;
    // A mail server that says nothing is as patient.
    live.world.inbox.fault("EHLO@smtp", Fault::Hang(None), u32::MAX);
    live.slod.post("/api/v1/notify-test/ops-lead", &serde_json::json!({"by": "ann"})).await.unwrap();
    let hanging =
        async || live.unsent().await.iter().any(|row| row["receiver"] == "ops-lead" && row["state"] == "sending");
    live.until("a mail hangs", hanging).await;
    let status = live.slod.terminate().await.unwrap();
    assert_eq!(status.code(), Some(0), "{}", live.slod.log());
    live.world.inbox.clear_faults();
    live.slod.restart().await.unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}

#[tokio::test]
async fn it_ends_in_time_although_the_store_is_locked_too() {
    let mut live = Live::of(outages_only().await).await;
    live.world.inbox.fault("/", Fault::Hang(None), u32::MAX);
    live.world.service.answer_with(503).unwrap();
    let id = live.opened("inventory/dashboard-availability").await;
    let hanging = async || deliveries(&live.whole(&id).await).contains(&"ops-pager trigger sending".to_owned());
    live.until("it hangs", hanging).await;
    let other = super::locked(&live).await;
    live.until("it is not ready", async || live.slod.get("/-/ready").await.unwrap().0 == 503).await;
    assert_eq!(live.slod.terminate().await.unwrap().code(), Some(0), "{}", live.slod.log());
    drop(other);
    live.world.inbox.clear_faults();
    live.slod.restart().await.unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished() {
    let mut live = Live::of(outages_only().await).await;
    live.world.inbox.fault("/pagerduty", Fault::Hang(Some(Duration::from_secs(2))), 1);
    live.world.service.answer_with(503).unwrap();
    let id = live.opened("inventory/dashboard-availability").await;
    let hanging = async || deliveries(&live.whole(&id).await).contains(&"ops-pager trigger sending".to_owned());
    live.until("it is under way", hanging).await;
    assert_eq!(live.slod.terminate().await.unwrap().code(), Some(0));
    live.slod.restart().await.unwrap();
    let sent = deliveries(&live.whole(&id).await);
    assert!(sent.contains(&"ops-pager trigger sent".to_owned()), "{sent:?}");
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    let triggers = live
        .world
        .inbox
        .received()
        .into_iter()
        .filter(|entry| entry.body["routing_key"] == OPS_KEY && entry.body["event_action"] == "trigger");
    assert_eq!(triggers.count(), 1);
}

#[tokio::test]
async fn a_bad_configuration_is_refused_with_all_its_problems() {
    let mut world = World::small().await.unwrap();
    world.config.set("/services/inventory/slos/dashboard-availability/objective", serde_json::json!("0.995"));
    world.config.set("/policies/outage/notify", serde_json::json!(["ops-pgr"]));
    world.write_config().unwrap();
    let error = Slod::start(Path::new(PROGRAM), world.folder(), &world.env()).await.unwrap_err().to_string();
    for word in ["write `99.5%`", "did you mean `ops-pager`?", "refuses"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert_eq!(run(&world).await, (Some(78), String::new()));
    // What can only be known when it is built is refused in the same way.
    fs::remove_file(world.folder().join("slo.yaml")).unwrap();
    assert_eq!(run(&world).await, (Some(78), String::new()));
}

/// Runs it to its end: the exit code, and what it said on its standard output.
async fn run(world: &World) -> (Option<i32>, String) {
    let slod = Slod::prepare(Path::new(PROGRAM), world.folder(), &world.env()).unwrap();
    let output = slod.cli(&["run"]).await.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn a_second_daemon_on_the_same_store_is_refused() {
    let live = Live::small().await;
    let mut env = live.world.env();
    env.insert("SLOD_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port().unwrap()));
    let second = Slod::prepare(Path::new(PROGRAM), live.world.folder(), &env).unwrap();
    let output = second.cli(&["run"]).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && output.status.code() != Some(78), "{said}");
    assert!(said.contains("is in use by another slod"), "{said}");
    // The first one was not disturbed, and can still be spoken to.
    live.slo_is("inventory/dashboard-availability", "ok").await;
    live.cli(&["status"]).await;
    live.settle().await;
}
