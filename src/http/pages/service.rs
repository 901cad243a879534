//! `/{service}/health`: a service's figures.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Serialize;

use super::{cell, incident, known_service, page};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        desk::{IncidentFilter, ServiceView},
        incident::IncidentView,
        render_words::number,
        slo::{SloState, SloView},
    },
};

/// Most incidents shown.
const INCIDENTS_MAX: usize = 50;

/// The data of the page.
#[derive(Serialize)]
struct ServiceHealth {
    service: ServiceView,
    state: SloState,
    slos: Vec<SloView>,
    incidents: Vec<IncidentView>,
}

/// The page.
pub async fn health(
    State(companion): State<Companion>,
    Path(name): Path<String>,
    ask: Ask,
) -> Result<Response, Problem> {
    let service = known_service(&companion, &name)?;
    let mut slos: Vec<SloView> = companion.desk.slos().into_iter().filter(|slo| slo.service == name).collect();
    slos.sort_by(SloView::worst_first);
    let mut incidents = Vec::new();
    for state in ["open", "acknowledged"] {
        let filter =
            IncidentFilter { state: Some(state.to_owned()), service: Some(name.clone()), limit: INCIDENTS_MAX };
        incidents.extend(companion.desk.incidents(filter).await?);
    }
    let state = slos.first().map_or(SloState::Empty, |slo| slo.state);
    let data = ServiceHealth { service, state, slos, incidents };
    Ok(ask.answer(&data, |data| render(&companion, data)))
}

fn render(companion: &Companion, data: &ServiceHealth) -> Markup {
    let now = companion.now();
    let service = &data.service;
    let main = html! {
        dl.facts {
            div { dt { "State" } dd { (cell::state("state", data.state.as_str())) } }
            div { dt { "Service" } dd { (cell::text("service.name", &service.name)) } }
            div { dt { "Owner" } dd { (cell::optional("service.owner", service.owner.as_deref())) } }
            div { dt { "Runbook" } dd { (cell::link("service.runbook_url", service.runbook_url.as_deref())) } }
        }
        (slo_table("", "Objectives, worst first", now, &data.slos))
        (incident::table("Open incidents", now, &data.incidents))
        p { a href={ "/api/" (service.name) "/health-metrics" } { "The same figures in one small JSON" } }
    };
    page(companion, &service.title, Some(&service.name), &main)
}

/// One row an SLO. `at` is the path of the object that holds `slos`.
pub fn slo_table(at: &str, caption: &str, now: DateTime<Utc>, slos: &[SloView]) -> Markup {
    if slos.is_empty() {
        return html! { p.absent { "There are no objectives." } };
    }
    let before = if at.is_empty() { String::new() } else { format!("{at}.") };
    html! {
        div.scroll { table {
            caption { (caption) }
            thead { tr {
                th scope="col" { "Objective" } th scope="col" { "State" } th.n scope="col" { "Promised" }
                th.n scope="col" { "Achieved" } th.n scope="col" { "Budget left" } th.n scope="col" { "Burn rate 1 h" }
                th.n scope="col" { "Coverage" } th scope="col" { "Spent at" } th scope="col" { "Newest slot" }
            } }
            tbody { @for (place, slo) in slos.iter().enumerate() { @let at = format!("{before}slos.{place}"); tr {
                th scope="row" {
                    a href={ "/slo/" (slo.service) "/" (slo.name) (cell::query(&slo.series)) } { (cell::text(&format!("{at}.title"), &slo.title)) }
                    @if !slo.series.is_empty() { br; small { (cell::labels(&format!("{at}.series"), &slo.series)) } }
                }
                td { (cell::state(&format!("{at}.state"), slo.state.as_str())) }
                td.n { (cell::share(&format!("{at}.objective"), Some(slo.objective))) " in " (cell::text(&format!("{at}.window"), &slo.window)) }
                td.n { (cell::share(&format!("{at}.sli"), slo.sli)) }
                td.n { (cell::share(&format!("{at}.budget.remaining"), slo.budget.remaining)) }
                td.n { (cell::figure(&format!("{at}.burn_rate.1h"), slo.burn_rate.get("1h").copied().flatten(), number)) }
                td.n { (cell::share(&format!("{at}.budget.coverage"), Some(slo.budget.coverage))) }
                td { (cell::time(&format!("{at}.budget.exhausts_at"), now, slo.budget.exhausts_at)) }
                td { (cell::time(&format!("{at}.watermark"), now, slo.watermark)) }
            } } }
        } }
    }
}
