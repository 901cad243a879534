//! Budget corrections are taken down and judged at once.

use chrono::{DateTime, Utc};

use super::{CORRECTIONS_MAX, Core, Decision, Rejected, SeriesKey};
use crate::domain::correction::Correction;

impl Core {
    /// Whether what a correction takes away was counted; none while stored slots are missing for the answer.
    pub fn can_correct(&self, key: &SeriesKey, correction: &Correction) -> Option<Result<(), Rejected>> {
        // Who has no such series says so when it is made.
        let Some(state) = self.series.get(key) else { return Some(Ok(())) };
        let every = i64::from(state.ledger.every());
        let slot = |at: DateTime<Utc>| at.timestamp().div_euclid(every);
        let last =
            state.ledger.newest().map_or(slot(correction.made_at), |newest| newest.max(slot(correction.made_at)));
        let since = state.tally().totals(slot(correction.at), last + 1);
        state.ledger.is_whole().then(|| Ok(correction.is_covered_by(&since)?))
    }

    /// Counts a correction from now on, and judges at once what it changes.
    pub(super) fn correct(
        &mut self,
        now: DateTime<Utc>,
        key: SeriesKey,
        correction: Correction,
        decision: &mut Decision,
    ) -> Result<(), Rejected> {
        let rules = self.rules.clone();
        let found = rules.slos.get(&key.id).zip(self.series.get_mut(&key));
        let Some((slo, state)) = found else { return Err(Rejected::NoSeries(key.id)) };
        if state.corrections.len() >= CORRECTIONS_MAX {
            return Err(Rejected::TooMany(key.id));
        }
        state.corrections.push(correction.clone());
        decision.judged.insert(key.clone());
        self.judge(now, &key, slo, false, decision);
        decision.corrections.push((key, correction));
        Ok(())
    }
}
