//! `/`: all services, worst first.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use serde::Serialize;

use super::{cell, page, service::slo_table};
use crate::{
    http::{Companion, ask::Ask},
    views::{
        desk::ServiceView,
        slo::{SloState, SloView},
    },
};

/// The data of the page.
#[derive(Serialize)]
struct Overview {
    services: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    service: ServiceView,
    state: SloState,
    slos: Vec<SloView>,
}

/// The page.
pub async fn show(State(companion): State<Companion>, ask: Ask) -> Response {
    let all = companion.desk.slos();
    let mut services: Vec<Entry> = companion
        .desk
        .services()
        .into_iter()
        .map(|service| {
            let mut slos: Vec<SloView> = all.iter().filter(|slo| slo.service == service.name).cloned().collect();
            slos.sort_by(SloView::worst_first);
            let state = slos.first().map_or(SloState::Empty, |slo| slo.state);
            Entry { service, state, slos }
        })
        .collect();
    services.sort_by(|one, other| (one.state, &one.service.name).cmp(&(other.state, &other.service.name)));
    ask.answer(&Overview { services }, |overview| render(&companion, overview))
}

fn render(companion: &Companion, overview: &Overview) -> Markup {
    let main = html! {
        @if overview.services.is_empty() { p { "The configuration names no service." } }
        @for (place, entry) in overview.services.iter().enumerate() {
            @let at = format!("services.{place}");
            section {
                h2 {
                    a href={ "/" (entry.service.name) "/health" } { (cell::text(&format!("{at}.service.title"), &entry.service.title)) }
                    " " (cell::state(&format!("{at}.state"), entry.state.as_str()))
                }
                p.meta {
                    (cell::text(&format!("{at}.service.name"), &entry.service.name))
                    @if let Some(owner) = &entry.service.owner { " · owner: " (cell::text(&format!("{at}.service.owner"), owner)) }
                }
                (slo_table(&at, &format!("Objectives of {}", entry.service.title), companion.now(), &entry.slos))
            }
        }
    };
    page(companion, "Services", None, &main)
}
