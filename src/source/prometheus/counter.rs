//! What a counter counted between two of its samples. Pure: what a sample adds depends on the samples of its series
//! alone, so that slots add up however they are cut and asked about.

/// One sample of a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// When, in Unix milliseconds.
    pub at: i64,
    /// All events so far.
    pub value: f64,
    /// Those of them that are at most the threshold, for native histograms; else 0.
    pub part: f64,
}

/// What is known of a series before one of its samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Before {
    /// Its last sample.
    Point(Point),
    /// Its last sample, and it began at zero again since: its target was restarted.
    Restarted(Point),
    /// It had none, but its target was there: it began at zero.
    Zero,
    /// It had none, and its target is as new: what it counted before cannot be dated.
    Nothing,
}

/// What a sample adds to its slot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Growth {
    /// All events.
    pub value: f64,
    /// Those at most the threshold.
    pub part: f64,
}

impl Point {
    /// Why it is no count, if so.
    pub fn fault(&self) -> Option<String> {
        let wrong = |count: f64| !count.is_finite() || count < 0.0;
        let count = if wrong(self.value) { self.value } else { self.part };
        wrong(count).then(|| format!("a counter's sample is {count}"))
    }
}

/// What `point` adds.
///
/// A counter that fell was reset, and counts its new value. A sample that is no count is a fault of its slot; nothing is counted
/// across it, because nothing can be.
pub(super) fn growth(before: Before, point: Point) -> Result<Growth, String> {
    if let Some(fault) = point.fault() {
        return Err(fault);
    }
    let whole = Growth { value: point.value, part: point.part };
    Ok(match before {
        Before::Zero | Before::Restarted(_) => whole,
        Before::Nothing => Growth::default(),
        Before::Point(last) if last.fault().is_some() => Growth::default(),
        Before::Point(last) if point.value < last.value => whole,
        Before::Point(last) => {
            let value = point.value - last.value;
            // A native histogram whose buckets were merged is cut elsewhere than before.
            Growth { value, part: (point.part - last.part).clamp(0.0, value) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(value: f64) -> Point {
        Point { at: 0, value, part: 0.0 }
    }

    #[test]
    fn what_a_sample_adds() {
        let after = |value| Before::Point(point(value));
        for (before, value, added) in [
            (after(5.0), 8.0, Ok(3.0)),
            (after(5.0), 5.0, Ok(0.0)),
            (after(5.0), 2.0, Ok(2.0)),
            (after(5.0), 0.0, Ok(0.0)),
            (Before::Zero, 4.0, Ok(4.0)),
            (Before::Restarted(point(3.0)), 4.0, Ok(4.0)),
            (Before::Nothing, 4.0, Ok(0.0)),
            (after(f64::NAN), 4.0, Ok(0.0)),
            (after(-1.0), 4.0, Ok(0.0)),
            (after(5.0), f64::NAN, Err("a counter's sample is NaN")),
            (after(5.0), f64::INFINITY, Err("a counter's sample is inf")),
            (after(5.0), -1.0, Err("a counter's sample is -1")),
            (Before::Nothing, f64::NEG_INFINITY, Err("a counter's sample is -inf")),
        ] {
            let found = growth(before, point(value)).map(|growth| growth.value);
            assert_eq!(found, added.map_err(str::to_owned), "{before:?} {value}");
        }
    }

    #[test]
    fn both_counts_of_a_native_histogram_are_reset_together() {
        let at = |value, part| Point { at: 0, value, part };
        for (last, next, value, part) in [
            (at(10.0, 9.0), at(14.0, 12.0), 4.0, 3.0),
            (at(10.0, 9.0), at(4.0, 3.5), 4.0, 3.5),
            (at(10.0, 9.0), at(12.0, 8.9), 2.0, 0.0),
        ] {
            assert_eq!(growth(Before::Point(last), next), Ok(Growth { value, part }));
        }
    }
}
