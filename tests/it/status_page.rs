//! The public page, in the running daemon: on time, once, and people's.

use std::time::Duration;

use serde_json::json;
use testbed::inbox::Fault;

use crate::live::{Live, outages_only, timeline};

/// Nothing else happens at the moment of confirmation: no step is due, no other alert fires.
#[tokio::test]
async fn an_outage_is_confirmed_on_time_although_nothing_else_happens_then() {
    let mut world = outages_only().await;
    let notify =
        json!([{"after": "0s", "notify": ["ops-pager", "inventory-eng"]}, {"after": "10m", "notify": ["cto-pager"]}]);
    world.config.set("/escalations/inventory/steps", notify);
    world.config.set("/services/inventory/status_page/confirm/for", json!("3s"));
    world.config.set("/services/inventory/status_page/publish", json!("auto"));
    world.config.remove("/receivers/platform-pager");
    let live = Live::of(world).await;
    live.slo_is("inventory/dashboard-availability", "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened("inventory/dashboard-availability").await;
    let public = async |state: &str| {
        live.until(state, async || live.world.inbox.statuspage_state().values().any(|post| post.status == state)).await;
    };
    public("investigating").await;
    live.world.service.answer_with(200).unwrap();
    public("monitoring").await;
    public("resolved").await;
    live.settle().await;
    let lines = timeline(&live.reaches(&id, "resolved").await);
    assert!(lines.iter().any(|line| line.starts_with("confirmed: ")), "{lines:?}");
}

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// A world in which an outage is public after a second, without anybody's approval, at this kind of page.
async fn posting(kind: &str) -> Live {
    let mut world = outages_only().await;
    world.config.set("/services/inventory/status_page/confirm/for", json!("1s"));
    world.config.set("/services/inventory/status_page/publish", json!("auto"));
    if kind == "instatus" {
        let components = json!({"dashboard": "component-1"});
        let page = json!({"page": "p4ge", "key": "page-SECRET", "components": components, "url": world.inbox.url("/instatus")});
        world.config.set("/receivers/public-status", json!({"instatus": page}));
    }
    Live::of(world).await
}

/// What the public has read, in the order in which it was said.
fn read(live: &Live) -> Vec<String> {
    let (one, other) = (live.world.inbox.statuspage_state(), live.world.inbox.instatus_state());
    let updates = one.into_values().chain(other.into_values()).flat_map(|incident| incident.updates);
    updates.map(|(state, _)| state.to_lowercase()).collect()
}

async fn public(live: &Live, states: &[&str]) {
    live.until(&format!("public: {states:?}"), async || read(live) == states).await;
}

/// Both answers to the creation are lost, and slod is killed between: there is one public incident all the same.
#[tokio::test]
async fn it_is_created_once_although_its_answers_are_lost() {
    for (kind, list) in
        [("statuspage", "/statuspage/v1/pages/p4ge/incidents/unresolved"), ("instatus", "/instatus/v1/p4ge/incidents")]
    {
        let mut live = posting(kind).await;
        live.slo_is(AVAILABILITY, "ok").await;
        live.world.inbox.fault(list, Fault::Hang(Some(Duration::ZERO)), 1);
        live.world.inbox.fault(&format!("/{kind}"), Fault::Lost, 1);
        live.world.service.answer_with(503).unwrap();
        let id = live.opened(AVAILABILITY).await;
        public(&live, &["investigating"]).await;
        live.slod.kill9();
        live.slod.restart().await.unwrap();
        let posted = async || !live.whole(&id).await["status_page"]["posted_at"].is_null();
        live.until("it is known to be posted", posted).await;
        live.world.service.answer_with(200).unwrap();
        public(&live, &["investigating", "monitoring", "resolved"]).await;
        live.settle().await;
        let all = live.world.inbox.statuspage_state().len() + live.world.inbox.instatus_state().len();
        assert_eq!(all, 1, "{}", live.story().await);
    }
}

#[tokio::test]
async fn a_relapse_takes_it_back() {
    let live = posting("instatus").await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    public(&live, &["investigating"]).await;
    live.world.service.answer_with(200).unwrap();
    public(&live, &["investigating", "monitoring"]).await;
    live.world.service.answer_with(503).unwrap();
    // A relapse after the hold would be another public incident; on a busy machine it may come to that.
    live.until("public again", async || {
        let read = read(&live);
        read.len() > 2 && read.last().is_some_and(|state| state == "investigating")
    })
    .await;
    live.world.service.answer_with(200).unwrap();
    live.until("resolved", async || read(&live).last().is_some_and(|state| state == "resolved")).await;
    live.settle().await;
    let open = live.world.inbox.instatus_state().into_values().any(|incident| incident.status != "RESOLVED");
    assert!(!open, "{}", live.story().await);
}

/// Somebody posts there by hand: slod's next post is not made, the owners hear of it once, and the page is theirs.
#[tokio::test]
async fn an_edit_by_a_person_takes_the_page_over() {
    for (kind, state) in [("statuspage", "identified"), ("instatus", "IDENTIFIED")] {
        let live = posting(kind).await;
        live.slo_is(AVAILABILITY, "ok").await;
        live.world.service.answer_with(503).unwrap();
        let id = live.opened(AVAILABILITY).await;
        public(&live, &["investigating"]).await;
        live.until("nothing under way", async || live.unsent().await.is_empty()).await;
        for page in ["sp1", "in1"] {
            live.world.inbox.person_posts(page, state, "It is the disk.");
        }
        live.world.service.answer_with(200).unwrap();
        let left = async || live.whole(&id).await["status_page"]["left_to_people"] == true;
        live.until("left to people", left).await;
        live.reaches(&id, "resolved").await;
        live.settle().await;
        assert_eq!(read(&live), ["investigating", "identified"], "{}", live.story().await);
        let lines = timeline(&live.whole(&id).await);
        let said = "status-page: somebody has posted \"identified\" there: the page is left to people";
        assert_eq!(lines.iter().filter(|line| *line == said).count(), 1, "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("undelivered")), "no page was missed: {lines:?}");
        let told = live.world.inbox.received().into_iter();
        let told =
            told.filter(|entry| entry.body.to_string().contains("slod posts nothing more of this incident there"));
        assert_eq!(told.filter(|entry| !entry.path.contains("update")).count(), 1, "{}", live.story().await);
    }
}

/// The page does not answer until after the deadline: the owners are reminded, and the delay is on record.
#[tokio::test]
async fn a_page_that_is_down_makes_the_post_late() {
    let mut world = outages_only().await;
    world.config.set("/services/inventory/status_page/confirm/for", json!("1s"));
    world.config.set("/services/inventory/status_page/publish", json!("auto"));
    world.config.set("/services/inventory/status_page/deadline", json!("2s"));
    world.inbox.fault("/statuspage", Fault::Status(503), u32::MAX);
    let live = Live::of(world).await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("reminded", async || {
        timeline(&live.whole(&id).await).iter().any(|line| line.contains("the deadline has passed without a post"))
    })
    .await;
    live.world.inbox.clear_faults();
    let late = async || live.whole(&id).await["status_page"]["late_seconds"].clone();
    let posted = async || !live.whole(&id).await["status_page"]["posted_at"].is_null();
    live.until("posted", posted).await;
    assert!(late().await.as_i64().unwrap() > 0);
    live.world.service.answer_with(200).unwrap();
    public(&live, &["investigating", "monitoring", "resolved"]).await;
    live.settle().await;
    let report = live.cli(&["report", "-o", "markdown"]).await;
    assert!(report.contains(", public ") && report.contains(" late"), "{report}");
    let report = live.slod.api("/api/v1/budget").await.unwrap();
    let incident = &report["services"][0]["slos"][0]["incidents"][0]["status_page"];
    assert_eq!(incident["late_seconds"], late().await, "{report}");
}

/// The page was down for as long as the outage lasted: its subscribers hear nothing of what is over.
#[tokio::test]
async fn what_was_over_before_the_page_answered_is_never_public() {
    for kind in ["statuspage", "instatus"] {
        let live = posting(kind).await;
        live.slo_is(AVAILABILITY, "ok").await;
        live.world.inbox.fault(&format!("/{kind}"), Fault::Status(503), u32::MAX);
        live.world.service.answer_with(503).unwrap();
        let id = live.opened(AVAILABILITY).await;
        let tried = async || {
            let all = live.whole(&id).await;
            let posts = all["deliveries"].as_array().cloned().unwrap_or_default();
            posts.iter().any(|row| row["receiver"] == "public-status" && !row["last_error"].is_null())
        };
        live.until("tried", tried).await;
        live.world.service.answer_with(200).unwrap();
        live.reaches(&id, "resolved").await;
        live.world.inbox.clear_faults();
        let said = "status-page: \"investigating\" was not posted: it was over before the page took it";
        live.until(said, async || timeline(&live.whole(&id).await).iter().any(|line| line == said)).await;
        live.until("nothing under way", async || live.unsent().await.is_empty()).await;
        live.settle().await;
        assert_eq!(read(&live), Vec::<String>::new(), "{}", live.story().await);
        assert_eq!(live.whole(&id).await["status_page"]["posted_at"], serde_json::Value::Null);
    }
}
