//! `/incident/{id}`: one incident with everything.

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    cell,
    changes::{affair, changes},
    incident_acts::{controls, draft_buttons},
    incident_lead::lead,
    incident_parts::{Messages, alerts, deliveries, facts, status_page, steps, timeline},
    looks, page,
    pen::{self, Pen},
    silence_form::SilenceDraft,
};
use crate::{
    http::{
        Companion,
        ask::Ask,
        forms::outcome::{Outcome, words},
        problem::Problem,
        session::Visit,
    },
    views::{
        incident::IncidentView,
        render_words::{amount, instant_and_age, percent_or_absent},
    },
};

/// What was written into the page's forms, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// A note.
    pub note: String,
    /// What is wrong with it.
    pub note_fault: Option<String>,
    /// A silence.
    pub silence: SilenceDraft,
}

/// The page.
pub async fn show(State(companion): State<Companion>, Path(id): Path<String>, ask: Ask) -> Result<Response, Problem> {
    let done = ask.word("done", &words())?.and_then(Outcome::of);
    if ask.wants_json() {
        return Ok(Json(companion.desk.incident(&id).await?).into_response());
    }
    Ok(answer(&companion, &id, done, &Draft::default()).await?.into_response())
}

/// The page, with what became of a form, or what is wrong with it.
pub async fn answer(companion: &Companion, id: &str, done: Option<Outcome>, draft: &Draft) -> Result<Markup, Problem> {
    let (incident, written_up) = companion.desk.incident_written_up(id).await?;
    let changed = companion.desk.changes(affair(&incident)).await?;
    let now = companion.now();
    let head = lead(companion, &incident).await?;
    let main = html! {
        (pen::result_with(done.filter(|done| is_so(*done, &incident)), |done| already(done, &incident, now)))
        (pen::not_done(draft.note_fault.is_some(), "text"))
        (pen::not_done(draft.silence.is_faulty(), "silence"))
        (head)
        (changes(&incident, &changed))
        (controls(companion, &incident, draft))
        (steps("", &incident, now))
        (deliveries(Messages { caption: "Messages", at: "deliveries", from: "incident" }, now, &incident.deliveries, Pen::current().as_ref()))
        h2 { "Public status page" }
        (status_page("", &incident, now))
        (draft_buttons(&incident))
        (alerts("", &incident, now))
        (looks::first_look(&incident, now))
        (looks::by_hand(&incident))
        (timeline("", &incident, now))
        h2 { "Facts" }
        (facts("", &incident, now))
        h2 { "Post-incident document" }
        p { a href={ "/api/v1/incidents/" (incident.id) "?format=markdown" } { "Markdown" } " · "
            a href={ "/api/v1/incidents/" (incident.id) } { "JSON" } " · "
            a href={ "/api/v1/incidents/" (incident.id) "/why" } { "why each message was or was not sent" } }
        details { summary { "Read it here" } pre { (written_up) } }
    };
    Ok(page(companion, &incident.title, incident.service.as_deref(), &main))
}

/// Whether the incident shows what an address says of it: anybody can write an address.
fn is_so(done: Outcome, incident: &IncidentView) -> bool {
    let has_draft = incident.status_page.as_ref().is_some_and(|page| page.draft.is_some());
    match done {
        Outcome::Acknowledged => incident.acknowledged_at.is_some(),
        Outcome::TakenOver => incident.acknowledged_before.is_some(),
        Outcome::Resolved | Outcome::Over => incident.resolved_at.is_some(),
        Outcome::Approved | Outcome::Discarded | Outcome::NoDraft => !has_draft,
        _ => Visit::current().person.is_some(),
    }
}

/// Who had done it already, and when.
fn already(done: Outcome, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    html! { @match done {
        Outcome::TakenOver => @if let Some(held) = &incident.acknowledged_before {
            " Before you: " bdi { (held.by) } ", " (instant_and_age(now, held.at)) "."
        },
        Outcome::Over => @if let Some(end) = incident.resolved_at {
            " It ended " (instant_and_age(now, end)) @if let Some(by) = &incident.resolved_by { ", resolved by " bdi { (by) } } "."
        },
        _ => {}
    } }
}

/// One row an incident.
pub fn table(caption: &str, now: DateTime<Utc>, incidents: &[IncidentView]) -> Markup {
    if incidents.is_empty() {
        return html! { section { h2 { (caption) } p.absent { "None." } } };
    }
    cell::scroll(
        caption,
        &html! { table {
            caption { (caption) }
            thead { tr {
                th scope="col" { "Incident" } th scope="col" { "Priority" } th scope="col" { "State" } th scope="col" { "Opened" }
                th scope="col" { "Resolved" } th.n scope="col" { "Bad" } th.n scope="col" { "Cost, of the window's budget" }
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
        } },
    )
}
