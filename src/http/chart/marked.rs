//! What happened meanwhile: drawn over a chart, and told in a table.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    super::pages::cell,
    frame::{Frame, short},
};
use crate::views::{
    annotation::mark,
    dashboard::{Mark, MarkKind, Scene},
    render_words::instant,
};

/// Rows that are open; the rest is folded.
const OPEN_ROWS: usize = 15;

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
        MarkKind::Deploy => "deploy",
        MarkKind::Note => "remark",
    }
}

/// All marks, at their time; what goes on is drawn until `now`, not into the time to come.
pub(super) fn marked(frame: &Frame, marks: &[Mark], now: DateTime<Utc>) -> Markup {
    let (_, top, _, bottom) = Frame::edges();
    // What is one point is drawn last, so that no band hides it.
    let (points, bands): (Vec<&Mark>, Vec<&Mark>) = marks.iter().partition(|mark| glyph(mark.kind).is_some());
    html! { @for mark in bands.into_iter().chain(points) {
        @let x = frame.x(mark.from);
        @let width = (frame.x(mark.to.unwrap_or(now)) - x).max(2.0);
        @match mark.kind {
            MarkKind::Correction => {
                line.corrected x1=(short(x)) x2=(short(x)) y1=(short(top)) y2=(short(bottom)) {}
                path.correction d={ "M" (short(x)) " " (short(top)) "l5 5l-5 5l-5 -5Z" } { title { (mark.text) } }
            }
            kind @ (MarkKind::Deploy | MarkKind::Note) => {
                line.annotated x1=(short(x)) x2=(short(x)) y1=(short(top)) y2=(short(bottom)) {}
                path.{ (class(kind)) } d={ "M" (short(x)) " " (short(top)) (outline(kind)) } { title { (kind.as_str()) ": " (mark.text) } }
            }
            kind => { rect.{ (class(kind)) } x=(short(x)) y=(short(top)) width=(short(width)) height=(short(bottom - top)) { title { (mark.text) } } }
        }
    } }
}

/// What stands at the head of a moment's line, drawn on from there: a wedge that points to it for a deploy, a dot for a note.
pub(super) fn outline(kind: MarkKind) -> &'static str {
    if kind == MarkKind::Deploy { "l-5.5 0l5.5 9l5.5 -9Z" } else { "a4 4 0 1 0 0 8a4 4 0 1 0 0 -8Z" }
}

/// The same in words.
pub fn happened(scene: &Scene) -> Markup {
    if scene.marks.is_empty() {
        return html! { p.absent { "Nothing happened in this window: no incident, no correction, no planned work, no annotation." } };
    }
    let marks = telling(&scene.marks);
    let (first, rest) = marks.split_at(marks.len().min(OPEN_ROWS));
    html! {
        (told("What happened in the window", left_out(scene), first))
        @if !rest.is_empty() { details { summary { (rest.len()) " more" } (told("What else happened in the window", "", rest)) } }
    }
}

/// Incidents, then what was done to the figures, then annotations; the newest of each first.
fn telling(marks: &[Mark]) -> Vec<&Mark> {
    let rank = |kind: MarkKind| match kind {
        MarkKind::Incident => 0,
        MarkKind::Planned | MarkKind::Correction => 1,
        MarkKind::Deploy | MarkKind::Note => 2,
    };
    let mut marks: Vec<&Mark> = marks.iter().rev().collect();
    marks.sort_by_key(|mark| (rank(mark.kind), std::cmp::Reverse(mark.from)));
    marks
}

fn told(title: &str, left_out: &str, marks: &[&Mark]) -> Markup {
    html! {
        (cell::scroll(title, &html! { table {
            caption { (title) (left_out) }
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th scope="col" { "What" } th scope="col" { "In words" } } }
            tbody { @for mark in marks { tr {
                th scope="row" { (instant(mark.from)) }
                td { @match mark.to {
                    Some(to) if to == mark.from => "—",
                    Some(to) => { (instant(to)) }
                    None => "goes on",
                } }
                td { @if let Some(glyph) = glyph(mark.kind) { span aria-hidden="true" { (glyph) "\u{a0}" } } (mark.kind.as_str()) }
                td { @match &mark.href {
                    Some(href) => { a href=(href) rel=[(!href.starts_with('/')).then_some("noreferrer")] { bdi { (mark.text) } } }
                    None => { bdi { (mark.text) } }
                } }
            } } }
        } }))
    }
}

fn left_out(scene: &Scene) -> &'static str {
    match (scene.more_marks, scene.more_annotations) {
        (false, false) => "",
        (true, false) => "; older incidents, corrections and planned work are left out",
        (false, true) => "; older annotations are left out",
        (true, true) => "; what is older is left out",
    }
}

/// As it is drawn, where that is one point.
fn glyph(kind: MarkKind) -> Option<&'static str> {
    match kind {
        MarkKind::Incident | MarkKind::Planned => None,
        MarkKind::Correction => Some("◆"),
        MarkKind::Deploy | MarkKind::Note => Some(mark(kind.as_str())),
    }
}
