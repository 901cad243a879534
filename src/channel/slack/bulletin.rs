//! What a bulletin looks like in Slack: compact. Its headline, its facts, the first lines of each table, links as buttons.

use serde_json::json;

use super::{
    super::text,
    look::{Look, buttons, context, section},
    mrkdwn,
};
use crate::domain::bulletin::{Bulletin, Table};

/// Well inside the vendor's limits (section 3,000, all blocks together 10,000, 50 blocks, text 40,000).
const HEADLINE_MAX: usize = 400;
const LINE_MAX: usize = 400;
const FACTS_MAX: usize = 1_800;
const TABLE_MAX: usize = 1_500;
/// All tables together.
const TABLES_MAX: usize = 5_500;
const CONTEXT_MAX: usize = 600;

/// `repeat`: an earlier attempt may have arrived, and the message says so.
pub fn look(bulletin: &Bulletin, repeat: bool) -> Look {
    let headline = format!("◇ {}", mrkdwn::line(&bulletin.headline, HEADLINE_MAX));
    let facts = mrkdwn::lines(bulletin.lines.iter().map(String::as_str), LINE_MAX, FACTS_MAX);
    let mut parts: Vec<String> = Some(facts).filter(|facts| !facts.is_empty()).into_iter().collect();
    let mut room = TABLES_MAX;
    let mut left_out = 0;
    for table in bulletin.tables.iter().filter(|table| !table.detail) {
        let shown = shown(table);
        match room.checked_sub(shown.encode_utf16().count()) {
            Some(left) => {
                room = left;
                parts.push(shown);
            }
            None => left_out += 1,
        }
    }
    if left_out > 0 {
        parts.push(format!("… and {left_out} more tables"));
    }
    let mut blocks = vec![section(&format!("*{headline}*"))];
    blocks.extend(parts.iter().map(|part| section(part)));
    blocks.push(context(&mrkdwn::line(&circumstances(bulletin), CONTEXT_MAX)));
    if repeat {
        blocks.push(context("may be a repeat: no answer came to an earlier attempt"));
    }
    let buttons = buttons(&bulletin.links);
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    let text = [vec![headline], parts].concat().join("\n");
    Look { text, blocks }
}

/// A table as lines.
fn shown(table: &Table) -> String {
    let lines: Vec<String> = table.rows.iter().map(|row| format!("{} {}", row.mark.glyph(), row.line)).collect();
    let body = mrkdwn::lines(lines.iter().map(String::as_str), LINE_MAX, TABLE_MAX);
    let more = if table.left_out > 0 { format!("\n… and {} more", table.left_out) } else { String::new() };
    let body = if body.is_empty() { "nothing".to_owned() } else { body };
    format!("*{}*\n{body}{more}", mrkdwn::line(&table.title, LINE_MAX))
}

fn circumstances(bulletin: &Bulletin) -> String {
    let late = if bulletin.late { " · late" } else { "" };
    let due = bulletin.due_at.format("%Y-%m-%d %H:%M UTC");
    format!("{} · due {due}{late}", text::line(&bulletin.title(), 100))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::channel::samples;

    fn shown(bulletin: &Bulletin, repeat: bool) -> Value {
        let look = look(bulletin, repeat);
        json!({"text": look.text, "blocks": look.blocks})
    }

    #[test]
    fn every_kind_has_its_look() {
        for bulletin in samples::bulletins() {
            insta::assert_json_snapshot!(format!("bulletin-{}", bulletin.kind.as_str()), shown(&bulletin, false));
        }
    }

    #[test]
    fn hostile_texts_keep_within_the_limits() {
        let shown = shown(&samples::hostile_bulletin(), true);
        let blocks = shown["blocks"].as_array().unwrap();
        let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"]["text"].as_str()).collect();
        assert!(blocks.len() < 50 && texts.iter().all(|text| text.chars().count() < 3_000), "{}", blocks.len());
        assert!(texts.iter().map(|text| text.chars().count()).sum::<usize>() < 9_000);
        assert!(texts.iter().all(|text| !text.contains(['<', '>'])));
        assert!(texts.iter().any(|text| text.contains("more tables")));
    }
}
