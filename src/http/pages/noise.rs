//! The noise ledger as a table.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::cell;
use crate::views::noise::NoiseReport;

/// The ledger under the field `at`.
pub fn table(at: &str, now: DateTime<Utc>, report: &NoiseReport) -> Markup {
    html! {
        h2 { "Pages by policy" }
        p {
            "How often each policy has woken somebody: triggers that pagers accepted, for the "
            data value=(report.incidents) data-field={ (at) ".incidents" } { (report.incidents) }
            " incidents that opened from " (cell::time(&format!("{at}.from"), now, Some(report.from)))
            " to " (cell::time(&format!("{at}.to"), now, Some(report.to)))
            @if report.truncated { "; only the newest are counted" }
            data hidden value=(report.truncated) data-field={ (at) ".truncated" } { (if report.truncated { "yes" } else { "no" }) }
            ". A policy that pages often, is rarely acknowledged and spends little of the budget wakes people for nothing."
        }
        @if report.policies.is_empty() { p { "Policies: " (cell::none(&format!("{at}.policies"))) } } @else { (cell::scroll("Pages by policy", &html! { table {
            caption { "The loudest first" }
            thead { tr {
                th scope="col" { "Policy" } th scope="col" { "On" } th scope="col" { "Service" } th.n scope="col" { "Incidents" }
                th.n scope="col" { "Pages" } th.n scope="col" { "Acknowledged" } th.n scope="col" { "Ended alone" }
                th.n scope="col" { "Budget spent" } th.n scope="col" { "For a page" }
            } }
            tbody { @for (place, row) in report.policies.iter().enumerate() { @let at = format!("{at}.policies.{place}"); tr {
                th scope="row" { (cell::text(&format!("{at}.policy"), &row.policy)) }
                td { (cell::text(&format!("{at}.about"), &row.about)) }
                td { (cell::optional(&format!("{at}.service"), row.service.as_deref())) }
                @for (name, number) in [("incidents", row.incidents), ("pages", row.pages), ("acknowledged", row.acknowledged), ("ended_alone", row.ended_alone)] {
                    td.n { data value=(number) data-field={ (at) "." (name) } { (number) } }
                }
                td.n { (cell::share(&format!("{at}.budget_spent"), row.budget_spent)) }
                td.n { (cell::share(&format!("{at}.budget_per_page"), row.budget_per_page)) }
            } } }
        } })) }
    }
}
