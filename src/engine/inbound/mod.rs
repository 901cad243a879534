//! What people do where messages went to: signed calls come in, are held against their secrets, and reach the decider as
//! acts like any other. An answer says that it is written, or that it has nothing to do with us.

mod attribution;
mod pagerduty;
mod slack;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, oneshot};

use super::{
    board::Board,
    mailbox::{Order, Orders},
};
use crate::{
    clock::{Clock, Stopwatch},
    config::model::Config,
    domain::{decide::Rejected, incident::IncidentEvent},
    store::{Store, StoreError},
    views::inbound::{Call, Caller, Reception},
};

/// How long an answer may take: PagerDuty gives up after 5 s, Slack after 3.
const PAGERDUTY_LIMIT: Duration = Duration::from_secs(4);
const SLACK_LIMIT: Duration = Duration::from_millis(2_500);
/// Calls that are turned away are said at most so often.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// What the tasks need that take and look for acts of people.
pub struct Parts {
    /// The running configuration.
    pub config: Arc<ArcSwap<Config>>,
    /// What is stored.
    pub store: Store,
    /// Where calls are counted.
    pub board: Arc<Board>,
    /// The way to the decider.
    pub orders: Orders,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Takes acts of people from outside.
pub struct Inbound {
    pub(super) parts: Parts,
    /// Rung when a call was kept.
    pub(super) kept: Notify,
    said: Mutex<BTreeMap<&'static str, Said>>,
}

/// When calls of one caller that were turned away were last said, and how many came since.
#[derive(Clone, Copy)]
struct Said {
    since: Stopwatch,
    untold: u64,
}

/// Why an act has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The store cannot be read or written.
    #[error("the store cannot be used")]
    Store(#[from] StoreError),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

impl Inbound {
    /// Contacts nobody.
    pub fn new(parts: Parts) -> Self {
        Self { parts, kept: Notify::new(), said: Mutex::default() }
    }

    /// Takes one call. Ends within 4 s.
    pub async fn receive(&self, call: &Call<'_>) -> Reception {
        let reception = match call.caller {
            Caller::Pagerduty => tokio::time::timeout(PAGERDUTY_LIMIT, self.pagerduty_called(call)).await,
            Caller::Slack => tokio::time::timeout(SLACK_LIMIT, self.slack_called(call)).await,
        };
        let reception = reception.unwrap_or(Reception::Unavailable);
        self.parts.board.meters.webhook(call.caller.word(), reception.word());
        if reception.refusal().is_some() {
            self.say(call.caller, reception);
        }
        reception
    }

    /// Hands an act to the decider; answers when it is written.
    pub(super) async fn act(&self, incident: String, event: IncidentEvent) -> Result<Result<(), Rejected>, Lost> {
        let (reply, answer) = oneshot::channel();
        self.parts.orders.send(Order::Act { incident, event, reply }).await.map_err(|_| Lost::Stopping)?;
        answer.await.map_err(|_| Lost::Stopping)
    }

    /// Says that calls are turned away: the first at once, then at most one line a minute.
    fn say(&self, caller: Caller, reception: Reception) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let known = said.get(caller.word()).copied();
        if let Some(before) = known.filter(|before| before.since.elapsed() < SAID_EVERY) {
            said.insert(caller.word(), Said { untold: before.untold + 1, ..before });
            return;
        }
        let untold = known.map_or(0, |before| before.untold);
        said.insert(caller.word(), Said { since: Stopwatch::start(), untold: 0 });
        let why = reception.refusal().map_or("", |(_, why)| why);
        tracing::warn!(caller = caller.word(), outcome = reception.word(), untold, "a call was turned away: {why}");
    }
}
