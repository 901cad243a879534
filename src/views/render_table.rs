//! Tables and lines for a terminal that lose nothing: what is too long goes on in the next line, under itself.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::render_words::plain;

/// Room between two columns.
const GAP: usize = 2;
/// No column is made narrower for the sake of others.
const LEAST: usize = 8;

/// An aligned table without frames. `width` bounds its lines, as far as its columns can be made narrower: `None` when nobody
/// looks (a pipe).
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let mut all = vec![headings.iter().map(|heading| heading.to_uppercase()).collect::<Vec<_>>()];
    all.extend(rows.into_iter().map(|row| row.iter().map(|cell| plain(cell)).collect::<Vec<_>>()));
    let count = all.iter().map(Vec::len).max().unwrap_or_default();
    let longest = |at: usize| all.iter().filter_map(|row| Some(row.get(at)?.width())).max().unwrap_or_default();
    let mut widths: Vec<usize> = (0..count).map(longest).collect();
    while width.is_some_and(|width| lined_up(&widths) > usize::from(width)) {
        let Some(widest) = (0..count).filter(|at| widths[*at] > LEAST).max_by_key(|at| widths[*at]) else { break };
        widths[widest] -= 1;
    }
    let mut text = String::new();
    for row in &all {
        let cells: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, wide)| wrapped(cell, *wide)).collect();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or_default() {
            let mut said = String::new();
            for (cell, wide) in cells.iter().zip(&widths) {
                let part = cell.get(line).map_or("", String::as_str);
                said.push_str(part);
                said.push_str(&" ".repeat(wide.saturating_sub(part.width()) + GAP));
            }
            text.push_str(said.trim_end());
            text.push('\n');
        }
    }
    text
}

fn lined_up(widths: &[usize]) -> usize {
    (widths.iter().sum::<usize>() + GAP * widths.len()).saturating_sub(GAP)
}

/// A line, ended, in as many lines of `width` as it takes; those after the first begin `indent` further right than it does.
pub fn lines(text: &str, width: Option<u16>, indent: usize) -> String {
    let Some(width) = width.map(usize::from) else { return format!("{text}\n") };
    let begin = text.len() - text.trim_start_matches(' ').len();
    let indent = (begin + indent).min(width / 2);
    let mut said = String::new();
    for (place, part) in wrapped(&text[begin..], width.saturating_sub(indent)).iter().enumerate() {
        said.push_str(&" ".repeat(if place == 0 { begin.min(indent) } else { indent }));
        said.push_str(part);
        said.push('\n');
    }
    said
}

/// A text in pieces of at most `width` columns, parted between words where that is possible. At least one.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    if text.width() <= width {
        return vec![text.to_owned()];
    }
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let taken = piece.width() + usize::from(!piece.is_empty());
        if taken + word.width() <= width {
            if !piece.is_empty() {
                piece.push(' ');
            }
            piece.push_str(word);
            continue;
        }
        if !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
        for letter in word.chars() {
            if piece.width() + letter.width().unwrap_or_default() > width {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(letter);
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        vec![
            row([
                "7",
                "データベース/応答",
                "HTTP 503 from https://example.com/a/very/long/address/indeed, tried again",
            ]),
            row(["a\u{1b}[2J", "", "fine"]),
        ]
    }

    #[test]
    fn a_pipe_has_whole_rows() {
        let wide = table(&["id", "slo", "answer"], rows(), None);
        assert_eq!(wide.lines().count(), 3);
        assert!(wide.starts_with("ID     SLO                ANSWER\n7      データベース/応答  HTTP 503"), "{wide}");
        assert!(!wide.contains('\u{1b}') && wide.lines().all(|line| !line.ends_with(' ')));
        assert_eq!(table(&["a", "b"], Vec::new(), None), "A  B\n");
    }

    #[test]
    fn what_is_too_long_goes_on_under_itself() {
        let narrow = table(&["id", "slo", "answer"], rows(), Some(50));
        let wanted = [
            "ID     SLO                ANSWER",
            "7      データベース/応答  HTTP 503 from",
            "                          https://example.com/a/ve",
            "                          ry/long/address/indeed,",
            "                          tried again",
            "a\u{fffd}[2J                     fine",
        ];
        assert_eq!(narrow.lines().collect::<Vec<_>>(), wanted);
        assert_eq!(lines("  a b c d", Some(8), 2), "  a b\n    c d\n");
        assert_eq!(lines("  a b c d", None, 2), "  a b c d\n");
    }

    proptest! {
        /// At any width nothing runs over and no letter is lost.
        #[test]
        fn nothing_is_lost(cells in prop::collection::vec("[a-z 日]{0,40}", 1..9), width in 30_u16..120) {
            let rows: Vec<Vec<String>> = cells.chunks(3).map(<[String]>::to_vec).collect();
            let fitted = table(&["one", "two", "three"], rows, Some(width));
            prop_assert!(fitted.lines().all(|line| line.width() <= usize::from(width)), "{}", fitted);
            let letters = |text: &str| {
                let mut letters: Vec<char> = text.chars().filter(|letter| !letter.is_whitespace()).collect();
                letters.sort_unstable();
                letters
            };
            prop_assert_eq!(letters(&fitted), letters(&format!("ONETWOTHREE{}", cells.concat())));
            for cell in &cells {
                let said = lines(&format!("  {cell}"), Some(width), 2);
                prop_assert!(said.lines().all(|line| line.width() <= usize::from(width)));
                prop_assert_eq!(letters(&said), letters(cell));
            }
        }
    }
}
