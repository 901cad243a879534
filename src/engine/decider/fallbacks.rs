//! What became of deliveries: who hears of what could not be delivered, and what public pages show.

use chrono::{DateTime, TimeDelta, Utc};

use super::Decider;
use crate::{
    domain::{
        decide::{Decision, Input},
        incident::IncidentEvent,
        name::Name,
        notification::Event,
    },
    store::outbox::StoredDelivery,
};

/// Deliveries whose outcome a decision took in.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Their fallbacks are told.
    pub fallbacks: Vec<i64>,
    /// Posts to public pages.
    pub posts: Vec<i64>,
}

impl Decider {
    /// Takes in what became of deliveries, about once a second.
    pub(super) async fn heard_of_deliveries(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Told {
        if self.fallbacks_looked_at.is_some_and(|at| now - at < TimeDelta::milliseconds(900) && now >= at) {
            return Told::default();
        }
        self.fallbacks_looked_at = Some(now);
        Told { fallbacks: self.fallbacks(now, decision).await, posts: self.posts(now, decision).await }
    }

    /// Tells incidents what their public pages made of the posts.
    async fn posts(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Vec<i64> {
        let Ok(outcomes) = self.store.post_outcomes(1_000).await else { return Vec::new() };
        let told = outcomes.iter().map(|outcome| outcome.id).collect();
        for outcome in outcomes {
            let (incident, event) = (outcome.incident, IncidentEvent::Page(outcome.news));
            // An incident that is finished has nobody left to tell.
            drop(self.core.handle(now, Input::About { incident, event }, decision));
        }
        told
    }

    /// Tells the fallbacks of deliveries that are dead, or are pages and have waited too long, or were missed.
    async fn fallbacks(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Vec<i64> {
        let Ok(waiting) = self.store.undelivered(1_000).await else { return Vec::new() };
        let mut told = Vec::new();
        for delivery in waiting {
            let fallback = self.ruling.fallbacks.get(&delivery.receiver);
            let (name, after) = fallback.cloned().unwrap_or((None, TimeDelta::zero()));
            let waits = !matches!(delivery.state.as_str(), "dead" | "dropped");
            if waits && (name.is_none() || delivery.decided_at + after > now) {
                continue;
            }
            told.push(delivery.id);
            self.fall_back(now, delivery, name, decision);
        }
        told
    }

    fn fall_back(
        &mut self,
        now: DateTime<Utc>,
        delivery: StoredDelivery,
        fallback: Option<Name>,
        decision: &mut Decision,
    ) {
        let why = delivery.last_error.unwrap_or_else(|| "no answer yet".to_owned());
        let event = crate::store::outbox::event(&delivery.event).unwrap_or(Event::Update);
        let Some(incident) = delivery.incident else {
            // About no incident: no page, and nobody's fallback is told.
            tracing::warn!(receiver = %delivery.receiver, event = event.as_str(), error = %why, "not delivered");
            return;
        };
        tracing::warn!(receiver = %delivery.receiver, %incident, event = event.as_str(), error = %why, "not delivered");
        let event = match fallback {
            Some(fallback) if matches!(event, Event::Trigger | Event::Resolve) => {
                IncidentEvent::Undelivered { receiver: delivery.receiver, fallback, event, why }
            }
            _ => {
                let what = if delivery.receiver.contains(':') { "record" } else { event.as_str() };
                let text = format!("{}: {what} not delivered: {why}", delivery.receiver);
                let line = crate::domain::decide::Line { incident, at: now, kind: "undelivered", text };
                decision.lines.push(line);
                return;
            }
        };
        // An incident that is finished has nobody left to tell.
        drop(self.core.handle(now, Input::About { incident, event }, decision));
    }
}
