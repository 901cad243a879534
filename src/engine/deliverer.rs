//! Sends what is due: lease, send, finish. One task a receiver, so that none blocks another.
//!
//! Takes no hint about what changed: a nudge, the timer and a restart all run the same path.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::{
    channel::{Delivery, Outcome, SharedChannel},
    clock::Clock,
    domain::{
        delivery::{Attempted, Next, next},
        name::Name,
    },
    store::{Store, StoreError, outbox::Lease},
};

/// Longest attempt.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// Longer than twice the longest attempt.
const LEASE_SECONDS: i64 = 75;
/// Attempts to one receiver at a time.
const BATCH_MAX: u32 = 32;
/// A deliverer looks around at least this often.
const ROUND: Duration = Duration::from_secs(15);

/// Delivers to one receiver until it is told to stop; what is in flight then is finished.
pub struct Deliverer {
    /// To whom.
    pub receiver: Name,
    /// How.
    pub channel: SharedChannel,
    /// Where from.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where attempts are counted.
    pub board: Arc<Board>,
    /// Rung when something was queued.
    pub nudge: Arc<Notify>,
}

impl Deliverer {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            // Listening starts before looking: what is queued in between rings.
            let nudged = self.nudge.notified();
            tokio::pin!(nudged);
            nudged.as_mut().enable();
            let wait = match self.drain_once(&stop).await {
                Ok(0) => self.until_due().await,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    tracing::error!(receiver = %self.receiver, error = %error.text(), "the outbox cannot be read");
                    Duration::from_secs(2)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = nudged => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn until_due(&self) -> Duration {
        match self.store.next_due(&self.receiver).await {
            Ok(Some(at)) => {
                (at - self.clock.now()).to_std().unwrap_or_default().clamp(Duration::from_millis(20), ROUND)
            }
            Ok(None) => ROUND,
            Err(_) => Duration::from_secs(2),
        }
    }

    /// Makes every attempt that is due, and returns how many there were.
    pub async fn drain_once(&self, stop: &CancellationToken) -> Result<usize, StoreError> {
        let mut flying = FuturesUnordered::new();
        let mut attempts = 0;
        loop {
            let room = BATCH_MAX.saturating_sub(flying.len() as u32);
            if room > BATCH_MAX / 2 && !stop.is_cancelled() {
                let leases = self.store.lease(&self.receiver, self.clock.now(), LEASE_SECONDS, room).await?;
                attempts += leases.len();
                flying.extend(leases.into_iter().map(|lease| self.attempt(lease)));
            }
            match flying.next().await {
                Some(result) => result?,
                None => return Ok(attempts),
            }
        }
    }

    async fn attempt(&self, lease: Lease) -> Result<(), StoreError> {
        let Lease { id, incident, message, thread, attempt, decided_at } = lease;
        let delivery = Delivery { id, message, thread, attempt };
        let outcome = tokio::time::timeout(SEND_LIMIT, self.channel.deliver(&delivery))
            .await
            .unwrap_or_else(|_| Outcome::Retry { reason: format!("no answer within {SEND_LIMIT:?}"), after: None });
        let now = self.clock.now();
        let (attempted, receipt, error, word) = match outcome {
            Outcome::Accepted { receipt } => (Attempted::Accepted, Some(receipt), None, "accepted"),
            Outcome::Retry { reason, after } => (Attempted::Later(after), None, Some(reason), "retry"),
            Outcome::Dead { reason } => (Attempted::Never, None, Some(reason), "dead"),
        };
        let next = next(attempted, attempt, decided_at, now, id as u64);
        let latency = (next == Next::Sent).then(|| (now - decided_at).num_milliseconds() as f64 / 1_000.0);
        self.board.meters.delivery(&self.receiver, word, latency);
        match &error {
            None => tracing::info!(receiver = %self.receiver, incident, delivery = id, attempt, "delivered"),
            Some(error) => {
                tracing::warn!(receiver = %self.receiver, incident, delivery = id, attempt, %error, ?next, "not accepted");
            }
        }
        // If this write fails the lease runs out and the delivery is sent again: at least once, never lost.
        self.store.finish(id, next, receipt, error, now).await
    }
}
