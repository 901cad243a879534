//! The budget report as Markdown, for a review document. Every text from outside is escaped.

use std::fmt::Write as _;

use super::{
    render_words::{
        amount, correction as words, counted, duration, instant, labels, of, percent, percent_or_absent, public_delay,
    },
    report::{BudgetReport, ServiceReport, SloReport},
};
use crate::template::markdown::line as cell;

/// The whole report.
pub fn markdown(report: &BudgetReport) -> String {
    let mut page = format!(
        "# Budget report {}\n\nTime zone {} · made {} · configuration `{}`\n",
        cell(&report.month),
        cell(&report.timezone),
        instant(report.generated_at),
        report.config_hash.replace('`', "")
    );
    for service in &report.services {
        section(&mut page, service);
    }
    page
}

fn section(page: &mut String, service: &ServiceReport) {
    let _ = write!(
        page,
        "\n## {} ({})\n\n| SLO | objective | achieved | met | budget left | used | bad / total | coverage |\n\
         |---|---:|---:|---|---:|---:|---:|---:|\n",
        cell(&service.title),
        cell(&service.service)
    );
    for slo in &service.slos {
        let met = match slo.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "no events",
        };
        let _ = writeln!(
            page,
            "| {} ({}) | {} | {} | {met} | {} | {} of {} | {} / {}{} | {} |",
            cell(&slo.title),
            cell(&slo.id),
            percent(slo.objective),
            percent_or_absent(slo.achieved),
            percent_or_absent(slo.budget.remaining),
            duration(slo.budget.used_seconds),
            duration(slo.budget.allowed_seconds),
            amount(slo.bad, slo.in_seconds),
            amount(slo.total, slo.in_seconds),
            counted(&slo.budgeting),
            percent(slo.coverage),
        );
    }
    for slo in &service.slos {
        events(page, slo);
    }
}

fn events(page: &mut String, slo: &SloReport) {
    if slo.incidents.is_empty()
        && slo.series.is_empty()
        && slo.breaches.is_empty()
        && slo.corrections.is_empty()
        && slo.objective_changes.is_empty()
    {
        return;
    }
    let _ = writeln!(page, "\n### {}\n", cell(&slo.title));
    for part in &slo.series {
        let _ = writeln!(
            page,
            "- Series {}: {} achieved, {} of the budget left, {} / {}{}",
            cell(&labels(&part.series)),
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
            "- Incident {}: {} to {}, {} bad, {} of the budget{}",
            cell(&incident.id),
            instant(incident.opened_at),
            end,
            amount(incident.bad, slo.in_seconds),
            percent_or_absent(incident.budget_share),
            public_delay(incident),
        );
    }
    for breach in &slo.breaches {
        let _ = writeln!(
            page,
            "- Bad without an incident{}: {} to {}, {} bad, {} of the budget",
            cell(&of(&breach.series)),
            instant(breach.from),
            instant(breach.to),
            amount(breach.bad, slo.in_seconds),
            percent(breach.budget_share),
        );
    }
    for correction in &slo.corrections {
        let _ = writeln!(page, "- Correction: {}", cell(&words(correction)));
    }
    for change in &slo.objective_changes {
        let _ = writeln!(page, "- Objective changed: {}", cell(&change.to_string()));
    }
}
