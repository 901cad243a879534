//! `/{service}/budget?month=`: the budget report of one service.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Months, NaiveDate, Utc};
use maud::{Markup, html};

use super::{cell, known_service, shell::Shell};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        desk::ServiceView,
        month::{Verdict, bounds, used},
        render_words::{count, percent, signed},
        report::{BudgetReport, SloReport},
    },
};

/// The months that a report can be made of.
struct Reach {
    first: String,
    last: String,
}

impl Reach {
    fn holds(&self, month: &str) -> bool {
        (self.first.as_str()..=self.last.as_str()).contains(&month)
    }
}

/// The page.
pub async fn show(State(companion): State<Companion>, Path(name): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let service = known_service(&companion, &name)?;
    let (first, last) = companion.desk.months(&name).await?;
    let months = Reach { first, last };
    let month = ask.month()?;
    if let Some(month) = month.filter(|month| !months.holds(month)) {
        let there_are = format!("there are the months from {} to {}", months.first, months.last);
        return Err(Problem::not_found(format!("there is no report of {month} for `{name}`")).help(there_are));
    }
    let report = companion.desk.budget(month, Some(&name)).await?;
    Ok(ask.answer(&report, |report| render(&companion, &service, report, &months)))
}

/// The month before and after, and the report in other forms.
fn links(service: &ServiceView, report: &BudgetReport, months: &Reach) -> Markup {
    let query = format!("month={}&service={}", report.month, service.name);
    html! { nav.links aria-label="Months" {
        @for (title, month) in [("← ", beside(&report.month, false)), ("→ ", beside(&report.month, true))] {
            @if let Some(month) = month.filter(|month| months.holds(month)) {
                a href={ "/" (service.name) "/budget?month=" (month) } { span aria-hidden="true" { (title) } (month) } " "
            }
        }
        @for format in ["csv", "markdown", "json"] { a href={ "/api/v1/budget?" (query) "&format=" (format) } { (format) } " " }
    } }
}

/// The month in four figures.
fn tiles(report: &BudgetReport) -> Markup {
    let runs = report.runs();
    let so_far = if runs { " so far" } else { "" };
    let slos = || report.services.iter().flat_map(|part| &part.slos);
    let many = |said| slos().filter(|slo| Verdict::of(slo, runs) == said).count();
    let (open, silent) = (many(Verdict::Open), many(Verdict::Silent));
    let judged = slos().count() - open - silent;
    let told: usize = slos().map(|slo| slo.incidents.len()).sum();
    let known = slos().filter(|slo| Verdict::of(slo, runs) != Verdict::Open);
    let worst =
        known.filter_map(|slo| Some((1.0 - used(&slo.budget)?, slo))).min_by(|one, other| one.0.total_cmp(&other.0));
    let least = slos().map(|slo| slo.coverage).reduce(f64::min);
    html! { dl.tiles {
        div { dt { "Objectives met" (so_far) } dd { @if judged == 0 { "—" } @else { (many(Verdict::Met)) " of " (judged) } small {
            (open) " measured too little to tell, " (silent) " without events" } } }
        div { dt { "Least of the month's budget left" } dd { @match worst {
            Some((left, slo)) => { (percent(left)) (cell::bar(Some(left))) small { "if what is unmeasured was good: " bdi { (slo.title) } } }
            None => { "—" small { "too little was measured" } }
        } } }
        div { dt { "Incidents" } dd { (told) small { "opened, or open, in this month" } } }
        div { dt { "Measured" } dd { @if let Some(least) = least { (percent(least)) } @else { "—" } small { "of the time" (so_far) ", at least" } } }
    } }
}

fn render(companion: &Companion, service: &ServiceView, report: &BudgetReport, months: &Reach) -> Markup {
    let now = companion.now();
    let main = html! {
        (links(service, report, months))
        (tiles(report))
        dl.facts {
            div { dt { "Month" } dd { (cell::text("month", &report.month)) @if report.runs() { ", so far" } } }
            div { dt { "It ends" } dd { (cell::time("ends_at", now, Some(report.ends_at))) } }
            div { dt { "Time zone" } dd { (cell::text("timezone", &report.timezone)) } }
            div { dt { "Made" } dd { (cell::time("generated_at", now, Some(report.generated_at))) } }
            div { dt { "Configuration" } dd { code { (cell::text("config_hash", &report.config_hash)) } } }
        }
        p.meta { (report.legend()) }
        @for (place, part) in report.services.iter().enumerate() {
            @let at = format!("services.{place}");
            section {
                h2 { (cell::text(&format!("{at}.title"), &part.title)) " (" (cell::text(&format!("{at}.service"), &part.service)) ")" }
                @if part.slos.is_empty() { (cell::none(&format!("{at}.slos"))) } @else { (slos(&at, &part.slos, report.runs())) }
                @for (place, slo) in part.slos.iter().enumerate() { (events(&format!("{at}.slos.{place}"), now, slo)) }
            }
        }
    };
    let so_far = if report.runs() { ", so far" } else { "" };
    let title = format!("Budget of {} in {}{so_far}", service.title, report.month);
    let says =
        format!("Objectives, budgets and incidents of {} in {} ({})", service.title, report.month, report.timezone);
    Shell::new(companion, &title).of(Some(&service.name)).here("budget").says(says).around(&main)
}

fn slos(at: &str, slos: &[SloReport], runs: bool) -> Markup {
    html! { div.scroll.budgets tabindex="0" role="region" aria-label="The month's budgets" { table {
        caption { "The month's budgets" @if runs { ", so far" } }
        thead { tr {
            th scope="col" { "Objective" } th scope="col" { "Verdict" } th.n scope="col" { "Achieved" }
            th scope="col" { "Time used of the month's" } th.n scope="col" { "Left, as measured" }
            th.n scope="col" { "Left, if good … if bad" } th.n scope="col" { "Bad" } th.n scope="col" { "Good of total" }
        } }
        tbody { @for (place, slo) in slos.iter().enumerate() { (row(&format!("{at}.slos.{place}"), slo, runs)) } }
    } } }
}

fn row(at: &str, slo: &SloReport, runs: bool) -> Markup {
    let of = |field: &str| format!("{at}.{field}");
    let (budget, seconds) = (&slo.budget, slo.in_seconds);
    html! { tr {
        th scope="row" { a href={ "/slo/" (slo.id) } { (cell::text(&of("title"), &slo.title)) } br; small { (cell::text(&of("id"), &slo.id))
                @if slo.budgeting != "occurrences" { " · counts " (cell::text(&of("budgeting"), &slo.budgeting)) } } }
        td { (verdict(at, slo, runs)) }
        td.n { (cell::share(&of("achieved"), slo.achieved)) br; small { "of " (cell::share(&of("objective"), Some(slo.objective))) } }
        td { small { (cell::seconds(&of("budget.used_seconds"), Some(budget.used_seconds)))
            " of " (cell::seconds(&of("budget.allowed_seconds"), Some(budget.allowed_seconds))) } }
        td.n { (cell::share(&of("budget.remaining"), budget.remaining)) br; small { (cell::share(&of("budget.consumed"), budget.consumed)) " used" } }
        @let differ = bounds(budget).is_some();
        // On almost no data there is nothing to draw.
        @let known = used(budget).filter(|_| Verdict::of(slo, runs) != Verdict::Open);
        td.n.same[!differ] { (cell::share(&of("budget.remaining_if_good"), budget.remaining_if_good)) (cell::bar(known.map(|used| 1.0 - used)))
            small { "… " (cell::share(&of("budget.remaining_if_bad"), budget.remaining_if_bad)) } }
        td.n { (cell::events(&of("bad"), slo.bad, seconds)) br; small { "of " (cell::events(&of("budget.allowed_bad"), budget.allowed_bad, seconds)) " allowed of these" } }
        td.n { (cell::events(&of("good"), slo.good, seconds)) br; small { "of " (cell::events(&of("total"), slo.total, seconds)) } }
    } }
}

/// The verdict, and beside it how much of the time it is about.
fn verdict(at: &str, slo: &SloReport, runs: bool) -> Markup {
    let verdict = Verdict::of(slo, runs);
    let field = format!("{at}.met");
    html! {
        @match slo.met {
            Some(met) => { data.state.{ (verdict.tone()) } value=(met) data-field=(field) { (verdict.word(runs)) } }
            None => { span.state.mute { (verdict.word(runs)) } " " (cell::absent(&field)) }
        }
        br;
        small {
            @if verdict == Verdict::Open { (if slo.met == Some(true) { "met in the " } else { "missed in the " }) }
            (cell::share(&format!("{at}.coverage"), Some(slo.coverage))) " measured; a verdict needs "
            (cell::share(&format!("{at}.min_coverage"), Some(slo.min_coverage)))
        }
    }
}

/// What was not measured.
fn gaps(at: &str, now: DateTime<Utc>, slo: &SloReport) -> Markup {
    let gaps = &slo.gaps;
    let of = |field: &str| format!("{at}.gaps.{field}");
    html! {
        p { "Not measured: "
            (cell::figure(&of("count"), Some(gaps.count as f64), count)) @if gaps.count == 1 { " stretch, " } @else { " stretches, " }
            (cell::seconds(&of("seconds"), Some(gaps.seconds as f64))) @if gaps.count != 1 { " together" }
            @if gaps.longest.is_empty() { " " span.absent hidden data-field=(of("longest")) { "none" } } "."
        }
        @if !gaps.longest.is_empty() { (cell::scroll(&format!("What was not measured of {}", slo.id), &html! { table {
            caption { "Not measured, of " (slo.id) @if gaps.rest().is_some() { ": the longest" } }
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th.n scope="col" { "How long" } th scope="col" { "Why" } } }
            tbody { @for (place, gap) in gaps.longest.iter().enumerate() { @let at = of(&format!("longest.{place}")); tr {
                th scope="row" { (cell::time(&format!("{at}.from"), now, Some(gap.from))) }
                td { (cell::time(&format!("{at}.to"), now, Some(gap.to))) }
                td.n { (cell::seconds(&format!("{at}.seconds"), Some(gap.seconds as f64))) }
                td { (cell::text(&format!("{at}.why"), &gap.why))
                    @if let Some(incident) = &gap.incident { ": " a href={ "/incident/" (incident) } { "incident " (cell::text(&format!("{at}.incident"), incident)) } }
                    @if !gap.series.is_empty() { br; small { (cell::labels(&format!("{at}.series"), &gap.series)) } } }
            } } }
        } })) }
        @if let Some(rest) = gaps.rest() { p.meta { (rest) } }
    }
}

fn events(at: &str, now: DateTime<Utc>, slo: &SloReport) -> Markup {
    html! {
        h3 { (slo.title) }
        @if slo.incidents.is_empty() { p { "Incidents: " (cell::none(&format!("{at}.incidents"))) } } @else { (cell::scroll(&format!("Incidents of {}", slo.id), &html! { table {
            caption { "Incidents of " (slo.id) }
            thead { tr {
                th scope="col" { "Incident" } th scope="col" { "Opened" } th scope="col" { "Resolved" }
                th.n scope="col" { "Bad" } th.n scope="col" { "Cost, of the month's budget" } th.n scope="col" { "Public, late by" }
            } }
            tbody { @for (place, incident) in slo.incidents.iter().enumerate() { @let at = format!("{at}.incidents.{place}"); tr {
                th scope="row" { a href={ "/incident/" (incident.id) } { (cell::text(&format!("{at}.id"), &incident.id)) } }
                td { (cell::time(&format!("{at}.opened_at"), now, Some(incident.opened_at))) }
                td { (cell::time(&format!("{at}.resolved_at"), now, incident.resolved_at)) }
                td.n { (cell::events(&format!("{at}.bad"), incident.bad, slo.in_seconds)) }
                td.n { (cell::share(&format!("{at}.budget_share"), incident.budget_share)) }
                @let late = incident.status_page.as_ref().and_then(|page| page.late_seconds);
                td.n { (cell::seconds(&format!("{at}.status_page.late_seconds"), late.map(|late| late as f64))) }
            } } }
        } })) }
        @if !slo.series.is_empty() { (series(at, slo)) }
        (gaps(at, now, slo))
        @if !slo.breaches.is_empty() { p { "Bad without an incident: " } (cell::json(&format!("{at}.breaches"), &serde_json::json!(slo.breaches))) }
        (corrections(at, now, slo))
        p { "Changes of the objective: " } (cell::json(&format!("{at}.objective_changes"), &serde_json::Value::Array(slo.objective_changes.clone())))
    }
}

fn corrections(at: &str, now: DateTime<Utc>, slo: &SloReport) -> Markup {
    if slo.corrections.is_empty() {
        return html! { p { "Corrections: " (cell::none(&format!("{at}.corrections"))) } };
    }
    let by_series = slo.corrections.iter().any(|made| !made.series.is_empty());
    cell::scroll(
        &format!("Corrections of {}", slo.id),
        &html! { table {
            caption { "Corrections of " (slo.id) }
            thead { tr {
                th scope="col" { "At" } @if by_series { th scope="col" { "Series" } } th.n scope="col" { "Bad" } th.n scope="col" { "In all" }
                th scope="col" { "Why" } th scope="col" { "By" } th scope="col" { "Written" }
            } }
            tbody { @for (place, made) in slo.corrections.iter().enumerate() { @let at = format!("{at}.corrections.{place}"); tr {
                th scope="row" { (cell::time(&format!("{at}.at"), now, Some(made.at))) }
                @if by_series { td { @if !made.series.is_empty() { (cell::labels(&format!("{at}.series"), &made.series)) } } }
                td.n { (cell::figure(&format!("{at}.bad"), Some(made.bad), signed)) }
                td.n { (cell::figure(&format!("{at}.total"), Some(made.total), signed)) }
                td { (cell::text(&format!("{at}.reason"), &made.reason)) }
                td { (cell::text(&format!("{at}.by"), &made.by)) }
                td { (cell::time(&format!("{at}.made_at"), now, Some(made.made_at))) }
            } } }
        } },
    )
}

fn series(at: &str, slo: &SloReport) -> Markup {
    html! {
        (cell::scroll(&format!("Series of {}", slo.id), &html! { table {
            caption { "Series of " (slo.id) ", the worst first" }
            thead { tr {
                th scope="col" { "Series" } th.n scope="col" { "Achieved" } th scope="col" { "Met, as measured" } th.n scope="col" { "Bad" }
                th.n scope="col" { "Total" } th.n scope="col" { "Left, as measured" }
            } }
            tbody { @for (place, part) in slo.series.iter().enumerate() { @let at = format!("{at}.series.{place}"); tr {
                th scope="row" { (cell::labels(&format!("{at}.series"), &part.series)) }
                td.n { (cell::share(&format!("{at}.achieved"), part.achieved)) }
                td { (part.met.map_or_else(|| cell::absent(&format!("{at}.met")), |met| cell::flag(&format!("{at}.met"), Some(met)))) }
                td.n { (cell::events(&format!("{at}.bad"), part.bad, slo.in_seconds)) }
                td.n { (cell::events(&format!("{at}.total"), part.total, slo.in_seconds)) }
                td.n { (cell::share(&format!("{at}.remaining"), part.remaining)) }
            } } }
        } }))
    }
}

/// The month before or after.
fn beside(month: &str, after: bool) -> Option<String> {
    let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()?;
    let one = Months::new(1);
    let other = if after { first.checked_add_months(one) } else { first.checked_sub_months(one) }?;
    Some(other.format("%Y-%m").to_string())
}
