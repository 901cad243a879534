//! A second look before what cannot be taken back.

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{cell, page, pen};
use crate::{
    http::{Companion, ask::Ask, here, problem::Problem},
    views::incident::IncidentView,
};

/// What is asked.
struct Question {
    path: &'static str,
    title: &'static str,
    button: &'static str,
    /// What it does.
    means: &'static str,
    /// The same on the host.
    command: &'static str,
    /// It makes sense while a draft waits only.
    of_draft: bool,
}

type Answer = Result<Response, Problem>;

/// `GET /incident/{id}/resolve`
pub async fn resolve(State(companion): State<Companion>, Path(id): Path<String>, ask: Ask) -> Answer {
    let question = Question {
        path: "resolve",
        title: "Resolve this incident?",
        button: "Resolve it",
        means: "It ends for everybody who was told, although its alerts may still fire. Those stay silent until each has cleared once.",
        command: "slod resolve",
        of_draft: false,
    };
    answer(&companion, &id, &ask, &question).await
}

/// `GET /incident/{id}/status-page/approve`
pub async fn approve(State(companion): State<Companion>, Path(id): Path<String>, ask: Ask) -> Answer {
    let question = Question {
        path: "status-page/approve",
        title: "Post this to the public status page?",
        button: "Post it",
        means: "Everybody can read it at once, and subscribers are told. It cannot be taken back from here.",
        command: "slod status-page approve",
        of_draft: true,
    };
    answer(&companion, &id, &ask, &question).await
}

/// `GET /incident/{id}/status-page/discard`
pub async fn discard(State(companion): State<Companion>, Path(id): Path<String>, ask: Ask) -> Answer {
    let question = Question {
        path: "status-page/discard",
        title: "Drop this draft?",
        button: "Drop it",
        means: "It is not posted, and nothing more of this incident is proposed: the public page is left to people.",
        command: "slod status-page discard",
        of_draft: true,
    };
    answer(&companion, &id, &ask, &question).await
}

async fn answer(companion: &Companion, id: &str, ask: &Ask, question: &Question) -> Answer {
    let incident = companion.desk.incident(id).await?;
    Ok(ask.answer(&incident, |incident| render(companion, incident, question)))
}

fn render(companion: &Companion, incident: &IncidentView, question: &Question) -> Markup {
    let back = format!("/incident/{}", here::segment(&incident.id));
    let page_of = incident.status_page.as_ref();
    let draft = page_of.and_then(|page| page.draft.as_deref());
    let says = page_of.and_then(|page| page.draft_text.as_deref());
    let is_void = incident.state == "resolved" && !question.of_draft || question.of_draft && draft.is_none();
    let main = html! {
        p.lead { (cell::state("state", &incident.state)) " · " (cell::text("priority", incident.priority.as_str()))
            " · " (cell::text("title", &incident.title)) }
        p { @if incident.resolved_at.is_some() { "Open from " } @else { "Open since " }
            (cell::time("opened_at", companion.now(), Some(incident.opened_at)))
            @if let Some(end) = incident.resolved_at {
                " to " (cell::time("resolved_at", companion.now(), Some(end)))
                @if let Some(by) = &incident.resolved_by { ", resolved by " (cell::text("resolved_by", by)) }
            }
        }
        @if let Some(draft) = draft.filter(|_| question.of_draft) {
            p { "The draft, as “" (cell::text("status_page.draft", draft)) "”:" }
            blockquote { (cell::optional("status_page.draft_text", says)) }
        }
        @if is_void {
            p { @if question.of_draft { "No draft waits for approval." } @else { "It is resolved already." } }
        } @else {
            p { (question.means) }
            @match pen::Pen::current() {
                Some(pen) => div.acts {
                    form.act method="post" action={ (back) "/" (question.path) } {
                        (pen.hidden()) button.grave type="submit" { (question.button) }
                    }
                    a.button href=(back) { "No, go back" }
                }
                None => { (pen::without(companion)) p { "On the host: " code { (question.command) " " (incident.id) } } }
            }
        }
        p { a href=(back) { "← the incident" } }
    };
    page(companion, question.title, incident.service.as_deref(), &main)
}
