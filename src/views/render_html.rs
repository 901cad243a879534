//! The budget report as one HTML file: it opens anywhere, prints, and asks for nothing from elsewhere.
//!
//! Every text is escaped, and what steers a terminal or turns the direction of writing is taken out.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    gaps::GapsView,
    month::{Verdict, bounds, measured, used},
    render_words::{
        ABSENT, amount, correction as words, counted, duration, instant, labels, percent, percent_or_absent, plain,
    },
    report::{BudgetReport, IncidentCost, ServiceReport, SloReport},
};

const STYLE: &str = include_str!("render_html.css");
/// Nothing is loaded and nothing runs, whatever a text may hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
/// Width of a bar in its own units.
const BAR: f64 = 100.0;

/// The whole report.
pub fn html(report: &BudgetReport) -> String {
    let title = format!("Budget report {}", plain(&report.month));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="generator" content="slod";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) @if report.runs() { span.soft { ", so far" } } }
                    p.soft {
                        "Time zone " (plain(&report.timezone)) " · made "
                        time datetime=(report.generated_at.to_rfc3339()) { (instant(report.generated_at)) }
                        " · configuration " code { (report.config_hash.chars().take(12).map(|letter| plain(&letter.to_string())).collect::<String>()) }
                    }
                }
                main {
                    section { h2 { "Overview" } (overview(report)) }
                    @for service in &report.services { (section(service, report.runs())) }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn overview(report: &BudgetReport) -> Markup {
    if report.services.is_empty() {
        return html! { p { "There are no objectives." } };
    }
    let runs = report.runs();
    let many = |service: &ServiceReport, said: &[Verdict]| {
        service.slos.iter().filter(|slo| said.contains(&Verdict::of(slo, runs))).count()
    };
    let incidents = |service: &ServiceReport| service.slos.iter().map(|slo| slo.incidents.len()).sum::<usize>();
    let all = |said: &[Verdict]| report.services.iter().map(|service| many(service, said)).sum::<usize>();
    let missed = all(&[Verdict::Missed]);
    let objectives = report.services.iter().map(|service| service.slos.len()).sum::<usize>();
    let so_far = if runs { " so far" } else { "" };
    html! {
        p {
            @if missed == 0 { "No objective was missed" (so_far) } @else { (missed) " of " (objectives) " objectives missed" (so_far) }
            @if all(&[Verdict::Open]) > 0 { "; of " (all(&[Verdict::Open])) " too little was measured to tell" } "."
        }
        p.soft { (report.legend()) }
        div.scroll { table {
            caption { "Services" }
            thead { tr {
                th scope="col" { "Service" } th.n scope="col" { "Objectives" } th.n scope="col" { "Met" }
                @if runs { th.n scope="col" { "Under it" } } th.n scope="col" { "Missed" }
                th.n scope="col" { "Cannot tell" } th.n scope="col" { "Without events" } th.n scope="col" { "Incidents" }
            } }
            tbody { @for service in &report.services { tr {
                th scope="row" { (plain(&service.title)) small { (plain(&service.service)) } }
                td.n { (service.slos.len()) }
                td.n { (many(service, &[Verdict::Met])) }
                @if runs { td.n { (many(service, &[Verdict::Under])) } }
                td.n { (many(service, &[Verdict::Missed])) }
                td.n { (many(service, &[Verdict::Open])) }
                td.n { (many(service, &[Verdict::Silent])) }
                td.n { (incidents(service)) }
            } } }
        } }
    }
}

fn section(service: &ServiceReport, runs: bool) -> Markup {
    html! { section {
        h2 { (plain(&service.title)) " " span.soft { "(" (plain(&service.service)) ")" } }
        @if service.slos.is_empty() { p { "It has no objectives." } } @else { div.scroll { table {
            caption { "The month's budgets" @if runs { ", so far" } }
            thead { tr {
                th scope="col" { "Objective" } th scope="col" { "Verdict" } th.n scope="col" { "Promised" } th.n scope="col" { "Achieved" }
                th scope="col" { "Time used of the month's" } th.n scope="col" { "Left, as measured" }
                th.n scope="col" { "Left, with the unmeasured" } th.n scope="col" { "Bad of total" }
            } }
            tbody { @for slo in &service.slos { (row(slo, runs)) } }
        } } }
        @for slo in &service.slos { (events(slo)) }
    } }
}

fn row(slo: &SloReport, runs: bool) -> Markup {
    html! { tr {
        th scope="row" { (plain(&slo.title)) small { (plain(&slo.id)) } }
        td { (verdict(slo, runs)) }
        td.n { (percent(slo.objective)) }
        td.n { (percent_or_absent(slo.achieved)) }
        td { (bar(used(&slo.budget))) small { (duration(slo.budget.used_seconds)) " of " (duration(slo.budget.allowed_seconds)) } }
        td.n { (percent_or_absent(slo.budget.remaining)) small { (percent_or_absent(slo.budget.consumed)) " used" } }
        td.n { @match bounds(&slo.budget) {
            Some(said) => { @for part in said.split(", ") { span.line { (part) } } }
            None if slo.met.is_some() => { span.mute { "the same" } }
            None => (ABSENT),
        } }
        td.n { (amount(slo.bad, slo.in_seconds)) span.line { "of " (amount(slo.total, slo.in_seconds)) (counted(&slo.budgeting)) } }
    } }
}

/// The verdict, and the share of the time that it is about.
fn verdict(slo: &SloReport, runs: bool) -> Markup {
    let verdict = Verdict::of(slo, runs);
    html! {
        span.{ "verdict " (verdict.tone()) } { (verdict.word(runs)) }
        @if let Some(beside) = measured(slo, verdict) { small { (beside) } }
    }
}

/// How much of the month's budget is used: full at all of it, in another colour beyond.
fn bar(used: Option<f64>) -> Markup {
    let Some(used) = used else { return html! { (ABSENT) } };
    let tone = match used {
        part if part > 1.0 => "over",
        part if part > 0.75 => "most",
        _ => "used",
    };
    let width = (used.clamp(0.0, 1.0) * BAR * 10.0).round() / 10.0;
    html! {
        svg role="img" viewBox="0 0 100 8" preserveAspectRatio="none" aria-label={ (percent(used)) " of the month's budget used" } {
            rect.free x="0" y="0" width="100" height="8" {}
            rect.(tone) x="0" y="0" width=(width) height="8" {}
        }
    }
}

fn events(slo: &SloReport) -> Markup {
    let nothing = slo.series.is_empty() && slo.incidents.is_empty() && slo.breaches.is_empty();
    if nothing && slo.corrections.is_empty() && slo.objective_changes.is_empty() && slo.gaps.count == 0 {
        return html! {};
    }
    html! {
        h3 { (plain(&slo.title)) }
        @if !slo.series.is_empty() { (series(slo)) }
        @if !slo.incidents.is_empty() { (incidents(slo)) }
        @if !slo.breaches.is_empty() { (breaches(slo)) }
        @if !slo.corrections.is_empty() {
            p { "Corrections:" }
            ul { @for correction in &slo.corrections { li { (plain(&words(correction))) } } }
        }
        @if !slo.objective_changes.is_empty() {
            p { "Changes of the objective:" }
            ul { @for change in &slo.objective_changes { li { (plain(&change.to_string())) } } }
        }
        @if slo.gaps.count > 0 { (gaps(&slo.id, &slo.gaps)) }
    }
}

fn gaps(id: &str, gaps: &GapsView) -> Markup {
    html! {
        div.scroll { table {
            caption { "Not measured, of " (plain(id)) @if let Some(sum) = gaps.sum() { ": " (sum) } }
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th.n scope="col" { "How long" } th scope="col" { "Why" } } }
            tbody { @for gap in &gaps.longest { tr {
                td { (instant(gap.from)) }
                td { (instant(gap.to)) }
                td.n { (duration(gap.seconds as f64)) }
                td {
                    (plain(&gap.why)) @if let Some(incident) = &gap.incident { " (incident " (plain(incident)) ")" }
                    @if !gap.series.is_empty() { small { (plain(&labels(&gap.series))) } }
                }
            } } }
        } }
        @if let Some(rest) = gaps.rest() { p.soft { (rest) } }
    }
}

fn series(slo: &SloReport) -> Markup {
    html! { div.scroll { table {
        caption { "Series of " (plain(&slo.id)) ", the worst first" }
        thead { tr {
            th scope="col" { "Series" } th.n scope="col" { "Achieved" } th.n scope="col" { "Bad of total" }
            th.n scope="col" { "Left, as measured" }
        } }
        tbody { @for part in &slo.series { tr {
            th scope="row" { (plain(&labels(&part.series))) }
            td.n { (percent_or_absent(part.achieved)) }
            td.n { (amount(part.bad, slo.in_seconds)) " of " (amount(part.total, slo.in_seconds)) (counted(&slo.budgeting)) }
            td.n { (percent_or_absent(part.remaining)) }
        } } }
    } } }
}

fn incidents(slo: &SloReport) -> Markup {
    html! { div.scroll { table {
        caption { "Incidents of " (plain(&slo.id)) }
        thead { tr {
            th scope="col" { "Incident" } th scope="col" { "Opened" } th scope="col" { "Resolved" } th.n scope="col" { "Bad" }
            th.n scope="col" { "Cost, of the month's budget" } th scope="col" { "Public status page" }
        } }
        tbody { @for incident in &slo.incidents { tr {
            th scope="row" { (plain(&incident.id)) }
            td { (instant(incident.opened_at)) }
            td { (incident.resolved_at.map_or_else(|| "still open".to_owned(), instant)) }
            td.n { (amount(incident.bad, slo.in_seconds)) }
            td.n { (percent_or_absent(incident.budget_share)) }
            td { (public(incident)) }
        } } }
    } } }
}

fn public(incident: &IncidentCost) -> String {
    let Some(page) = &incident.status_page else { return ABSENT.to_owned() };
    match (page.late_seconds.map(|late| duration(late as f64)), page.posted_at) {
        (Some(late), Some(at)) => format!("{}, {late} late", instant(at)),
        (Some(late), None) => format!("not told, {late} after that was due"),
        (None, Some(at)) => format!("{}, in time", instant(at)),
        (None, None) => format!("due {}", instant(page.due_at)),
    }
}

fn breaches(slo: &SloReport) -> Markup {
    html! { div.scroll { table {
        caption { "Bad without an incident, of " (plain(&slo.id)) }
        thead { tr {
            th scope="col" { "Series" } th scope="col" { "From" } th scope="col" { "To" } th.n scope="col" { "Bad" }
            th.n scope="col" { "Cost, of the month's budget" }
        } }
        tbody { @for breach in &slo.breaches { tr {
            th scope="row" { @if breach.series.is_empty() { "all" } @else { (plain(&labels(&breach.series))) } }
            td { (instant(breach.from)) }
            td { (instant(breach.to)) }
            td.n { (amount(breach.bad, slo.in_seconds)) }
            td.n { (percent(breach.budget_share)) }
        } } }
    } } }
}
