//! Diagnostics at the moment of breach, in the real slod: never before the page, told once, kept, and safe to show.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use testbed::{
    inbox::{Fault, PagerdutyStatus, Peer},
    world::{OPS_KEY, World},
};

use crate::live::{Live, deliveries, outages_only, timeline};

const AVAILABILITY: &str = "inventory/dashboard-availability";
const DIAGNOSTICS: &str = "/services/inventory/runbook/diagnostics";
const NASTY: &str = "<!channel> <script>alert(1)</script>";

/// A small world in which only two failed checks open anything, and these diagnostics are looked at.
async fn looking_at(diagnostics: Value) -> World {
    let mut world = outages_only().await;
    world.config.set(DIAGNOSTICS, diagnostics);
    world
}

async fn in_an_outage(world: World) -> (Live, String) {
    let live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    (live, id)
}

/// Waits until the first look is kept, and answers the incident.
async fn looked(live: &Live, id: &str) -> Value {
    let mut whole = Value::Null;
    live.until("a first look", async || {
        whole = live.whole(id).await;
        whole["diagnostics"].as_array().is_some_and(|found| !found.is_empty())
    })
    .await;
    whole
}

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("no time: {value}")).parse().unwrap()
}

/// Messages in which a receiver was told of the first look.
fn news(live: &Live) -> usize {
    let received = live.world.inbox.received();
    received.iter().filter(|entry| entry.peer != Peer::Other && entry.body.to_string().contains("· first look")).count()
}

#[tokio::test]
async fn the_page_goes_out_while_a_diagnostic_hangs() {
    let hanging = json!({"public_status": {"url": {"from_env": "SHOPIFY_STATUS_URL"}}, "timeout": "4s"});
    let world = looking_at(json!({
        "other-company": hanging,
        "nobody": {"http": {"url": "http://127.0.0.1:1"}},
    }))
    .await;
    world.inbox.fault("/shopify", Fault::Hang(None), u32::MAX);
    let (live, id) = in_an_outage(world).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let whole = looked(&live, &id).await;
    let [refused, hung] = &whole["diagnostics"].as_array().unwrap()[..] else { panic!("{whole}") };
    assert_eq!(hung["summary"], "could not be asked: no answer within 4s");
    assert!(refused["summary"].as_str().unwrap().ends_with("connection refused"), "{refused}");
    assert_eq!((&hung["ok"], &hung["look"], &hung["late"]), (&json!(false), &json!(1), &json!(false)));
    let looked = whole["timeline"].as_array().unwrap().iter().find(|line| line["kind"] == "looked").unwrap();
    for row in whole["deliveries"].as_array().unwrap().iter().filter(|row| row["event"] == "trigger") {
        assert!(moment(&row["sent_at"]) < moment(&looked["at"]), "{row} after {looked}");
    }
    live.until("one update", async || {
        deliveries(&live.whole(&id).await).contains(&"inventory-eng update sent".to_owned())
    })
    .await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(news(&live), 1, "{}", live.story().await);
}

#[tokio::test]
async fn what_is_shipped_is_looked_at_and_told() {
    let mut world = World::start().await.unwrap();
    for policy in ["fast-burn", "availability-breach"] {
        world.config.remove(&format!("/policies/{policy}"));
    }
    let (live, id) = in_an_outage(world).await;
    let whole = looked(&live, &id).await;
    let found: Vec<String> = whole["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["name"].as_str().unwrap(), one["kind"].as_str().unwrap(), one["ok"]))
        .collect();
    // The world writes its maps in the order of their keys.
    let names = [
        "last-sync promql true",
        "oldest-queued-actions sql true",
        "open-connections sql true",
        "postgres-health sql true",
        "shopify-admin-status public_status true",
    ];
    assert_eq!(found, names, "{whole}");
    let said = timeline(&whole).into_iter().find(|said| said.starts_with("looked: ")).unwrap();
    assert!(said.ends_with(" · postgres-health ok · shopify-admin-status operational"), "{said}");
    live.until("the news", async || news(&live) == 1).await;
    let received = live.world.inbox.received();
    let told = received.iter().find(|entry| entry.body.to_string().contains("· first look")).unwrap();
    assert!(told.body.to_string().contains("First look: last-sync "), "{}", told.body);
    assert!(told.peer == Peer::Slack, "{told:?}");
    let page = live.slod.get(&format!("/incident/{id}")).await.unwrap().1;
    let shown = live.cli(&["incident", "show", &id]).await;
    for words in ["oldest-queued-actions", "npm run inventory:recompute-rop", "manager approval"] {
        assert!(page.contains(words) && shown.contains(words), "{words}: {shown}");
    }
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}

#[tokio::test]
async fn what_rows_hold_is_no_markup_anywhere() {
    let mut world = World::start().await.unwrap();
    world.config.keep_slos("inventory", &["dashboard-availability"]);
    for policy in ["fast-burn", "availability-breach"] {
        world.config.remove(&format!("/policies/{policy}"));
    }
    world.config.remove("/policies/outage/escalation");
    world.config.set("/policies/outage/notify", json!(["inventory-eng", "ops-lead"]));
    let query = format!(
        "select '{NASTY}' || chr(27) || chr(8238) as a, repeat('x', 1000000) as b from generate_series(1, 1000)"
    );
    world.config.set(
        DIAGNOSTICS,
        json!({
            "rows": {"sql": {"source": "inventory-db", "query": query}},
            "cell": {"sql": {"source": "inventory-db", "query": format!("select '{NASTY}' as a")}},
            "write": {"sql": {"source": "inventory-db", "query": "with d as (delete from action_queue returning 1) select * from d", "unchecked": true}},
        }),
    );
    let (live, id) = in_an_outage(world).await;
    let whole = looked(&live, &id).await;
    assert!(whole["diagnostics"][2]["summary"].as_str().unwrap().starts_with("could not be asked: "), "{whole}");
    assert!(whole.to_string().len() < 60_000);
    let sent = |name: &str| format!("{name} update sent");
    live.until("both are told", async || {
        let rows = deliveries(&live.whole(&id).await);
        rows.contains(&sent("inventory-eng")) && rows.contains(&sent("ops-lead"))
    })
    .await;
    // The inbox complains of what is not escaped for Slack; see `settle`.
    for entry in live.world.inbox.received() {
        let html = entry.body["html"].as_str().unwrap_or_default().to_owned();
        assert!(!html.contains("<script"), "{html}");
        assert!(!entry.body.to_string().contains("<!channel>") || entry.peer == Peer::Mail, "{}", entry.body);
    }
    let page = live.slod.get(&format!("/incident/{id}")).await.unwrap().1;
    // Every page loads one script, its own.
    let others = page.replacen("<script src=\"/assets/slod.js\" defer></script>", "", 1);
    assert!(page.contains("&lt;script&gt;") && !others.contains("<script"), "{page}");
    let shown = live.cli(&["incident", "show", &id]).await;
    assert!(shown.contains("<script>") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;
}

#[tokio::test]
async fn killed_while_looking() {
    let page = json!({"public_status": {"url": {"from_env": "SHOPIFY_STATUS_URL"}}, "timeout": "1m"});
    let world = looking_at(json!({ "other-company": page })).await;
    world.inbox.fault("/shopify", Fault::Hang(None), u32::MAX);
    let (mut live, id) = in_an_outage(world).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let asked = |live: &Live| live.world.inbox.received().iter().filter(|entry| entry.peer == Peer::Other).count();
    live.until("it is being asked", async || asked(&live) == 1).await;
    live.slod.kill9();
    live.world.inbox.clear_faults();
    live.slod.restart().await.unwrap();
    let whole = looked(&live, &id).await;
    assert_eq!((&whole["diagnostics"][0]["ok"], &whole["diagnostics"][0]["late"]), (&json!(true), &json!(true)));
    live.until("it is told", async || {
        deliveries(&live.whole(&id).await).contains(&"inventory-eng update sent".to_owned())
    })
    .await;
    // What is kept is not asked for again.
    live.slod.kill9();
    live.slod.restart().await.unwrap();
    live.world.service.answer_with(200).unwrap();
    let whole = live.reaches(&id, "resolved").await;
    live.settle().await;
    assert_eq!(whole["diagnostics"].as_array().unwrap().len(), 1);
    let lines = timeline(&whole);
    let looks: Vec<_> = lines.iter().filter(|line| line.starts_with("looked: ")).collect();
    assert_eq!(looks, ["looked: first look, late: slod was away: other-company operational"]);
    assert_eq!(news(&live), 1, "{}", live.story().await);
}

#[tokio::test]
async fn a_check_online_asks_them_too() {
    let world = looking_at(json!({
        "page": {"public_status": {"url": {"from_env": "SHOPIFY_STATUS_URL"}}},
        "no-page": {"public_status": {"url": "http://127.0.0.1:1"}},
    }))
    .await;
    let live = Live::of(world).await;
    let output = live.slod.cli(&["check", "--online"]).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("ok        diagnostic inventory/page: operational"), "{said}");
    assert!(said.contains("no answer diagnostic inventory/no-page: "), "{said}");
    assert_eq!(output.status.code(), Some(4), "{said}");
}
