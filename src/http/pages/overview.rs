//! `/`: all services, worst first.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use serde::Serialize;

use super::{
    cell,
    shell::{Shell, embeds},
    slo_table::{self, Row},
    wanted::{STATES, Wanted},
};
use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        dashboard::{Glance, OpenIncident},
        desk::{DeskError, ServiceView},
        render_words::{glyph, tone},
        slo::{SloState, SloView},
    },
};

/// Nothing judged for so long: what is shown is no news.
const FRESH_SECONDS: i64 = 120;

/// The data of the page.
#[derive(Serialize)]
struct Overview<'a> {
    services: Vec<Entry<'a>>,
    /// How many SLOs are in each state, of those that are named.
    counts: BTreeMap<&'static str, usize>,
    judged_at: Option<DateTime<Utc>>,
    stale: bool,
    wanted: Wanted,
    incidents: Vec<OpenIncident>,
}

#[derive(Serialize)]
struct Entry<'a> {
    service: ServiceView,
    state: SloState,
    slos: Vec<&'a SloView>,
    #[serde(skip)]
    is_stale: Vec<bool>,
}

/// The page.
pub async fn show(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let services = companion.desk.services();
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let wanted = Wanted::read(&ask, &names, embeds(&ask)?)?;
    // The figures are to be seen even while the store is not.
    let incidents = match companion.desk.open_incidents().await {
        Ok(incidents) => incidents,
        Err(DeskError::Unavailable(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let glances = companion.desk.glance();
    let overview = overview(services, &glances, wanted, incidents, companion.now());
    Ok(ask.answer(&overview, |overview| render(&companion, overview)))
}

fn overview<'a>(
    services: Vec<ServiceView>,
    glances: &'a [Glance],
    wanted: Wanted,
    incidents: Vec<OpenIncident>,
    now: DateTime<Utc>,
) -> Overview<'a> {
    let named: Vec<&Glance> = glances.iter().filter(|glance| wanted.names(&glance.view)).collect();
    let mut counts: BTreeMap<&'static str, usize> = STATES.iter().map(|state| (state.as_str(), 0)).collect();
    for glance in &named {
        *counts.entry(glance.view.state.as_str()).or_default() += 1;
    }
    let is_filtered = is_filtered(&wanted);
    let mut entries: Vec<Entry<'a>> = services
        .into_iter()
        .map(|service| {
            let mine = named.iter().filter(|glance| glance.view.service == service.name && wanted.shows(&glance.view));
            let mut mine: Vec<&Glance> = mine.copied().collect();
            mine.sort_by(|one, other| SloView::worst_first(&one.view, &other.view));
            let state = mine.first().map_or(SloState::Empty, |glance| glance.view.state);
            let is_stale = mine.iter().map(|glance| glance.is_stale).collect();
            Entry { service, state, slos: mine.into_iter().map(|glance| &*glance.view).collect(), is_stale }
        })
        .filter(|entry| !is_filtered || !entry.slos.is_empty())
        .collect();
    entries.sort_by(|one, other| (one.state, &one.service.name).cmp(&(other.state, &other.service.name)));
    let judged_at = glances.iter().map(|glance| glance.view.evaluated_at).max();
    let stale = judged_at.is_some_and(|at| now - at > TimeDelta::seconds(FRESH_SECONDS))
        || (!glances.is_empty() && glances.iter().all(|glance| glance.is_stale));
    Overview { services: entries, counts, judged_at, stale, wanted, incidents }
}

fn render(companion: &Companion, overview: &Overview<'_>) -> Markup {
    let (now, wanted) = (companion.now(), &overview.wanted);
    let mut rows = rows(overview);
    wanted.sort(&mut rows);
    let all: usize = overview.counts.values().sum();
    let caption = format!(
        "{} of {all} service levels, {}",
        rows.len(),
        if wanted.sort.is_some() { "sorted" } else { "the worst first" }
    );
    let main = html! {
        (judged(overview, now))
        (counts(overview, all))
        @if !wanted.embed { (filters(overview)) }
        (other_incidents(overview, now))
        @if overview.services.is_empty() && !is_filtered(wanted) { p { "The configuration names no service." } }
        @if rows.is_empty() { p.absent { "No service level is in this selection. " a href="/" { "Show all" } } }
        @else { (slo_table::table(&caption, now, &wanted.heads(), &rows)) }
        @if !wanted.embed { (services(overview)) }
    };
    let says = format!(
        "{all} service levels: {}",
        STATES
            .map(|state| format!("{} {}", overview.counts.get(state.as_str()).unwrap_or(&0), state.as_str()))
            .join(", ")
    );
    Shell::new(companion, "Services").here("overview").says(says).embedded(wanted.embed).around(&main)
}

fn is_filtered(wanted: &Wanted) -> bool {
    wanted.state.is_some() || wanted.service.is_some() || wanted.q.is_some()
}

fn rows<'a>(overview: &'a Overview<'_>) -> Vec<Row<'a>> {
    let of: BTreeMap<_, &OpenIncident> = overview
        .incidents
        .iter()
        .rev()
        .filter_map(|one| Some(((one.service.as_deref()?, one.slo.as_deref()?, &one.series), one)))
        .collect();
    let mut rows = Vec::new();
    for (place, entry) in overview.services.iter().enumerate() {
        for (number, slo) in entry.slos.iter().enumerate() {
            rows.push(Row {
                at: format!("services.{place}.slos.{number}"),
                slo,
                is_stale: entry.is_stale.get(number) == Some(&true),
                incident: of.get(&(slo.service.as_str(), slo.name.as_str(), &slo.series)).copied(),
                service: Some(&entry.service.title),
            });
        }
    }
    rows
}

fn judged(overview: &Overview<'_>, now: DateTime<Utc>) -> Markup {
    html! {
        @if overview.stale {
            p.banner role="alert" { strong { "◌ Not fresh: " } "nothing was judged since " (cell::age(now, overview.judged_at)) ". These figures are old." }
        } @else if overview.judged_at.is_some() {
            p.judged { "Judged " (cell::age(now, overview.judged_at)) }
        }
    }
}

/// How many are in which state; each is a link to those.
fn counts(overview: &Overview<'_>, all: usize) -> Markup {
    let wanted = &overview.wanted;
    let current = |state: Option<&str>| (wanted.state.as_deref() == state).then_some("true");
    html! {
        ul.counts {
            li { a href=(wanted.with("state", None)) aria-current=[current(None)] { strong { (all) } " all" } }
            @for state in STATES.map(SloState::as_str) {
                @let many = overview.counts.get(state).copied().unwrap_or_default();
                li { a.{ (tone(state)) }.zero[many == 0] href=(wanted.with("state", Some(state))) aria-current=[current(Some(state))] {
                    span aria-hidden="true" { (glyph(state)) " " } strong { (many) } " " (state)
                } }
            }
        }
    }
}

fn filters(overview: &Overview<'_>) -> Markup {
    let wanted = &overview.wanted;
    html! {
        form.filters role="search" action="/" method="get" {
            @for (name, value) in [("state", &wanted.state), ("service", &wanted.service), ("sort", &wanted.sort)] {
                @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
            }
            label for="q" { "Search" } " "
            input #q type="search" name="q" value=[wanted.q.as_deref()] maxlength="200" autocomplete="off";
            " " button { "Find" }
            @if is_filtered(wanted) { " " a href=(Wanted { sort: wanted.sort.clone(), ..Wanted::default() }.with("", None)) { "Show all" } }
            @if wanted.sort.is_some() { " " a href=(wanted.with("sort", None)) { "Worst first" } }
        }
    }
}

/// Incidents that stand in no row: of sources, and of what is not shown.
fn other_incidents(overview: &Overview<'_>, now: DateTime<Utc>) -> Markup {
    let others = overview.incidents.iter().filter(|one| one.source.is_some());
    html! { @for one in others {
        p.banner { strong { "◌ Source " bdi { (one.source.as_deref().unwrap_or_default()) } ", " (cell::age(now, Some(one.opened_at))) ": " }
            a href={ "/incident/" (one.id) } { bdi { (one.title) } } }
    } }
}

/// The services themselves, worst first.
fn services(overview: &Overview<'_>) -> Markup {
    html! { section {
        h2 { "By service" }
        ul.cards { @for (place, entry) in overview.services.iter().enumerate() {
            @let at = format!("services.{place}");
            li {
                h3 { a href={ "/" (entry.service.name) "/health" } { (cell::text(&format!("{at}.service.title"), &entry.service.title)) } }
                p { (cell::state(&format!("{at}.state"), entry.state.as_str())) " " (entry.slos.len()) @if entry.slos.len() == 1 { " service level" } @else { " service levels" } }
                p.meta {
                    (cell::text(&format!("{at}.service.name"), &entry.service.name))
                    @if let Some(owner) = &entry.service.owner { " · " (cell::text(&format!("{at}.service.owner"), owner)) }
                }
                p.links {
                    a href=(overview.wanted.with("service", Some(&entry.service.name))) { "Only these" } " "
                    (super::shell::service_links(&entry.service.name))
                }
            }
        } }
    } }
}
