//! PagerDuty's REST API v2, as far as incidents and priorities go: every header is checked on every call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    pagerduty::{PagerdutyIncident, PagerdutyStatus},
    request::{Reply, Request},
};

/// What the account calls its priorities.
const PRIORITIES: [&str; 5] = ["P1", "P2", "P3", "P4", "P5"];

type Incidents = BTreeMap<(String, String), PagerdutyIncident>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    incident: Changed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    #[serde(rename = "type")]
    kind: String,
    priority: String,
}

pub(super) fn take(incidents: &mut Incidents, request: &Request, problems: &mut Vec<String>) -> Reply {
    if let Err(reply) = admitted(request, problems) {
        return reply;
    }
    let path: Vec<&str> = request.path.trim_start_matches("/pagerduty/").split('/').collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["priorities"]) => {
            let all = PRIORITIES.map(|name| json!({"id": format!("ID{name}"), "type": "priority", "name": name}));
            Reply::json(200, &json!({"priorities": all}))
        }
        ("GET", ["incidents"]) => list(incidents, request),
        ("GET", ["incidents", id, "alerts"]) => {
            let keys = incidents.iter().filter(|(_, incident)| incident.id == *id).map(|((_, key), _)| key);
            let alerts: Vec<Value> = keys.map(|key| json!({"id": "A1", "type": "alert", "alert_key": key})).collect();
            if alerts.is_empty() { not_found() } else { Reply::json(200, &json!({"alerts": alerts, "more": false})) }
        }
        ("PUT", ["incidents", id]) => update(incidents, id, request, problems),
        _ => {
            problems.push(format!("{} {} is not played", request.method, request.path));
            not_found()
        }
    }
}

/// Each call names its token and what it takes; writing ones, who writes.
fn admitted(request: &Request, problems: &mut Vec<String>) -> Result<(), Reply> {
    let token = request.header("authorization").strip_prefix("Token token=").unwrap_or_default();
    if token.is_empty() || token.contains(char::is_whitespace) {
        problems.push("no `Authorization: Token token=…`".to_owned());
    }
    if request.header("accept") != "application/vnd.pagerduty+json;version=2" {
        problems.push(format!("accepts `{}`", request.header("accept")));
    }
    if request.header("content-type") != "application/json" {
        problems.push(format!("content type `{}`", request.header("content-type")));
    }
    if request.method != "GET" && !request.header("from").contains('@') {
        problems.push("writes without `From: somebody@…`".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(error(401, 2006, "Unauthorized")) }
}

fn list(incidents: &Incidents, request: &Request) -> Reply {
    let limit: usize = request.query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(25);
    let wanted = request.query.get("incident_key");
    let found = incidents.iter().filter(|((_, key), _)| wanted.is_none_or(|wanted| wanted == key));
    let found: Vec<Value> = found.take(limit).map(|((service, _), incident)| shown(service, incident)).collect();
    let about = format!("{} incidents", found.len());
    Reply::json(200, &json!({"incidents": found, "limit": limit, "offset": 0, "more": false, "total": null}))
        .about(about)
}

/// An incident with alerts shows no key of its own.
fn shown(service: &str, incident: &PagerdutyIncident) -> Value {
    let by = match &incident.person {
        Some(name) => json!({"id": "PUSER01", "type": "user_reference", "summary": name}),
        None => json!({"id": "PSERVICE", "type": "service_reference", "summary": service}),
    };
    let status = match incident.status {
        PagerdutyStatus::Triggered => "triggered",
        PagerdutyStatus::Acknowledged => "acknowledged",
        PagerdutyStatus::Resolved => "resolved",
    };
    json!({
        "id": incident.id, "type": "incident", "status": status, "incident_key": null, "title": incident.summary,
        "last_status_change_at": format!("2026-01-01T00:00:{:02}Z", incident.changes % 60), "last_status_change_by": by,
        "service": {"id": "PSERVICE", "type": "service_reference"}, "resolve_reason": null,
        "priority": incident.priority.as_ref().map(|name| json!({"summary": name, "type": "priority_reference"})),
    })
}

fn update(incidents: &mut Incidents, id: &str, request: &Request, problems: &mut Vec<String>) -> Reply {
    let changed = match request.parse::<Update>() {
        Ok(Update { incident }) => incident,
        Err(why) => {
            problems.push(why);
            return error(400, 2001, "Invalid Input Provided");
        }
    };
    if changed.kind != "incident_reference" || !PRIORITIES.contains(&changed.priority.as_str()) {
        problems.push(format!("no such priority or type: {changed:?}"));
        return error(400, 1020, "Invalid priority");
    }
    let Some(((service, _), incident)) = incidents.iter_mut().find(|(_, incident)| incident.id == id) else {
        return not_found();
    };
    let about = format!("{id} {}", changed.priority);
    incident.priority = Some(changed.priority);
    Reply::json(200, &json!({"incident": shown(service, incident)})).about(about)
}

fn not_found() -> Reply {
    error(404, 2100, "Not Found")
}

fn error(status: u16, code: u32, message: &str) -> Reply {
    Reply::json(status, &json!({"error": {"message": message, "code": code}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, body: &Value) -> Request {
        let mut request = Request::test(method, path, "Token token=t0ken", body);
        request.headers.insert("accept".to_owned(), "application/vnd.pagerduty+json;version=2".to_owned());
        request.headers.insert("from".to_owned(), "ops@example.com".to_owned());
        request
    }

    fn incidents() -> Incidents {
        let incident = PagerdutyIncident {
            status: PagerdutyStatus::Triggered,
            opened: 1,
            summary: "s".to_owned(),
            severity: "critical".to_owned(),
            id: "Q1".to_owned(),
            priority: None,
            person: None,
            changes: 0,
        };
        [(("service".to_owned(), "key".to_owned()), incident)].into()
    }

    fn status(incidents: &mut Incidents, request: &Request) -> (u16, usize) {
        let mut problems = Vec::new();
        (take(incidents, request, &mut problems).status, problems.len())
    }

    #[test]
    fn what_is_played() {
        let mut incidents = incidents();
        let priority = |name: &str| json!({"incident": {"type": "incident_reference", "priority": name}});
        for (method, path, body, expected) in [
            ("GET", "/pagerduty/incidents?incident_key=key&limit=25", Value::Null, (200, 0)),
            ("GET", "/pagerduty/incidents/Q1/alerts", Value::Null, (200, 0)),
            ("GET", "/pagerduty/incidents/Q2/alerts", Value::Null, (404, 0)),
            ("GET", "/pagerduty/priorities", Value::Null, (200, 0)),
            ("PUT", "/pagerduty/incidents/Q1", priority("P2"), (200, 0)),
            ("PUT", "/pagerduty/incidents/Q1", priority("urgent"), (400, 1)),
            ("PUT", "/pagerduty/incidents/Q2", priority("P1"), (404, 0)),
            ("PUT", "/pagerduty/incidents/Q1", json!({"priority": "P1"}), (400, 1)),
            ("DELETE", "/pagerduty/incidents/Q1", Value::Null, (404, 1)),
        ] {
            assert_eq!(status(&mut incidents, &request(method, path, &body)), expected, "{method} {path} {body}");
        }
        assert_eq!(incidents.values().next().unwrap().priority.as_deref(), Some("P2"));
    }

    #[test]
    fn every_header_is_checked() {
        for (header, value) in
            [("authorization", "Bearer t0ken"), ("accept", "application/json"), ("content-type", ""), ("from", "")]
        {
            let mut request = request("PUT", "/pagerduty/incidents/Q1", &json!({}));
            request.headers.insert(header.to_owned(), value.to_owned());
            assert_eq!(status(&mut incidents(), &request), (401, 1), "{header}");
        }
    }
}
