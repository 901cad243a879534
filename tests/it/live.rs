//! The real slod in a real world, and what the tests ask of the two.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::time::Duration;

use serde_json::{Value, json};
use testbed::{
    clock::eventually,
    daemon::Slod,
    inbox::{PagerdutyIncident, PagerdutyStatus},
    world::World,
};

/// The binary under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_slod");
/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A world and the slod in it.
pub struct Live {
    pub world: World,
    pub slod: Slod,
}

impl Live {
    /// Everything, with the shipped configuration.
    pub async fn start() -> Self {
        Self::of(World::start().await.unwrap()).await
    }

    /// Only the probed SLO; neither Prometheus nor Postgres.
    pub async fn small() -> Self {
        Self::of(World::small().await.unwrap()).await
    }

    /// In a world that was changed before.
    pub async fn of(world: World) -> Self {
        let slod = world.slod(PROGRAM).await.unwrap();
        Self { world, slod }
    }

    /// Waits for a state of the world.
    pub async fn until(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        assert!(eventually(PATIENCE, condition).await, "not within {PATIENCE:?}: {what}\n{}", self.story().await);
    }

    /// What is said when a test fails.
    pub async fn story(&self) -> String {
        let mut said = vec![self.slod.log()];
        for entry in self.world.inbox.received() {
            said.push(format!("{} {} {} ({})", entry.at, entry.path, entry.summary, entry.status));
        }
        for incident in self.incidents().await {
            let whole = self.whole(incident["id"].as_str().unwrap_or_default()).await;
            said.push(format!("{} {} {} {}", whole["id"], subject(&whole), whole["state"], whole["steps"]));
            said.extend(timeline(&whole));
            said.extend(deliveries(&whole));
        }
        said.join("\n")
    }

    /// All incidents, the newest first, without their messages. None if slod does not answer.
    pub async fn incidents(&self) -> Vec<Value> {
        let answer = self.slod.api("/api/v1/incidents").await.unwrap_or_default();
        answer["incidents"].as_array().cloned().unwrap_or_default()
    }

    /// One incident with everything. Null if slod does not answer.
    pub async fn whole(&self, id: &str) -> Value {
        self.slod.api(&format!("/api/v1/incidents/{id}")).await.unwrap_or_default()
    }

    /// Waits for the incident of `service/slo`, and answers its id.
    pub async fn opened(&self, slo: &str) -> String {
        let mut id = String::new();
        self.until(&format!("an incident of {slo}"), async || {
            let found = self.incidents().await.into_iter().find(|incident| subject(incident) == slo);
            id = found.map(|incident| incident["id"].as_str().unwrap().to_owned()).unwrap_or_default();
            !id.is_empty()
        })
        .await;
        id
    }

    /// Waits until an incident is in this state, and answers it.
    pub async fn reaches(&self, id: &str, state: &str) -> Value {
        self.until(&format!("{id} {state}"), async || self.whole(id).await["state"] == state).await;
        self.whole(id).await
    }

    /// Waits until an SLO is in this state.
    pub async fn slo_is(&self, slo: &str, state: &str) -> Value {
        let path = format!("/api/v1/slos/{slo}");
        let mut seen = Value::Null;
        self.until(&format!("{slo} {state}"), async || {
            seen = self.slod.api(&path).await.unwrap_or_default();
            seen["state"] == state
        })
        .await;
        seen
    }

    /// Waits until PagerDuty shows an integration's newest incident like this.
    pub async fn pager_shows(&self, routing_key: &str, status: PagerdutyStatus) -> PagerdutyIncident {
        let what = format!("{routing_key} {status:?}");
        self.until(&what, async || self.pages(routing_key).last().is_some_and(|page| page.status == status)).await;
        self.pages(routing_key).pop().unwrap()
    }

    /// What PagerDuty shows of an integration.
    pub fn pages(&self, routing_key: &str) -> Vec<PagerdutyIncident> {
        let state = self.world.inbox.pagerduty_state();
        state.into_iter().filter(|((key, _), _)| key == routing_key).map(|(_, page)| page).collect()
    }

    /// Runs a verb that must succeed; answers what it prints.
    pub async fn cli(&self, arguments: &[&str]) -> String {
        let output = self.slod.cli(arguments).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}\n{}", text(&output.stderr), self.story().await);
        text(&output.stdout)
    }

    /// What must be true at the end of every test: nothing waits in the outbox, nothing is dead, no receiver had
    /// anything to complain about, and nobody was paged twice by one key.
    pub async fn settle(&self) {
        self.until("an empty outbox", async || self.unsent().await.is_empty()).await;
        assert_eq!(self.world.inbox.problems(), [""; 0], "{}", self.story().await);
        for ((_, key), page) in self.world.inbox.pagerduty_state() {
            assert_eq!(page.opened, 1, "{key}: {page:?}\n{}", self.story().await);
        }
        let log = self.slod.log();
        assert!(!log.contains("SECRET") && !log.contains("panicked"), "{log}");
    }

    /// Deliveries that are neither sent nor dropped for a reason.
    pub async fn unsent(&self) -> Vec<Value> {
        let Ok(answer) = self.slod.api("/api/v1/deliveries").await else { return vec![json!("no answer")] };
        let rows = answer["deliveries"].as_array().cloned().unwrap_or_default();
        rows.into_iter().filter(|row| row["state"] != "sent" && row["state"] != "dropped").collect()
    }
}

/// `service/slo`, or the source.
pub fn subject(incident: &Value) -> String {
    match (incident["service"].as_str(), incident["slo"].as_str()) {
        (Some(service), Some(slo)) => format!("{service}/{slo}"),
        _ => incident["source"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The texts of an incident's timeline, one line each: `kind: text`.
pub fn timeline(incident: &Value) -> Vec<String> {
    let lines = incident["timeline"].as_array().cloned().unwrap_or_default();
    let text = |line: Value| format!("{}: {}", line["kind"].as_str().unwrap(), line["text"].as_str().unwrap());
    lines.into_iter().map(text).collect()
}

/// `receiver event state` of an incident's messages, in the order in which they were decided.
pub fn deliveries(incident: &Value) -> Vec<String> {
    let rows = incident["deliveries"].as_array().cloned().unwrap_or_default();
    let word = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter().map(|row| format!("{} {} {}", word(row, "receiver"), word(row, "event"), word(row, "state"))).collect()
}

/// A small world in which only two failed checks in a row open anything.
pub async fn outages_only() -> World {
    let mut world = World::small().await.unwrap();
    for policy in ["fast-burn", "availability-breach"] {
        world.config.remove(&format!("/policies/{policy}"));
    }
    world
}
