//! From a post for the public to an Instatus incident.
//!
//! There is no place for a mark of ours that the public would not see. What can be chosen is when the incident started:
//! the time of the decision, whose milliseconds are a number made of the mark.

use chrono::{DateTime, SecondsFormat, TimeDelta, Timelike as _, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::{
    answer::Failure,
    public_page::{Seen, word},
    text,
};
use crate::domain::notification::{PublicState, StatusPost};

/// In code points; the vendor documents no limits.
const NAME_MAX: usize = 255;
const TEXT_MAX: usize = 10_000;

/// The body that creates the incident.
pub fn create(post: &StatusPost, component: &str) -> Value {
    let mut payload = update(post, component);
    payload["name"] = name(post).into();
    payload["started"] = started(post).to_rfc3339_opts(SecondsFormat::Millis, true).into();
    payload["shouldPublish"] = true.into();
    payload
}

/// The body of an update; the last one sets the component right again.
pub fn update(post: &StatusPost, component: &str) -> Value {
    json!({
        "message": message(post),
        "status": status(post.state),
        "components": [component],
        "statuses": [{"id": component, "status": component_status(post)}],
        "notify": true,
    })
}

/// The update's text as it is sent.
pub fn message(post: &StatusPost) -> String {
    text::cut(&text::paragraphs(&post.body), TEXT_MAX)
}

fn name(post: &StatusPost) -> String {
    text::line(&post.name, NAME_MAX)
}

/// The vendor's word for a state.
pub fn status(state: PublicState) -> &'static str {
    match state {
        PublicState::Investigating => "INVESTIGATING",
        PublicState::Identified => "IDENTIFIED",
        PublicState::Monitoring => "MONITORING",
        PublicState::Resolved => "RESOLVED",
    }
}

fn component_status(post: &StatusPost) -> &'static str {
    match post.state {
        _ if post.down_elsewhere => "MAJOROUTAGE",
        PublicState::Investigating | PublicState::Identified => "MAJOROUTAGE",
        PublicState::Monitoring => "DEGRADEDPERFORMANCE",
        PublicState::Resolved => "OPERATIONAL",
    }
}

/// The second of the decision, and the mark's milliseconds: never 0, so that a cut time is known as such.
fn started(post: &StatusPost) -> DateTime<Utc> {
    let digest = Sha256::digest(post.key.as_bytes());
    let mark = i64::from(u16::from_be_bytes([digest[0], digest[1]])) % 999 + 1;
    let whole = post.decided_at.with_nanosecond(0).unwrap_or(post.decided_at);
    whole + TimeDelta::milliseconds(mark)
}

/// Whether an incident at the vendor's is the one that this post made: by name and start, to the millisecond, or to the
/// second if that is all the vendor keeps. `repeated`: an earlier attempt may have made it; then the same name and the
/// very text are enough.
pub fn is_ours(incident: &Value, post: &StatusPost, repeated: bool) -> bool {
    if incident["name"].as_str() != Some(&name(post)) {
        return false;
    }
    let at = incident["started"].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let (wanted, at) = (started(post), at.map(|at| at.with_timezone(&Utc)));
    let exact = at == Some(wanted);
    let cut = at.is_some_and(|at| at.timestamp_subsec_millis() == 0 && at.timestamp() == wanted.timestamp());
    let says = || seen(incident).is_ok_and(|seen| seen.says(status(post.state), &message(post)));
    exact || cut || repeated && says()
}

/// An incident as the vendor shows it. The newest update is the youngest, or the last if none says when it was made.
pub fn seen(incident: &Value) -> Result<Seen, Failure> {
    let updates = incident.get("updates").and_then(Value::as_array);
    let newest = updates.and_then(|updates| updates.iter().max_by_key(|update| made_at(update)));
    Seen::read(incident, newest, "message")
}

fn made_at(update: &Value) -> Option<&str> {
    ["started", "createdAt"].iter().map(|key| word(update, key)).find(|at| !at.is_empty())
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
            ..samples::post(PublicState::Investigating)
        };
        let incident = create(&long, "c0mp");
        assert_eq!(incident["name"].as_str().unwrap().chars().count(), NAME_MAX);
        assert_eq!(incident["message"].as_str().unwrap().chars().count(), TEXT_MAX);
    }

    #[test]
    fn ours_is_found_by_name_and_start() {
        let post = samples::post(PublicState::Investigating);
        let other = StatusPost { key: "another".into(), ..post.clone() };
        let made = |post: &StatusPost, started: Option<&str>| {
            let body = create(post, "c0mp");
            let started = started.map_or(body["started"].clone(), |started| json!(started));
            let update = json!({"id": "u1", "status": body["status"], "message": body["message"]});
            json!({"id": "i1", "name": body["name"], "status": body["status"], "started": started, "updates": [update]})
        };
        let second = "2026-10-25T14:15:00.000Z";
        let hour = "2026-10-25T13:15:00.000Z";
        let table = [
            (made(&post, None), false, true),
            (made(&other, None), false, false),
            (made(&post, Some(second)), false, true),
            (made(&post, Some(hour)), false, false),
            (made(&post, Some(hour)), true, true),
            (made(&StatusPost { body: "else".into(), ..post.clone() }, Some(hour)), true, false),
            (made(&StatusPost { name: "else".into(), ..post.clone() }, None), true, false),
            (json!({"name": post.name}), true, false),
        ];
        for (incident, repeated, expected) in table {
            assert_eq!(is_ours(&incident, &post, repeated), expected, "{incident} {repeated}");
        }
    }

    #[test]
    fn the_newest_update_is_the_youngest_or_the_last() {
        let update = |id: &str, at: Value| json!({"id": id, "status": "MONITORING", "message": id, "started": at});
        let newest = |updates: Value| {
            let incident = json!({"id": "i1", "status": "MONITORING", "updates": updates});
            seen(&incident).unwrap().newest.map(|update| update.id)
        };
        let (early, late) = (json!("2026-10-25T14:01:00.000Z"), json!("2026-10-25T14:02:00.000Z"));
        assert_eq!(newest(json!([update("b", late.clone()), update("a", early)])), Some("b".to_owned()));
        assert_eq!(newest(json!([update("a", Value::Null), update("b", Value::Null)])), Some("b".to_owned()));
        assert_eq!(newest(json!([])), None);
    }
}
