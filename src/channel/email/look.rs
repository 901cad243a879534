//! What a notification looks like as a mail.

use maud::html;

use super::super::text;
use crate::domain::notification::{Event, Notification, Phase};

/// Code points.
const SUBJECT_MAX: usize = 200;
const LINE_MAX: usize = 2_000;
const LINES_MAX: usize = 100;
const SERIES_MAX: usize = 50;
const ADDRESS_MAX: usize = 3_000;

/// The three texts of a mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Look {
    /// One line.
    pub subject: String,
    /// For readers without HTML.
    pub plain: String,
    /// The same, escaped and marked up.
    pub html: String,
}

/// Words a notification as a mail.
pub fn look(notification: &Notification) -> Look {
    let subject = text::line(&format!("[{}] {}", mark(notification), notification.headline), SUBJECT_MAX);
    let lines: Vec<_> = notification.lines.iter().take(LINES_MAX).map(|line| text::line(line, LINE_MAX)).collect();
    let standing = notification.standing.as_ref().map(|standing| format!("Now: {}", text::line(standing, LINE_MAX)));
    let facts = facts(notification);
    let addresses: Vec<_> = notification
        .links
        .iter()
        .filter_map(|link| Some((text::line(&link.text, 100), text::address(link, ADDRESS_MAX)?)))
        .collect();

    let headline = text::line(&notification.headline, LINE_MAX);
    let mut plain = vec![headline.clone(), String::new()];
    plain.extend(lines.iter().chain(&standing).cloned());
    plain.push(String::new());
    plain.extend(facts.iter().map(|(name, value)| format!("{name}: {value}")));
    plain.push(String::new());
    plain.extend(addresses.iter().map(|(name, url)| format!("{name}: {url}")));

    let html = html! {
        (maud::DOCTYPE)
        html {
            body style="font-family: sans-serif" {
                p { strong { (mark(notification)) " " (headline) } }
                @for line in lines.iter().chain(&standing) { p { (line) } }
                table cellpadding="4" {
                    @for (name, value) in &facts { tr { td { (name) } td { (value) } } }
                }
                p { @for (name, url) in &addresses { a href=(url) { (name) } " " } }
            }
        }
    };
    Look { subject, plain: plain.join("\r\n").trim_end().to_owned() + "\r\n", html: html.into_string() }
}

/// `P1`, `P1 acknowledged`, `P1 resolved`, `test`
fn mark(notification: &Notification) -> String {
    let priority = notification.priority;
    match (notification.event, notification.phase) {
        (Event::Test, _) => "test".to_owned(),
        (_, Phase::Open) => priority.to_string(),
        (_, Phase::Acknowledged) => format!("{priority} acknowledged"),
        (_, Phase::Resolved) => format!("{priority} resolved"),
    }
}

fn facts(notification: &Notification) -> Vec<(String, String)> {
    let when = |instant: chrono::DateTime<chrono::Utc>| instant.format("%Y-%m-%d %H:%M UTC").to_string();
    let policies: Vec<_> =
        notification.policies.iter().map(|(name, priority)| format!("{name} ({priority})")).collect();
    let mut facts = vec![
        ("Incident".to_owned(), text::line(&notification.incident, 100)),
        ("About".to_owned(), text::line(&notification.subject(), LINE_MAX)),
        ("Since".to_owned(), when(notification.opened_at)),
        ("Policies".to_owned(), policies.join(", ")),
        ("You hear of it as".to_owned(), text::line(&notification.reason, LINE_MAX)),
    ];
    if notification.late {
        facts.push(("Decided late, at".to_owned(), when(notification.decided_at)));
    }
    let labels = notification.series.iter().take(SERIES_MAX);
    facts.extend(labels.map(|(label, value)| (text::line(label, 100), text::line(value, LINE_MAX))));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    fn shown(notification: &Notification) -> String {
        let look = look(notification);
        format!("Subject: {}\n\n{}\n{}", look.subject, look.plain.replace("\r\n", "\n"), look.html)
    }

    #[test]
    fn every_event_has_its_look() {
        insta::assert_snapshot!("trigger", shown(&samples::opening()));
        for event in [Event::Acknowledge, Event::Update, Event::Resolve, Event::Test] {
            insta::assert_snapshot!(event.as_str(), shown(&samples::later(event)));
        }
    }

    #[test]
    fn hostile_texts_stay_texts() {
        let look = look(&samples::hostile());
        assert_eq!(look.subject.chars().count(), SUBJECT_MAX);
        assert!(!look.subject.contains(['\r', '\n', '\0']));
        assert!(look.plain.lines().all(|line| !line.starts_with("Bcc:")));
        for tag in ["<script", "<!channel", "<@U123", "javascript:"] {
            assert!(!look.html.contains(tag), "{tag}");
        }
        assert!(look.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
}
