//! A daemon with a failing check, two pagers and a chat; and an inbox that plays all three.

use std::time::Duration;

use serde_json::Value;
use testbed::{
    clock::eventually,
    inbox::{Inbox, PagerdutyIncident, PagerdutyStatus},
    ports::free_port,
};

use super::calls::{hmac, now, press, signature};
use crate::{
    live::{PATIENCE, deliveries, timeline},
    own::Own,
};

pub const OPS_KEY: &str = "00000000000000000000000000000ops";
pub const PLATFORM_KEY: &str = "000000000000000000000000platform";
pub const HOOK_SECRET: &str = "hook-SECRET";
pub const SLACK_SECRET: &str = "slack-SECRET";
pub const CHANNEL: &str = "C0TEAM";

/// `ops`, `platform`: more keys of the pagers. `team`: more keys of the chat. `more`: more of the file.
fn config(ops: &str, platform: &str, team: &str, more: &str) -> String {
    format!(
        "version: 1
{more}
services:
  shop:
    slos:
      front:
        objective: 90%
        window: 1h
        every: 1s
        indicator: {{probe: {{url: {{from_env: FRONT_URL}}, timeout: 500ms, retries: 0}}}}
policies:
  down: {{slo: shop/front, when: {{consecutive: 2}}, priority: P1, escalation: outage}}
escalations:
  outage:
    acknowledge_timeout: 1h
    steps: [{{after: 0m, notify: [ops-pager, platform-pager, team]}}]
receivers:
  ops-pager:
    pagerduty:
      routing_key: {{from_env: OPS_KEY}}
      url: {{from_env: PAGERDUTY_URL}}
      api_url: {{from_env: PAGERDUTY_URL}}
      {ops}
    fallback: team
  platform-pager:
    pagerduty:
      routing_key: {{from_env: PLATFORM_KEY}}
      url: {{from_env: PAGERDUTY_URL}}
      {platform}
    fallback: team
  team:
    slack: {{channel: {CHANNEL}, token: {{from_env: SLACK_TOKEN}}, url: {{from_env: SLACK_URL}}{team}}}
"
    )
}

/// What an `ops-pager` with a webhook is configured with.
pub const HOOK: &str = "webhook_secret: {from_env: HOOK_SECRET}";

pub struct World {
    pub inbox: Inbox,
    pub own: Own,
    http: reqwest::Client,
}

impl World {
    pub async fn start(ops: &str, team: &str) -> Self {
        Self::with(ops, "", team, "").await
    }

    pub async fn with(ops: &str, platform: &str, team: &str, more: &str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let inbox = Inbox::start().await;
        let env = [
            // Nobody listens there: the check fails from the first second on.
            ("FRONT_URL", format!("http://127.0.0.1:{}/", free_port().unwrap())),
            ("PAGERDUTY_URL", inbox.url("/pagerduty")),
            ("SLACK_URL", inbox.url("/slack")),
            ("OPS_KEY", OPS_KEY.to_owned()),
            ("PLATFORM_KEY", PLATFORM_KEY.to_owned()),
            ("HOOK_SECRET", HOOK_SECRET.to_owned()),
            ("API_TOKEN", "api-SECRET".to_owned()),
            ("SLACK_TOKEN", "xoxb-SECRET".to_owned()),
            ("SLACK_SIGNING", SLACK_SECRET.to_owned()),
            ("TOKEN_READ", "read-SECRET".to_owned()),
            ("TOKEN_OPERATE", "operate-SECRET".to_owned()),
        ];
        let own = Own::launch(&config(ops, platform, team, more), &env).await;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(15)).build().unwrap();
        Self { inbox, own, http }
    }

    /// Waits for a state of the world.
    pub async fn until(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        assert!(eventually(PATIENCE, condition).await, "not within {PATIENCE:?}: {what}\n{}", self.story().await);
    }

    pub async fn story(&self) -> String {
        let mut said = vec![self.own.slod.log()];
        for entry in self.inbox.received() {
            said.push(format!("{} {} {} ({}) {:?}", entry.at, entry.path, entry.summary, entry.status, entry.problems));
        }
        let incident = self.incident().await;
        said.extend(timeline(&incident));
        said.extend(deliveries(&incident));
        said.join("\n")
    }

    /// The newest incident with everything; null if there is none.
    pub async fn incident(&self) -> Value {
        let answer = self.own.slod.api("/api/v1/incidents").await.unwrap_or_default();
        match answer["incidents"][0]["id"].as_str() {
            Some(id) => self.own.slod.api(&format!("/api/v1/incidents/{id}")).await.unwrap_or_default(),
            None => Value::Null,
        }
    }

    /// Waits until the incident is there and everybody was told; answers its id and key.
    pub async fn opened(&self) -> (String, String) {
        self.until("everybody was told", async || {
            let told = deliveries(&self.incident().await);
            told.iter().filter(|line| line.ends_with("trigger sent")).count() == 3
        })
        .await;
        let incident = self.incident().await;
        (incident["id"].as_str().unwrap().to_owned(), incident["key"].as_str().unwrap().to_owned())
    }

    /// Waits until the incident is in this state, and its outbox is empty.
    pub async fn reaches(&self, state: &str) -> Value {
        self.until(state, async || {
            let incident = self.incident().await;
            let waits = ["queued", "sending", "retry"];
            incident["state"] == state
                && !deliveries(&incident).iter().any(|line| waits.iter().any(|word| line.ends_with(word)))
        })
        .await;
        self.incident().await
    }

    /// What `receiver` was told, in order.
    pub async fn told(&self, receiver: &str) -> String {
        let all = deliveries(&self.incident().await);
        let mine = all.iter().filter_map(|line| line.strip_prefix(receiver)?.strip_prefix(' '));
        mine.filter(|line| line.ends_with(" sent"))
            .map(|line| line.trim_end_matches(" sent"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub fn page(&self, routing_key: &str, dedup_key: &str) -> PagerdutyIncident {
        self.inbox.pagerduty_state()[&(routing_key.to_owned(), dedup_key.to_owned())].clone()
    }

    pub fn status(&self, routing_key: &str, dedup_key: &str) -> PagerdutyStatus {
        self.page(routing_key, dedup_key).status
    }

    /// Sends a body to a path with these headers. Answers the status; 0 if the connection broke.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> u16 {
        let request = self.http.post(format!("{}{path}", self.own.slod.url())).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.map_or(0, |response| response.status().as_u16())
    }

    /// A signed call of PagerDuty's.
    pub async fn call(&self, event: &Value) -> u16 {
        let body = event.to_string().into_bytes();
        let signature = signature(HOOK_SECRET, &body);
        self.post("/webhooks/pagerduty", &[("x-pagerduty-signature", &signature)], body).await
    }

    /// A signed press in Slack, signed so many seconds ago.
    pub async fn press(&self, user: &str, action: &str, value: &str, at: &str, ago: i64) -> u16 {
        self.pressed(press(user, CHANNEL, action, value, at), SLACK_SECRET, ago).await
    }

    pub async fn pressed(&self, body: Vec<u8>, secret: &str, ago: i64) -> u16 {
        let timestamp = (now() - ago).to_string();
        let signed = [format!("v0:{timestamp}:").as_bytes(), &body].concat();
        let signature = format!("v0={}", hmac(secret, &signed));
        let headers = [("x-slack-request-timestamp", timestamp.as_str()), ("x-slack-signature", &signature)];
        self.post("/webhooks/slack", &headers, body).await
    }

    /// How many calls of a source had this outcome.
    pub async fn counted(&self, source: &str, outcome: &str) -> u64 {
        let (_, text) = self.own.slod.get("/metrics").await.unwrap();
        let line = format!("slod_webhooks_total{{source=\"{source}\",outcome=\"{outcome}\"}} ");
        text.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok()).unwrap_or_default()
    }

    /// What must be true at the end: no receiver had anything to complain about, and no secret was said.
    pub fn settle(&self) {
        assert_eq!(self.inbox.problems(), [""; 0]);
        let log = self.own.slod.log();
        assert!(!log.contains("SECRET") && !log.contains("panicked"), "{log}");
    }
}
