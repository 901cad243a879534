//! Nothing a monitored system or a person says is trusted: it is cut, and escaped wherever it is shown.

use std::net::Ipv4Addr;

use axum::{Router, http::StatusCode, routing::any};
use serde_json::json;
use testbed::world::World;
use tokio::net::TcpListener;

use crate::live::{Live, outages_only};

const NASTY: &str = "<!channel> <@U1> <script>alert(1)</script> & \"q\" 'a' \r\nBcc: x@evil.example\0 \u{202e}abc";

/// No page shows a tag that is not ours.
async fn no_page_is_fooled(live: &Live, id: &str) {
    for path in ["/", "/inventory/health", "/inventory/alerts", "/sources", &format!("/incident/{id}")] {
        let (status, page) = live.slod.get(path).await.unwrap();
        assert_eq!(status, 200, "{path}");
        assert!(!page.contains("<script>alert") && !page.contains("<!channel>"), "{path}: {page}");
        assert!(page.len() < 300_000, "{path}: {} bytes", page.len());
    }
    let (_, metrics) = live.slod.get("/metrics").await.unwrap();
    assert!(!metrics.contains("alert(1)"), "{metrics}");
}

fn no_message_is_fooled(live: &Live) {
    for entry in live.world.inbox.received() {
        let body = entry.body.to_string();
        let mrkdwn = entry.path.starts_with("/slack");
        assert!(!mrkdwn || !(body.contains("<!channel>") || body.contains("<@U1>")), "{}: {body}", entry.path);
        assert!(body.len() < 20_000, "{}: {} bytes", entry.path, body.len());
    }
}

#[tokio::test]
async fn a_source_that_answers_with_poison() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let poison = json!({"status": "error", "errorType": "internal", "error": NASTY.repeat(2_000)}).to_string();
    let answer = move || async move { (StatusCode::INTERNAL_SERVER_ERROR, poison) };
    let evil = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(answer))).await });
    let mut world = World::small().await.unwrap();
    let freshness = json!({
        "objective": "95%", "window": "3000s", "every": "2s", "settle": "100ms",
        "indicator": {"value": {"source": "prometheus", "query": "up", "good": "> 0"}}
    });
    world.config.set("/services/inventory/slos/rop-freshness", freshness);
    let prometheus = json!({"blind_after": "2s", "blind": {"priority": "P2", "notify": ["ops-pager", "inventory-alerts", "inventory-eng"]},
        "prometheus": {"url": url}});
    world.config.set("/sources", json!({"prometheus": prometheus}));
    let live = Live::of(world).await;
    let id = live.opened("prometheus").await;
    live.until("everybody is told", async || live.world.inbox.received().len() >= 3).await;
    no_page_is_fooled(&live, &id).await;
    live.cli(&["incident", "show", &id]).await;
    live.cli(&["resolve", &id]).await;
    live.settle().await;
    no_message_is_fooled(&live);
    evil.abort();
}

#[tokio::test]
async fn a_person_who_notes_poison() {
    let live = Live::of(outages_only().await).await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened("inventory/dashboard-availability").await;
    let note = NASTY.replace('\0', "");
    live.cli(&["note", &id, &note, "--by", "<script>alert(1)</script>"]).await;
    live.cli(&["ack", &id, "--by", "<!channel>"]).await;
    let shown = live.cli(&["incident", "show", &id]).await;
    assert!(!shown.contains('\r') && !shown.contains('\u{202e}') && !shown.contains('\u{1b}'), "{shown:?}");
    no_page_is_fooled(&live, &id).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    no_message_is_fooled(&live);
}
