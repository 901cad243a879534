//! Silences and planned work: what mutes an incident, and when that changes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Core, Decision, Rejected};
use crate::domain::{
    incident::{Incident, IncidentEvent, Subject},
    muting::{Mute, Work},
    silence::{self, Expiry, SILENCES_MAX, Scope, Silence, Unwanted},
};

/// When a silence or planned work next begins or ends, as it was seen at some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edge {
    seen_at: Option<DateTime<Utc>>,
    pub next: Option<DateTime<Utc>>,
}

/// What mutes the messages about `subject` at `now`. A blind source is muted by nothing: it is nobody's planned work.
pub(super) fn mutes(
    silences: &BTreeMap<String, Silence>,
    planned: &[Work],
    subject: &Subject,
    now: DateTime<Utc>,
) -> Vec<Mute> {
    let Subject::Slo { id, series } = subject else { return Vec::new() };
    let by_people = silences.values().filter(|silence| silence.is_active(now) && silence.matcher.covers(id, series));
    let worked = planned.iter().filter_map(|work| Some(Mute::of_work(work, work.span_of(id, now.timestamp())?)));
    by_people.map(Mute::of_silence).chain(worked).collect()
}

impl Core {
    /// Whether a silence makes sense, and what it would mute.
    pub fn scope_of(&self, silence: &Silence, now: DateTime<Utc>) -> Result<Scope, Unwanted> {
        let mut scope = silence::check(silence, &self.rules, now)?;
        let speaks = |incident: &&Incident| {
            let only = silence.matcher.policy.as_ref();
            incident.members.values().any(|member| member.holds() && only.is_none_or(|only| *only == member.policy))
        };
        let is_meant = |incident: &&Incident| match &incident.subject {
            Subject::Slo { id, series } => silence.matcher.covers(id, series),
            Subject::Source(_) => false,
        };
        let open = self.incidents.values().filter(|incident| incident.resolved.is_none());
        scope.incidents = open.filter(is_meant).filter(speaks).map(|incident| incident.id.clone()).collect();
        Ok(scope)
    }

    pub(super) fn silence(
        &mut self,
        now: DateTime<Utc>,
        silence: Silence,
        decision: &mut Decision,
    ) -> Result<(), Rejected> {
        self.scope_of(&silence, now)?;
        let live = self.silences.values().filter(|other| !other.is_over(now) && other.id != silence.id).count();
        if live >= SILENCES_MAX {
            return Err(Unwanted::TooMany.into());
        }
        decision.silences.push(silence.clone());
        self.silences.insert(silence.id.clone(), silence);
        self.look_at_mutes(now, decision);
        Ok(())
    }

    pub(super) fn unsilence(
        &mut self,
        now: DateTime<Utc>,
        id: &str,
        by: String,
        decision: &mut Decision,
    ) -> Result<(), Rejected> {
        let live = self.silences.get_mut(id).filter(|silence| !silence.is_over(now));
        let silence = live.ok_or_else(|| Rejected::NoSilence(id.to_owned()))?;
        silence.expired = Some(Expiry { at: now, by });
        decision.silences.push(silence.clone());
        self.look_at_mutes(now, decision);
        Ok(())
    }

    /// Takes up the silences that are stored, and the work that is planned, without saying anything yet.
    pub fn resume_mutes(&mut self, now: DateTime<Utc>, silences: Vec<Silence>, planned: Vec<Work>) {
        self.silences = silences.into_iter().map(|silence| (silence.id.clone(), silence)).collect();
        self.planned = planned;
        let is_late = self.behind(now).next().is_some();
        self.edge = if is_late { Edge { seen_at: Some(now), next: Some(now) } } else { self.edge_after(now) };
    }

    /// Silences and planned work begin and end with time.
    pub(super) fn turn_mutes(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        let passed = self.edge.next.is_some_and(|next| next <= now);
        let set_back = self.edge.seen_at.is_some_and(|seen| now < seen);
        if passed || set_back {
            self.look_at_mutes(now, decision);
        }
    }

    /// Lets every incident know for which something has changed, and finds out when that is so again.
    pub(super) fn look_at_mutes(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        for id in self.behind(now).map(|incident| incident.id.clone()).collect::<Vec<_>>() {
            self.tell_surely(now, &id, IncidentEvent::Tick, decision);
        }
        self.edge = self.edge_after(now);
    }

    /// Incidents that have not heard yet of what mutes them, or no longer does.
    fn behind(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Incident> {
        let known = move |incident: &&Incident| mutes(&self.silences, &self.planned, &incident.subject, now);
        self.incidents.values().filter(move |incident| incident.is_behind(&known(incident)))
    }

    fn edge_after(&self, now: DateTime<Utc>) -> Edge {
        let ends = self.silences.values().filter(|silence| !silence.is_over(now)).map(|silence| silence.ends_at);
        let edges = self.planned.iter().filter_map(|work| work.next_edge(now.timestamp()));
        let edges = edges.filter_map(|edge| DateTime::from_timestamp(edge, 0));
        Edge { seen_at: Some(now), next: ends.chain(edges).min() }
    }

    /// Forgets silences that are over. They stay in the store.
    pub(super) fn forget_silences(&mut self, now: DateTime<Utc>) {
        self.silences.retain(|_, silence| !silence.is_over(now));
    }
}
