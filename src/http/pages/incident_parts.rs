//! The parts of an incident, on its own page and in a list of several. `at` is the incident's place in the data: empty
//! for its own page.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{cell, pen::Pen};
use crate::views::{
    incident::{DeliveryView, IncidentView, StatusPageView},
    render_words::{duration, instant, relative},
};

/// `steps`, or `incidents.3.steps`.
pub fn field(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// Everything that is one value.
pub fn facts(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    let of = |name: &str| field(at, name);
    html! { dl.facts {
        div { dt { "Title" } dd { (cell::text(&of("title"), &incident.title)) } }
        div { dt { "Incident" } dd { (cell::text(&of("id"), &incident.id)) } }
        div { dt { "Key" } dd { (cell::text(&of("key"), &incident.key)) } }
        div { dt { "Service" } dd {
            @if let Some(service) = &incident.service {
                a href={ "/" (service) "/alerts" } { (cell::text(&of("service"), service)) }
            } @else { (cell::optional(&of("service"), None)) }
        } }
        div { dt { "SLO" } dd {
            @if let (Some(service), Some(slo)) = (&incident.service, &incident.slo) {
                a href={ "/slo/" (service) "/" (slo) (cell::query(&incident.series)) } { (cell::text(&of("slo"), slo)) }
            } @else { (cell::optional(&of("slo"), incident.slo.as_deref())) }
        } }
        div { dt { "Source" } dd { (cell::optional(&of("source"), incident.source.as_deref())) } }
        div { dt { "Series" } dd { (cell::labels(&of("series"), &incident.series)) } }
        div { dt { "Opened" } dd { (cell::time(&of("opened_at"), now, Some(incident.opened_at))) } }
        div { dt { "Decided late" } dd { (cell::flag(&of("late"), Some(incident.late))) } }
        @if let Some(muted) = &incident.muted {
            div { dt { "Muted until" } dd { (cell::time(&of("muted.until"), now, muted.until)) } }
            div { dt { "Muted" } dd {
                @if muted.why.is_empty() { (cell::none(&of("muted.why"))) }
                @for (place, why) in muted.why.iter().enumerate() {
                    @if place > 0 { "; " } (cell::text(&of(&format!("muted.why.{place}")), why))
                }
            } }
        } @else {
            div { dt { "Muted" } dd { (cell::absent(&of("muted"))) } }
        }
        div { dt { "Acknowledged" } dd { (cell::time(&of("acknowledged_at"), now, incident.acknowledged_at)) } }
        div { dt { "By" } dd { (cell::optional(&of("acknowledged_by"), incident.acknowledged_by.as_deref())) } }
        @if let Some(held) = &incident.acknowledged_before {
            div { dt { "Before that, by" } dd {
                (cell::text(&of("acknowledged_before.by"), &held.by)) ", " (cell::time(&of("acknowledged_before.at"), now, Some(held.at)))
            } }
        }
        div { dt { "Resolved" } dd { (cell::time(&of("resolved_at"), now, incident.resolved_at)) } }
        @if let Some(by) = &incident.resolved_by { div { dt { "Resolved by" } dd { (cell::text(&of("resolved_by"), by)) } } }
        (cost(at, incident))
    } }
}

fn cost(at: &str, incident: &IncidentView) -> Markup {
    let of = |name: &str| field(at, name);
    html! {
        div { dt { @if incident.cost.in_seconds { "Down" } @else { "Bad events" } } dd { (cell::events(&of("cost.bad"), incident.cost.bad, incident.cost.in_seconds)) } }
        @if incident.cost.in_seconds { div { dt { "In seconds" } dd { (cell::flag(&of("cost.in_seconds"), Some(true))) } } }
        div { dt { "Share of its window's budget" } dd { (cell::share(&of("cost.budget_share"), incident.cost.budget_share))
            @if let Some(window) = &incident.cost.window { " in " (cell::text(&of("cost.window"), window)) } } }
    }
}

/// Its alerts.
pub fn alerts(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    if incident.alerts.is_empty() {
        return html! { p { "Alerts: " (cell::none(&field(at, "alerts"))) } };
    }
    cell::scroll(
        &format!("Alerts of {}", incident.id),
        &html! { table {
            caption { "Alerts" }
            thead { tr { th scope="col" { "Alert" } th scope="col" { "Priority" } th scope="col" { "State" } th scope="col" { "Fired" } th scope="col" { "Flaps" } } }
            tbody { @for (place, alert) in incident.alerts.iter().enumerate() { @let at = field(at, &format!("alerts.{place}")); tr {
                th scope="row" { (cell::text(&format!("{at}.name"), &alert.name)) }
                td { (cell::text(&format!("{at}.priority"), alert.priority.as_str())) }
                td { (cell::state(&format!("{at}.state"), &alert.state)) }
                td { (cell::time(&format!("{at}.fired_at"), now, Some(alert.fired_at))) }
                td { (cell::flag(&format!("{at}.flapping"), Some(alert.flapping))) }
            } } }
        } },
    )
}

/// Its escalation: each step with its state, and how long until it is due.
pub fn steps(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    if incident.steps.is_empty() {
        return html! { p { "Escalation: " (cell::none(&field(at, "steps"))) } };
    }
    cell::scroll(
        &format!("Escalation of {}", incident.id),
        &html! { table {
            caption { "Escalation" }
            thead { tr {
                th scope="col" { "Policy" } th scope="col" { "After" } th scope="col" { "State" } th scope="col" { "Comes" }
                th scope="col" { "Due" } th scope="col" { "Who hears" }
            } }
            tbody { @for (place, step) in incident.steps.iter().enumerate() { @let at = field(at, &format!("steps.{place}")); tr {
                th scope="row" { (cell::text(&format!("{at}.policy"), &step.policy)) }
                td { (cell::text(&format!("{at}.after"), &step.after)) }
                td { (cell::state(&format!("{at}.state"), &step.state)) }
                td { @if step.state == "waiting" { strong { (left(now, step.due_at)) } } @else { "—" } }
                td { (cell::time(&format!("{at}.due_at"), now, Some(step.due_at))) }
                td {
                    @if step.notify.is_empty() { (cell::none(&format!("{at}.notify"))) }
                    @for (who, receiver) in step.notify.iter().enumerate() {
                        @if who > 0 { ", " } (cell::text(&format!("{at}.notify.{who}"), receiver))
                    }
                }
            } } }
        } },
    )
}

/// The same as an element that goes on counting.
fn left(now: DateTime<Utc>, due: DateTime<Utc>) -> Markup {
    if due > now {
        cell::age(now, Some(due))
    } else {
        html! { "now" }
    }
}

/// `in 4 min`; nothing of the past is still to come.
fn coming(now: DateTime<Utc>, due: DateTime<Utc>) -> String {
    if due > now { relative(now, due) } else { "now".to_owned() }
}

/// Whose deliveries a table shows.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a> {
    /// In words.
    pub caption: &'a str,
    /// Their list in the data.
    pub at: &'a str,
    /// The page they stand on, which one comes back to.
    pub from: &'a str,
}

/// One row a message.
pub fn deliveries(of: Messages<'_>, now: DateTime<Utc>, rows: &[DeliveryView], pen: Option<&Pen>) -> Markup {
    if rows.is_empty() {
        return html! { p { (of.caption) ": " (cell::none(of.at)) } };
    }
    cell::scroll(
        of.caption,
        &html! { table {
            caption { (of.caption) }
            thead { tr {
                th scope="col" { "Receiver" } th scope="col" { "Event" } th scope="col" { "State" } th.n scope="col" { "Attempts" }
                th scope="col" { "Decided" } th scope="col" { "Accepted" } th scope="col" { "Receipt" } th scope="col" { "Newest failure" }
                th scope="col" { "Next" } th scope="col" { "Row" } th scope="col" { "Incident" }
            } }
            tbody { @for (place, delivery) in rows.iter().enumerate() { @let at = format!("{}.{place}", of.at); tr {
                th scope="row" { (cell::text(&format!("{at}.receiver"), &delivery.receiver)) }
                td { (cell::text(&format!("{at}.event"), &delivery.event)) }
                td { (cell::state(&format!("{at}.state"), &delivery.state)) (retry(of, delivery, pen)) }
                td.n { data value=(delivery.attempts) data-field={ (at) ".attempts" } { (delivery.attempts) } }
                td { (cell::time(&format!("{at}.decided_at"), now, Some(delivery.decided_at))) }
                td { (cell::time(&format!("{at}.sent_at"), now, delivery.sent_at)) }
                td { (cell::optional(&format!("{at}.receipt"), delivery.receipt.as_deref())) }
                td { (cell::optional(&format!("{at}.last_error"), delivery.last_error.as_deref())) }
                td { (cell::time(&format!("{at}.next_at"), now, delivery.next_at)) }
                td { data value=(delivery.id) data-field={ (at) ".id" } { (delivery.id) } }
                td {
                    @if let Some(incident) = &delivery.incident { a href={ "/incident/" (incident) } { (cell::text(&format!("{at}.incident"), incident)) } }
                    @else { (cell::absent(&format!("{at}.incident"))) }
                }
            } } }
        } },
    )
}

fn retry(of: Messages<'_>, delivery: &DeliveryView, pen: Option<&Pen>) -> Markup {
    html! {
        @if let Some(pen) = pen.filter(|_| matches!(delivery.state.as_str(), "dead" | "retry")) {
            (pen.button(&format!("/delivery/{}/retry", delivery.id), "Try again", &[("from", of.from)]))
        }
    }
}

/// What happened, in order.
pub fn timeline(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    if incident.timeline.is_empty() {
        return html! { p { "Timeline: " (cell::none(&field(at, "timeline"))) } };
    }
    cell::scroll(
        &format!("Timeline of {}", incident.id),
        &html! { table {
            caption { "Timeline" }
            thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "In words" } } }
            tbody { @for (place, line) in incident.timeline.iter().enumerate() { @let at = field(at, &format!("timeline.{place}")); tr {
                th scope="row" { (cell::time(&format!("{at}.at"), now, Some(line.at))) }
                td { (cell::text(&format!("{at}.kind"), &line.kind)) }
                td { (cell::text(&format!("{at}.text"), &line.text)) }
            } } }
        } },
    )
}

/// The public page: what it shows, and the clock of its first post.
pub fn status_page(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    let of = |name: &str| field(at, &format!("status_page.{name}"));
    let Some(status) = &incident.status_page else {
        return html! { p { "Public status page: " (cell::absent(&field(at, "status_page"))) } };
    };
    html! {
        p.(clock_tone(status)) { strong { (clock(status, now)) } }
        dl.facts {
            div { dt { "State" } dd { (cell::text(&of("state"), &status.state)) } }
            div { dt { "Draft that waits for approval" } dd { (cell::optional(&of("draft"), status.draft.as_deref())) } }
            div { dt { "It would say" } dd { (cell::optional(&of("draft_text"), status.draft_text.as_deref())) } }
            div { dt { "Due" } dd { (cell::time(&of("due_at"), now, status.due_at)) } }
            div { dt { "Posted" } dd { (cell::time(&of("posted_at"), now, status.posted_at)) } }
            div { dt { "Late" } dd { (cell::seconds(&of("late_seconds"), status.late_seconds.map(|late| late as f64))) } }
            div { dt { "Left to people" } dd { (cell::flag(&of("left_to_people"), Some(status.left_to_people))) } }
        }
    }
}

fn clock_tone(status: &StatusPageView) -> &'static str {
    if status.late_seconds.is_some() { "bad" } else { "mute" }
}

/// How long is left for the first post, or how late it is.
fn clock(status: &StatusPageView, now: DateTime<Utc>) -> String {
    let late = status.late_seconds.map(|late| duration(late as f64));
    match (status.posted_at, status.due_at, late) {
        (Some(at), _, Some(late)) => format!("First post at {}, {late} late.", instant(at)),
        (Some(at), _, None) => format!("First post at {}, in time.", instant(at)),
        (None, Some(due), Some(late)) => format!("Late: the first post was due at {}, {late} ago.", instant(due)),
        (None, Some(due), None) => format!("The first post is due {}, at {}.", coming(now, due), instant(due)),
        (None, None, _) => "No post is due.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_says_how_long_is_left() {
        let at = |minutes: i64| DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0);
        let cases = [
            (at(15), None, None, "due in 4 min, at 2027-01-15 08:15:00 UTC"),
            (at(11), None, None, "due now"),
            (at(5), None, Some(360), "Late: the first post was due at 2027-01-15 08:05:00 UTC, 6 min ago"),
            (at(15), at(9), None, "First post at 2027-01-15 08:09:00 UTC, in time"),
            (at(5), at(9), Some(240), "4 min late"),
            (None, None, None, "No post is due"),
        ];
        for (due_at, posted_at, late_seconds, said) in cases {
            let status = StatusPageView {
                state: "none".into(),
                draft: None,
                draft_text: None,
                due_at,
                posted_at,
                late_seconds,
                left_to_people: false,
            };
            let words = clock(&status, at(11).unwrap());
            assert!(words.contains(said), "{words}");
        }
    }
}
