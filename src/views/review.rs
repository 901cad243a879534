//! The review of a month as a bulletin: what was promised and kept, what happened, who was woken.

use serde_json::json;

use super::{
    noise::{NoiseReport, PolicyNoise},
    render_words::{
        amount, correction as correction_words, counted, duration, instant, labels, of, percent, percent_or_absent,
    },
    report::{BudgetReport, ServiceReport, SloReport},
    when::When,
};
use crate::domain::{
    bulletin::{Bulletin, BulletinKind, Mark, Row, Table},
    notification::Link,
};

/// Series of one objective that are told of, the worst.
const SERIES_MAX: usize = 5;

/// What a review is made of.
#[derive(Clone, Debug)]
pub struct Review<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// The month's budgets, of the services it tells of.
    pub report: &'a BudgetReport,
    /// The month's incidents by policy, of all services.
    pub noise: &'a NoiseReport,
    /// Whether the month has ended.
    pub is_over: bool,
    /// When it was due.
    pub when: When,
    /// How people reach the companion; no trailing slash.
    pub external_url: &'a str,
}

/// Words a review.
pub fn review(review: &Review<'_>) -> Bulletin {
    let report = review.report;
    let slos: Vec<&SloReport> = report.services.iter().flat_map(|service| &service.slos).collect();
    let policies: Vec<&PolicyNoise> = review.noise.policies.iter().filter(|row| is_told_of(report, row)).collect();
    let mut tables = Vec::new();
    for service in &report.services {
        tables.push(budgets(service));
        tables.extend(pages(service, &policies));
        tables.extend(events(service));
    }
    let noise = NoiseReport { policies: policies.iter().map(|row| (*row).clone()).collect(), ..review.noise.clone() };
    let When { key, due_at, decided_at, late, missed } = review.when.clone();
    Bulletin {
        kind: BulletinKind::Report,
        name: review.name.to_owned(),
        key,
        headline: headline(report, &slos),
        lines: lines(review, &slos, &policies),
        tables,
        links: links(review),
        due_at,
        decided_at,
        late,
        data: json!({"missed": missed, "budget": report, "noise": noise}),
    }
    .bounded()
}

fn is_told_of(report: &BudgetReport, row: &PolicyNoise) -> bool {
    report.services.iter().any(|service| row.service.as_ref() == Some(&service.service))
}

fn headline(report: &BudgetReport, slos: &[&SloReport]) -> String {
    let about = match report.services.as_slice() {
        [service] => service.title.clone(),
        services => format!("{} services", services.len()),
    };
    // The title gives way, never the figures.
    let about: String = about.chars().take(40).collect();
    format!("{} {about}: {}", report.month, kept(slos))
}

fn kept(slos: &[&SloReport]) -> String {
    let missed = slos.iter().filter(|slo| slo.met == Some(false)).count();
    let silent = slos.iter().filter(|slo| slo.met.is_none()).count();
    let silent = if silent > 0 { format!(", {silent} without events") } else { String::new() };
    match (slos.len(), missed) {
        (0, _) => "no objectives".to_owned(),
        (all, 0) => format!("no objective of {all} missed{silent}"),
        (all, missed) => format!("{missed} of {all} objectives missed{silent}"),
    }
}

fn lines(review: &Review<'_>, slos: &[&SloReport], policies: &[&PolicyNoise]) -> Vec<String> {
    let report = review.report;
    let mut lines: Vec<String> = review.when.words().into_iter().collect();
    if !review.is_over {
        lines.push(format!("{} has not ended yet in {}: these are the figures so far.", report.month, report.timezone));
    }
    let (mut incidents, mut pages) = (0, 0);
    for slo in slos {
        incidents += slo.incidents.len();
    }
    for row in policies {
        pages += row.pages;
    }
    lines.push(format!("Incidents: {incidents}. Pages: {pages}."));
    let least = slos.iter().map(|slo| slo.coverage).fold(1.0, f64::min);
    if least < 0.995 {
        lines.push(format!("Not all of the month was measured: of one objective only {}.", percent(least)));
    }
    let hash: String = report.config_hash.chars().take(12).collect();
    lines.push(format!("The month is cut in {}. Configuration {hash}.", report.timezone));
    lines
}

fn links(review: &Review<'_>) -> Vec<Link> {
    let link = |service: &ServiceReport| Link {
        text: format!("Budget of {}", service.title),
        url: format!("{}/{}/budget?month={}", review.external_url, service.service, review.report.month),
    };
    review.report.services.iter().map(link).collect()
}

/// The missed ones first, then those with the least left.
fn budgets(service: &ServiceReport) -> Table {
    let mut slos: Vec<&SloReport> = service.slos.iter().collect();
    let order = |slo: &SloReport| (slo.met != Some(false), slo.budget.remaining.unwrap_or(f64::INFINITY));
    slos.sort_by(|one, other| {
        let ((kept, left), (other_kept, other_left)) = (order(one), order(other));
        kept.cmp(&other_kept).then(left.total_cmp(&other_left)).then_with(|| one.id.cmp(&other.id))
    });
    Table {
        title: format!("{} ({})", service.title, service.service),
        columns: ["Objective", "Promised", "Achieved", "Budget left", "Used", "Incidents", "Measured"]
            .map(str::to_owned)
            .to_vec(),
        rows: slos.into_iter().map(budget).collect(),
        ..Table::default()
    }
}

fn budget(slo: &SloReport) -> Row {
    let (mark, word) = match slo.met {
        Some(true) => (Mark::Good, "met"),
        Some(false) => (Mark::Bad, "missed"),
        None => (Mark::Plain, "no events"),
    };
    let (left, achieved) = (percent_or_absent(slo.budget.remaining), percent_or_absent(slo.achieved));
    let promised = percent(slo.objective);
    let incidents = slo.incidents.len();
    let of_it = match incidents {
        0 => String::new(),
        1 => ", 1 incident".to_owned(),
        many => format!(", {many} incidents"),
    };
    let line = if slo.met.is_some() {
        format!("{}: {word}, {achieved} of {promised}, budget left {left}{of_it}", slo.title)
    } else {
        format!("{}: {word}{of_it}", slo.title)
    };
    let used = format!("{} of {}", duration(slo.budget.used_seconds), duration(slo.budget.allowed_seconds));
    let cells = vec![
        slo.title.clone(),
        promised,
        achieved,
        format!("{left} ({word})"),
        used,
        incidents.to_string(),
        percent(slo.coverage),
    ];
    Row { mark, line, cells, bar: slo.budget.remaining }
}

/// Who was woken by what; nothing if no incident opened.
fn pages(service: &ServiceReport, policies: &[&PolicyNoise]) -> Option<Table> {
    let own = policies.iter().filter(|row| row.service.as_ref() == Some(&service.service));
    let rows: Vec<Row> = own.map(|row| noise_row(row)).collect();
    (!rows.is_empty()).then(|| Table {
        title: format!("Pages of {}", service.title),
        detail: true,
        columns: ["Policy", "On", "Incidents", "Pages", "Acknowledged", "Ended alone", "Budget spent", "For a page"]
            .map(str::to_owned)
            .to_vec(),
        rows,
        left_out: 0,
    })
}

/// One policy of the noise ledger.
fn noise_row(row: &PolicyNoise) -> Row {
    let (spent, each) = (percent_or_absent(row.budget_spent), percent_or_absent(row.budget_per_page));
    let line = format!(
        "{} on {}: {} incidents, {} pages, {} acknowledged, {spent} of the budget",
        row.policy, row.about, row.incidents, row.pages, row.acknowledged
    );
    let numbers = [row.incidents, row.pages, row.acknowledged, row.ended_alone].map(|number| number.to_string());
    let mut cells = vec![row.policy.clone(), row.about.clone()];
    cells.extend(numbers);
    cells.extend([spent, each]);
    Row { mark: Mark::Plain, line, cells, bar: None }
}

/// The worst series, incidents, bad time without one, corrections, other objectives.
fn events(service: &ServiceReport) -> Option<Table> {
    let rows: Vec<Row> = service.slos.iter().flat_map(events_of).collect();
    (!rows.is_empty()).then(|| Table {
        title: format!("What happened to {}", service.title),
        detail: true,
        columns: ["Objective", "What", "Details"].map(str::to_owned).to_vec(),
        rows,
        left_out: 0,
    })
}

fn events_of(slo: &SloReport) -> Vec<Row> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for part in slo.series.iter().take(SERIES_MAX) {
        let (achieved, left) = (percent_or_absent(part.achieved), percent_or_absent(part.remaining));
        found.push(("series", format!("{}: {achieved} achieved, budget left {left}", labels(&part.series))));
    }
    if slo.series.len() > SERIES_MAX {
        found.push(("series", format!("and {} more, with more left", slo.series.len() - SERIES_MAX)));
    }
    for incident in &slo.incidents {
        let end = incident.resolved_at.map_or_else(|| "still open".to_owned(), instant);
        let bad = amount(incident.bad, slo.in_seconds);
        let share = percent_or_absent(incident.budget_share);
        let (id, from) = (&incident.id, instant(incident.opened_at));
        found.push((
            "incident",
            format!("{id}: {from} to {end}, {bad}{} bad, {share} of the budget", counted(&slo.budgeting)),
        ));
    }
    for breach in &slo.breaches {
        let (from, to, share) = (instant(breach.from), instant(breach.to), percent(breach.budget_share));
        found.push(("bad without an incident", format!("{from} to {to}{}, {share} of the budget", of(&breach.series))));
    }
    found.extend(slo.corrections.iter().map(|made| ("correction", correction_words(made))));
    for change in &slo.objective_changes {
        let ratio = |key: &str| percent_or_absent(change[key].as_f64());
        let at = change["at"].as_str().unwrap_or_default();
        found.push(("other objective", format!("from {} to {} at {at}", ratio("from"), ratio("to"))));
    }
    let row = |(what, text): (&str, String)| Row {
        mark: Mark::Plain,
        line: format!("{}: {what}: {text}", slo.id),
        cells: vec![slo.id.clone(), what.to_owned(), text],
        bar: None,
    };
    found.into_iter().map(row).collect()
}
