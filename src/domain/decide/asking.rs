//! Which slots were asked about, and which are still to be.

use chrono::{DateTime, Utc};

use super::{Core, Decision, settling::Settling};
use crate::domain::{budget::first_slot, history::History, name::SloId, rulebook::SloRules, slot::SlotAnswer};

/// A source that does not know of a slot for so long after its end will never know.
const PATIENCE_SECONDS: i64 = 3_600;

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
        let asked = &settling.asked;
        let waits = |answer: &SlotAnswer| {
            let end = (answer.slot + 1) * i64::from(slo.spec.every);
            asked.contains(&answer.slot) && answer.reading.is_open() && now.timestamp() - end < PATIENCE_SECONDS
        };
        let unknown: Vec<i64> =
            settling.slots.iter().filter(|answer| waits(answer)).map(|answer| answer.slot).collect();
        let answered = !(settling.absent.is_open() && settling.slots.is_empty());
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
        for slot in unknown {
            history.unanswered(&(slot..slot + 1));
        }
        history.forget_before(first);
        // That one more slot was asked about in its time is not worth a write: the ledger says so too.
        if before != Some((history.missing(), history.every())) {
            decision.histories.insert(id.clone());
        }
    }
}
