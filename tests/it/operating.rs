//! A day with the whole of it: verbs, pages, metrics and test messages in a world where all is well.

use std::{fs, process::Command};

use testbed::{inbox::Peer, process::find_program};

use crate::live::Live;

#[tokio::test]
async fn all_is_well() {
    let live = Live::start().await;
    for slo in ["dashboard-availability", "rop-freshness", "api-response-time"] {
        live.slo_is(&format!("inventory/{slo}"), "ok").await;
    }
    live.cli(&["check"]).await;
    let online = live.cli(&["check", "--online"]).await;
    for word in ["prometheus", "inventory-db", "ops-pager"] {
        assert!(online.contains(word), "{word}: {online}");
    }
    assert!(
        live.world.inbox.received().iter().all(|entry| entry.peer != Peer::Pagerduty),
        "nobody is paged by a check"
    );
    let status = live.cli(&["status"]).await;
    assert!(status.contains("inventory/rop-freshness"), "{status}");
    live.cli(&["incidents"]).await;
    live.cli(&["report", "-o", "csv"]).await;

    let pages =
        ["/", "/inventory/health", "/inventory/alerts", "/inventory/optimization", "/inventory/budget", "/sources"];
    for page in pages.into_iter().chain(["/slo/inventory/rop-freshness", "/api/inventory/health-metrics"]) {
        let (status, body) = live.slod.get(page).await.unwrap();
        assert_eq!(status, 200, "{page}: {body}");
    }

    for receiver in ["ops-pager", "platform-pager", "cto-pager", "inventory-alerts", "inventory-eng", "ops-lead"] {
        live.cli(&["notify", "test", receiver]).await;
    }
    let (status, said) =
        live.slod.post("/api/v1/notify-test/public-status", &serde_json::json!({"by": "ann"})).await.unwrap();
    assert!(status == 400 && said.contains("public status page") && said.contains("check --online"), "{status} {said}");
    let peers: Vec<_> = live.world.inbox.received().into_iter().map(|entry| entry.peer).collect();
    assert!(
        peers.contains(&Peer::Mail) && peers.contains(&Peer::Slack) && peers.contains(&Peer::Pagerduty),
        "{peers:?}"
    );
    live.settle().await;
    assert!(live.incidents().await.is_empty(), "{}", live.story().await);
}

#[tokio::test]
async fn metrics_are_as_promtool_likes_them() {
    let live = Live::start().await;
    live.slo_is("inventory/rop-freshness", "ok").await;
    live.slod.get("/inventory/health").await.unwrap();
    live.until("the gauge", async || {
        live.slod.get("/metrics").await.unwrap().1.lines().any(|line| line == "inventory_action_queue_pending_total 0")
    })
    .await;
    let (_, metrics) = live.slod.get("/metrics").await.unwrap();
    assert!(metrics.contains("inventory_dashboard_http_duration_seconds_bucket"), "{metrics}");
    let file = live.world.folder().join("metrics.txt");
    fs::write(&file, &metrics).unwrap();
    let promtool = find_program("promtool", &[], "prometheus").unwrap();
    let output =
        Command::new(promtool).args(["check", "metrics"]).stdin(fs::File::open(&file).unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    // The seed's own name for a gauge; nothing else is to be said.
    let others: Vec<_> =
        said.lines().filter(|line| !line.starts_with("inventory_action_queue_pending_total ")).collect();
    assert_eq!(others, [""; 0], "{metrics}");
    live.settle().await;
}
