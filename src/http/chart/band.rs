//! A figure over time, with its extremes: the mean of each part of the window as a line, from the lowest to the highest slot
//! as a band.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    Chart,
    frame::{Frame, path, short},
};
use crate::views::{course::Course, dashboard::Mark, render_words::instant};

/// Rows of the table.
const ROWS: usize = 30;

/// What is drawn of each part of the time: the lowest, the middle and the highest.
pub type Spread = Option<(f64, f64, f64)>;

/// A band and what is around it.
pub struct Band<'a> {
    /// Unique on its page, letters only.
    pub id: &'a str,
    /// Its name.
    pub title: &'a str,
    /// In one sentence.
    pub summary: String,
    /// One for each part of the course.
    pub values: Vec<Spread>,
    /// The line that must not be crossed, and its name.
    pub limit: Option<(f64, &'a str)>,
    /// What the line is of: `mean of a part`.
    pub middle: &'a str,
    /// How a value is written.
    pub tick: fn(f64) -> String,
    /// Which of the script's ways that is: `percent`, `seconds` or `number`.
    pub unit: &'static str,
}

/// Draws it.
pub fn band(course: &Course, wanted: Band<'_>, marks: &[Mark]) -> Markup {
    let Band { id, title, summary, values, limit, middle, tick, unit } = wanted;
    let all = values.iter().flatten().flat_map(|(low, middle, high)| [*low, *middle, *high]);
    let frame = Frame::around(course.from, course.to, all.chain(limit.map(|(value, _)| value)));
    let spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = course.spans().map(|(start, end, _)| (start, end)).collect();
    let centre = |at: usize| spans.get(at).map(|(start, end)| frame.x(*start + (*end - *start) / 2));
    let line = path(values.iter().enumerate().map(|(at, value)| Some((centre(at)?, frame.y(value.as_ref()?.1)))));
    let (left, _, right, _) = Frame::edges();
    let mut legend = vec![("line", middle.to_owned()), ("spread", "lowest to highest slot".to_owned())];
    legend.extend(limit.map(|(value, name)| ("limit", format!("{name}: {}", tick(value)))));
    let drawn = html! {
        path.spread d=(spread(&frame, &spans, &values)) {}
        @if let Some((value, _)) = limit {
            @let y = short(frame.y(value));
            line.limit x1=(short(left)) x2=(short(right)) y1=(y) y2=(y) {}
        }
        path.line d=(line) {}
    };
    let table = table(title, &spans, &values, tick);
    let chart = Chart { id, title, summary, frame, tick, unit, course, marks, legend };
    chart.figure(&drawn, &table)
}

/// The outline of all parts that have values: along the highest, and back along the lowest. Where values are missing it is
/// interrupted.
fn spread(frame: &Frame, spans: &[(DateTime<Utc>, DateTime<Utc>)], values: &[Spread]) -> String {
    let mut outline = String::new();
    let mut run: Vec<(f64, f64, f64, f64)> = Vec::new();
    for (value, (start, end)) in values.iter().zip(spans) {
        match value {
            // Even one value is to be seen.
            Some((low, _, high)) => {
                let (top, bottom) = (frame.y(*high), frame.y(*low));
                run.push((frame.x(*start), frame.x(*end), top - 0.5, bottom + 0.5));
            }
            None => close(&mut outline, &mut run),
        }
    }
    close(&mut outline, &mut run);
    outline
}

fn close(outline: &mut String, run: &mut Vec<(f64, f64, f64, f64)>) {
    let Some((first, ..)) = run.first().copied() else { return };
    let mut add = |command: char, value: f64| {
        outline.push(command);
        outline.push_str(&short(value));
    };
    add('M', first);
    let mut command = ' ';
    for (_, right, top, _) in run.iter() {
        add(command, *top);
        add('H', *right);
        command = 'V';
    }
    for (left, _, _, bottom) in run.iter().rev() {
        add('V', *bottom);
        add('H', *left);
    }
    outline.push('Z');
    run.clear();
}

fn table(title: &str, spans: &[(DateTime<Utc>, DateTime<Utc>)], values: &[Spread], tick: fn(f64) -> String) -> Markup {
    let every = values.len().div_ceil(ROWS).max(1);
    html! {
        table {
            caption { (title) ": the lowest, the mean and the highest of each part" }
            thead { tr { th scope="col" { "From" } th.n scope="col" { "Lowest" } th.n scope="col" { "Mean" } th.n scope="col" { "Highest" } } }
            tbody { @for (part, span) in values.chunks(every).zip(spans.chunks(every)) { tr {
                th scope="row" { @if let Some((start, _)) = span.first() { (instant(*start)) } }
                @for value in extremes(part) { td.n { @if let Some(value) = value { (tick(value)) } @else { "—" } } }
            } } }
        }
    }
}

/// The lowest, the mean and the highest of some parts.
fn extremes(part: &[Spread]) -> [Option<f64>; 3] {
    let known = || part.iter().flatten();
    let many = known().count();
    let mean = (many > 0).then(|| known().map(|value| value.1).sum::<f64>() / many as f64);
    [known().map(|value| value.0).reduce(f64::min), mean, known().map(|value| value.2).reduce(f64::max)]
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn spans(many: usize) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let at = |place: usize| DateTime::UNIX_EPOCH + TimeDelta::hours(place as i64);
        (0..many).map(|place| (at(place), at(place + 1))).collect()
    }

    #[test]
    fn a_gap_interrupts_the_band() {
        let spans = spans(3);
        let frame = Frame { from: spans[0].0, to: spans[2].1, low: 0.0, high: 1.0 };
        let drawn = spread(&frame, &spans, &[Some((0.0, 0.5, 1.0)), None, Some((0.2, 0.3, 0.4))]);
        assert_eq!((drawn.matches('M').count(), drawn.matches('Z').count()), (2, 2), "{drawn}");
        assert_eq!(spread(&frame, &spans, &[None, None, None]), "");
    }

    proptest! {
        /// The lowest and the highest of everything stand in the table and are reached by what is drawn.
        #[test]
        fn extremes_are_drawn(values in prop::collection::vec(prop::option::of((-1e6..1e6_f64, 0.0..1e3_f64)), 1..500)) {
            let values: Vec<Spread> = values.into_iter().map(|value| value.map(|(low, more)| (low, low + more / 2.0, low + more))).collect();
            let spans = spans(values.len());
            let low = values.iter().flatten().map(|value| value.0).reduce(f64::min);
            let high = values.iter().flatten().map(|value| value.2).reduce(f64::max);
            let every = values.len().div_ceil(ROWS).max(1);
            let rows: Vec<_> = values.chunks(every).map(extremes).collect();
            prop_assert!(rows.len() <= ROWS);
            prop_assert_eq!(rows.iter().filter_map(|row| row[0]).reduce(f64::min), low);
            prop_assert_eq!(rows.iter().filter_map(|row| row[2]).reduce(f64::max), high);
            let (Some(low), Some(high)) = (low, high) else { return Ok(()) };
            let frame = Frame::around(spans[0].0, spans[spans.len() - 1].1, [low, high]);
            let drawn = spread(&frame, &spans, &values);
            for edge in [frame.y(high) - 0.5, frame.y(low) + 0.5] {
                prop_assert!(drawn.contains(&short(edge)), "{} is not in {}", short(edge), drawn);
            }
        }
    }
}
