//! Makes histories up: traffic with a day's curve, errors that are rare or come in bursts, restarts, gaps, late comers.

use super::{History, Millis, Random, Series, Target};

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// The most scrapes of one history: some 2 GB of samples.
const MOST_SCRAPES: i64 = 20_000_000;

const CODES: [&str; 3] = ["200", "500", "503"];

/// What is made up. The same plan always makes the same history.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Another seed, another history.
    pub seed: u64,
    /// First Unix second.
    pub start: i64,
    /// How long.
    pub seconds: i64,
    /// Seconds between two scrapes of a target.
    pub scrape: i64,
    /// How many targets.
    pub targets: u32,
    /// Requests a second of one target, on average over a day.
    pub per_second: f64,
    /// Whether there is a classic histogram beside the counter. Its slow events are the counter's errors.
    pub histogram: bool,
}

impl Plan {
    /// A plan for `days` days from `start` on, scraped every 15 seconds, with four targets.
    pub fn days(seed: u64, start: i64, days: i64) -> Self {
        Self { seed, start, seconds: days * 86_400, scrape: 15, targets: 4, per_second: 0.5, histogram: false }
    }

    /// Makes the history up. A plan of too many scrapes makes one with fewer targets.
    ///
    /// - `http_requests_total{job="shop", instance, code}`: `code="200"` is there from a process's start, `500` and `503` from
    ///   their first event on;
    /// - with `histogram`, `http_request_duration_seconds_bucket` of `le` 0.5 and `+Inf`, and `_count`, from the start on.
    pub fn history(&self) -> History {
        let outages = Random::new(self.seed, 0).stretches(self.span(), 5 * DAY, (5 * MINUTE, 90 * MINUTE));
        History { targets: (1..=self.affordable()).map(|number| self.target(number, &outages)).collect() }
    }

    /// How many of its targets are made up.
    fn affordable(&self) -> i64 {
        i64::from(self.targets).min(MOST_SCRAPES / (self.seconds / self.scrape.max(1)).max(1))
    }

    fn span(&self) -> (Millis, Millis) {
        (self.start * SECOND, (self.start + self.seconds) * SECOND)
    }

    fn target(&self, number: i64, outages: &[(Millis, Millis)]) -> Target {
        let mut random = Random::new(self.seed, number as u64);
        let life = self.life(number, &mut random);
        let fate = Fate {
            hidden: random.stretches(life, 6 * DAY, (10 * MINUTE, 8 * HOUR)),
            failing: random.stretches(life, 2 * DAY, (40 * SECOND, 3 * HOUR)),
            restarts: random.stretches(life, 36 * HOUR, (200, 90 * SECOND)),
            bursts: random.stretches(life, 30 * HOUR, (2 * SECOND, 12 * MINUTE)),
            // Some have no error for weeks: then the first ones come.
            clean_until: if number % 2 == 0 { random.between(life.0, life.1) } else { life.0 },
        };
        let mut process = Process::default();
        // Whoever comes later may have run unseen.
        if life.0 > self.span().0 {
            process.counts = [Some(random.between(0, 90_000) as u64), Some(random.between(0, 40) as u64), None];
        }
        let mut target = Target { instance: format!("10.0.0.{number}:8080"), ..Target::default() };
        target.series = self.series();
        let offset = random.between(SECOND, self.scrape * SECOND).max(1) | 1;
        let mut at = self.span().0 + offset;
        let mut last = at.max(life.0);
        while at < life.1 {
            if at >= life.0 {
                self.live(&mut process, (last, at), &fate, &mut random, &mut target.happened);
                last = at;
                if !within(outages, at) && !within(&fate.hidden, at) {
                    let up = process.runs && !within(&fate.failing, at);
                    target.up.push((at, up));
                    if up {
                        process.show(at, &mut target.series);
                    }
                }
            }
            at += self.scrape * SECOND;
        }
        target.series.retain(|series| !series.samples.is_empty());
        target
    }

    /// Every fourth target comes later, every fifth goes before the end.
    fn life(&self, number: i64, random: &mut Random) -> (Millis, Millis) {
        let (start, end) = self.span();
        let third = (end - start) / 3;
        let born = if number % 4 == 3 { random.between(start, start + third) } else { start };
        let gone = if number % 5 == 4 { random.between(end - third, end) } else { end };
        (born, gone)
    }

    fn series(&self) -> Vec<Series> {
        let mut series: Vec<_> =
            CODES.iter().map(|code| Series::new("http_requests_total", Some(("code", code)))).collect();
        if self.histogram {
            let bucket = |le| Series::new("http_request_duration_seconds_bucket", Some(("le", le)));
            series.extend([bucket("0.5"), bucket("+Inf"), Series::new("http_request_duration_seconds_count", None)]);
        }
        series
    }

    /// Lets the time between two scrapes pass, cut where the process ends and starts.
    fn live(
        &self,
        process: &mut Process,
        (from, to): (Millis, Millis),
        fate: &Fate,
        random: &mut Random,
        happened: &mut (u64, u64),
    ) {
        let mut at = from;
        while at < to {
            let restart = fate.restarts.get(fate.restarts.partition_point(|(_, up_again)| *up_again <= at));
            let (until, runs) = match restart {
                Some((down, up_again)) if *down <= at => (*up_again, false),
                Some((down, _)) => (*down, true),
                None => (to, true),
            };
            let until = until.min(to);
            process.run(runs);
            if runs {
                let events = self.events((at, until), fate, random);
                process.count(events);
                happened.0 += events.iter().sum::<u64>();
                happened.1 += events[1] + events[2];
            }
            at = until;
        }
        // Whether it runs at the scrape itself.
        process.run(!within(&fate.restarts, to));
    }

    /// What happens in a stretch, by code.
    fn events(&self, (from, to): (Millis, Millis), fate: &Fate, random: &mut Random) -> [u64; 3] {
        let seconds = (to - from) as f64 / 1_000.0;
        let hour = (from % DAY) as f64 / HOUR as f64;
        let curve = 1.0 - 0.9 * (hour * std::f64::consts::TAU / 24.0).cos();
        let requests = random.about(self.per_second * curve * seconds);
        let mut events = [requests, 0, 0];
        if from < fate.clean_until {
            return events;
        }
        events[1] += u64::from(random.happens(seconds / 7_200.0));
        events[2] += u64::from(random.happens(seconds / 200_000.0));
        if overlaps(&fate.bursts, from, to) {
            events[1] += 1 + random.about(requests as f64 * 0.3);
        }
        // A process that dies often fails first, unseen.
        let dies = fate.restarts.binary_search_by_key(&to, |(down, _)| *down).is_ok();
        if dies && random.happens(0.5) {
            events[1] += 1 + random.about(requests as f64 * 0.5);
        }
        events
    }
}

/// When what befalls a target.
struct Fate {
    /// Not scraped at all: it fell out of service discovery, and runs on.
    hidden: Vec<(Millis, Millis)>,
    /// Scraped in vain: it runs on.
    failing: Vec<(Millis, Millis)>,
    /// From its end to its start.
    restarts: Vec<(Millis, Millis)>,
    bursts: Vec<(Millis, Millis)>,
    clean_until: Millis,
}

fn within(stretches: &[(Millis, Millis)], at: Millis) -> bool {
    overlaps(stretches, at, at + 1)
}

/// They are in order, and never overlap.
fn overlaps(stretches: &[(Millis, Millis)], from: Millis, to: Millis) -> bool {
    stretches.get(stretches.partition_point(|(_, end)| *end <= from)).is_some_and(|(start, _)| *start < to)
}

/// A process that counts.
struct Process {
    runs: bool,
    counts: [Option<u64>; 3],
}

impl Default for Process {
    fn default() -> Self {
        Self { runs: true, counts: [Some(0), None, None] }
    }
}

impl Process {
    /// It forgets everything when it ends.
    fn run(&mut self, runs: bool) {
        if self.runs && !runs {
            self.counts = [Some(0), None, None];
        }
        self.runs = runs;
    }

    fn count(&mut self, events: [u64; 3]) {
        for (count, events) in self.counts.iter_mut().zip(events) {
            if events > 0 {
                *count = Some(count.unwrap_or(0) + events);
            }
        }
    }

    fn show(&self, at: Millis, series: &mut [Series]) {
        let [fast, ..] = self.counts;
        let all = self.counts.iter().flatten().sum();
        let values = self.counts.into_iter().chain([fast, Some(all), Some(all)]);
        for (series, value) in series.iter_mut().zip(values) {
            series.samples.extend(value.map(|value| (at, value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_767_225_600;

    fn bad(series: &Series) -> bool {
        series.is("http_requests_total", "500") || series.is("http_requests_total", "503")
    }

    #[test]
    fn a_plan_makes_the_same_history_again() {
        let plan = Plan::days(1, START, 3);
        assert_eq!(plan.history(), plan.history());
        assert_ne!(plan.history(), Plan::days(2, START, 3).history());
    }

    #[test]
    fn everything_that_may_happen_happens() {
        let history = Plan { histogram: true, ..Plan::days(1, START, 30) }.history();
        let end = START + 30 * 86_400;
        let [bads, all] =
            [bad, |series: &Series| series.name == "http_requests_total"].map(|meant| history.truth(meant));
        let (bads, all) = (bads.count(START, end), all.count(START, end));
        let happened =
            history.targets.iter().fold((0, 0), |sum, target| (sum.0 + target.happened.0, sum.1 + target.happened.1));
        assert!(bads > 1_000 && all > 1_000_000, "{bads} of {all}");
        assert!(bads < happened.1 && all < happened.0, "some events are never seen: {happened:?}");
        assert!(
            bads * 100 > happened.1 * 90 && all * 100 > happened.0 * 90,
            "and most are: {bads} of {all}, {happened:?}"
        );
        for target in &history.targets {
            assert!(target.up.iter().any(|(_, up)| !up), "failed scrapes");
            assert!(target.up.windows(2).any(|pair| pair[1].0 - pair[0].0 > HOUR), "gaps");
            assert!(target.up.windows(2).all(|pair| pair[0].0 < pair[1].0), "in order");
            assert!(target.up.iter().all(|(at, _)| at % SECOND != 0), "off the second");
            let counter = &target.series[0];
            assert!(counter.samples.windows(2).any(|pair| pair[0].1 > pair[1].1), "resets");
        }
        let first = |target: &Target, code| {
            let series = target.series.iter().find(|series| series.is("http_requests_total", code));
            series.and_then(|series| series.samples.first()).map(|(at, value)| (*at, *value))
        };
        let late = |target: &Target| {
            first(target, "500").zip(first(target, "200")).is_some_and(|(error, fine)| error.0 > fine.0 + DAY)
        };
        assert!(history.targets.iter().any(late), "a first error on a known target");
        assert!(
            history.targets.iter().any(|target| first(target, "200").is_some_and(|(_, value)| value > 1_000)),
            "late"
        );
        let histogram = history.truth(|series| series.is("http_request_duration_seconds_bucket", "+Inf"));
        assert!(histogram.count(START, end) > 1_000_000);
    }

    #[test]
    fn a_plan_is_bounded() {
        assert_eq!(Plan::days(1, START, 30).affordable(), 4);
        assert_eq!(Plan { targets: u32::MAX, ..Plan::days(1, START, 30) }.affordable(), 115);
        assert_eq!(Plan { scrape: 0, ..Plan::days(1, START, 36_500) }.affordable(), 0);
    }
}
