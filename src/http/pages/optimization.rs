//! `/{service}/optimization`: objectives against what was achieved, and how often each policy has told somebody.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Serialize;

use super::{cell, hindsight::past, known_service, noise, shell::Shell};
use crate::{
    domain::name::SloId,
    http::{Companion, api::almanac::DAYS, ask::Ask, problem::Problem},
    views::{
        desk::{IncidentFilter, ServiceView},
        hindsight::Hindsight,
        incident::IncidentView,
        noise::NoiseReport,
        slo::SloView,
    },
};

/// Most incidents counted.
const INCIDENTS_MAX: usize = 1000;

/// The data of the page.
#[derive(Serialize)]
struct Optimization {
    service: ServiceView,
    slos: Vec<Row>,
    incidents_counted: usize,
    noise: NoiseReport,
    hindsight: Vec<Hindsight>,
}

#[derive(Serialize)]
struct Row {
    id: SloId,
    title: String,
    series: BTreeMap<String, String>,
    objective: f64,
    window: String,
    achieved: Option<f64>,
    coverage: f64,
    budget_remaining: Option<f64>,
    incidents: usize,
    incidents_by_alert: BTreeMap<String, usize>,
}

/// The page.
pub async fn show(State(companion): State<Companion>, Path(name): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let service = known_service(&companion, &name)?;
    let filter = IncidentFilter { state: None, service: Some(name.clone()), limit: INCIDENTS_MAX };
    let incidents = companion.desk.incidents(filter).await?;
    let slos = companion.desk.slos().into_iter().filter(|slo| slo.service == name);
    let slos = slos.map(|slo| row(slo, &incidents)).collect();
    let noise = companion.desk.noise(DAYS, Some(&name)).await?;
    let hindsight = companion.desk.hindsight(&name, DAYS).await?;
    let data = Optimization { service, slos, incidents_counted: incidents.len(), noise, hindsight };
    Ok(ask.answer(&data, |data| render(&companion, data)))
}

fn row(slo: SloView, incidents: &[IncidentView]) -> Row {
    let own: Vec<&IncidentView> = incidents
        .iter()
        .filter(|incident| incident.slo.as_deref() == Some(slo.name.as_str()) && incident.series == slo.series)
        .collect();
    let mut incidents_by_alert: BTreeMap<String, usize> =
        slo.policies.iter().map(|alert| (alert.name.clone(), 0)).collect();
    for alert in own.iter().flat_map(|incident| &incident.alerts) {
        *incidents_by_alert.entry(alert.name.clone()).or_default() += 1;
    }
    Row {
        id: slo.id,
        title: slo.title,
        series: slo.series,
        objective: slo.objective,
        window: slo.window,
        achieved: slo.sli,
        coverage: slo.budget.coverage,
        budget_remaining: slo.budget.remaining,
        incidents: own.len(),
        incidents_by_alert,
    }
}

fn render(companion: &Companion, data: &Optimization) -> Markup {
    let main = html! {
        p {
            "What the last " (DAYS) " days say of each objective, and how often its alerts have told somebody. A day counts as "
            "met if the window that ended with it was. These are counts of what happened, not a forecast."
        }
        (past("hindsight", &data.hindsight))
        h2 { "Objectives and alerts" }
        p {
            @let counted = html! { data value=(data.incidents_counted) data-field="incidents_counted" { (data.incidents_counted) } };
            @if data.incidents_counted == 0 {
                "Of " (counted) " incidents nothing can be counted: from the first one on this says in how many each alert took part."
            } @else {
                "In how many of the newest " (counted)
                " stored incidents each alert took part. An alert that is in many incidents of an objective that is met may be too eager."
            }
        }
        (cell::scroll("Objectives and alerts", &html! { table {
            caption { "Objectives and alerts" }
            thead { tr {
                th scope="col" { "Objective" } th.n scope="col" { "Promised" } th.n scope="col" { "Achieved" }
                th.n scope="col" { "Budget left" } th.n scope="col" { "Coverage" }
                @if data.incidents_counted > 0 { th.n scope="col" { "Incidents" } th scope="col" { "Incidents by alert" } }
            } }
            tbody { @for (place, row) in data.slos.iter().enumerate() { @let at = format!("slos.{place}"); tr {
                th scope="row" {
                    a href={ "/slo/" (row.id) } { (cell::text(&format!("{at}.title"), &row.title)) }
                    @if !row.series.is_empty() { br; small { (cell::labels(&format!("{at}.series"), &row.series)) } }
                }
                td.n { (cell::share(&format!("{at}.objective"), Some(row.objective))) " in " (cell::text(&format!("{at}.window"), &row.window)) }
                td.n { (cell::share(&format!("{at}.achieved"), row.achieved)) }
                td.n { (cell::share(&format!("{at}.budget_remaining"), row.budget_remaining)) }
                td.n { (cell::share(&format!("{at}.coverage"), Some(row.coverage))) }
                @if data.incidents_counted > 0 {
                    td.n { data value=(row.incidents) data-field={ (at) ".incidents" } { (row.incidents) } }
                    td {
                        @for (place, (alert, times)) in row.incidents_by_alert.iter().enumerate() {
                            @if place > 0 { ", " }
                            bdi { (alert) } " " data value=(times) data-field={ (at) ".incidents_by_alert." (alert) } { (times) }
                        }
                    }
                }
            } } }
        } }))
        (noise::table("noise", companion.now(), &data.noise))
    };
    let title = format!("Optimization of {}", data.service.title);
    let says = format!("What {DAYS} days say of the objectives and alerts of {}", data.service.title);
    Shell::new(companion, &title).of(Some(&data.service.name)).here("optimization").says(says).around(&main)
}
