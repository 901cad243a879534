//! Tells receivers that forget again what lasts: alerts that would lapse.
//!
//! What lasts is read from the store each time, so a restart goes on where the daemon before it stopped. A round that
//! failed somewhere is repeated soon, to everybody: hearing it twice does no harm.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::{
    channel::{SharedChannel, Told},
    clock::Clock,
    domain::{name::Name, notification::Phase},
    store::{Store, StoreError},
};

/// After a round that did not reach everybody.
const AGAIN: Duration = Duration::from_secs(10);
/// An end is told again for this long.
const END_LASTS: TimeDelta = TimeDelta::minutes(5);
/// Most incidents told of in one round.
const STANDING_MAX: i64 = 10_000;

/// Repeats for one receiver.
pub struct Keeper {
    /// To whom.
    pub receiver: Name,
    /// How.
    pub channel: SharedChannel,
    /// How often.
    pub every: Duration,
    /// Where it is read what was told.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Keeper {
    /// Runs until `stop`. The first round is at once: nobody knows how long slod was away.
    pub async fn run(self, stop: CancellationToken) {
        let mut troubled = false;
        loop {
            let result = self.round().await;
            if let Err(error) = &result
                && !troubled
            {
                tracing::warn!(receiver = %self.receiver, %error, "what lasts could not be told again everywhere");
            }
            troubled = result.is_err();
            let wait = if troubled { AGAIN.min(self.every) } else { self.every };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn round(&self) -> Result<(), String> {
        let told = self.lasting().await.map_err(|error| error.text())?;
        if told.is_empty() { Ok(()) } else { self.channel.repeat(&told, self.clock.now()).await }
    }

    /// What is told again: open incidents, and ends that are young. Of an incident that is over without its end having
    /// been taken nothing is said any more; it lapses.
    async fn lasting(&self) -> Result<Vec<Told>, StoreError> {
        let now = self.clock.now();
        let standing = self.store.standing(&self.receiver, now - END_LASTS, STANDING_MAX).await?;
        let lasts = standing.into_iter().filter(|standing| {
            let ended = standing.notification.phase == Phase::Resolved;
            if ended { now - standing.sent_at <= END_LASTS } else { !standing.is_over }
        });
        Ok(lasts
            .map(|standing| Told {
                notification: standing.notification,
                receipt: standing.receipt,
                at: standing.sent_at,
            })
            .collect())
    }
}
