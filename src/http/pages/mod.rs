//! Pages: plain HTML that needs no script. Each shows the data that its route gives as JSON, field by field: the element
//! that holds a field names it in `data-field`.

pub mod alerts;
pub mod assets;
pub mod badge;
pub mod budget;
pub mod cell;
mod changes;
pub mod confirm;
mod hindsight;
pub mod incident;
mod incident_acts;
mod incident_lead;
mod incident_parts;
pub mod login;
mod looks;
mod noise;
pub mod optimization;
pub mod overview;
mod pen;
pub mod service;
mod shell;
pub mod silence_form;
pub mod silences;
pub mod slo;
mod slo_charts;
mod slo_facts;
mod slo_table;
pub mod sources;
mod visible;
pub mod wanted;

use axum::http::StatusCode;
use maud::{Markup, html};

pub use self::shell::Shell;
use self::shell::service_links;
use super::{Companion, problem::Problem, routes::ROUTES, session::Visit};
use crate::views::desk::ServiceView;

/// A whole page. `service` puts that service's pages into the navigation.
fn page(companion: &Companion, title: &str, service: Option<&str>, main: &Markup) -> Markup {
    Shell::new(companion, title).of(service).around(main)
}

/// A page that is an entry of the navigation.
fn page_at(companion: &Companion, here: &'static str, title: &str, service: Option<&str>, main: &Markup) -> Markup {
    Shell::new(companion, title).here(here).of(service).around(main)
}

/// An error for a browser: what is wrong, what to do, what exists.
pub fn error(companion: &Companion, problem: &Problem) -> Markup {
    let main = html! {
        p { strong { (cell::sentence(&problem.message)) } }
        @if let Some(help) = &problem.help { p { (cell::sentence(help)) } }
        @if problem.status == StatusCode::UNAUTHORIZED && companion.desk.has_tokens() {
            p { a.button href=(pen::login(&Visit::current().place)) { "Log in" } }
        }
        @if let Some(place) = &problem.look { p { a.button href=(place) { "Look at its page" } } }
        @if problem.status == StatusCode::SERVICE_UNAVAILABLE { (newest_data(companion)) }
        h2 { "What there is" }
        ul {
            li { a href="/" { "All services" } }
            @for service in companion.desk.services() {
                li { (service.title) ": " span.links { (service_links(&service.name)) } }
            }
            li { a href="/silences" { "Silences and planned work" } }
            li { a href="/sources" { "Sources and receivers" } }
        }
        details {
            summary { "All routes" }
            (cell::scroll("Routes", &html! { table {
                caption { "Routes" }
                thead { tr { th scope="col" { "Method" } th scope="col" { "Path" } th scope="col" { "What" } } }
                tbody {
                    @for route in ROUTES {
                        tr { td { (route.method) } td { code { (route.path) } } td { (route.what) } }
                    }
                }
            } }))
        }
    };
    page(companion, &format!("{} {}", problem.status.as_u16(), problem.code.replace('_', " ")), None, &main)
}

/// What is known all the same while the store does not answer: figures are kept in memory.
fn newest_data(companion: &Companion) -> Markup {
    let newest = companion.desk.slos().iter().filter_map(|slo| slo.watermark).max();
    html! {
        p.meta {
            @match newest {
                Some(at) => { "Newest data: " (cell::known_time("newest_data", companion.now(), Some(at)))
                    ". The figures on " a href="/" { "the overview" } " are kept in memory and go on." }
                None => "No data yet."
            }
        }
    }
}

/// The service of that name, or a 404 that names those there are.
pub fn known_service(companion: &Companion, name: &str) -> Result<ServiceView, Problem> {
    let services = companion.desk.services();
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let help = format!("services: {}", names.join(", "));
    services
        .iter()
        .find(|service| service.name == name)
        .cloned()
        .ok_or_else(|| Problem::not_found(format!("there is no service `{name}`")).help(help))
}
