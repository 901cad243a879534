//! The review of a month as a bulletin: what was promised and kept, what happened, who was woken.

use serde_json::json;

use super::{
    gaps::GapView,
    month::{Verdict, bounds, measured},
    noise::{NoiseReport, PolicyNoise},
    render_words::{
        ABSENT, amount, correction as correction_words, counted, duration, instant, labels, of, percent,
        percent_or_absent,
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
        tables.push(budgets(service, !review.is_over));
        tables.extend(pages(service, &policies));
        tables.extend(events(service));
    }
    let noise = NoiseReport { policies: policies.iter().map(|row| (*row).clone()).collect(), ..review.noise.clone() };
    let When { key, due_at, decided_at, late, missed } = review.when.clone();
    Bulletin {
        kind: BulletinKind::Report,
        name: review.name.to_owned(),
        key,
        headline: headline(report, &slos, !review.is_over),
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

fn headline(report: &BudgetReport, slos: &[&SloReport], runs: bool) -> String {
    let about = match report.services.as_slice() {
        [service] => service.title.clone(),
        services => format!("{} services", services.len()),
    };
    // The title gives way, never the figures.
    let about: String = about.chars().take(40).collect();
    format!("{} {about}: {}", report.month, kept(slos, runs))
}

fn kept(slos: &[&SloReport], runs: bool) -> String {
    let many = |said| slos.iter().filter(|slo| Verdict::of(slo, runs) == said).count();
    let (missed, open, silent) = (many(Verdict::Missed), many(Verdict::Open), many(Verdict::Silent));
    let so_far = if runs { " so far" } else { "" };
    let counted = |many: usize, what: &str| if many > 0 { format!(", {many} {what}") } else { String::new() };
    let rest = counted(open, "hardly measured") + &counted(silent, "without events");
    match (slos.len(), missed) {
        (0, _) => "no objectives".to_owned(),
        (all, 0) => format!("no objective of {all} missed{so_far}{rest}"),
        (all, missed) => format!("{missed} of {all} objectives missed{so_far}{rest}"),
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

/// The missed ones first, then those with the least left; last those of which too little is known.
fn budgets(service: &ServiceReport, runs: bool) -> Table {
    let mut slos: Vec<(Verdict, &SloReport)> = service.slos.iter().map(|slo| (Verdict::of(slo, runs), slo)).collect();
    let order = |verdict: Verdict| match verdict {
        Verdict::Missed => 0,
        Verdict::Under => 1,
        Verdict::Met => 2,
        Verdict::Open | Verdict::Silent => 3,
    };
    slos.sort_by(|(said, one), (other_said, other)| {
        let left = |slo: &SloReport| slo.budget.remaining.unwrap_or(f64::INFINITY);
        let by_verdict = order(*said).cmp(&order(*other_said));
        by_verdict.then(left(one).total_cmp(&left(other))).then_with(|| one.id.cmp(&other.id))
    });
    Table {
        title: format!("{} ({})", service.title, service.service),
        columns: [
            "Objective",
            "Verdict",
            "Promised",
            "Achieved",
            "Budget left, as measured",
            "With the unmeasured",
            "Time used",
            "Incidents",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: slos.into_iter().map(|(verdict, slo)| budget(slo, verdict, runs)).collect(),
        ..Table::default()
    }
}

fn budget(slo: &SloReport, verdict: Verdict, runs: bool) -> Row {
    let mark = match verdict {
        Verdict::Met => Mark::Good,
        Verdict::Missed => Mark::Bad,
        Verdict::Under | Verdict::Open | Verdict::Silent => Mark::Plain,
    };
    let word = verdict.word(runs);
    let word = word.split_once(' ').map_or(word, |(_, word)| word);
    let word = measured(slo, verdict).map_or_else(|| word.to_owned(), |beside| format!("{word} ({beside})"));
    let (left, achieved) = (percent_or_absent(slo.budget.remaining), percent_or_absent(slo.achieved));
    let promised = percent(slo.objective);
    let bounds = bounds(&slo.budget);
    let incidents = slo.incidents.len();
    let of_it = match incidents {
        0 => String::new(),
        1 => ", 1 incident".to_owned(),
        many => format!(", {many} incidents"),
    };
    let line = if slo.met.is_some() {
        let readings = bounds.as_ref().map(|bounds| format!(" as measured ({bounds})")).unwrap_or_default();
        format!("{}: {word}, {achieved} of {promised}, budget left {left}{readings}{of_it}", slo.title)
    } else {
        format!("{}: {word}{of_it}", slo.title)
    };
    let used = format!("{} of {}", duration(slo.budget.used_seconds), duration(slo.budget.allowed_seconds));
    let unmeasured = bounds.unwrap_or_else(|| if slo.met.is_some() { "the same" } else { ABSENT }.to_owned());
    let cells = vec![slo.title.clone(), word, promised, achieved, left, unmeasured, used, incidents.to_string()];
    // A full bar of red on almost no data would say more than is known.
    let bar = slo.budget.remaining.filter(|_| verdict != Verdict::Open);
    Row { mark, line, cells, bar }
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
        "{} on {}: {} incidents, {} pages, {} acknowledged, {spent} of its window's budget",
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
        found
            .push(("series", format!("{}: {achieved} achieved, budget left {left} as measured", labels(&part.series))));
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
            format!("{id}: {from} to {end}, {bad}{} bad, {share} of the month's budget", counted(&slo.budgeting)),
        ));
    }
    for breach in &slo.breaches {
        let (from, to, share) = (instant(breach.from), instant(breach.to), percent(breach.budget_share));
        found.push((
            "bad without an incident",
            format!("{from} to {to}{}, {share} of the month's budget", of(&breach.series)),
        ));
    }
    found.extend(slo.corrections.iter().map(|made| ("correction", correction_words(made))));
    for change in &slo.objective_changes {
        let ratio = |key: &str| percent_or_absent(change[key].as_f64());
        let at = change["at"].as_str().unwrap_or_default();
        found.push(("other objective", format!("from {} to {} at {at}", ratio("from"), ratio("to"))));
    }
    if let Some(sum) = slo.gaps.sum() {
        let longest = slo.gaps.longest.iter().max_by_key(|gap| gap.seconds).map(GapView::line).unwrap_or_default();
        let which = if slo.gaps.count > 1 { "the longest: " } else { "" };
        found.push(("not measured", format!("{sum}; {which}{longest}")));
    }
    let row = |(what, text): (&str, String)| Row {
        mark: Mark::Plain,
        line: format!("{}: {what}: {text}", slo.id),
        cells: vec![slo.id.clone(), what.to_owned(), text],
        bar: None,
    };
    found.into_iter().map(row).collect()
}
