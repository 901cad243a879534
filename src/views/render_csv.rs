//! The budget report as CSV: RFC 4180, one row an SLO, safe to open in a spreadsheet.

use super::report::{BudgetReport, ServiceReport, SloReport};

const COLUMNS: [&str; 23] = [
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

fn row(report: &BudgetReport, service: &ServiceReport, slo: &SloReport) -> [String; 23] {
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
    ]
}

/// A number stays a number, a negative one too.
fn number(number: Option<f64>) -> String {
    number.filter(|number| number.is_finite()).map(|number| number.to_string()).unwrap_or_default()
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn text(text: &str) -> String {
    let guard = if text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r', '\n']) {
        "'"
    } else {
        ""
    };
    // Nothing that steers a terminal, for whoever prints it on one.
    let text: String = text.chars().map(|letter| if is_steering(letter) { '\u{fffd}' } else { letter }).collect();
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text;
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn is_steering(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::text;

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
            ("\t=1", "\"'\t=1\""),
            ("two\r\nlines", "\"two\r\nlines\""),
        ];
        for (given, cell) in cases {
            assert_eq!(text(given), cell);
        }
    }
}
