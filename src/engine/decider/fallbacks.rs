//! What became of deliveries: who hears of what could not be delivered, and what public pages show.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Decider;
use crate::{
    domain::{
        bulletin::Bulletin,
        decide::{Decision, Input, Line},
        handover::{Unheard, passed_on},
        incident::IncidentEvent,
        name::Name,
        notification::{Event, Message},
    },
    store::{Posting, outbox::StoredDelivery},
};

/// Most deliveries that are looked at in one round. Each of them is done with then.
const ROUND_MAX: i64 = 1_000;

/// Deliveries whose outcome a decision took in.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Their fallbacks are told.
    pub fallbacks: Vec<i64>,
    /// Posts to public pages.
    pub posts: Vec<i64>,
    /// What is passed on to somebody else.
    pub postings: Vec<Posting>,
}

impl Decider {
    /// Takes in what became of deliveries, about once a second.
    pub(super) async fn heard_of_deliveries(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Told {
        if self.fallbacks_looked_at.is_some_and(|at| now - at < TimeDelta::milliseconds(900) && now >= at) {
            return Told::default();
        }
        self.fallbacks_looked_at = Some(now);
        let mut told = self.fallbacks(now, decision).await;
        told.posts = self.posts(now, decision).await;
        told
    }

    /// Tells incidents what their public pages made of the posts.
    async fn posts(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Vec<i64> {
        let Ok(outcomes) = self.store.post_outcomes(ROUND_MAX).await else { return Vec::new() };
        let told = outcomes.iter().map(|outcome| outcome.id).collect();
        for outcome in outcomes {
            let (incident, event) = (outcome.incident, IncidentEvent::Page(outcome.news));
            // An incident that is finished has nobody left to tell.
            drop(self.core.handle(now, Input::About { incident, event }, decision));
        }
        told
    }

    /// Tells the fallbacks of deliveries that are dead, or are pages and have waited too long, or were missed.
    async fn fallbacks(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Told {
        let mut told = Told::default();
        let Ok(waiting) = self.store.undelivered(&self.patience(now), ROUND_MAX).await else { return told };
        for delivery in waiting {
            told.fallbacks.push(delivery.id);
            let passed = match &delivery.incident {
                Some(incident) => self.fall_back(now, &delivery, incident, decision).await,
                None => self.pass_on(&delivery).await,
            };
            told.postings.extend(passed);
        }
        told
    }

    /// Since when a page must have waited for its fallback to hear of it, by receiver.
    fn patience(&self, now: DateTime<Utc>) -> BTreeMap<Name, DateTime<Utc>> {
        let waits = self.ruling.fallbacks.iter().filter(|(_, (fallback, _))| fallback.is_some());
        waits.map(|(name, (_, after))| (name.clone(), now - *after)).collect()
    }

    async fn fall_back(
        &mut self,
        now: DateTime<Utc>,
        delivery: &StoredDelivery,
        incident: &str,
        decision: &mut Decision,
    ) -> Option<Posting> {
        let receiver = &delivery.receiver;
        let why = reason(delivery);
        let event = crate::store::outbox::event(&delivery.event).unwrap_or(Event::Update);
        tracing::warn!(%receiver, incident, event = event.as_str(), error = %why, "not delivered");
        let fallback = self.ruling.fallbacks.get(receiver).and_then(|(fallback, _)| fallback.clone());
        let line = |text| Line { incident: incident.to_owned(), at: now, kind: "undelivered", text };
        let is_heard = matches!(event, Event::Trigger | Event::Resolve);
        let Some(fallback) = fallback.filter(|_| is_heard) else {
            let what = if receiver.contains(':') { "record" } else { event.as_str() };
            decision.lines.push(line(format!("{receiver}: {what} not delivered: {why}")));
            if is_heard && !self.core.incidents.contains_key(incident) {
                // Nobody looks at the timeline of what is finished.
                self.board.note_unheard(receiver);
            }
            return None;
        };
        let news = IncidentEvent::Undelivered { receiver: receiver.clone(), fallback, event, why: why.clone() };
        let about = Input::About { incident: incident.to_owned(), event: news };
        if self.core.handle(now, about, decision).is_ok() {
            return None;
        }
        // It is finished: what died since is told by itself, and wakes nobody.
        let known = self.store.incident(incident).await.ok().flatten();
        let (priority, decided_at) = (delivery.priority, delivery.decided_at);
        let known = known.as_ref();
        let unheard =
            Unheard { delivery: delivery.id, incident, known, receiver, event, priority, decided_at, why: &why };
        let bulletin = unheard.bulletin(&self.core.rules.external_url, now);
        let reader = self.reader_for(receiver);
        let instead = reader.as_ref().map_or_else(|| "nobody else".to_owned(), ToString::to_string);
        decision.lines.push(line(format!("{receiver}: {why}; {instead} hears of it instead")));
        Some(posting(reader?, "undelivered", bulletin))
    }

    /// A report or a reminder that could not be delivered, for whoever reads instead. About tests and digests nobody
    /// else hears: what was joined into a digest is told by itself.
    async fn pass_on(&self, delivery: &StoredDelivery) -> Option<Posting> {
        let (receiver, why) = (&delivery.receiver, reason(delivery));
        tracing::warn!(%receiver, event = delivery.event, error = %why, "not delivered");
        let (key, message) = match self.store.message(delivery.id).await {
            Ok(found) => found?,
            Err(error) => {
                tracing::error!(delivery = delivery.id, error = %error.text(), "it cannot be passed on");
                return None;
            }
        };
        let Message::Bulletin(bulletin) = message else { return None };
        Some(posting(self.reader_for(receiver)?, &key, passed_on(*bulletin, receiver, &why)))
    }

    /// The first of a receiver's fallbacks that can be told what wakes nobody. If there is none, `slod status` says so.
    fn reader_for(&self, receiver: &Name) -> Option<Name> {
        let mut next = receiver;
        // Fallbacks never go round in a circle: the configuration was checked.
        while let Some((Some(fallback), _)) = self.ruling.fallbacks.get(next) {
            if self.ruling.readers.contains(fallback) {
                return Some(fallback.clone());
            }
            next = fallback;
        }
        self.board.note_unheard(receiver);
        None
    }
}

fn reason(delivery: &StoredDelivery) -> String {
    delivery.last_error.clone().unwrap_or_else(|| "no answer yet".to_owned())
}

fn posting(receiver: Name, key: &str, bulletin: Bulletin) -> Posting {
    let event = bulletin.kind.event();
    Posting { receiver, event, key: key.to_owned(), message: Message::Bulletin(Box::new(bulletin)) }
}
