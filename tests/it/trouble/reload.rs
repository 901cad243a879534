//! Reloading: all or nothing.

use std::fs;

use serde_json::json;
use testbed::{inbox::PagerdutyStatus, world::OPS_KEY};

use crate::live::{Live, outages_only};

const RELOADED: &str = "slod_config_last_reload_successful";

async fn reload(live: &Live) -> (u16, String) {
    live.slod.post("/-/reload", &json!({})).await.unwrap()
}

/// The newest reload, as `/metrics` has it.
async fn was_good(live: &Live) -> bool {
    let (_, metrics) = live.slod.get("/metrics").await.unwrap();
    metrics.lines().any(|line| line == format!("{RELOADED} 1"))
}

#[tokio::test]
async fn a_bad_reload_changes_nothing_and_a_good_one_everything() {
    let mut live = Live::of(outages_only().await).await;
    let slo = "inventory/dashboard-availability";
    live.slo_is(slo, "ok").await;
    let good = live.world.config.clone();

    for (word, broken) in [("every", "never"), ("objective", "100%"), ("windw", "30d")] {
        live.world.config.set(&format!("/services/inventory/slos/dashboard-availability/{word}"), json!(broken));
        live.world.write_config().unwrap();
        let (status, body) = reload(&live).await;
        assert_eq!(status, 422, "{body}");
        assert!(body.contains(broken) || body.contains(word), "{body}");
        assert!(!was_good(&live).await);
        live.world.config = good.clone();
    }
    fs::write(live.world.folder().join("slo.yaml"), "version: 1\nservices: [").unwrap();
    let refused = live.slod.log().matches("is refused").count();
    live.slod.signal("HUP").unwrap();
    live.until("refused", async || live.slod.log().matches("is refused").count() > refused).await;
    // The old one is still in force: it goes on judging, and pages.
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(slo).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;

    // A good one takes effect, and keeps what is open.
    live.world.config.set("/services/inventory/slos/dashboard-availability/title", json!("The dashboard answers"));
    live.world.config.set("/policies/outage/when/consecutive", json!(1));
    live.world.write_config().unwrap();
    let (status, body) = reload(&live).await;
    assert_eq!(status, 200, "{body}");
    assert!(was_good(&live).await);
    live.until("the new title", async || {
        live.slod.api(&format!("/api/v1/slos/{slo}")).await.unwrap()["title"] == "The dashboard answers"
    })
    .await;
    assert_ne!(live.whole(&id).await["state"], "resolved");
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;

    // By signal too.
    live.world.config.set("/services/inventory/slos/dashboard-availability/title", json!("Once more"));
    live.world.write_config().unwrap();
    live.slod.signal("HUP").unwrap();
    live.until("the newest title", async || {
        live.slod.api(&format!("/api/v1/slos/{slo}")).await.unwrap()["title"] == "Once more"
    })
    .await;
    live.settle().await;
}

#[tokio::test]
async fn what_a_reload_takes_away_ends_what_it_held_open() {
    let mut live = Live::of(outages_only().await).await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened("inventory/dashboard-availability").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let policy = live.world.config.document()["policies"]["outage"].clone();
    live.world.config.remove("/policies/outage");
    live.world.config.set("/policies/renamed", policy);
    live.world.config.set("/policies/renamed/when/consecutive", json!(1_000));
    live.world.write_config().unwrap();
    let (status, said) = reload(&live).await;
    assert_eq!(status, 200);
    let ended = format!("configuration reloaded; ended incidents: {id} inventory/dashboard-availability");
    assert!(said.contains(&ended), "{said}");
    live.until("the log says so", async || live.slod.log().contains(&ended)).await;
    live.reaches(&id, "resolved").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.settle().await;
}

#[tokio::test]
async fn a_refused_reload_shows_nothing_of_the_files_to_everybody_and_never_hangs() {
    let live = Live::of(outages_only().await).await;
    let file = live.world.folder().join("slo.yaml");
    fs::write(&file, "version: 1\nservices: {a: {titel: LINE-OF-THE-FILE}}\n").unwrap();
    let (status, body) = reload(&live).await;
    assert!(status == 422 && body.contains("LINE-OF-THE-FILE"), "{body}");
    let (_, ready) = live.slod.get("/-/ready").await.unwrap();
    assert!(ready.contains("\"rejected_reload\":true") && !ready.contains("titel"), "{ready}");
    let (_, page) = live.slod.get("/sources").await.unwrap();
    assert!(page.contains("unknown key `titel`") && !page.contains("LINE-OF-THE-FILE"), "{page}");

    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let (status, body) = reload(&live).await;
    assert!(status == 422 && body.contains("is not a regular file"), "{body}");
    fs::remove_file(&file).unwrap();
    live.world.write_config().unwrap();
    live.settle().await;
}
