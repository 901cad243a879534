//! Webhooks and Alertmanager, told by the running daemon.

use serde_json::json;
use testbed::inbox::{Fault, HeldAlert, Peer, WEBHOOK_SECRET};

use crate::live::{Live, deliveries, outages_only};

const AVAILABILITY: &str = "inventory/dashboard-availability";

/// The team is told by a webhook, and another one by two Alertmanagers.
async fn with_machines() -> Live {
    let mut world = outages_only().await;
    let members = ["/alertmanager/1", "/alertmanager/2"].map(|path| world.inbox.url(path));
    let hook = json!({"url": world.inbox.url("/webhook/x-SECRET"), "secret": WEBHOOK_SECRET});
    world.config.set("/receivers/hook", json!({"webhook": hook}));
    world.config.set("/receivers/am", json!({"alertmanager": {"urls": members}}));
    world.config.set("/escalations/inventory/steps/0/notify", json!(["ops-pager", "inventory-eng", "hook", "am"]));
    Live::of(world).await
}

fn held(live: &Live) -> Vec<HeldAlert> {
    live.world.inbox.alertmanager_state().into_values().collect()
}

#[tokio::test]
async fn programs_hear_of_an_incident_from_its_opening_to_its_end() {
    let live = with_machines().await;
    live.slo_is(AVAILABILITY, "ok").await;
    // A webhook's answer is lost: the second attempt is the same delivery, as the inbox checks.
    live.world.inbox.fault("/webhook", Fault::Lost, 1);
    // One member is away at first.
    live.world.inbox.fault("/alertmanager/1", Fault::Busy(429, 1), 1);
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("the second member fires", async || held(&live).iter().any(|alert| alert.firing)).await;
    live.cli(&["ack", &id, "--by", "ann"]).await;
    live.world.service.answer_with(200).unwrap();
    live.until("resolved at both", async || held(&live).len() == 2 && held(&live).iter().all(|alert| !alert.firing))
        .await;
    live.settle().await;
    let rows = deliveries(&live.whole(&id).await);
    for event in ["trigger", "acknowledge", "resolve"] {
        for receiver in ["hook", "am"] {
            assert!(rows.contains(&format!("{receiver} {event} sent")), "{rows:?}");
        }
    }
    let alert = &held(&live)[0];
    let label = |name: &str| alert.labels[name].as_str();
    assert_eq!((label("service"), label("priority"), label("incident")), ("inventory", "P1", id.as_str()));
    assert!(alert.annotations["summary"].contains("inventory dashboard-availability"), "{alert:?}");
}

/// What is open is told again after a restart, although nothing happens then.
#[tokio::test]
async fn alerts_are_told_again_across_a_restart() {
    let mut live = with_machines().await;
    live.slo_is(AVAILABILITY, "ok").await;
    live.world.service.answer_with(503).unwrap();
    let id = live.opened(AVAILABILITY).await;
    live.until("both fire", async || held(&live).iter().filter(|alert| alert.firing).count() == 2).await;
    live.until("nothing under way", async || live.unsent().await.is_empty()).await;
    live.slod.kill9();
    let before: Vec<_> = held(&live);
    let seen = live.world.inbox.received().len();
    live.slod.restart().await.unwrap();
    live.until("told again", async || {
        let now = held(&live);
        now.len() == 2 && now.iter().zip(&before).all(|(now, before)| now.told > before.told && now.firing)
    })
    .await;
    assert!(held(&live).iter().zip(&before).all(|(now, before)| now.ends_at > before.ends_at));
    let hooks = live.world.inbox.received().into_iter().skip(seen).filter(|entry| entry.peer == Peer::Webhook);
    let triggers = hooks.filter(|entry| entry.body["event"] == "trigger").count();
    assert_eq!(triggers, 0, "nobody else is: {}", live.story().await);
    live.world.service.answer_with(200).unwrap();
    live.reaches(&id, "resolved").await;
    live.until("both resolved", async || held(&live).iter().all(|alert| !alert.firing)).await;
    live.settle().await;
}

#[tokio::test]
async fn tests_are_sent_or_refused_with_a_reason_and_credentials_are_asked() {
    let live = with_machines().await;
    for receiver in ["hook", "am"] {
        live.cli(&["notify", "test", receiver]).await;
    }
    let refused = live.slod.cli(&["notify", "test", "public-status"]).await.unwrap();
    assert!(!refused.status.success());
    live.until("the tests have arrived", async || {
        let received = live.world.inbox.received();
        let hook = received.iter().any(|entry| entry.body["event"] == "test");
        hook && held(&live).iter().any(|alert| alert.labels["alertname"] == "SlodTest")
    })
    .await;
    let seen = live.world.inbox.received().len();
    for receiver in ["hook", "am"] {
        let said = live.cli(&["check", "--online", "--only", receiver]).await;
        assert!(said.contains(&format!("receiver {receiver}: ")), "{said}");
    }
    let asked: Vec<_> = live.world.inbox.received().into_iter().skip(seen).map(|entry| entry.method).collect();
    assert_eq!(asked, ["HEAD", "GET", "GET"]);
    live.settle().await;
}
