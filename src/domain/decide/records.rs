//! When an incident is put on record: once, when it is over for good.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Core, Decision, Line};
use crate::domain::{
    incident::{Incident, Subject},
    record::RecordRule,
    status_page::StatusClock,
};

/// A public page that nobody finishes holds the record up no longer than this.
const PAGE_PATIENCE: TimeDelta = TimeDelta::hours(24);

impl Core {
    /// Where an incident that is over is to be recorded, if it is and has not been.
    pub fn record_rule(&self, incident: &Incident) -> Option<&RecordRule> {
        let Subject::Slo { id, .. } = &incident.subject else { return None };
        let rule = self.rules.records.get(&id.service)?;
        let is_due = !incident.recorded && incident.resolved.is_some() && incident.priority <= rule.min_priority;
        is_due.then_some(rule)
    }

    /// Whether nothing can happen to an incident any more, and it is on record if it is to be.
    pub fn is_done(&self, incident: &Incident, now: DateTime<Utc>) -> bool {
        incident.is_finished(now) && self.record_rule(incident).is_none()
    }

    /// When the next record is due.
    pub(super) fn next_record(&self) -> Option<DateTime<Utc>> {
        let waiting = self.incidents.values().filter(|incident| self.record_rule(incident).is_some());
        waiting.filter_map(over_at).min()
    }

    /// Decides what is recorded now. The shell composes the records from what is stored, and writes them with this
    /// decision: neither is there without the other.
    pub(super) fn record_finished(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        let due = self.incidents.values().filter(|incident| is_over(incident, now));
        let due = due.filter_map(|incident| Some((incident.id.clone(), self.record_rule(incident)?.clone())));
        for (id, rule) in due.collect::<Vec<_>>() {
            let Some(incident) = self.incidents.get_mut(&id) else { continue };
            incident.recorded = true;
            let text = format!("over for good: written to {}", rule.receiver);
            decision.lines.push(Line { incident: id.clone(), at: now, kind: "recorded", text });
            decision.incidents.insert(id.clone());
            decision.records.push((id, rule));
        }
    }
}

/// Whether an incident cannot open again, and its public page is at rest or was left alone for a day.
fn is_over(incident: &Incident, now: DateTime<Utc>) -> bool {
    let patience = if is_at_rest(incident) { TimeDelta::zero() } else { PAGE_PATIENCE };
    incident.resolved.is_some() && !incident.takes(now - patience)
}

/// The first instant at which it is.
fn over_at(incident: &Incident) -> Option<DateTime<Utc>> {
    let end = incident.resolved.as_ref()?.at;
    let patience = if is_at_rest(incident) { TimeDelta::zero() } else { PAGE_PATIENCE };
    Some(end + TimeDelta::seconds(i64::from(incident.reopen_within)) + patience + TimeDelta::milliseconds(1))
}

fn is_at_rest(incident: &Incident) -> bool {
    incident.status.as_ref().is_none_or(StatusClock::is_at_rest)
}
