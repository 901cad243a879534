//! Calls of PagerDuty (webhooks v3): who signed one, and what it says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{signature, text};
use crate::config::secret::Secret;

/// Most characters of PagerDuty's names for things.
const ID_MAX: usize = 64;
const EVENT_MAX: usize = 200;
const KEY_MAX: usize = 300;
/// Most characters of a person's name, and of a note.
const NAME_MAX: usize = 100;
const NOTE_MAX: usize = 10_000;

/// What happened to an incident of PagerDuty's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    /// Somebody has it.
    Acknowledged,
    /// Nobody has it any more.
    Unacknowledged,
    /// It is over.
    Resolved,
    /// It was joined with another, which goes on; that one's id.
    Merged(Option<String>),
    /// It is not over after all.
    Reopened,
    /// Somebody noted this.
    Annotated(String),
}

/// One call that says something of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// PagerDuty's name for the event, the same whenever it comes again.
    pub event: String,
    /// PagerDuty's name for its incident: letters and digits.
    pub incident: String,
    /// The key that the call gives for it; not to be trusted alone.
    pub key: Option<String>,
    /// What happened.
    pub happened: Happened,
    /// Which person did it, in words; none if no person did.
    pub person: Option<String>,
}

/// A call, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// It says something of an incident.
    Incident(Hook),
    /// It says something that changes nothing here: a ping, an unknown or another type.
    Other(String),
}

/// Whether the header `X-PagerDuty-Signature` signs this body with this secret.
pub fn is_signed(header: &str, secret: &Secret, body: &[u8]) -> bool {
    signature::is_signed(header, "v1", secret, &[body])
}

/// Reads a call that was signed. The error says what is wrong with it, and repeats nothing of it.
pub fn read(body: &[u8]) -> Result<Call, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is not UTF-8".to_owned())?;
    let envelope: Value = serde_json::from_str(text).map_err(|_| "the body is not JSON".to_owned())?;
    let event = envelope.get("event").filter(|event| event.is_object()).ok_or("the body has no event")?;
    let kind = word(event, "event_type").ok_or("the event has no type")?;
    let data = event.get("data").unwrap_or(&Value::Null);
    let happened = match kind {
        "incident.acknowledged" => Happened::Acknowledged,
        "incident.unacknowledged" => Happened::Unacknowledged,
        "incident.resolved" => ended(data),
        "incident.reopened" => Happened::Reopened,
        "incident.annotated" => {
            Happened::Annotated(text::cut(&text::paragraphs(word(data, "content").unwrap_or_default()), NOTE_MAX))
        }
        other => return Ok(Call::Other(text::line(other, NAME_MAX))),
    };
    let id = word(event, "id").filter(|id| !id.is_empty() && id.chars().count() <= EVENT_MAX);
    let id = id.filter(|id| !id.chars().any(char::is_control)).ok_or("the event has no usable id")?;
    let about = if matches!(happened, Happened::Annotated(_)) { data.get("incident").unwrap_or(data) } else { data };
    let incident = word(about, "id").filter(|id| is_id(id)).ok_or("the event is of no incident")?;
    let key = word(data, "incident_key").filter(|key| !key.is_empty() && key.chars().count() <= KEY_MAX);
    Ok(Call::Incident(Hook {
        event: id.to_owned(),
        incident: incident.to_owned(),
        key: key.map(str::to_owned),
        happened,
        person: event.get("agent").and_then(person),
    }))
}

/// Whether this can be the name of an incident: it becomes part of an address.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_MAX && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The person that a reference names, if it names a person.
pub(super) fn person(reference: &Value) -> Option<String> {
    let kind = word(reference, "type")?;
    if !kind.starts_with("user") {
        return None;
    }
    let name = word(reference, "summary").or_else(|| word(reference, "id")).unwrap_or("somebody");
    Some(text::line(name, NAME_MAX)).filter(|name| !name.is_empty()).or_else(|| Some("somebody".to_owned()))
}

/// An incident that is merged into another is called resolved, too.
fn ended(data: &Value) -> Happened {
    let reason = data.get("resolve_reason").unwrap_or(&Value::Null);
    if word(reason, "type") != Some("merge_resolve_reason") {
        return Happened::Resolved;
    }
    let into = reason.get("incident").and_then(|target| word(target, "id")).filter(|id| is_id(id));
    Happened::Merged(into.map(str::to_owned))
}

fn word<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A call of the documented shape.
    fn call(kind: &str, data: &Value) -> Vec<u8> {
        json!({"event": {
            "id": "01EVENT", "event_type": kind, "resource_type": "incident", "occurred_at": "2026-10-25T14:03:00.120Z",
            "agent": {"id": "PUSER01", "type": "user_reference", "summary": "Ann Example", "html_url": "https://x.example"},
            "client": null, "data": data,
        }})
        .to_string()
        .into_bytes()
    }

    fn incident(more: &Value) -> Value {
        let mut data = json!({"id": "Q1INCIDENT", "type": "incident", "number": 7, "status": "acknowledged",
            "incident_key": "abc/2", "priority": null, "resolve_reason": null,
            "conference_bridge": {"conference_number": 1000}});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    }

    #[test]
    fn what_calls_say() {
        let merged = json!({"resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "Q2OTHER"}}});
        let merged_so = json!({"resolve_reason": {"type": "merge_resolve_reason"}});
        let merged_ill = json!({"resolve_reason": {"type": "merge_resolve_reason", "incident": {"id": "../users"}}});
        for (kind, more, expected) in [
            ("incident.acknowledged", json!({}), Happened::Acknowledged),
            ("incident.unacknowledged", json!({}), Happened::Unacknowledged),
            ("incident.resolved", json!({}), Happened::Resolved),
            ("incident.resolved", json!({"resolve_reason": {"type": "other"}}), Happened::Resolved),
            ("incident.resolved", merged, Happened::Merged(Some("Q2OTHER".into()))),
            ("incident.resolved", merged_so, Happened::Merged(None)),
            ("incident.resolved", merged_ill, Happened::Merged(None)),
            ("incident.reopened", json!({}), Happened::Reopened),
        ] {
            let Ok(Call::Incident(hook)) = read(&call(kind, &incident(&more))) else { panic!("{kind}") };
            assert_eq!((hook.event.as_str(), hook.incident.as_str()), ("01EVENT", "Q1INCIDENT"));
            assert_eq!((hook.key.as_deref(), hook.person.as_deref()), (Some("abc/2"), Some("Ann Example")));
            assert_eq!(hook.happened, expected, "{kind}");
        }
        let note = json!({"id": "PNOTE", "type": "incident_note", "content": "looking\r\n\u{202e}into it", "trimmed": false,
            "incident": {"id": "Q1INCIDENT", "type": "incident_reference"}});
        let Ok(Call::Incident(hook)) = read(&call("incident.annotated", &note)) else { panic!("a note") };
        assert_eq!((hook.incident.as_str(), hook.key), ("Q1INCIDENT", None));
        assert_eq!(hook.happened, Happened::Annotated("looking\ninto it".into()));
    }

    #[test]
    fn what_changes_nothing() {
        for kind in
            ["incident.triggered", "incident.priority_updated", "service.updated", "pagey.ping", "incident.danced"]
        {
            let ping = json!({"message": "Hello", "type": "ping"});
            assert_eq!(read(&call(kind, &ping)), Ok(Call::Other(kind.to_owned())), "{kind}");
        }
    }

    #[test]
    fn what_is_no_call() {
        let whole = call("incident.acknowledged", &incident(&json!({})));
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "cut at {length}");
        }
        let (mut binary, deep) = (whole.clone(), "[".repeat(100_000));
        binary[40] = 0xff;
        for body in [binary.as_slice(), b"null", b"[]", br#"{"event":7}"#, br#"{"event":{}}"#, deep.as_bytes()] {
            assert!(read(body).is_err());
        }
        for (pointer, value) in [
            ("/event/id", json!("")),
            ("/event/id", json!(null)),
            ("/event/id", json!("x".repeat(201))),
            ("/event/id", json!("a\nb")),
            ("/event/data/id", json!("../../users")),
            ("/event/data/id", json!("Q1?x=y")),
            ("/event/data/id", json!("")),
            ("/event/data/id", json!("Q".repeat(65))),
            ("/event/data", json!(null)),
        ] {
            let mut body: Value = serde_json::from_slice(&whole).unwrap();
            *body.pointer_mut(pointer).unwrap() = value;
            assert!(read(body.to_string().as_bytes()).is_err(), "{pointer}");
        }
    }

    #[test]
    fn only_people_are_persons() {
        for (agent, expected) in [
            (json!({"type": "user_reference", "id": "P1", "summary": "Ann\r\n Example"}), Some("Ann Example")),
            (json!({"type": "user_reference", "id": "P1"}), Some("P1")),
            (json!({"type": "user", "summary": " "}), Some("somebody")),
            (json!({"type": "service_reference", "id": "PS", "summary": "Shop"}), None),
            (json!({"type": "inbound_integration_reference"}), None),
            (json!({}), None),
            (json!(null), None),
        ] {
            assert_eq!(person(&agent).as_deref(), expected, "{agent}");
        }
    }

    /// Two header values over one body, published with the vendor's own Go client.
    #[test]
    fn the_published_signature() {
        let secret = Secret::new("lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK");
        let body = include_bytes!("samples/published_call.json");
        let body = body.strip_suffix(b"\n").unwrap_or(body);
        let right = "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd";
        let wrong = "v1=7020c8a7ec668a9b7012bc3dd82e483394b038f4230acc6785efbf2a7d8bcaf5";
        for (header, expected) in [
            (right.to_owned(), true),
            (wrong.to_owned(), false),
            (format!("{wrong},{right}"), true),
            (format!("{wrong}, {right}"), true),
        ] {
            assert_eq!(is_signed(&header, &secret, body), expected, "{header}");
        }
    }
}
