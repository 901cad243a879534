//! Instatus' API, as far as incidents need it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    request::{Reply, Request, check_length},
    statuspage::PublicIncident,
};

/// The components every page has.
const COMPONENTS: [&str; 2] = ["component-1", "component-2"];

#[derive(Debug, Default)]
pub(super) struct Instatus {
    /// By id. `metadata` holds when each started.
    pub incidents: BTreeMap<String, PublicIncident>,
}

/// A new incident, or an update of one: then without name, start and publication.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Update {
    name: Option<String>,
    started: Option<String>,
    should_publish: Option<bool>,
    message: String,
    status: Status,
    components: Vec<String>,
    statuses: Vec<ComponentStatus>,
    notify: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentStatus {
    id: String,
    status: Component,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Component {
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
}

impl Instatus {
    pub fn take(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        if request.header("authorization").strip_prefix("Bearer ").is_none_or(str::is_empty) {
            problems.push("no API key".to_owned());
            return Reply::json(401, &json!({"error": {"code": "unauthorized", "message": "no key"}}));
        }
        let path: Vec<_> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), &path[..]) {
            ("GET", ["instatus", "v1", _, "incidents"]) => {
                let is_first = request.query.get("page").is_none_or(|page| page == "1");
                let listed = self.incidents.iter().rev().filter(|_| is_first);
                Reply::json(200, &listed.map(|(id, incident)| shown(id, incident)).collect())
            }
            ("GET", ["instatus", "v1", _, "incidents", id]) => match self.incidents.get(*id) {
                Some(incident) => Reply::json(200, &shown(id, incident)),
                None => missing(problems),
            },
            ("POST", ["instatus", "v1", _, "incidents"]) => self.create(request, problems),
            ("POST", ["instatus", "v1", _, "incidents", id, "incident-updates"]) => self.update(id, request, problems),
            _ => missing(problems),
        }
    }

    fn create(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        let incident = match request.parse::<Update>() {
            Ok(incident) => incident,
            Err(error) => return refused(&error, problems),
        };
        let name = incident.name.clone().unwrap_or_default();
        check_length(problems, "name", &name, 255);
        check(&incident, problems);
        if name.trim().is_empty() || incident.should_publish != Some(true) {
            problems.push("an incident needs a name, and to be published".to_owned());
        }
        if self.incidents.values().any(|known| known.name == name && known.status != "RESOLVED") {
            problems.push("a second open incident with the same name".to_owned());
        }
        if !problems.is_empty() {
            return refused(&problems.join(", "), &mut Vec::new());
        }
        let id = format!("in{}", self.incidents.len() + 1);
        let known = PublicIncident {
            name,
            status: String::new(),
            updates: Vec::new(),
            edited: false,
            components: BTreeMap::new(),
            metadata: json!(incident.started.clone()),
        };
        self.incidents.insert(id.clone(), known);
        self.say(&id, &incident)
    }

    fn update(&mut self, id: &str, request: &Request, problems: &mut Vec<String>) -> Reply {
        let update = match request.parse::<Update>() {
            Ok(update) => update,
            Err(error) => return refused(&error, problems),
        };
        let Some(known) = self.incidents.get(id) else { return missing(problems) };
        check(&update, problems);
        if update.name.is_some() || update.started.is_some() || update.should_publish.is_some() {
            problems.push("an update names the incident anew".to_owned());
        }
        if known.edited {
            problems.push("an update of an incident that a person has taken over".to_owned());
        }
        if known.status == "RESOLVED" {
            problems.push("an update of a resolved incident".to_owned());
        }
        if known.updates.last().is_some_and(|last| *last == (word(update.status), update.message.clone())) {
            problems.push("the same update twice".to_owned());
        }
        if problems.is_empty() { self.say(id, &update) } else { refused(&problems.join(", "), &mut Vec::new()) }
    }

    /// An update answers the update alone.
    fn say(&mut self, id: &str, update: &Update) -> Reply {
        let Some(known) = self.incidents.get_mut(id) else { return Reply::text(500, "") };
        known.status = word(update.status);
        known.updates.push((known.status.clone(), update.message.clone()));
        known.components = update.statuses.iter().map(|part| (part.id.clone(), word(part.status))).collect();
        let about = format!("{} {}: {}", known.status, known.name, update.message.chars().take(80).collect::<String>());
        let is_new = known.updates.len() == 1;
        let answer = if is_new { json!({"id": id, "name": known.name}) } else { json!({"id": "update"}) };
        Reply::json(if is_new { 201 } else { 200 }, &answer).about(about)
    }

    /// A person posts by hand.
    pub fn person_posts(&mut self, id: &str, status: &str, text: &str) {
        if let Some(incident) = self.incidents.get_mut(id) {
            status.clone_into(&mut incident.status);
            incident.updates.push((status.to_owned(), text.to_owned()));
            incident.edited = true;
        }
    }
}

fn check(update: &Update, problems: &mut Vec<String>) {
    check_length(problems, "message", &update.message, 10_000);
    if update.message.trim().is_empty() || !update.notify {
        problems.push("an update without a text, or of which nobody would hear".to_owned());
    }
    let unknown = update.components.iter().filter(|id| !COMPONENTS.contains(&id.as_str()));
    problems.extend(unknown.map(|id| format!("component `{id}` is not on the page")));
    if update.components.is_empty() || update.statuses.iter().any(|part| !update.components.contains(&part.id)) {
        problems.push("the components do not fit the statuses".to_owned());
    }
    let all_well = update.statuses.iter().all(|part| part.status == Component::Operational);
    if (update.status == Status::Resolved) != all_well {
        problems.push("components do not fit the state".to_owned());
    }
}

fn shown(id: &str, incident: &PublicIncident) -> Value {
    let update = |(at, (status, message)): (usize, &(String, String))| json!({"id": format!("{id}u{}", at + 1), "status": status, "message": message});
    let updates: Vec<_> = incident.updates.iter().enumerate().map(update).collect();
    json!({
        "id": id, "name": incident.name, "status": incident.status, "started": incident.metadata, "updates": updates,
    })
}

fn refused(error: &str, problems: &mut Vec<String>) -> Reply {
    problems.push(error.to_owned());
    Reply::json(400, &json!({"error": {"code": "bad_request", "message": error}}))
}

fn missing(problems: &mut Vec<String>) -> Reply {
    problems.push("nothing is there".to_owned());
    Reply::json(404, &json!({"error": {"code": "not_found", "message": "not found"}}))
}

fn word(value: impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(status: &str, component: &str) -> Value {
        json!({
            "message": format!("now {status}"), "status": status, "components": ["component-1"],
            "statuses": [{"id": "component-1", "status": component}], "notify": true,
        })
    }

    fn incident() -> Value {
        let mut body = update("INVESTIGATING", "MAJOROUTAGE");
        body["name"] = json!("n");
        body["shouldPublish"] = json!(true);
        body
    }

    fn send(instatus: &mut Instatus, path: &str, body: &Value) -> (u16, usize) {
        let mut problems = Vec::new();
        let request = Request::test("POST", &format!("/instatus/v1/p/{path}"), "Bearer k", body);
        let status = instatus.take(&request, &mut problems).status;
        (status, problems.len())
    }

    #[test]
    fn an_incident_is_opened_once_and_told_on() {
        let mut instatus = Instatus::default();
        assert_eq!(send(&mut instatus, "incidents", &incident()), (201, 0));
        assert_eq!(send(&mut instatus, "incidents", &incident()), (400, 1));
        let path = "incidents/in1/incident-updates";
        assert_eq!(send(&mut instatus, path, &update("MONITORING", "OPERATIONAL")), (400, 1));
        assert_eq!(send(&mut instatus, path, &update("RESOLVED", "OPERATIONAL")), (200, 0));
        assert_eq!(send(&mut instatus, path, &update("RESOLVED", "OPERATIONAL")).0, 400);
        assert_eq!(send(&mut instatus, "incidents/in9/incident-updates", &update("RESOLVED", "OPERATIONAL")), (404, 1));
        assert_eq!(instatus.incidents["in1"].updates.len(), 2);
    }
}
