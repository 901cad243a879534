//! The budget report for a terminal: fitted to its width like `slod status`, and whole in a pipe.

use super::{
    month::{Verdict, bounds, measured},
    render_columns::{Column, columns},
    render_table::lines,
    render_words::{
        amount, correction as words, counted, duration, instant, labels, of, percent, percent_or_absent, plain,
        public_delay,
    },
    report::{BudgetReport, ServiceReport, SloReport},
};

/// The whole report. `width` bounds its lines: `None` when nobody looks (a pipe).
pub fn text(report: &BudgetReport, width: Option<u16>) -> String {
    let runs = report.runs();
    let so_far = if runs { ", so far" } else { "" };
    let hash: String = report.config_hash.chars().take(12).collect();
    let head = format!(
        "Budget report {} ({}){so_far}, made {}, configuration {}",
        plain(&report.month),
        plain(&report.timezone),
        instant(report.generated_at),
        plain(&hash)
    );
    let mut page = lines(&head, width, 2);
    for service in &report.services {
        page.push('\n');
        page.push_str(&lines(&format!("{} ({})", plain(&service.title), plain(&service.service)), width, 2));
        page.push_str(&table(service, runs, width));
        for line in service.slos.iter().flat_map(|slo| told(slo, runs)) {
            page.push_str(&lines(&line, width, 4));
        }
    }
    if !report.services.is_empty() {
        page.push('\n');
        page.push_str(&lines(&report.legend(), width, 0));
    }
    page
}

fn table(service: &ServiceReport, runs: bool, width: Option<u16>) -> String {
    // Whoever looks has just read whose they are.
    let own = format!("{}/", service.service);
    let name = |slo: &SloReport| match slo.id.strip_prefix(&own) {
        Some(name) if width.is_some() => name.to_owned(),
        _ => slo.id.clone(),
    };
    let all = [
        Column::text("slo", 0, 16),
        Column::whole("verdict", 0),
        Column::figure("coverage", 0),
        Column::figure("left, measured", 0),
        Column::figure("if good", 1),
        Column::figure("if bad", 2),
        Column::figure("time used", 3),
        Column::figure("of", 3),
        Column::figure("achieved", 4),
        Column::figure("promised", 5),
        Column::figure("bad", 6),
    ];
    let row = |slo: &SloReport| {
        let bad = format!(
            "{} of {}{}",
            amount(slo.bad, slo.in_seconds),
            amount(slo.total, slo.in_seconds),
            counted(&slo.budgeting)
        );
        vec![
            name(slo),
            Verdict::of(slo, runs).word(runs).to_owned(),
            percent(slo.coverage),
            percent_or_absent(slo.budget.remaining),
            percent_or_absent(slo.budget.remaining_if_good),
            percent_or_absent(slo.budget.remaining_if_bad),
            duration(slo.budget.used_seconds),
            duration(slo.budget.allowed_seconds),
            percent_or_absent(slo.achieved),
            percent(slo.objective),
            bad,
        ]
    };
    let rows: Vec<Vec<String>> = service.slos.iter().map(row).collect();
    columns(&all, &rows, width.map_or(usize::MAX / 2, usize::from))
}

/// What there is to say of an SLO beside its row, line by line.
fn told(slo: &SloReport, runs: bool) -> Vec<String> {
    let id = plain(&slo.id);
    let mut said = Vec::new();
    let verdict = Verdict::of(slo, runs);
    if verdict == Verdict::Open {
        let beside = measured(slo, verdict).unwrap_or_default();
        let bounds = bounds(&slo.budget).map(|bounds| format!("; budget left: {bounds}")).unwrap_or_default();
        said.push(format!("  {id} cannot tell: {beside}{bounds}"));
    }
    for part in &slo.series {
        said.push(format!(
            "  {id} {}: {} achieved, {} of the month's budget left as measured, {} of {}{} bad",
            plain(&labels(&part.series)),
            percent_or_absent(part.achieved),
            percent_or_absent(part.remaining),
            amount(part.bad, slo.in_seconds),
            amount(part.total, slo.in_seconds),
            counted(&slo.budgeting),
        ));
    }
    for incident in &slo.incidents {
        let end = incident.resolved_at.map_or_else(|| "still open".to_owned(), instant);
        said.push(format!(
            "  {id} incident {}: {} to {end}, {} bad, {} of the month's budget{}",
            plain(&incident.id),
            instant(incident.opened_at),
            amount(incident.bad, slo.in_seconds),
            percent_or_absent(incident.budget_share),
            public_delay(incident)
        ));
    }
    for breach in &slo.breaches {
        said.push(format!(
            "  {id}{} bad without an incident: {} to {}, {} bad, {} of the month's budget",
            plain(&of(&breach.series)),
            instant(breach.from),
            instant(breach.to),
            amount(breach.bad, slo.in_seconds),
            percent(breach.budget_share)
        ));
    }
    said.extend(slo.corrections.iter().map(|made| format!("  {id} correction: {}", plain(&words(made)))));
    said.extend(
        slo.objective_changes.iter().map(|change| format!("  {id} objective changed: {}", plain(&change.to_string()))),
    );
    if let Some(sum) = slo.gaps.sum() {
        said.push(format!("  {id} not measured: {sum}"));
        said.extend(slo.gaps.longest.iter().map(|gap| format!("    {}", plain(&gap.line()))));
        said.extend(slo.gaps.rest().map(|rest| format!("    {rest}")));
    }
    said
}
