//! SLOs in a table, one row each: the most telling columns first.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::cell;
use crate::views::{
    dashboard::OpenIncident,
    render_words::{ABSENT, glyph, number, percent, tone, within},
    slo::SloView,
};

/// One row.
pub struct Row<'a> {
    /// The path of its data: `services.0.slos.3`.
    pub at: String,
    /// Its figures.
    pub slo: &'a SloView,
    /// Its newest slot is older than it should be.
    pub is_stale: bool,
    /// Its incident that is not over.
    pub incident: Option<&'a OpenIncident>,
    /// Its service's title, where rows are of several.
    pub service: Option<&'a str>,
}

/// A column's head: its title, and for tables that can be sorted where that is done and how it is now.
pub struct Head {
    /// In words.
    pub title: &'static str,
    /// Where the table is sorted by it.
    pub href: Option<String>,
    /// `ascending` or `descending`, if it is.
    pub sorted: Option<&'static str>,
}

/// The columns: the word in `?sort=`, the title, whether it holds numbers.
pub const COLUMNS: [(&str, &str, bool); 9] = [
    ("name", "Service level", false),
    ("state", "State", false),
    ("budget", "Budget left", true),
    ("burn", "Burn, 1 h", true),
    ("exhaustion", "Gone", false),
    ("incident", "Incident", false),
    ("sli", "SLI", true),
    ("objective", "Objective", true),
    ("judged", "Newest slot", false),
];

/// Heads that are not sorted by.
pub fn plain_heads() -> Vec<Head> {
    COLUMNS.iter().map(|(_, title, _)| Head { title, href: None, sorted: None }).collect()
}

/// The table.
pub fn table(caption: &str, now: DateTime<Utc>, heads: &[Head], rows: &[Row<'_>]) -> Markup {
    if rows.is_empty() {
        return html! { p.absent { "There are no service levels." } };
    }
    let wide = html! { table {
        caption { (caption) }
        thead { tr { @for (head, (_, _, is_number)) in heads.iter().zip(COLUMNS) {
            th.n[is_number] scope="col" aria-sort=[head.sorted] {
                @if let Some(href) = &head.href {
                    a href=(href) { (head.title) @if let Some(sorted) = head.sorted { span aria-hidden="true" { @if sorted == "ascending" { " ↑" } @else { " ↓" } } } }
                } @else { (head.title) }
            }
        } } }
        tbody { @for row in rows { (line(now, row)) } }
    } };
    html! { div.slos { (cell::scroll(caption, &wide)) } }
}

fn line(now: DateTime<Utc>, row: &Row<'_>) -> Markup {
    let (at, slo) = (row.at.as_str(), row.slo);
    let budget = &slo.budget;
    html! { tr {
        th scope="row" {
            a href={ "/slo/" (slo.service) "/" (slo.name) (cell::query(&slo.series)) } { bdi data-field={ (at) ".title" } { (slo.title) } }
            @if row.service.is_some() || !slo.series.is_empty() {
                small {
                    @if let Some(service) = row.service { a.quiet href={ "/" (slo.service) "/health" } { bdi { (service) } } }
                    @if !slo.series.is_empty() { " " (cell::labels(&format!("{at}.series"), &slo.series)) }
                }
            }
        }
        td { (state(at, slo)) @if row.is_stale { " " span.stale { "◌ stale" } } }
        td.n.budget {
            (figure(at, "budget.remaining", budget.remaining, percent))
            // A budget of which nothing is known is no full one.
            (cell::bar(budget.remaining.filter(|_| slo.sli.is_some())))
            @if slo.sli.is_none() { small { "nothing measured" } }
            // Pages are decided by the kind reading; where it is the same there is nothing to say.
            @else if let Some(good) = budget.if_good_apart() { small { "as measured; " span.whole { "if good " (good) } } }
        }
        td.n { (figure(at, "burn_rate.1h", slo.burn_rate.get("1h").copied().flatten(), number)) }
        td { @if budget.remaining_if_good.is_some_and(|left| left <= 0.0) { "spent" } @else { (cell::age(now, budget.exhausts_at)) } }
        td { (incident(now, row.incident)) }
        td.n { (figure(at, "sli", slo.sli, percent)) }
        td.n { (figure(at, "objective", Some(slo.objective), percent)) small { " " (within(&slo.window)) bdi data-field={ (at) ".window" } { (slo.window) } } }
        td { (cell::known(now, slo.watermark)) }
    } }
}

// Cells without a path of their own: there may be thousands.
fn state(at: &str, slo: &SloView) -> Markup {
    let state = slo.state.as_str();
    html! { span.{ "state " (tone(state)) } { span aria-hidden="true" { (glyph(state)) " " } span data-field={ (at) ".state" } { (state) } } }
}

fn figure(at: &str, field: &str, value: Option<f64>, shown: fn(f64) -> String) -> Markup {
    html! { @match value.filter(|value| value.is_finite()) {
        Some(value) => { data value=(value) data-field={ (at) "." (field) } { (shown(value)) } }
        None => { span.absent data-field={ (at) "." (field) } { (ABSENT) } }
    } }
}

/// An incident in few words: how urgent, since when, and who hears next.
fn incident(now: DateTime<Utc>, incident: Option<&OpenIncident>) -> Markup {
    let Some(one) = incident else { return html! { span.absent { (ABSENT) } } };
    html! {
        a href={ "/incident/" (one.id) } { (one.priority.as_str()) " " (one.state) }
        small {
            @match (&one.acknowledged_by, one.next_at) {
                (Some(by), _) => { "taken by " bdi { (by) } }
                (None, Some(at)) => { "next " bdi { (one.next_notify.join(", ")) } " " (cell::age(now, Some(at))) }
                (None, None) => { "nobody hears next" }
            }
            @if one.muted { " · muted" }
        }
    }
}
