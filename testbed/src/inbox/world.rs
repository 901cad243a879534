//! What the inbox knows, shared by its HTTP and its mail side.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::{
    alertmanager::Alertmanager,
    fault::Faults,
    instatus::Instatus,
    letter::Mailboxes,
    pagerduty::Pagerduty,
    postgrest::Postgrest,
    request::{Peer, Received, Reply, Request},
    slack::Slack,
    statuspage::Statuspage,
    webhook::Webhook,
};

#[derive(Debug, Default)]
pub(super) struct World {
    pub log: Vec<Received>,
    pub faults: Faults,
    pub pagerduty: Pagerduty,
    pub slack: Slack,
    pub statuspage: Statuspage,
    pub postgrest: Postgrest,
    pub instatus: Instatus,
    pub alertmanager: Alertmanager,
    pub webhook: Webhook,
    pub mailboxes: Mailboxes,
}

impl World {
    /// Lets the vendor a request is meant for look at it.
    pub fn take(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        match request.peer() {
            Peer::Pagerduty => self.pagerduty.take(request, problems),
            Peer::Slack => self.slack.take(request, problems),
            Peer::Statuspage => self.statuspage.take(request, problems),
            Peer::Supabase => self.postgrest.take(request, problems),
            Peer::Other if request.path == PUBLIC_PAGE => Reply::json(200, &public_page()),
            Peer::Instatus => self.instatus.take(request, problems),
            Peer::Alertmanager => self.alertmanager.take(request, now(), problems),
            Peer::Webhook => self.webhook.take(request, now(), problems),
            Peer::Heartbeat => Reply::text(200, "OK").about("a heartbeat"),
            Peer::Mail | Peer::Other => {
                problems.push("nobody lives at this path".to_owned());
                Reply::json(404, &serde_json::json!({"error": "no such path"}))
            }
        }
    }
}

/// Another company's status page, where all is well.
const PUBLIC_PAGE: &str = "/shopify/api/v2/summary.json";

fn public_page() -> serde_json::Value {
    serde_json::json!({
        "page": {"id": "sh0p1fy", "name": "Shopify", "url": "https://status.example.com"},
        "status": {"indicator": "none", "description": "All Systems Operational"},
        "components": [{"id": "c1", "name": "Admin", "status": "operational", "group": false}],
        "incidents": [],
    })
}

/// The world behind its lock, and the bell that rings when something came in.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    /// Rings on every change; true once the inbox ends.
    bell: watch::Sender<bool>,
}

impl Default for Shared {
    fn default() -> Self {
        Self { world: Mutex::default(), bell: watch::Sender::new(false) }
    }
}

impl Shared {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn record(&self, entry: Received) {
        self.world().log.push(entry);
        self.bell.send_modify(|_| {});
    }

    pub fn reset(&self) {
        *self.world() = World::default();
    }

    pub fn changes(&self) -> watch::Receiver<bool> {
        self.bell.subscribe()
    }

    pub fn end(&self) {
        self.bell.send_replace(true);
    }

    /// Returns when the inbox ends.
    pub async fn ended(&self) {
        let mut changes = self.changes();
        let _ = changes.wait_for(|ended| *ended).await;
    }
}

/// Now, for the log and for Slack's time stamps: nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "the world outside has its own clock")]
pub(super) fn now() -> DateTime<Utc> {
    Utc::now()
}
