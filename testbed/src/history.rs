//! Counter histories whose true counts are known: what a Prometheus scraped, and how many events that shows.
//!
//! The truth is read off the samples themselves, one series after the other, by the rules of [`growth`]. It knows nothing of
//! slots, ranges, lookback or PromQL. What no sample shows is in nobody's truth: events between the last scrape before a
//! restart and the restart, and those of a target before its first scrape.

mod generate;
mod random;
mod wide;

use std::io::{self, Write};

pub use generate::Plan;
pub use random::Random;
pub use wide::{Pair, Wide};

/// Milliseconds since the epoch.
pub type Millis = i64;

/// One counter series of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its name, with `_total`, `_bucket` or `_count`.
    pub name: &'static str,
    /// Its label beside `job` and `instance`, if any: `("code", "500")`.
    pub label: Option<(&'static str, &'static str)>,
    /// Its values in order of time.
    pub samples: Vec<(Millis, u64)>,
}

/// One scraped process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its label `instance`.
    pub instance: String,
    /// Every scrape in order of time, and whether it succeeded.
    pub up: Vec<(Millis, bool)>,
    /// Its counters.
    pub series: Vec<Series>,
    /// All events and all errors that happened in it while it was known, whether a sample shows them or not.
    pub happened: (u64, u64),
}

/// What one Prometheus scraped from its targets, all with `job="shop"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The targets.
    pub targets: Vec<Target>,
}

impl History {
    /// OpenMetrics text with a timestamp on every sample.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_samples(out)?;
        writeln!(out, "# EOF")
    }

    /// The same without its end, so that something can follow.
    pub fn write_samples(&self, out: &mut impl Write) -> io::Result<()> {
        let mut names: Vec<&str> = self.series().map(|series| series.name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            // A name without the counter's suffix would be refused as a counter.
            if let Some(family) = name.strip_suffix("_total") {
                writeln!(out, "# TYPE {family} counter")?;
            }
            for target in &self.targets {
                for series in target.series.iter().filter(|series| series.name == name) {
                    series.write(&target.instance, out)?;
                }
            }
        }
        writeln!(out, "# TYPE up gauge")?;
        for Target { instance, up, .. } in &self.targets {
            for (at, up) in up {
                writeln!(out, "up{{job=\"shop\",instance=\"{instance}\"}} {} {}", u8::from(*up), Seconds(*at))?;
            }
        }
        Ok(())
    }

    /// The same as a string.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        drop(self.write(&mut text));
        String::from_utf8(text).unwrap_or_default()
    }

    /// The events of all series that are meant.
    pub fn truth(&self, meant: impl Fn(&Series) -> bool) -> Truth {
        // What a scrape does not have here was forgotten in a restart.
        self.events(meant, Absent::Forgotten)
    }

    fn events(&self, meant: impl Fn(&Series) -> bool, absent: Absent) -> Truth {
        let mut events = Vec::new();
        for target in &self.targets {
            let interval = target.up.windows(2).map(|pair| pair[1].0 - pair[0].0).min().unwrap_or_default();
            let restarted = |from, to| {
                let has_missed = (to - from) * 2 > interval * 3;
                has_missed && absent == Absent::Forgotten && target.fell(from, to)
            };
            for series in target.series.iter().filter(|series| meant(series)) {
                growth(&target.up, &series.samples, absent, restarted, |event| events.push(event));
            }
        }
        Truth::new(events)
    }

    /// All samples, those of `up` included.
    pub fn samples(&self) -> usize {
        let scrapes = self.targets.iter().map(|target| target.up.len());
        scrapes.chain(self.series().map(|series| series.samples.len())).sum()
    }

    fn series(&self) -> impl Iterator<Item = &Series> {
        self.targets.iter().flat_map(|target| &target.series)
    }
}

impl Target {
    /// Whether any of its series fell between two moments: then all of them began anew, those too that came back with no less
    /// than before.
    fn fell(&self, from: Millis, to: Millis) -> bool {
        self.series.iter().any(|Series { samples, .. }| {
            let within = samples.partition_point(|(at, _)| *at < from)..samples.partition_point(|(at, _)| *at <= to);
            samples[within].windows(2).any(|pair| pair[1].1 < pair[0].1)
        })
    }
}

impl Series {
    /// One without samples.
    pub fn new(name: &'static str, label: Option<(&'static str, &'static str)>) -> Self {
        Self { name, label, samples: Vec::new() }
    }

    /// Whether it has this name and this value of its label.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.name == name && self.label.is_some_and(|(_, own)| own == value)
    }

    fn write(&self, instance: &str, out: &mut impl Write) -> io::Result<()> {
        let label = self.label.map(|(name, value)| format!(",{name}=\"{value}\"")).unwrap_or_default();
        let start = format!("{}{{job=\"shop\",instance=\"{instance}\"{label}}}", self.name);
        self.samples.iter().try_for_each(|(at, value)| writeln!(out, "{start} {value} {}", Seconds(*at)))
    }
}

/// Events and when they were seen, in order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Each time with all events up to it.
    upto: Vec<(Millis, u64)>,
}

impl Truth {
    /// Takes events in any order.
    pub fn new(mut events: Vec<(Millis, u64)>) -> Self {
        events.sort_unstable();
        let mut upto: Vec<(Millis, u64)> = Vec::with_capacity(events.len());
        for (at, count) in events {
            let before = upto.last().map_or(0, |(_, sum)| *sum);
            match upto.last_mut() {
                Some((last, sum)) if *last == at => *sum += count,
                _ => upto.push((at, before + count)),
            }
        }
        Self { upto }
    }

    /// These events without those of another truth, which are among them.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        let mut others = other.upto.iter().peekable();
        let mut gone = 0;
        let less = |(at, sum): &(Millis, u64)| {
            while let Some((_, sum)) = others.next_if(|(other, _)| other <= at) {
                gone = *sum;
            }
            (*at, sum.saturating_sub(gone))
        };
        Self { upto: self.upto.iter().map(less).collect() }
    }

    /// Events seen after the Unix second `start`, and no later than `end`: a scrape at a slot's very edge belongs to the slot
    /// that ends there.
    pub fn count(&self, start: i64, end: i64) -> u64 {
        self.before(end).saturating_sub(self.before(start))
    }

    fn before(&self, second: i64) -> u64 {
        let seen = self.upto.partition_point(|(at, _)| *at <= second * 1_000);
        seen.checked_sub(1).map_or(0, |last| self.upto[last].1)
    }
}

/// What a series means that comes back, after successful scrapes of its target that did not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The exporter left it out, and went on counting. It counts what it is above its last value; all of it if it is below.
    LeftOut,
    /// The target had forgotten it, and began at zero. All of it counts.
    Forgotten,
}

/// The events that the samples of one series show, each at the time of the sample that shows it. `up` are its target's scrapes.
///
/// - A value counts what it is above the one before; if it is below, the counter was reset, and all of it counts.
/// - A first value counts in full if a scrape of the target had succeeded before: the series was not there, so it was zero. It
///   counts nothing if the target is new: what it had counted before is not known to be recent.
/// - A value after a gap (failed scrapes, or none) counts like any other, all at its own time; in full if the target had
///   `restarted` between the two moments.
/// - A value after a successful scrape that did not have the series counts as `absent` says. Samples cannot tell: a restart
///   forgets series, and exporters leave out what they cannot collect.
pub fn growth(
    up: &[(Millis, bool)],
    samples: &[(Millis, u64)],
    absent: Absent,
    restarted: impl Fn(Millis, Millis) -> bool,
    mut event: impl FnMut((Millis, u64)),
) {
    let mut scrapes = up.iter().peekable();
    let mut last: Option<(Millis, u64)> = None;
    for &(at, value) in samples {
        let mut seen_without = false;
        while let Some((_, up)) = scrapes.next_if(|(scrape, _)| *scrape < at) {
            seen_without |= up;
        }
        scrapes.next_if(|(scrape, _)| *scrape == at);
        let count = match last {
            Some(_) if seen_without && absent == Absent::Forgotten => value,
            Some((before, _)) if restarted(before, at) => value,
            Some((_, last)) => grown(last, value),
            None if seen_without => value,
            None => 0,
        };
        if count > 0 {
            event((at, count));
        }
        last = Some((at, value));
    }
}

/// What a counter counted from one value to the next: all of it, if it fell.
fn grown(last: u64, value: u64) -> u64 {
    value.checked_sub(last).unwrap_or(value)
}

/// A time as OpenMetrics wants it.
struct Seconds(Millis);

impl std::fmt::Display for Seconds {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}.{:03}", self.0.div_euclid(1_000), self.0.rem_euclid(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One character a scrape: `.` none, `x` failed, `-` succeeded without the series, a digit its value.
    fn shown(scrapes: &str, absent: Absent) -> Vec<(Millis, u64)> {
        let mut up = Vec::new();
        let mut samples = Vec::new();
        for (at, scrape) in (1..).zip(scrapes.chars()) {
            up.extend((scrape != '.').then_some((at, scrape != 'x')));
            samples.extend(scrape.to_digit(10).map(|value| (at, u64::from(value))));
        }
        let mut events = Vec::new();
        growth(&up, &samples, absent, |_, _| false, |event| events.push(event));
        events
    }

    #[test]
    fn a_restart_in_a_gap_shows_in_another_series() {
        let errors = [Some(1), None, None, Some(1), Some(1), Some(2)];
        for (requests, expected) in [
            ([Some(5), None, None, Some(3), Some(4), Some(5)], vec![(4, 1), (6, 1)]),
            ([Some(5), None, None, Some(6), Some(7), Some(8)], vec![(6, 1)]),
            ([Some(5), None, None, Some(6), Some(2), Some(8)], vec![(6, 1)]),
        ] {
            let samples = |values: [Option<u64>; 6]| (1..).zip(values).filter_map(|(at, value)| Some((at, value?)));
            let series = |code, values| Series {
                samples: samples(values).collect(),
                ..Series::new("r_total", Some(("code", code)))
            };
            let up = (1..).zip(requests).map(|(at, value)| (at, value.is_some())).collect();
            let series = vec![series("200", requests), series("503", errors)];
            let target = Target { up, series, ..Target::default() };
            let truth = History { targets: vec![target] }.truth(|series| series.is("r_total", "503"));
            assert_eq!(truth, Truth::new(expected), "{requests:?}");
        }
    }

    #[test]
    fn samples_show_what_the_rules_say() {
        for (scrapes, expected) in [
            ("", vec![]),
            ("0123", vec![(2, 1), (3, 1), (4, 1)]),
            ("5", vec![]),
            ("55", vec![]),
            ("57", vec![(2, 2)]),
            // the very first error, and several at once
            ("--1", vec![(3, 1)]),
            ("--4", vec![(3, 4)]),
            // a target that was down until it came with the series
            ("xx4", vec![]),
            ("..4", vec![]),
            ("x-4", vec![(3, 4)]),
            // resets
            ("501", vec![(3, 1)]),
            ("52", vec![(2, 2)]),
            ("55053", vec![(4, 5), (5, 3)]),
            // gaps
            ("2xx5", vec![(4, 3)]),
            ("2..5", vec![(4, 3)]),
            ("5x.2", vec![(4, 2)]),
            ("-xx3", vec![(4, 3)]),
            ("2-1", vec![(3, 1)]),
            ("2--", vec![]),
        ] {
            for absent in [Absent::LeftOut, Absent::Forgotten] {
                assert_eq!(shown(scrapes, absent), expected, "{scrapes}");
            }
        }
        for (scrapes, left_out, forgotten) in
            [("2-2", vec![], vec![(3, 2)]), ("2-5", vec![(3, 3)], vec![(3, 5)]), ("2x-x5", vec![(5, 3)], vec![(5, 5)])]
        {
            assert_eq!(shown(scrapes, Absent::LeftOut), left_out, "{scrapes}");
            assert_eq!(shown(scrapes, Absent::Forgotten), forgotten, "{scrapes}");
        }
    }

    #[test]
    fn counts_add_up_over_any_cut() {
        let truth = Truth::new(vec![(60_000, 3), (1, 1), (60_001, 5), (60_000, 2), (180_000, 7)]);
        for (start, end, expected) in [
            (0, 60, 6),
            (60, 120, 5),
            (0, 120, 11),
            (120, 180, 7),
            (120, 179, 0),
            (0, 1_000, 18),
            (-60, 0, 0),
            (60, 0, 0),
        ] {
            assert_eq!(truth.count(start, end), expected, "{start}..{end}");
        }
        assert_eq!(Truth::new(Vec::new()).count(0, 60), 0);
        let less = truth.less(&Truth::new(vec![(60_000, 4), (180_000, 7)]));
        assert_eq!([less.count(0, 60), less.count(60, 120), less.count(120, 180)], [2, 5, 0]);
    }

    #[test]
    fn the_text_is_open_metrics() {
        let mut series = Series::new("r_total", Some(("code", "500")));
        series.samples = vec![(1_500, 3)];
        let history = History {
            targets: vec![Target {
                instance: "a:1".to_owned(),
                up: vec![(1_500, true), (2_007, false)],
                series: vec![series],
                happened: (3, 3),
            }],
        };
        assert_eq!(
            history.text(),
            "# TYPE r counter\nr_total{job=\"shop\",instance=\"a:1\",code=\"500\"} 3 1.500\n# TYPE up gauge\n\
             up{job=\"shop\",instance=\"a:1\"} 1 1.500\nup{job=\"shop\",instance=\"a:1\"} 0 2.007\n# EOF\n"
        );
        assert_eq!(history.samples(), 3);
    }
}
