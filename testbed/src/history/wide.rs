//! Many small histories: a pair of series for each of many SLOs, all scraped at the same steps, written part by part.

use std::io::{self, Write};

use super::{Random, Truth, grown};

/// Of how many SLOs one target tells.
const SLOS_OF_TARGET: usize = 50;
const DAY: i64 = 86_400;

/// `shop_total{job="shop", instance, slo, code}` of many SLOs, with `code` 200 and 500, and `up`. A `code="500"` is not there
/// before its first event. Now and then a target starts anew, right after a scrape.
#[derive(Clone, Copy, Debug)]
pub struct Wide {
    /// Another seed, another history.
    pub seed: u64,
    /// How many SLOs.
    pub slos: usize,
    /// First Unix second.
    pub start: i64,
    /// First Unix second after it.
    pub end: i64,
    /// Seconds between two scrapes.
    pub scrape: i64,
}

/// One SLO's two counters, step by step.
#[derive(Clone, Debug)]
pub struct Pair {
    random: Random,
    good: u64,
    bad: u64,
    per_step: f64,
}

impl Wide {
    /// The counters before their first step.
    pub fn pairs(&self) -> Vec<Pair> {
        (0..self.slos).map(|slo| self.pair(slo)).collect()
    }

    fn pair(&self, slo: usize) -> Pair {
        let mut random = Random::new(self.seed, slo as u64);
        let per_step = self.scrape as f64 * (0.1 + random.share());
        Pair { random, good: 0, bad: 0, per_step }
    }

    /// When step number `step` is scraped from the target of an SLO, in milliseconds.
    fn at(&self, slo: usize, step: i64) -> i64 {
        let target = (slo / SLOS_OF_TARGET) as i64;
        (self.start + step * self.scrape) * 1_000 + 1 + (target * 7_919) % (self.scrape * 1_000 - 2)
    }

    /// Whether the target of an SLO starts anew before a step.
    fn restarts(&self, slo: usize, step: i64) -> bool {
        let target = slo / SLOS_OF_TARGET;
        step > 0
            && Random::new(self.seed ^ step as u64, 1_000_000 + target as u64)
                .happens(self.scrape as f64 / (5 * DAY) as f64)
    }

    fn advance(&self, pair: &mut Pair, slo: usize, step: i64) {
        if self.restarts(slo, step) {
            (pair.good, pair.bad) = (0, 0);
        }
        let good = pair.random.about(pair.per_step);
        let bad = u64::from(pair.random.happens(self.scrape as f64 / 20_000.0)) * (1 + pair.random.about(1.5));
        pair.good += good;
        pair.bad += bad;
    }

    /// The steps whose second lies in `from..to`.
    fn steps(&self, from: i64, to: i64) -> std::ops::Range<i64> {
        let step =
            |second: i64| (second.clamp(self.start, self.end) - self.start + self.scrape - 1).div_euclid(self.scrape);
        step(from)..step(to)
    }

    /// Writes the part whose steps begin in `from..to` as OpenMetrics text, and moves the counters on.
    pub fn write(&self, pairs: &mut [Pair], (from, to): (i64, i64), out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "# TYPE shop counter")?;
        let mut second = Vec::new();
        for (slo, pair) in pairs.iter_mut().enumerate() {
            let start = format!("shop_total{{job=\"shop\",instance=\"{}\",slo=\"{slo}\",code=", slo / SLOS_OF_TARGET);
            second.clear();
            for step in self.steps(from, to) {
                self.advance(pair, slo, step);
                let at = self.at(slo, step);
                let (seconds, rest) = (at / 1_000, at % 1_000);
                writeln!(out, "{start}\"200\"}} {} {seconds}.{rest:03}", pair.good)?;
                if pair.bad > 0 {
                    writeln!(second, "{start}\"500\"}} {} {seconds}.{rest:03}", pair.bad)?;
                }
            }
            out.write_all(&second)?;
        }
        writeln!(out, "# TYPE up gauge")?;
        for slo in (0..self.slos).step_by(SLOS_OF_TARGET) {
            for step in self.steps(from, to) {
                let at = self.at(slo, step);
                writeln!(
                    out,
                    "up{{job=\"shop\",instance=\"{}\"}} 1 {}.{:03}",
                    slo / SLOS_OF_TARGET,
                    at / 1_000,
                    at % 1_000
                )?;
            }
        }
        writeln!(out, "# EOF")
    }

    /// All events of one SLO, and its bad ones. Those of the first scrape are in neither: its target is new then.
    pub fn truth(&self, slo: usize) -> (Truth, Truth) {
        let mut pair = self.pair(slo);
        let (mut all, mut bads) = (Vec::new(), Vec::new());
        let (mut last_good, mut last_bad) = (None, 0);
        for step in self.steps(self.start, self.end) {
            self.advance(&mut pair, slo, step);
            // Without errors there is no sample; when there is one again, the restart has made it forget the others.
            let bad = grown(std::mem::replace(&mut last_bad, pair.bad), pair.bad);
            if let Some(last) = last_good.replace(pair.good) {
                all.push((self.at(slo, step), grown(last, pair.good) + bad));
                bads.push((self.at(slo, step), bad));
            }
        }
        (Truth::new(all), Truth::new(bads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Absent, growth};

    const WIDE: Wide = Wide { seed: 3, slos: 60, start: 1_767_225_600, end: 1_767_225_600 + 8 * DAY, scrape: 60 };

    /// The samples in a text by their series.
    fn samples(text: &str, series: &str) -> Vec<(i64, u64)> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(series)?.trim_start().split_once(' '));
        lines.map(|(value, at)| (at.replace('.', "").parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn its_samples_show_its_truth_however_it_is_cut() {
        let middle = WIDE.start + 5 * DAY + 17;
        let mut pairs = WIDE.pairs();
        let mut text = Vec::new();
        for part in [(0, middle), (middle, i64::MAX)] {
            WIDE.write(&mut pairs, part, &mut text).unwrap();
        }
        let text = String::from_utf8(text).unwrap();
        let mut whole = Vec::new();
        WIDE.write(&mut WIDE.pairs(), (WIDE.start, WIDE.end), &mut whole).unwrap();
        assert_eq!(
            text.lines().count(),
            String::from_utf8(whole).unwrap().lines().count() + 3,
            "two more types and an end"
        );
        for slo in (0..WIDE.slos).step_by(6) {
            let target = slo / SLOS_OF_TARGET;
            let labels = format!("job=\"shop\",instance=\"{target}\"");
            let up: Vec<_> =
                samples(&text, &format!("up{{{labels}}}")).into_iter().map(|(at, up)| (at, up == 1)).collect();
            let mut events = [Vec::new(), Vec::new()];
            for (events, code) in events.iter_mut().zip(["200", "500"]) {
                let series = samples(&text, &format!("shop_total{{{labels},slo=\"{slo}\",code=\"{code}\"}}"));
                growth(&up, &series, Absent::Forgotten, |_, _| false, |event| events.push(event));
            }
            let [good, bad] = events.map(Truth::new);
            let (all, bads) = WIDE.truth(slo);
            for (from, to) in [(WIDE.start, WIDE.end + 60), (middle - 3_600, middle + 60)] {
                assert_eq!(bads.count(from, to), bad.count(from, to), "{slo}");
                assert_eq!(all.count(from, to), good.count(from, to) + bad.count(from, to), "{slo}");
            }
            assert!(bads.count(WIDE.start, WIDE.end) > 20, "{slo}");
        }
        let restarts = (1..8 * 1_440).filter(|step| WIDE.restarts(0, *step)).count();
        assert!((1..5).contains(&restarts), "{restarts}");
    }
}
