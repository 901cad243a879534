//! What a receiver says when it refuses is said on, by its name: in the outbox, on the page of receivers, in `slod status`.

use serde_json::json;
use testbed::inbox::Fault;

use crate::live::{Live, outages_only};

/// Which receiver, where it is reached, what it says, what becomes of the message, and what people read.
const REFUSALS: &[(&str, &str, u16, &str, &str, &str)] = &[
    (
        "ops-pager",
        "/pagerduty",
        400,
        r#"{"status":"invalid event","message":"Event object is invalid","errors":["routing_key is unknown"]}"#,
        "dead",
        "400 Event object is invalid: routing_key is unknown",
    ),
    ("inventory-alerts", "/slack/api", 200, r#"{"ok":false,"error":"not_in_channel"}"#, "dead", "not_in_channel"),
    ("inventory-eng", "/slack/services", 410, "channel_is_archived", "dead", "410 channel_is_archived"),
    ("ops-lead", "RCPT@smtp", 452, "4.2.2 mailbox full", "retry", "452 4.2.2 mailbox full"),
];

#[tokio::test]
async fn a_refusal_is_shown_by_its_name() {
    let live = Live::of(outages_only().await).await;
    for (receiver, path, status, body, state, why) in REFUSALS {
        live.world.inbox.fault(path, Fault::Says(*status, (*body).to_owned()), u32::MAX);
        let (_, answer) =
            live.slod.post(&format!("/api/v1/notify-test/{receiver}"), &json!({"by": "ann"})).await.unwrap();
        live.until(&format!("{receiver}: {why} ({answer})"), async || {
            let rows = live.slod.api("/api/v1/deliveries").await.unwrap_or_default();
            let rows = rows["deliveries"].as_array().cloned().unwrap_or_default();
            rows.iter().any(|row| row["receiver"] == *receiver && row["state"] == *state && row["last_error"] == *why)
        })
        .await;
    }
    let text = live.cli(&["status"]).await;
    let (_, page) = live.slod.get("/sources").await.unwrap();
    let json = live.slod.api("/api/v1/status").await.unwrap();
    for (receiver, _, _, _, _, why) in REFUSALS {
        assert!(text.lines().any(|line| line.contains(receiver) && line.contains(why)), "{why}: {text}");
        assert!(page.contains(why), "{why}: {page}");
        let view = json["receivers"].as_array().unwrap().iter().find(|view| view["name"] == *receiver).unwrap().clone();
        assert_eq!(view["last_error"], *why);
    }
    // What is taken again is no trouble any more.
    live.world.inbox.clear_faults();
    live.slod.post("/api/v1/notify-test/ops-pager", &json!({"by": "ann"})).await.unwrap();
    live.until("the pager is well", async || !live.cli(&["status"]).await.contains("receiver ops-pager")).await;
}
