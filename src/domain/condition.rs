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

use super::{
    budget::{WindowSums, seconds_to_exhaustion, slots_in, window_sums},
    ledger::Ledger,
    policy::{BurnPair, BurnRate, Condition, Policy},
    run::run,
    slo::{Comparison, Objective, SloSpec},
    slot::{Slot, SlotState},
};
use serde::{Deserialize, Serialize};

/// A crossed budget line re-arms this far above itself.
const REARM: f64 = 0.05;
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

/// What the budget lines of a condition remember between slots: one bit for each, in the order they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The line was crossed and has not re-armed since.
    crossed: u8,
    /// It is being spent below the line right now.
    spending: u8,
    /// The clock went back to here (a slot's end): what was good up to then was so before the alert fired.
    #[serde(default)]
    rewound_to: i64,
}

impl Memory {
    /// The clock went back: the slots after `latest` are no more.
    pub fn rewind(&mut self, latest: i64) {
        self.rewound_to = latest;
    }

    fn set(bits: &mut u8, line: u8, on: bool) {
        *bits = (*bits & !(1 << line)) | (u8::from(on) << line);
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
}

/// The part of a policy that makes one alert: the whole `when`, or one pair of its burn rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// `policy`, or `policy:1h/5m` for a pair.
    pub name: String,
    /// What is asked.
    pub condition: Condition,
}

/// The alerts that a policy makes for an SLO: one, or one for each burn pair that fits.
pub fn watches(policy: &Policy, spec: &SloSpec) -> Vec<Watch> {
    match &policy.when {
        Condition::BurnRate(rate) => pairs(rate, spec)
            .into_iter()
            .map(|pair| Watch {
                name: format!("{}:{}/{}", policy.name, duration(pair.long), duration(pair.short)),
                condition: Condition::BurnRate(BurnRate::Pairs(vec![pair])),
            })
            .collect(),
        other => vec![Watch { name: policy.name.to_string(), condition: other.clone() }],
    }
}

/// The pairs of a burn-rate condition, fitted to the SLO.
///
/// The workbook's (Google SRE workbook, chapter 5, "multiwindow, multi-burn-rate alerts"): 1h/5m, 6h/30m, 3d/6h with
/// the factors that spend 2 %, 5 % and 10 % of the budget within the long window, at least 1; the short window has at
/// least two slots. Pairs that cannot work for this SLO are left out.
pub fn pairs(rate: &BurnRate, spec: &SloSpec) -> Vec<BurnPair> {
    let window = spec.window.nominal_seconds();
    match rate {
        BurnRate::Pairs(pairs) => pairs.clone(),
        BurnRate::SreWorkbook => [(3_600, 300, 0.02), (21_600, 1_800, 0.05), (259_200, 21_600, 0.10)]
            .into_iter()
            .map(|(long, short, share)| BurnPair {
                long,
                short: short.max(spec.every.saturating_mul(2)),
                factor: (share * f64::from(window) / f64::from(long)).max(1.0),
            })
            .filter(|pair| {
                pair.long >= spec.every.saturating_mul(6)
                    && pair.long <= window
                    && pair.short < pair.long
                    && pair.factor * spec.objective.allowed() <= 1.0
            })
            .collect(),
    }
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

/// Judges `condition` at the newest settled slot of `ledger`. `None` if nothing was ever settled.
pub fn judge(
    condition: &Condition,
    policy: &Policy,
    spec: &SloSpec,
    ledger: &Ledger,
    memory: &mut Memory,
) -> Option<Judgement> {
    let at = ledger.newest()?;
    let newest = ledger.get(at)?;
    let judge = Judging { policy, spec, ledger, at, newest };
    let seen = judge.part(condition, memory, &mut 0);
    Some(Judgement {
        truth: seen.truth,
        clearable: newest.state.is_known() && seen.over,
        good_again: remembers(condition) && judge.good_for(),
        bad_now: is_bad(&newest, spec.objective),
    })
}

/// Whether a slot is bad: measured, and its ratio below the objective.
pub fn is_bad(slot: &Slot, objective: Objective) -> bool {
    slot.state == SlotState::Measured && slot.total > 0.0 && !objective.is_met(slot.bad(), slot.total)
}

/// Whether a condition is on a window, which remembers what is over.
fn remembers(condition: &Condition) -> bool {
    match condition {
        Condition::BudgetRemaining(_) | Condition::BurnRate(_) | Condition::ExhaustedWithin { .. } => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(remembers),
        Condition::Consecutive(_) | Condition::NoData(_) | Condition::Value(_) => false,
    }
}

/// A part of a condition at one slot.
struct Part {
    truth: Truth,
    /// It is false, and that may end a firing alert.
    over: bool,
}

struct Judging<'a> {
    policy: &'a Policy,
    spec: &'a SloSpec,
    ledger: &'a Ledger,
    at: i64,
    newest: Slot,
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
                Part { truth: all(inner.iter().map(|part| part.truth)), over: inner.iter().any(|part| part.over) }
            }
            Condition::Any(inner) => {
                let inner = parts(inner);
                Part { truth: any(inner.iter().map(|part| part.truth)), over: inner.iter().all(|part| part.over) }
            }
            leaf => {
                let truth = self.truth(leaf, memory, lines);
                Part { truth, over: truth == Truth::False && self.clearable(leaf, memory) }
            }
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
            Condition::BurnRate(rate) => any(pairs(rate, self.spec).iter().map(|pair| self.burning(pair))),
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
        let run = run(self.ledger, self.spec.objective, self.policy.on_gap);
        run.slots >= needed && (!self.spec.kind.counts_events() || run.events >= f64::from(self.policy.min_bad))
    }

    /// Budgets are about spending that goes on: fires at the slot that crosses the line, and below it again when two
    /// slots are bad within `active`; ends after `active` without a bad slot.
    fn budget(&self, line: &Comparison, number: u8, memory: &mut Memory) -> Truth {
        let sums = window_sums(self.spec, self.ledger, self.at);
        let Some(left) = sums.remaining(self.spec.objective, self.policy.judge) else { return Truth::Unknown };
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
        if WindowSums::ending_at(self.ledger, self.at, over).totals.known_seconds == 0 {
            return Truth::Unknown;
        }
        let left = seconds_to_exhaustion(self.spec, self.ledger, self.at, over, self.policy.judge);
        left.is_some_and(|left| left < f64::from(time)).into()
    }

    fn active(&self) -> u32 {
        self.policy.active.unwrap_or_else(|| self.spec.every.saturating_mul(12).max(3_600))
    }

    fn bad_slots_within(&self, seconds: u32) -> usize {
        let first = self.at + 1 - slots_in(seconds, self.spec.every);
        self.ledger
            .back_from(self.at)
            .take_while(|slot| slot.index >= first)
            .filter(|slot| is_bad(slot, self.spec.objective))
            .take(SPENDING_AGAIN)
            .count()
    }

    fn burning(&self, pair: &BurnPair) -> Truth {
        let long = WindowSums::ending_at(self.ledger, self.at, pair.long);
        let short = WindowSums::ending_at(self.ledger, self.at, pair.short);
        if long.totals.known_seconds == 0 {
            return Truth::Unknown;
        }
        let reached = |sums: &WindowSums| {
            sums.burn(self.spec.objective, self.policy.judge).is_some_and(|burn| burn >= pair.factor * (1.0 - EPSILON))
        };
        (long.totals.bad() >= f64::from(self.policy.min_bad) && reached(&long) && reached(&short)).into()
    }

    /// Slots asked about and not known, in a row, for that long. Slots never asked about (slod was down) neither
    /// count nor end it.
    fn no_data(&self, seconds: u32) -> bool {
        let needed = i64::from(seconds.div_ceil(self.spec.every));
        let mut silent = 0;
        for slot in self.ledger.back_from(self.at) {
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
                let run = run(self.ledger, self.spec.objective, self.policy.on_gap);
                let end = |slot: i64| (slot + 1) * i64::from(self.spec.every);
                self.newest.state == SlotState::Empty
                    || run.after_good.is_some_and(|slot| end(slot) > memory.rewound_to)
            }
            Condition::BurnRate(rate) => pairs(rate, self.spec).iter().all(|pair| {
                let short = WindowSums::ending_at(self.ledger, self.at, pair.short);
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
        let good =
            |slot: &Slot| slot.state == SlotState::Measured && slot.total > 0.0 && !is_bad(slot, self.spec.objective);
        let run = self.ledger.back_from(self.at).take(needed as usize).enumerate();
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
