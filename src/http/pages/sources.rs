//! `/sources`: what is asked, and who is told.

use axum::{extract::State, response::Response};
use maud::{Markup, html};
use serde::Serialize;

use super::{cell, incident, page};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        desk::{ReceiverView, SourceView},
        incident::DeliveryView,
    },
};

/// Most deliveries shown.
const DELIVERIES_MAX: usize = 50;

/// The data of the page.
#[derive(Serialize)]
struct SourcesPage {
    sources: Vec<SourceView>,
    receivers: Vec<ReceiverView>,
    deliveries: Vec<DeliveryView>,
}

/// The page.
pub async fn show(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let data = SourcesPage {
        sources: companion.desk.sources(),
        receivers: companion.desk.receivers().await?,
        deliveries: companion.desk.deliveries(None, DELIVERIES_MAX).await?,
    };
    Ok(ask.answer(&data, |data| render(&companion, data)))
}

fn render(companion: &Companion, data: &SourcesPage) -> Markup {
    let now = companion.now();
    let main = html! {
        div.scroll { table {
            caption { "Sources: what is asked" }
            thead { tr {
                th scope="col" { "Source" } th scope="col" { "Kind" } th scope="col" { "State" } th scope="col" { "Newest answer" }
                th.n scope="col" { "Took" } th scope="col" { "Newest failure" } th scope="col" { "Why" }
            } }
            tbody { @for (place, source) in data.sources.iter().enumerate() { @let at = format!("sources.{place}"); tr {
                th scope="row" { (cell::text(&format!("{at}.name"), &source.name)) }
                td { (cell::text(&format!("{at}.kind"), &source.kind)) }
                td { data value=(source.blind) data-field={ (at) ".blind" } {
                    @if source.blind { span.state.warn { "◌ blind" } } @else { span.state.good { "● answering" } }
                } }
                td { (cell::time(&format!("{at}.last_success"), now, source.last_success)) }
                td.n { (cell::seconds(&format!("{at}.latency_seconds"), source.latency_seconds)) }
                td { (cell::time(&format!("{at}.last_failure"), now, source.last_failure)) }
                td { (cell::optional(&format!("{at}.last_error"), source.last_error.as_deref())) }
            } } }
        } }
        div.scroll { table {
            caption { "Receivers: who is told" }
            thead { tr {
                th scope="col" { "Receiver" } th scope="col" { "Kind" } th.n scope="col" { "Not yet accepted" }
                th scope="col" { "Wants at most" } th.n scope="col" { "Joined" }
                th scope="col" { "Newest accepted" } th scope="col" { "Newest failure" } th scope="col" { "Why" }
            } }
            tbody { @for (place, receiver) in data.receivers.iter().enumerate() { @let at = format!("receivers.{place}"); tr {
                th scope="row" { (cell::text(&format!("{at}.name"), &receiver.name)) }
                td { (cell::text(&format!("{at}.kind"), &receiver.kind)) }
                td.n { data value=(receiver.pending) data-field={ (at) ".pending" } { (receiver.pending) } }
                td { (cell::optional(&format!("{at}.max_rate"), receiver.max_rate.as_deref())) }
                td.n { data value=(receiver.joined) data-field={ (at) ".joined" } { (receiver.joined) } }
                td { (cell::time(&format!("{at}.last_sent"), now, receiver.last_sent)) }
                td { (cell::time(&format!("{at}.last_failure"), now, receiver.last_failure)) }
                td { (cell::optional(&format!("{at}.last_error"), receiver.last_error.as_deref())) }
            } } }
        } }
        @if data.deliveries.is_empty() { p.absent { "No message yet." } }
        @else { (incident::deliveries("The newest messages", now, &data.deliveries)) }
    };
    page(companion, "Sources and receivers", None, &main)
}
