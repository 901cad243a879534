//! Conditions: is a policy's `when` true of a series at its newest slot?
//!
//! Everything is derived from the stored slots, so that late slots, restarts and replays need no special case.
//! Only a budget condition remembers something: whether its line has been crossed already ([`Memory`]).
//!
//! What may end a firing alert ([`Judgement::clearable`]): the newest slot must be known, and the condition false for
//! a reason that time away cannot make up. One by one, when the newest slot is
//!
//! | condition | good or empty | bad |
//! |---|---|---|
//! | `consecutive` | clears | only if good slots stand before the run: never if it began anew behind a gap or a clock that went back |
//! | `value` | clears on a measured value | clears when the harder threshold is not met |
//! | `budget_remaining`, `exhausted_within` | clears | clears |
//! | `burn_rate` | clears if the short window has no gap | the same |
//! | `no_data` | clears | clears: there is data |
//! | `all` | clears if one part does | the same |
//! | `any` | clears if every part does | the same |
//!
//! A new calendar period ends what is on the budget of the old one, whatever is known of its first slots.

pub use super::memory::Memory;
use super::{
    budget::{Tally, WindowSums, seconds_to_exhaustion, slots_in, window_sums},
    confidence::reaches,
    ledger::Ledger,
    memory::REARM,
    policy::{BurnPair, BurnRate, Condition, Policy},
    run::run,
    slo::{Comparison, SloSpec},
    slot::{Slot, SlotState},
    watch::pairs,
};

/// Bad slots within `active` that make a spent budget fire again.
const SPENDING_AGAIN: usize = 2;
/// Burn rates this close to a factor have reached it: guards against the last bit of a division.
const EPSILON: f64 = 1e-12;

/// Three-valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Cannot be said.
    Unknown,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// A condition's answer about one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the condition holds.
    pub truth: Truth,
    /// Whether a firing alert may clear on this slot if the condition is false: neither blindness nor a run that a gap
    /// cut short ever clears.
    pub clearable: bool,
    /// Whether everything has been measured and good for `good_for`, so that only a window remembers.
    pub good_again: bool,
    /// Whether the newest slot itself is bad.
    pub bad_now: bool,
    /// Whether it is false because a new calendar period has begun, whatever is known of it.
    pub new_period: bool,
}

/// `90` → `1m30s`, `259200` → `3d`.
pub fn duration(seconds: u32) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut left = seconds;
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if left >= length {
            text.push_str(&(left / length).to_string());
            text.push_str(unit);
            left %= length;
        }
    }
    text
}

/// Judges `condition` at the settled slot `at` of what is tallied, as if it were the newest. `None` if there is no such slot.
pub fn judge<'a>(
    condition: &Condition,
    policy: &Policy,
    spec: &SloSpec,
    tally: impl Into<Tally<'a>>,
    at: i64,
    memory: &mut Memory,
) -> Option<Judgement> {
    let tally = tally.into();
    let newest = tally.ledger.get(at)?;
    let period = spec.window.period_at(at * i64::from(spec.every)).map(|period| period.start);
    let new_period = memory.enter(period);
    let judge = Judging { policy, spec, tally, at, newest, new_period };
    let seen = judge.part(condition, memory, &mut 0);
    Some(Judgement {
        truth: seen.truth,
        clearable: seen.over,
        good_again: remembers(condition) && judge.good_for(),
        bad_now: spec.is_bad(&newest),
        new_period: seen.new_period,
    })
}

/// The conditions without parts that a condition is made of, in order, each with its truth at the settled slot `at`. Empty if
/// there is no such slot.
pub fn leaves<'c, 'a>(
    condition: &'c Condition,
    policy: &Policy,
    spec: &SloSpec,
    tally: impl Into<Tally<'a>>,
    at: i64,
    memory: &mut Memory,
) -> Vec<(&'c Condition, Truth)> {
    let tally = tally.into();
    let Some(newest) = tally.ledger.get(at) else { return Vec::new() };
    let period = spec.window.period_at(at * i64::from(spec.every)).map(|period| period.start);
    let new_period = memory.enter(period);
    let judge = Judging { policy, spec, tally, at, newest, new_period };
    let (mut found, mut lines) = (Vec::new(), 0);
    judge.leaves(condition, memory, &mut lines, &mut found);
    found
}

/// Whether a condition is on a window, which remembers what is over.
fn remembers(condition: &Condition) -> bool {
    match condition {
        Condition::BudgetRemaining(_) | Condition::BurnRate(_) | Condition::ExhaustedWithin { .. } => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(remembers),
        Condition::Consecutive(_) | Condition::NoData(_) | Condition::Value(_) => false,
    }
}

/// Whether a condition without parts is on the budget, which begins anew with each calendar period.
fn is_on_budget(condition: &Condition) -> bool {
    matches!(condition, Condition::BudgetRemaining(_) | Condition::ExhaustedWithin { .. })
}

/// A part of a condition at one slot.
struct Part {
    truth: Truth,
    /// It is false, and that may end a firing alert.
    over: bool,
    /// So it is because a new calendar period has begun.
    new_period: bool,
}

struct Judging<'a> {
    policy: &'a Policy,
    spec: &'a SloSpec,
    tally: Tally<'a>,
    at: i64,
    newest: Slot,
    new_period: bool,
}

impl Judging<'_> {
    /// Judges one condition with its parts. `lines` counts the budget lines met so far.
    fn part(&self, condition: &Condition, memory: &mut Memory, lines: &mut u8) -> Part {
        let mut parts =
            |parts: &[Condition]| -> Vec<Part> { parts.iter().map(|part| self.part(part, memory, lines)).collect() };
        match condition {
            // One false part decides `all`; every part must be false for `any`.
            Condition::All(inner) => {
                let inner = parts(inner);
                Part {
                    truth: all(inner.iter().map(|part| part.truth)),
                    over: inner.iter().any(|part| part.over),
                    new_period: inner.iter().any(|part| part.new_period),
                }
            }
            Condition::Any(inner) => {
                let inner = parts(inner);
                let over = inner.iter().all(|part| part.over);
                Part {
                    truth: any(inner.iter().map(|part| part.truth)),
                    over,
                    new_period: over && inner.iter().any(|part| part.new_period),
                }
            }
            leaf => {
                let truth = self.truth(leaf, memory, lines);
                let is_false = truth == Truth::False;
                let new_period = is_false && self.new_period && is_on_budget(leaf);
                let known = self.newest.state.is_known();
                Part { truth, over: new_period || is_false && known && self.clearable(leaf, memory), new_period }
            }
        }
    }

    fn leaves<'c>(
        &self,
        condition: &'c Condition,
        memory: &mut Memory,
        lines: &mut u8,
        found: &mut Vec<(&'c Condition, Truth)>,
    ) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                for part in parts {
                    self.leaves(part, memory, lines, found);
                }
            }
            leaf => found.push((leaf, self.truth(leaf, memory, lines))),
        }
    }

    fn truth(&self, condition: &Condition, memory: &mut Memory, lines: &mut u8) -> Truth {
        match condition {
            Condition::Consecutive(needed) => self.consecutive(*needed).into(),
            Condition::BudgetRemaining(line) => {
                let number = *lines % 8;
                *lines = lines.wrapping_add(1);
                self.budget(line, number, memory)
            }
            Condition::BurnRate(rate) => any(self.pairs(rate).iter().map(|pair| self.burning(pair))),
            Condition::ExhaustedWithin { time, over } => self.exhausting(*time, *over),
            Condition::NoData(seconds) => self.no_data(*seconds).into(),
            Condition::Value(comparison) => match (self.newest.state, self.newest.shown) {
                (SlotState::Measured, Some(value)) => comparison.holds(value).into(),
                _ => Truth::Unknown,
            },
            Condition::All(_) | Condition::Any(_) => self.part(condition, memory, lines).truth,
        }
    }

    fn consecutive(&self, needed: u32) -> bool {
        let run = run(self.tally.ledger, self.spec, self.at, self.policy.on_gap);
        let (bad, total) = run.measured;
        run.slots >= needed
            && (!self.spec.kind.counts_events()
                || run.events >= f64::from(self.policy.min_bad)
                    && self.is_proven(bad, total, self.spec.slot_target().allowed()))
    }

    /// Whether so much was bad that chance does not explain it, at the confidence that the policy asks for.
    fn is_proven(&self, bad: f64, total: f64, line: f64) -> bool {
        self.policy.min_confidence.is_none_or(|confidence| reaches(bad, total, line, confidence))
    }

    /// Budgets are about spending that goes on: fires at the slot that crosses the line, and below it again when two
    /// slots are bad within `active`; ends after `active` without a bad slot.
    fn budget(&self, line: &Comparison, number: u8, memory: &mut Memory) -> Truth {
        let sums = window_sums(self.spec, self.tally, self.at);
        let Some(left) = sums.remaining(self.spec.objective, self.policy.judge) else { return self.unknown() };
        if !line.holds(left) {
            Memory::set(&mut memory.spending, number, false);
            if left >= line.bound + REARM {
                Memory::set(&mut memory.crossed, number, false);
            }
            return Truth::False;
        }
        let (crossed, spending) = (memory.crossed >> number & 1 == 1, memory.spending >> number & 1 == 1);
        let needed = if crossed && !spending { SPENDING_AGAIN } else { 1 };
        let spending = self.bad_slots_within(self.active()) >= needed;
        Memory::set(&mut memory.crossed, number, true);
        Memory::set(&mut memory.spending, number, spending);
        spending.into()
    }

    fn exhausting(&self, time: u32, over: u32) -> Truth {
        if WindowSums::ending_at(self.tally, self.at, over).totals.known_seconds == 0 {
            return self.unknown();
        }
        let left = seconds_to_exhaustion(self.spec, self.tally, self.at, over, self.policy.judge);
        left.is_some_and(|left| left < f64::from(time)).into()
    }

    /// A budget of which nothing is known; that of a new period is whole.
    fn unknown(&self) -> Truth {
        if self.new_period { Truth::False } else { Truth::Unknown }
    }

    fn pairs(&self, rate: &BurnRate) -> Vec<BurnPair> {
        pairs(rate, self.spec, self.at * i64::from(self.spec.every))
    }

    fn active(&self) -> u32 {
        self.policy.active.unwrap_or_else(|| self.spec.every.saturating_mul(12).max(3_600))
    }

    fn bad_slots_within(&self, seconds: u32) -> usize {
        let first = self.at + 1 - slots_in(seconds, self.spec.every);
        self.tally
            .ledger
            .back_from(self.at)
            .take_while(|slot| slot.index >= first)
            .filter(|slot| self.spec.is_bad(slot))
            .take(SPENDING_AGAIN)
            .count()
    }

    fn burning(&self, pair: &BurnPair) -> Truth {
        let long = WindowSums::ending_at(self.tally, self.at, pair.long);
        let short = WindowSums::ending_at(self.tally, self.at, pair.short);
        if long.totals.known_seconds == 0 {
            return Truth::Unknown;
        }
        let reached = |sums: &WindowSums| {
            sums.burn(self.spec.objective, self.policy.judge).is_some_and(|burn| burn >= pair.factor * (1.0 - EPSILON))
        };
        let line = pair.factor * self.spec.objective.allowed();
        let (bad, total) = (long.totals.bad(), long.totals.total);
        (bad >= f64::from(self.policy.min_bad) && reached(&long) && reached(&short) && self.is_proven(bad, total, line))
            .into()
    }

    /// Slots asked about and not known, in a row, for that long. Slots never asked about (slod was down) neither
    /// count nor end it.
    fn no_data(&self, seconds: u32) -> bool {
        let needed = i64::from(seconds.div_ceil(self.spec.every));
        let mut silent = 0;
        for slot in self.tally.ledger.back_from(self.at) {
            match slot.state {
                SlotState::Unmeasured => silent += 1,
                SlotState::Excluded => {}
                SlotState::Measured | SlotState::Empty => break,
            }
            if silent >= needed {
                return true;
            }
        }
        false
    }

    /// Whether a condition without parts that is false ends a firing alert on a slot that is known.
    fn clearable(&self, condition: &Condition, memory: &Memory) -> bool {
        match condition {
            Condition::Consecutive(_) => {
                let run = run(self.tally.ledger, self.spec, self.at, self.policy.on_gap);
                let end = |slot: i64| (slot + 1) * i64::from(self.spec.every);
                self.newest.state == SlotState::Empty
                    || run.after_good.is_some_and(|slot| end(slot) > memory.rewound_to)
            }
            Condition::BurnRate(rate) => self.pairs(rate).iter().all(|pair| {
                let short = WindowSums::ending_at(self.tally, self.at, pair.short);
                let gaps = short.expected_seconds - short.totals.known_seconds - short.totals.excluded_seconds;
                gaps <= 0
            }),
            _ => true,
        }
    }

    /// Whether the newest `good_for` are all measured and good.
    fn good_for(&self) -> bool {
        let needed = i64::from(self.spec.good_for.div_ceil(self.spec.every).max(1));
        // A slot whose traffic was charged to a later one says nothing of its own.
        let good = |slot: &Slot| slot.state == SlotState::Measured && slot.total > 0.0 && !self.spec.is_bad(slot);
        let run = self.tally.ledger.back_from(self.at).take(needed as usize).enumerate();
        run.take_while(|(back, slot)| slot.index == self.at - *back as i64 && good(slot)).count() as i64 == needed
    }
}

/// Whether the newest slots are unmeasured for at least `seconds`.
pub fn is_blind(ledger: &Ledger, seconds: u32) -> bool {
    let Some(at) = ledger.newest() else { return false };
    let needed = i64::from(seconds.div_ceil(ledger.every()).max(1));
    let silent = ledger.back_from(at).take_while(|slot| slot.state == SlotState::Unmeasured);
    silent.take(needed as usize).count() as i64 == needed
}

/// False decides, else unknown, else true.
fn all(parts: impl Iterator<Item = Truth>) -> Truth {
    parts.fold(Truth::True, |sum, part| match (sum, part) {
        (Truth::False, _) | (_, Truth::False) => Truth::False,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
        _ => Truth::True,
    })
}

/// True decides, else unknown, else false.
fn any(parts: impl Iterator<Item = Truth>) -> Truth {
    parts.fold(Truth::False, |sum, part| match (sum, part) {
        (Truth::True, _) | (_, Truth::True) => Truth::True,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
        _ => Truth::False,
    })
}
