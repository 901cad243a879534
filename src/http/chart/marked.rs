//! What happened meanwhile: drawn over a chart, and told in a table.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::frame::{Frame, short};
use crate::views::{
    dashboard::{Mark, MarkKind, Scene},
    render_words::instant,
};

/// The kinds there are among marks.
pub(super) fn kinds(marks: &[Mark]) -> Vec<MarkKind> {
    let mut kinds: Vec<MarkKind> = marks.iter().map(|mark| mark.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// A kind's name in the style sheet.
pub(super) fn class(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Incident => "incident",
        MarkKind::Planned => "planned",
        MarkKind::Correction => "correction",
    }
}

/// All marks, at their time; what goes on is drawn until `now`, not into the time to come.
pub(super) fn marked(frame: &Frame, marks: &[Mark], now: DateTime<Utc>) -> Markup {
    let (_, top, _, bottom) = Frame::edges();
    html! { @for mark in marks {
        @let x = frame.x(mark.from);
        @let width = (frame.x(mark.to.unwrap_or(now)) - x).max(2.0);
        @match mark.kind {
            MarkKind::Correction => {
                line.corrected x1=(short(x)) x2=(short(x)) y1=(short(top)) y2=(short(bottom)) {}
                path.correction d={ "M" (short(x)) " " (short(top)) "l5 5l-5 5l-5 -5Z" } { title { (mark.text) } }
            }
            kind => { rect.{ (class(kind)) } x=(short(x)) y=(short(top)) width=(short(width)) height=(short(bottom - top)) { title { (mark.text) } } }
        }
    } }
}

/// The same in words.
pub fn happened(scene: &Scene) -> Markup {
    if scene.marks.is_empty() {
        return html! { p.absent { "Nothing happened in this window: no incident, no correction, no planned work." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="What happened in the window" { table {
            caption { "What happened in the window" @if scene.more_marks { ", the newest " (scene.marks.len()) } }
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "What" } th scope="col" { "In words" } } }
            tbody { @for mark in scene.marks.iter().rev() { tr {
                th scope="row" { (instant(mark.from)) }
                td { @match mark.to {
                    Some(to) if to == mark.from => "—",
                    Some(to) => { (instant(to)) }
                    None => "goes on",
                } }
                td { (mark.kind.as_str()) }
                td { @match &mark.href {
                    Some(href) => { a href=(href) { bdi { (mark.text) } } }
                    None => { bdi { (mark.text) } }
                } }
            } } }
        } }
    }
}
