//! What people did, from wherever it reached us: each event of a source counts once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Core, Decision, Rejected, SeriesKey};
use crate::domain::{
    alert::AlertState,
    incident::{IncidentEvent, Refused, Subject},
};

/// Most events of sources that one incident takes.
const HEARD_MAX: usize = 5_000;

/// The events that live incidents have heard of: by incident, source and the source's name for the event.
pub type HeardEvents = BTreeMap<String, BTreeSet<(String, String)>>;

/// An event of a source that changed an incident, or was seen to change nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEvent {
    /// Where it came from: `receiver:ops-pager`.
    pub source: String,
    /// The source's name for it.
    pub event: String,
    /// Of which incident.
    pub incident: String,
    /// acknowledge, unacknowledge, resolve, reopen, note.
    pub what: &'static str,
    /// Who.
    pub by: String,
    /// When it was taken.
    pub at: DateTime<Utc>,
}

impl Core {
    /// Tells an incident what happened to it from outside. What a source said before changes nothing.
    pub(super) fn about(
        &mut self,
        now: DateTime<Utc>,
        id: &str,
        event: IncidentEvent,
        decision: &mut Decision,
    ) -> Result<(), Rejected> {
        if !self.incidents.contains_key(id) {
            return Err(Rejected::NoIncident(id.to_owned()));
        }
        let told = event.actor().and_then(|(by, what)| {
            let (source, event) = (by.via.word(), by.event.clone()?);
            let told = SourceEvent { source, event, incident: id.to_owned(), what, by: by.name.clone(), at: now };
            Some((told, by.as_of.is_some()))
        });
        if let Some((told, _)) = &told {
            let heard = self.heard.entry(id.to_owned()).or_default();
            if heard.contains(&(told.source.clone(), told.event.clone())) {
                return Ok(());
            }
            if heard.len() >= HEARD_MAX {
                return Err(Refused::TooMany(id.to_owned()).into());
            }
        }
        let result = self.tell_about(now, id, event, decision);
        // What is refused is judged once and for all, too: it does not become true by coming again. Only a look that was
        // too old may be taken again.
        if let Some((told, is_look)) = told
            && (result.is_ok() || !is_look)
        {
            let heard = self.heard.entry(id.to_owned()).or_default();
            heard.insert((told.source.clone(), told.event.clone()));
            decision.source_events.push(told);
        }
        Ok(result?)
    }

    fn tell_about(
        &mut self,
        now: DateTime<Utc>,
        id: &str,
        event: IncidentEvent,
        decision: &mut Decision,
    ) -> Result<(), Refused> {
        let IncidentEvent::Reopen { by, .. } = event else { return self.tell(now, id, event, decision) };
        let firing = self.unheard(id);
        self.tell(now, id, IncidentEvent::Reopen { by, firing: firing.clone() }, decision)?;
        if self.incidents.get(id).is_some_and(|incident| incident.resolved.is_none()) {
            self.unmute(id, &firing, decision);
        }
        Ok(())
    }

    /// Alerts of an incident that fire, though a person had ended it.
    fn unheard(&self, id: &str) -> Vec<String> {
        let Some(incident) = self.incidents.get(id).filter(|incident| incident.resolved.is_some()) else {
            return Vec::new();
        };
        let Subject::Slo { id, series } = &incident.subject else { return Vec::new() };
        let state = self.series.get(&SeriesKey { id: id.clone(), series: series.clone() });
        let alerts = state.into_iter().flat_map(|state| &state.alerts);
        let unheard = alerts.filter(|(watch, alert)| {
            alert.muted && matches!(alert.state, AlertState::Firing { .. }) && incident.members.contains_key(*watch)
        });
        unheard.map(|(watch, _)| watch.clone()).collect()
    }

    fn unmute(&mut self, id: &str, watches: &[String], decision: &mut Decision) {
        let Some(Subject::Slo { id, series }) = self.incidents.get(id).map(|incident| incident.subject.clone()) else {
            return;
        };
        let key = SeriesKey { id, series };
        let Some(state) = self.series.get_mut(&key) else { return };
        for (_, alert) in state.alerts.iter_mut().filter(|(watch, _)| watches.contains(watch)) {
            alert.muted = false;
        }
        decision.alerts.insert(key.clone());
        decision.judged.insert(key);
    }
}
