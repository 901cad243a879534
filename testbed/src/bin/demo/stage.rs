//! The world, slod and the screen: looks at both all the time, and tells what is new.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;
use testbed::{
    clock::Deadline,
    daemon::Slod,
    inbox::{Peer, Received},
    world::{self, World},
};

use crate::screen::{Actor, Screen};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(120);
/// What usually takes seconds may take this long on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(90);

/// What slod says of everything, at one moment.
#[derive(Debug, Default)]
pub struct Seen {
    slos: Vec<Value>,
    incidents: Vec<Value>,
    /// Everything that the receivers got.
    pub received: Vec<Received>,
    /// Where the public incidents stand.
    pub public: Vec<String>,
}

impl Seen {
    /// The newest incident of an SLO of the inventory service.
    pub fn incident(&self, slo: &str) -> Option<&Value> {
        self.incidents.iter().filter(|incident| incident["slo"] == slo).max_by_key(|incident| number(incident))
    }

    /// Whether its newest incident is in this state.
    pub fn is(&self, slo: &str, state: &str) -> bool {
        self.incident(slo).is_some_and(|incident| incident["state"] == state)
    }

    /// Whether `receiver` accepted a message of this kind about it.
    pub fn told(&self, slo: &str, receiver: &str, event: &str) -> bool {
        let deliveries = self.incident(slo).and_then(|incident| incident["deliveries"].as_array());
        deliveries.into_iter().flatten().any(|delivery| {
            delivery["receiver"] == receiver && delivery["event"] == event && delivery["state"] == "sent"
        })
    }

    /// Everything slod knows as incidents.
    pub fn incidents(&self) -> &[Value] {
        &self.incidents
    }
}

fn number(incident: &Value) -> u64 {
    incident["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// What the story is played on.
pub struct Stage<'a> {
    /// What can be broken.
    pub world: &'a mut World,
    /// Where it is told.
    pub screen: &'a Screen,
    slod: &'a Slod,
    /// How much of the inbox has been told.
    told: usize,
    /// What was last said of each SLO.
    states: BTreeMap<String, String>,
}

impl<'a> Stage<'a> {
    /// Nothing has been told yet.
    pub fn new(world: &'a mut World, slod: &'a Slod, screen: &'a Screen) -> Self {
        Self { world, screen, slod, told: 0, states: BTreeMap::new() }
    }

    /// Looks, and tells what is new.
    pub async fn look(&mut self) -> anyhow::Result<Seen> {
        let list = async |path: &str, key: &str| -> anyhow::Result<Vec<Value>> {
            let mut answer = self.slod.api(path).await?;
            serde_json::from_value(answer[key].take()).with_context(|| format!("{path} has no {key}"))
        };
        let slos = list("/api/v1/slos", "slos").await?;
        let mut incidents = Vec::new();
        for known in list("/api/v1/incidents", "incidents").await? {
            // The list leaves out what was sent.
            incidents.push(self.slod.api(&format!("/api/v1/incidents/{}", text(&known["id"]))).await?);
        }
        let public = self.world.inbox.statuspage_state().into_values().map(|incident| incident.status).collect();
        let seen = Seen { slos, incidents, received: self.world.inbox.received(), public };
        self.tell(&seen);
        Ok(seen)
    }

    fn tell(&mut self, seen: &Seen) {
        for slo in &seen.slos {
            let (name, now) = (slo["name"].as_str().unwrap_or_default(), standing(slo));
            let before = self.states.insert(name.to_owned(), now.clone());
            if before.is_some_and(|before| before != now) {
                self.screen.line(Actor::Slod, &format!("{name}: {now}"));
            }
        }
        // What is only read is no message.
        for entry in seen.received.iter().skip(self.told).filter(|entry| entry.peer != Peer::Other) {
            self.screen.line(Actor::Receiver(receiver(entry.peer)), &got(entry));
            for problem in &entry.problems {
                self.screen.line(Actor::Broken, problem);
            }
        }
        self.told = seen.received.len();
    }

    /// Waits until `condition` holds of what is seen.
    pub async fn until(&mut self, what: &str, condition: impl Fn(&Seen) -> bool) -> anyhow::Result<Seen> {
        let deadline = Deadline::after(PATIENCE);
        loop {
            let seen = self.look().await?;
            if condition(&seen) {
                return Ok(seen);
            }
            if deadline.passed() {
                bail!("not within {} s: {what}", PATIENCE.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Tells what is new, without an end.
    pub async fn watch(&mut self) -> anyhow::Result<()> {
        loop {
            self.look().await?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Shows the whole text of the newest message to the team's channel.
    pub fn quote_chat(&self, seen: &Seen) {
        let mut hooks =
            seen.received.iter().filter(|entry| entry.peer == Peer::Slack && !entry.body["channel"].is_string());
        if let Some(newest) = hooks.next_back() {
            self.screen.quote(plain(text(&newest.body["text"])).lines());
        }
    }

    /// Shows what was found when an SLO's newest incident opened.
    pub fn first_look(&self, seen: &Seen, slo: &str) {
        let timeline = seen.incident(slo).and_then(|incident| incident["timeline"].as_array());
        let looked = timeline.into_iter().flatten().find(|line| line["kind"] == "looked");
        if let Some(said) = looked.and_then(|line| line["text"].as_str()) {
            self.screen.line(Actor::Slod, said);
        }
    }

    /// Runs a verb of slod's command line, as somebody at the keyboard would.
    pub async fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        self.screen.line(Actor::You, &format!("slod {}", arguments.join(" ")));
        let output = self.slod.cli(arguments).await?;
        let said = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        self.screen.quote(said.trim_end().lines());
        if !output.status.success() {
            bail!("slod {} ended with {:?}", arguments.join(" "), output.status.code());
        }
        Ok(())
    }
}

/// Where an SLO stands, in a few words that change only when something happens.
fn standing(slo: &Value) -> String {
    let bad = slo["streak"]["bad"].as_u64().unwrap_or_default();
    let policies: Vec<String> = slo["policies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|policy| policy["state"] != "ok")
        .map(|policy| format!("{} {}", text(&policy["name"]), text(&policy["state"])))
        .collect();
    if !policies.is_empty() {
        return policies.join(", ");
    }
    match bad {
        0 => "good again".to_owned(),
        1 => "a bad check".to_owned(),
        _ => format!("{bad} bad checks in a row"),
    }
}

fn receiver(peer: Peer) -> &'static str {
    match peer {
        Peer::Pagerduty => "PagerDuty",
        Peer::Slack => "Slack",
        Peer::Statuspage => "Statuspage",
        Peer::Supabase => "Log",
        Peer::Mail => "Mail",
        Peer::Instatus | Peer::Alertmanager | Peer::Webhook | Peer::Heartbeat | Peer::Other => "other",
    }
}

/// What came in, in a line.
fn got(entry: &Received) -> String {
    let body = &entry.body;
    let said = match entry.peer {
        Peer::Pagerduty => {
            let summary = text(&body["payload"]["summary"]);
            let colon = if summary.is_empty() { "" } else { ": " };
            format!("{} to {}{colon}{summary}", text(&body["event_action"]), pager(text(&body["routing_key"])))
        }
        Peer::Slack => {
            // The bot's channel is configured by its id; the webhook has one built in.
            let channel = if body["channel"].is_string() { "#inventory-alerts" } else { "#inventory-eng" };
            format!("{channel}: {}", plain(slack_line(entry)))
        }
        Peer::Mail => format!("to {}: {}", body["to"][0].as_str().unwrap_or("somebody"), entry.summary),
        _ if entry.summary.is_empty() => format!("{} {}", entry.method, entry.path),
        _ => entry.summary.clone(),
    };
    let refused = if (200..400).contains(&entry.status) { String::new() } else { format!(" ({})", entry.status) };
    format!("{said}{refused}")
}

/// The headline, or what a reminder of the status page asks for.
fn slack_line(entry: &Received) -> &str {
    let blocks = entry.body["blocks"].as_array().into_iter().flatten();
    let mut contexts =
        blocks.filter(|block| block["type"] == "context").map(|block| text(&block["elements"][0]["text"]));
    let asked = contexts.find_map(|context| context.split_once(" · ").map(|(_, reason)| reason));
    let asked = asked.filter(|reason| reason.starts_with("status page"));
    asked.unwrap_or_else(|| entry.summary.trim_start_matches("hook ").trim_start_matches("message "))
}

fn pager(key: &str) -> &'static str {
    match key {
        world::OPS_KEY => "ops-pager",
        world::PLATFORM_KEY => "platform-pager",
        world::CTO_KEY => "cto-pager",
        _ => "somebody",
    }
}

/// Slack's three escapes, undone.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
