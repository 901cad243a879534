//! The only task that changes the core's state: one mailbox in, one transaction a batch out.
//!
//! If a transaction cannot be written (full disk, locked file), the decider keeps what it decided, says so, and tries
//! again until it can: nothing is sent before it is written, and nothing that was written is lost. Meanwhile answers
//! wait in the mailbox, and behind it in the tasks that asked.

mod adopting;
mod enrolling;
mod fallbacks;
mod loading;
mod publishing;
mod recording;
mod silencing;
mod wording;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use self::fallbacks::Told;
use super::{
    board::Board,
    mailbox::{Mailbox, Order},
    planned::{Outlook, PlannedWork},
};
use crate::{
    clock::Clock,
    domain::{
        decide::{Core, Decision, Input},
        name::{Name, SloId},
        rulebook::Rulebook,
    },
    failpoint::{Point, reach},
    store::{Store, StoreError, commit::Commit},
    template::Templates,
    views::figures::Shown,
};

/// The decider looks around at least this often.
const ROUND: Duration = Duration::from_secs(1);
/// The longest wait between two tries to write.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// The configuration as the decider needs it.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// What is decided by.
    pub rules: Arc<Rulebook>,
    /// What is shown beside each SLO's counts.
    pub shown: BTreeMap<SloId, Shown>,
    /// Names each SLO's definition.
    pub definitions: BTreeMap<SloId, u32>,
    /// Every receiver there is, its fallback, and how long a page may be undelivered.
    pub fallbacks: BTreeMap<Name, (Option<Name>, TimeDelta)>,
    /// Receivers that can be told what wakes nobody.
    pub readers: BTreeSet<Name>,
    /// What people wrote for messages to say.
    pub templates: Arc<Templates>,
    /// When messages are muted because work is planned.
    pub planned: Arc<PlannedWork>,
}

/// The decider.
pub struct Decider {
    core: Core,
    ruling: Ruling,
    store: Store,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    inbox: Mailbox,
    /// Wakes the deliverers.
    nudge: Arc<tokio::sync::Notify>,
    fallbacks_looked_at: Option<DateTime<Utc>>,
    /// When orders were prepared last; none since the store was read.
    last_round: Option<DateTime<Utc>>,
    /// What is known of planned work to come.
    outlook: Outlook,
}

impl Decider {
    /// Takes up where the store left off.
    pub async fn start(
        ruling: Ruling,
        store: Store,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        inbox: Mailbox,
        nudge: Arc<tokio::sync::Notify>,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let mut core = Core::default();
        for incident in store.live_incidents().await? {
            core.incidents.insert(incident.id.clone(), incident);
        }
        core.heard = store.heard_events().await?;
        let silences = store.live_silences(now).await?;
        let mut decider = Self {
            core,
            ruling,
            store,
            board,
            clock,
            inbox,
            nudge,
            fallbacks_looked_at: None,
            last_round: None,
            outlook: Outlook::default(),
        };
        decider.adopt(now).await?;
        let planned = decider.outlook.renew(&decider.ruling.planned, now.timestamp());
        decider.core.resume_mutes(now, silences, planned.unwrap_or_default());
        reach(Point::StartRead);
        decider.core.resume_blind(now);
        decider.publish_all(now).await;
        Ok(decider)
    }

    /// Runs until it is told to stop, or the mailbox is closed.
    pub async fn run(mut self) {
        let mut orders = Vec::new();
        loop {
            let now = self.clock.now();
            let wake = self.core.wake_at().map_or(ROUND, |at| (at - now).to_std().unwrap_or_default().min(ROUND));
            tokio::select! {
                biased;
                are_more = self.inbox.take(&mut orders) => if !are_more { return },
                () = tokio::time::sleep(wake) => {}
            }
            let last = orders.iter().any(|order| matches!(order, Order::Stop));
            self.round(&mut orders).await;
            if last {
                return;
            }
        }
    }

    /// One batch: decide, write, answer, publish.
    async fn round(&mut self, orders: &mut Vec<Order>) {
        let now = self.clock.now();
        self.board.beat("decider", now);
        let mut decision = Decision::default();
        let (mut replies, mut filled, mut silenced) = (Vec::new(), Vec::new(), Vec::new());
        self.prepare(orders, now).await;
        if !orders.is_empty() {
            reach(Point::EscalateTaken);
        }
        self.look_ahead(now, &mut decision);
        for order in orders.drain(..) {
            match order {
                Order::Stop => {}
                // Nothing rejects what a source says.
                Order::Input(input) => self.take(now, input, &mut decision).await,
                Order::Fill { input, done } => {
                    self.take(now, input, &mut decision).await;
                    filled.push(done);
                }
                Order::Act { incident, event, reply } => {
                    let result = self.core.handle(now, Input::About { incident, event }, &mut decision);
                    replies.push((reply, result));
                }
                Order::Correct { key, correction, reply } => {
                    let result = self.correct(now, key, correction, &mut decision).await;
                    replies.push((reply, result));
                }
                Order::Silence { silence, preview, reply } => {
                    let scope = self.silence(now, *silence, preview, &mut decision);
                    silenced.push((reply, scope));
                }
                Order::Unsilence { id, by, reply } => {
                    let result = self.core.handle(now, Input::Unsilence { id, by }, &mut decision);
                    replies.push((reply, result));
                }
                Order::Adopt { rules, reply } => {
                    let before = std::mem::replace(&mut self.ruling, *rules);
                    let result = match self.adopt(now).await {
                        Ok(()) => {
                            let touched = self.core.retire(now, &mut decision);
                            self.outlook = Outlook::default();
                            self.look_ahead(now, &mut decision);
                            self.publish_all(now).await;
                            Ok(touched)
                        }
                        Err(error) => {
                            self.ruling = before;
                            Err(error.text())
                        }
                    };
                    // The one who asked may have gone away.
                    let _ = reply.send(result);
                }
            }
        }
        drop(self.core.handle(now, Input::Tick, &mut decision));
        reach_if(&decision, Point::EscalateDecided);
        let told = self.heard_of_deliveries(now, &mut decision).await;
        reach_if(&decision, Point::EscalateFallbacks);
        self.conclude(now, decision, told).await;
        let acted = !replies.is_empty();
        for (reply, result) in replies {
            let _ = reply.send(result);
        }
        if acted {
            reach(Point::CommitReplied);
        }
        for (reply, scope) in silenced {
            let _ = reply.send(scope);
        }
        for done in filled {
            let _ = done.send(());
        }
    }

    /// Writes a decision, however long it takes, and lets everybody know.
    async fn conclude(&mut self, now: DateTime<Utc>, mut decision: Decision, told: Told) {
        self.enrol_new(now, &decision).await;
        reach_if(&decision, Point::CommitEnrolled);
        self.put_into_words(&mut decision);
        self.compose_records(now, &mut decision).await;
        reach_if(&decision, Point::CommitRecorded);
        let commit = self.commit_of(now, &decision, told);
        let (judged, histories) = (std::mem::take(&mut decision.judged), std::mem::take(&mut decision.histories));
        let sends = !(commit.outgoing.is_empty() && commit.settled.is_empty() && commit.postings.is_empty());
        let missed = if commit.is_empty() { Vec::new() } else { self.write(Arc::new(commit), now).await };
        reach_if(&decision, Point::CommitAnswered);
        if !missed.is_empty() {
            // Whose fallback hears of it stands in the rows, for whoever comes after us too.
            self.fallbacks_looked_at = None;
        }
        self.core.forget_finished(now);
        for id in &histories {
            self.publish_history(id);
        }
        self.publish_whole(judged.clone(), now).await;
        self.tend(&judged).await;
        self.publish_rest();
        reach_if(&decision, Point::CommitPublished);
        if sends {
            self.nudge.notify_waiters();
            reach(Point::CommitNudged);
        }
    }

    async fn write(&self, commit: Arc<Commit>, now: DateTime<Utc>) -> Vec<crate::store::commit::Missed> {
        self.persist(|| self.store.commit(commit.clone(), now)).await
    }

    /// Tries to write until it can be done.
    async fn persist<T, F>(&self, write: impl Fn() -> F + Send) -> T
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let mut wait = Duration::from_millis(100);
        loop {
            match write().await {
                Ok(written) => {
                    if self.board.trouble().is_some() {
                        tracing::info!("the store can be written again");
                        self.board.set_trouble(None);
                    }
                    return written;
                }
                Err(error) => {
                    let text = error.text();
                    if self.board.trouble().as_deref() != Some(&text) {
                        tracing::error!(error = %text, "decisions cannot be written; nothing new is sent until they can");
                    }
                    self.board.set_trouble(Some(text));
                    self.store.suspect(&error);
                    self.board.beat("decider", self.clock.now());
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
        }
    }

    fn commit_of(&mut self, now: DateTime<Utc>, decision: &Decision, told: Told) -> Commit {
        let Told { fallbacks: fallback_told, posts: page_told, postings } = told;
        let mut commit = Commit { fallback_told, postings, page_told, ..Commit::default() };
        for (key, chunk) in &decision.chunks {
            let bytes = self
                .core
                .series
                .get(key)
                .and_then(|state| Some((state.ledger.every(), state.ledger.chunk_bytes(*chunk)?)));
            if let (Some(id), Some((every, bytes))) = (self.store.series_id(key), bytes) {
                commit.chunks.push((id, every, *chunk, bytes));
            }
        }
        for key in decision.chunks.iter().map(|(key, _)| key).collect::<BTreeSet<_>>() {
            if let (Some(id), Some(state)) = (self.store.series_id(key), self.core.series.get_mut(key)) {
                let every = state.ledger.every();
                commit.sums.extend(state.ledger.take_sums().map(|sums| (id, every, sums)));
            }
        }
        for id in &decision.histories {
            commit.histories.extend(self.core.histories.get(id).map(|history| (id.clone(), history.clone())));
        }
        for key in &decision.alerts {
            // A series that is gone has none.
            let alerts = self.core.series.get(key).into_iter().flat_map(|state| &state.alerts);
            let alerts = alerts.map(|(watch, alert)| (watch.clone(), alert.clone())).collect();
            commit.alerts.extend(self.store.series_id(key).map(|id| (id, alerts)));
        }
        for (key, correction) in &decision.corrections {
            commit.corrections.extend(self.store.series_id(key).map(|id| (id, correction.clone())));
        }
        let finished = self.core.incidents.values().filter(|incident| self.core.is_done(incident, now));
        let mut changed: BTreeSet<&str> = decision.incidents.iter().map(String::as_str).collect();
        changed.extend(finished.map(|incident| incident.id.as_str()));
        for incident in changed.into_iter().filter_map(|id| self.core.incidents.get(id)) {
            commit.incidents.push((incident.clone(), !self.core.is_done(incident, now)));
        }
        commit.diagnoses.clone_from(&decision.diagnoses);
        commit.silences.clone_from(&decision.silences);
        commit.lines.clone_from(&decision.lines);
        commit.outgoing.clone_from(&decision.outgoing);
        commit.settled.clone_from(&decision.settled);
        commit.source_events.clone_from(&decision.source_events);
        commit
    }
}

/// Only a decision that says something is worth a kill.
fn reach_if(decision: &Decision, point: Point) {
    if !decision.outgoing.is_empty() {
        reach(point);
    }
}
