//! The budget report as Markdown, for a review document. Every text from outside is escaped.

use std::fmt::Write as _;

use super::{
    month::{Verdict, bounds, measured},
    render_words::{
        amount, correction as words, counted, duration, instant, labels, of, percent, percent_or_absent, public_delay,
    },
    report::{BudgetReport, ServiceReport, SloReport},
};
use crate::template::markdown::line as cell;

/// The whole report.
pub fn markdown(report: &BudgetReport) -> String {
    let mut page = format!(
        "# Budget report {}{}\n\nTime zone {} · made {} · configuration `{}`\n",
        cell(&report.month),
        if report.runs() { ", so far" } else { "" },
        cell(&report.timezone),
        instant(report.generated_at),
        report.config_hash.replace('`', "")
    );
    if !report.services.is_empty() {
        let _ = write!(page, "\n{}\n", report.legend());
    }
    for service in &report.services {
        section(&mut page, service, report.runs());
    }
    page
}

fn section(page: &mut String, service: &ServiceReport, runs: bool) {
    let _ = write!(
        page,
        "\n## {} ({})\n\n| SLO | objective | achieved | verdict | left, as measured | with the unmeasured | time used | bad / total | measured |\n\
         |---|---:|---:|---|---:|---|---:|---:|---:|\n",
        cell(&service.title),
        cell(&service.service)
    );
    for slo in &service.slos {
        let verdict = Verdict::of(slo, runs);
        let word = verdict.word(runs);
        let beside = measured(slo, verdict).map(|beside| format!(", {beside}")).unwrap_or_default();
        let word = if verdict == Verdict::Missed { format!("**{word}**") } else { word.to_owned() };
        let _ = writeln!(
            page,
            "| {} ({}) | {} | {} | {word}{beside} | {} | {} | {} of {} | {} / {}{} | {} |",
            cell(&slo.title),
            cell(&slo.id),
            percent(slo.objective),
            percent_or_absent(slo.achieved),
            percent_or_absent(slo.budget.remaining),
            bounds(&slo.budget).unwrap_or_else(|| "the same".to_owned()),
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
        && slo.gaps.count == 0
    {
        return;
    }
    let _ = writeln!(page, "\n### {}\n", cell(&slo.title));
    for part in &slo.series {
        let _ = writeln!(
            page,
            "- Series {}: {} achieved, {} of the month's budget left as measured, {} / {}{}",
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
            "- Incident {}: {} to {}, {} bad, {} of the month's budget{}",
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
            "- Bad without an incident{}: {} to {}, {} bad, {} of the month's budget",
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
    if let Some(sum) = slo.gaps.sum() {
        let _ = writeln!(page, "- Not measured: {sum}");
        for gap in &slo.gaps.longest {
            let _ = writeln!(page, "  - {}", cell(&gap.line()));
        }
        if let Some(rest) = slo.gaps.rest() {
            let _ = writeln!(page, "  - {rest}");
        }
    }
}
