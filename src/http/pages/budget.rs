//! `/{service}/budget?month=`: the budget report of one service.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Months, NaiveDate, Utc};
use maud::{Markup, html};

use super::{cell, known_service, page};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        desk::ServiceView,
        report::{BudgetReport, SloReport},
    },
};

/// The page.
pub async fn show(State(companion): State<Companion>, Path(name): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let service = known_service(&companion, &name)?;
    let report = companion.desk.budget(ask.month()?, Some(&name)).await?;
    Ok(ask.answer(&report, |report| render(&companion, &service, report)))
}

fn render(companion: &Companion, service: &ServiceView, report: &BudgetReport) -> Markup {
    let now = companion.now();
    let query = format!("month={}&service={}", report.month, service.name);
    let main = html! {
        p.links {
            @for (title, month) in [("← month before", beside(&report.month, false)), ("month after →", beside(&report.month, true))] {
                @if let Some(month) = month { a href={ "/" (service.name) "/budget?month=" (month) } { (title) } " " }
            }
            @for format in ["csv", "markdown", "json"] { a href={ "/api/v1/budget?" (query) "&format=" (format) } { (format) } " " }
        }
        dl.facts {
            div { dt { "Month" } dd { (cell::text("month", &report.month)) } }
            div { dt { "Time zone" } dd { (cell::text("timezone", &report.timezone)) } }
            div { dt { "Made" } dd { (cell::time("generated_at", now, Some(report.generated_at))) } }
            div { dt { "Configuration" } dd { (cell::text("config_hash", &report.config_hash)) } }
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
    page(companion, &format!("Budget of {} in {}", service.title, report.month), Some(&service.name), &main)
}

fn slos(at: &str, slos: &[SloReport]) -> Markup {
    html! { div.scroll { table {
        caption { "The month's budgets" }
        thead { tr {
            th scope="col" { "Objective" } th scope="col" { "Met" } th.n scope="col" { "Promised" } th.n scope="col" { "Achieved" }
            th.n scope="col" { "Good" } th.n scope="col" { "Bad" } th.n scope="col" { "Total" } th.n scope="col" { "Coverage" }
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
        @if slo.incidents.is_empty() { p { "Incidents: " (cell::none(&format!("{at}.incidents"))) } } @else { table {
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
        } }
        @if !slo.series.is_empty() { (series(at, slo)) }
        @if !slo.breaches.is_empty() { p { "Bad without an incident: " } (cell::json(&format!("{at}.breaches"), &serde_json::json!(slo.breaches))) }
        p { "Corrections: " } (cell::json(&format!("{at}.corrections"), &serde_json::json!(slo.corrections)))
        p { "Changes of the objective: " } (cell::json(&format!("{at}.objective_changes"), &serde_json::Value::Array(slo.objective_changes.clone())))
    }
}

fn series(at: &str, slo: &SloReport) -> Markup {
    html! {
        div.scroll { table {
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
