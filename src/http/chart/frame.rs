//! Where a value stands on a chart: scales, ticks and their labels.

use chrono::{DateTime, TimeDelta, Timelike, Utc};

/// The width of every chart, in its own units: the style makes it as wide as its place.
pub const WIDTH: f64 = 760.0;
/// Its height.
pub const HEIGHT: f64 = 220.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 32.0;

/// Steps between ticks of time, in seconds.
const STEPS: [i64; 14] =
    [60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 7_776_000, 31_104_000];

/// A chart's two scales.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// The time at the left edge.
    pub from: DateTime<Utc>,
    /// The time at the right edge.
    pub to: DateTime<Utc>,
    /// The value at the bottom.
    pub low: f64,
    /// The value at the top.
    pub high: f64,
}

impl Frame {
    /// A frame that holds all of `values`, and a little air. Equal values get a scale of their own.
    pub fn around(from: DateTime<Utc>, to: DateTime<Utc>, values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) =
            finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let air = if high > low { (high - low) * 0.04 } else { high.abs().max(1.0) * 0.05 };
        Self { from, to: to.max(from + TimeDelta::seconds(1)), low: low - air, high: high + air }
    }

    /// Where a time stands, from the left. Times outside stand at an edge.
    pub fn x(&self, at: DateTime<Utc>) -> f64 {
        let share = (at - self.from).num_milliseconds() as f64 / (self.to - self.from).num_milliseconds().max(1) as f64;
        LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// Where a value stands, from the top. Values outside stand at an edge.
    pub fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - BOTTOM - TOP)
    }

    /// The left, top, right and bottom edge of what is drawn.
    pub fn edges() -> (f64, f64, f64, f64) {
        (LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)
    }

    /// The edges as the script reads them.
    pub fn numbers() -> String {
        let (left, top, right, bottom) = Self::edges();
        format!("{left} {top} {right} {bottom}")
    }

    /// Three to seven round values.
    pub fn value_ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(power * 10.0);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last.min(first + 10)).map(|number| number as f64 * step).collect()
    }

    /// Up to eight round times with their labels: days, or hours where the chart is of few days.
    pub fn time_ticks(&self) -> Vec<(DateTime<Utc>, String)> {
        let seconds = (self.to - self.from).num_seconds();
        let step = STEPS.into_iter().find(|step| seconds / step <= 7).unwrap_or(31_104_000);
        let first = self.from.timestamp().div_euclid(step) + 1;
        let times = (first..).map_while(|number| {
            let at = DateTime::from_timestamp(number.checked_mul(step)?, 0)?;
            (at <= self.to).then_some(at)
        });
        let label = |at: DateTime<Utc>| {
            let format = match (step < 86_400, at.num_seconds_from_midnight() == 0) {
                (true, false) => "%H:%M",
                (_, _) => "%-d %b",
            };
            (at, at.format(format).to_string())
        };
        times.take(12).map(label).collect()
    }
}

/// A coordinate with one decimal: less is seen by nobody, more is weight.
pub fn short(coordinate: f64) -> String {
    let text = format!("{coordinate:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A path through points; a point that is missing breaks it. Points on a level line between two others are left out.
pub fn path(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let points: Vec<Option<(String, String)>> =
        points.into_iter().map(|point| point.map(|(x, y)| (short(x), short(y)))).collect();
    let level = |at: usize| points.get(at).and_then(Option::as_ref).map(|(_, y)| y);
    let mut path = String::new();
    let mut pen_is_down = false;
    for (place, point) in points.iter().enumerate() {
        let Some((x, y)) = point else {
            pen_is_down = false;
            continue;
        };
        let between = pen_is_down && level(place - 1) == Some(y) && level(place + 1) == Some(y);
        if !between {
            path.push(if pen_is_down { 'L' } else { 'M' });
            path.push_str(x);
            path.push(' ');
            path.push_str(y);
        }
        pen_is_down = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(days: i64, low: f64, high: f64) -> Frame {
        let from = DateTime::UNIX_EPOCH + TimeDelta::hours(5);
        Frame { from, to: from + TimeDelta::days(days), low, high }
    }

    #[test]
    fn scales_reach_their_edges_and_no_farther() {
        let frame = frame(30, -0.5, 1.0);
        assert_eq!((frame.x(frame.from), frame.x(frame.to)), (92.0, 736.0));
        assert_eq!((frame.y(1.0), frame.y(-0.5)), (10.0, 188.0));
        assert_eq!((frame.y(7.0), frame.y(-9.0)), (10.0, 188.0));
        assert_eq!(short(frame.x(frame.to + TimeDelta::days(9))), "736");
    }

    #[test]
    fn ticks_are_round_and_few() {
        for (low, high, ticks) in [
            (0.0, 1.0, vec![0.0, 0.25, 0.5, 0.75, 1.0]),
            (-0.5, 1.0, vec![-0.5, 0.0, 0.5, 1.0]),
            (98.9, 100.1, vec![99.0, 99.5, 100.0]),
            (0.0, 7_000.0, vec![0.0, 2_000.0, 4_000.0, 6_000.0]),
        ] {
            assert_eq!(frame(1, low, high).value_ticks(), ticks);
        }
        let labels = |days| frame(days, 0.0, 1.0).time_ticks().into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(1), ["06:00", "12:00", "18:00", "2 Jan"].map(str::to_owned));
        assert!(labels(30).len() <= 8 && labels(400).len() <= 8);
    }

    #[test]
    fn a_frame_holds_what_is_in_it() {
        let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        for values in [vec![], vec![1.0], vec![0.0, 0.0], vec![f64::NAN], vec![-3.0, 9.0]] {
            let frame = Frame::around(from, to, values.clone());
            assert!(frame.high > frame.low && frame.to > frame.from, "{values:?}");
            assert!(values.iter().all(|value| value.is_nan() || (frame.low..frame.high).contains(value)));
        }
    }

    #[test]
    fn a_gap_breaks_the_line() {
        assert_eq!(path([Some((1.0, 2.0)), Some((3.25, 4.0)), None, Some((5.0, 6.0))]), "M1 2L3.2 4M5 6");
        let level = [1.0, 2.0, 3.0, 4.0].map(|x| Some((x, 5.0)));
        assert_eq!(path(level), "M1 5L4 5");
    }
}
