//! An inbox that plays the receivers: PagerDuty's Events API, Slack's Web API and webhooks, Statuspage, a decision log
//! behind PostgREST, and a mail server.
//!
//! Everything that comes in is checked against strict types written from the vendors' documented facts. What breaks a limit
//! or an order is kept as a *problem*; a test that ends with problems has failed. Faults can be switched on for a path.
//!
//! | path | plays |
//! |---|---|
//! | `/pagerduty/v2/enqueue` | PagerDuty, Events API v2 |
//! | `/pagerduty/incidents…`, `/pagerduty/priorities` | PagerDuty, REST API v2 |
//! | `/slack/api/METHOD`, `/slack/services/…` | Slack |
//! | `/statuspage/v1/pages/…` | Statuspage |
//! | `/supabase/rest/v1/decision_log` | PostgREST, as Supabase has it |
//! | `/instatus/v1/PAGE/…` | Instatus |
//! | `/alertmanager/MEMBER/api/v2/…` | a member of an Alertmanager cluster |
//! | `/webhook/…` | a webhook of somebody's own, signed with [`WEBHOOK_SECRET`] |
//! | `/heartbeat/…` | a dead man's switch |
//! | `GET /log`, `GET /`, `POST /faults`, `POST /reset` | the inbox itself: as JSON, for people, and its switches |

mod alertmanager;
mod fault;
mod instatus;
mod letter;
mod page;
mod pagerduty;
mod pagerduty_rest;
mod postgrest;
mod request;
mod serve;
mod slack;
mod slack_text;
mod smtp;
mod statuspage;
mod webhook;
mod world;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use tokio::{net::TcpListener, task::JoinHandle};

pub use alertmanager::HeldAlert;
pub use fault::Fault;
pub use pagerduty::{PagerdutyIncident, PagerdutyStatus};
pub use request::{Peer, Received};
pub use statuspage::PublicIncident;
pub use webhook::WEBHOOK_SECRET;

use fault::Faults;
use world::Shared;

/// A running inbox. It ends when it is dropped.
#[derive(Debug)]
pub struct Inbox {
    http: SocketAddr,
    smtp: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Inbox {
    /// Starts on free ports of the loopback address.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start_at(any, any).await.expect("a free port on the loopback address")
    }

    /// Starts on these addresses.
    pub async fn start_at(http: SocketAddr, smtp: SocketAddr) -> anyhow::Result<Self> {
        let http = TcpListener::bind(http).await.with_context(|| format!("inbox on {http}"))?;
        let smtp = TcpListener::bind(smtp).await.with_context(|| format!("mail server on {smtp}"))?;
        let shared = Arc::new(Shared::default());
        let (http_at, smtp_at) = (http.local_addr()?, smtp.local_addr()?);
        let tasks = vec![
            tokio::spawn(serve::serve(http, Arc::clone(&shared))),
            tokio::spawn(smtp::serve(smtp, Arc::clone(&shared))),
        ];
        Ok(Self { http: http_at, smtp: smtp_at, shared, tasks })
    }

    /// `http://127.0.0.1:PORT` and `path`: `url("/pagerduty")` is a base address to configure.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// `smtp://127.0.0.1:PORT`.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp)
    }

    /// Everything received so far, in order, faulty or not.
    pub fn received(&self) -> Vec<Received> {
        self.shared.world().log.clone()
    }

    /// Everything that was wrong with what was received, each with where it was sent to.
    pub fn problems(&self) -> Vec<String> {
        let world = self.shared.world();
        world
            .log
            .iter()
            .flat_map(|entry| entry.problems.iter().map(|problem| format!("{}: {problem}", entry.path)))
            .collect()
    }

    /// The next `times` requests whose path begins with `path` meet `fault`. `smtp` is a mail, once it is whole;
    /// `EHLO@smtp`, `RCPT@smtp`, … are the commands before.
    pub fn fault(&self, path: &str, fault: Fault, times: u32) {
        self.shared.world().faults.add(path, fault, times);
    }

    /// Ends all faults; what hangs already hangs on.
    pub fn clear_faults(&self) {
        self.shared.world().faults = Faults::default();
    }

    /// Forgets what was received, what the vendors know, and the faults.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Waits until `condition` holds of what was received. The error lists what came instead.
    pub async fn wait_for(
        &self,
        condition: impl Fn(&[Received]) -> bool,
        timeout: Duration,
    ) -> anyhow::Result<Vec<Received>> {
        let mut changes = self.shared.changes();
        let waited = tokio::time::timeout(timeout, async {
            while !condition(&self.shared.world().log) {
                // The sender lives as long as `self`.
                let _ = changes.changed().await;
            }
        });
        let in_time = waited.await.is_ok();
        let log = self.received();
        if in_time {
            return Ok(log);
        }
        let came: Vec<_> =
            log.iter().map(|entry| format!("  {} {} ({})", entry.path, entry.summary, entry.status)).collect();
        Err(anyhow!("not what was waited for within {timeout:?}; {} came:\n{}", came.len(), came.join("\n")))
    }

    /// What PagerDuty would show: by routing key and dedup key.
    pub fn pagerduty_state(&self) -> BTreeMap<(String, String), PagerdutyIncident> {
        self.shared.world().pagerduty.incidents.clone()
    }

    /// Somebody moves PagerDuty's incident of this key, in PagerDuty itself; nobody is told of it.
    ///
    /// # Panics
    /// If there is none.
    pub fn pagerduty_moves(&self, routing_key: &str, dedup_key: &str, status: PagerdutyStatus, person: Option<&str>) {
        let mut world = self.shared.world();
        let incident = world.pagerduty.incidents.get_mut(&(routing_key.to_owned(), dedup_key.to_owned()));
        incident.expect("an incident of this key").becomes(status, person);
    }

    /// What the public would see, by the incident's id.
    pub fn statuspage_state(&self) -> BTreeMap<String, PublicIncident> {
        self.shared.world().statuspage.incidents.clone()
    }

    /// The rows of the decision log, by `event_id`.
    pub fn decision_log(&self) -> BTreeMap<String, serde_json::Value> {
        self.shared.world().postgrest.rows.clone()
    }

    /// What the public would see at Instatus, by the incident's id.
    pub fn instatus_state(&self) -> BTreeMap<String, PublicIncident> {
        self.shared.world().instatus.incidents.clone()
    }

    /// A person posts to a public incident, at Statuspage or at Instatus, whichever has it.
    pub fn person_posts(&self, id: &str, status: &str, text: &str) {
        let mut world = self.shared.world();
        world.statuspage.person_posts(id, status, text);
        world.instatus.person_posts(id, status, text);
    }

    /// What the members of the Alertmanager cluster hold, by member and label set: as of the newest telling.
    pub fn alertmanager_state(&self) -> BTreeMap<(String, String), HeldAlert> {
        self.shared.world().alertmanager.alerts.clone()
    }

    /// What the Slack channels show now, by `ts`: the text of each message after its edits.
    pub fn slack_state(&self) -> BTreeMap<String, String> {
        self.shared.world().slack.texts()
    }

    /// The buttons that do something under each message, by `ts`: `action_id` and `value`.
    pub fn slack_buttons(&self) -> BTreeMap<String, Vec<(String, String)>> {
        self.shared.world().slack.buttons()
    }

    /// What was said to single users, in order: the user's id and the text.
    pub fn slack_whispers(&self) -> Vec<(String, String)> {
        self.shared.world().slack.whispers.clone()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.shared.end();
        for task in &self.tasks {
            task.abort();
        }
    }
}
