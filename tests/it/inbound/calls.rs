//! Calls as PagerDuty and Slack make them: bodies of the documented shapes, signed by the documented rules.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use slod::clock::{Clock as _, SystemClock};

/// HMAC-SHA256, written down a second time on purpose: hex.
pub fn hmac(secret: &str, text: &[u8]) -> String {
    let mut key = secret.as_bytes().to_vec();
    assert!(key.len() <= 64, "not needed here");
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<_>>();
    let inner = Sha256::digest([pad(0x36).as_slice(), text].concat());
    hex::encode(Sha256::digest([pad(0x5c).as_slice(), inner.as_slice()].concat()))
}

/// An event of a person's about PagerDuty's incident `id` with this key.
pub fn event(name: &str, kind: &str, id: &str, key: Option<&str>) -> Value {
    json!({"event": {
        "id": name, "event_type": kind, "resource_type": "incident", "occurred_at": "2026-10-25T14:03:00.120Z",
        "agent": {
            "html_url": "https://acme.pagerduty.com/users/PUSER01", "id": "PUSER01",
            "self": "https://api.pagerduty.com/users/PUSER01", "summary": "Ann Example", "type": "user_reference",
        },
        "client": null,
        "data": {
            "id": id, "type": "incident", "self": format!("https://api.pagerduty.com/incidents/{id}"),
            "html_url": format!("https://acme.pagerduty.com/incidents/{id}"), "number": 7, "status": "acknowledged",
            "incident_key": key, "created_at": "2026-10-25T14:00:00Z", "title": "a page",
            "service": {"id": "PSHOP", "summary": "Shop", "type": "service_reference"}, "assignees": [],
            "escalation_policy": {"id": "PPOLICY", "type": "escalation_policy_reference"}, "teams": [], "priority": null,
            "urgency": "high", "conference_bridge": null, "resolve_reason": null,
        },
    }})
}

/// The same with something else in it.
pub fn changed(mut event: Value, pointer: &str, value: Value) -> Value {
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

/// A note.
pub fn note(name: &str, id: &str, text: &str) -> Value {
    let data = json!({
        "incident": {"id": id, "summary": "a page", "type": "incident_reference"}, "id": "PNOTE", "content": text,
        "trimmed": false, "type": "incident_note",
    });
    changed(event(name, "incident.annotated", id, None), "/event/data", data)
}

/// The header that signs a body.
pub fn signature(secret: &str, body: &[u8]) -> String {
    format!("v1={}", hmac(secret, body))
}

/// Now, in Unix seconds.
pub fn now() -> i64 {
    SystemClock.now().timestamp()
}

/// A press of a button: the body of the call.
pub fn press(user: &str, channel: &str, action: &str, value: &str, at: &str) -> Vec<u8> {
    let payload = json!({
        "type": "block_actions", "team": {"id": "T1", "domain": "acme"}, "api_app_id": "A1", "token": "deprecated",
        "user": {"id": user, "username": "ann", "name": "ann", "team_id": "T1"}, "trigger_id": "1.2.abc",
        "container": {"type": "message", "message_ts": "1.000200", "channel_id": channel, "is_ephemeral": false},
        "channel": {"id": channel, "name": "alerts"}, "message": {"ts": "1.000200", "text": "…"},
        "response_url": "https://hooks.slack.com/actions/T1/2/x",
        "actions": [{"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": at,
            "text": {"type": "plain_text", "text": "Acknowledge"}}],
    });
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", &payload.to_string()).finish().into_bytes()
}
