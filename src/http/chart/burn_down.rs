//! What was left of an error budget over its window.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::{
    Chart,
    frame::{Frame, path, short},
};
use crate::views::{
    course::Course,
    dashboard::{Mark, PeriodAhead},
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
    /// The calendar period, for a budget of one.
    pub period: Option<PeriodAhead>,
}

/// What is drawn of the time to come.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ahead {
    /// The right edge: the end of a calendar period; of a rolling window, where the projection ends.
    to: DateTime<Utc>,
    /// Where the projection ends, and what is left there.
    projected: Option<(DateTime<Utc>, f64)>,
}

impl BurnDown {
    /// From the window's beginning and what is left now.
    fn ahead(&self, from: DateTime<Utc>, now: (DateTime<Utc>, f64)) -> Ahead {
        let spent_at = self.spent_at.filter(|at| *at > now.0 && now.1 > 0.0);
        if let Some(period) = self.period {
            let to = period.ends_at.max(now.0);
            let spent = spent_at.filter(|at| *at <= to).map(|at| (at, 0.0));
            let lasts = period.left_at_end.filter(|left| left.is_finite() && now.1 > 0.0 && to > now.0);
            return Ahead { to, projected: spent.or_else(|| lasts.map(|left| (to, left.clamp(0.0, now.1)))) };
        }
        // The time to come may use a third of the width, no more.
        let to = spent_at.map_or(now.0, |at| at.min(now.0 + (now.0 - from) / 2));
        Ahead { to, projected: spent_at.map(|at| (to, projection(now, at, to))) }
    }
}

/// The budget from the beginning of the window, when it was whole, to now, and on from there; of a calendar period to its
/// end. Nothing is drawn if no event is allowed.
pub fn burn_down(course: &Course, budget: &BurnDown, marks: &[Mark]) -> Markup {
    let Some(left) = course.remaining(budget.allowed) else {
        return html! { p.absent { "There is no budget to burn down: the window holds no events." } };
    };
    let now = left.last().copied().unwrap_or((course.to, 1.0));
    let lowest = left.iter().map(|(_, left)| *left).fold(0.0, f64::min);
    let highest = left.iter().map(|(_, left)| *left).fold(1.0, f64::max);
    let ahead = budget.ahead(course.from, now);
    let air = (highest - lowest) * AIR;
    let frame = Frame { from: course.from, to: ahead.to, low: lowest - air, high: highest + air };
    let line = path(left.iter().map(|(at, left)| Some((frame.x(*at), frame.y(*left)))));
    let (start, zero, end) = (short(frame.x(course.from)), short(frame.y(0.0)), short(frame.x(now.0)));
    let (_, top, right, bottom) = Frame::edges();
    let drawn = html! {
        path.area d={ (line) "L" (end) " " (zero) "L" (start) " " (zero) "Z" } {}
        line.limit x1=(start) x2=(short(right)) y1=(zero) y2=(zero) {}
        @if budget.period.is_some() {
            line.even x1=(start) x2=(short(right)) y1=(short(frame.y(1.0))) y2=(zero) {}
            line.present x1=(end) x2=(end) y1=(short(top)) y2=(short(bottom)) { title { "now: " (instant(now.0)) } }
        }
        path.line d=(line) {}
        @if let Some((at, then)) = ahead.projected {
            path.projection d=(path([Some((frame.x(now.0), frame.y(now.1))), Some((frame.x(at), frame.y(then)))])) {}
        }
        circle.now cx=(end) cy=(short(frame.y(now.1))) r="3.5" { title { (percent(now.1)) " left at " (instant(now.0)) } }
    };
    let mut legend = vec![("line", "budget left".to_owned()), ("limit", "nothing left".to_owned())];
    if budget.period.is_some() {
        legend.extend([("even", "spent evenly".to_owned()), ("present", "now".to_owned())]);
    }
    if ahead.projected.is_some() {
        legend.push(("projection", "at the rate of the last 6 h".to_owned()));
    }
    let chart = Chart {
        id: "burndown",
        title: "Error budget",
        summary: summary(now, lowest, budget, ahead),
        frame,
        tick: percent,
        unit: "percent",
        course,
        marks,
        legend,
    };
    chart.figure(&drawn, &table(&left, budget))
}

fn summary(now: (DateTime<Utc>, f64), lowest: f64, budget: &BurnDown, ahead: Ahead) -> String {
    let of = if budget.period.is_some() { " of the whole period's budget" } else { "" };
    let mut said = vec![format!("{}{of} was left at {}", percent(now.1), instant(now.0))];
    match (ahead.projected, budget.spent_at) {
        (Some((_, then)), Some(at)) if then <= 0.0 || budget.period.is_none() => {
            said.push(format!("at the present rate it is gone at {}", instant(at)));
        }
        (Some((at, then)), _) => {
            said.push(format!("at the present rate {} is left when the period ends at {}", percent(then), instant(at)));
        }
        _ if now.1 < 0.0 => said.push("it is overspent".to_owned()),
        _ => {}
    }
    if lowest < now.1 && lowest < 0.0 {
        said.push(format!("at its lowest it was {}", percent(lowest)));
    }
    if budget.period.is_some() {
        said.push("what is unmeasured or to come counts as good".to_owned());
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::{domain::slot::SlotState, views::slo::SlotView};

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn budget(spent_at: Option<i64>, period: Option<(i64, Option<f64>)>) -> BurnDown {
        let period = period.map(|(ends, left_at_end)| PeriodAhead { ends_at: at(ends), allowed: 10.0, left_at_end });
        BurnDown { allowed: 10.0, in_seconds: false, spent_at: spent_at.map(at), period }
    }

    /// In hours, from 0: now and what is left, when it is gone, the period's end and what is left then; the right edge, and
    /// where the projection ends.
    #[test]
    fn how_far_it_is_drawn() {
        for (now, spent_at, period, to, projected) in [
            // A rolling window.
            ((300, 0.5), None, None, 300, None),
            ((300, 0.5), Some(400), None, 400, Some((400, 0.0))),
            ((300, 0.5), Some(600), None, 450, Some((450, 0.25))),
            ((300, -0.5), Some(400), None, 300, None),
            // A calendar period: to its end, whatever is projected.
            ((300, 0.5), None, Some((720, None)), 720, None),
            ((300, 0.5), None, Some((720, Some(0.25))), 720, Some((720, 0.25))),
            ((300, 0.5), Some(400), Some((720, Some(-2.0))), 720, Some((400, 0.0))),
            ((300, 0.5), Some(900), Some((720, Some(0.1))), 720, Some((720, 0.1))),
            ((300, -0.5), None, Some((720, Some(-3.0))), 720, None),
            ((1, 1.0), None, Some((720, Some(1.0))), 720, Some((720, 1.0))),
            ((720, 0.5), None, Some((720, Some(0.5))), 720, None),
        ] {
            let found = budget(spent_at, period).ahead(at(0), (at(now.0), now.1));
            let wanted = Ahead { to: at(to), projected: projected.map(|(hour, left)| (at(hour), left)) };
            assert_eq!(found, wanted, "{now:?} {spent_at:?} {period:?}");
        }
    }

    fn course(bad: &[bool]) -> Course {
        let slot = |(hour, bad): (usize, &bool)| SlotView {
            start: at(hour as i64),
            seconds: 3_600,
            good: if *bad { 0.0 } else { 1.0 },
            total: 1.0,
            state: SlotState::Measured,
            reading: None,
        };
        Course::new(bad.iter().enumerate().map(slot), at(0), at(bad.len() as i64), 60)
    }

    #[test]
    fn a_calendar_period_says_where_it_ends() {
        let course = course(&[false; 100]);
        let page = burn_down(&course, &budget(None, Some((720, Some(0.75)))), &[]).into_string();
        for part in [
            "data-to=\"2592000\"",
            "class=\"even\"",
            "class=\"present\"",
            "100 % of the whole period's budget was left at 1970-01-05 04:00:00 UTC",
            "at the present rate 75 % is left when the period ends at 1970-01-31 00:00:00 UTC",
            "spent evenly",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let rolling = burn_down(&course, &budget(None, None), &[]).into_string();
        assert!(rolling.contains("data-to=\"360000\""), "{rolling}");
        for part in ["even", "present\"", "period"] {
            assert!(!rolling.contains(part), "{part}: {rolling}");
        }
    }

    proptest! {
        /// Whatever is projected: the axis ends with the period or where the projection does, what is to come lies between now
        /// and that edge and between what is left and nothing, and every number of the drawing is one.
        #[test]
        fn the_time_to_come_stays_within_the_frame(
            bad in prop::collection::vec(any::<bool>(), 1..200),
            allowed in 0.1..500.0_f64,
            spent in prop::option::of(-50_i64..2_000),
            period in prop::option::of((0_i64..1_000, prop::option::of(-5.0..2.0_f64))),
        ) {
            let course = course(&bad);
            let now = bad.len() as i64;
            let period = period.map(|(more, left)| (now + more, left));
            let budget = BurnDown { allowed, ..budget(spent, period) };
            let left = course.remaining(allowed).expect("something is allowed");
            let newest = *left.last().expect("it has a beginning");
            let ahead = budget.ahead(course.from, newest);
            match period {
                Some((ends, _)) => prop_assert_eq!(ahead.to, at(ends)),
                None => prop_assert!(ahead.to >= newest.0 && ahead.to - newest.0 <= (newest.0 - course.from) / 2),
            }
            if let Some((when, then)) = ahead.projected {
                prop_assert!(when > newest.0 && when <= ahead.to);
                prop_assert!((0.0..=newest.1).contains(&then), "{} of {}", then, newest.1);
            }
            let page = burn_down(&course, &budget, &[]).into_string();
            prop_assert!(!page.contains("NaN") && !page.contains("inf"), "{}", page);
            let edge = format!("data-to=\"{}\"", ahead.to.timestamp());
            prop_assert!(page.contains(&edge));
        }
    }
}
