//! PagerDuty's Events API v2, by its documented rules and limits; its REST API is beside it.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    pagerduty_rest,
    request::{Reply, Request, check_length},
};

const BODY_MAX: usize = 512_000;

/// An incident, as PagerDuty would show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PagerdutyIncident {
    /// Where it stands.
    pub status: PagerdutyStatus,
    /// How often the key opened an alert: more than 1 means that somebody was paged again.
    pub opened: u32,
    /// The newest trigger's summary.
    pub summary: String,
    /// The newest trigger's severity.
    pub severity: String,
    /// PagerDuty's own name for it: another one each time the key opens it.
    pub id: String,
    /// The priority that was set by the REST API.
    pub priority: Option<String>,
    /// The person who last moved it; none if an event did.
    pub person: Option<String>,
    /// How often its status changed.
    pub changes: u32,
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PagerdutyStatus {
    /// Somebody is being paged.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// It is over.
    Resolved,
}

#[derive(Debug, Default)]
pub(super) struct Pagerduty {
    /// By routing key and dedup key.
    pub incidents: BTreeMap<(String, String), PagerdutyIncident>,
    /// How many there ever were.
    opened: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnqueuedEvent {
    routing_key: String,
    event_action: Action,
    dedup_key: Option<String>,
    payload: Option<Payload>,
    #[serde(default)]
    links: Vec<Link>,
    client: Option<String>,
    client_url: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Trigger,
    Acknowledge,
    Resolve,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    summary: String,
    source: String,
    severity: Severity,
    timestamp: Option<String>,
    #[serde(default)]
    component: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    class: String,
    #[serde(default)]
    custom_details: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Critical,
    Error,
    Warning,
    Info,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    href: String,
    #[serde(default)]
    text: String,
}

impl PagerdutyIncident {
    /// Somebody, or an event, moves it.
    pub(super) fn becomes(&mut self, status: PagerdutyStatus, person: Option<&str>) {
        if self.status != status {
            (self.status, self.person) = (status, person.map(str::to_owned));
            self.changes += 1;
        }
    }
}

impl Pagerduty {
    pub fn take(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        if request.path.starts_with("/pagerduty/incidents") || request.path == "/pagerduty/priorities" {
            return pagerduty_rest::take(&mut self.incidents, request, problems);
        }
        if request.path != "/pagerduty/v2/enqueue" || request.method != "POST" {
            problems.push("only POST …/v2/enqueue is played".to_owned());
            return Reply::json(404, &json!({"status": "not found"}));
        }
        let event = request.parse::<EnqueuedEvent>();
        match &event {
            Ok(event) => check(event, request, problems),
            Err(error) => problems.push(error.clone()),
        }
        match event {
            Ok(event) if problems.is_empty() => self.accept(event, problems),
            _ => {
                let answer =
                    json!({"status": "invalid event", "message": "Event object is invalid", "errors": problems});
                Reply::json(400, &answer)
            }
        }
    }

    /// Queues an event that breaks no rule of form. One that breaks the order is answered 202 all the same, as the vendor does.
    fn accept(&mut self, event: EnqueuedEvent, problems: &mut Vec<String>) -> Reply {
        let dedup_key = event.dedup_key.unwrap_or_else(|| format!("made-here-{}", self.incidents.len()));
        let known = self.incidents.get_mut(&(event.routing_key.clone(), dedup_key.clone()));
        let about = format!("{:?} {dedup_key}", event.event_action).to_lowercase();
        let about = event.payload.as_ref().map_or(about.clone(), |payload| format!("{about}: {}", payload.summary));
        match (event.event_action, known) {
            (Action::Trigger, known) => {
                let payload =
                    event.payload.map(|payload| (payload.summary, format!("{:?}", payload.severity).to_lowercase()));
                let (summary, severity) = payload.unwrap_or_default();
                let incident = match known {
                    Some(open) if open.status != PagerdutyStatus::Resolved => {
                        PagerdutyIncident { summary, severity, ..open.clone() }
                    }
                    before => {
                        self.opened += 1;
                        PagerdutyIncident {
                            status: PagerdutyStatus::Triggered,
                            opened: before.map_or(0, |over| over.opened) + 1,
                            summary,
                            severity,
                            id: format!("Q{:05}", self.opened),
                            priority: None,
                            person: None,
                            changes: 0,
                        }
                    }
                };
                self.incidents.insert((event.routing_key, dedup_key.clone()), incident);
            }
            (_, None) => problems.push(format!("{about} of a key that this routing key never triggered")),
            (Action::Acknowledge, Some(over)) if over.status == PagerdutyStatus::Resolved => {
                problems.push(format!("{about} after its resolve"));
            }
            (Action::Acknowledge, Some(open)) => open.becomes(PagerdutyStatus::Acknowledged, None),
            (Action::Resolve, Some(open)) => open.becomes(PagerdutyStatus::Resolved, None),
        }
        Reply::json(202, &json!({"status": "success", "message": "Event processed", "dedup_key": dedup_key}))
            .about(about)
    }
}

fn check(event: &EnqueuedEvent, request: &Request, problems: &mut Vec<String>) {
    if request.raw.len() > BODY_MAX {
        problems.push(format!("body of {} bytes, over {BODY_MAX}", request.raw.len()));
    }
    if event.routing_key.chars().count() != 32 {
        problems.push("a routing key has 32 characters".to_owned());
    }
    match &event.dedup_key {
        Some(key) => check_length(problems, "dedup_key", key, 255),
        None if event.event_action == Action::Trigger => {}
        None => problems.push("dedup_key is required".to_owned()),
    }
    match (&event.payload, event.event_action) {
        (None, Action::Trigger) => problems.push("a trigger needs a payload".to_owned()),
        (Some(payload), _) => check_payload(payload, problems),
        (None, _) => {}
    }
    let addresses = event.links.iter().map(|link| &link.href).chain(&event.client_url);
    for address in addresses.filter(|address| !address.starts_with("http://") && !address.starts_with("https://")) {
        problems.push(format!("`{address}` is not a web address"));
    }
    for text in event.links.iter().map(|link| &link.text).chain(&event.client) {
        check_length(problems, "client or link", text, 1024);
    }
}

fn check_payload(payload: &Payload, problems: &mut Vec<String>) {
    check_length(problems, "summary", &payload.summary, 1024);
    let texts = [
        ("source", &payload.source),
        ("component", &payload.component),
        ("group", &payload.group),
        ("class", &payload.class),
    ];
    for (field, text) in texts {
        check_length(problems, field, text, 1024);
    }
    if payload.summary.trim().is_empty() || payload.source.trim().is_empty() {
        problems.push("summary and source must say something".to_owned());
    }
    if payload.summary.contains('\n') {
        problems.push("summary has more than one line".to_owned());
    }
    if payload.timestamp.as_ref().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_err()) {
        problems.push("timestamp is not RFC 3339".to_owned());
    }
    if payload.custom_details.values().any(Value::is_null) {
        problems.push("custom_details has a null".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str) -> Value {
        let payload =
            json!({"summary": "s", "source": "x", "severity": "critical", "timestamp": "2026-10-25T14:03:00Z"});
        let mut event = json!({"routing_key": "k".repeat(32), "event_action": action, "dedup_key": "d"});
        if action == "trigger" {
            event["payload"] = payload;
        }
        event
    }

    fn send(pagerduty: &mut Pagerduty, event: &Value) -> (u16, Vec<String>) {
        let mut problems = Vec::new();
        let reply = pagerduty.take(&Request::test("POST", "/pagerduty/v2/enqueue", "", event), &mut problems);
        (reply.status, problems)
    }

    #[test]
    fn each_broken_rule_is_a_problem() {
        let broken: [(&str, Value); 12] = [
            ("/routing_key", json!("short")),
            ("/dedup_key", json!("d".repeat(256))),
            ("/event_action", json!("Trigger")),
            ("/payload/summary", json!("s".repeat(1_025))),
            ("/payload/summary", json!("a\0b")),
            ("/payload/summary", json!(" ")),
            ("/payload/severity", json!("Critical")),
            ("/payload/timestamp", json!("yesterday")),
            ("/payload", json!({"summary": "s", "source": "x", "severity": "info", "priority": "P1"})),
            ("/payload", json!(null)),
            ("/client_url", json!("javascript:alert(1)")),
            ("/links", json!([{"text": "no address"}])),
        ];
        for (pointer, value) in broken {
            let mut event = event("trigger");
            event["client_url"] = json!("https://x.example");
            event["links"] = json!([]);
            *event.pointer_mut(pointer).unwrap() = value;
            let (status, problems) = send(&mut Pagerduty::default(), &event);
            assert!(status == 400 && !problems.is_empty(), "{event}");
        }
    }

    #[test]
    fn the_order_of_events_is_kept_an_eye_on() {
        let mut pagerduty = Pagerduty::default();
        assert_eq!(
            send(&mut pagerduty, &event("resolve")).1,
            ["resolve d of a key that this routing key never triggered"]
        );
        for action in ["trigger", "trigger", "acknowledge", "resolve", "resolve"] {
            assert_eq!(send(&mut pagerduty, &event(action)), (202, Vec::new()), "{action}");
        }
        assert_eq!(send(&mut pagerduty, &event("acknowledge")).1, ["acknowledge d after its resolve"]);
        send(&mut pagerduty, &event("trigger"));
        let incident = pagerduty.incidents.values().next().unwrap();
        assert_eq!((incident.opened, incident.status), (2, PagerdutyStatus::Triggered));
    }
}
