//! The budget report as CSV: RFC 4180, one row an SLO, safe to open in a spreadsheet.
//!
//! UTF-8 without a byte order mark: the mark would become a part of the first heading for every program that reads RFC 4180.
//! Who opens it in Excel says UTF-8 in its import; all column headings and figures are ASCII either way.

use super::{
    month::Verdict,
    render_words::steers,
    report::{BudgetReport, ServiceReport, SloReport},
};

const COLUMNS: [&str; 30] = [
    "month",
    "timezone",
    "service",
    "service_title",
    "id",
    "title",
    "objective",
    "achieved",
    "good",
    "bad",
    "total",
    "met",
    "coverage",
    "budget_consumed",
    "budget_remaining",
    "budget_allowed_bad",
    "budget_allowed_seconds",
    "budget_used_seconds",
    "incidents",
    "corrections",
    "objective_changes",
    "budgeting",
    "status_page_late_seconds",
    "month_is_over",
    "min_coverage",
    "verdict",
    "budget_remaining_if_good",
    "budget_remaining_if_bad",
    "gaps",
    "gap_seconds",
];

/// The whole report. Lines end in CR LF; absent figures are empty cells.
pub fn csv(report: &BudgetReport) -> String {
    let mut lines = COLUMNS.join(",");
    lines.push_str("\r\n");
    for service in &report.services {
        for slo in &service.slos {
            lines.push_str(&row(report, service, slo).join(","));
            lines.push_str("\r\n");
        }
    }
    lines
}

fn row(report: &BudgetReport, service: &ServiceReport, slo: &SloReport) -> [String; 30] {
    // The worst of the incidents.
    let late = slo.incidents.iter().filter_map(|incident| incident.status_page.as_ref()?.late_seconds);
    let incidents: Vec<&str> = slo.incidents.iter().map(|incident| incident.id.as_str()).collect();
    [
        text(&report.month),
        text(&report.timezone),
        text(&service.service),
        text(&service.title),
        text(&slo.id),
        text(&slo.title),
        number(Some(slo.objective)),
        number(slo.achieved),
        number(Some(slo.good)),
        number(Some(slo.bad)),
        number(Some(slo.total)),
        slo.met.map(|met| met.to_string()).unwrap_or_default(),
        number(Some(slo.coverage)),
        number(slo.budget.consumed),
        number(slo.budget.remaining),
        number(Some(slo.budget.allowed_bad)),
        number(Some(slo.budget.allowed_seconds)),
        number(Some(slo.budget.used_seconds)),
        text(&incidents.join(" ")),
        slo.corrections.len().to_string(),
        slo.objective_changes.len().to_string(),
        text(&slo.budgeting),
        late.max().map(|seconds| seconds.to_string()).unwrap_or_default(),
        (!report.runs()).to_string(),
        number(Some(slo.min_coverage)),
        text(verdict(slo, report.runs())),
        number(slo.budget.remaining_if_good),
        number(slo.budget.remaining_if_bad),
        slo.gaps.count.to_string(),
        slo.gaps.seconds.to_string(),
    ]
}

/// The verdict in ASCII: `met`, `missed so far`, `cannot tell`.
fn verdict(slo: &SloReport, runs: bool) -> &'static str {
    let word = Verdict::of(slo, runs).word(runs);
    word.split_once(' ').map_or(word, |(_, word)| word)
}

/// A number stays a number, a negative one too.
fn number(number: Option<f64>) -> String {
    number.filter(|number| number.is_finite()).map(|number| number.to_string()).unwrap_or_default()
}

/// What a spreadsheet begins a formula with, also in the wide letters that some take for the same.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn text(text: &str) -> String {
    let unseen = |letter: char| letter.is_whitespace() || letter.is_control() || is_unseen(letter);
    let begins = text.trim_start_matches(unseen).starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']);
    let guard = if begins { "'" } else { "" };
    // Nothing that steers a terminal, for whoever prints it on one.
    let text: String = text.chars().map(|letter| if is_steering(letter) { '\u{fffd}' } else { letter }).collect();
    // Where a comma is part of numbers, spreadsheets part cells at semicolons.
    if guard.is_empty() && !text.contains([',', ';', '\t', '"', '\r', '\n']) {
        return text;
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn is_steering(letter: char) -> bool {
    !matches!(letter, '\t' | '\r' | '\n') && steers(letter)
}

/// Marks without a width that a spreadsheet may skip.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

#[cfg(test)]
mod tests {
    use super::{BudgetReport, COLUMNS, csv, text};
    use crate::views::{
        gaps::GapsView,
        report::{BudgetUse, ServiceReport, SloReport},
    };

    /// Cells as RFC 4180 has them; panics where it has none.
    fn parse(sheet: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
        let mut letters = sheet.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if cell.is_empty() => loop {
                    match letters.next().expect("a quote that ends") {
                        '"' if letters.peek() == Some(&'"') => cell.extend(letters.next()),
                        '"' => {
                            assert!(matches!(letters.peek(), Some(',' | '\r')), "a quoted cell is whole");
                            break;
                        }
                        letter => cell.push(letter),
                    }
                },
                ',' => row.push(std::mem::take(&mut cell)),
                '\r' => {
                    assert_eq!(letters.next(), Some('\n'), "lines end in CR LF");
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                '"' | '\n' => panic!("{letter:?} in a cell without quotes"),
                letter => cell.push(letter),
            }
        }
        assert!(row.is_empty() && cell.is_empty(), "the last line ends, too");
        rows
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_one_cell_that_is_no_formula(title in proptest::prelude::any::<String>(), remaining in proptest::prelude::any::<f64>()) {
            let budget = BudgetUse { consumed: None, remaining: Some(remaining), allowed_bad: 0.0, allowed_seconds: 0.0, used_seconds: 0.0, remaining_if_good: None, remaining_if_bad: None };
            let slo = SloReport {
                id: "a/b".into(), title: title.clone(), budgeting: "occurrences".into(), objective: 0.9, achieved: None, good: 0.0,
                bad: 0.0, total: 0.0, in_seconds: false, met: None, coverage: 0.0, min_coverage: 0.9, budget, series: Vec::new(), incidents: Vec::new(),
                breaches: Vec::new(), corrections: Vec::new(), objective_changes: Vec::new(), gaps: GapsView::default(),
            };
            let services = vec![ServiceReport { service: "a".into(), title: title.clone(), slos: vec![slo] }];
            let (month, timezone, config_hash) = ("2026-10".into(), "UTC".into(), String::new());
            let sheet = csv(&BudgetReport { month, timezone, generated_at: chrono::DateTime::UNIX_EPOCH, ends_at: chrono::DateTime::UNIX_EPOCH, config_hash, services });
            let rows = parse(&sheet);
            let marked = sheet.starts_with('\u{feff}');
            proptest::prop_assert!(!marked);
            proptest::prop_assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [COLUMNS.len(); 2]);
            for column in [3, 5] {
                let cell = &rows[1][column];
                proptest::prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
                proptest::prop_assert!(cell.chars().all(|letter| !letter.is_control() || "\t\r\n".contains(letter)));
            }
            // A figure stays one.
            let left = &rows[1][14];
            let kept = if remaining.is_finite() { left.parse::<f64>() == Ok(remaining) } else { left.is_empty() };
            proptest::prop_assert!(kept, "{}", left);
        }
    }

    #[test]
    fn cells_cannot_be_formulas() {
        let cases = [
            ("plain", "plain"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" =1", "\"' =1\""),
            ("\u{feff}=1", "\"'\u{feff}=1\""),
            ("\u{200b}\u{a0}@x", "\"'\u{200b}\u{a0}@x\""),
            ("＝1+1", "\"'＝1+1\""),
            ("a;=1+1", "\"a;=1+1\""),
            ("a\t=1", "\"a\t=1\""),
            ("a\u{1b}[2Jb\u{202e}c", "a\u{fffd}[2Jb\u{fffd}c"),
            ("\t=1", "\"'\t=1\""),
            ("two\r\nlines", "\"two\r\nlines\""),
        ];
        for (given, cell) in cases {
            assert_eq!(text(given), cell);
        }
    }
}
