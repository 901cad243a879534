//! Slack's Block Kit, as far as it is taken here, with its limits and its rules of escaping.

use serde::Deserialize;

use super::request::check_length;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Block {
    Section { text: Text },
    Context { elements: Vec<Text> },
    Actions { elements: Vec<Element> },
    Header { text: Text },
    Divider {},
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Text {
    Mrkdwn {
        text: String,
        #[serde(default)]
        verbatim: bool,
    },
    PlainText {
        text: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Element {
    Button {
        text: Text,
        action_id: String,
        url: Option<String>,
        #[serde(default)]
        value: String,
        style: Option<Style>,
        confirm: Option<Confirm>,
    },
}

/// What is asked before a button does anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    title: Text,
    text: Text,
    #[serde(rename = "confirm")]
    yes: Text,
    #[serde(rename = "deny")]
    no: Text,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    Primary,
    Danger,
}

/// Checks all blocks of a message.
pub(super) fn check_blocks(blocks: &[Block], problems: &mut Vec<String>) {
    if blocks.len() > 50 {
        problems.push(format!("{} blocks, over 50", blocks.len()));
    }
    let sum: usize = blocks.iter().map(|block| check_block(block, problems)).sum();
    if sum > 10_000 {
        problems.push(format!("{sum} characters in all blocks, over 10,000"));
    }
}

/// Checks one block, and returns how many characters it shows.
fn check_block(block: &Block, problems: &mut Vec<String>) -> usize {
    match block {
        Block::Section { text } => check_shown("section", text, 3_000, problems),
        Block::Header { text } => {
            if matches!(text, Text::Mrkdwn { .. }) {
                problems.push("a header is plain text".to_owned());
            }
            check_shown("header", text, 150, problems)
        }
        Block::Context { elements } => {
            if elements.is_empty() || elements.len() > 10 {
                problems.push(format!("{} elements in a context, not 1 to 10", elements.len()));
            }
            elements.iter().map(|text| check_shown("context", text, 2_000, problems)).sum()
        }
        Block::Actions { elements } => {
            if elements.is_empty() || elements.len() > 25 {
                problems.push(format!("{} elements in actions, not 1 to 25", elements.len()));
            }
            elements.iter().map(|element| check_button(element, problems)).sum()
        }
        Block::Divider {} => 0,
    }
}

/// `action_id` and `value` of the buttons that do something.
pub(super) fn deeds(blocks: &[Block]) -> Vec<(String, String)> {
    let elements = blocks.iter().filter_map(|block| match block {
        Block::Actions { elements } => Some(elements),
        _ => None,
    });
    let deed = |Element::Button { action_id, value, url, .. }: &Element| {
        url.is_none().then(|| (action_id.clone(), value.clone()))
    };
    elements.flatten().filter_map(deed).collect()
}

fn check_button(element: &Element, problems: &mut Vec<String>) -> usize {
    let Element::Button { text, action_id, url, value, style, confirm } = element;
    if let Some(Confirm { title, text, yes, no }) = confirm {
        for (field, part, max) in [("title", title, 100), ("text", text, 300), ("confirm", yes, 30), ("deny", no, 30)] {
            check_shown(field, part, max, problems);
        }
    }
    if url.is_none() && value.is_empty() {
        problems.push("a button that leads nowhere and carries nothing".to_owned());
    }
    if matches!(text, Text::Mrkdwn { .. }) {
        problems.push("a button's text is plain text".to_owned());
    }
    check_length(problems, "action_id", action_id, 255);
    check_length(problems, "a button's value", value, 2_000);
    if let Some(url) = url {
        check_length(problems, "a button's url", url, 3_000);
        if !url.starts_with("http://") && !url.starts_with("https://") {
            problems.push(format!("`{url}` is not a web address"));
        }
    }
    if matches!(style, Some(Style::Danger)) && url.is_some() {
        problems.push("a link is no danger".to_owned());
    }
    check_shown("button", text, 75, problems)
}

fn check_shown(field: &str, text: &Text, max: usize, problems: &mut Vec<String>) -> usize {
    if matches!(text, Text::Mrkdwn { verbatim: false, .. }) {
        problems.push(format!("a {field} is not verbatim: Slack would make links of its own"));
    }
    let (Text::Mrkdwn { text, .. } | Text::PlainText { text }) = text;
    if text.is_empty() {
        problems.push(format!("a {field} is empty"));
    }
    check_length(problems, field, text, max);
    check_escaping(field, text, problems);
    text.chars().count()
}

/// Notes what would mention somebody, or was not escaped. Links of our own (`<https://…|…>`) may stand.
pub(super) fn check_escaping(field: &str, text: &str, problems: &mut Vec<String>) {
    for (index, _) in text.match_indices('&') {
        if !["&amp;", "&lt;", "&gt;"].iter().any(|entity| text[index..].starts_with(entity)) {
            problems.push(format!("{field}: a bare or broken `&` at {index}"));
        }
    }
    let mut rest = text;
    while let Some(start) = rest.find(['<', '>']) {
        let link = rest[start..].starts_with("<http").then(|| rest[start..].find('>')).flatten();
        let Some(end) = link else {
            let shown: String = rest[start..].chars().take(12).collect();
            problems.push(format!("{field}: `{shown}` is a control form or was not escaped"));
            return;
        };
        rest = &rest[start + end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(text: &str) -> usize {
        let mut problems = Vec::new();
        check_escaping("text", text, &mut problems);
        problems.len()
    }

    #[test]
    fn mentions_and_broken_entities_are_found() {
        for fine in ["plain", "&lt;!channel&gt; &amp;amp;", "<https://x.example|x> and <http://y>"] {
            assert_eq!(problems_of(fine), 0, "{fine}");
        }
        for bad in ["<!channel>", "<@U1>", "a & b", "&am", "a > b", "<#C1>", "<https://x"] {
            assert_eq!(problems_of(bad), 1, "{bad}");
        }
    }

    #[test]
    fn the_sum_of_all_blocks_is_limited() {
        let section = || Block::Section { text: Text::Mrkdwn { text: "x".repeat(2_600), verbatim: true } };
        let mut problems = Vec::new();
        check_blocks(&[section(), section(), section()], &mut problems);
        assert!(problems.is_empty());
        check_blocks(&[section(), section(), section(), section()], &mut problems);
        assert_eq!(problems, ["10400 characters in all blocks, over 10,000"]);
    }
}
