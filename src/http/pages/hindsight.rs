//! What the past says of each objective, with the reasoning.

use maud::{Markup, html};

use super::cell;
use crate::views::{
    hindsight::{Hindsight, Rung, Threshold},
    render_words::{number, percent},
};

/// All of them, under the field `at`.
pub fn past(at: &str, all: &[Hindsight]) -> Markup {
    if all.is_empty() {
        return html! { p { "There is nothing to look back on: " (cell::none(at)) } };
    }
    html! { h2 { "What the past supports" } @for (place, one) in all.iter().enumerate() { (look(&format!("{at}.{place}"), one)) } }
}

fn look(at: &str, one: &Hindsight) -> Markup {
    html! { section.suggest {
        h3 { a href={ "/slo/" (one.id) (cell::query(&one.series)) } { (cell::text(&format!("{at}.title"), &one.title)) }
            @if !one.series.is_empty() { " " small { (cell::labels(&format!("{at}.series"), &one.series)) } } }
        p { strong { (cell::text(&format!("{at}.reasoning"), &one.reasoning)) } }
        dl.facts {
            div { dt { "Objective" } dd { (cell::share(&format!("{at}.objective"), Some(one.objective))) " in " (cell::text(&format!("{at}.window"), &one.window)) } }
            div { dt { "Achieved over all days" } dd { (cell::share(&format!("{at}.achieved"), one.achieved)) } }
            div { dt { "The past supports" } dd { (cell::share(&format!("{at}.suggested"), one.suggested)) } }
            div { dt { "Days with a whole window" } dd { data value=(one.days) data-field={ (at) ".days" } { (one.days) } } }
        }
        div.pair {
            (ladder(at, one))
            (thresholds(at, one))
        }
    } }
}

fn ladder(at: &str, one: &Hindsight) -> Markup {
    if one.ladder.is_empty() {
        return html! {};
    }
    let name = format!("Other objectives for {}{}", one.id, cell::query(&one.series));
    let share = |rung: &Rung| (one.days > 0).then(|| rung.met as f64 / one.days as f64);
    let is_present = |rung: &Rung| (rung.objective - one.objective).abs() < 1e-12;
    cell::scroll(
        &name,
        &html! { table {
            caption { "How often each objective would have held" }
            thead { tr { th scope="col" { "Objective" } th.n scope="col" { "Days met" } th.n scope="col" { "Of all" } } }
            tbody { @for (place, rung) in one.ladder.iter().enumerate() { @let at = format!("{at}.ladder.{place}"); tr.present[is_present(rung)] {
                th scope="row" { (cell::share(&format!("{at}.objective"), Some(rung.objective))) @if is_present(rung) { " (present)" } }
                td.n { data value=(rung.met) data-field={ (at) ".met" } { (rung.met) } }
                td.n { @if let Some(share) = share(rung) { (percent(share)) (cell::bar(Some(share))) } @else { "—" } }
            } } }
        } },
    )
}

fn thresholds(at: &str, one: &Hindsight) -> Markup {
    let (name, thresholds): (String, &[Threshold]) =
        (format!("Other thresholds for {}{}", one.id, cell::query(&one.series)), &one.thresholds);
    if thresholds.is_empty() {
        return html! {};
    }
    cell::scroll(
        &name,
        &html! { table {
            caption { "Slots whose reading was within another threshold" }
            thead { tr { th scope="col" { "Threshold" } th.n scope="col" { "Slots within" } th.n scope="col" { "Slots" } th.n scope="col" { "Share" } } }
            tbody { @for (place, one) in thresholds.iter().enumerate() { @let at = format!("{at}.thresholds.{place}"); tr {
                th scope="row" { (cell::figure(&format!("{at}.bound"), Some(one.bound), number)) }
                td.n { data value=(one.within) data-field={ (at) ".within" } { (one.within) } }
                td.n { data value=(one.of) data-field={ (at) ".of" } { (one.of) } }
                td.n { (percent(one.within as f64 / one.of.max(1) as f64)) }
            } } }
        } },
    )
}
