//! The budget report for a terminal.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use super::{
    render_words::{
        amount, correction as words, counted, duration, glyph, instant, labels, of, percent, percent_or_absent, plain,
        public_delay,
    },
    report::{BudgetReport, SloReport},
};

/// An aligned table without frames. `width` bounds its lines: `None` when nobody looks (a pipe).
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings.iter().map(|heading| heading.to_uppercase()));
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| plain(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The whole report.
pub fn text(report: &BudgetReport, width: Option<u16>) -> String {
    let mut page = format!(
        "Budget report {} ({}), made {}, configuration {}\n",
        plain(&report.month),
        plain(&report.timezone),
        instant(report.generated_at),
        report.config_hash.chars().take(12).collect::<String>()
    );
    for service in &report.services {
        let _ = write!(page, "\n{} ({})\n", plain(&service.title), plain(&service.service));
        let headings = ["slo", "objective", "achieved", "met", "budget left", "used", "allowed", "bad", "coverage"];
        page.push_str(&table(&headings, service.slos.iter().map(row), width));
        for slo in &service.slos {
            events(&mut page, slo);
        }
    }
    page
}

fn row(slo: &SloReport) -> Vec<String> {
    let met = match slo.met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "no events",
    };
    vec![
        slo.id.clone(),
        percent(slo.objective),
        percent_or_absent(slo.achieved),
        format!("{} {met}", glyph(met)),
        percent_or_absent(slo.budget.remaining),
        duration(slo.budget.used_seconds),
        duration(slo.budget.allowed_seconds),
        format!(
            "{} of {}{}",
            amount(slo.bad, slo.in_seconds),
            amount(slo.total, slo.in_seconds),
            counted(&slo.budgeting)
        ),
        percent(slo.coverage),
    ]
}

fn events(page: &mut String, slo: &SloReport) {
    for part in &slo.series {
        let _ = writeln!(
            page,
            "  {} {}: {} achieved, {} of the budget left, {} of {}{} bad",
            plain(&slo.id),
            plain(&labels(&part.series)),
            percent_or_absent(part.achieved),
            percent_or_absent(part.remaining),
            amount(part.bad, slo.in_seconds),
            amount(part.total, slo.in_seconds),
            counted(&slo.budgeting),
        );
    }
    for incident in &slo.incidents {
        let end = incident.resolved_at.map_or_else(|| "still open".to_owned(), instant);
        let _ = writeln!(
            page,
            "  {} incident {}: {} to {}, {} bad, {} of the budget{}",
            plain(&slo.id),
            plain(&incident.id),
            instant(incident.opened_at),
            end,
            amount(incident.bad, slo.in_seconds),
            percent_or_absent(incident.budget_share),
            public_delay(incident)
        );
    }
    for breach in &slo.breaches {
        let _ = writeln!(
            page,
            "  {}{} bad without an incident: {} to {}, {} bad, {} of the budget",
            plain(&slo.id),
            plain(&of(&breach.series)),
            instant(breach.from),
            instant(breach.to),
            amount(breach.bad, slo.in_seconds),
            percent(breach.budget_share)
        );
    }
    for correction in &slo.corrections {
        let _ = writeln!(page, "  {} correction: {}", plain(&slo.id), plain(&words(correction)));
    }
    for change in &slo.objective_changes {
        let _ = writeln!(page, "  {} objective changed: {}", plain(&slo.id), plain(&change.to_string()));
    }
}
