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
        render_words::percent,
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
    let slos = || report.services.iter().flat_map(|part| &part.slos);
    let judged = slos().filter(|slo| slo.met.is_some()).count();
    let met = slos().filter(|slo| slo.met == Some(true)).count();
    let told: usize = slos().map(|slo| slo.incidents.len()).sum();
    let worst =
        slos().filter_map(|slo| Some((slo.budget.remaining?, slo))).min_by(|one, other| one.0.total_cmp(&other.0));
    let least = slos().map(|slo| slo.coverage).reduce(f64::min);
    html! { dl.tiles {
        div { dt { "Objectives met" } dd { (met) " of " (judged) small { (slos().count() - judged) " without events" } } }
        div { dt { "Least budget left" } dd { @match worst {
            Some((left, slo)) => { (percent(left)) (cell::bar(Some(left))) small { bdi { (slo.title) } } }
            None => { "—" small { "nothing was counted" } }
        } } }
        div { dt { "Incidents" } dd { (told) small { "opened, or open, in this month" } } }
        div { dt { "Measured" } dd { @if let Some(least) = least { (percent(least)) } @else { "—" } small { "of the time so far, at least" } } }
    } }
}

fn render(companion: &Companion, service: &ServiceView, report: &BudgetReport, months: &Reach) -> Markup {
    let now = companion.now();
    let main = html! {
        (links(service, report, months))
        (tiles(report))
        dl.facts {
            div { dt { "Month" } dd { (cell::text("month", &report.month)) } }
            div { dt { "Time zone" } dd { (cell::text("timezone", &report.timezone)) } }
            div { dt { "Made" } dd { (cell::time("generated_at", now, Some(report.generated_at))) } }
            div { dt { "Configuration" } dd { code { (cell::text("config_hash", &report.config_hash)) } } }
        }
        @for (place, part) in report.services.iter().enumerate() {
            @let at = format!("services.{place}");
            section {
                h2 { (cell::text(&format!("{at}.title"), &part.title)) " (" (cell::text(&format!("{at}.service"), &part.service)) ")" }
                @if part.slos.is_empty() { (cell::none(&format!("{at}.slos"))) } @else { (slos(&at, &part.slos)) }
                @for (place, slo) in part.slos.iter().enumerate() { (events(&format!("{at}.slos.{place}"), now, slo)) }
            }
        }
    };
    let title = format!("Budget of {} in {}", service.title, report.month);
    let says =
        format!("Objectives, budgets and incidents of {} in {} ({})", service.title, report.month, report.timezone);
    Shell::new(companion, &title).of(Some(&service.name)).here("budget").says(says).around(&main)
}

fn slos(at: &str, slos: &[SloReport]) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label="The month's budgets" { table {
        caption { "The month's budgets" }
        thead { tr {
            th scope="col" { "Objective" } th scope="col" { "Met" } th.n scope="col" { "Promised" } th.n scope="col" { "Achieved" }
            th.n scope="col" { "Good" } th.n scope="col" { "Bad" } th.n scope="col" { "Total" } th.n scope="col" { "Measured" }
            th.n scope="col" { "Consumed" } th.n scope="col" { "Left" } th.n scope="col" { "Bad allowed" }
            th.n scope="col" { "Time allowed" } th.n scope="col" { "Time used" }
        } }
        tbody { @for (place, slo) in slos.iter().enumerate() { @let at = format!("{at}.slos.{place}"); tr {
            th scope="row" { a href={ "/slo/" (slo.id) } { (cell::text(&format!("{at}.title"), &slo.title)) } br; small { (cell::text(&format!("{at}.id"), &slo.id))
                    @if slo.budgeting != "occurrences" { " · counts " (cell::text(&format!("{at}.budgeting"), &slo.budgeting)) } } }
            td { (met(&format!("{at}.met"), slo.met)) }
            td.n { (cell::share(&format!("{at}.objective"), Some(slo.objective))) }
            td.n { (cell::share(&format!("{at}.achieved"), slo.achieved)) }
            td.n { (cell::events(&format!("{at}.good"), slo.good, slo.in_seconds)) }
            td.n { (cell::events(&format!("{at}.bad"), slo.bad, slo.in_seconds)) }
            td.n { (cell::events(&format!("{at}.total"), slo.total, slo.in_seconds)) }
            td.n { (cell::share(&format!("{at}.coverage"), Some(slo.coverage))) }
            td.n { (cell::share(&format!("{at}.budget.consumed"), slo.budget.consumed)) }
            td.n { (cell::share(&format!("{at}.budget.remaining"), slo.budget.remaining)) }
            td.n { (cell::events(&format!("{at}.budget.allowed_bad"), slo.budget.allowed_bad, slo.in_seconds)) }
            td.n { (cell::seconds(&format!("{at}.budget.allowed_seconds"), Some(slo.budget.allowed_seconds))) }
            td.n { (cell::seconds(&format!("{at}.budget.used_seconds"), Some(slo.budget.used_seconds))) }
        } } }
    } } }
}

fn met(field: &str, met: Option<bool>) -> Markup {
    match met {
        Some(true) => html! { data.state.good value="true" data-field=(field) { "● met" } },
        Some(false) => html! { data.state.bad value="false" data-field=(field) { "■ missed" } },
        None => cell::absent(field),
    }
}

fn events(at: &str, now: DateTime<Utc>, slo: &SloReport) -> Markup {
    html! {
        h3 { (slo.title) }
        @if slo.incidents.is_empty() { p { "Incidents: " (cell::none(&format!("{at}.incidents"))) } } @else { div.scroll tabindex="0" role="region" aria-label={ "Incidents of " (slo.id) } { table {
            caption { "Incidents of " (slo.id) }
            thead { tr {
                th scope="col" { "Incident" } th scope="col" { "Opened" } th scope="col" { "Resolved" }
                th.n scope="col" { "Bad" } th.n scope="col" { "Share of the budget" } th.n scope="col" { "Public, late by" }
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
        } } }
        @if !slo.series.is_empty() { (series(at, slo)) }
        @if !slo.breaches.is_empty() { p { "Bad without an incident: " } (cell::json(&format!("{at}.breaches"), &serde_json::json!(slo.breaches))) }
        p { "Corrections: " } (cell::json(&format!("{at}.corrections"), &serde_json::json!(slo.corrections)))
        p { "Changes of the objective: " } (cell::json(&format!("{at}.objective_changes"), &serde_json::Value::Array(slo.objective_changes.clone())))
    }
}

fn series(at: &str, slo: &SloReport) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Series of " (slo.id) } { table {
            caption { "Series of " (slo.id) ", the worst first" }
            thead { tr {
                th scope="col" { "Series" } th.n scope="col" { "Achieved" } th scope="col" { "Met" } th.n scope="col" { "Bad" }
                th.n scope="col" { "Total" } th.n scope="col" { "Budget left" }
            } }
            tbody { @for (place, part) in slo.series.iter().enumerate() { @let at = format!("{at}.series.{place}"); tr {
                th scope="row" { (cell::labels(&format!("{at}.series"), &part.series)) }
                td.n { (cell::share(&format!("{at}.achieved"), part.achieved)) }
                td { (met(&format!("{at}.met"), part.met)) }
                td.n { (cell::events(&format!("{at}.bad"), part.bad, slo.in_seconds)) }
                td.n { (cell::events(&format!("{at}.total"), part.total, slo.in_seconds)) }
                td.n { (cell::share(&format!("{at}.remaining"), part.remaining)) }
            } } }
        } }
    }
}

/// The month before or after.
fn beside(month: &str, after: bool) -> Option<String> {
    let first = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()?;
    let one = Months::new(1);
    let other = if after { first.checked_add_months(one) } else { first.checked_sub_months(one) }?;
    Some(other.format("%Y-%m").to_string())
}
