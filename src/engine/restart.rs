//! slod is back: once things have been looked at again, the chats and mails that its absence concerned are told, once.
//!
//! What is told, and to whom, is decided in [`crate::domain::restart`]. That somebody is still to be told is kept in the store
//! until the messages are in the outbox: killed before that, the next start tells it.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use super::{board::Board, rulebook::rulebook};
use crate::{
    clock::{Clock, Stopwatch},
    config::model::{Config, ReceiverKind},
    domain::{
        decide::SeriesKey,
        incident::{Incident, Subject},
        notification::Message,
        restart::Return,
    },
    store::{Posting, Store, StoreError, life::Away},
};

/// Away for less is not worth a word.
pub const WORTH_A_WORD: TimeDelta = TimeDelta::minutes(5);
/// How often slod notes that it is alive.
pub const BEAT: Duration = Duration::from_mins(1);
/// How long the newest slots of what is open are waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Steps that became due are run by then.
const LEAST: Duration = Duration::from_secs(3);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);
/// The wait after an error of the store.
const TROUBLE: Duration = Duration::from_secs(5);

/// What is needed to tell of it.
pub struct Comeback {
    /// When slod was away.
    pub away: Away,
    /// Where incidents are, and where messages go.
    pub store: Store,
    /// Where it shows that slots are settled again.
    pub board: Arc<Board>,
    /// Who can be told.
    pub config: Arc<ArcSwap<Config>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Wakes the deliverers.
    pub nudge: Arc<Notify>,
}

impl Comeback {
    /// Looks at what was open, waits until that has been judged again, and tells it.
    pub async fn tell(self) {
        let before = loop {
            match self.store.live_incidents().await {
                Ok(incidents) => break incidents,
                Err(error) => self.trouble(&error).await,
            }
        };
        let watch = Stopwatch::start();
        let is_caught_up = || watch.elapsed() > LEAST && before.iter().all(|incident| self.is_judged(incident));
        while watch.elapsed() < PATIENCE && !is_caught_up() {
            tokio::time::sleep(LOOK).await;
        }
        loop {
            match self.queue(&before).await {
                Ok(told) => {
                    let Away { from, to } = self.away;
                    tracing::info!(%from, %to, told, "was away");
                    return self.nudge.notify_waiters();
                }
                Err(StoreError::Closed) => return,
                Err(error) => self.trouble(&error).await,
            }
        }
    }

    async fn trouble(&self, error: &StoreError) {
        tracing::error!(error = %error.text(), "what was missed while slod was away is not told yet");
        tokio::time::sleep(TROUBLE).await;
    }

    /// Whether a slot was settled since, of the series that the incident is about.
    fn is_judged(&self, incident: &Incident) -> bool {
        let Subject::Slo { id, series } = &incident.subject else { return true };
        let view = self.board.slo(&SeriesKey { id: id.clone(), series: series.clone() });
        let settled = |at: DateTime<Utc>| at > self.away.from;
        incident.resolved.is_some() || view.is_none_or(|view| view.watermark.is_some_and(settled))
    }

    /// Queues the messages. Answers how many there are.
    async fn queue(&self, before: &[Incident]) -> Result<usize, StoreError> {
        let mut incidents = Vec::new();
        for incident in before {
            incidents.extend(self.store.incident(&incident.id).await?);
        }
        let now = self.clock.now();
        let config = self.config.load_full();
        let mut rules = rulebook(&config);
        // It takes alerts, and nothing else.
        let takes_words = |kind: &ReceiverKind| !matches!(kind, ReceiverKind::Alertmanager { .. });
        rules.hearers.retain(|name, _| config.receivers.get(name).is_some_and(|known| takes_words(&known.kind)));
        let Away { from, to } = self.away;
        let back =
            Return { from, to, incidents: &incidents, hearers: &rules.hearers, external_url: &rules.external_url, now };
        let posting = |(receiver, bulletin): (_, crate::domain::bulletin::Bulletin)| Posting {
            receiver,
            event: bulletin.kind.event(),
            key: "restart".to_owned(),
            message: Message::Bulletin(Box::new(bulletin)),
        };
        let postings: Vec<Posting> = back.bulletins().into_iter().map(posting).collect();
        let told = postings.len();
        self.store.tell_of_return(postings, now).await?;
        Ok(told)
    }
}
