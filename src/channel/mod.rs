//! Ways out: one channel per kind of receiver. A channel makes one attempt and answers a closed
//! [`Outcome`]; when to try again is decided elsewhere, by one pure table.

mod alertmanager;
mod answer;
mod build;
mod decision_log;
mod email;
mod instatus;
pub mod pagerduty;
mod public_page;
mod pulse;
mod signature;
pub mod slack;
mod statuspage;
mod text;
mod webhook;

#[cfg(test)]
mod samples;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt, ready};

pub use answer::{Failure, Limits};
pub use build::{ChannelError, build};
pub use decision_log::{build_all, is_log};
pub use pulse::Pulse;

use crate::domain::notification::{Message, Notification};

/// One message to one receiver, with what the receiver answered to earlier ones of the same incident.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The outbox row: stable over retries.
    pub id: i64,
    /// What to say.
    pub message: Message,
    /// The receipt of this incident's first accepted message to this receiver (a Slack `ts`, a Statuspage id):
    /// what to thread under or to update. None for the first.
    pub thread: Option<String>,
    /// 1 for the first attempt. Above 1 an earlier one may have arrived although no answer came.
    pub attempt: u32,
    /// When this attempt is made.
    pub now: DateTime<Utc>,
}

/// What a receiver was last told of an incident.
#[derive(Clone, Debug)]
pub struct Told {
    /// The words.
    pub notification: Notification,
    /// What the receiver answered.
    pub receipt: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted. The receipt names it at the vendor's (dedup key, `ts`, incident id, Message-ID).
    Accepted {
        /// The vendor's name for it.
        receipt: String,
    },
    /// Not accepted, but may be later.
    Retry {
        /// Why: the vendor's own word, without secrets.
        reason: String,
        /// How long the vendor asked us to wait.
        after: Option<Duration>,
    },
    /// Will never be accepted as it is.
    Dead {
        /// Why: the vendor's own word, without secrets.
        reason: String,
    },
    /// Not made: a person has changed on a public page what slod left there.
    TakenOver {
        /// What was changed, in words.
        what: String,
    },
}

/// A way to reach one receiver.
pub trait Channel: Send + Sync {
    /// Makes one attempt.
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome>;

    /// Asks the vendor whether the credentials are good, without sending a message. `Ok` says what was learned,
    /// or that it cannot be asked without sending.
    fn verify(&self) -> BoxFuture<'_, Result<String, String>>;

    /// What a person has changed on a public page since the post with this receipt; none if nothing, or if this is no
    /// such page.
    fn changed<'a>(&'a self, _receipt: &'a str) -> BoxFuture<'a, Result<Option<String>, String>> {
        ready(Ok(None)).boxed()
    }

    /// How often everything that lasts must be told again; none for receivers that remember.
    fn repeats(&self) -> Option<Duration> {
        None
    }

    /// Tells again what was told. An error names what did not take it; the others did.
    fn repeat<'a>(&'a self, _told: &'a [Told], _now: DateTime<Utc>) -> BoxFuture<'a, Result<(), String>> {
        ready(Ok(())).boxed()
    }
}

/// A channel that can be shared.
pub type SharedChannel = Arc<dyn Channel>;
