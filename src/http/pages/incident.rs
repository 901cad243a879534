//! `/incident/{id}`: one incident with everything.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{cell, looks, page};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        incident::{DeliveryView, IncidentView},
        render_words::{amount, percent_or_absent},
    },
};

/// The page.
pub async fn show(State(companion): State<Companion>, Path(id): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let incident = companion.desk.incident(&id).await?;
    Ok(ask.answer(&incident, |incident| render(&companion, incident)))
}

fn render(companion: &Companion, incident: &IncidentView) -> Markup {
    let now = companion.now();
    let main = html! {
        p.lead { (cell::state("state", &incident.state)) " · " (cell::text("priority", incident.priority.as_str())) }
        (facts(incident, now))
        @if incident.state != "resolved" {
            p { "On the host: " code { "slod ack " (incident.id) } " · " code { "slod resolve " (incident.id) } " · "
                code { "slod note " (incident.id) " 'what was found'" } }
        }
        (alerts(incident, now))
        (steps(incident, now))
        @if incident.deliveries.is_empty() { p { "Messages: " (cell::none("deliveries")) } }
        @else { (deliveries("Messages", now, &incident.deliveries)) }
        (status_page(incident, now))
        (looks::first_look(incident, now))
        (looks::by_hand(incident))
        (timeline(incident, now))
        p { a href={ "/api/v1/incidents/" (incident.id) } { "JSON" } " · "
            a href={ "/api/v1/incidents/" (incident.id) "?format=markdown" } { "Markdown" } " (post-incident document)" }
    };
    page(companion, &incident.title, incident.service.as_deref(), &main)
}

fn facts(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    html! { dl.facts {
        div { dt { "Title" } dd { (cell::text("title", &incident.title)) } }
        div { dt { "Incident" } dd { (cell::text("id", &incident.id)) } }
        div { dt { "Key" } dd { (cell::text("key", &incident.key)) } }
        div { dt { "Service" } dd { (cell::optional("service", incident.service.as_deref())) } }
        div { dt { "SLO" } dd {
            @if let (Some(service), Some(slo)) = (&incident.service, &incident.slo) {
                a href={ "/slo/" (service) "/" (slo) } { (cell::text("slo", slo)) }
            } @else { (cell::optional("slo", incident.slo.as_deref())) }
        } }
        div { dt { "Source" } dd { (cell::optional("source", incident.source.as_deref())) } }
        div { dt { "Series" } dd { (cell::labels("series", &incident.series)) } }
        div { dt { "Opened" } dd { (cell::time("opened_at", now, Some(incident.opened_at))) } }
        div { dt { "Decided late" } dd { (cell::flag("late", Some(incident.late))) } }
        @if let Some(muted) = &incident.muted {
            div { dt { "Muted until" } dd { (cell::time("muted.until", now, muted.until)) } }
            div { dt { "Muted" } dd {
                @if muted.why.is_empty() { (cell::none("muted.why")) }
                @for (place, why) in muted.why.iter().enumerate() {
                    @if place > 0 { "; " } (cell::text(&format!("muted.why.{place}"), why))
                }
            } }
        } @else {
            div { dt { "Muted" } dd { (cell::absent("muted")) } }
        }
        div { dt { "Acknowledged" } dd { (cell::time("acknowledged_at", now, incident.acknowledged_at)) } }
        div { dt { "By" } dd { (cell::optional("acknowledged_by", incident.acknowledged_by.as_deref())) } }
        div { dt { "Resolved" } dd { (cell::time("resolved_at", now, incident.resolved_at)) } }
        div { dt { @if incident.cost.in_seconds { "Down" } @else { "Bad events" } } dd { (cell::events("cost.bad", incident.cost.bad, incident.cost.in_seconds)) } }
        div { dt { "Share of the budget" } dd { (cell::share("cost.budget_share", incident.cost.budget_share)) } }
    } }
}

fn alerts(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    if incident.alerts.is_empty() {
        return html! { p { "Alerts: " (cell::none("alerts")) } };
    }
    html! { table {
        caption { "Alerts" }
        thead { tr { th scope="col" { "Alert" } th scope="col" { "Priority" } th scope="col" { "State" } th scope="col" { "Fired" } } }
        tbody { @for (place, alert) in incident.alerts.iter().enumerate() { @let at = format!("alerts.{place}"); tr {
            th scope="row" { (cell::text(&format!("{at}.name"), &alert.name)) }
            td { (cell::text(&format!("{at}.priority"), alert.priority.as_str())) }
            td { (cell::state(&format!("{at}.state"), &alert.state)) }
            td { (cell::time(&format!("{at}.fired_at"), now, Some(alert.fired_at))) }
        } } }
    } }
}

fn steps(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    if incident.steps.is_empty() {
        return html! { p { "Escalation: " (cell::none("steps")) } };
    }
    html! { table {
        caption { "Escalation" }
        thead { tr {
            th scope="col" { "Policy" } th scope="col" { "After" } th scope="col" { "Due" } th scope="col" { "State" } th scope="col" { "Who hears" }
        } }
        tbody { @for (place, step) in incident.steps.iter().enumerate() { @let at = format!("steps.{place}"); tr {
            th scope="row" { (cell::text(&format!("{at}.policy"), &step.policy)) }
            td { (cell::text(&format!("{at}.after"), &step.after)) }
            td { (cell::time(&format!("{at}.due_at"), now, Some(step.due_at))) }
            td { (cell::state(&format!("{at}.state"), &step.state)) }
            td {
                @if step.notify.is_empty() { (cell::none(&format!("{at}.notify"))) }
                @for (who, receiver) in step.notify.iter().enumerate() {
                    @if who > 0 { ", " } (cell::text(&format!("{at}.notify.{who}"), receiver))
                }
            }
        } } }
    } }
}

/// One row a message.
pub fn deliveries(caption: &str, now: DateTime<Utc>, deliveries: &[DeliveryView]) -> Markup {
    html! { div.scroll { table {
        caption { (caption) }
        thead { tr {
            th scope="col" { "Row" } th scope="col" { "Incident" } th scope="col" { "Receiver" } th scope="col" { "Event" }
            th scope="col" { "State" } th.n scope="col" { "Attempts" } th scope="col" { "Decided" } th scope="col" { "Next" }
            th scope="col" { "Accepted" } th scope="col" { "Receipt" } th scope="col" { "Newest failure" }
        } }
        tbody { @for (place, delivery) in deliveries.iter().enumerate() { @let at = format!("deliveries.{place}"); tr {
            th scope="row" { data value=(delivery.id) data-field={ (at) ".id" } { (delivery.id) } }
            td { (cell::optional(&format!("{at}.incident"), delivery.incident.as_deref())) }
            td { (cell::text(&format!("{at}.receiver"), &delivery.receiver)) }
            td { (cell::text(&format!("{at}.event"), &delivery.event)) }
            td { (cell::state(&format!("{at}.state"), &delivery.state)) }
            td.n { data value=(delivery.attempts) data-field={ (at) ".attempts" } { (delivery.attempts) } }
            td { (cell::time(&format!("{at}.decided_at"), now, Some(delivery.decided_at))) }
            td { (cell::time(&format!("{at}.next_at"), now, delivery.next_at)) }
            td { (cell::time(&format!("{at}.sent_at"), now, delivery.sent_at)) }
            td { (cell::optional(&format!("{at}.receipt"), delivery.receipt.as_deref())) }
            td { (cell::optional(&format!("{at}.last_error"), delivery.last_error.as_deref())) }
        } } }
    } } }
}

fn status_page(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    let Some(status) = &incident.status_page else {
        return html! { p { "Public status page: " (cell::absent("status_page")) } };
    };
    html! {
        h2 { "Public status page" }
        dl.facts {
            div { dt { "State" } dd { (cell::text("status_page.state", &status.state)) } }
            div { dt { "Draft that waits for approval" } dd { (cell::optional("status_page.draft", status.draft.as_deref())) } }
            div { dt { "Due" } dd { (cell::time("status_page.due_at", now, status.due_at)) } }
            div { dt { "Posted" } dd { (cell::time("status_page.posted_at", now, status.posted_at)) } }
            div { dt { "Late" } dd { (cell::seconds("status_page.late_seconds", status.late_seconds.map(|late| late as f64))) } }
            div { dt { "Left to people" } dd { (cell::flag("status_page.left_to_people", Some(status.left_to_people))) } }
        }
        @if status.draft.is_some() {
            p { "On the host: " code { "slod status-page approve " (incident.id) } " · " code { "slod status-page discard " (incident.id) } }
        }
    }
}

fn timeline(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    if incident.timeline.is_empty() {
        return html! { p { "Timeline: " (cell::none("timeline")) } };
    }
    html! { table {
        caption { "Timeline" }
        thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "In words" } } }
        tbody { @for (place, line) in incident.timeline.iter().enumerate() { @let at = format!("timeline.{place}"); tr {
            th scope="row" { (cell::time(&format!("{at}.at"), now, Some(line.at))) }
            td { (cell::text(&format!("{at}.kind"), &line.kind)) }
            td { (cell::text(&format!("{at}.text"), &line.text)) }
        } } }
    } }
}

/// One row an incident.
pub fn table(caption: &str, now: DateTime<Utc>, incidents: &[IncidentView]) -> Markup {
    if incidents.is_empty() {
        return html! { section { h2 { (caption) } p.absent { "None." } } };
    }
    html! { div.scroll { table {
        caption { (caption) }
        thead { tr {
            th scope="col" { "Incident" } th scope="col" { "Priority" } th scope="col" { "State" } th scope="col" { "Opened" }
            th scope="col" { "Resolved" } th.n scope="col" { "Bad" } th.n scope="col" { "Budget" }
        } }
        tbody { @for (place, incident) in incidents.iter().enumerate() { @let at = format!("incidents.{place}"); tr {
            th scope="row" { a href={ "/incident/" (incident.id) } { (cell::text(&format!("{at}.title"), &incident.title)) } }
            td { (cell::text(&format!("{at}.priority"), incident.priority.as_str())) }
            td { (cell::state(&format!("{at}.state"), &incident.state)) }
            td { (cell::time(&format!("{at}.opened_at"), now, Some(incident.opened_at))) }
            td { (cell::time(&format!("{at}.resolved_at"), now, incident.resolved_at)) }
            td.n { (amount(incident.cost.bad, incident.cost.in_seconds)) }
            td.n { (percent_or_absent(incident.cost.budget_share)) }
        } } }
    } } }
}
