//! Every field of an SLO, and the newest slots behind them.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::cell;
use crate::{
    domain::slot::SlotState,
    views::{
        render_words::{amount, count, instant, number, percent_or_absent},
        slo::{SloView, SlotView},
    },
};

/// All fields.
pub fn facts(slo: &SloView, now: DateTime<Utc>) -> Markup {
    html! { details.all { summary { "All figures" } (promise(slo)) (budget(slo, now)) } }
}

fn promise(slo: &SloView) -> Markup {
    html! {
        h3 { "Promise" }
        dl.facts {
            div { dt { "Title" } dd { (cell::text("title", &slo.title)) } }
            div { dt { "Service" } dd { a href={ "/" (slo.service) "/health" } { (cell::text("service", &slo.service)) } } }
            div { dt { "Name" } dd { (cell::text("name", &slo.name)) } }
            div { dt { "Series" } dd { (cell::labels("series", &slo.series)) } }
            div { dt { "Objective" } dd { (cell::share("objective", Some(slo.objective))) } }
            div { dt { "Window" } dd { (cell::text("window", &slo.window)) } }
            div { dt { "Budgeting" } dd { (cell::text("budgeting", &slo.budgeting)) } }
            div { dt { "Achieved" } dd { (cell::share("sli", slo.sli)) } }
            div { dt { "Good" } dd { (cell::events("good", slo.good, slo.in_seconds)) } }
            div { dt { "Bad" } dd { (cell::events("bad", slo.bad, slo.in_seconds)) } }
            div { dt { "Total" } dd { (cell::events("total", slo.total, slo.in_seconds)) } }
            (value(slo))
            div { dt { "Bad slots in a row" } dd { (cell::figure("streak.bad", Some(f64::from(slo.streak.bad)), count)) } }
            @if slo.fault.is_none() { div { dt { "Fault of the newest slot" } dd { (cell::none("fault")) } } }
        }
    }
}

fn value(slo: &SloView) -> Markup {
    let Some(value) = &slo.value else {
        return html! { div { dt { "Newest value" } dd { (cell::absent("value")) } } };
    };
    html! {
        @if value.percentile.is_some() { div { dt { "Percentile" } dd { "p" (cell::figure("value.percentile", value.percentile, number)) } } }
        @if value.seconds.is_some() { div { dt { "Newest value" } dd { (cell::seconds("value.seconds", value.seconds)) } } }
        @if value.number.is_some() { div { dt { "Newest value" } dd { (cell::figure("value.number", value.number, number)) } } }
        @if value.unit.is_some() { div { dt { "Unit" } dd { (cell::optional("value.unit", value.unit.as_deref())) } } }
    }
}

fn budget(slo: &SloView, now: DateTime<Utc>) -> Markup {
    let budget = &slo.budget;
    html! {
        h3 { "Error budget" }
        dl.facts {
            div { dt { "Left, as measured" } dd { (cell::share("budget.remaining", budget.remaining)) } }
            div { dt { "Left, if what is unmeasured was good" } dd { (cell::share("budget.remaining_if_good", budget.remaining_if_good)) } }
            div { dt { "Left, if what is unmeasured was bad" } dd { (cell::share("budget.remaining_if_bad", budget.remaining_if_bad)) } }
            div { dt { "Coverage" } dd { (cell::share("budget.coverage", Some(budget.coverage))) } }
            div { dt { @if slo.in_seconds { "Down time allowed" } @else { "Bad events allowed" } } dd { (cell::events("budget.allowed_bad", budget.allowed_bad, slo.in_seconds)) } }
            div { dt { "As time" } dd { (cell::seconds("budget.allowed_seconds", Some(budget.allowed_seconds))) } }
            div { dt { "Spent at, at the present rate" } dd { (cell::time("budget.exhausts_at", now, budget.exhausts_at)) } }
            div { dt { "Newest settled slot ended" } dd { (cell::known_time("watermark", now, slo.watermark)) } }
            div { dt { "Computed" } dd { (cell::time("evaluated_at", now, Some(slo.evaluated_at))) } }
        }
    }
}

/// Burn rates over the windows that are always told of.
pub fn burn_rates(slo: &SloView) -> Markup {
    let mut rates: Vec<(&String, Option<f64>)> = slo.burn_rate.iter().map(|(window, rate)| (window, *rate)).collect();
    let order = ["5m", "30m", "1h", "6h", "3d"];
    rates.sort_by_key(|(window, _)| order.iter().position(|known| known == window));
    cell::scroll(
        "Burn rates",
        &html! {
            table {
                caption { "Burn rates: 1 spends the budget exactly over the window" }
                thead { tr { @for (window, _) in &rates { th.n scope="col" { (window) } } } }
                tbody { tr { @for (window, rate) in &rates { td.n { (cell::figure(&format!("burn_rate.{window}"), *rate, number)) } } } }
            }
        },
    )
}

/// Its alerts.
pub fn alerts(slo: &SloView) -> Markup {
    if slo.policies.is_empty() {
        return html! { p { "No policy watches it: " (cell::none("policies")) } };
    }
    cell::scroll(
        "Alerts",
        &html! {
            table {
                caption { "Alerts" }
                thead { tr { th scope="col" { "Alert" } th scope="col" { "State" } } }
                tbody { @for (place, alert) in slo.policies.iter().enumerate() { tr {
                    th scope="row" { (cell::text(&format!("policies.{place}.name"), &alert.name)) }
                    td { (cell::state(&format!("policies.{place}.state"), &alert.state)) }
                } } }
            }
        },
    )
}

/// The newest slots, at most `most` of the last `hours`.
pub fn newest_slots(slo: &SloView, slots: &[SlotView], most: usize, hours: i64) -> Markup {
    let newest = slots.iter().rev().take(most);
    html! {
        details {
            summary { "The newest slots" }
            (cell::scroll("The newest slots", &html! { table {
                caption { "The newest slots of " (slo.id.to_string()) ", at most " (most) " of " (hours) " hours" }
                thead { tr {
                    th scope="col" { "Start" } th.n scope="col" { "Seconds" } th scope="col" { "State" } th.n scope="col" { "Good" }
                    th.n scope="col" { "Total" } th.n scope="col" { "Share" } th.n scope="col" { "Reading" }
                } }
                tbody { @for slot in newest { tr {
                    th scope="row" { (instant(slot.start)) }
                    td.n { (slot.seconds) }
                    td { (slot_state(slot.state)) }
                    td.n { (amount(slot.good, slo.in_seconds)) }
                    td.n { (amount(slot.total, slo.in_seconds)) }
                    td.n { (percent_or_absent((slot.total > 0.0).then(|| slot.good / slot.total))) }
                    td.n { @if let Some(reading) = slot.reading { (number(reading)) } @else { "—" } }
                } } }
            } }))
        }
    }
}

fn slot_state(state: SlotState) -> &'static str {
    match state {
        SlotState::Measured => "● measured",
        SlotState::Empty => "○ empty",
        SlotState::Unmeasured => "◌ unmeasured",
        SlotState::Excluded => "– excluded",
    }
}
