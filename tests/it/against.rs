//! `slod check --against-running`: what a reload would do, without doing it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use serde_json::{Value, json};
use testbed::{inbox::PagerdutyStatus, world::OPS_KEY};

use crate::live::{Live, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";
const SLO: &str = "/services/inventory/slos/dashboard-availability";

/// The exit code, and what is said.
async fn check(live: &Live) -> (i32, Value) {
    let output = live.slod.cli(&["check", "--against-running", "-o", "json"]).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let said = lines.rfind(|line| line.get("against_running").is_some());
    (output.status.code().unwrap(), said.unwrap_or_default()["against_running"].clone())
}

/// Changes the files, asks, and puts the files back.
async fn asked(live: &mut Live, change: impl FnOnce(&mut testbed::scaled::Scaled)) -> (i32, Value) {
    let before = live.world.config.clone();
    change(&mut live.world.config);
    live.world.write_config().unwrap();
    let said = check(live).await;
    live.world.config = before;
    live.world.write_config().unwrap();
    said
}

fn names(said: &Value, section: &str, what: &str) -> Vec<String> {
    let sections = said["differences"].as_array().unwrap();
    let found = sections.iter().find(|difference| difference["section"] == section);
    let names = found.and_then(|found| found[what].as_array().cloned()).unwrap_or_default();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn it_says_what_a_reload_would_do_and_does_nothing() {
    let mut live = Live::of(outages_only().await).await;
    live.slo_is(AVAILABILITY, "ok").await;
    let (code, said) = check(&live).await;
    assert_eq!((code, &said["differences"], &said["incidents"]), (0, &json!([]), &json!([])));

    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.pager_shows(OPS_KEY, PagerdutyStatus::Triggered).await;
    let effect = |said: &Value| {
        let effect = &said["incidents"][0];
        assert_eq!(effect["id"], id.as_str(), "{said}");
        (effect["becomes"].as_str().unwrap().to_owned(), format!("{} {}", effect["losses"], effect["notes"]))
    };

    let (code, said) = asked(&mut live, |config| config.set(&format!("{SLO}/title"), json!("Another"))).await;
    assert_eq!((code, effect(&said).0.as_str()), (0, "stays"));
    assert_eq!(names(&said, "slos", "changed"), [AVAILABILITY]);

    let (code, said) = asked(&mut live, |config| config.remove("/policies/outage")).await;
    let (becomes, words) = effect(&said);
    assert_eq!((code, becomes.as_str()), (1, "ends"), "{said}");
    assert!(words.contains("its alert outage is taken out"), "{words}");
    assert_eq!(names(&said, "policies", "removed"), ["outage"]);

    let (code, said) = asked(&mut live, |config| {
        config.set("/escalations/inventory/steps/1/after", json!("9m"));
        config.set(
            "/policies/more",
            json!({"slo": AVAILABILITY, "when": {"consecutive": 9}, "priority": "P3", "notify": ["ops-lead"]}),
        );
    })
    .await;
    let (becomes, words) = effect(&said);
    assert_eq!((code, becomes.as_str()), (0, "stays"), "{said}");
    assert!(words.contains("stay as they were pinned when outage fired"), "{words}");
    assert_eq!(names(&said, "policies", "added"), ["more"]);
    assert_eq!(names(&said, "escalations", "changed"), ["inventory"]);

    let (code, said) = asked(&mut live, |config| {
        config.set("/escalations/inventory/steps/0/notify", json!(["inventory-eng"]));
        for policy in ["freshness-breach", "queue-latency-breach", "outage"] {
            config.remove(&format!("/policies/{policy}/notify"));
        }
        config.remove("/services/inventory/status_page");
        let receivers = config.document().pointer_mut("/receivers").unwrap().as_object_mut().unwrap();
        receivers.remove("ops-pager");
    })
    .await;
    let (becomes, words) = effect(&said);
    assert_eq!((code, becomes.as_str()), (1, "changes"), "{said}");
    assert!(words.contains("ops-pager was told and is taken out"), "{words}");

    // Nothing of it was done; a configuration that is wrong is as wrong as ever.
    assert_ne!(live.whole(&id).await["state"], "resolved");
    let (code, said) = asked(&mut live, |config| config.set(&format!("{SLO}/every"), json!("never"))).await;
    assert_eq!((code, said), (1, Value::Null));
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.settle().await;

    let noise = live.cli(&["noise", "--days", "1", "-o", "json"]).await;
    let noise: Value = serde_json::from_str(&noise).unwrap();
    let row = &noise["policies"][0];
    assert_eq!((&row["policy"], &row["about"]), (&json!("outage"), &json!(AVAILABILITY)), "{noise}");
    assert!(row["pages"].as_u64().unwrap() >= 1 && row["ended_alone"] == 1 && row["acknowledged"] == 0, "{noise}");
    assert!(row["budget_spent"].as_f64().unwrap() > 0.0, "{noise}");
    assert!(live.cli(&["noise"]).await.contains("outage"));

    live.slod.kill9();
    let output = live.slod.cli(&["check", "--against-running"]).await.unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
}
