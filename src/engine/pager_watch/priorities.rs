//! Priorities of pages: set after a page was accepted, tried a few times, and never again once they are set, for people
//! may change them there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    channel::{
        Failure,
        pagerduty::rest::{PagerDutyRest, PagerStatus},
    },
    domain::{name::Name, policy::Priority},
    store::{Store, StoreError, pager::Page},
};

/// How often it is tried for one page: for some two minutes.
const TRIES_MAX: u32 = 8;

/// Which pages still want their priority.
#[derive(Debug, Default)]
pub(super) struct Priorities {
    /// By key and priority: how often it was tried, and when it is tried next.
    tries: BTreeMap<(String, Priority), (u32, DateTime<Utc>)>,
    /// Failures that were said already.
    said: BTreeSet<String>,
}

impl Priorities {
    /// Sets what is due. Contacts the vendor only for pages that have no priority yet.
    pub async fn set(
        &mut self,
        receiver: &Name,
        rest: &PagerDutyRest,
        store: &Store,
        pages: &[Page],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.tries.retain(|(key, _), _| pages.iter().any(|page| page.dedup_key == *key));
        for page in pages {
            let (tries, next_at) = self.tries.get(&page.name()).copied().unwrap_or((0, now));
            if tries >= TRIES_MAX || next_at > now && next_at < now + TimeDelta::minutes(15) {
                continue;
            }
            let known = store.pager_incidents_of(receiver, &page.dedup_key).await?;
            if known.iter().any(|(_, priority)| *priority == Some(page.priority)) {
                self.tries.insert(page.name(), (TRIES_MAX, now));
                continue;
            }
            let wait = match set_one(receiver, rest, store, page, now).await? {
                Ok(true) => None,
                // The page was accepted, but has no incident there yet; or nobody answers.
                Ok(false) => Some(None),
                Err(Failure::Retry { after, .. }) => Some(after),
                Err(Failure::Dead { reason } | Failure::TakenOver { what: reason }) => {
                    self.say(receiver, page.priority, &reason);
                    None
                }
            };
            let doubled = TimeDelta::seconds(1 << tries.min(5));
            let next = match wait {
                None => (TRIES_MAX, now),
                Some(after) => {
                    let asked = after.and_then(|after| TimeDelta::from_std(after).ok()).unwrap_or_default();
                    (tries + 1, now + doubled.max(asked))
                }
            };
            self.tries.insert(page.name(), next);
            if rest.quiet_for().is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Once for each priority and reason.
    fn say(&mut self, receiver: &Name, priority: Priority, reason: &str) {
        if self.said.len() < 50 && self.said.insert(format!("{priority} {reason}")) {
            tracing::warn!(
                %receiver, %priority, error = reason,
                "PagerDuty does not take the priority; pages go out without it (is there one of this name in the account?)"
            );
        }
    }
}

impl Page {
    fn name(&self) -> (String, Priority) {
        (self.dedup_key.clone(), self.priority)
    }
}

/// False if there is no incident to set it on.
async fn set_one(
    receiver: &Name,
    rest: &PagerDutyRest,
    store: &Store,
    page: &Page,
    now: DateTime<Utc>,
) -> Result<Result<bool, Failure>, StoreError> {
    let found = match rest.find(&page.dedup_key).await {
        Ok(found) => found,
        Err(failure) => return Ok(Err(failure)),
    };
    let mut any = false;
    for incident in found.iter().filter(|incident| incident.status != PagerStatus::Resolved) {
        if let Err(failure) = rest.set_priority(&incident.id, page.priority).await {
            return Ok(Err(failure));
        }
        store.link_pager_incident(receiver, &incident.id, &page.dedup_key, Some(page.priority), now).await?;
        any = true;
    }
    Ok(Ok(any))
}
