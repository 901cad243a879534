//! What a notification looks like in Slack: a bold headline, the facts, who has it, links as buttons.

use serde_json::{Value, json};

use super::{super::text, mrkdwn};
use crate::domain::notification::{Event, Link, Notification, Phase};

/// Well inside the vendor's limits (section 3,000, all blocks together 10,000, `chat.update` text 4,000),
/// so that no sum of parts can pass them.
const HEADLINE_MAX: usize = 400;
const LINE_MAX: usize = 600;
const FACTS_MAX: usize = 2_200;
const STANDING_MAX: usize = 600;
const CONTEXT_MAX: usize = 1_000;
const LABELS_MAX: usize = 5;
const LABEL_MAX: usize = 80;
const BUTTONS_MAX: usize = 5;
const BUTTON_MAX: usize = 60;
const ADDRESS_MAX: usize = 3_000;

/// The parts every Slack message has.
pub struct Look {
    /// For notifications and readers that show no blocks.
    pub text: String,
    /// The message.
    pub blocks: Vec<Value>,
}

/// `repeat`: an earlier attempt may have arrived, and the message says so.
pub fn look(notification: &Notification, repeat: bool) -> Look {
    let headline = headline(notification);
    let facts = mrkdwn::lines(notification.lines.iter().map(String::as_str), LINE_MAX, FACTS_MAX);
    let standing =
        notification.standing.as_ref().map(|standing| format!("Now: {}", mrkdwn::line(standing, STANDING_MAX)));
    let body: Vec<_> = [facts, standing.unwrap_or_default()].into_iter().filter(|part| !part.is_empty()).collect();
    let mut blocks = vec![section(&format!("*{headline}*"))];
    if !body.is_empty() {
        blocks.push(section(&body.join("\n")));
    }
    blocks.push(context(&mrkdwn::line(&circumstances(notification), CONTEXT_MAX)));
    if repeat {
        blocks.push(context("may be a repeat: no answer came to an earlier attempt"));
    }
    let buttons = buttons(&notification.links);
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    let text = [vec![headline], body].concat().join("\n");
    Look { text, blocks }
}

/// `■ P1 warehouse availability: health check failing for 25 min`
fn headline(notification: &Notification) -> String {
    let glyph = match (notification.event, notification.phase) {
        (Event::Test, _) => "◇",
        (_, Phase::Open) => "■",
        (_, Phase::Acknowledged) => "●",
        (_, Phase::Resolved) => "✓",
    };
    let headline = mrkdwn::line(&notification.headline, HEADLINE_MAX);
    if notification.event == Event::Test {
        return format!("{glyph} {headline}");
    }
    format!("{glyph} {} {headline}", notification.priority)
}

fn circumstances(notification: &Notification) -> String {
    let reason = text::line(&notification.reason, LINE_MAX / 2);
    let labels = notification.series.iter().take(LABELS_MAX);
    let series: Vec<_> = labels.map(|(label, value)| text::line(&format!("{label}={value}"), LABEL_MAX)).collect();
    let mut parts = vec![format!("incident {}", text::line(&notification.incident, 40)), series.join(", "), reason];
    if notification.late {
        parts.push("decided late".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// `verbatim`: Slack makes no links and mentions of its own out of what it finds.
pub(super) fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

pub(super) fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": true}]})
}

pub(super) fn buttons(links: &[Link]) -> Vec<Value> {
    let links = links.iter().filter_map(|link| {
        let label = mrkdwn::line(&link.text, BUTTON_MAX);
        let url = text::address(link, ADDRESS_MAX).filter(|_| !label.is_empty())?;
        Some((label, url))
    });
    let button = |(index, (label, url))| json!({"type": "button", "action_id": format!("link-{index}"), "text": {"type": "plain_text", "text": label}, "url": url});
    links.take(BUTTONS_MAX).enumerate().map(button).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    fn shown(notification: &Notification, repeat: bool) -> Value {
        let look = look(notification, repeat);
        json!({"text": look.text, "blocks": look.blocks})
    }

    #[test]
    fn every_event_has_its_look() {
        insta::assert_json_snapshot!("trigger", shown(&samples::opening(), false));
        for event in [Event::Acknowledge, Event::Update, Event::Resolve, Event::Test] {
            insta::assert_json_snapshot!(event.as_str(), shown(&samples::later(event), event == Event::Update));
        }
    }

    #[test]
    fn hostile_texts_keep_within_the_limits() {
        let shown = shown(&samples::hostile(), true);
        let all: usize = strings(&shown["blocks"]).iter().map(|text| text.chars().count()).sum();
        assert!(all < 10_000, "{all}");
        assert!(shown["text"].as_str().unwrap().chars().count() < 4_000);
        for text in strings(&shown) {
            assert!(text.starts_with("https://") || !text.contains(['<', '>']), "{text}");
            assert!(text.chars().count() <= 3_000);
        }
        insta::assert_json_snapshot!("hostile", shown);
    }

    fn strings(value: &Value) -> Vec<String> {
        match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(items) => items.iter().flat_map(strings).collect(),
            Value::Object(fields) => fields.values().flat_map(strings).collect(),
            _ => Vec::new(),
        }
    }
}
