//! The public page's clock, in the running daemon.

use serde_json::json;

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
