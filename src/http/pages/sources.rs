//! `/sources`: what is asked, who is told, and what is told on crontabs.

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Serialize;

use super::{
    cell,
    incident_parts::{Messages, deliveries},
    page_at,
    pen::{self, Pen},
};
use crate::{
    http::{
        Companion,
        ask::Ask,
        forms::outcome::{Outcome, words},
        problem::Problem,
    },
    views::{
        almanac::AgendaView,
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
    agenda: Vec<AgendaView>,
    deliveries: Vec<DeliveryView>,
    configuration: Running,
}

/// The running configuration.
#[derive(Serialize)]
struct Running {
    hash: String,
    loaded_at: DateTime<Utc>,
    /// Why the newest one was refused, if it was.
    rejected_reload: Option<String>,
}

/// The page.
pub async fn show(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let done = ask.word("done", &words())?.and_then(Outcome::of);
    let health = companion.desk.health();
    let data = SourcesPage {
        sources: companion.desk.sources(),
        receivers: companion.desk.receivers().await?,
        agenda: companion.desk.agenda().await?,
        deliveries: companion.desk.deliveries(None, DELIVERIES_MAX).await?,
        configuration: Running {
            hash: health.config_hash,
            loaded_at: health.loaded_at,
            rejected_reload: health.rejected_reload,
        },
    };
    Ok(ask.answer(&data, |data| render(&companion, data, done)))
}

fn render(companion: &Companion, data: &SourcesPage, done: Option<Outcome>) -> Markup {
    let now = companion.now();
    let main = html! {
        (pen::result(done))
        (pen::without(companion))
        @if data.sources.is_empty() {
            p { "Sources: " (cell::none("sources")) ". The configuration names nothing to ask under " code { "sources" } "; probes ask by themselves." }
        } @else { (sources(&data.sources, now)) }
        @if data.receivers.is_empty() {
            p { "Receivers: " (cell::none("receivers")) ". The configuration names nobody to tell under " code { "receivers" } "." }
        } @else { (receivers(&data.receivers, now)) }
        @if data.agenda.is_empty() { p { "Reports and reminders: " (cell::none("agenda")) } } @else { (agenda(companion, &data.agenda)) }
        (deliveries(Messages { caption: "The newest messages", at: "deliveries", from: "sources" }, now, &data.deliveries, Pen::current().as_ref()))
        (running(now, &data.configuration))
    };
    page_at(companion, "sources", "Sources and receivers", None, &main)
}

fn sources(all: &[SourceView], now: DateTime<Utc>) -> Markup {
    cell::scroll(
        "Sources: what is asked",
        &html! { table {
            caption { "Sources: what is asked" }
            thead { tr {
                th scope="col" { "Source" } th scope="col" { "Kind" } th scope="col" { "State" } th scope="col" { "Newest answer" }
                th.n scope="col" { "Took" } th scope="col" { "Newest failure" } th scope="col" { "Why" }
            } }
            tbody { @for (place, source) in all.iter().enumerate() { @let at = format!("sources.{place}"); tr {
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
        } },
    )
}

fn receivers(all: &[ReceiverView], now: DateTime<Utc>) -> Markup {
    cell::scroll(
        "Receivers: who is told",
        &html! { table {
            caption { "Receivers: who is told" }
            thead { tr {
                th scope="col" { "Receiver" } th scope="col" { "Kind" } th.n scope="col" { "Waiting" } th.n scope="col" { "Dead" }
                th scope="col" { "Wants at most" } th.n scope="col" { "Joined" }
                th scope="col" { "Newest accepted" } th scope="col" { "Newest failure" } th scope="col" { "Why" }
            } }
            tbody { @for (place, receiver) in all.iter().enumerate() { @let at = format!("receivers.{place}"); tr {
                th scope="row" { (cell::text(&format!("{at}.name"), &receiver.name)) }
                td { (cell::text(&format!("{at}.kind"), &receiver.kind)) }
                td.n { data value=(receiver.pending) data-field={ (at) ".pending" } { (receiver.pending) } }
                td.n { data value=(receiver.dead) data-field={ (at) ".dead" } {
                    @if receiver.dead > 0 { strong.bad { span aria-hidden="true" { "■ " } (receiver.dead) } } @else { "0" }
                } }
                td { (cell::optional(&format!("{at}.max_rate"), receiver.max_rate.as_deref())) }
                td.n { data value=(receiver.joined) data-field={ (at) ".joined" } { (receiver.joined) } }
                td { (cell::time(&format!("{at}.last_sent"), now, receiver.last_sent)) }
                td { (cell::time(&format!("{at}.last_failure"), now, receiver.last_failure)) }
                td { (cell::optional(&format!("{at}.last_error"), receiver.last_error.as_deref())) }
            } } }
        } },
    )
}

fn running(now: DateTime<Utc>, running: &Running) -> Markup {
    html! {
        h2 { "Configuration" }
        dl.facts {
            div { dt { "Running" } dd { (cell::text("configuration.hash", &running.hash)) } }
            div { dt { "Loaded" } dd { (cell::time("configuration.loaded_at", now, Some(running.loaded_at))) } }
            @if running.rejected_reload.is_none() {
                div { dt { "Refused reload since" } dd { (cell::absent("configuration.rejected_reload")) } }
            }
        }
        @if let Some(problems) = &running.rejected_reload {
            p { strong.bad { "■ The newest reload was refused:" } }
            pre { (cell::text("configuration.rejected_reload", problems)) }
        }
    }
}

fn agenda(companion: &Companion, entries: &[AgendaView]) -> Markup {
    let now = companion.now();
    cell::scroll(
        "Reports and reminders: what is told when",
        &html! { table {
            caption { "Reports and reminders: what is told when" }
            thead { tr {
                th scope="col" { "Entry" } th scope="col" { "Kind" } th scope="col" { "Next" } th scope="col" { "Newest" }
                th.n scope="col" { "Missed before it" } th scope="col" { "Crontab" } th scope="col" { "Time zone" } th scope="col" { "To" }
            } }
            tbody { @for (place, entry) in entries.iter().enumerate() { @let at = format!("agenda.{place}"); tr {
                th scope="row" { (cell::text(&format!("{at}.name"), &entry.name)) }
                td { (cell::text(&format!("{at}.kind"), &entry.kind)) }
                td { (cell::time(&format!("{at}.next_at"), now, entry.next_at)) }
                td { (cell::time(&format!("{at}.last_at"), now, entry.last_at)) }
                td.n { (cell::figure(&format!("{at}.last_missed"), entry.last_missed.map(|missed| missed as f64), |missed| missed.to_string())) }
                td { code { (cell::text(&format!("{at}.cron"), &entry.cron)) } }
                td { (cell::text(&format!("{at}.timezone"), &entry.timezone)) }
                td {
                    @if entry.notify.is_empty() { (cell::none(&format!("{at}.notify"))) }
                    @for (place, name) in entry.notify.iter().enumerate() {
                        @if place > 0 { ", " }
                        (cell::text(&format!("{at}.notify.{place}"), name))
                    }
                }
            } } }
        } },
    )
}
