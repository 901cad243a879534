//! The only task that changes the core's state: one mailbox in, one transaction a batch out.
//!
//! If a transaction cannot be written (full disk, locked file), the decider keeps what it decided, says so, and tries
//! again until it can: nothing is sent before it is written, and nothing that was written is lost. Meanwhile answers
//! wait in the mailbox, and behind it in the tasks that asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot};

use super::board::Board;
use crate::{
    clock::Clock,
    domain::{
        decide::{Core, Decision, Input, Rejected, SeriesKey, Touched},
        incident::{Incident, IncidentEvent},
        ledger::Ledger,
        name::{Name, SloId},
        notification::Event,
        policy::Priority,
        rulebook::Rulebook,
    },
    store::{Store, StoreError, commit::Commit, incidents::state_word, ledger::Definition, outbox::StoredDelivery},
    views::figures::{Shown, slo_view},
};

/// Most orders in one transaction.
const BATCH_MAX: usize = 1_024;
/// Most orders that wait.
pub const MAILBOX_MAX: usize = 16_384;
/// The decider looks around at least this often.
const ROUND: Duration = Duration::from_secs(1);
/// The longest wait between two tries to write.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// What the decider is asked to do.
#[derive(Debug)]
pub enum Order {
    /// An answer of a source, or a sign of life.
    Input(Input),
    /// What a person did; answered when it is written.
    Act {
        /// Which incident.
        incident: String,
        /// What.
        event: IncidentEvent,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), Rejected>>,
    },
    /// Finish what is in the mailbox and end.
    Stop,
    /// Other rules; answered when they are in force.
    Adopt {
        /// The rules, and what else the decider needs of the configuration.
        rules: Box<Ruling>,
        /// Where the answer goes: which incidents it touched.
        reply: oneshot::Sender<Result<Touched, String>>,
    },
}

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
}

/// The decider.
pub struct Decider {
    core: Core,
    ruling: Ruling,
    store: Store,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    inbox: mpsc::Receiver<Order>,
    /// Wakes the deliverers.
    nudge: Arc<tokio::sync::Notify>,
    fallbacks_looked_at: Option<DateTime<Utc>>,
}

impl Decider {
    /// Takes up where the store left off.
    pub async fn start(
        ruling: Ruling,
        store: Store,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        inbox: mpsc::Receiver<Order>,
        nudge: Arc<tokio::sync::Notify>,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let mut core = Core::default();
        for incident in store.live_incidents().await? {
            core.incidents.insert(incident.id.clone(), incident);
        }
        let mut decider = Self { core, ruling, store, board, clock, inbox, nudge, fallbacks_looked_at: None };
        decider.adopt(now).await?;
        decider.core.resume_blind(now);
        decider.publish_all(now);
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
                count = self.inbox.recv_many(&mut orders, BATCH_MAX) => if count == 0 { return },
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
        let mut replies = Vec::new();
        for order in orders.drain(..) {
            match order {
                Order::Stop => {}
                // Nothing rejects what a source says.
                Order::Input(input) => drop(self.core.handle(now, input, &mut decision)),
                Order::Act { incident, event, reply } => {
                    let result = self.core.handle(now, Input::About { incident, event }, &mut decision);
                    replies.push((reply, result));
                }
                Order::Adopt { rules, reply } => {
                    let before = std::mem::replace(&mut self.ruling, *rules);
                    let result = match self.adopt(now).await {
                        Ok(()) => {
                            let touched = self.core.retire(now, &mut decision);
                            self.publish_all(now);
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
        let told = self.fallbacks(now, &mut decision).await;
        self.conclude(now, decision, told).await;
        for (reply, result) in replies {
            let _ = reply.send(result);
        }
    }

    /// Writes a decision, however long it takes, and lets everybody know.
    async fn conclude(&mut self, now: DateTime<Utc>, mut decision: Decision, told: Vec<i64>) {
        loop {
            let commit = self.commit_of(now, &decision, &told);
            let (judged, sends) = (std::mem::take(&mut decision.judged), !commit.outgoing.is_empty());
            let missed = if is_empty(&commit) { Vec::new() } else { self.write(Arc::new(commit), now).await };
            self.core.forget_finished(now);
            for key in &judged {
                self.publish(key, now);
            }
            self.board.publish_sources(&self.core.sources);
            self.board.publish_incidents(count(self.core.incidents.values()));
            if sends {
                self.nudge.notify_waiters();
            }
            if missed.is_empty() {
                return;
            }
            decision = Decision::default();
            for missed in missed {
                let fallback = self.ruling.fallbacks.get(&missed.receiver).and_then(|(name, _)| name.clone());
                if let Some(fallback) = fallback.filter(|_| missed.priority.is_page()) {
                    let why = "the incident was over before this page could be sent".to_owned();
                    let event =
                        IncidentEvent::Undelivered { receiver: missed.receiver, fallback, event: Event::Trigger, why };
                    drop(self.core.handle(now, Input::About { incident: missed.incident, event }, &mut decision));
                }
            }
        }
    }

    async fn write(&self, commit: Arc<Commit>, now: DateTime<Utc>) -> Vec<crate::store::commit::Missed> {
        let mut wait = Duration::from_millis(100);
        loop {
            match self.store.commit(commit.clone(), now).await {
                Ok(missed) => {
                    if self.board.trouble().is_some() {
                        tracing::info!("the store can be written again");
                        self.board.set_trouble(None);
                    }
                    return missed;
                }
                Err(error) => {
                    let text = error.text();
                    if self.board.trouble().as_deref() != Some(&text) {
                        tracing::error!(error = %text, "decisions cannot be written; nothing new is sent until they can");
                    }
                    self.board.set_trouble(Some(text));
                    self.board.beat("decider", self.clock.now());
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
        }
    }

    fn commit_of(&self, now: DateTime<Utc>, decision: &Decision, told: &[i64]) -> Commit {
        let mut commit = Commit { fallback_told: told.to_vec(), ..Commit::default() };
        for (key, chunk) in &decision.chunks {
            let bytes = self
                .core
                .series
                .get(key)
                .and_then(|state| Some((state.ledger.every(), state.ledger.chunk_bytes(*chunk)?.to_vec())));
            if let (Some(id), Some((every, bytes))) = (self.store.series_id(key), bytes) {
                commit.chunks.push((id, every, *chunk, bytes));
            }
        }
        for key in &decision.alerts {
            if let (Some(id), Some(state)) = (self.store.series_id(key), self.core.series.get(key)) {
                let alerts = state.alerts.iter().map(|(watch, alert)| (watch.clone(), *alert)).collect();
                commit.alerts.push((id, alerts));
            }
        }
        let finished = self.core.incidents.values().filter(|incident| incident.is_finished(now));
        let mut changed: BTreeSet<&str> = decision.incidents.iter().map(String::as_str).collect();
        changed.extend(finished.map(|incident| incident.id.as_str()));
        for incident in changed.into_iter().filter_map(|id| self.core.incidents.get(id)) {
            commit.incidents.push((incident.clone(), !incident.is_finished(now)));
        }
        commit.lines.clone_from(&decision.lines);
        commit.outgoing.clone_from(&decision.outgoing);
        commit
    }

    /// Tells the fallbacks of deliveries that are dead, or are pages and have waited too long.
    async fn fallbacks(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Vec<i64> {
        if self.fallbacks_looked_at.is_some_and(|at| now - at < TimeDelta::milliseconds(900) && now >= at) {
            return Vec::new();
        }
        self.fallbacks_looked_at = Some(now);
        let Ok(waiting) = self.store.undelivered(1_000).await else { return Vec::new() };
        let mut told = Vec::new();
        for delivery in waiting {
            let fallback = self.ruling.fallbacks.get(&delivery.receiver);
            let (name, after) = fallback.cloned().unwrap_or((None, TimeDelta::zero()));
            if delivery.state != "dead" && (name.is_none() || delivery.decided_at + after > now) {
                continue;
            }
            told.push(delivery.id);
            self.fall_back(now, delivery, name, decision);
        }
        told
    }

    fn fall_back(
        &mut self,
        now: DateTime<Utc>,
        delivery: StoredDelivery,
        fallback: Option<Name>,
        decision: &mut Decision,
    ) {
        let why = delivery.last_error.unwrap_or_else(|| "no answer yet".to_owned());
        let event = crate::store::outbox::event(&delivery.event).unwrap_or(Event::Update);
        let Some(incident) = delivery.incident else { return };
        tracing::warn!(receiver = %delivery.receiver, %incident, event = event.as_str(), error = %why, "not delivered");
        let event = match fallback {
            Some(fallback) if matches!(event, Event::Trigger | Event::Resolve) => {
                IncidentEvent::Undelivered { receiver: delivery.receiver, fallback, event, why }
            }
            _ => {
                let text = format!("{}: {} not delivered: {why}", delivery.receiver, event.as_str());
                let line = crate::domain::decide::Line { incident, at: now, kind: "undelivered", text };
                decision.lines.push(line);
                return;
            }
        };
        // An incident that is finished has nobody left to tell.
        drop(self.core.handle(now, Input::About { incident, event }, decision));
    }

    /// Puts the ruling in force: numbers for new series, their stored slots and alerts, then the rules.
    async fn adopt(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let rules = self.ruling.rules.clone();
        let wanted = rules.slos.iter().map(|(id, slo)| {
            let definition = Definition {
                since: now,
                hash: self.ruling.definitions.get(id).copied().unwrap_or_default(),
                objective_ppb: crate::domain::slo::BILLION - slo.spec.objective.allowed_ppb(),
                every: slo.spec.every,
            };
            (SeriesKey::whole(id.clone()), definition)
        });
        self.store.enrol(wanted.collect()).await?;
        let known = self.ruling.fallbacks.keys().cloned().collect();
        let orphans = self.store.bury_orphans(known).await?;
        if orphans > 0 {
            tracing::warn!(orphans, "messages to receivers that are no longer configured are given up");
        }
        let mut loaded = Vec::new();
        for (id, slo) in &rules.slos {
            let key = SeriesKey::whole(id.clone());
            let stays = self.core.series.get(&key).is_some_and(|state| state.ledger.is_for(&slo.spec));
            if let (false, Some(number)) = (stays, self.store.series_id(&key)) {
                let mut ledger = Ledger::for_slo(&slo.spec);
                for broken in self.store.load_ledger(number, now.timestamp() - slo.retention, &mut ledger).await? {
                    tracing::error!(slo = %id, error = %broken, "stored slots are left out");
                }
                loaded.push((key, ledger, self.store.load_alerts(number).await?));
            }
        }
        self.core.adopt(rules);
        for (key, ledger, alerts) in loaded {
            if let Some(state) = self.core.series.get_mut(&key) {
                (state.ledger, state.alerts) = (ledger, alerts);
            }
        }
        let rules = self.core.rules.clone();
        self.board.keep(|key| rules.slos.contains_key(&key.id));
        Ok(())
    }

    fn publish_all(&self, now: DateTime<Utc>) {
        for key in self.core.series.keys() {
            self.publish(key, now);
        }
        self.board.publish_sources(&self.core.sources);
        self.board.publish_incidents(count(self.core.incidents.values()));
    }

    fn publish(&self, key: &SeriesKey, now: DateTime<Utc>) {
        let shown = self.ruling.shown.get(&key.id).cloned().unwrap_or_default();
        if let (Some(rules), Some(state)) = (self.core.rules.slos.get(&key.id), self.core.series.get(key)) {
            self.board.publish(key.clone(), slo_view(key, rules, &shown, state, now));
        }
    }
}

fn is_empty(commit: &Commit) -> bool {
    commit.chunks.is_empty()
        && commit.alerts.is_empty()
        && commit.incidents.is_empty()
        && commit.lines.is_empty()
        && commit.outgoing.is_empty()
        && commit.fallback_told.is_empty()
}

fn count<'a>(incidents: impl Iterator<Item = &'a Incident>) -> BTreeMap<(&'static str, Priority), u64> {
    let mut counts = BTreeMap::new();
    for incident in incidents.filter(|incident| incident.resolved.is_none()) {
        *counts.entry((state_word(incident), incident.priority)).or_default() += 1;
    }
    counts
}
