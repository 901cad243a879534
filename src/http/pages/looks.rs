//! What was looked at when an incident opened, and what people may do by hand.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{cell, incident_parts::field};
use crate::{
    domain::diagnostic::{Diagnosis, Table},
    views::incident::IncidentView,
};

/// All looks, in order.
pub fn first_look(incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    html! { h2 { "First look" } (all("", incident, now)) }
}

/// The same, and what people may do by hand, of one incident among several.
pub fn listed(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    html! {
        details { summary { "First look: " (incident.diagnostics.len()) " results" } (all(at, incident, now)) }
        details { summary { "By hand: " (incident.manual.len()) " steps" } (steps_by_hand(at, incident)) }
    }
}

fn all(at: &str, incident: &IncidentView, now: DateTime<Utc>) -> Markup {
    html! {
        @if incident.diagnostics.is_empty() { p { (cell::none(&field(at, "diagnostics"))) } }
        @for (place, one) in incident.diagnostics.iter().enumerate() {
            (diagnosis(&field(at, &format!("diagnostics.{place}")), one, now))
        }
    }
}

fn diagnosis(at: &str, one: &Diagnosis, now: DateTime<Utc>) -> Markup {
    html! { section {
        h3 { (cell::text(&format!("{at}.name"), &one.name)) }
        dl.facts {
            div { dt { "Found" } dd { (cell::text(&format!("{at}.summary"), &one.summary)) } }
            div { dt { "All well" } dd { (cell::flag(&format!("{at}.ok"), Some(one.ok))) } }
            div { dt { "Kind" } dd { (cell::text(&format!("{at}.kind"), &one.kind)) } }
            div { dt { "Asked" } dd { (cell::time(&format!("{at}.at"), now, Some(one.at))) } }
            div { dt { "Took" } dd { (cell::seconds(&format!("{at}.took_seconds"), Some(one.took_seconds))) } }
            div { dt { "Look" } dd { data value=(one.look) data-field={ (at) ".look" } { (one.look) } } }
            div { dt { "Late" } dd { (cell::flag(&format!("{at}.late"), Some(one.late))) } }
        }
        @match &one.text {
            Some(text) => pre { (cell::text(&format!("{at}.text"), text)) }
            None => p { "Text: " (cell::absent(&format!("{at}.text"))) }
        }
        @match &one.table {
            Some(found) => (table(&format!("{at}.table"), &one.name, found))
            None => p { "Table: " (cell::absent(&format!("{at}.table"))) }
        }
    } }
}

fn table(at: &str, name: &str, found: &Table) -> Markup {
    html! {
        p { "More than is shown: " (cell::flag(&format!("{at}.more"), Some(found.more))) }
        @if found.columns.is_empty() { p { "Columns: " (cell::none(&format!("{at}.columns"))) } }
        @if found.rows.is_empty() { p { "Rows: " (cell::none(&format!("{at}.rows"))) } }
        @if !found.columns.is_empty() { (cell::scroll(name, &html! { table {
            caption { (name) }
            thead { tr { @for (place, column) in found.columns.iter().enumerate() {
                th scope="col" { (cell::text(&format!("{at}.columns.{place}"), column)) }
            } } }
            tbody { @for (number, row) in found.rows.iter().enumerate() { tr {
                @for (place, value) in row.iter().enumerate() {
                    td { (cell::optional(&format!("{at}.rows.{number}.{place}"), value.as_deref())) }
                }
            } } }
        } })) }
    }
}

/// Steps for people, each with whose approval it needs. Nothing of it is run from here.
pub fn by_hand(incident: &IncidentView) -> Markup {
    html! { h2 { "By hand" } (steps_by_hand("", incident)) }
}

fn steps_by_hand(at: &str, incident: &IncidentView) -> Markup {
    let at = field(at, "manual");
    html! {
        @if incident.manual.is_empty() { p { (cell::none(&at)) } }
        @else { ul { @for (place, step) in incident.manual.iter().enumerate() { li {
            code { (cell::text(&format!("{at}.{place}.run"), &step.run)) }
            " · needs first: " (cell::optional(&format!("{at}.{place}.needs"), step.needs.as_deref()))
        } } } }
    }
}
