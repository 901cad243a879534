//! From a post for the public to a Statuspage incident.

use serde_json::{Value, json};

use super::super::text;
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
        "components": {component: component_status(post.state)},
        "deliver_notifications": true,
    }})
}

/// The update's text as it is sent.
pub fn body(post: &StatusPost) -> String {
    text::cut(&text::paragraphs(&post.body), BODY_MAX)
}

/// The vendor does not reset a component by itself: the last state does.
fn component_status(state: PublicState) -> &'static str {
    match state {
        PublicState::Investigating | PublicState::Identified => "major_outage",
        PublicState::Monitoring => "degraded_performance",
        PublicState::Resolved => "operational",
    }
}

/// Whether an incident at the vendor's carries our mark.
pub fn is_ours(incident: &Value, post: &StatusPost) -> bool {
    incident.pointer("/metadata/slod/key").and_then(Value::as_str) == Some(&post.key)
}

/// Whether an incident already says what the post says: an earlier attempt arrived.
pub fn says_so(incident: &Value, post: &StatusPost) -> bool {
    let updates = incident.get("incident_updates").and_then(Value::as_array);
    incident["status"] == post.state.as_str()
        && updates.is_some_and(|updates| {
            updates.iter().any(|update| update["status"] == post.state.as_str() && update["body"] == body(post))
        })
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
            "status": "monitoring", "metadata": {"slod": {"key": post.key}},
            "incident_updates": [{"status": "investigating", "body": "x"}, {"status": "monitoring", "body": post.body}],
        });
        assert!(is_ours(&incident, &post) && says_so(&incident, &post));
        assert!(!says_so(&incident, &samples::post(PublicState::Resolved)));
        assert!(!is_ours(&json!({"metadata": {"slod": {"key": "other"}}}), &post));
    }
}
