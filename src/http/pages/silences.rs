//! `/silences`: what is silenced, by whom and until when, and what work is planned.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde::Serialize;

use super::{
    cell, page_at,
    pen::{self, Pen},
    silence_form::{self, SilenceDraft},
};
use crate::{
    http::{
        Companion,
        ask::Ask,
        forms::outcome::{Outcome, words},
        here,
        problem::Problem,
    },
    views::{almanac::PlannedView, silence::SilenceView},
};

/// Most silences shown of those that are over.
const PAST_MAX: usize = 100;
/// Most silences shown of those that are on.
const ACTIVE_MAX: usize = 200;

/// The data of the page.
#[derive(Serialize)]
struct SilencesPage {
    active: Vec<SilenceView>,
    planned: Vec<PlannedView>,
    past: Vec<SilenceView>,
}

impl SilencesPage {
    async fn of(companion: &Companion) -> Result<Self, Problem> {
        let active = companion.desk.silences(Some("active"), ACTIVE_MAX).await?;
        let all = companion.desk.silences(None, PAST_MAX + active.len()).await?;
        let mut past: Vec<SilenceView> = all.into_iter().filter(|one| one.state != "active").collect();
        past.truncate(PAST_MAX);
        Ok(Self { active, planned: companion.desk.planned(), past })
    }
}

/// The page.
pub async fn show(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let done = ask.word("done", &words())?.and_then(Outcome::of);
    if ask.wants_json() {
        return Ok(Json(SilencesPage::of(&companion).await?).into_response());
    }
    Ok(page_with(&companion, done, &SilenceDraft::default()).await?.into_response())
}

/// The page, with what became of a form, or what is wrong with it.
pub async fn page_with(companion: &Companion, done: Option<Outcome>, draft: &SilenceDraft) -> Result<Markup, Problem> {
    let data = SilencesPage::of(companion).await?;
    let now = companion.now();
    let pen = Pen::current();
    let main = html! {
        (pen::result(done))
        (pen::not_done(draft.is_faulty(), "silence"))
        p { "A silence mutes new messages and nothing else: SLOs are judged, incidents open, budgets are spent. It begins at once and lasts at most 7 days. "
            "Work that is known ahead stands under " code { "maintenance:" } " in the configuration." }
        (table("active", "On now", now, &data.active, pen.as_ref()))
        h2 { "Silence something" }
        @match &pen {
            Some(pen) => (silence_form::form("/silences", pen, draft, &target(companion, draft))),
            None => {
                (pen::without(companion))
                p.meta { "On the host: " code { "slod silence add --service NAME --slo NAME --for 1h --reason TEXT" } " · " code { "slod silence expire ID" } }
            }
        }
        (planned(now, &data.planned))
        (table("past", "Over, the newest first", now, &data.past, None))
        p { a href="/api/v1/silences" { "JSON of up to 1,000" } }
    };
    Ok(page_at(companion, "silences", "Silences and planned work", None, &main))
}

fn target(companion: &Companion, draft: &SilenceDraft) -> Markup {
    let slos = companion.desk.slos();
    let mut names: Vec<String> = slos.iter().map(|slo| slo.id.to_string()).collect();
    names.dedup();
    let mut policies: Vec<&str> =
        slos.iter().flat_map(|slo| &slo.policies).map(|alert| policy_of(&alert.name)).collect();
    policies.sort_unstable();
    policies.dedup();
    let error = |id: &'static str, fault: &Option<String>| fault.as_ref().map(|_| id);
    html! {
        div.field {
            label for="target" { "What" }
            select #target name="target" required aria-invalid=[draft.target_fault.as_ref().map(|_| "true")]
                aria-describedby=[error("target-fault", &draft.target_fault)] {
                option value="" { "choose" }
                @for service in companion.desk.services() {
                    optgroup label=(service.title) {
                        option value=(service.name) selected[draft.target == service.name] { (service.name) ": all its SLOs" }
                        @for name in names.iter().filter(|name| name.split('/').next() == Some(&service.name)) {
                            option value=(name) selected[draft.target == *name] { (name) }
                        }
                    }
                }
            }
            (pen::fault("target-fault", draft.target_fault.as_deref()))
        }
        div.field {
            label for="policy" { "Only what this policy would say" }
            select #policy name="policy" {
                option value="" { "all policies" }
                @for policy in policies { option value=(policy) selected[draft.policy == policy] { (policy) } }
            }
        }
        div.field {
            label for="labels" { "Only series with these labels" }
            p.hint #labels-hint { "One a line, such as " code { "route=/checkout" } ". Empty: all." }
            textarea #labels name="labels" rows="2" maxlength="10000" aria-invalid=[draft.labels_fault.as_ref().map(|_| "true")]
                aria-describedby={ "labels-hint" @if draft.labels_fault.is_some() { " labels-fault" } } { (draft.labels) }
            (pen::fault("labels-fault", draft.labels_fault.as_deref()))
        }
    }
}

/// The policy of an alert: `fast-burn:1h/5m` is one of `fast-burn`.
fn policy_of(alert: &str) -> &str {
    alert.split(':').next().unwrap_or(alert)
}

fn table(list: &str, caption: &str, now: DateTime<Utc>, rows: &[SilenceView], pen: Option<&Pen>) -> Markup {
    if rows.is_empty() {
        return html! { p { strong { (caption) ": " } (cell::none(list)) } };
    }
    cell::scroll(
        caption,
        &html! { table {
            caption { (caption) }
            thead { tr {
                th scope="col" { "Silence" } th scope="col" { "State" } th scope="col" { "Service" } th scope="col" { "SLO" } th scope="col" { "Policy" }
                th scope="col" { "Labels" } th scope="col" { "Until" } th scope="col" { "Since" } th scope="col" { "By" } th scope="col" { "Reason" }
                th scope="col" { "Ended early" } th scope="col" { "By" } th scope="col" { "Covers" }
            } }
            tbody { @for (place, one) in rows.iter().enumerate() { @let at = format!("{list}.{place}"); tr {
                th scope="row" { (cell::optional(&format!("{at}.id"), one.id.as_deref())) }
                td { (cell::state(&format!("{at}.state"), &one.state))
                    @if let (Some(pen), Some(id)) = (pen, &one.id) { (pen.button(&format!("/silences/{}/expire", here::segment(id)), "End it now", &[])) } }
                td { (cell::text(&format!("{at}.match.service"), one.matcher.service.as_str())) }
                td { (cell::optional(&format!("{at}.match.slo"), one.matcher.slo.as_deref())) }
                td { (cell::optional(&format!("{at}.match.policy"), one.matcher.policy.as_deref())) }
                td { (cell::labels(&format!("{at}.match.labels"), &one.matcher.labels)) }
                td { (cell::time(&format!("{at}.ends_at"), now, Some(one.ends_at))) }
                td { (cell::time(&format!("{at}.starts_at"), now, Some(one.starts_at))) }
                td { (cell::text(&format!("{at}.by"), &one.by)) }
                td { (cell::text(&format!("{at}.reason"), &one.reason)) }
                td { (cell::time(&format!("{at}.expired_at"), now, one.expired_at)) }
                td { (cell::optional(&format!("{at}.expired_by"), one.expired_by.as_deref())) }
                td { (cell::absent(&format!("{at}.covers"))) }
            } } }
        } },
    )
}

fn planned(now: DateTime<Utc>, rows: &[PlannedView]) -> Markup {
    if rows.is_empty() {
        return html! { p { strong { "Planned work: " } (cell::none("planned")) } };
    }
    cell::scroll(
        "Planned work: now, and the next windows of each",
        &html! { table {
            caption { "Planned work: now, and the next windows of each" }
            thead { tr {
                th scope="col" { "Window" } th scope="col" { "State" } th scope="col" { "Begins" } th scope="col" { "Ends" }
                th scope="col" { "Left out of the budget" } th scope="col" { "Reason" } th scope="col" { "SLOs" }
            } }
            tbody { @for (place, one) in rows.iter().enumerate() { @let at = format!("planned.{place}"); tr {
                th scope="row" { (cell::text(&format!("{at}.name"), &one.name)) }
                td { (cell::state(&format!("{at}.state"), &one.state)) }
                td { (cell::time(&format!("{at}.starts_at"), now, Some(one.starts_at))) }
                td { (cell::time(&format!("{at}.ends_at"), now, Some(one.ends_at))) }
                td { (cell::flag(&format!("{at}.excluded"), Some(one.excluded))) }
                td { (cell::optional(&format!("{at}.reason"), one.reason.as_deref())) }
                td {
                    @if one.slos.is_empty() { (cell::none(&format!("{at}.slos"))) }
                    @for (number, slo) in one.slos.iter().enumerate() {
                        @if number > 0 { ", " } a href={ "/slo/" (slo) } { (cell::text(&format!("{at}.slos.{number}"), slo)) }
                    }
                    span.meta { " (" (cell::figure(&format!("{at}.slos_in_all"), Some(one.slos_in_all as f64), |all| all.to_string())) " in all)" }
                }
            } } }
        } },
    )
}
