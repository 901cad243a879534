//! Silences and the running daemon: made, kept over a kill, ended early; and all that is refused.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use slod::clock::{Clock as _, SystemClock};
use testbed::{inbox::PagerdutyStatus, world::OPS_KEY};

use crate::live::{Live, deliveries, outages_only, timeline};

const AVAILABILITY: &str = "inventory/dashboard-availability";

fn ahead(span: TimeDelta) -> String {
    let at: DateTime<Utc> = SystemClock.now() + span;
    at.to_rfc3339()
}

async fn gauge(live: &Live) -> String {
    let (_, text) = live.slod.get("/metrics").await.unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("slod_silences ").map(str::to_owned)).unwrap_or_default()
}

#[tokio::test]
async fn a_silence_outlives_a_kill_and_its_end_pages() {
    let live = Live::of(outages_only().await).await;
    let add = ["silence", "add", "--service", "inventory", "--slo", "dashboard-availability", "--for", "1h"];
    let add = [&add[..], &["--reason", "rack move <b>", "--by", "ann"]].concat();
    let preview = live.cli(&[&add[..], &["--dry-run"]].concat()).await;
    assert!(preview.starts_with("nothing was done") && preview.contains(AVAILABILITY), "{preview}");
    assert_eq!(gauge(&live).await, "0");
    let made: Value = serde_json::from_str(&live.cli(&[&add[..], &["-o", "json"]].concat()).await).unwrap();
    let silence = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["covers"]["names"], json!([AVAILABILITY]));
    live.until("a gauge", async || gauge(&live).await == "1").await;

    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    let quiet = async |live: &Live| {
        let incident = live.whole(&id).await;
        assert_eq!(deliveries(&incident), [""; 0], "{}", live.story().await);
        assert_eq!(incident["muted"]["why"], json!(["silence by ann: rack move <b>"]));
        let said = timeline(&incident);
        assert!(
            said.iter().any(|line| line.contains("silenced until") && line.ends_with("by ann: rack move <b>")),
            "{said:?}"
        );
    };
    quiet(&live).await;
    assert!(live.cli(&["incidents"]).await.contains("open, muted"));
    assert!(live.cli(&["status"]).await.contains("by ann: inventory/dashboard-availability: rack move <b>"));
    let nameless = live.slod.cli(&["silence", "expire", ""]).await.unwrap();
    let said = String::from_utf8_lossy(&nameless.stderr).into_owned();
    assert_eq!(nameless.status.code(), Some(2), "{said}");
    assert!(said.contains("say which silence") && said.contains(&silence) && !said.contains("/api/"), "{said}");

    let Live { world, mut slod } = live;
    slod.kill9();
    slod.restart().await.unwrap();
    let live = Live { world, slod };
    live.until("the gauge again", async || gauge(&live).await == "1").await;
    quiet(&live).await;
    assert!(live.pages(OPS_KEY).is_empty());

    let said = live.cli(&["silence", "expire", &silence, "--by", "bob"]).await;
    assert!(said.contains("is heard again"), "{said}");
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let list = live.slod.api("/api/v1/silences").await.unwrap();
    assert_eq!((&list["silences"][0]["state"], &list["silences"][0]["expired_by"]), (&json!("expired"), &json!("bob")));
    assert_eq!(live.slod.api("/api/v1/silences?state=active").await.unwrap(), json!({"silences": [], "next": null}));
    assert_eq!(live.whole(&id).await["muted"], Value::Null);
    let again = live.slod.delete(&format!("/api/v1/silences/{silence}"), &json!({"by": "bob"})).await.unwrap();
    assert_eq!(again.0, 404, "{}", again.1);

    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Resolved).await;
    live.settle().await;
}

/// Planned work whose time counts mutes all the same; the outage that is left at its end is told.
#[tokio::test]
async fn counted_work_is_muted() {
    let mut world = outages_only().await;
    let now = SystemClock.now();
    let window = json!({"move": {
        "start": (now - TimeDelta::hours(1)).to_rfc3339(), "end": (now + TimeDelta::hours(1)).to_rfc3339(),
        "budget": "counted", "reason": "rack move",
    }});
    world.config.set("/services/inventory/maintenance", window);
    world.service.answer_with(503).unwrap();
    let live = Live::of(world).await;
    let id = live.opened(AVAILABILITY).await;
    let incident = live.whole(&id).await;
    assert_eq!(deliveries(&incident), [""; 0], "{}", live.story().await);
    assert_eq!(incident["muted"]["why"], json!(["maintenance `inventory/move`: rack move"]));

    let Live { mut world, slod } = live;
    world.config.remove("/services/inventory/maintenance");
    world.write_config().unwrap();
    let live = Live { world, slod };
    live.slod.signal("HUP").unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let said = timeline(&live.whole(&id).await);
    assert!(said.contains(&"muted: maintenance ended (`inventory/move`: rack move)".to_owned()), "{said:?}");
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}

#[tokio::test]
async fn what_is_refused() {
    let live = Live::of(outages_only().await).await;
    let slo = json!({"service": "inventory", "slo": "dashboard-availability"});
    let wanted = |matcher: &Value, span: TimeDelta, reason: &str| json!({"match": matcher, "ends_at": ahead(span), "by": "ann", "reason": reason});
    let hour = TimeDelta::hours(1);
    let hostile = json!({"service": "inventory", "labels": {"x\u{0}\u{1b}[31m": "'; drop table silences; --"}});
    let long = json!({"service": "inventory", "labels": {"x": "y".repeat(2_000)}});
    for (body, status, said) in [
        (wanted(&slo, hour, " "), 400, "needs a `reason`"),
        (wanted(&slo, TimeDelta::days(8), "move"), 400, "at most 7 days"),
        (wanted(&slo, -hour, "move"), 400, "not in the future"),
        (wanted(&slo, hour, &"x".repeat(1_001)), 400, "longer than 1000"),
        (wanted(&json!({"service": "inventory"}), hour, "move"), 400, "SLOs altogether"),
        (wanted(&json!({"service": "*"}), hour, "move"), 404, "no service `*`"),
        (wanted(&json!({"service": "inventory", "slo": "x"}), hour, "move"), 404, "no SLO `x`"),
        (wanted(&json!({"service": "inventory", "policy": "x"}), hour, "move"), 404, "no policy `x`"),
        (wanted(&json!({"slo": "dashboard-availability"}), hour, "move"), 400, "missing field `service`"),
        (wanted(&hostile, hour, "move"), 404, "series of these labels"),
        (wanted(&long, hour, "move"), 400, "labels"),
    ] {
        let (got, text) = live.slod.post("/api/v1/silences", &body).await.unwrap();
        assert!(got == status && text.contains(said), "{body}: {got} {text}");
    }
    assert_eq!(gauge(&live).await, "0");
    let mut statuses = Vec::new();
    for number in 0..105 {
        let body = wanted(&slo, hour, &format!("move {number}"));
        statuses.push(live.slod.post("/api/v1/silences", &body).await.unwrap().0);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 100);
    assert!(statuses[100..].iter().all(|status| *status == 409), "{statuses:?}");
    let list = live.slod.api("/api/v1/silences?state=active&limit=1000").await.unwrap();
    assert_eq!(list["silences"].as_array().unwrap().len(), 100);
    live.settle().await;
}
