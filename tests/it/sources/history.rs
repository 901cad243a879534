//! Scrape histories with known truth: what the samples show of what happened.

use std::{collections::BTreeMap, fmt::Write as _};

use slod::domain::slot::Span;

/// When all histories begin to count: far in the past, a quarter of an hour before a week of Unix time begins. Before it, three
/// hours are there to look back at.
pub const START: i64 = 2_922 * 604_800 - 900;
const BEFORE: i64 = 3 * 3_600;
/// How long they count, in seconds.
pub const LENGTH: i64 = 1_800;

/// Numbers that look random, and are the same every time.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number under `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides.max(1)
    }

    /// Whether something happens that happens once in `of` times.
    pub fn once_in(&mut self, of: u64) -> bool {
        self.roll(of) == 0
    }
}

/// What happens to a job's targets. Each number is one in so many scrapes; 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    pub name: &'static str,
    pub targets: u64,
    /// Processes restart, and their counters with them.
    pub restarts: u64,
    /// Single scrapes fail: `up` is 0.
    pub failures: u64,
    /// The server itself is away for a while.
    pub outages: u64,
    /// Errors.
    pub errors: u64,
    /// Targets come later than the history begins.
    pub late: bool,
    /// Series that are not there until they count something.
    pub lazy: bool,
    /// There is no `up`: the series are pushed, or recorded.
    pub pushed: bool,
}

impl Plan {
    pub fn all() -> Vec<Self> {
        let calm = Self { name: "calm", targets: 2, errors: 20, ..Self::default() };
        vec![
            calm,
            Self { name: "restarting", restarts: 30, ..calm },
            Self { name: "failing", failures: 5, lazy: true, ..calm },
            Self { name: "away", outages: 60, restarts: 60, ..calm },
            Self { name: "first-error", errors: 150, lazy: true, targets: 3, ..calm },
            Self { name: "deployed", late: true, lazy: true, targets: 6, ..calm },
            Self { name: "pushed", pushed: true, lazy: true, errors: 100, ..calm },
            Self {
                name: "all",
                targets: 8,
                restarts: 50,
                failures: 20,
                outages: 100,
                errors: 60,
                late: true,
                lazy: true,
                ..calm
            },
        ]
    }
}

/// What the samples of a job show: bad and total events by the second of the scrape that showed them.
#[derive(Clone, Debug, Default)]
pub struct Truth(BTreeMap<i64, (f64, f64)>);

impl Truth {
    /// Of all scrapes after the start, up to the end.
    pub fn sum(&self, span: Span) -> (f64, f64) {
        let within = self.0.range(span.start * 1_000 + 1..=span.end * 1_000);
        within.fold((0.0, 0.0), |sum, (_, one)| (sum.0 + one.0, sum.1 + one.1))
    }
}

/// All of it as OpenMetrics text, and what it shows.
pub struct History {
    pub text: String,
    pub truth: BTreeMap<&'static str, Truth>,
}

/// A counter as its process and its scrapes see it.
#[derive(Clone, Debug, Default)]
struct Counter {
    value: f64,
    exists: bool,
    /// What the last scrape saw.
    seen: Option<f64>,
    /// When it was.
    seen_at: i64,
}

impl Counter {
    fn add(&mut self, events: u64) {
        self.value += events as f64;
        self.exists |= events > 0;
    }

    fn restart(&mut self, lazy: bool) {
        (self.value, self.exists) = (0.0, !lazy);
    }

    /// Whether a scrape shows that it was reset.
    fn fell(&self) -> bool {
        self.exists && self.seen.is_some_and(|seen| self.value < seen)
    }

    /// What the scrape at `at` shows of it that was not shown before. `falls` are the scrapes before which,
    /// and at which, any counter of the target fell.
    fn scrape(&mut self, is_known: bool, at: i64, falls: &[(i64, i64)]) -> f64 {
        if !self.exists {
            return 0.0;
        }
        let shown = match self.seen {
            // Silent while the target began anew: it began anew, too.
            Some(_) if at - self.seen_at > 22_500 && falls.iter().any(|(before, _)| *before >= self.seen_at) => {
                self.value
            }
            Some(seen) if self.value >= seen => self.value - seen,
            None if !is_known => 0.0,
            _ => self.value,
        };
        (self.seen, self.seen_at) = (Some(self.value), at);
        shown
    }
}

impl History {
    pub fn of(plans: &[Plan]) -> Self {
        let mut families: [Vec<String>; 3] = Default::default();
        let mut truth: BTreeMap<&'static str, Truth> = BTreeMap::new();
        for (seed, plan) in plans.iter().enumerate() {
            let mut dice = Dice::new(seed as u64 + 1);
            let away = outages(plan, &mut dice);
            for number in 0..plan.targets {
                let shown = target(plan, number, &away, &mut dice, &mut families);
                for (at, (bad, total)) in shown {
                    let sum = truth.entry(plan.name).or_default().0.entry(at).or_default();
                    (sum.0, sum.1) = (sum.0 + bad, sum.1 + total);
                }
            }
        }
        let mut text = String::new();
        for (lines, family) in families.iter().zip(["requests counter", "errors counter", "up gauge"]) {
            writeln!(text, "# TYPE {family}\n{}", lines.join("\n")).unwrap();
        }
        text.push_str("# EOF\n");
        Self { text, truth }
    }
}

/// When the server itself is away: from, until.
fn outages(plan: &Plan, dice: &mut Dice) -> Vec<(i64, i64)> {
    let mut away = Vec::new();
    let mut at = START - BEFORE;
    while plan.outages > 0 && at < START + LENGTH {
        at += 15 * (1 + dice.roll(plan.outages * 2) as i64);
        let until = at + 15 * (1 + dice.roll(plan.outages) as i64);
        away.push((at, until));
        at = until;
    }
    away
}

/// Scrapes one target, every 15 seconds at its own offset.
fn target(
    plan: &Plan,
    number: u64,
    away: &[(i64, i64)],
    dice: &mut Dice,
    [requests, errors, ups]: &mut [Vec<String>; 3],
) -> Vec<(i64, (f64, f64))> {
    let labels = format!(r#"{{instance="{number}",job="{}"}}"#, plan.name);
    let once = |of: u64, dice: &mut Dice| of > 0 && dice.once_in(of);
    let offset = dice.roll(15_000) as i64;
    let late = if plan.late { dice.roll((BEFORE + LENGTH) as u64 / 15) } else { 0 };
    // What was counted before the first scrape cannot be dated.
    let mut total = Counter { value: dice.roll(1_000) as f64, exists: true, ..Counter::default() };
    let mut bad = Counter { value: 0.0, exists: !plan.lazy, ..Counter::default() };
    if dice.once_in(2) {
        bad.add(dice.roll(5));
    }
    let (mut was_up, mut falls) = (false, Vec::new());
    let mut shown = Vec::new();
    for scrape in late..((BEFORE + LENGTH) / 15) as u64 {
        let at = (START - BEFORE) * 1_000 + scrape as i64 * 15_000 + offset;
        if once(plan.restarts, dice) {
            total.restart(plan.lazy);
            bad.restart(plan.lazy);
        }
        let failed = if once(plan.errors, dice) { 1 + dice.roll(3) } else { 0 };
        total.add(failed + dice.roll(20));
        bad.add(failed);
        if away.iter().any(|(from, until)| (from * 1_000..until * 1_000).contains(&at)) {
            continue;
        }
        let is_up = !once(plan.failures, dice);
        let seconds = at as f64 / 1_000.0;
        if !plan.pushed {
            ups.push(format!("up{labels} {} {seconds:.3}", u8::from(is_up)));
        }
        if !is_up {
            continue;
        }
        for (counter, family, lines) in [(&total, "requests", &mut *requests), (&bad, "errors", &mut *errors)] {
            if counter.exists {
                lines.push(format!("{family}_total{labels} {} {seconds:.3}", counter.value));
            }
        }
        falls.extend([&bad, &total].into_iter().filter(|counter| counter.fell()).map(|counter| (counter.seen_at, at)));
        shown.push((at, (bad.scrape(was_up, at, &falls), total.scrape(was_up, at, &falls))));
        was_up = true;
    }
    shown
}
