//! `/slo/{service}/{slo}`: one SLO: what is left, how it came to that, what would page, every field of it, and the newest slots.

use axum::{
    extract::{Path, State},
    response::Response,
};
use chrono::{DateTime, Duration, Utc};
use maud::{Markup, html};

use super::{
    cell,
    shell::{Shell, embeds},
    slo_charts::charts,
    slo_facts::{alerts, burn_rates, facts, newest_slots},
};
use crate::{
    domain::name::SloId,
    http::{Companion, ask::Ask, problem::Problem},
    views::{
        dashboard::{BurnRow, BurnWindow, MarkKind, Scene},
        render_words::{number, percent, percent_or_absent, relative, within},
        slo::{SloView, SlotView},
    },
};

/// How far back slots are shown, and how many.
const SLOTS_HOURS: i64 = 6;
const SLOTS_SHOWN: usize = 40;
/// Parts of the window that charts draw: about one every two pixels.
const PARTS: usize = 300;
/// Six hours of slots of one second.
const SLOTS_MAX: usize = 6 * 3600;

/// The page.
pub async fn show(
    State(companion): State<Companion>,
    Path((service, slo)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, Problem> {
    let id = SloId::new(service, slo);
    let embed = embeds(&ask)?;
    let slo = companion.desk.slo(&id, &ask.labels(&["embed"]))?;
    let slots = match slo.watermark {
        Some(end) => {
            let from = end - Duration::hours(SLOTS_HOURS);
            companion.desk.slots(&id, &slo.series, Some(from), Some(end), SLOTS_MAX).await?
        }
        None => Vec::new(),
    };
    let scene = companion.desk.scene(&id, &slo.series, PARTS).await?;
    Ok(ask.answer(&slo, |slo| render(&companion, slo, &scene, &slots, embed)))
}

fn render(companion: &Companion, slo: &SloView, scene: &Scene, slots: &[SlotView], embed: bool) -> Markup {
    let now = companion.now();
    let main = html! {
        p.lead { (cell::state("state", slo.state.as_str())) (cell::text("id", &slo.id.to_string()))
            @if !slo.series.is_empty() { span { (cell::labels("series", &slo.series)) } }
            span.judged { "newest slot " (cell::known(now, slo.watermark)) } }
        @if let Some(fault) = &slo.fault { p.banner { strong { "◌ Newest slot: " } (cell::text("fault", fault)) } }
        (open(scene, now))
        (tiles(slo, scene, now))
        (charts(slo, scene))
        h2 { "What would page" }
        (burns(scene))
        div.pair { (burn_rates(slo)) (alerts(slo)) }
        (definition(scene))
        (facts(slo, now))
        (newest_slots(slo, slots, SLOTS_SHOWN, SLOTS_HOURS))
        p.links { a href={ "/api/v1/slos/" (slo.id) (cell::query(&slo.series)) } { "JSON" } " "
            a href={ "/api/v1/slos/" (slo.id) "/slots" (cell::query(&slo.series)) } { "All slots of the window" } " "
            a href={ "/api/v1/slos/" (slo.id) "/explain" (cell::query(&slo.series)) } { "How these figures follow" } " "
            a href={ "/badge/" (slo.id) ".svg" } { "Badge" } }
    };
    let says = format!(
        "{}: {} of the error budget left; objective {} in {}, achieved {}",
        slo.state.as_str(),
        percent_or_absent(slo.budget.remaining),
        percent(slo.objective),
        slo.window,
        percent_or_absent(slo.sli)
    );
    Shell::new(companion, &slo.title).of(Some(&slo.service)).says(says).embedded(embed).around(&main)
}

/// Incidents that go on.
fn open(scene: &Scene, now: DateTime<Utc>) -> Markup {
    let going = scene.marks.iter().filter(|mark| mark.kind == MarkKind::Incident && mark.to.is_none());
    html! { @for mark in going {
        p.banner { strong { "▲ Incident, " (relative(now, mark.from)) ": " }
            @if let Some(href) = &mark.href { a href=(href) { bdi { (mark.text) } } } @else { bdi { (mark.text) } } }
    } }
}

/// The four figures that matter most.
fn tiles(slo: &SloView, scene: &Scene, now: DateTime<Utc>) -> Markup {
    let budget = &slo.budget;
    html! {
        dl.tiles {
            div { dt { "Objective" } dd { (cell::share("objective", Some(slo.objective))) small { "good " (within(&slo.window)) (slo.window) } } }
            div { dt { "SLI" } dd { (cell::share("sli", slo.sli)) small { (percent(budget.coverage)) @if scene.period.is_some() { " of the whole period measured" } @else { " of the time measured" } } } }
            div { dt { "Budget left" } dd {
                (cell::share("budget.remaining", budget.remaining)) (cell::bar(budget.remaining.filter(|_| slo.sli.is_some())))
                small { @if budget.remaining_if_bad == budget.remaining_if_good && budget.remaining_if_good == budget.remaining { "all of it measured" }
                    @else if budget.remaining_if_bad == budget.remaining_if_good { "as measured; " (percent_or_absent(budget.remaining_if_good)) " of the whole period's" }
                    @else { "as measured; between " (percent_or_absent(budget.remaining_if_bad)) " and " (percent_or_absent(budget.remaining_if_good)) " with what is unmeasured" } }
            } }
            div { dt { "Time to exhaustion" } dd { (exhaustion(slo, now)) } }
        }
    }
}

fn exhaustion(slo: &SloView, now: DateTime<Utc>) -> Markup {
    // The reading that makes an SLO `exhausted`.
    let left = slo.budget.remaining_if_good;
    html! { @match slo.budget.exhausts_at {
        _ if left.is_some_and(|left| left <= 0.0) => { "spent" small { "nothing is left to burn" } }
        Some(at) => { (cell::age(now, Some(at))) small { "what is left, at the rate of the last 6 h" } }
        None => { span { "not in sight" } small { "at the rate of the last 6 h" } }
    } }
}

fn burns(scene: &Scene) -> Markup {
    if scene.burns.is_empty() {
        return html! { p.absent { "No policy looks at its burn rate." } };
    }
    cell::scroll(
        "Burn-rate alerts",
        &html! { table {
            caption { "Burn-rate alerts: both windows must burn at the factor or faster" }
            thead { tr {
                th scope="col" { "Alert" } th scope="col" { "Priority" } th scope="col" { "State" } th.n scope="col" { "Factor" }
                th.n scope="col" { "Long window, now" } th.n scope="col" { "Short window, now" }
            } }
            tbody { @for row in &scene.burns { (burn_row(row)) } }
        } },
    )
}

fn burn_row(row: &BurnRow) -> Markup {
    let window = |window: &BurnWindow| {
        html! {
            td.n {
                small { (window.name) " " }
                @let reached = window.now.is_some_and(|now| now >= row.factor);
                strong.bad[reached] { @if let Some(now) = window.now { (number(now)) @if reached { " ▲" } } @else { "—" } }
                @if let Some(link) = &window.link { " " a.out href=(link) rel="noreferrer" { "in Prometheus" } }
            }
        }
    };
    html! { tr {
        th scope="row" { bdi { (row.alert) } } td { (row.priority.as_str()) } td { (cell::pill(&row.state)) }
        td.n { (number(row.factor)) } (window(&row.long)) (window(&row.short))
    } }
}

fn definition(scene: &Scene) -> Markup {
    html! { details.definition {
        summary { "Definition, from " code { (scene.location) } }
        dl.code { @for line in &scene.definition { div {
            dt { (line.key) }
            dd { pre { (line.value) } @if let Some(link) = &line.link { a.out href=(link) rel="noreferrer" { "in Prometheus" } } }
        } } }
    } }
}
