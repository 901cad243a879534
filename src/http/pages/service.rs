//! `/{service}/health`: a service's figures.

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Serialize;

use super::{
    cell, incident, known_service,
    shell::{Shell, embeds},
    slo_table::{self, Row},
};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        dashboard::{Glance, OpenIncident},
        desk::{IncidentFilter, ServiceView},
        incident::IncidentView,
        render_words::percent_or_absent,
        slo::{SloState, SloView},
    },
};

/// Most incidents shown.
const INCIDENTS_MAX: usize = 50;

/// The data of the page.
#[derive(Serialize)]
struct ServiceHealth<'a> {
    service: ServiceView,
    state: SloState,
    slos: Vec<&'a SloView>,
    incidents: Vec<IncidentView>,
    #[serde(skip)]
    is_stale: Vec<bool>,
    #[serde(skip)]
    open: Vec<OpenIncident>,
}

/// The page.
pub async fn health(
    State(companion): State<Companion>,
    Path(name): Path<String>,
    ask: Ask,
) -> Result<Response, Problem> {
    let service = known_service(&companion, &name)?;
    let embed = embeds(&ask)?;
    let mut glances: Vec<Glance> = companion.desk.glance();
    glances.retain(|glance| glance.view.service == name);
    glances.sort_by(|one, other| SloView::worst_first(&one.view, &other.view));
    let mut incidents = Vec::new();
    for state in ["open", "acknowledged"] {
        let filter =
            IncidentFilter { state: Some(state.to_owned()), service: Some(name.clone()), limit: INCIDENTS_MAX };
        incidents.extend(companion.desk.incidents(filter).await?);
    }
    let open = companion.desk.open_incidents().await?;
    let slos: Vec<&SloView> = glances.iter().map(|glance| &*glance.view).collect();
    let state = slos.first().map_or(SloState::Empty, |slo| slo.state);
    let is_stale = glances.iter().map(|glance| glance.is_stale).collect();
    let data = ServiceHealth { service, state, slos, incidents, is_stale, open };
    Ok(ask.answer(&data, |data| render(&companion, data, embed)))
}

fn rows<'a>(data: &'a ServiceHealth<'_>) -> Vec<Row<'a>> {
    let about = |slo: &SloView| {
        data.open.iter().find(|one| {
            let named = (one.service.as_deref(), one.slo.as_deref());
            named == (Some(slo.service.as_str()), Some(slo.name.as_str())) && one.series == slo.series
        })
    };
    let row = |(place, (slo, is_stale)): (usize, (&&'a SloView, &bool))| Row {
        at: format!("slos.{place}"),
        slo,
        is_stale: *is_stale,
        incident: about(slo),
        service: None,
    };
    data.slos.iter().zip(&data.is_stale).enumerate().map(row).collect()
}

fn render(companion: &Companion, data: &ServiceHealth<'_>, embed: bool) -> Markup {
    let rows = rows(data);
    let now = companion.now();
    let service = &data.service;
    let main = html! {
        dl.facts {
            div { dt { "State" } dd { (cell::state("state", data.state.as_str())) } }
            div { dt { "Service" } dd { (cell::text("service.name", &service.name)) } }
            div { dt { "Owner" } dd { (cell::optional("service.owner", service.owner.as_deref())) } }
            div { dt { "Runbook" } dd { (cell::link("service.runbook_url", service.runbook_url.as_deref())) } }
        }
        (slo_table::table("Service levels, the worst first", now, &slo_table::plain_heads(), &rows))
        (incident::table("Open incidents", now, &data.incidents))
        p { a href={ "/api/" (service.name) "/health-metrics" } { "The same figures in one small JSON" } }
    };
    let worst =
        data.slos.first().map(|slo| format!("; {}: {} left", slo.title, percent_or_absent(slo.budget.remaining)));
    let says = format!(
        "{}: {} service level{}{}",
        data.state.as_str(),
        data.slos.len(),
        if data.slos.len() == 1 { "" } else { "s" },
        worst.unwrap_or_default()
    );
    Shell::new(companion, &service.title)
        .of(Some(&service.name))
        .here("health")
        .says(says)
        .embedded(embed)
        .around(&main)
}
