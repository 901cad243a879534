//! History is filled in by itself: at the first start, after an outage, and across kills.

use std::fmt::Write as _;

use slod::clock::{Clock as _, SystemClock};
use testbed::{clock::eventually, inbox::Inbox, prometheus::Prometheus};

use crate::{
    live::{PATIENCE, timeline},
    own::Own,
};

const MINUTE: i64 = 60;
/// How much the source knows, in minutes.
const KNOWN: i64 = 600;
/// How long the gauge was too high, in minutes before the end.
const HIGH: std::ops::Range<i64> = 120..180;
/// The slots that are bad for it.
const BAD: f64 = 60.0;

/// A full minute, two minutes ago.
fn two_minutes_ago() -> i64 {
    SystemClock.now().timestamp().div_euclid(MINUTE) * MINUTE - 2 * MINUTE
}

/// A gauge that was too high for an hour, with a sample a minute until two minutes ago.
fn history(end: i64) -> String {
    let mut text = "# TYPE queue_age gauge\n".to_owned();
    for back in (0..KNOWN).rev() {
        let value = if HIGH.contains(&back) { 60 } else { 5 };
        let _ = writeln!(text, "queue_age {value} {}", end - back * MINUTE);
    }
    text + "# EOF\n"
}

fn config(window: &str) -> String {
    format!(
        "version: 1\n\
         sources: {{prometheus: {{prometheus: {{url: {{from_env: PROMETHEUS_URL}}, settle: 1s}}, blind_after: 3s}}}}\n\
         services:\n  shop:\n    slos:\n      queue:\n        objective: 90%\n        window: {window}\n        every: 1m\n        \
         indicator: {{value: {{source: prometheus, query: queue_age, good: \"<= 10\"}}}}\n"
    )
}

async fn launch(window: &str, prometheus: &Prometheus) -> Own {
    Own::launch(&config(window), &[("PROMETHEUS_URL", prometheus.url())]).await
}

#[tokio::test]
async fn the_first_start_fills_the_window() {
    let end = two_minutes_ago();
    let prometheus = Prometheus::with_history(&history(end)).await.unwrap();
    let daemon = launch("8h", &prometheus).await;
    daemon.until_filled().await;
    let slo = daemon.slo("shop/queue").await;
    assert_eq!(slo["bad"].as_f64(), Some(BAD), "{slo}");
    assert!(slo["budget"]["coverage"].as_f64().unwrap() > 0.98, "{slo}");
    assert!(slo["backfill"].is_null(), "{slo}");
    let slots = daemon.slod.api("/api/v1/slos/shop/queue/slots").await.unwrap();
    let slots = slots["slots"].as_array().unwrap();
    assert!((479..=480).contains(&slots.len()), "{}", slots.len());
}

#[tokio::test]
async fn a_fill_that_is_killed_goes_on() {
    let end = two_minutes_ago();
    let prometheus = Prometheus::with_history(&history(end)).await.unwrap();
    // Seven days, of which most are unknown to the source.
    let mut daemon = launch("7d", &prometheus).await;
    let mut before = i64::MAX;
    for _ in 0..3 {
        let moved = eventually(PATIENCE, async || daemon.missing().await.is_some_and(|missing| missing < before)).await;
        assert!(moved, "{before}\n{}", daemon.slod.log());
        before = daemon.missing().await.unwrap_or(before);
        daemon.slod.kill9();
        daemon.slod.relaunch().await.unwrap();
        let after = daemon.missing().await.unwrap_or(before);
        // A slot or two may have passed meanwhile.
        assert!(after <= before + 3, "{after} missing after the restart, {before} before");
    }
    daemon.until_filled().await;
    let slo = daemon.slo("shop/queue").await;
    assert_eq!(slo["bad"].as_f64(), Some(BAD), "{slo}");
    // The last sample is good for five minutes.
    let known = slo["total"].as_f64().unwrap() as i64;
    assert!((KNOWN..=KNOWN + 5).contains(&known), "{slo}");
}

#[tokio::test]
async fn an_outage_of_the_source_is_filled_afterwards() {
    let end = two_minutes_ago();
    let mut prometheus = Prometheus::with_history(&history(end)).await.unwrap();
    prometheus.stop();
    let daemon = launch("8h", &prometheus).await;
    let asked = eventually(PATIENCE, async || daemon.missing().await.is_some_and(|missing| missing > 0)).await;
    assert!(asked, "{}", daemon.slod.log());
    let status = daemon.slod.cli(&["status"]).await.unwrap();
    let said = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(said.contains("slots to go") && said.contains("shop/queue"), "{said}");
    prometheus.restart().await.unwrap();
    daemon.until_filled().await;
    assert_eq!(daemon.slo("shop/queue").await["bad"].as_f64(), Some(BAD));
}

/// Requests and errors, a hundred a minute: an outage of twenty minutes two days ago, and one that lasts for ten.
fn two_outages(end: i64) -> String {
    let (mut requests, mut old, mut new) = (0, 0, 0);
    let mut texts = [String::new(), String::new(), String::new()];
    for back in (0..4 * 1_440).rev() {
        requests += 100;
        old += if (2_880..2_900).contains(&back) { 100 } else { 0 };
        new += if back < 10 { 100 } else { 0 };
        let at = end - back * MINUTE;
        for (text, (name, value)) in
            texts.iter_mut().zip([("requests", requests), ("old_errors", old), ("new_errors", new)])
        {
            let _ = writeln!(text, "{name}_total{{job=\"shop\",instance=\"a\"}} {value} {at}");
        }
    }
    let mut text = String::new();
    for (name, samples) in ["requests", "old_errors", "new_errors"].into_iter().zip(&texts) {
        let _ = write!(text, "# TYPE {name} counter\n{samples}");
    }
    text + "# EOF\n"
}

#[tokio::test]
async fn what_is_over_pages_nobody_and_what_goes_on_pages_late() {
    let inbox = Inbox::start().await;
    let prometheus = Prometheus::with_history(&two_outages(two_minutes_ago())).await.unwrap();
    let slo = |name: &str, errors: &str| {
        format!(
            "      {name}:\n        objective: 99%\n        window: 7d\n        indicator:\n          \
             ratio: {{source: prometheus, bad: {errors}_total, total: requests_total}}\n"
        )
    };
    let config = format!(
        "version: 1\n\
         sources: {{prometheus: {{prometheus: {{url: {{from_env: PROMETHEUS_URL}}, settle: 1s}}}}}}\n\
         services:\n  shop:\n    slos:\n{}{}\
         policies:\n  \
         run: {{slo: shop/*, when: {{consecutive: 3}}, priority: P2, notify: [team]}}\n  \
         spent: {{slo: shop/*, when: {{budget_remaining: \"< 90%\"}}, priority: P2, notify: [team]}}\n  \
         burn: {{slo: shop/*, when: {{burn_rate: sre-workbook}}, priority: P3, notify: [team]}}\n\
         receivers: {{team: {{slack: {{webhook: {{from_env: SLACK}}}}}}}}\n",
        slo("over", "old_errors"),
        slo("going-on", "new_errors"),
    );
    let env = [("PROMETHEUS_URL", prometheus.url()), ("SLACK", inbox.url("/slack/services/T000/B000/SECRET"))];
    let daemon = Own::launch(&config, &env).await;
    daemon.until_filled().await;
    assert_eq!(daemon.slo("shop/over").await["bad"].as_f64(), Some(2_000.0), "{}", daemon.slo("shop/over").await);
    let incidents = daemon.slod.api("/api/v1/incidents").await.unwrap();
    let slos: Vec<_> = incidents["incidents"].as_array().unwrap().iter().map(|incident| &incident["slo"]).collect();
    assert_eq!(slos, ["going-on"], "{incidents}");
    let path = format!("/api/v1/incidents/{}", incidents["incidents"][0]["id"].as_str().unwrap());
    let whole = daemon.slod.api(&path).await.unwrap();
    let said = timeline(&whole).join("\n");
    assert!(said.contains("run fires (P2)"), "{said}");
    assert_eq!(whole["late"], true, "{whole}");
    assert_eq!(daemon.slo("shop/going-on").await["bad"].as_f64(), Some(1_000.0));
}
