//! Statuspage's manage API, as far as incidents need it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::request::{Reply, Request, check_length};

/// The components every page has.
const COMPONENTS: [&str; 2] = ["component-1", "component-2"];

/// An incident, as the public would see it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublicIncident {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: String,
    /// What has been said, the oldest first: state and text.
    pub updates: Vec<(String, String)>,
    /// By a person, not by slod.
    pub edited: bool,
    /// What its components were set to last.
    pub components: BTreeMap<String, String>,
    /// The sender's mark.
    pub metadata: Value,
}

#[derive(Debug, Default)]
pub(super) struct Statuspage {
    /// By id.
    pub incidents: BTreeMap<String, PublicIncident>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    incident: Incident,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Incident {
    name: Option<String>,
    status: Status,
    body: String,
    impact_override: Option<Impact>,
    component_ids: Vec<String>,
    components: BTreeMap<String, Component>,
    /// True by default at the vendor's: to be said explicitly.
    deliver_notifications: bool,
    metadata: Option<BTreeMap<String, Map<String, Value>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Component {
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Impact {
    None,
    Maintenance,
    Minor,
    Major,
    Critical,
}

impl Statuspage {
    pub fn take(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        if request.header("authorization").strip_prefix("OAuth ").is_none_or(str::is_empty) {
            problems.push("no API key".to_owned());
            return Reply::json(401, &json!({"error": "Could not authenticate"}));
        }
        let path: Vec<_> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), &path[..]) {
            ("GET", ["statuspage", "v1", "pages", page]) => Reply::json(200, &json!({"id": page, "name": "Testbed"})),
            ("GET", ["statuspage", "v1", "pages", _, "components"]) => {
                check_paging(request, problems);
                let listed = COMPONENTS.map(|id| json!({"id": id, "name": id, "status": "operational"}));
                Reply::json(200, &if is_first_page(request) { json!(listed) } else { json!([]) })
            }
            ("GET", ["statuspage", "v1", "pages", _, "incidents", "unresolved"]) => {
                check_paging(request, problems);
                let open = self
                    .incidents
                    .iter()
                    .filter(|(_, incident)| incident.status != "resolved" && is_first_page(request));
                Reply::json(200, &open.map(|(id, incident)| shown(id, incident)).collect())
            }
            ("GET", ["statuspage", "v1", "pages", _, "incidents"]) => {
                check_paging(request, problems);
                let all = self.incidents.iter().rev().filter(|_| is_first_page(request));
                Reply::json(200, &all.map(|(id, incident)| shown(id, incident)).collect())
            }
            ("GET", ["statuspage", "v1", "pages", _, "incidents", id]) => match self.incidents.get(*id) {
                Some(incident) => Reply::json(200, &shown(id, incident)),
                None => missing(problems),
            },
            ("POST", ["statuspage", "v1", "pages", _, "incidents"]) => self.write(request, None, problems),
            ("PATCH", ["statuspage", "v1", "pages", _, "incidents", id]) => self.write(request, Some(id), problems),
            _ => missing(problems),
        }
    }

    fn write(&mut self, request: &Request, id: Option<&str>, problems: &mut Vec<String>) -> Reply {
        let incident = match request.parse::<Wrapped>() {
            Ok(wrapped) => wrapped.incident,
            Err(error) => {
                problems.push(error);
                return Reply::json(422, &json!({"error": problems}));
            }
        };
        check(&incident, problems);
        match id {
            None => self.check_new(&incident, problems),
            Some(id) => match self.incidents.get(id) {
                Some(known) => check_next(known, &incident, problems),
                None => return missing(problems),
            },
        }
        if !problems.is_empty() {
            return Reply::json(422, &json!({"error": problems}));
        }
        let id = id.map_or_else(|| format!("sp{}", self.incidents.len() + 1), str::to_owned);
        let known = self.incidents.entry(id.clone()).or_insert_with(|| PublicIncident {
            name: incident.name.clone().unwrap_or_default(),
            status: String::new(),
            updates: Vec::new(),
            edited: false,
            components: BTreeMap::new(),
            metadata: json!(incident.metadata),
        });
        known.status = word(&incident.status);
        known.updates.push((word(&incident.status), incident.body.clone()));
        known.components = incident.components.iter().map(|(id, status)| (id.clone(), word(status))).collect();
        let created = known.updates.len() == 1;
        let about = format!("{} {}: {}", known.status, known.name, incident.body.chars().take(80).collect::<String>());
        Reply::json(if created { 201 } else { 200 }, &shown(&id, known)).about(about)
    }

    /// A person posts by hand.
    pub fn person_posts(&mut self, id: &str, status: &str, text: &str) {
        if let Some(incident) = self.incidents.get_mut(id) {
            status.clone_into(&mut incident.status);
            incident.updates.push((status.to_owned(), text.to_owned()));
            incident.edited = true;
        }
    }

    fn check_new(&self, incident: &Incident, problems: &mut Vec<String>) {
        if incident.name.as_ref().is_none_or(|name| name.trim().is_empty()) {
            problems.push("an incident needs a name".to_owned());
        }
        let mark = json!(incident.metadata);
        if self.incidents.values().any(|known| known.status != "resolved" && known.metadata == mark) {
            problems.push("a second open incident with the same mark".to_owned());
        }
    }
}

fn check(incident: &Incident, problems: &mut Vec<String>) {
    check_length(problems, "name", incident.name.as_deref().unwrap_or_default(), 255);
    check_length(problems, "body", &incident.body, 25_000);
    if incident.body.trim().is_empty() {
        problems.push("an update without a text".to_owned());
    }
    if incident.component_ids.is_empty() {
        problems.push("no component".to_owned());
    }
    let unknown = incident.component_ids.iter().filter(|id| !COMPONENTS.contains(&id.as_str()));
    problems.extend(unknown.map(|id| format!("component `{id}` is not on the page")));
    if incident.components.keys().any(|id| !incident.component_ids.contains(id)) {
        problems.push("components has an id that component_ids has not".to_owned());
    }
    let all_well = incident.components.values().all(|status| *status == Component::Operational);
    if (incident.status == Status::Resolved) != all_well {
        problems.push("components do not fit the state".to_owned());
    }
    if incident.impact_override == Some(Impact::Maintenance) {
        problems.push("an outage is no maintenance".to_owned());
    }
    if !incident.deliver_notifications {
        problems.push("nobody would hear of it".to_owned());
    }
}

fn check_next(known: &PublicIncident, incident: &Incident, problems: &mut Vec<String>) {
    if known.updates.last().is_some_and(|(status, body)| *status == word(&incident.status) && *body == incident.body) {
        problems.push("the same update twice".to_owned());
    }
    if known.edited {
        problems.push("an update of an incident that a person has taken over".to_owned());
    }
    if known.status == "resolved" {
        problems.push("an update of a resolved incident".to_owned());
    }
}

/// Lists without paging may be asked for once a minute only.
fn check_paging(request: &Request, problems: &mut Vec<String>) {
    if !request.query.contains_key("page") || !request.query.contains_key("per_page") {
        problems.push("a list without `page` and `per_page`".to_owned());
    }
}

fn is_first_page(request: &Request) -> bool {
    request.query.get("page").is_none_or(|page| page == "1")
}

fn shown(id: &str, incident: &PublicIncident) -> Value {
    let number = |at: usize| format!("{id}u{}", at + 1);
    let update =
        |(at, (status, body)): (usize, &(String, String))| json!({"id": number(at), "status": status, "body": body});
    let updates = incident.updates.iter().enumerate().rev().map(update);
    json!({
        "id": id, "name": incident.name, "status": incident.status, "metadata": incident.metadata,
        "incident_updates": updates.collect::<Vec<_>>(),
    })
}

fn missing(problems: &mut Vec<String>) -> Reply {
    problems.push("nothing is there".to_owned());
    Reply::json(404, &json!({"error": "not found"}))
}

fn word(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(status: &str, component: &str) -> Value {
        json!({"incident": {
            "name": "n", "status": status, "body": format!("now {status}"), "component_ids": ["component-1"],
            "components": {"component-1": component}, "deliver_notifications": true, "metadata": {"slod": {"key": "k"}},
        }})
    }

    fn send(statuspage: &mut Statuspage, method: &str, path: &str, body: &Value) -> (u16, usize) {
        let mut problems = Vec::new();
        let request = Request::test(method, &format!("/statuspage/v1/pages/p/{path}"), "OAuth k", body);
        let status = statuspage.take(&request, &mut problems).status;
        (status, problems.len())
    }

    #[test]
    fn an_incident_is_opened_once_and_told_on() {
        let mut statuspage = Statuspage::default();
        let opening = incident("investigating", "major_outage");
        assert_eq!(send(&mut statuspage, "POST", "incidents", &opening), (201, 0));
        assert_eq!(send(&mut statuspage, "POST", "incidents", &opening), (422, 1));
        assert_eq!(send(&mut statuspage, "PATCH", "incidents/sp1", &opening), (422, 1));
        assert_eq!(send(&mut statuspage, "PATCH", "incidents/sp9", &opening), (404, 1));
        let end = incident("resolved", "operational");
        assert_eq!(send(&mut statuspage, "PATCH", "incidents/sp1", &end), (200, 0));
        assert_eq!(send(&mut statuspage, "GET", "incidents/unresolved?page=1&per_page=100", &Value::Null), (200, 0));
        assert_eq!(send(&mut statuspage, "GET", "incidents/unresolved", &Value::Null), (200, 1));
        assert_eq!(statuspage.incidents["sp1"].updates.len(), 2);
    }

    #[test]
    fn each_broken_rule_is_a_problem() {
        let broken = [
            ("/incident/name", json!("")),
            ("/incident/name", json!("n".repeat(256))),
            ("/incident/body", json!("b".repeat(25_001))),
            ("/incident/status", json!("scheduled")),
            ("/incident/component_ids", json!(["elsewhere"])),
            ("/incident/components", json!({"component-1": "operational"})),
            ("/incident/components", json!(["component-1"])),
            ("/incident/deliver_notifications", json!(false)),
            ("/incident/metadata", json!({"key": "flat"})),
        ];
        for (pointer, value) in broken {
            let mut body = incident("investigating", "major_outage");
            *body.pointer_mut(pointer).unwrap() = value;
            let (status, problems) = send(&mut Statuspage::default(), "POST", "incidents", &body);
            assert!(status == 422 && problems > 0, "{body}");
        }
    }
}
