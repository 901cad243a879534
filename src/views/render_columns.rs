//! Tables that fit: a terminal has so many columns and no more, and a letter takes none, one or two of them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::render_words::plain;

/// Room between two columns.
const GAP: usize = 2;

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// What stands on top.
    pub heading: &'static str,
    /// Figures stand to the right.
    pub right: bool,
    /// Those of the highest rank go first where there is no room; those of rank 0 stay.
    pub rank: u8,
    /// It is cut down to this many letters before another column goes. 0: it is never cut.
    pub least: usize,
}

impl Column {
    /// A column that is never cut.
    pub const fn whole(heading: &'static str, rank: u8) -> Self {
        Self { heading, right: false, rank, least: 0 }
    }

    /// One of figures.
    pub const fn figure(heading: &'static str, rank: u8) -> Self {
        Self { heading, right: true, rank, least: 0 }
    }

    /// One of texts, which may be cut.
    pub const fn text(heading: &'static str, rank: u8, least: usize) -> Self {
        Self { heading, right: false, rank, least }
    }
}

/// The table in lines of at most `width` columns of a terminal, as far as the columns of rank 0 can be cut.
pub fn columns(columns: &[Column], rows: &[Vec<String>], width: usize) -> String {
    let cell = |row: &[String], place: usize| row.get(place).map(|text| plain(text)).unwrap_or_default();
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| {
            let cells = rows.iter().map(|row| cell(row, place).width());
            cells.max().unwrap_or_default().max(column.heading.width())
        })
        .collect();
    let kept = fitting(columns, &natural, width);
    let widths = cut_widths(columns, &natural, &kept, width);
    let headings: Vec<String> = columns.iter().map(|column| column.heading.to_uppercase()).collect();
    let mut text = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        for (place, wide) in kept.iter().zip(&widths) {
            if !line.is_empty() {
                line.push_str(&" ".repeat(GAP));
            }
            let cut = cut_to(&cell(row, *place), *wide);
            let room = " ".repeat(wide.saturating_sub(cut.width()));
            let (before, after) = if columns[*place].right { (room, String::new()) } else { (String::new(), room) };
            line.push_str(&(before + &cut + &after));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The places of the columns for which there is room.
fn fitting(columns: &[Column], natural: &[usize], width: usize) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let least = |place: usize| match columns[place].least {
        0 => natural[place],
        least => natural[place].min(least),
    };
    loop {
        let needed: usize = kept.iter().map(|place| least(*place) + GAP).sum();
        if needed <= width + GAP {
            return kept;
        }
        let Some(last) = kept
            .iter()
            .copied()
            .filter(|place| columns[*place].rank > 0)
            .max_by_key(|place| (columns[*place].rank, *place))
        else {
            return kept;
        };
        kept.retain(|place| *place != last);
    }
}

/// The widths of the kept columns: what is too much is taken from those that may be cut, from the widest first.
fn cut_widths(columns: &[Column], natural: &[usize], kept: &[usize], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = kept.iter().map(|place| natural[*place]).collect();
    let all = |widths: &[usize]| widths.iter().map(|wide| wide + GAP).sum::<usize>().saturating_sub(GAP);
    while all(&widths) > width {
        let may = |at: &usize| columns[kept[*at]].least > 0 && widths[*at] > columns[kept[*at]].least;
        let Some(widest) = (0..kept.len()).filter(may).max_by_key(|at| widths[*at]) else { break };
        widths[widest] -= 1;
    }
    widths
}

/// The text in at most `width` columns of a terminal; one that is cut ends in `…`.
pub fn cut_to(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut room = width.saturating_sub(1);
    for letter in text.chars() {
        let wide = letter.width().unwrap_or_default();
        if wide > room {
            break;
        }
        room -= wide;
        cut.push(letter);
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// For a terminal that shows ASCII alone: each letter becomes as many as it is wide.
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if letter.is_ascii() => plain.push(letter),
            '●' => plain.push('*'),
            '▲' => plain.push('!'),
            '■' | '█' => plain.push('#'),
            '◐' | '…' => plain.push('~'),
            '○' => plain.push('o'),
            '—' | '−' | '–' => plain.push('-'),
            '·' | '░' => plain.push('.'),
            '×' => plain.push('x'),
            '✓' => plain.push('+'),
            '▁' => plain.push('_'),
            '▂' => plain.push('.'),
            '▃' => plain.push(':'),
            '▄' => plain.push('-'),
            '▅' => plain.push('='),
            '▆' => plain.push('+'),
            '▇' => plain.push('*'),
            '\u{a0}' | '\u{202f}' => plain.push(' '),
            other => plain.push_str(&"?".repeat(other.width().unwrap_or_default())),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_never_run_over_and_columns_line_up() {
        let all = [
            Column::text("name", 0, 6),
            Column::figure("left", 0),
            Column::whole("state", 2),
            Column::text("why", 1, 5),
        ];
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [
            row(["warehouse/checkout", "46.2 %", "▲ burning", "slow"]),
            row(["データベース/応答", "−13 %", "■ exhausted", "a rather long reason"]),
            row(["a\u{301}\u{1b}[2J", "—", "● ok", ""]),
        ];
        for width in 14..90 {
            let table = columns(&all, &rows, width);
            assert!(table.lines().all(|line| line.width() <= width), "{width}:\n{table}");
            assert!(!table.contains('\u{1b}') && table.lines().count() == 4);
            assert_eq!(table.contains("STATE"), table.contains("exhausted"), "{width}: a column goes whole");
        }
        let narrow = columns(&all, &rows, 20);
        assert!(narrow.contains("LEFT") && !narrow.contains("STATE") && !narrow.contains("WHY"), "{narrow}");
        let wide = columns(&all, &rows, 80);
        let ends: Vec<usize> =
            wide.lines().map(|line| line.find(['%', '—']).map_or(0, |at| line[..at].width())).collect();
        assert_eq!(ends[1], ends[2], "figures end together:\n{wide}");
    }

    #[test]
    fn what_is_cut_says_so() {
        for (text, width, cut) in
            [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 4, "日…"), ("日本語", 5, "日本…"), ("ab", 0, "")]
        {
            assert_eq!(cut_to(text, width), cut);
        }
    }

    #[test]
    fn ascii_is_as_wide() {
        for text in ["● ok", "▁▂▃▄▅▆▇█", "日本 — −13 %", "a…·×"] {
            assert_eq!(ascii(text).width(), text.width(), "{text}");
            assert!(ascii(text).is_ascii());
        }
    }
}
