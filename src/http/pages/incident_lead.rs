//! The head of an incident's page: what is wrong, since when, what it has cost, and where to go on.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

use super::cell;
use crate::{
    domain::{name::SloId, slot::SlotState},
    http::{Companion, problem::Problem},
    views::{
        incident::{IncidentView, TimelineView},
        render_words::{amount, duration, instant_and_age, of_budget, percent, relative},
        slo::{SloView, SlotView},
    },
};

/// How far back the first of the bad slots is looked for, and among how many.
const RUN_HOURS: i64 = 6;
const RUN_SLOTS: usize = 6 * 3600;

/// What and since when, where to go on, and what the newest slot showed.
pub async fn lead(companion: &Companion, incident: &IncidentView) -> Result<Markup, Problem> {
    let now = companion.now();
    let slo = slo_of(companion, incident);
    let is_open = incident.resolved_at.is_none();
    let run = match slo.as_ref().filter(|slo| is_open && slo.streak.bad > 0) {
        Some(slo) => Some((slo.streak.bad, run_begins(companion, slo).await)),
        None => None,
    };
    let said = slo.as_ref().and_then(|slo| slo.fault.clone()).or_else(|| source_error(companion, incident));
    Ok(html! {
        (figures(incident, now))
        (links(companion, incident, slo.as_ref()))
        @if let Some(said) = said.filter(|_| is_open) { p.banner { strong { "Last answer: " } bdi { (said) } } }
        @if let Some((bad, first)) = run {
            p { (bad) @if bad == 1 { " bad slot" } @else { " bad slots in a row" }
                @if let Some(first) = first { @if bad == 1 { ", it began at " } @else { ", the first began at " } (instant_and_age(now, first)) } "." }
        }
    })
}

fn figures(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    let cost = amount(incident.cost.bad, incident.cost.in_seconds);
    let end = incident.resolved_at.unwrap_or(now);
    html! {
        p.lead {
            (cell::state("state", &incident.state)) (cell::text("priority", incident.priority.as_str()))
            span {
                @match opened_again(&incident.timeline) {
                    Some(again) => { "opened again " (relative(now, again)) ", first opened " (relative(now, incident.opened_at)) }
                    None => { "opened " (relative(now, incident.opened_at)) }
                }
                @if incident.resolved_at.is_some() { ", lasted " (duration((end - incident.opened_at).num_seconds().max(0) as f64)) }
            }
            span { "cost " @if incident.resolved_at.is_none() { "so far " } (cost)
                @if incident.cost.in_seconds { " down" } @else { " bad events" }
                @if let Some(share) = incident.cost.budget_share { " (" (percent(share)) " " (of_budget(incident.cost.window.as_deref())) ")" } }
        }
    }
}

/// When it last opened after it had been over. An acknowledgement that lapses opens nothing again.
fn opened_again(timeline: &[TimelineView]) -> Option<DateTime<Utc>> {
    let (mut was_over, mut again) = (false, None);
    for line in timeline {
        match line.kind.as_str() {
            "resolved" => was_over = true,
            "reopened" if was_over => (was_over, again) = (false, Some(line.at)),
            _ => {}
        }
    }
    again
}

fn links(companion: &Companion, incident: &IncidentView, slo: Option<&SloView>) -> Markup {
    let Some(name) = &incident.service else { return html! {} };
    let Some(service) = companion.desk.services().into_iter().find(|service| service.name == *name) else {
        return html! {};
    };
    let may_follow = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    html! { p.links {
        @if let Some(runbook) = service.runbook_url.filter(may_follow) { a href=(runbook) rel="noreferrer" { "Runbook" } " " }
        @if let Some(slo) = slo { a href={ "/slo/" (slo.service) "/" (slo.name) (cell::query(&slo.series)) } { "SLO " bdi { (slo.title) } } " " }
        a href={ "/" (service.name) "/health" } { "Service " bdi { (service.title) } }
    } }
}

/// Its series' figures; none if the configuration has it no more.
fn slo_of(companion: &Companion, incident: &IncidentView) -> Option<SloView> {
    let id = SloId::new(incident.service.clone()?, incident.slo.clone()?);
    companion.desk.slo(&id, &incident.series).ok().filter(|slo| slo.series == incident.series)
}

/// What its source said when it last failed, unless it has answered since.
fn source_error(companion: &Companion, incident: &IncidentView) -> Option<String> {
    let name = incident.source.as_ref()?;
    let source = companion.desk.sources().into_iter().find(|source| source.name == *name)?;
    source.last_error.filter(|_| source.last_failure >= source.last_success)
}

/// When the first slot of the present run began, if that is not long ago. Slots without events do not count, and those
/// that were not measured do not end a run.
async fn run_begins(companion: &Companion, slo: &SloView) -> Option<DateTime<Utc>> {
    let end = slo.watermark?;
    let from = end.checked_sub_signed(TimeDelta::hours(RUN_HOURS))?;
    let slots = companion.desk.slots(&slo.id, &slo.series, Some(from), Some(end), RUN_SLOTS).await.ok()?;
    let counts = |slot: &&SlotView| slot.state == SlotState::Measured && slot.total > 0.0;
    let before = usize::try_from(slo.streak.bad).ok()?.checked_sub(1)?;
    slots.iter().rev().filter(counts).nth(before).map(|slot| slot.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_over_opens_again() {
        let at = |minute: i64| DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap();
        for (kinds, again) in [
            (vec!["opened"], None),
            (vec!["opened", "acknowledged", "reopened"], None),
            (vec!["opened", "resolved"], None),
            (vec!["opened", "resolved", "reopened"], Some(2)),
            (vec!["opened", "resolved", "note", "reopened", "acknowledged", "reopened"], Some(3)),
            (vec!["opened", "resolved", "reopened", "resolved", "reopened"], Some(4)),
        ] {
            let lines = kinds.iter().zip(0..);
            let lines = lines.map(|(kind, minute)| TimelineView {
                at: at(minute),
                kind: (*kind).to_owned(),
                text: String::new(),
            });
            assert_eq!(opened_again(&lines.collect::<Vec<_>>()), again.map(at), "{kinds:?}");
        }
    }
}
