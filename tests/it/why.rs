//! The proof of what was sent, attempt by attempt, and of what was not, and why.

use serde_json::{Value, json};
use testbed::{
    inbox::{Fault, PagerdutyStatus},
    world::OPS_KEY,
};

use crate::live::{Live, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

async fn json_of(live: &Live, arguments: &[&str]) -> Value {
    let said = live.cli(&[arguments, &["-o", "json"]].concat()).await;
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test]
async fn every_attempt_is_on_record() {
    let world = outages_only().await;
    world.inbox.fault("/pagerduty", Fault::Status(503), 2);
    let live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.cli(&["ack", &id, "--by", "ann <b>"]).await;
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;

    let why = json_of(&live, &["why", &id]).await;
    let rows = why["deliveries"].as_array().unwrap();
    let page = rows.iter().find(|row| row["receiver"] == "ops-pager" && row["event"] == "trigger").unwrap();
    let outcomes: Vec<&Value> = page["tries"].as_array().unwrap().iter().map(|attempt| &attempt["outcome"]).collect();
    assert_eq!(outcomes, [&json!("retry"), &json!("retry"), &json!("accepted")], "{page}");
    assert!(page["tries"][0]["error"].as_str().unwrap().contains("503"), "{page}");
    assert_eq!((&page["tries_without_record"], &page["reason"]), (&json!(0), &json!("outage opened")));
    assert!(page["tries"][2]["receipt"].is_string() && page["tries"][0]["next_at"].is_string(), "{page}");
    let never: Vec<&Value> = why["steps"].as_array().unwrap().iter().map(|step| &step["why"]).collect();
    assert!(
        !never.is_empty()
            && never
                .iter()
                .all(|why| why.as_str().unwrap().contains("not run") || why.as_str().unwrap().contains("skipped")),
        "{never:?}"
    );

    let text = live.cli(&["why", &id]).await;
    let mut rest = text.as_str();
    for words in [
        "fired        outage fires (P1) as of",
        "2 bad slots in a row, 2 needed",
        "told         ops-pager: outage opened",
        "trigger to ops-pager: outage opened",
        "attempt 1: not accepted after",
        "attempt 3: accepted after",
        "acknowledged by ann <b>",
        "resolved     all alerts have cleared",
        "resolve to ops-pager",
        "Steps that have not run",
    ] {
        let at = rest.find(words).unwrap_or_else(|| panic!("no `{words}` in its place\n{text}"));
        rest = &rest[at..];
    }
    let times: Vec<&str> = text.lines().filter(|line| line.starts_with("20")).map(|line| &line[..23]).collect();
    assert!(times.len() > 10 && times.is_sorted(), "{text}");
}

#[tokio::test]
async fn an_attempt_that_was_killed_is_missed() {
    let mut live = Live::of(outages_only().await).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.inbox.fault("/pagerduty", Fault::Hang(None), u32::MAX);
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("it is under way", async || {
        crate::live::deliveries(&live.whole(&id).await).contains(&"ops-pager trigger sending".to_owned())
    })
    .await;
    live.slod.kill9();
    live.world.inbox.clear_faults();
    live.slod.restart().await.unwrap();
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    let why = json_of(&live, &["why", &id]).await;
    let rows = why["deliveries"].as_array().unwrap();
    let page = rows.iter().find(|row| row["receiver"] == "ops-pager" && row["event"] == "trigger").unwrap();
    assert_eq!((&page["attempts"], &page["tries_without_record"]), (&json!(2), &json!(1)), "{page}");
    assert_eq!((&page["tries"][0]["number"], &page["tries"][0]["outcome"]), (&json!(2), &json!("accepted")));
}

#[tokio::test]
async fn what_was_not_sent_is_proved() {
    let mut world = outages_only().await;
    world.config.set("/policies/outage/when", json!({"consecutive": 1000}));
    world.config.set(
        "/policies/patient",
        json!({"slo": AVAILABILITY, "when": {"consecutive": 1}, "for": "1h", "priority": "P2", "notify": ["inventory-eng"]}),
    );
    world.config.set(
        "/policies/seen",
        json!({"slo": AVAILABILITY, "when": {"consecutive": 1}, "priority": "P3", "notify": ["inventory-eng"]}),
    );
    let live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("it is told", async || live.unsent().await.is_empty()).await;
    let about = ["why", "--not-paged", AVAILABILITY];
    let mut why = Value::Null;
    live.until("the slot that opened it", async || {
        why = json_of(&live, &about).await;
        why["alerts"].as_array().unwrap().iter().any(|alert| alert["state"] == "firing")
    })
    .await;
    let early = json_of(&live, &[&about[..], &["--at", "2126-01-01T00:00:00Z"]].concat()).await;
    let note = "2126-01-01 00:00:00 UTC has not happened yet: this is how it stands now.";
    assert_eq!(early["notes"][0], note, "{early}");
    let alert = |name: &str| {
        let alerts = why["alerts"].as_array().unwrap();
        alerts.iter().find(|alert| alert["name"] == name).unwrap_or_else(|| panic!("{why}")).clone()
    };
    let outage = alert("outage");
    assert_eq!((&outage["state"], &outage["condition"]), (&json!("ok"), &json!("false")));
    assert!(outage["parts"][0]["text"].as_str().unwrap().ends_with("in a row, 1000 needed"), "{outage}");
    assert_eq!(outage["why"], "not firing: its condition does not hold");
    let patient = alert("patient");
    assert_eq!((&patient["state"], &patient["condition"]), (&json!("pending"), &json!("true")));
    assert!(
        patient["why"].as_str().unwrap().starts_with("pending: it must hold for 1h and would fire at "),
        "{patient}"
    );
    let seen = alert("seen");
    let told = format!("firing: it belongs to incident {id}, open then; told: inventory-eng (");
    assert!(seen["why"].as_str().unwrap().starts_with(&told), "{seen}");
    assert_eq!(why["incidents"][0]["id"], json!(id));

    live.cli(&["resolve", &id, "--by", "ann"]).await;
    let why = json_of(&live, &[&about[..], &["--policy", "seen"]].concat()).await;
    assert_eq!(why["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(why["alerts"][0]["state"], "muted", "{why}");
    assert!(
        why["alerts"][0]["why"].as_str().unwrap().starts_with(&format!("muted: incident {id} was resolved by ann at ")),
        "{why}"
    );

    let text = live.cli(&[&about[..], &["--at", "2020-01-01T00:00:00Z"]].concat()).await;
    assert!(text.contains("no incident was open then") && text.contains("Nothing was settled up to then"), "{text}");
    for (arguments, code) in [
        (&["why", "--not-paged", AVAILABILITY, "--policy", "nope"][..], 1),
        (&["why", "--not-paged", "inventory/nope"][..], 1),
        (&["why", "--not-paged", AVAILABILITY, "--at", "noon"][..], 1),
        (&["why", "nope"][..], 1),
    ] {
        let output = live.slod.cli(arguments).await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_silence_is_proved() {
    let live = Live::of(outages_only().await).await;
    let add = ["silence", "add", "--service", "inventory", "--slo", "dashboard-availability", "--for", "1h"];
    live.cli(&[&add[..], &["--reason", "rack move <b>", "--by", "ann"]].concat()).await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    let mut why = Value::Null;
    live.until("the slot that opened it", async || {
        why = json_of(&live, &["why", "--not-paged", AVAILABILITY]).await;
        why["alerts"][0]["state"] == "muted"
    })
    .await;
    let said = why["alerts"][0]["why"].as_str().unwrap();
    assert!(said.starts_with(&format!("muted: incident {id} was silenced until ")), "{said}");
    assert!(said.contains("by ann: rack move <b>") && said.contains("told: nobody"), "{said}");
    assert!(said.ends_with("; a probe is judged when it has answered, before its slot ends"), "{said}");
    let text = live.cli(&["why", "--not-paged", AVAILABILITY]).await;
    assert!(text.contains(": muted since the slot up to "), "{text}");
    let text = live.cli(&["why", &id]).await;
    assert!(text.contains("muted        silenced until ") && !text.contains("message "), "{text}");
}

/// A silence of one policy says nothing of another one.
#[tokio::test]
async fn a_silence_of_one_policy_is_proved_for_it_alone() {
    let mut world = outages_only().await;
    world.config.set(
        "/policies/seen",
        json!({"slo": AVAILABILITY, "when": {"consecutive": 2}, "priority": "P3", "notify": ["inventory-eng"]}),
    );
    let live = Live::of(world).await;
    let add = ["silence", "add", "--service", "inventory", "--policy", "seen", "--for", "1h"];
    live.cli(&[&add[..], &["--reason", "too loud (only outage): x", "--by", "ann"]].concat()).await;
    live.world.service.answer_with(503).unwrap();
    live.opened(AVAILABILITY).await;
    let mut why = Value::Null;
    live.until("both fire", async || {
        why = json_of(&live, &["why", "--not-paged", AVAILABILITY]).await;
        let state = |name: &str| {
            let alerts = why["alerts"].as_array().unwrap();
            alerts.iter().find(|alert| alert["name"] == name).map(|alert| alert["state"].clone())
        };
        (state("seen"), state("outage")) == (Some(json!("muted")), Some(json!("firing")))
    })
    .await;
}

#[test]
fn routes_are_read_from_the_files_alone() {
    let slod = |arguments: &[&str]| {
        let output = std::process::Command::new(crate::live::PROGRAM).args(arguments).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, text) = slod(&["route", "inventory/dashboard-availability", "--policy", "outage"]);
    assert_eq!(code, Some(0), "{text}");
    let wanted = "inventory/dashboard-availability

outage (P1): outage
  at once: ops-pager (pagerduty), inventory-eng (slack)
  after 30m, unless acknowledged: platform-pager (pagerduty)
  after 2h, unless resolved: cto-pager (pagerduty)
  an acknowledgement lapses after 1h

instead of cto-pager: inventory-eng, when a page is undelivered for 2m or given up
instead of ops-pager: inventory-eng, when a page is undelivered for 2m or given up
instead of platform-pager: inventory-eng, when a page is undelivered for 2m or given up
";
    assert_eq!(text, wanted);
    let (code, json) = slod(&["route", "inventory/dashboard-availability", "-o", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["policies"].as_array().unwrap().len()), (Some(0), 3));
    for (arguments, code, words) in [
        (&["route", "inventory/nope"][..], 1, "no SLO `inventory/nope`"),
        (&["route", "inventory/rop-freshness", "--policy", "outage"][..], 1, "known: fast-burn, freshness-breach"),
        (&["route", "inventory"][..], 2, "SERVICE/SLO"),
        (&["route", "a/b", "--config", "tests/config/bad/unknown-key.yaml"][..], 1, "E0101"),
    ] {
        let (got, text) = slod(arguments);
        assert!(got == Some(code) && text.contains(words), "{arguments:?}: {got:?} {text}");
    }
}
