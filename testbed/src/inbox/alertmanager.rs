//! Alertmanager's API v2: any number of members, each with its own alerts.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::{Reply, Request};

/// What a member holds of one label set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldAlert {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// When it ends, or lapses if nobody says it again.
    pub ends_at: DateTime<Utc>,
    /// Whether it fired when it was said last.
    pub firing: bool,
    /// How often it was said.
    pub told: u32,
}

#[derive(Debug, Default)]
pub(super) struct Alertmanager {
    /// By member and label set.
    pub alerts: BTreeMap<(String, String), HeldAlert>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
}

impl Alertmanager {
    pub fn take(&mut self, request: &Request, now: DateTime<Utc>, problems: &mut Vec<String>) -> Reply {
        let path: Vec<_> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), &path[..]) {
            ("GET", ["alertmanager", _, "api", "v2", "status"]) => {
                Reply::json(200, &json!({"versionInfo": {"version": "0.28.0"}, "cluster": {"status": "ready"}}))
            }
            ("POST", ["alertmanager", member, "api", "v2", "alerts"]) => self.post(member, request, now, problems),
            _ => {
                problems.push("nothing is there".to_owned());
                Reply::json(404, &json!("not found"))
            }
        }
    }

    /// What is valid is taken, even if the answer is 400 for the rest.
    fn post(&mut self, member: &str, request: &Request, now: DateTime<Utc>, problems: &mut Vec<String>) -> Reply {
        let alerts = match request.parse::<Vec<Alert>>() {
            Ok(alerts) => alerts,
            Err(error) => {
                problems.push(error.clone());
                return Reply::json(400, &json!(error));
            }
        };
        if alerts.is_empty() || alerts.len() > 256 {
            problems.push(format!("{} alerts in one request", alerts.len()));
        }
        let mut about = Vec::new();
        for alert in alerts {
            let wrong = wrong(&alert);
            if wrong.is_empty() {
                about.push(self.hold(member, alert, now));
            }
            problems.extend(wrong);
        }
        let about = format!("{member}: {}", about.join(", "));
        if problems.is_empty() {
            return Reply::text(200, "").about(about);
        }
        Reply::json(400, &json!(problems.join("; "))).about(about)
    }

    fn hold(&mut self, member: &str, alert: Alert, now: DateTime<Utc>) -> String {
        let set = json!(alert.labels).to_string();
        let firing = alert.ends_at > now;
        let name = alert.labels.get("alertname").cloned().unwrap_or_default();
        let held = self.alerts.entry((member.to_owned(), set));
        let told = 1 + match &held {
            std::collections::btree_map::Entry::Occupied(held) => held.get().told,
            std::collections::btree_map::Entry::Vacant(_) => 0,
        };
        let (labels, annotations, ends_at) = (alert.labels, alert.annotations, alert.ends_at);
        held.insert_entry(HeldAlert { labels, annotations, ends_at, firing, told });
        format!("{name} {}", if firing { "firing" } else { "resolved" })
    }
}

fn wrong(alert: &Alert) -> Vec<String> {
    let mut wrong = Vec::new();
    if alert.labels.is_empty() || !alert.labels.contains_key("alertname") {
        wrong.push("an alert without a name".to_owned());
    }
    for (name, value) in &alert.labels {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || value.is_empty() {
            wrong.push(format!("label `{name}`=`{value}`"));
        }
    }
    if alert.ends_at < alert.starts_at {
        wrong.push("it ends before it starts".to_owned());
    }
    if alert.ends_at - alert.starts_at > TimeDelta::days(400) {
        wrong.push("it lasts for ever".to_owned());
    }
    if alert.generator_url.as_ref().is_some_and(|url| url::Url::parse(url).is_err()) {
        wrong.push("generatorURL is no address".to_owned());
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn alert(name: &str, ends: &str) -> Value {
        json!({"labels": {"alertname": name}, "startsAt": "2026-10-25T14:00:00Z", "endsAt": ends})
    }

    fn post(alertmanager: &mut Alertmanager, body: &Value) -> (u16, usize) {
        let mut problems = Vec::new();
        let request = Request::test("POST", "/alertmanager/1/api/v2/alerts", "", body);
        let now = "2026-10-25T14:02:00Z".parse().unwrap();
        let status = alertmanager.take(&request, now, &mut problems).status;
        (status, problems.len())
    }

    #[test]
    fn the_valid_part_is_taken() {
        let mut alertmanager = Alertmanager::default();
        let late = "2026-10-25T14:05:00Z";
        assert_eq!(post(&mut alertmanager, &json!([alert("a", late)])), (200, 0));
        assert_eq!(post(&mut alertmanager, &json!([alert("a", late), alert("b", "2026-10-25T13:00:00Z")])), (400, 1));
        assert_eq!(post(&mut alertmanager, &json!([alert("", late)])), (400, 1));
        assert_eq!(post(&mut alertmanager, &json!([{"labels": {"alertname": 1}}])), (400, 1));
        let held: Vec<_> = alertmanager.alerts.values().map(|alert| (alert.told, alert.firing)).collect();
        assert_eq!(held, [(2, true)]);
    }
}
