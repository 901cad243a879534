//! What a bulletin looks like as a mail: a text that says it all, and the same as tables.
//!
//! Mail programs show tables, and little else: no script, no style sheet, no picture from elsewhere. Text keeps the reader's
//! own colour, and nothing has a background but the bars, so that it can be read in the dark. A bar repeats a figure that
//! stands beside it.

use maud::{Markup, html};

use super::{super::text, look::Look};
use crate::domain::bulletin::{Bulletin, Mark, Row, Table};

/// Code points.
const SUBJECT_MAX: usize = 200;
const LINE_MAX: usize = 4_000;
const ADDRESS_MAX: usize = 3_000;

/// Seen in the light and in the dark.
const GOOD: &str = "#2e7d32";
const BAD: &str = "#c62828";
const EDGE: &str = "border:1px solid #888888;border-collapse:collapse";

/// Words a bulletin as a mail.
pub fn look(bulletin: &Bulletin) -> Look {
    let word =
        if bulletin.late { format!("{}, late", bulletin.kind.as_str()) } else { bulletin.kind.as_str().to_owned() };
    let subject = text::line(&format!("[{word}] {}", bulletin.headline), SUBJECT_MAX);
    let headline = text::line(&bulletin.headline, LINE_MAX);
    let lines: Vec<String> = bulletin.lines.iter().map(|line| text::line(line, LINE_MAX)).collect();
    let addresses: Vec<(String, String)> = bulletin
        .links
        .iter()
        .filter_map(|link| Some((text::line(&link.text, 100), text::address(link, ADDRESS_MAX)?)))
        .collect();
    let circumstances = circumstances(bulletin);
    let plain = plain(bulletin, &headline, &lines, &addresses, &circumstances);
    let html = html! {
        (maud::DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (headline) }
            }
            body style="font-family: sans-serif" {
                h2 { (headline) }
                @for line in lines.iter().filter(|line| !line.is_empty()) { p { (line) } }
                @for table in &bulletin.tables { (marked_up(table)) }
                @if !addresses.is_empty() { p { @for (name, url) in &addresses { a href=(url) { (name) } " " } } }
                p { small { (circumstances) } }
            }
        }
    };
    Look { subject, plain, html: html.into_string() }
}

fn circumstances(bulletin: &Bulletin) -> String {
    let when = |instant: chrono::DateTime<chrono::Utc>| instant.format("%Y-%m-%d %H:%M UTC").to_string();
    let name = text::line(&bulletin.title(), 100);
    format!("{name}, due {}, made {}", when(bulletin.due_at), when(bulletin.decided_at))
}

fn plain(
    bulletin: &Bulletin,
    headline: &str,
    lines: &[String],
    addresses: &[(String, String)],
    circumstances: &str,
) -> String {
    let mut plain = vec![headline.to_owned(), String::new()];
    plain.extend(lines.iter().cloned());
    for table in &bulletin.tables {
        plain.extend([String::new(), text::line(&table.title, LINE_MAX)]);
        let row = |row: &Row| format!("  {} {}", row.mark.glyph(), text::line(&row.line, LINE_MAX));
        plain.extend(table.rows.iter().map(row));
        plain.extend(left_out(table).map(|more| format!("  {more}")));
    }
    plain.push(String::new());
    plain.extend(addresses.iter().map(|(name, url)| format!("{name}: {url}")));
    plain.push(circumstances.to_owned());
    plain.join("\r\n").trim_end().to_owned() + "\r\n"
}

fn left_out(table: &Table) -> Option<String> {
    (table.left_out > 0).then(|| format!("… and {} more", table.left_out))
}

fn marked_up(table: &Table) -> Markup {
    let has_bars = table.rows.iter().any(|row| row.bar.is_some());
    html! {
        h3 { (text::line(&table.title, LINE_MAX)) }
        @if table.rows.is_empty() { p { "nothing" } } @else {
            // Attributes of old: a style for each cell would make a large mail.
            table border="1" cellpadding="5" cellspacing="0" style=(EDGE) {
                tr {
                    th {}
                    @for column in &table.columns { th align="left" { (text::line(column, LINE_MAX)) } }
                    @if has_bars { th align="left" { "Left" } }
                }
                @for row in &table.rows {
                    tr {
                        td { (row.mark.glyph()) }
                        @for cell in &row.cells { td { (text::line(cell, LINE_MAX)) } }
                        @if has_bars { td { @if let Some(share) = row.bar { (bar(share, row.mark)) } } }
                    }
                }
            }
        }
        @if let Some(more) = left_out(table) { p { (more) } }
    }
}

/// A table of two cells: what is left, and what is gone. Overspent is full, and red.
fn bar(share: f64, mark: Mark) -> Markup {
    let full = if share < 0.0 { 100 } else { (share.min(1.0) * 100.0).round() as u32 };
    let colour = if share < 0.0 || mark == Mark::Bad { BAD } else { GOOD };
    let cell = |colour: Option<&str>| {
        let background = colour.map(|colour| format!("background-color:{colour};")).unwrap_or_default();
        format!("{background}padding:0;font-size:8px;line-height:12px")
    };
    html! {
        table role="presentation" width="120" cellpadding="0" cellspacing="0" style=(EDGE) { tr {
            @if full > 0 { td width={ (full) "%" } bgcolor=(colour) style=(cell(Some(colour))) { "\u{a0}" } }
            @if full < 100 { td width={ (100 - full) "%" } style=(cell(None)) { "\u{a0}" } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    fn shown(bulletin: &Bulletin) -> String {
        let look = look(bulletin);
        let html = look.html.replace("<tr>", "\n<tr>").replace("<p>", "\n<p>").replace("<h3>", "\n<h3>");
        format!("Subject: {}\n\n{}\n{html}", look.subject, look.plain.replace("\r\n", "\n"))
    }

    #[test]
    fn every_kind_has_its_look() {
        for bulletin in samples::bulletins() {
            insta::assert_snapshot!(format!("bulletin-{}", bulletin.kind.as_str()), shown(&bulletin));
        }
    }

    #[test]
    fn bars_show_what_is_left() {
        for (share, mark, full, colour) in [
            (1.0, Mark::Good, "100%", GOOD),
            (7.0, Mark::Good, "100%", GOOD),
            (0.462, Mark::Good, "46%", GOOD),
            (0.0, Mark::Bad, "", ""),
            (-0.5, Mark::Bad, "100%", BAD),
            (0.2, Mark::Bad, "20%", BAD),
        ] {
            let bar = bar(share, mark).into_string();
            let wanted = format!("<td width=\"{full}\" bgcolor=\"{colour}\"");
            assert_eq!(bar.contains(&wanted), !full.is_empty(), "{share}: {bar}");
            assert!(!full.is_empty() || !bar.contains("bgcolor"), "{share}: {bar}");
        }
    }

    #[test]
    fn hostile_texts_stay_texts_and_nothing_is_fetched() {
        let look = look(&samples::hostile_bulletin());
        assert!(look.subject.chars().count() <= SUBJECT_MAX && !look.subject.contains(['\r', '\n', '\0']));
        assert!(look.plain.lines().all(|line| !line.starts_with("Bcc:")));
        for tag in ["<script", "<img", "<link", "<style", "url(", "javascript:", "<!channel"] {
            assert!(!look.html.contains(tag), "{tag}");
        }
        assert!(look.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
}
