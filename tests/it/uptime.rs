//! A Pingdom check from the configuration to the page, the figures and the report.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::Path;

use chrono::Timelike as _;
use serde_json::{Value, json};
use slod::views::render_words::duration;
use testbed::{clock::now, daemon::Slod, inbox::PagerdutyStatus, world::OPS_KEY};

use crate::{
    live::{Live, PROGRAM, outages_only, timeline},
    sources::pingdom_mock::{CHECK, Pingdom, TOKEN},
};

const AVAILABILITY: &str = "inventory/dashboard-availability";
/// Later than any test.
const FAR: i64 = 99_999_999_999;

/// The one SLO is asked of Pingdom instead of a probe.
async fn watched(pingdom: &Pingdom) -> Live {
    let mut world = outages_only().await;
    let source = json!({"pingdom": {
        "blind_after": "2s",
        "pingdom": {"token": {"from_env": "PINGDOM_TOKEN", "default": "none"}, "url": pingdom.url()},
    }});
    world.config.set("/sources", source);
    let slo = format!("/services/{}", AVAILABILITY.replace('/', "/slos/"));
    world.config.set(&format!("{slo}/indicator"), json!({"pingdom": {"source": "pingdom", "check": CHECK}}));
    world.config.set(&format!("{slo}/every"), json!("2s"));
    world.config.set(&format!("{slo}/settle"), json!("0s"));
    world.write_config().unwrap();
    let mut env = world.env();
    env.insert("PINGDOM_TOKEN".to_owned(), TOKEN.to_owned());
    let slod = Slod::start(Path::new(PROGRAM), world.folder(), &env).await.unwrap();
    Live { world, slod }
}

async fn figures(live: &Live) -> Value {
    live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}")).await.unwrap_or_default()
}

#[tokio::test]
async fn an_outage_that_pingdom_sees_is_paged_and_reported() {
    let pingdom = Pingdom::start().await;
    pingdom.set(&[("up", 0, FAR)]);
    let live = watched(&pingdom).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.until("some seconds", async || figures(&live).await["total"].as_f64().unwrap_or_default() >= 6.0).await;
    let seen = figures(&live).await;
    assert_eq!((&seen["good"], &seen["bad"]), (&seen["total"], &json!(0.0)), "seconds: {seen}");

    // Down in the middle of a slot: the seconds are exact.
    let broken = (now().timestamp() / 2 + 1) * 2 + 1;
    pingdom.set(&[("up", 0, broken), ("down", broken, FAR)]);
    let id = live.opened(AVAILABILITY).await;
    let page = live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    assert_eq!(page.severity, "critical", "P1");
    let said: Vec<String> = live.world.inbox.received().into_iter().map(|entry| entry.summary).collect();
    assert!(said.iter().any(|text| text.contains("dashboard-availability: down for ")), "{said:?}");
    let slots = live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}/slots")).await.unwrap();
    let half: Vec<&Value> = slots["slots"].as_array().unwrap().iter().filter(|slot| slot["good"] == 1.0).collect();
    assert_eq!(half.len(), 1, "{slots}");
    assert_eq!(half[0]["total"], 2.0);
    let start: chrono::DateTime<chrono::Utc> = half[0]["start"].as_str().unwrap().parse().unwrap();
    assert_eq!((start.timestamp(), start.second() % 2), (broken - 1, 0));

    let mended = (now().timestamp() / 2 + 1) * 2;
    pingdom.set(&[("up", 0, broken), ("down", broken, mended), ("up", mended, FAR)]);
    live.reaches(&id, "resolved").await;
    live.settle().await;
    let report: Value = serde_json::from_str(&live.cli(&["report", "-o", "json"]).await).unwrap();
    let slo = &report["services"][0]["slos"][0];
    assert_eq!((&slo["bad"], &slo["in_seconds"]), (&json!((mended - broken) as f64), &json!(true)), "{slo}");
    // People read seconds as time.
    let down = duration((mended - broken) as f64);
    let report = live.cli(&["report"]).await;
    assert!(report.contains(&format!("{down} of ")), "{report}");
    let shown = live.cli(&["incident", "show", &id]).await;
    assert!(shown.contains(&format!("cost {down} bad")), "{shown}");
    let (_, page) = live.slod.get(&format!("/slo/{AVAILABILITY}")).await.unwrap();
    assert!(page.contains("Down time allowed") && page.contains(&format!(">{down}<")), "{page}");
    assert_eq!(pingdom.problems(), [""; 0]);
}

#[tokio::test]
async fn what_pingdom_does_not_know_is_no_breach_and_no_recovery() {
    let pingdom = Pingdom::start().await;
    pingdom.set(&[("up", 0, FAR)]);
    let live = watched(&pingdom).await;
    live.slo_is(AVAILABILITY, "ok").await;
    // Paused.
    let paused = now().timestamp();
    pingdom.set(&[("up", 0, paused), ("unknown", paused, FAR)]);
    let states = async || {
        let answer = live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}/slots")).await.unwrap_or_default();
        let slots = answer["slots"].as_array().cloned().unwrap_or_default();
        slots.iter().rev().take(2).map(|slot| slot["state"].to_string()).collect::<Vec<_>>()
    };
    live.until("unmeasured slots", async || states().await == [r#""unmeasured""#; 2]).await;
    assert_eq!(figures(&live).await["fault"], "no data: the answer holds no series or no value");
    assert!(live.incidents().await.is_empty(), "{}", live.story().await);

    // The limit of requests is spent: the source is blind, and says until when.
    pingdom.set(&[("up", 0, FAR)]);
    pingdom.spend(Some(900));
    let id = live.opened("pingdom").await;
    let said = timeline(&live.whole(&id).await).join("\n");
    let fault = figures(&live).await["fault"].clone();
    assert!(fault.as_str().unwrap().contains("the limit of requests is reached, until in "), "{fault} {said}");
    assert_eq!(live.incidents().await.len(), 1);
    assert!(!pingdom.asked().is_empty());
    let watermark = figures(&live).await["watermark"].clone();
    live.until("a slot later", async || figures(&live).await["watermark"] != watermark).await;
    assert_eq!(pingdom.asked(), [""; 0], "nothing is sent against a spent limit");
}

#[tokio::test]
async fn check_online_looks_at_the_check() {
    let pingdom = Pingdom::start().await;
    pingdom.set(&[("up", 0, FAR)]);
    let live = watched(&pingdom).await;
    let said = live.cli(&["check", "--online", "--only", "pingdom"]).await;
    assert!(said.contains("`Shop front` (http, tested every 1 min, up): up 2 s of 2 s in the last slot"), "{said}");
    assert!(!said.contains("`pingdom`:") && !said.contains(TOKEN), "{said}");
    assert_eq!(pingdom.problems(), [""; 0]);
}
