//! From what an incident wants to be said to messages on their way out.

use chrono::{DateTime, Utc};

use super::{Core, Decision, Line, Outgoing, SeriesKey, silencing::mutes};
use crate::domain::{
    alert::AlertState,
    condition::is_blind,
    flaps::Flaps,
    headline::title,
    incident::{Around, Hearing, Incident, IncidentEvent, Refused, Say, Subject},
    message::{self, Occasion, Telling},
    muting::Mute,
    name::{Name, SloId},
    notification::{Event, Message, PublicState},
    status_page::StatusClock,
};

impl Core {
    /// An event that no state refuses.
    pub(super) fn tell_surely(&mut self, now: DateTime<Utc>, id: &str, event: IncidentEvent, decision: &mut Decision) {
        let refused = self.tell(now, id, event, decision);
        debug_assert!(refused.is_ok(), "only people's events are refused");
    }

    pub(super) fn tell(
        &mut self,
        now: DateTime<Utc>,
        id: &str,
        event: IncidentEvent,
        decision: &mut Decision,
    ) -> Result<(), Refused> {
        let rules = self.rules.clone();
        let Some(incident) = self.incidents.get_mut(id) else { return Ok(()) };
        let (slo, blind) = match &incident.subject {
            Subject::Slo { id, series } => {
                let slo = rules.slos.get(id);
                let state = self.series.get(&SeriesKey { id: id.clone(), series: series.clone() });
                (slo, slo.zip(state).is_some_and(|(slo, state)| is_blind(&state.ledger, slo.blind_after)))
            }
            Subject::Source(_) => (None, false),
        };
        let status = slo.and_then(|slo| slo.status.as_ref()).map(|target| &target.rule);
        let has_diagnostics = slo.is_some_and(|slo| slo.has_diagnostics);
        let mutes = mutes(&self.silences, &self.planned, &incident.subject, now);
        let around = Around { now, hearers: &rules.hearers, status, blind, has_diagnostics, mutes: &mutes };
        let said = incident.handle(event, &around)?;
        decision.incidents.insert(id.to_owned());
        if said.is_empty() {
            return Ok(());
        }
        let title = self.title(id, now);
        if let (Some(incident), Some(title)) = (self.incidents.get_mut(id), title) {
            incident.title = title;
        }
        for say in said {
            match say {
                Say::Line { kind, text } => {
                    decision.lines.push(Line { incident: id.to_owned(), at: now, kind, text });
                }
                Say::Diagnosed(found) => decision.diagnoses.push((id.to_owned(), found)),
                Say::Mute(watches) => self.mute(id, &watches, decision),
                Say::Post(state) => decision.outgoing.extend(self.post(id, state, now)),
                Say::Settle { receiver, opening, reason } => {
                    let telling = Telling { event: Event::Resolve, opening, reason: &reason, late: false };
                    decision.settled.extend(self.message(id, receiver, &telling, &mutes, now));
                }
                Say::Tell { receiver, event, opening, reason, late } => {
                    let telling = Telling { event, opening, reason: &reason, late };
                    decision.outgoing.extend(self.message(id, receiver, &telling, &mutes, now));
                }
            }
        }
        Ok(())
    }

    fn mute(&mut self, id: &str, watches: &[String], decision: &mut Decision) {
        let Some(Subject::Slo { id, series }) = self.incidents.get(id).map(|incident| incident.subject.clone()) else {
            return;
        };
        let key = SeriesKey { id, series };
        if let Some(state) = self.series.get_mut(&key) {
            for (watch, alert) in &mut state.alerts {
                if watches.contains(watch) {
                    // Whoever ends it ends the going back and forth as well: what fires next is heard.
                    alert.flaps = Flaps::default();
                }
                alert.muted =
                    (alert.muted || watches.contains(watch)) && matches!(alert.state, AlertState::Firing { .. });
            }
            decision.alerts.insert(key.clone());
            decision.judged.insert(key);
        }
    }

    fn occasion<'a>(&'a self, incident: &'a Incident, now: DateTime<Utc>) -> Occasion<'a> {
        let mut occasion = Occasion {
            incident,
            series: None,
            source_error: None,
            failing_since: None,
            is_failing: false,
            external_url: &self.rules.external_url,
            now,
        };
        match &incident.subject {
            Subject::Slo { id, series } => {
                let key = SeriesKey { id: id.clone(), series: series.clone() };
                if let (Some(rules), Some(state)) = (self.rules.slos.get(id), self.series.get(&key)) {
                    occasion.series = Some(message::Series {
                        spec: &rules.spec,
                        title: &rules.title,
                        service_title: &rules.service_title,
                        tally: state.tally(),
                        runbook_url: rules.runbook_url.as_deref(),
                        manual: &rules.manual,
                        good: &rules.good,
                        in_seconds: rules.in_seconds,
                        fault: state.fault.as_deref(),
                        condition: incident.most_telling().and_then(|watch| rules.condition(watch)),
                    });
                }
            }
            Subject::Source(name) => {
                let (state, rule) = (self.sources.get(name), self.rules.sources.get(name));
                occasion.source_error = state.and_then(|state| state.last_error.as_deref());
                occasion.is_failing = state.is_some_and(|state| state.blind);
                // It fires when it has failed for that long.
                let fired_at = incident.members.values().map(|member| member.fired_at).max();
                occasion.failing_since = fired_at.zip(rule).map(|(at, rule)| at - rule.blind_after);
            }
        }
        occasion
    }

    fn title(&self, id: &str, now: DateTime<Utc>) -> Option<String> {
        self.incidents.get(id).map(|incident| title(&self.occasion(incident, now)))
    }

    fn message(
        &self,
        id: &str,
        receiver: Name,
        telling: &Telling<'_>,
        mutes: &[Mute],
        now: DateTime<Utc>,
    ) -> Option<Outgoing> {
        let incident = &self.incidents.get(id)?.as_heard(mutes);
        let pager = self.rules.hearers.get(&receiver) == Some(&Hearing::Pager);
        if pager && matches!(telling.event, Event::Update | Event::Digest) {
            return None;
        }
        let notification = message::compose(&self.occasion(incident, now), telling);
        Some(Outgoing {
            incident: id.to_owned(),
            receiver,
            event: telling.event,
            priority: incident.priority,
            // Only pagers know openings apart; to everybody else the incident is one conversation.
            dedup_key: if pager { notification.dedup_key.clone() } else { incident.key.clone() },
            message: Message::Notification(Box::new(notification)),
        })
    }

    fn post(&self, id: &str, state: PublicState, now: DateTime<Utc>) -> Option<Outgoing> {
        let incident = self.incidents.get(id)?;
        let Subject::Slo { id: slo, .. } = &incident.subject else { return None };
        let rules = self.rules.slos.get(slo)?;
        let target = rules.status.as_ref()?;
        let mut post = message::compose_post(incident, state, &rules.service_title, &target.component, now);
        post.down_elsewhere = self.incidents.values().any(|other| {
            let shares = |slo: &SloId| {
                self.rules
                    .slos
                    .get(slo)
                    .and_then(|rules| rules.status.as_ref())
                    .is_some_and(|page| page.receiver == target.receiver && page.component == target.component)
            };
            let is_down = other.status.as_ref().is_some_and(StatusClock::shows_outage);
            other.id != id && is_down && matches!(&other.subject, Subject::Slo { id, .. } if shares(id))
        });
        let event = match state {
            PublicState::Resolved => Event::Resolve,
            PublicState::Investigating => Event::Trigger,
            PublicState::Identified | PublicState::Monitoring => Event::Update,
        };
        Some(Outgoing {
            incident: id.to_owned(),
            receiver: target.receiver.clone(),
            event,
            priority: incident.priority,
            dedup_key: incident.key.clone(),
            message: Message::StatusPost(post),
        })
    }
}
