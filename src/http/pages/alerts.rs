//! `/{service}/alerts`: what fires, and what has happened.

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Serialize;

use super::{cell, incident, known_service, page};
use crate::{
    domain::name::SloId,
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        desk::{IncidentFilter, ServiceView},
        incident::IncidentView,
    },
};

/// Most incidents shown.
const INCIDENTS_MAX: usize = 100;

/// The data of the page.
#[derive(Serialize)]
struct AlertsPage {
    service: ServiceView,
    alerts: Vec<Alert>,
    incidents: Vec<IncidentView>,
}

#[derive(Serialize)]
struct Alert {
    slo: SloId,
    name: String,
    state: String,
}

/// The page.
pub async fn show(State(companion): State<Companion>, Path(name): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let service = known_service(&companion, &name)?;
    let slos = companion.desk.slos().into_iter().filter(|slo| slo.service == name);
    let alerts = slos
        .flat_map(|slo| {
            let id = slo.id;
            slo.policies.into_iter().map(move |alert| Alert { slo: id.clone(), name: alert.name, state: alert.state })
        })
        .collect();
    let filter = IncidentFilter { state: None, service: Some(name), limit: INCIDENTS_MAX };
    let incidents = companion.desk.incidents(filter).await?;
    let data = AlertsPage { service, alerts, incidents };
    Ok(ask.answer(&data, |data| render(&companion, data)))
}

fn render(companion: &Companion, data: &AlertsPage) -> Markup {
    let main = html! {
        (incident::table("Incidents, the newest first", companion.now(), &data.incidents))
        @if data.alerts.is_empty() { p.absent { "No policy watches this service." } } @else {
            div.scroll { table {
                caption { "Alerts, one for each policy and objective" }
                thead { tr { th scope="col" { "Objective" } th scope="col" { "Alert" } th scope="col" { "State" } } }
                tbody { @for (place, alert) in data.alerts.iter().enumerate() { tr {
                    th scope="row" { a href={ "/slo/" (alert.slo) } { (cell::text(&format!("alerts.{place}.slo"), &alert.slo.to_string())) } }
                    td { (cell::text(&format!("alerts.{place}.name"), &alert.name)) }
                    td { (cell::state(&format!("alerts.{place}.state"), &alert.state)) }
                } } }
            } }
        }
    };
    page(companion, &format!("Alerts of {}", data.service.title), Some(&data.service.name), &main)
}
