//! What people did at PagerDuty: told by its webhooks, or seen when it was asked.

use chrono::{DateTime, Utc};

use super::{Inbound, Lost, attribution::Deed};
use crate::{
    channel::pagerduty::hook::{self, Happened, Hook},
    config::{
        model::{Config, ReceiverKind},
        secret::Secret,
    },
    domain::{
        incident::{Actor, Incident, IncidentEvent},
        name::Name,
    },
    views::inbound::{Call, Reception, Unread},
};

/// What is said of a resolve that no person made.
const BY_NOBODY: &str = "resolved there, but by no person (a timer, or another integration): it is still open here";
/// What is said of a merge.
const MERGED: &str = "merged there into another incident: it is not over";

impl Inbound {
    pub(super) async fn pagerduty_called(&self, call: &Call<'_>) -> Reception {
        let config = self.parts.config.load_full();
        let secrets: Vec<(&Name, &Secret)> = secrets(&config).collect();
        if secrets.is_empty() {
            return Reception::Unconfigured;
        }
        let body = match call.body {
            Ok(body) => body,
            Err(Unread::TooLarge) => return Reception::TooLarge,
            Err(Unread::BrokenOff) => return Reception::BrokenOff,
        };
        let signed = secrets.iter().filter(|(_, secret)| hook::is_signed(call.signatures, secret, body));
        let vouching: Vec<Name> = signed.map(|(name, _)| (*name).clone()).collect();
        if vouching.is_empty() {
            return Reception::Forged;
        }
        match hook::read(body) {
            Err(_) => Reception::Malformed,
            Ok(hook::Call::Other(_)) => Reception::Ignored,
            Ok(hook::Call::Incident(hook)) => {
                self.told(&config, &vouching, &hook).await.unwrap_or(Reception::Unavailable)
            }
        }
    }

    async fn told(&self, config: &Config, vouching: &[Name], hook: &Hook) -> Result<Reception, Lost> {
        let keys = self.keys_of(vouching, hook).await?;
        if !keys.is_empty() {
            return self.happened(config, vouching, hook, &keys, None).await;
        }
        let now = self.parts.clock.now();
        let asks = vouching.iter().find(|name| token_of(config, name).is_some());
        let Some(asks) = asks else { return Ok(Reception::Ignored) };
        if self.parts.store.is_stranger(&hook.incident, now).await? {
            return Ok(Reception::Ignored);
        }
        let Ok(document) = serde_json::to_string(hook) else { return Ok(Reception::Malformed) };
        if !self.parts.store.keep_call(asks, &hook.event, document, now).await? {
            return Ok(Reception::Unavailable);
        }
        self.kept.notify_waiters();
        Ok(Reception::Kept)
    }

    /// Our keys that its incident stands for, as far as they are known here. The key that it names itself may be another
    /// alert's of the same incident, so it is only one of them.
    async fn keys_of(&self, vouching: &[Name], hook: &Hook) -> Result<Vec<String>, Lost> {
        let mut keys = self.parts.store.keys_of_pager_incident(&hook.incident).await?;
        if let Some(key) = hook.key.as_ref().filter(|key| !keys.contains(key))
            && self.parts.store.incident_of_key(key).await?.is_some()
        {
            if let [receiver] = vouching {
                let now = self.parts.clock.now();
                self.parts.store.link_pager_incident(receiver, &hook.incident, key, None, now).await?;
            }
            keys.push(key.clone());
        }
        Ok(keys)
    }

    /// Something happened to an incident of PagerDuty's that stands for these keys. `as_of`: it was seen to be so then.
    pub(in crate::engine) async fn happened(
        &self,
        config: &Config,
        vouching: &[Name],
        hook: &Hook,
        keys: &[String],
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Reception, Lost> {
        let mut all = Reception::Ignored;
        for key in keys {
            all = match (all, self.happened_to(config, vouching, hook, key, as_of).await?) {
                (Reception::Accepted, _) | (_, Reception::Accepted) => Reception::Accepted,
                (_, one) => one,
            };
        }
        Ok(all)
    }

    async fn happened_to(
        &self,
        config: &Config,
        vouching: &[Name],
        hook: &Hook,
        key: &str,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Reception, Lost> {
        let Some((incident, opening)) = self.parts.store.incident_of_key(key).await? else {
            return Ok(Reception::Ignored);
        };
        let deed = Deed { vouching, pager_incident: &hook.incident, dedup_key: key, opening };
        let name = hook.person.as_deref().unwrap_or("PagerDuty");
        let Some(actor) = self.actor(config, &incident, &deed, name).await? else { return Ok(Reception::Stale) };
        let actor = Actor { event: Some(hook.event.clone()), as_of, ..actor };
        if self.parts.store.has_heard(&actor.via.word(), &hook.event).await? {
            return Ok(Reception::Repeated);
        }
        if let Happened::Merged(Some(into)) = &hook.happened {
            for receiver in vouching {
                let now = self.parts.clock.now();
                self.parts.store.link_pager_incident(receiver, into, key, None, now).await?;
            }
        }
        let Some(event) = event(hook, actor, &incident) else { return Ok(Reception::Ignored) };
        let what = event.actor().map_or("", |(_, what)| what);
        Ok(match self.act(incident.id.clone(), event).await? {
            Ok(()) => {
                tracing::info!(incident = %incident.id, pager_incident = %hook.incident, what, "done at PagerDuty");
                Reception::Accepted
            }
            Err(refused) => {
                tracing::debug!(incident = %incident.id, what, %refused, "done at PagerDuty, but changes nothing");
                Reception::Stale
            }
        })
    }
}

/// What it is to our incident. None if it is nothing: only people act.
fn event(hook: &Hook, by: Actor, incident: &Incident) -> Option<IncidentEvent> {
    let is_person = hook.person.is_some();
    let is_current = incident.resolved.is_none() && by.opening == Some(incident.opening);
    match &hook.happened {
        Happened::Acknowledged => is_person.then_some(IncidentEvent::Acknowledge { by }),
        // A timer does it, or whoever was asked: people are told there again.
        Happened::Unacknowledged => Some(IncidentEvent::Unacknowledge { by }),
        Happened::Resolved if is_person => Some(IncidentEvent::Resolve { by }),
        Happened::Resolved if is_current => Some(IncidentEvent::Note { by, text: BY_NOBODY.to_owned() }),
        Happened::Resolved => None,
        Happened::Merged(_) => is_current.then(|| IncidentEvent::Note { by, text: MERGED.to_owned() }),
        Happened::Reopened => is_person.then(|| IncidentEvent::Reopen { by, firing: Vec::new() }),
        Happened::Annotated(text) if text.is_empty() => None,
        Happened::Annotated(text) => Some(IncidentEvent::Note { by, text: text.clone() }),
    }
}

fn secrets(config: &Config) -> impl Iterator<Item = (&Name, &Secret)> {
    config.receivers.iter().filter_map(|(name, receiver)| match &receiver.kind {
        ReceiverKind::Pagerduty { people, .. } => Some((name, people.webhook_secret.as_ref()?)),
        _ => None,
    })
}

fn token_of<'c>(config: &'c Config, receiver: &Name) -> Option<&'c Secret> {
    match &config.receivers.get(receiver)?.kind {
        ReceiverKind::Pagerduty { people, .. } => people.api_token.as_ref(),
        _ => None,
    }
}
