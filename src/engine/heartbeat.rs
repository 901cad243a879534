//! The outward heartbeat: somebody else's dead man's switch is told that slod works, and only while it does.
//!
//! It works if its loops move, the store can be written, slots are settled in time and no page is overdue.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::{
    channel::Pulse,
    clock::Clock,
    config::model::{Config, Slo},
    domain::name::{Name, SloId},
    store::Store,
};

/// The decider moves every second, a deliverer every 15 seconds.
const STUCK_AFTER: TimeDelta = TimeDelta::seconds(60);
/// Beyond when a slot could be settled.
const LAG_MAX: TimeDelta = TimeDelta::minutes(2);
/// How long writing one row may take.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// Calls the address while all is well.
pub struct Heartbeat {
    /// What is called.
    pub pulse: Pulse,
    /// How often.
    pub every: Duration,
    /// What is to work.
    pub config: Arc<Config>,
    /// Where it shows whether it does.
    pub board: Arc<Board>,
    /// Whether it can be written.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// When this configuration was put into force: what it asks for first may take its time.
    pub since: DateTime<Utc>,
}

impl Heartbeat {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut said: Option<String> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.every) => {}
            }
            let trouble = self.beat().await;
            match &trouble {
                Some(why) if said.is_none() => tracing::error!(%why, "no heartbeat"),
                None if said.is_some() => tracing::info!("heartbeats again"),
                _ => {}
            }
            said = trouble;
        }
    }

    /// One beat; why there was none.
    async fn beat(&self) -> Option<String> {
        if let Some(why) = self.unwell().await {
            self.board.meters.heartbeat("withheld");
            return Some(why);
        }
        match self.pulse.beat().await {
            Ok(()) => {
                self.board.meters.heartbeat("sent");
                None
            }
            Err(why) => {
                self.board.meters.heartbeat("failed");
                Some(format!("the address that is told does not take it: {why}"))
            }
        }
    }

    /// The first thing that is not well.
    pub async fn unwell(&self) -> Option<String> {
        let now = self.clock.now();
        let trouble = self.board.trouble().or_else(|| self.store.trouble());
        if let Some(why) = trouble {
            return Some(format!("the store cannot be written: {why}"));
        }
        if let Some(why) = self.store.displaced() {
            return Some(why);
        }
        match tokio::time::timeout(WRITE_LIMIT, self.store.touch(now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Some(format!("the store cannot be written: {}", error.text())),
            Err(_) => return Some(format!("the store was not written within {WRITE_LIMIT:?}")),
        }
        if let Some(part) = self.stuck(now) {
            return Some(format!("{part} does not move"));
        }
        if let Some(id) = self.behind(now) {
            return Some(format!("{id}: its newest slot was not settled in time"));
        }
        self.overdue(now).await
    }

    fn stuck(&self, now: DateTime<Utc>) -> Option<String> {
        let is_stuck = |at: Option<DateTime<Utc>>| now - at.unwrap_or(self.since) > STUCK_AFTER;
        let beats = self.board.beats();
        let loops = ["decider", "evaluator"].into_iter().find(|name| is_stuck(beats.get(name).copied()));
        if let Some(name) = loops {
            return Some(format!("the {name}"));
        }
        let stuck = self.config.receivers.keys().find(|receiver| is_stuck(self.board.delivered(receiver)))?;
        Some(format!("the deliverer to {stuck}"))
    }

    /// An SLO of which no series was settled lately.
    fn behind(&self, now: DateTime<Utc>) -> Option<SloId> {
        let mut newest: BTreeMap<SloId, Option<DateTime<Utc>>> = BTreeMap::new();
        for view in self.board.slos() {
            let known = newest.entry(view.id.clone()).or_insert(view.watermark);
            *known = (*known).max(view.watermark);
        }
        let since = |id: &SloId| newest.get(id).copied().flatten().map_or(self.since, |at| at.max(self.since));
        // Of an SLO with `per` nothing is settled before a series of it is seen.
        let mut asked =
            self.config.slos.iter().filter(|(id, slo)| slo.per.is_empty() || matches!(newest.get(id), Some(Some(_))));
        let late = asked.find(|(id, slo)| now - since(id) > lag(slo));
        late.map(|(id, _)| id.clone())
    }

    /// A page that has been waiting for twice the time after which its fallback is told, and nobody was told since.
    async fn overdue(&self, now: DateTime<Utc>) -> Option<String> {
        let waiting = match self.store.waiting_pages().await {
            Ok(waiting) => waiting,
            Err(error) => return Some(format!("the store cannot be read: {}", error.text())),
        };
        let allowed = |receiver: &Name| {
            let after = self.config.receivers.get(receiver).map(|receiver| receiver.fallback_after * 2);
            TimeDelta::from_std(after.unwrap_or_default()).unwrap_or(TimeDelta::minutes(4))
        };
        let late = waiting.into_iter().find(|page| now - page.decided_at > allowed(&page.receiver))?;
        Some(format!("a page of incident {} to {} is overdue", late.incident, late.receiver))
    }
}

/// How old the end of an SLO's newest settled slot may be.
fn lag(slo: &Slo) -> TimeDelta {
    let every = i64::from(slo.spec.every);
    let settle = i64::try_from(slo.spec.settle_ms).unwrap_or(i64::MAX / 4);
    TimeDelta::seconds(every) + TimeDelta::milliseconds(settle) + TimeDelta::seconds(2 * every).max(LAG_MAX)
}
