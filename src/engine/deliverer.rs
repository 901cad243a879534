//! Sends what is due: lease, send, finish. One task a receiver, so that none blocks another.
//!
//! Takes no hint about what changed: a nudge, the timer and a restart all run the same path.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, StreamExt, stream::FuturesUnordered};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::{
    channel::{Delivery, Outcome, SharedChannel},
    clock::Clock,
    domain::{
        delivery::{Attempted, Next, next},
        digest::Rate,
        name::Name,
    },
    failpoint::{Point, reach},
    store::{
        Store, StoreError,
        attempts::Attempt,
        joining::{Taken, Turn},
        leasing::Urgency,
        outbox::Lease,
    },
};

/// Longest attempt.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// Longer than twice the longest attempt.
const LEASE_SECONDS: i64 = 75;
/// Attempts to one receiver at a time.
const BATCH_MAX: u32 = 64;
/// While more is due than fits, so many places are filled at a time: a look at the queue for each of them would cost more
/// than the sending.
const HANDFUL: u32 = 32;
/// The wait for a handful of places; after it, fewer will do.
const HANDFUL_WAIT: Duration = Duration::from_millis(5);
/// The wait after an error of the store.
const TROUBLE: Duration = Duration::from_secs(2);
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
    /// How many messages the receiver wants; any number if it does not say.
    pub pace: Option<Pace>,
}

/// A receiver's `max_rate`.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// So many in that time.
    pub rate: Rate,
    /// What is over it is never joined, and P1 and P2 are not held up at all: a pager.
    pub is_pager: bool,
}

impl Deliverer {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut flying = FuturesUnordered::new();
        let (mut troubled, mut more, mut rung) = (false, false, false);
        while !stop.is_cancelled() {
            self.board.delivering(&self.receiver, self.clock.now());
            // Listening starts before looking: what is queued in between rings.
            let nudged = self.nudge.notified();
            tokio::pin!(nudged);
            nudged.as_mut().enable();
            let room = BATCH_MAX.saturating_sub(flying.len() as u32);
            // What has just been queued may be more urgent than all that waits: any place will do for it.
            let wait = if room == 0 {
                ROUND
            } else if more && room < HANDFUL && !rung {
                HANDFUL_WAIT
            } else {
                match self.take_meanwhile(room, &mut flying).await {
                    Ok((leases, wait)) => {
                        more = leases.len() as u32 == room;
                        flying.extend(leases.into_iter().map(|lease| self.attempt(lease)));
                        troubled = false;
                        wait
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut troubled, true) {
                            tracing::error!(receiver = %self.receiver, error = %error.text(), "nothing can be taken from the outbox");
                        }
                        TROUBLE
                    }
                }
            };
            // A message that hangs does not hold up those of other incidents.
            rung = tokio::select! {
                () = stop.cancelled() => false,
                () = nudged => true,
                // Outcomes are written together, and so become known together.
                Some(()) = flying.next() => {
                    while flying.next().now_or_never().flatten().is_some() {}
                    false
                }
                () = tokio::time::sleep(wait) => true,
            };
        }
        while flying.next().await.is_some() {}
    }

    /// [`Self::take`], while outcomes of what is under way are written: they share its transaction.
    async fn take_meanwhile(
        &self,
        room: u32,
        flying: &mut FuturesUnordered<impl Future<Output = ()>>,
    ) -> Result<(Vec<Lease>, Duration), StoreError> {
        let taken = self.take(room);
        tokio::pin!(taken);
        loop {
            tokio::select! {
                taken = &mut taken => return taken,
                Some(()) = flying.next() => {}
            }
        }
    }

    /// Leases up to `room` deliveries that are due, and answers when to look again.
    async fn take(&self, room: u32) -> Result<(Vec<Lease>, Duration), StoreError> {
        let now = self.clock.now();
        let (taken, urgency) = match self.pace {
            None => {
                let leases = self.store.lease(&self.receiver, now, LEASE_SECONDS, room).await?;
                (Taken { leases, ..Taken::default() }, Urgency::Any)
            }
            Some(pace) => self.paced(pace, now, room).await?,
        };
        if !taken.leases.is_empty() {
            reach(Point::LeaseAnswered);
        }
        // If all places are taken, the next one that becomes free is soon enough.
        if taken.leases.len() as u32 == room {
            return Ok((taken.leases, ROUND));
        }
        // What the rate holds up is not due before the rate lets it through.
        let due = match taken.held_until {
            Some(until) if urgency == Urgency::Any => Some(until),
            held => self.store.next_due_of(&self.receiver, urgency).await?.into_iter().chain(held).min(),
        };
        if !taken.leases.is_empty() {
            reach(Point::LeaseLooked);
        }
        let until = |at: DateTime<Utc>| (at - self.clock.now()).to_std().unwrap_or_default();
        let wait = due.map_or(ROUND, |at| until(at).clamp(Duration::from_millis(20), ROUND));
        Ok((taken.leases, wait))
    }

    /// What the rate lets through, and which messages are not held up if it holds up any.
    async fn paced(&self, pace: Pace, now: DateTime<Utc>, room: u32) -> Result<(Taken, Urgency), StoreError> {
        let turn = Turn { receiver: self.receiver.clone(), now, seconds: LEASE_SECONDS, room, rate: pace.rate };
        let store = &self.store;
        let taken = if pace.is_pager { store.lease_paced(turn).await? } else { store.lease_joined(turn).await? };
        if taken.joined > 0 {
            tracing::info!(receiver = %self.receiver, messages = taken.joined, rate = %pace.rate, "joined into one");
            self.board.meters.joined(&self.receiver, taken.joined);
        }
        let urgency = if pace.is_pager && taken.held_until.is_some() { Urgency::Pages } else { Urgency::Any };
        Ok((taken, urgency))
    }

    /// One attempt in a task of its own: a fault in it ends neither this deliverer nor the daemon.
    async fn send(&self, delivery: Delivery) -> Outcome {
        let (channel, id) = (self.channel.clone(), delivery.id);
        let task = tokio::spawn(async move {
            tokio::time::timeout(SEND_LIMIT, channel.deliver(&delivery))
                .await
                .unwrap_or_else(|_| Outcome::Retry { reason: format!("no answer within {SEND_LIMIT:?}"), after: None })
        });
        task.await.unwrap_or_else(|fault| {
            tracing::error!(receiver = %self.receiver, delivery = id, %fault, "a fault in slod itself while sending");
            Outcome::Retry { reason: "internal fault".to_owned(), after: None }
        })
    }

    async fn attempt(&self, lease: Lease) {
        let started = self.clock.now();
        let lease_ends = started + TimeDelta::seconds(LEASE_SECONDS);
        let Lease { id, incident, message, thread, attempt, decided_at } = lease;
        let delivery = Delivery { id, message, thread, attempt, now: started };
        reach(Point::SendBegun);
        let outcome = self.send(delivery).await;
        reach(Point::SendEnded);
        let now = self.clock.now();
        let (attempted, receipt, error, word) = match outcome {
            Outcome::Accepted { receipt } => (Attempted::Accepted, Some(receipt), None, "accepted"),
            Outcome::Retry { reason, after } => (Attempted::Later(after), None, Some(reason), "retry"),
            Outcome::Dead { reason } => (Attempted::Never, None, Some(reason), "dead"),
            Outcome::TakenOver { what } => (Attempted::TakenOver, None, Some(what), "taken-over"),
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
        // What was accepted is not sent twice because the disk was full for a while. If it cannot be written before the
        // lease runs out, the delivery is sent again: at least once, never lost.
        let attempt = Attempt { error, receipt, ..Attempt::new(attempt, started, now, &next) };
        while let Err(trouble) = self.store.finish(id, next.clone(), attempt.clone()).await {
            tracing::warn!(receiver = %self.receiver, delivery = id, error = %trouble.text(), "the outcome cannot be written");
            if self.clock.now() + TimeDelta::seconds(10) > lease_ends {
                return;
            }
            tokio::time::sleep(TROUBLE).await;
        }
        reach(Point::FinishAnswered);
    }
}
