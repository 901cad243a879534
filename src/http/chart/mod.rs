//! Charts: small drawings made on the server, each with a title, a sentence that says what it shows, and its numbers as a
//! table. What was not measured is hatched, never drawn as good.

mod band;
mod burn_down;
mod frame;
mod marked;

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use self::frame::{Frame, HEIGHT, WIDTH, short};
pub use self::{
    band::{Band, band},
    burn_down::{BurnDown, burn_down},
    marked::happened,
};
use super::pages::cell;
use crate::views::{course::Course, dashboard::Mark, render_words::instant};

/// What every chart has.
struct Chart<'a> {
    /// Unique on its page, letters only.
    id: &'a str,
    title: &'a str,
    /// What it shows, in one sentence.
    summary: String,
    frame: Frame,
    /// How a value is written at its tick.
    tick: fn(f64) -> String,
    /// Which of the ways above that is, for the script: `percent`, `seconds` or `number`.
    unit: &'static str,
    course: &'a Course,
    marks: &'a [Mark],
    /// What each kind of line is: its class and its name.
    legend: Vec<(&'static str, String)>,
}

impl Chart<'_> {
    /// The whole figure around what is drawn and its table.
    fn figure(&self, drawn: &Markup, table: &Markup) -> Markup {
        let (id, frame) = (self.id, &self.frame);
        let gaps = self.gaps();
        html! {
            figure.chart id=(id) {
                figcaption { strong { (self.title) } " " span { (self.summary) } }
                div.canvas tabindex="0" role="region" aria-label={ "Chart: " (self.title) } {
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-labelledby={ (id) "-title " (id) "-summary" }
                        data-from=(frame.from.timestamp()) data-to=(frame.to.timestamp()) data-low=(frame.low) data-high=(frame.high)
                        data-box=(Frame::numbers()) data-unit=(self.unit) {
                        title id={ (id) "-title" } { (self.title) }
                        desc id={ (id) "-summary" } { (self.summary) }
                        defs { pattern id={ (id) "-hatch" } width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                            line.hatch x1="0" y1="0" x2="0" y2="6" {}
                        } }
                        (self.scales())
                        (self.unknown(&gaps))
                        (marked::marked(frame, self.marks, self.course.to))
                        (drawn)
                    }
                }
                (self.names(&gaps))
                details { summary { "The numbers behind it" } (cell::scroll(&format!("Numbers: {}", self.title), table)) }
            }
        }
    }

    fn scales(&self) -> Markup {
        let frame = &self.frame;
        let (left, top, right, bottom) = Frame::edges();
        html! {
            @for value in frame.value_ticks() {
                @let y = short(frame.y(value));
                line.grid x1=(short(left)) x2=(short(right)) y1=(y) y2=(y) {}
                text.tick x=(short(left - 8.0)) y=(short(frame.y(value) + 5.0)) text-anchor="end" { ((self.tick)(value)) }
            }
            @for (at, label) in frame.time_ticks() {
                @let x = short(frame.x(at));
                line.grid x1=(x) x2=(x) y1=(short(bottom)) y2=(short(bottom + 4.0)) {}
                text.tick x=(x) y=(short(bottom + 22.0)) text-anchor="middle" { (label) }
            }
            line.axis x1=(short(left)) x2=(short(left)) y1=(short(top)) y2=(short(bottom)) {}
            line.axis x1=(short(left)) x2=(short(right)) y1=(short(bottom)) y2=(short(bottom)) {}
        }
    }

    /// Times of which less than half is known, joined; and whether that is because they do not count.
    fn gaps(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>, bool)> {
        let mut joined: Vec<(DateTime<Utc>, DateTime<Utc>, bool)> = Vec::new();
        for (start, end, stretch) in self.course.spans() {
            let seconds = (end - start).num_seconds();
            let excluded = stretch.excluded_seconds * 2 > seconds;
            if !excluded && (stretch.known_seconds + stretch.excluded_seconds) * 2 > seconds {
                continue;
            }
            match joined.last_mut() {
                Some((_, last, kind)) if *last == start && *kind == excluded => *last = end,
                _ => joined.push((start, end, excluded)),
            }
        }
        joined
    }

    fn unknown(&self, gaps: &[(DateTime<Utc>, DateTime<Utc>, bool)]) -> Markup {
        let (_, top, _, bottom) = Frame::edges();
        html! {
            @for (start, end, excluded) in gaps {
                @let (x, to) = (self.frame.x(*start), self.frame.x(*end));
                @let what = if *excluded { "left out of the budget" } else { "not measured" };
                rect.excluded[*excluded].unknown[!*excluded] x=(short(x)) y=(short(top)) width=(short((to - x).max(0.8))) height=(short(bottom - top))
                    fill=[(!*excluded).then(|| format!("url(#{}-hatch)", self.id))] {
                    title { (what) ": " (instant(*start)) " to " (instant(*end)) }
                }
            }
        }
    }

    /// What each line and field means, of those that are there.
    fn names(&self, gaps: &[(DateTime<Utc>, DateTime<Utc>, bool)]) -> Markup {
        let mut names: Vec<(&str, String)> = self.legend.clone();
        if gaps.iter().any(|gap| !gap.2) {
            names.push(("unknown", "not measured".to_owned()));
        }
        if gaps.iter().any(|gap| gap.2) {
            names.push(("excluded", "left out of the budget".to_owned()));
        }
        names.extend(marked::kinds(self.marks).into_iter().map(|kind| (marked::class(kind), kind.as_str().to_owned())));
        html! {
            ul.legend { @for (class, name) in names { li {
                svg.key viewBox="0 0 22 12" aria-hidden="true" { (key(class, self.id)) } (name)
            } } }
        }
    }
}

fn key(class: &str, id: &str) -> Markup {
    html! {
        @match class {
            "line" | "limit" | "projection" | "even" | "present" => { line.{ (class) } x1="1" x2="21" y1="6" y2="6" {} }
            "correction" => { path.correction d="M11 1L16 6L11 11L6 6Z" {} }
            "deploy" => { path.deploy d="M5.5 1h11l-5.5 10Z" {} }
            "remark" => { circle.remark cx="11" cy="6" r="4.5" {} }
            "unknown" => { rect.unknown x="1" y="1" width="20" height="10" fill={ "url(#" (id) "-hatch)" } {} }
            _ => { rect.{ (class) } x="1" y="1" width="20" height="10" {} }
        }
    }
}
