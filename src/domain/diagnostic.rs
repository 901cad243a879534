//! What was looked at the moment an incident opened, as it is stored and shown.
//!
//! Everything here may come from outside: [`Diagnosis`] bounds and cleans it once, so that no sink has to. Escaping stays
//! each sink's own business.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    message::{cut, on_one_line, span_words},
    name::Name,
};

/// Most diagnostics of one service.
pub const DIAGNOSTICS_MAX: usize = 50;
/// Looks at one incident: when it opens, and each time that it reopens or rises.
pub const LOOKS_MAX: u32 = 5;
/// Most columns of a table that are kept.
pub const COLUMNS_MAX: usize = 8;
/// Most rows of a table that are kept.
pub const ROWS_MAX: usize = 10;
/// Most characters of a cell that are kept.
pub const CELL_MAX: usize = 80;
/// Most characters of a summary.
const SUMMARY_MAX: usize = 200;
/// Most lines of a text, and characters of one.
const LINES_MAX: usize = 60;
const LINE_MAX: usize = 200;
/// Most characters of all of a text.
const TEXT_MAX: usize = 4_000;
/// What the line of a message may hold: of each diagnostic, and of all.
const PART_MAX: usize = 90;
const PARTS_MAX: usize = 450;
/// From this age on the line of a message says when it was looked.
const AGED: TimeDelta = TimeDelta::minutes(1);

/// A small table. A cell is `None` where the source had no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more rows or columns than are kept.
    pub more: bool,
}

impl Table {
    /// Bounds and cleans what a source answered.
    pub fn new(columns: Vec<String>, rows: Vec<Vec<Option<String>>>, more: bool) -> Self {
        let cell = |text: String| cut(on_one_line(&text).trim(), CELL_MAX);
        let more = more || rows.len() > ROWS_MAX || columns.len() > COLUMNS_MAX;
        let columns: Vec<String> = columns.into_iter().take(COLUMNS_MAX).map(cell).collect();
        let row = |row: Vec<Option<String>>| {
            let mut cells: Vec<_> = row.into_iter().map(|text| text.map(cell)).collect();
            cells.resize(columns.len(), None);
            cells
        };
        let kept = if columns.is_empty() { 0 } else { ROWS_MAX };
        let rows = rows.into_iter().take(kept).map(row).collect();
        Self { columns, rows, more }
    }

    /// `5` or, of a table that was cut, `10+`.
    pub fn count(&self) -> String {
        format!("{}{}", self.rows.len(), if self.more && self.rows.len() == ROWS_MAX { "+" } else { "" })
    }

    /// The table in few words, and whether it says that all is well: a single column called `ok` is a verdict.
    pub fn summary(&self, now: DateTime<Utc>) -> (bool, String) {
        let Some(first) = self.rows.first() else { return (true, "no rows".to_owned()) };
        let value = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "no value".to_owned());
        match (first.as_slice(), self.rows.len()) {
            ([only], 1) if self.columns[0].eq_ignore_ascii_case("ok") => {
                let ok = matches!(only.as_deref(), Some("1" | "t" | "true" | "yes" | "ok"));
                (ok, if ok { "ok".to_owned() } else { format!("not ok ({})", value(only)) })
            }
            ([only], 1) => (true, value(only)),
            _ => {
                let rows = if self.rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", self.count()) };
                let cells = self.columns.iter().zip(first).filter_map(|(name, cell)| Some((name, cell.as_deref()?)));
                let told = cells.clone().find_map(|(name, cell)| Some(format!("{name} {}", age(cell, now)?)));
                let told = told.or_else(|| cells.clone().next().map(|(name, cell)| format!("{name} {cell}")));
                (true, told.map_or(rows.clone(), |told| format!("{rows}, first {told}")))
            }
        }
    }
}

/// How long ago a cell's moment was, if it is one: `41 min ago`.
fn age(cell: &str, now: DateTime<Utc>) -> Option<String> {
    // 2026-10-25T12:00:00+00:00, or with a space as it is printed
    if cell.len() < 19 || !cell.is_ascii() || !cell.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let text = cell.replacen(' ', "T", 1);
    let text = if text.ends_with("+00") { format!("{text}:00") } else { text };
    let at: DateTime<Utc> = text.parse().ok()?;
    Some(if at <= now { format!("{} ago", span_words(now - at)) } else { format!("in {}", span_words(at - now)) })
}

/// What came of one diagnostic, bounded and clean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Its name.
    pub name: Name,
    /// `public_status`, `sql`, `explain`, `promql`, `http`.
    pub kind: String,
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// How long the answer took.
    pub took_seconds: f64,
    /// It could be asked, and nothing wrong was found.
    pub ok: bool,
    /// In few words; `could not be asked: …` where it failed.
    pub summary: String,
    /// Lines as the source wrote them, such as a plan.
    #[serde(default)]
    pub text: Option<String>,
    /// Rows.
    #[serde(default)]
    pub table: Option<Table>,
    /// Which look at the incident it belongs to, from 1.
    #[serde(default)]
    pub look: u32,
    /// Looked at well after the incident opened: slod was away.
    #[serde(default)]
    pub late: bool,
}

/// What a source answered, before it is bounded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Nothing wrong was found.
    pub ok: bool,
    /// In few words.
    pub summary: String,
    /// Lines as the source wrote them.
    pub text: Option<String>,
    /// Rows.
    pub table: Option<Table>,
}

impl Found {
    /// A table speaks for itself.
    pub fn table(table: Table, now: DateTime<Utc>) -> Self {
        let (ok, summary) = table.summary(now);
        Self { ok, summary, text: None, table: Some(table) }
    }

    /// Something that is said in one line.
    pub fn said(ok: bool, summary: impl Into<String>) -> Self {
        Self { ok, summary: summary.into(), text: None, table: None }
    }
}

impl Diagnosis {
    /// From what was found, or why it could not be asked.
    pub fn new(name: Name, kind: &str, at: DateTime<Utc>, took_seconds: f64, found: Result<Found, String>) -> Self {
        let found = found.unwrap_or_else(|why| Found::said(false, format!("could not be asked: {why}")));
        let took_seconds = if took_seconds.is_finite() { (took_seconds * 1_000.0).round() / 1_000.0 } else { 0.0 };
        Self {
            name,
            kind: kind.to_owned(),
            at,
            took_seconds,
            ok: found.ok,
            summary: cut(on_one_line(&found.summary).trim(), SUMMARY_MAX),
            text: found.text.as_deref().map(paragraph),
            table: found.table,
            look: 0,
            late: false,
        }
    }
}

/// Lines, each clean and bounded, and so their number.
fn paragraph(text: &str) -> String {
    let lines: Vec<String> =
        text.lines().take(LINES_MAX + 1).map(|line| cut(on_one_line(line).trim_end(), LINE_MAX)).collect();
    let shown = lines.iter().take(LINES_MAX).cloned().collect::<Vec<_>>().join("\n");
    let text = cut(&shown, TEXT_MAX);
    if lines.len() > LINES_MAX && !text.ends_with('…') { format!("{text}\n…") } else { text }
}

/// The first look, for a message: `First look: postgres-health ok · oldest queued action 41 min`. What does not fit is
/// counted; what is wrong stands first then.
pub fn line(looked_at: DateTime<Utc>, parts: &str, now: DateTime<Utc>) -> String {
    if now - looked_at < AGED {
        return format!("First look: {parts}");
    }
    format!("First look ({}): {parts}", looked_at.format("%H:%M UTC"))
}

/// The results in one line: `postgres-health ok · open-connections 17`.
pub fn parts(found: &[Diagnosis]) -> String {
    let part = |one: &Diagnosis| cut(&format!("{} {}", one.name, one.summary), PART_MAX);
    let whole: usize = found.iter().map(|one| part(one).chars().count() + 3).sum();
    let mut order: Vec<&Diagnosis> = found.iter().collect();
    if whole > PARTS_MAX {
        order.sort_by_key(|one| one.ok);
    }
    let (mut text, mut shown) = (String::new(), 0);
    for one in order {
        let next = part(one);
        if text.chars().count() + next.chars().count() + 3 > PARTS_MAX {
            break;
        }
        if shown > 0 {
            text.push_str(" · ");
        }
        text.push_str(&next);
        shown += 1;
    }
    if shown < found.len() {
        text = format!("{text} · and {} more", found.len() - shown);
    }
    text
}

/// A number as people read it: whole ones without a point, others with at most three digits behind it.
pub fn number_words(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "not a number".to_owned() } else { format!("{value}").replace('-', "−") };
    }
    if value.abs() >= 1e15 || (value != 0.0 && value.abs() < 1e-3) {
        return format!("{value:e}").replace('-', "−");
    }
    let text = format!("{value:.3}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-10-25T12:00:00Z".parse().unwrap_or_default()
    }

    fn table(columns: &str, rows: &[&str]) -> Table {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let row = |text: &&str| words(text).into_iter().map(|cell| (cell != "null").then_some(cell)).collect();
        Table::new(words(columns), rows.iter().map(row).collect(), false)
    }

    #[test]
    fn tables_in_few_words() {
        for (columns, rows, ok, words) in [
            ("ok", vec!["1"], true, "ok"),
            ("OK", vec!["true"], true, "ok"),
            ("ok", vec!["0"], false, "not ok (0)"),
            ("ok", vec!["null"], false, "not ok (no value)"),
            ("connections", vec!["17"], true, "17"),
            ("connections", vec!["null"], true, "no value"),
            ("id|queued_at", vec![], true, "no rows"),
            ("id|queued_at", vec!["7|2026-10-25T11:19:00+00:00"], true, "1 row, first queued_at 41 min ago"),
            ("id|at", vec!["7|2026-10-25 11:19:00+00", "8|x"], true, "2 rows, first at 41 min ago"),
            ("id|name", vec!["7|a", "8|b"], true, "2 rows, first id 7"),
            ("id|due", vec!["null|2026-10-25T12:05:00Z", "8|b"], true, "2 rows, first due in 5 min"),
        ] {
            assert_eq!(table(columns, &rows).summary(now()), (ok, words.to_owned()), "{columns} {rows:?}");
        }
    }

    #[test]
    fn everything_is_bounded_and_clean() {
        let nasty = "<script>\u{1b}[31m\r\n\u{202e}x".repeat(1_000);
        let names: Vec<String> = (0..100).map(|n| format!("{n}{nasty}")).collect();
        let rows: Vec<Vec<Option<String>>> = (0..1_000).map(|_| names.iter().cloned().map(Some).collect()).collect();
        let table = Table::new(names, rows, false);
        assert!(table.more && table.columns.len() == COLUMNS_MAX && table.rows.len() == ROWS_MAX);
        let found = Found { ok: true, summary: nasty.clone(), text: Some(nasty.clone()), table: Some(table) };
        let one = Diagnosis::new("a".into(), "sql", now(), f64::NAN, Ok(found));
        let document = serde_json::to_string(&one).unwrap_or_default();
        assert!(document.chars().count() < 65_536, "{}", document.len());
        assert!(!document.contains("\\u00") && !document.contains('\u{202e}') && !document.contains("\\r"));
        assert!(one.text.unwrap_or_default().chars().count() <= TEXT_MAX + 2);
        let failed = Diagnosis::new("a".into(), "sql", now(), 0.1, Err(nasty));
        assert!(!failed.ok && failed.summary.starts_with("could not be asked: <script>"));
        assert!(failed.summary.chars().count() <= SUMMARY_MAX);
    }

    #[test]
    fn rows_are_as_wide_as_their_columns() {
        let ragged =
            Table::new(vec!["a".into(), "b".into()], vec![vec![Some("1".into())], vec![None, None, None]], false);
        assert!(ragged.rows.iter().all(|row| row.len() == 2) && !ragged.more);
    }

    #[test]
    fn the_line_of_a_message_counts_what_does_not_fit() {
        let one = |name: &str, ok: bool| {
            let found = Found::said(ok, if ok { "ok" } else { "connection refused by the host on the other side" });
            Diagnosis::new(name.into(), "sql", now(), 0.1, Ok(found))
        };
        assert_eq!(
            parts(&[one("a", true), one("b", false)]),
            "a ok · b connection refused by the host on the other side"
        );
        let many: Vec<_> = (0..50).map(|n| one(&format!("some-longer-name-{n}"), n != 49)).collect();
        let text = parts(&many);
        assert!(text.starts_with("some-longer-name-49 connection") && text.contains(" more"), "{text}");
        assert!(text.chars().count() < PARTS_MAX + 20);
        assert_eq!(line(now(), "a ok", now()), "First look: a ok");
        assert_eq!(line(now(), "a ok", now() + TimeDelta::minutes(30)), "First look (12:00 UTC): a ok");
    }

    #[test]
    fn numbers_in_words() {
        for (value, words) in [
            (17.0, "17"),
            (61.25, "61.25"),
            (-0.5, "−0.5"),
            (0.333_33, "0.333"),
            (0.0, "0"),
            (f64::NAN, "not a number"),
            (f64::NEG_INFINITY, "−inf"),
            (1e18, "1e18"),
            (0.000_01, "1e−5"),
        ] {
            assert_eq!(number_words(value), words);
        }
    }
}
