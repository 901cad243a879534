//! From a post for the public to a Statuspage incident.

use serde_json::{Value, json};

use super::super::{
    answer::Failure,
    public_page::{Seen, word},
    text,
};
use crate::domain::notification::{PublicState, StatusPost};

/// The vendor's limits, in code points.
const NAME_MAX: usize = 255;
const BODY_MAX: usize = 25_000;

/// The body that creates the incident. Its metadata is how it is found again.
pub fn create(post: &StatusPost, component: &str) -> Value {
    let mut payload = update(post, component);
    payload["incident"]["name"] = text::line(&post.name, NAME_MAX).into();
    payload["incident"]["impact_override"] = "major".into();
    payload["incident"]["metadata"] = json!({"slod": {"key": post.key}});
    payload
}

/// The body of a later state. The name and the impact stay as they are: people may have changed them.
pub fn update(post: &StatusPost, component: &str) -> Value {
    json!({"incident": {
        "status": post.state.as_str(),
        "body": body(post),
        "component_ids": [component],
        "components": {component: component_status(post)},
        "deliver_notifications": true,
    }})
}

/// The update's text as it is sent.
pub fn body(post: &StatusPost) -> String {
    text::cut(&text::paragraphs(&post.body), BODY_MAX)
}

/// The vendor does not reset a component by itself: the last state does.
fn component_status(post: &StatusPost) -> &'static str {
    match post.state {
        _ if post.down_elsewhere => "major_outage",
        PublicState::Investigating | PublicState::Identified => "major_outage",
        PublicState::Monitoring => "degraded_performance",
        PublicState::Resolved => "operational",
    }
}

/// Whether an incident at the vendor's carries our mark.
pub fn is_ours(incident: &Value, post: &StatusPost) -> bool {
    incident.pointer("/metadata/slod/key").and_then(Value::as_str) == Some(&post.key)
}

/// An incident as the vendor shows it. The newest update is the first.
pub fn seen(incident: &Value) -> Result<Seen, Failure> {
    let updates = incident.get("incident_updates").and_then(Value::as_array);
    let newest = updates.and_then(|updates| {
        let dated = updates.iter().rev().filter(|update| update["created_at"].is_string());
        dated.max_by_key(|update| word(update, "created_at")).or(updates.first())
    });
    Seen::read(incident, newest, "body")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    #[test]
    fn each_state_has_its_body() {
        insta::assert_json_snapshot!("create", create(&samples::post(PublicState::Investigating), "c0mp"));
        for state in [PublicState::Identified, PublicState::Monitoring, PublicState::Resolved] {
            insta::assert_json_snapshot!(state.as_str(), update(&samples::post(state), "c0mp"));
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let long = StatusPost {
            name: "n\n".repeat(400),
            body: "b\0\n".repeat(20_000),
            ..samples::post(PublicState::Resolved)
        };
        let incident = &create(&long, "c0mp")["incident"];
        assert_eq!(incident["name"].as_str().unwrap().chars().count(), NAME_MAX);
        assert_eq!(incident["body"].as_str().unwrap().chars().count(), BODY_MAX);
    }

    #[test]
    fn an_earlier_attempt_is_recognised() {
        let post = samples::post(PublicState::Monitoring);
        let incident = json!({
            "id": "i1", "status": "monitoring", "metadata": {"slod": {"key": post.key}},
            "incident_updates": [
                {"id": "u2", "status": "monitoring", "body": post.body},
                {"id": "u1", "status": "investigating", "body": "x"},
            ],
        });
        let seen = seen(&incident).unwrap();
        assert!(is_ours(&incident, &post) && seen.says("monitoring", &body(&post)));
        assert!(!seen.says("resolved", &body(&samples::post(PublicState::Resolved))));
        assert!(!is_ours(&json!({"metadata": {"slod": {"key": "other"}}}), &post));
    }

    #[test]
    fn the_newest_update_is_the_first_or_the_youngest() {
        let at = |minute: u32| format!("2026-10-25T14:{minute:02}:00.000Z");
        let update = |id: &str, at: Value| json!({"id": id, "status": "investigating", "body": id, "created_at": at});
        let newest = |updates: Value| {
            let incident = json!({"id": "i1", "status": "investigating", "incident_updates": updates});
            seen(&incident).unwrap().newest.map(|update| update.id)
        };
        assert_eq!(newest(json!([update("a", json!(at(1))), update("b", json!(at(2)))])), Some("b".to_owned()));
        assert_eq!(newest(json!([update("b", json!(at(2))), update("a", json!(at(1)))])), Some("b".to_owned()));
        assert_eq!(newest(json!([update("a", Value::Null), update("b", Value::Null)])), Some("a".to_owned()));
        assert_eq!(newest(json!([])), None);
        assert!(seen(&json!({"id": "../x"})).is_err());
    }
}
