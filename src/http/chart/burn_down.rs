//! What was left of an error budget over its window.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    Chart,
    frame::{Frame, path, short},
};
use crate::views::{
    course::Course,
    dashboard::Mark,
    render_words::{amount, instant, percent},
};

/// Rows of the table.
const ROWS: usize = 30;
/// A little air above a whole budget and below nothing.
const AIR: f64 = 0.04;

/// A budget and how it goes on.
pub struct BurnDown {
    /// How many bad events the window may hold.
    pub allowed: f64,
    /// Those are seconds.
    pub in_seconds: bool,
    /// When it will be gone at the present rate.
    pub spent_at: Option<DateTime<Utc>>,
    /// When the calendar period ends, for a budget of one.
    pub ends_at: Option<DateTime<Utc>>,
}

/// The budget from the beginning of the window, when it was whole, to now. Nothing is drawn if no event is allowed.
pub fn burn_down(course: &Course, budget: &BurnDown, marks: &[Mark]) -> Markup {
    let Some(left) = course.remaining(budget.allowed) else {
        return html! { p.absent { "There is no budget to burn down: the window holds no events." } };
    };
    let now = left.last().copied().unwrap_or((course.to, 1.0));
    let lowest = left.iter().map(|(_, left)| *left).fold(0.0, f64::min);
    let highest = left.iter().map(|(_, left)| *left).fold(1.0, f64::max);
    // The time to come may use a third of the width, no more.
    let farthest = course.to + (course.to - course.from) / 2;
    let projected = budget.spent_at.filter(|at| *at > course.to && now.1 > 0.0);
    let to = projected.or(budget.ends_at).map_or(course.to, |at| at.clamp(course.to, farthest));
    let air = (highest - lowest) * AIR;
    let frame = Frame { from: course.from, to, low: lowest - air, high: highest + air };
    let line = path(left.iter().map(|(at, left)| Some((frame.x(*at), frame.y(*left)))));
    let (start, zero, end) = (short(frame.x(course.from)), short(frame.y(0.0)), short(frame.x(now.0)));
    let (_, _, right, _) = Frame::edges();
    let drawn = html! {
        path.area d={ (line) "L" (end) " " (zero) "L" (start) " " (zero) "Z" } {}
        line.limit x1=(start) x2=(short(right)) y1=(zero) y2=(zero) {}
        path.line d=(line) {}
        @if let Some(at) = projected {
            path.projection d=(path([Some((frame.x(now.0), frame.y(now.1))), Some((frame.x(to), frame.y(projection(now, at, to))))])) {}
        }
        circle.now cx=(end) cy=(short(frame.y(now.1))) r="3.5" { title { (percent(now.1)) " left at " (instant(now.0)) } }
    };
    let mut legend = vec![("line", "budget left".to_owned()), ("limit", "nothing left".to_owned())];
    if projected.is_some() {
        legend.push(("projection", "at the rate of the last 6 h".to_owned()));
    }
    let chart = Chart {
        id: "burndown",
        title: "Error budget",
        summary: summary(now, lowest, projected),
        frame,
        tick: percent,
        unit: "percent",
        course,
        marks,
        legend,
    };
    chart.figure(&drawn, &table(&left, budget))
}

fn summary(now: (DateTime<Utc>, f64), lowest: f64, projected: Option<DateTime<Utc>>) -> String {
    let mut said = vec![format!("{} was left at {}", percent(now.1), instant(now.0))];
    if let Some(at) = projected {
        said.push(format!("at the present rate it is gone at {}", instant(at)));
    } else if now.1 < 0.0 {
        said.push("it is overspent".to_owned());
    }
    if lowest < now.1 && lowest < 0.0 {
        said.push(format!("at its lowest it was {}", percent(lowest)));
    }
    format!("{}.", said.join("; "))
}

/// At most so many rows, the lowest and the newest among them.
fn table(left: &[(DateTime<Utc>, f64)], budget: &BurnDown) -> Markup {
    let every = left.len().div_ceil(ROWS).max(1);
    let lowest = left.iter().enumerate().min_by(|one, other| one.1.1.total_cmp(&other.1.1)).map(|(at, _)| at);
    let shown = |at: usize| at.is_multiple_of(every) || at + 1 == left.len() || Some(at) == lowest;
    let rows = left.iter().enumerate().filter(|(at, _)| shown(*at));
    html! {
        table {
            caption { "Budget left at the end of each part of the window; allowed: " (amount(budget.allowed, budget.in_seconds)) @if !budget.in_seconds { " bad" } }
            thead { tr { th scope="col" { "Time" } th.n scope="col" { "Left" } } }
            tbody { @for (_, (at, left)) in rows { tr { th scope="row" { (instant(*at)) } td.n { (percent(*left)) } } } }
        }
    }
}

/// What will be left at `to` if it is gone at `spent_at`.
fn projection(now: (DateTime<Utc>, f64), spent_at: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    let share = (to - now.0).num_seconds() as f64 / (spent_at - now.0).num_seconds().max(1) as f64;
    now.1 * (1.0 - share.clamp(0.0, 1.0))
}
