//! `/{service}/alerts`: what fires, and what has happened.

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};
use serde::Serialize;

use super::{
    cell,
    incident_parts::{Messages, alerts, deliveries, facts, status_page, steps, timeline},
    known_service, looks, page_at,
    pen::Pen,
};
use crate::{
    domain::name::SloId,
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        almanac::Turn,
        desk::ServiceView,
        incident::IncidentView,
        render_words::{amount, of_budget, percent},
    },
};

/// Incidents on a page.
const INCIDENTS: usize = 10;
/// Most pages.
pub const PAGES_MAX: usize = 1_000;

/// The data of the page.
#[derive(Serialize)]
struct AlertsPage {
    service: ServiceView,
    alerts: Vec<Alert>,
    /// Open ones first, then the newest, a page of them.
    incidents: Vec<IncidentView>,
    page: usize,
    next_page: Option<usize>,
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
    let number = page_number(&ask)?;
    let slos = companion.desk.slos().into_iter().filter(|slo| slo.service == name);
    let mut alerts: Vec<Alert> = slos
        .flat_map(|slo| {
            let id = slo.id;
            slo.policies.into_iter().map(move |alert| Alert { slo: id.clone(), name: alert.name, state: alert.state })
        })
        .collect();
    alerts.sort_by_key(|alert| urgency(&alert.state));
    // One more tells whether there is another page.
    let turn = Turn { skip: (number - 1) * INCIDENTS, limit: INCIDENTS + 1 };
    let mut incidents = companion.desk.story(&name, turn).await?;
    let next_page = (incidents.len() > INCIDENTS && number < PAGES_MAX).then_some(number + 1);
    incidents.truncate(INCIDENTS);
    let data = AlertsPage { service, alerts, incidents, page: number, next_page };
    Ok(ask.answer(&data, |data| render(&companion, data)))
}

/// What fires stands first.
fn urgency(state: &str) -> u8 {
    match state {
        "firing" => 0,
        "clearing" => 1,
        "pending" => 2,
        _ => 3,
    }
}

fn page_number(ask: &Ask) -> Result<usize, Problem> {
    let Some(text) = ask.get("page") else { return Ok(1) };
    text.parse().ok().filter(|number| (1..=PAGES_MAX).contains(number)).ok_or_else(|| {
        Problem::invalid(format!("`page={text}` is not possible")).help(format!("use a number from 1 to {PAGES_MAX}"))
    })
}

fn render(companion: &Companion, data: &AlertsPage) -> Markup {
    let main = html! {
        (service_facts(&data.service))
        (alert_table(&data.alerts))
        section {
            h2 { "Incidents, open ones first, then the newest" }
            @if data.incidents.is_empty() {
                p { "Incidents: " (cell::none("incidents")) @if data.page > 1 { " on this page" } }
            }
            @for (place, incident) in data.incidents.iter().enumerate() {
                (one(companion, &format!("incidents.{place}"), incident))
            }
        }
        (turns(data))
    };
    page_at(companion, "alerts", &format!("Alerts of {}", data.service.title), Some(&data.service.name), &main)
}

fn service_facts(service: &ServiceView) -> Markup {
    html! { dl.facts {
        div { dt { "Service" } dd { (cell::text("service.title", &service.title)) " (" (cell::text("service.name", &service.name)) ")" } }
        div { dt { "Owner" } dd { (cell::optional("service.owner", service.owner.as_deref())) } }
        div { dt { "Runbook" } dd { (cell::link("service.runbook_url", service.runbook_url.as_deref())) } }
        div { dt { "Own metric" } dd { (cell::optional("service.metric_prefix", service.metric_prefix.as_deref())) } }
    } }
}

fn turns(data: &AlertsPage) -> Markup {
    let to = |number: usize| format!("/{}/alerts?page={number}", data.service.name);
    html! { nav.turns aria-label="Pages of incidents" {
        @if data.page > 1 { a.button rel="prev" href=(to(data.page - 1)) { "← newer" } }
        span { "Page " (cell::figure("page", Some(data.page as f64), |page| page.to_string())) }
        @match data.next_page {
            Some(next) => a.button rel="next" href=(to(next)) { data value=(next) data-field="next_page" { "older →" } },
            None => span.meta { "older: " (cell::absent("next_page")) }
        }
    } }
}

fn one(companion: &Companion, at: &str, incident: &IncidentView) -> Markup {
    let now = companion.now();
    let is_open = incident.resolved_at.is_none();
    let list = format!("{at}.deliveries");
    html! { details.incident open[is_open] {
        summary {
            (cell::state(&format!("{at}.state"), &incident.state)) " · " (cell::text(&format!("{at}.priority"), incident.priority.as_str()))
            " · " (cell::text(&format!("{at}.title"), &incident.title))
            " · " (amount(incident.cost.bad, incident.cost.in_seconds)) @if incident.cost.in_seconds { " down" } @else { " bad" }
            @if let Some(share) = incident.cost.budget_share { ", " (percent(share)) " " (of_budget(incident.cost.window.as_deref())) }
            " · " (cell::time(&format!("{at}.opened_at"), now, Some(incident.opened_at)))
        }
        p { a.button href={ "/incident/" (incident.id) } { "Open this incident" } }
        (steps(at, incident, now))
        @let messages = format!("Messages of {}", incident.id);
        (deliveries(Messages { caption: &messages, at: &list, from: "incident" }, now, &incident.deliveries, Pen::current().as_ref()))
        (timeline(at, incident, now))
        (alerts(at, incident, now))
        (status_page(at, incident, now))
        (looks::listed(at, incident, now))
        (facts(at, incident, now))
    } }
}

fn alert_table(all: &[Alert]) -> Markup {
    if all.is_empty() {
        return html! { p.absent { "No policy watches this service: " (cell::none("alerts")) } };
    }
    cell::scroll(
        "Alerts, one for each policy and objective",
        &html! { table {
            caption { "Alerts, one for each policy and objective" }
            thead { tr { th scope="col" { "Objective" } th scope="col" { "Alert" } th scope="col" { "State" } } }
            tbody { @for (place, alert) in all.iter().enumerate() { tr {
                th scope="row" { a href={ "/slo/" (alert.slo) } { (cell::text(&format!("alerts.{place}.slo"), &alert.slo.to_string())) } }
                td { (cell::text(&format!("alerts.{place}.name"), &alert.name)) }
                td { (cell::state(&format!("alerts.{place}.state"), &alert.state)) }
            } } }
        } },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fires_stands_first() {
        let mut states = ["ok", "pending", "firing", "ok", "clearing", "firing"];
        states.sort_by_key(|state| urgency(state));
        assert_eq!(states, ["firing", "firing", "clearing", "pending", "ok", "ok"]);
    }
}
