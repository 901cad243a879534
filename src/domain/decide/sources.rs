//! What is heard of sources: one that does not answer for long has an incident of its own.

use chrono::{DateTime, Utc};

use super::{Core, Decision};
use crate::domain::{
    incident::{Ending, IncidentEvent, Subject},
    message::{cut, span_words},
    name::Name,
};

impl Core {
    /// After a restart: a source with an open incident is blind until it answers.
    pub fn resume_blind(&mut self, now: DateTime<Utc>) {
        for incident in self.incidents.values().filter(|incident| incident.resolved.is_none()) {
            if let Subject::Source(name) = &incident.subject
                && let Some(state) = self.sources.get_mut(name)
            {
                state.blind = true;
                state.failing_since.get_or_insert(now);
            }
        }
    }

    pub(super) fn heard(&mut self, now: DateTime<Utc>, source: &Name, error: Option<String>, decision: &mut Decision) {
        let rules = self.rules.clone();
        let (Some(state), Some(rule)) = (self.sources.get_mut(source), rules.sources.get(source)) else { return };
        let Some(error) = error else {
            state.last_success = Some(now);
            state.failing_since = None;
            if std::mem::take(&mut state.blind) {
                let subject = Subject::Source(source.clone());
                let open = self.incidents.values().find(|old| old.subject == subject && old.resolved.is_none());
                if let Some(id) = open.map(|incident| incident.id.clone()) {
                    let watch = "blind".to_owned();
                    self.tell_surely(now, &id, IncidentEvent::Ended { watch, ending: Ending::Cleared }, decision);
                }
            }
            return;
        };
        // Nothing heard for that long is slod's own downtime: the count starts anew. So it does when the clock went back.
        let counts = |last: DateTime<Utc>| last <= now && now - last <= rule.blind_after;
        if !state.blind && !state.last_failure.is_some_and(counts) {
            state.failing_since = None;
        }
        state.last_failure = Some(now);
        state.last_error = Some(error);
        state.failing_since.get_or_insert(now);
        self.blind_sources(now, decision);
    }

    pub(super) fn blind_sources(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        let rules = self.rules.clone();
        for (name, source) in &rules.sources {
            let Some(state) = self.sources.get_mut(name) else { continue };
            let Some(at) = state.failing_since.map(|since| since + source.blind_after) else { continue };
            if state.blind || at > now {
                continue;
            }
            if state.last_failure.is_none_or(|last| now - last > source.blind_after) {
                // Only slod's own absence is that long: it is asked about again.
                state.failing_since = None;
                continue;
            }
            state.blind = true;
            let error = state.last_error.as_deref().unwrap_or("no answer");
            let because = format!("no good answer for {}: {}", span_words(source.blind_after), cut(error, 300));
            let event = IncidentEvent::Fired {
                watch: "blind".to_owned(),
                policy: Name::from("blind"),
                priority: source.priority,
                plan: source.plan.clone(),
                at,
                reopen_within: 600,
                late: false,
                because,
                flapping: None,
            };
            self.fire(now, Subject::Source(name.clone()), at, source.priority, event, decision);
        }
    }
}
