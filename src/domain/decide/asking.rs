//! Which slots were asked about, and which are still to be.

use chrono::{DateTime, Utc};

use super::{Core, Decision, settling::Settling};
use crate::domain::{
    budget::first_slot,
    history::History,
    name::SloId,
    rulebook::SloRules,
    slot::{Gap, Reading},
};

impl Core {
    /// Takes note of a question and of whether it was answered at all.
    pub(super) fn note_asked(
        &mut self,
        now: DateTime<Utc>,
        id: &SloId,
        slo: &SloRules,
        settling: &Settling,
        decision: &mut Decision,
    ) {
        if !slo.asks_past || settling.asked.is_empty() {
            return;
        }
        let silent = matches!(settling.absent, Reading::Unmeasured(Gap::NoAnswer(_) | Gap::NotAsked));
        let answered = !(silent && settling.slots.is_empty());
        let asked = &settling.asked;
        let before = self.histories.get(id).map(|before| (before.missing(), before.every()));
        let first = first_slot(&slo.spec, now.timestamp().div_euclid(i64::from(slo.spec.every)) - 1);
        let history =
            self.histories.entry(id.clone()).or_insert_with(|| History::new(slo.spec.every, first, asked.start));
        if history.every() != slo.spec.every {
            *history = history.with_every(slo.spec.every);
        }
        if settling.late {
            if answered {
                history.answered(asked);
            }
        } else {
            history.live(asked, answered);
        }
        history.forget_before(first);
        // That one more slot was asked about in its time is not worth a write: the ledger says so too.
        if before != Some((history.missing(), history.every())) {
            decision.histories.insert(id.clone());
        }
    }
}
