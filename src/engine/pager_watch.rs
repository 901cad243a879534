//! What became of our pages at PagerDuty: asked every 30 s where there is an API token, so that nothing is missed when a
//! webhook is; what webhooks told of incidents whose keys were not known; and the priorities of pages, set after they were
//! accepted. All of it beside the pages themselves, which wait for none of this.

mod priorities;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use self::priorities::Priorities;
use super::inbound::{Inbound, Lost};
use crate::{
    channel::{
        Failure, Limits,
        pagerduty::{
            hook::{Happened, Hook},
            rest::{PagerDutyRest, PagerIncident, PagerStatus},
        },
    },
    config::model::{Config, ReceiverKind},
    domain::{incident::Incident, name::Name},
    store::pager::{KeptCall, Page},
};

/// How often is looked for something to do.
const ROUND: Duration = Duration::from_secs(1);
/// How often every open page is asked about.
const POLL_EVERY: TimeDelta = TimeDelta::seconds(30);
/// Most pages that are asked about in one round: the account has a limit of requests.
const PAGES_MAX: usize = 100;
/// Most kept calls of one round.
const CALLS_MAX: u32 = 20;
/// The longest wait between two questions about one call, and how long it is kept at all: as long as it would be sent.
const CALL_WAIT_MAX: TimeDelta = TimeDelta::minutes(5);
const CALL_KEPT: TimeDelta = TimeDelta::hours(48);
/// How long one question may take.
const LIMITS: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(10), body_bytes: 1 << 20 };

/// Starts one task for each PagerDuty receiver with a token; they run until `stop`.
pub fn start(config: &Arc<Config>, inbound: &Arc<Inbound>, stop: &CancellationToken) {
    for (name, receiver) in &config.receivers {
        let ReceiverKind::Pagerduty { people, .. } = &receiver.kind else { continue };
        let Some(token) = people.api_token.clone() else { continue };
        match PagerDutyRest::new(LIMITS, token, people.from.clone(), &people.api_url) {
            Ok(rest) => {
                let watch = PagerWatch {
                    receiver: name.clone(),
                    rest: Arc::new(rest),
                    inbound: inbound.clone(),
                    config: config.clone(),
                    asked_at: None,
                    failing: false,
                    next: 0,
                };
                tokio::spawn(watch.run(stop.clone()));
            }
            Err(error) => tracing::error!(receiver = %name, %error, "what becomes of its pages is not watched"),
        }
    }
}

struct PagerWatch {
    receiver: Name,
    rest: Arc<PagerDutyRest>,
    inbound: Arc<Inbound>,
    config: Arc<Config>,
    asked_at: Option<DateTime<Utc>>,
    /// The newest question was not answered.
    failing: bool,
    /// With which page the next round of questions begins, if there are too many for one.
    next: usize,
}

impl PagerWatch {
    async fn run(mut self, stop: CancellationToken) {
        let mut priorities = Priorities::default();
        let inbound = self.inbound.clone();
        loop {
            let round = async {
                if let Err(error) = self.round(&mut priorities).await {
                    tracing::debug!(receiver = %self.receiver, %error, "a look at its pages broke off");
                }
                tokio::select! {
                    () = inbound.kept.notified() => {}
                    () = tokio::time::sleep(ROUND) => {}
                }
            };
            // What is under way is only a question: it is asked again after the next start.
            tokio::select! {
                () = stop.cancelled() => return,
                () = round => {}
            }
        }
    }

    async fn round(&mut self, priorities: &mut Priorities) -> Result<(), Lost> {
        let parts = &self.inbound.parts;
        let now = parts.clock.now();
        for call in parts.store.due_calls(&self.receiver, now, CALLS_MAX).await? {
            if self.rest.quiet_for().is_some() {
                return Ok(());
            }
            self.ask_about(&call, now).await?;
        }
        let pages = parts.store.open_pages(&self.receiver).await?;
        if self.rest.sets_priorities() {
            priorities.set(&self.receiver, &self.rest, &parts.store, &pages, now).await?;
        }
        // A clock that was set back does not stop it.
        let is_due = |at: DateTime<Utc>| now >= at + POLL_EVERY || now < at;
        if !pages.is_empty() && self.asked_at.is_none_or(is_due) {
            self.asked_at = Some(now);
            self.poll(&pages).await?;
        }
        Ok(())
    }

    /// Asks for the keys of an incident that a call was about.
    async fn ask_about(&self, call: &KeptCall, now: DateTime<Utc>) -> Result<(), Lost> {
        let store = &self.inbound.parts.store;
        let Ok(hook) = serde_json::from_str::<Hook>(&call.document) else {
            return Ok(store.finish_call(&self.receiver, &call.event, None).await?);
        };
        match self.rest.alert_keys(&hook.incident).await {
            Ok(keys) => {
                let mut ours = Vec::new();
                for key in keys {
                    if !ours.contains(&key) && store.incident_of_key(&key).await?.is_some() {
                        store.link_pager_incident(&self.receiver, &hook.incident, &key, None, now).await?;
                        ours.push(key);
                    }
                }
                if ours.is_empty() {
                    store.link_pager_incident(&self.receiver, &hook.incident, "", None, now).await?;
                } else {
                    let vouching = std::slice::from_ref(&self.receiver);
                    self.inbound.happened(&self.config, vouching, &hook, &ours, None).await?;
                }
                store.finish_call(&self.receiver, &call.event, None).await?;
            }
            Err(Failure::Retry { after, .. }) if now - call.kept_at < CALL_KEPT => {
                let doubled = TimeDelta::seconds(1 << call.attempts.min(10)).min(CALL_WAIT_MAX);
                let asked = after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_default();
                store.finish_call(&self.receiver, &call.event, Some(now + doubled.max(asked))).await?;
            }
            Err(failure) => {
                let (receiver, error) = (&self.receiver, failure.reason());
                tracing::warn!(%receiver, pager_incident = %hook.incident, error, "what it is about cannot be learned");
                store.finish_call(&self.receiver, &call.event, None).await?;
            }
        }
        Ok(())
    }

    /// Asks what became of the pages of incidents that are open here.
    async fn poll(&mut self, pages: &[Page]) -> Result<(), Lost> {
        let first = if pages.len() > PAGES_MAX { self.next % pages.len() } else { 0 };
        let round: Vec<&Page> = pages.iter().cycle().skip(first).take(PAGES_MAX.min(pages.len())).collect();
        self.next = first + round.len();
        for page in round {
            let asked_at = self.inbound.parts.clock.now();
            match self.rest.find(&page.dedup_key).await {
                Ok(found) => {
                    self.failing = false;
                    self.seen(page, &found, asked_at).await?;
                }
                Err(failure) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        let (receiver, error) = (&self.receiver, failure.reason());
                        tracing::warn!(%receiver, error, "what became of its pages cannot be asked");
                    }
                    // Whoever does not answer is not asked about the rest.
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn seen(&self, page: &Page, found: &[PagerIncident], asked_at: DateTime<Utc>) -> Result<(), Lost> {
        let store = &self.inbound.parts.store;
        for incident in found {
            let known = store.pager_incidents_of(&self.receiver, &page.dedup_key).await?;
            if !known.iter().any(|(id, _)| *id == incident.id) {
                store.link_pager_incident(&self.receiver, &incident.id, &page.dedup_key, None, asked_at).await?;
            }
        }
        let Some(hook) = done(page, found) else { return Ok(()) };
        let keys = std::slice::from_ref(&page.dedup_key);
        let Some((incident, opening)) = store.incident_of_key(&page.dedup_key).await? else { return Ok(()) };
        if is_news(&incident, opening, &self.receiver, &hook.happened) {
            let vouching = std::slice::from_ref(&self.receiver);
            self.inbound.happened(&self.config, vouching, &hook, keys, Some(asked_at)).await?;
        }
        Ok(())
    }
}

/// Whether we do not know it already.
fn is_news(incident: &Incident, opening: u32, receiver: &Name, happened: &Happened) -> bool {
    let is_current = incident.resolved.is_none() && incident.newest_told(receiver) == Some(opening);
    is_current && (*happened == Happened::Resolved || incident.acknowledged.is_none())
}

/// What a person did there: somebody has it; or it is over, and nothing of it goes on.
fn done(page: &Page, found: &[PagerIncident]) -> Option<Hook> {
    let (status, happened, word) = if found.iter().any(|incident| incident.status != PagerStatus::Resolved) {
        (PagerStatus::Acknowledged, Happened::Acknowledged, "acknowledged")
    } else {
        (PagerStatus::Resolved, Happened::Resolved, "resolved")
    };
    let by_people = found.iter().filter(|seen| seen.status == status && seen.person.is_some() && !seen.merged);
    let newest = by_people.max_by_key(|seen| seen.since.clone())?;
    if status == PagerStatus::Resolved && found.iter().any(|seen| seen.since > newest.since) {
        return None;
    }
    Some(Hook {
        event: format!("{}/{word}/{}", newest.id, newest.since),
        incident: newest.id.clone(),
        key: Some(page.dedup_key.clone()),
        happened,
        person: newest.person.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::Priority;

    fn seen(id: &str, status: PagerStatus, since: &str, person: Option<&str>) -> PagerIncident {
        let (id, since, person) = (id.to_owned(), since.to_owned(), person.map(str::to_owned));
        PagerIncident { id, status, since, person, merged: false }
    }

    #[test]
    fn what_was_done_there() {
        use PagerStatus::{Acknowledged, Resolved, Triggered};
        let page = Page { incident: "i".into(), dedup_key: "k".into(), priority: Priority::P1 };
        let merged = PagerIncident { merged: true, ..seen("A", Resolved, "1", Some("ann")) };
        for (found, expected) in [
            (vec![], None),
            (vec![seen("A", Triggered, "1", Some("ann"))], None),
            (vec![seen("A", Acknowledged, "1", Some("ann"))], Some("A/acknowledged/1")),
            (vec![seen("A", Acknowledged, "1", None)], None),
            (
                vec![seen("A", Triggered, "1", None), seen("B", Acknowledged, "2", Some("ann"))],
                Some("B/acknowledged/2"),
            ),
            (vec![seen("A", Resolved, "1", Some("ann"))], Some("A/resolved/1")),
            (vec![seen("A", Resolved, "1", None)], None),
            (vec![merged], None),
            // A newer page of the same key goes on.
            (vec![seen("A", Resolved, "1", Some("ann")), seen("B", Triggered, "2", None)], None),
            (vec![seen("A", Resolved, "1", Some("ann")), seen("B", Resolved, "2", Some("bob"))], Some("B/resolved/2")),
            (vec![seen("A", Resolved, "1", Some("ann")), seen("B", Resolved, "2", None)], None),
        ] {
            assert_eq!(done(&page, &found).map(|hook| hook.event).as_deref(), expected, "{found:?}");
        }
    }
}
