//! Planned work: what it is about, when it is, and that its slots are neither asked about nor counted.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{collections::BTreeSet, fs};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use slod::{
    config::{self, Mode, Overrides, render},
    domain::{name::SloId, slot::Span},
    engine::maintenance::Maintenance,
};
use testbed::{inbox::PagerdutyStatus, world::OPS_KEY};

use crate::live::{Live, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// Two services with two SLOs each, and these windows.
fn planned(of_all: &str, of_shop: &str) -> Maintenance {
    let slo = r#"{objective: 99%, window: 30d, indicator: {probe: {url: "https://example.com", timeout: 5s}}}"#;
    let text = format!(
        "version: 1
daemon: {{timezone: Europe/Berlin}}
services:
  bank: {{slos: {{front: {slo}, back: {slo}}}}}
  shop: {{slos: {{front: {slo}, back: {slo}}}, maintenance: {{{of_shop}}}}}
maintenance: {{{of_all}}}
"
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("slo.yaml"), text).unwrap();
    let loaded = config::load(folder.path(), Mode::Check, &|_| None, &Overrides::default());
    let said = render::text(&loaded.diagnostics, false);
    Maintenance::new(&loaded.config.unwrap_or_else(|| panic!("{said}")))
}

fn second(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().unwrap().timestamp()
}

fn minute(text: &str) -> Span {
    let start = second(text);
    Span { start, end: start + 60 }
}

#[test]
fn windows_are_about_what_they_name() {
    let once = r#"start: "2026-06-01T00:00:00Z", end: "2026-06-01T01:00:00Z""#;
    let hit = |of_all: &str, of_shop: &str| {
        let planned = planned(of_all, of_shop);
        let all = ["bank/back", "bank/front", "shop/back", "shop/front"];
        let slot = minute("2026-06-01T00:30:00Z");
        let id = |name: &&str| SloId::try_from((*name).to_owned()).unwrap();
        all.into_iter().filter(|name| planned.excludes(&id(name), slot)).collect::<Vec<_>>().join(" ")
    };
    for (of_all, of_shop, expected) in [
        ("", "", ""),
        (&*format!("a: {{{once}}}"), "", "bank/back bank/front shop/back shop/front"),
        (&format!("a: {{services: [shop], {once}}}"), "", "shop/back shop/front"),
        (&format!("a: {{slos: shop/front, {once}}}"), "", "shop/front"),
        (&format!("a: {{slos: ['*/front'], {once}}}"), "", "bank/front shop/front"),
        (&format!("a: {{services: [shop], slos: [bank/b*], {once}}}"), "", "bank/back shop/back shop/front"),
        ("", &format!("a: {{{once}}}"), "shop/back shop/front"),
        ("", &format!("a: {{slos: [front], {once}}}"), "shop/front"),
        ("", &format!("a: {{slos: ['b*', shop/front], {once}}}"), "shop/back shop/front"),
        ("", &format!("a: {{budget: counted, {once}}}"), ""),
        (
            &format!("a: {{slos: [shop/front], {once}}}"),
            &format!("a: {{slos: [back], {once}}}"),
            "shop/back shop/front",
        ),
    ] {
        assert_eq!(hit(of_all, of_shop), expected, "{of_all} / {of_shop}");
    }
}

#[test]
fn a_slot_that_overlaps_is_left_out() {
    let planned = planned(
        r#"once: {start: "2026-06-01T10:00:30+02:00", end: "2026-06-01T08:02:00Z", reason: move}"#,
        r#"nightly: {cron: "30 2 * * *", duration: 90m, reason: backup}"#,
    );
    let is_out = |slo: &str, at: &str| planned.excludes(&SloId::try_from(slo.to_owned()).unwrap(), minute(at));
    for (at, expected) in [
        ("2026-06-01T07:59:00Z", false),
        ("2026-06-01T08:00:00Z", true),
        ("2026-06-01T08:01:00Z", true),
        ("2026-06-01T08:02:00Z", false),
        ("2027-06-01T08:01:00Z", false),
    ] {
        assert_eq!(is_out("bank/front", at), expected, "{at}");
    }
    // Every night at half past two in Berlin: summer, winter, the nights between, other years, in any order.
    for (at, expected) in [
        ("2026-07-01T00:29:00Z", false),
        ("2026-07-01T00:30:00Z", true),
        ("2026-07-01T01:59:00Z", true),
        ("2026-07-01T02:00:00Z", false),
        ("2026-12-24T00:30:00Z", false),
        ("2026-12-24T01:30:00Z", true),
        ("2026-12-24T02:59:00Z", true),
        // 02:30 is skipped: it starts at 03:00, and lasts as long as ever.
        ("2026-03-29T00:59:00Z", false),
        ("2026-03-29T01:00:00Z", true),
        ("2026-03-29T02:29:00Z", true),
        ("2026-03-29T02:30:00Z", false),
        // 02:30 comes twice: the first counts.
        ("2026-10-25T00:30:00Z", true),
        ("2026-10-25T01:59:00Z", true),
        ("2026-10-25T02:00:00Z", false),
        ("2036-02-29T01:30:00Z", true),
        ("2026-07-01T00:30:00Z", true),
    ] {
        assert_eq!(is_out("shop/front", at), expected, "{at}");
        assert!(!is_out("bank/front", at));
    }
}

#[test]
fn many_slots_are_told_as_each() {
    let planned = planned(
        r#"once: {start: "2026-10-25T12:00:30Z", end: "2026-10-25T12:02:00Z"}"#,
        r#"nightly: {cron: "30 2 * * *", duration: 90m}, often: {cron: "*/30 9 * * sun", duration: 20m, timezone: UTC}"#,
    );
    let id = SloId::new("shop", "front");
    for (every, days) in [(60, 3), (300, 40), (3_600, 400), (86_400, 800)] {
        let first = second("2026-10-24T00:00:00Z") / i64::from(every);
        let slots = first..first + days * 86_400 / i64::from(every);
        let each: BTreeSet<i64> =
            slots.clone().filter(|slot| planned.excludes(&id, Span::slot(*slot, every))).collect();
        assert_eq!(planned.slots(&id, every, slots.clone()), each, "{every}");
        assert!(!each.is_empty());
        assert_eq!(planned.slots(&SloId::new("shop", "side"), every, slots), BTreeSet::new());
    }
    assert_eq!(planned.slots(&id, 60, 7..7), BTreeSet::new());
    let minutes = planned.slots(&SloId::new("bank", "back"), 60, 0..second("2027-01-01T00:00:00Z") / 60);
    assert_eq!(minutes.len(), 2);
}

#[tokio::test]
async fn planned_work_is_not_asked_about_and_costs_nothing() {
    let mut world = outages_only().await;
    let now = testbed::clock::now();
    let time = |time: DateTime<Utc>| time.to_rfc3339();
    let window = json!({"move": {
        "start": time(now - TimeDelta::hours(1)), "end": time(now + TimeDelta::hours(1)), "reason": "move",
    }});
    world.config.set("/services/inventory/maintenance", window);
    world.service.answer_with(503).unwrap();
    let live = Live::of(world).await;
    let slots = async || {
        let answer = live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}/slots")).await.unwrap_or_default();
        answer["slots"].as_array().cloned().unwrap_or_default()
    };
    let states = async || slots().await.iter().map(|slot| slot["state"].to_string()).collect::<BTreeSet<_>>();
    live.until("four slots", async || slots().await.len() >= 4).await;
    assert_eq!(states().await, BTreeSet::from([r#""excluded""#.to_owned()]));
    let seen = live.slod.api(&format!("/api/v1/slos/{AVAILABILITY}")).await.unwrap();
    assert_eq!((&seen["state"], &seen["total"], &seen["fault"]), (&json!("empty"), &json!(0.0), &Value::Null));
    assert_eq!(seen["budget"]["remaining"], 1.0);
    assert!(live.incidents().await.is_empty(), "{}", live.story().await);

    // The work ends, the outage does not.
    let Live { mut world, slod } = live;
    world.config.remove("/services/inventory/maintenance");
    world.write_config().unwrap();
    let live = Live { world, slod };
    live.slod.signal("HUP").unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}
