//! Series that are gone: answers do not name them any more.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Core, Decision, Input, SeriesKey, SeriesState, settling::Settling};
use crate::domain::{
    alert::AlertState,
    incident::{Ending, IncidentEvent, Subject},
    ledger::Ledger,
    name::Series,
    rulebook::SloRules,
    slo::SloSpec,
};

/// Nothing is known of a series for at least so long, in seconds and in slots, and so many answers in a row did not name
/// it: it is gone.
const SILENT_SECONDS: i64 = 86_400;
const SILENT_SLOTS: i64 = 12;

impl SeriesState {
    /// Whether no slot is known that ended within the last day, or the last 12 slots if that is longer.
    fn is_silent(&self, spec: &SloSpec, now: DateTime<Utc>) -> bool {
        let every = i64::from(spec.every);
        let since = now.timestamp() - SILENT_SECONDS.max(SILENT_SLOTS * every);
        let recent = self.ledger.back_from(i64::MAX / 2).take_while(|slot| (slot.index + 1) * every > since);
        !recent.into_iter().any(|slot| slot.state.is_known())
    }

    /// Whether it is silent for sure: as long as slots are not at hand, nothing is.
    pub fn is_gone(&self, spec: &SloSpec, now: DateTime<Utc>) -> bool {
        self.is_silent(spec, now) && self.ledger.is_whole()
    }

    /// Whether any of its alerts is up or about to be.
    pub fn is_alarmed(&self) -> bool {
        self.alerts.values().any(|alert| alert.state != AlertState::Ok)
    }
}

impl Core {
    /// Series that an input names and that are not known here, though they may be in the store: they have come back.
    pub fn unknown_series(&self, input: &Input) -> Vec<SeriesKey> {
        let Input::Settled { id, slots, .. } = input else { return Vec::new() };
        let named: BTreeSet<_> = slots.iter().map(|answer| &answer.series).collect();
        let keys = named.into_iter().map(|series| SeriesKey { id: id.clone(), series: series.clone() });
        keys.filter(|key| !self.series.contains_key(key)).collect()
    }

    /// As long as no series of an SLO with `per` is known, one without labels stands for them: what nobody sees is blind or
    /// empty, and not silent. It goes when the first comes.
    pub(super) fn stand_in(
        &mut self,
        now: DateTime<Utc>,
        slo: &SloRules,
        settling: &Settling,
        decision: &mut Decision,
    ) {
        let (id, whole) = (&slo.spec.id, SeriesKey::whole(slo.spec.id.clone()));
        let is_named = self.series_of(id).any(|key| !key.series.is_empty())
            || settling.slots.iter().any(|answer| !answer.series.is_empty());
        if !is_named {
            self.series.entry(whole).or_insert_with(|| SeriesState::new(Ledger::for_slo(&slo.spec)));
        } else if self.series.contains_key(&whole) && settling.slots.iter().all(|answer| !answer.series.is_empty()) {
            self.end_series(now, whole, decision);
        }
    }

    /// Retires the series that are gone: they are not judged any more, and their alerts end. Blindness retires nothing:
    /// only answers count. Where others wait for a place, those go that are not named any more.
    pub(super) fn retire_gone(
        &mut self,
        now: DateTime<Utc>,
        slo: &SloRules,
        settling: &Settling,
        is_crowded: bool,
        decision: &mut Decision,
    ) {
        if slo.per.is_empty() || settling.late || settling.absent.is_open() && settling.slots.is_empty() {
            return;
        }
        let known = settling.slots.iter().filter(|answer| answer.reading.state().is_known());
        let named: BTreeSet<&Series> = known.map(|answer| &answer.series).collect();
        let mut gone = Vec::new();
        for key in self.series_of(&slo.spec.id).cloned().collect::<Vec<_>>() {
            let Some(state) = self.series.get_mut(&key) else { continue };
            state.absences = if named.contains(&key.series) { 0 } else { state.absences.saturating_add(1) };
            if i64::from(state.absences) >= SILENT_SLOTS && (is_crowded || state.is_gone(&slo.spec, now)) {
                gone.push(key);
            }
        }
        for key in gone {
            self.end_series(now, key, decision);
        }
    }

    fn end_series(&mut self, now: DateTime<Utc>, key: SeriesKey, decision: &mut Decision) {
        let subject = Subject::Slo { id: key.id.clone(), series: key.series.clone() };
        let members = self.incidents.values().filter(|incident| incident.subject == subject).flat_map(|incident| {
            let holding = incident.members.iter().filter(|(_, member)| member.holds());
            holding.map(|(watch, _)| (incident.id.clone(), watch.clone()))
        });
        for (id, watch) in members.collect::<Vec<_>>() {
            self.tell_surely(now, &id, IncidentEvent::Ended { watch, ending: Ending::Gone }, decision);
        }
        self.series.remove(&key);
        decision.alerts.insert(key.clone());
        decision.judged.insert(key);
    }
}
