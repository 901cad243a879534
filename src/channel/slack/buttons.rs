//! Buttons that do something, under the message that is kept up to date. They carry the incident's key at its opening, and
//! no right: who may act is asked when one is pressed.

use serde_json::{Value, json};

use super::press::Deed;
use crate::domain::notification::{Event, Notification, Phase};

/// Adds the buttons that make sense now; none to what is over.
pub fn add(blocks: &mut Vec<Value>, notification: &Notification) {
    let deeds: &[Deed] = match (notification.event, notification.phase) {
        (Event::Test | Event::Digest, _) | (_, Phase::Resolved) => return,
        (_, Phase::Open) => &[Deed::Acknowledge, Deed::Resolve, Deed::Silence],
        (_, Phase::Acknowledged) => &[Deed::Resolve, Deed::Silence],
    };
    // A source's own incident is of no SLO that could be silenced.
    let fits = |deed: &&Deed| **deed != Deed::Silence || notification.slo.is_some();
    let (last, first): (Vec<_>, Vec<_>) =
        deeds.iter().copied().filter(|deed| fits(&deed)).partition(|deed| *deed == Deed::Silence);
    let made =
        |deeds: Vec<Deed>| deeds.into_iter().map(|deed| button(deed, &notification.dedup_key)).collect::<Vec<_>>();
    let links = match blocks.iter().position(|block| block["type"] == "actions") {
        Some(at) => blocks.remove(at)["elements"].as_array().cloned().unwrap_or_default(),
        None => Vec::new(),
    };
    let elements = [made(first), links, made(last)].concat();
    blocks.push(json!({"type": "actions", "elements": elements}));
}

fn button(deed: Deed, key: &str) -> Value {
    let (word, style) = match deed {
        Deed::Acknowledge => ("Acknowledge", Some("primary")),
        Deed::Resolve => ("Resolve", None),
        Deed::Silence => ("Silence 1 h", None),
    };
    let mut button = json!({
        "type": "button", "action_id": deed.action_id(), "value": key, "text": {"type": "plain_text", "text": word},
    });
    if let Some(style) = style {
        button["style"] = style.into();
    }
    if deed == Deed::Resolve {
        let plain = |text: &str| json!({"type": "plain_text", "text": text});
        button["confirm"] = json!({
            "title": plain("Is it over?"),
            "text": plain("Everybody who was told hears that it is. Its alerts stay silent until each has cleared once."),
            "confirm": plain("Resolve"),
            "deny": plain("Not yet"),
        });
    }
    button
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    fn ids(notification: &Notification) -> Vec<String> {
        let mut blocks =
            vec![json!({"type": "section"}), json!({"type": "actions", "elements": [{"action_id": "link-0"}]})];
        add(&mut blocks, notification);
        let elements = blocks.last().unwrap()["elements"].as_array().unwrap();
        elements.iter().map(|button| button["action_id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn which_buttons_there_are() {
        let (acknowledge, resolve, silence) = ("slod-acknowledge", "slod-resolve", "slod-silence-1h");
        assert_eq!(ids(&samples::opening()), [acknowledge, resolve, "link-0", silence]);
        assert_eq!(ids(&samples::later(Event::Acknowledge)), [resolve, "link-0", silence]);
        assert_eq!(ids(&samples::later(Event::Resolve)), ["link-0"]);
        assert_eq!(ids(&samples::later(Event::Test)), ["link-0"]);
        assert_eq!(ids(&Notification { slo: None, ..samples::opening() }), [acknowledge, resolve, "link-0"]);
        let mut bare = Vec::new();
        add(&mut bare, &samples::opening());
        insta::assert_json_snapshot!(bare);
    }
}
