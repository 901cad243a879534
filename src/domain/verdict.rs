//! Why a condition holds at one slot, or does not: its parts with the figures each was decided by, in words.
//!
//! The truths are those of [`condition`](super::condition), asked again; only the words are made here.

use super::{
    budget::{Tally, WindowSums, seconds_to_exhaustion, slots_in, window_sums},
    condition::{Truth, duration, judge, leaves},
    diagnostic::number_words,
    memory::Memory,
    message::{percent, seconds_words},
    policy::{BurnRate, Condition, Judge, Policy},
    run::run,
    slo::{Comparison, Operator, SloSpec},
    slot::SlotState,
    watch::pairs,
};

/// A condition without parts, at one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clue {
    /// Whether it holds.
    pub truth: Truth,
    /// Its figures, and what would be needed.
    pub text: String,
}

/// What is asked of which slots.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// What is asked.
    pub condition: &'a Condition,
    /// Its policy.
    pub policy: &'a Policy,
    /// Of which SLO.
    pub spec: &'a SloSpec,
    /// The slots.
    pub tally: Tally<'a>,
    /// The slot it is asked at.
    pub at: i64,
    /// What the condition remembered before.
    pub memory: Memory,
}

impl Case<'_> {
    /// The parts in order, each with its truth and figures. Empty if there is no such slot.
    pub fn clues(self) -> Vec<Clue> {
        let mut memory = self.memory;
        let found = leaves(self.condition, self.policy, self.spec, self.tally, self.at, &mut memory);
        found.into_iter().map(|(leaf, truth)| Clue { truth, text: self.words(leaf) }).collect()
    }

    /// The parts that hold, in one line.
    pub fn because(self) -> String {
        let clues = self.clues();
        let holds: Vec<&str> =
            clues.iter().filter(|clue| clue.truth == Truth::True).map(|clue| clue.text.as_str()).collect();
        holds.join("; ")
    }

    /// Whether the whole condition holds. `None` if there is no such slot.
    pub fn truth(self) -> Option<Truth> {
        self.truth_under(self.policy)
    }

    /// The guard against small samples without which it would hold.
    pub fn held_by(self) -> Option<&'static str> {
        if self.truth()? == Truth::True {
            return None;
        }
        let free = Policy { min_bad: 1, ..self.policy.clone() };
        let unsure = Policy { min_confidence: None, ..self.policy.clone() };
        let neither = Policy { min_bad: 1, ..unsure.clone() };
        let guards = [(&free, "min_bad"), (&unsure, "min_confidence"), (&neither, "min_bad and min_confidence")];
        guards.into_iter().find(|(policy, _)| self.truth_under(policy) == Some(Truth::True)).map(|(_, word)| word)
    }

    fn truth_under(self, policy: &Policy) -> Option<Truth> {
        let mut memory = self.memory;
        judge(self.condition, policy, self.spec, self.tally, self.at, &mut memory).map(|seen| seen.truth)
    }

    fn words(self, leaf: &Condition) -> String {
        match leaf {
            Condition::Consecutive(needed) => self.run_words(*needed),
            Condition::BudgetRemaining(line) => self.budget_words(line),
            Condition::BurnRate(rate) => self.burn_words(rate),
            Condition::ExhaustedWithin { time, over } => self.exhaustion_words(*time, *over),
            Condition::NoData(seconds) => self.silence_words(*seconds),
            Condition::Value(line) => {
                let newest = self.tally.ledger.get(self.at);
                let value = newest.filter(|slot| slot.state == SlotState::Measured).and_then(|slot| slot.shown);
                let value =
                    value.map_or_else(|| "no value".to_owned(), |value| format!("value {}", number_words(value)));
                format!("{value}, fires {}", comparison(line, &number_words(line.bound)))
            }
            Condition::All(_) | Condition::Any(_) => String::new(),
        }
    }

    fn run_words(self, needed: u32) -> String {
        let run = run(self.tally.ledger, self.spec, self.at, self.policy.on_gap);
        let slots = counted(u64::from(run.slots), "bad slot", "bad slots");
        let events = if self.spec.kind.counts_events() {
            format!(" with {} bad events, {} needed (`min_bad`)", number_words(run.events), self.policy.min_bad)
        } else {
            String::new()
        };
        format!("{slots} in a row, {needed} needed{events}")
    }

    fn budget_words(self, line: &Comparison) -> String {
        let sums = window_sums(self.spec, self.tally, self.at);
        let left = sums.remaining(self.spec.objective, self.policy.judge);
        let left = left.map_or_else(|| "unknown".to_owned(), percent);
        let active = self.policy.active.unwrap_or_else(|| self.spec.every.saturating_mul(12).max(3_600));
        let first = self.at + 1 - slots_in(active, self.spec.every);
        let slots = self.tally.ledger.back_from(self.at).take_while(|slot| slot.index >= first);
        let bad = slots.filter(|slot| self.spec.is_bad(slot)).count();
        format!(
            "budget left {left}{}, fires {}; {} within {}",
            self.reading(),
            comparison(line, &percent(line.bound)),
            counted(bad as u64, "bad slot", "bad slots"),
            duration(active),
        )
    }

    fn burn_words(self, rate: &BurnRate) -> String {
        let start = self.at * i64::from(self.spec.every);
        let words = pairs(rate, self.spec, start).into_iter().map(|pair| {
            let sums = |seconds| WindowSums::ending_at(self.tally, self.at, seconds);
            let burn = |sums: &WindowSums| {
                let burn = sums.burn(self.spec.objective, self.policy.judge);
                burn.map_or_else(|| "unknown".to_owned(), number_words)
            };
            let (long, short) = (sums(pair.long), sums(pair.short));
            format!(
                "burn rate {} over {} and {} over {}{}, {} needed in both; {} bad events in {}, {} needed (`min_bad`)",
                burn(&long),
                duration(pair.long),
                burn(&short),
                duration(pair.short),
                self.reading(),
                number_words(pair.factor),
                number_words(long.totals.bad()),
                duration(pair.long),
                self.policy.min_bad,
            )
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { "no pair of windows fits this period".to_owned() } else { words.join("; ") }
    }

    fn exhaustion_words(self, time: u32, over: u32) -> String {
        let left = seconds_to_exhaustion(self.spec, self.tally, self.at, over, self.policy.judge);
        let left = left.map_or_else(
            || "the budget lasts".to_owned(),
            |left| format!("the budget is gone in {}", seconds_words(left)),
        );
        format!("{left} at the rate of the last {}{}, fires under {}", duration(over), self.reading(), duration(time))
    }

    fn silence_words(self, needed: u32) -> String {
        let slots = self.tally.ledger.back_from(self.at).take_while(|slot| !slot.state.is_known());
        let silent = slots.filter(|slot| slot.state == SlotState::Unmeasured).take(10_000).count() as f64;
        let silent = silent * f64::from(self.spec.every);
        let silent =
            if silent == 0.0 { "there is data".to_owned() } else { format!("no data for {}", seconds_words(silent)) };
        format!("{silent}, fires at {}", duration(needed))
    }

    /// Which reading of the budget decides, where that is not the usual one.
    fn reading(self) -> &'static str {
        match self.policy.judge {
            Judge::IfGood => "",
            Judge::Measured => " (of what was measured)",
            Judge::IfBad => " (had what was not measured been bad)",
        }
    }
}

fn comparison(line: &Comparison, bound: &str) -> String {
    let sign = match line.operator {
        Operator::Less => "under",
        Operator::AtMost => "at most at",
        Operator::Greater => "over",
        Operator::AtLeast => "from",
        Operator::Equal => "at exactly",
        Operator::NotEqual => "at anything but",
    };
    format!("{sign} {bound}")
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
