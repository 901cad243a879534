//! A budget correction from the command line to the report, across a kill.

use chrono::TimeDelta;
use serde_json::json;
use slod::clock::{Clock as _, SystemClock};
use testbed::clock::eventually;

use crate::{live::PATIENCE, own::Own};

const CONFIG: &str = "
version: 1
services:
  shop:
    slos:
      front:
        objective: 90%
        window: 1h
        every: 1s
        indicator: {probe: {url: {from_env: FRONT_URL}, timeout: 500ms, retries: 0}}
";

#[tokio::test]
async fn a_correction_is_counted_reported_and_kept() {
    let front = testbed::ports::free_port().map(|port| format!("http://127.0.0.1:{port}/")).unwrap();
    let mut daemon = Own::launch(CONFIG, &[("FRONT_URL", front)]).await;
    let bad = async |daemon: &Own| daemon.slo("shop/front").await["bad"].as_f64().unwrap_or_default();
    assert!(eventually(PATIENCE, async || bad(&daemon).await >= 2.0).await, "{}", daemon.slod.log());

    let now = SystemClock.now();
    // Where the outage began: well before the first slot.
    let at = (now - TimeDelta::minutes(5)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let correct = ["correct", "shop/front", "--at", &at, "--total", "1000", "--by", "ann", "--reason", "load test <b>"];
    // What was never counted would make up for what is still to come.
    let said = daemon.slod.cli(&[&correct[..], &["--bad", "-1000"]].concat()).await.unwrap();
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!said.status.success() && error.contains("1000 bad events are taken away, but only "), "{error}");
    let said = daemon.slod.cli(&[&correct[..], &["--bad", "-2"]].concat()).await.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(String::from_utf8_lossy(&said.stdout).contains("−2 bad, 1,000 in all, by ann"));
    // Every second is bad, and two of them are forgiven.
    let corrected = |slo: &serde_json::Value| {
        let (bad, total) = (slo["bad"].as_f64().unwrap(), slo["total"].as_f64().unwrap());
        bad >= 0.0 && total > 1_000.0 && (total - 1_000.0 - bad - 2.0).abs() < 1e-6
    };
    let slo = daemon.slo("shop/front").await;
    assert!(corrected(&slo), "{slo}");

    for (body, status, why) in [
        (json!({"slo": "shop/nothing", "at": at, "bad": 1, "total": 1, "reason": "x", "by": "ann"}), 404, "no SLO"),
        (json!({"slo": "shop", "at": at, "bad": 1, "total": 1, "reason": "x", "by": "ann"}), 400, "service/slo"),
        (
            json!({"slo": "shop/front", "at": "2099-01-01T00:00:00Z", "bad": 1, "total": 1, "reason": "x", "by": "ann"}),
            400,
            "future",
        ),
        (
            json!({"slo": "shop/front", "at": "2001-01-01T00:00:00Z", "bad": 1, "total": 1, "reason": "x", "by": "ann"}),
            400,
            "kept",
        ),
        (
            json!({"slo": "shop/front", "at": "yesterday", "bad": 1, "total": 1, "reason": "x", "by": "ann"}),
            400,
            "not a time",
        ),
        (json!({"slo": "shop/front", "at": at, "bad": 2, "total": 1, "reason": "x", "by": "ann"}), 400, "less than"),
        (json!({"slo": "shop/front", "at": at, "bad": "two", "total": 1, "reason": "x", "by": "ann"}), 400, "f64"),
        (
            json!({"slo": "shop/front", "at": at, "bad": 1e300, "total": 1e300, "reason": "x", "by": "ann"}),
            400,
            "between",
        ),
        (json!({"slo": "shop/front", "at": at, "bad": 1, "total": 1, "reason": " ", "by": "ann"}), 400, "reason"),
        (json!({"slo": "shop/front", "at": at, "bad": 1, "total": 1, "reason": "x"}), 400, "`by` is missing"),
        (
            json!({"slo": "shop/front", "at": at, "bad": 1, "total": 1, "reason": "x", "by": "ann", "series": {"a": "b"}}),
            400,
            "one whole",
        ),
        (
            json!({"slo": "shop/front", "at": at, "bad": 1, "total": 1, "reason": "x", "by": "ann", "more": 1}),
            400,
            "unknown field",
        ),
    ] {
        let (got, text) = daemon.slod.post("/api/v1/corrections", &body).await.unwrap();
        assert!(got == status && text.contains(why), "{body}: {got} {text}");
    }

    daemon.slod.kill9();
    daemon.slod.relaunch().await.unwrap();
    let slo = daemon.slo("shop/front").await;
    assert!(corrected(&slo), "{slo}");
    let report = daemon.slod.api(&format!("/api/v1/budget?month={}", now.format("%Y-%m"))).await.unwrap();
    let slo = &report["services"][0]["slos"][0];
    assert!(corrected(slo), "{slo}");
    let made = slo["corrections"].as_array().unwrap();
    assert_eq!(made.len(), 1, "{slo}");
    assert_eq!(
        (&made[0]["by"], &made[0]["reason"], &made[0]["bad"]),
        (&json!("ann"), &json!("load test <b>"), &json!(-2.0))
    );
    assert!(made[0]["at"].is_string() && made[0]["made_at"].is_string());
}
