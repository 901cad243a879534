//! Asks about the past: what was before the first start, and what was missed while slod or a source was away.
//!
//! The newest missing slots of all SLOs come first, in questions that hold as many slots as the source takes. A question
//! about the past waits while live ones are asked of the same source, and a source that fails is left alone until it
//! answers live questions again. What is missing is kept by the decider, in the transaction that writes what was found:
//! a fill goes on where it stopped, whatever was killed.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    board::Board,
    evaluator::limit_of,
    mailbox::{Order, Orders},
    maintenance::Maintenance,
    traffic::Traffic,
};
use crate::{
    clock::{Clock, Stopwatch},
    config::model::{Config, Slo, SourceKind},
    domain::{
        decide::Input,
        history::History,
        name::{Name, SloId},
        slot::{Reading, Span},
    },
    source::{Answer, Question, SharedSource, SourceError},
};

/// How often it is looked for new work.
const ROUND: Duration = Duration::from_millis(500);
/// Slots of the first question about an SLO's past; each answer doubles it twice, up to what the source takes.
const FIRST_SLOTS: i64 = 240;
/// How long an SLO whose past cannot be asked about is left alone.
const PAUSE: TimeDelta = TimeDelta::minutes(5);
/// How long an SLO is left alone whose source could not be reached.
const SHORT_PAUSE: TimeDelta = TimeDelta::seconds(1);
/// How long an SLO is left alone whose source does not know of a slot yet.
const NOT_YET_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// The least time that a question about many slots may take.
const LIMIT: Duration = Duration::from_mins(1);
/// Most SLOs that are picked at a time: what is missed meanwhile waits behind them.
const AGENDA_MAX: usize = 128;
/// Most questions about the past at once, for each source.
const WORKERS_MAX: usize = 4;

/// Fills histories until it is told to stop.
pub struct Backfill {
    /// What to ask.
    pub config: Arc<Config>,
    /// Whom.
    pub sources: BTreeMap<Name, SharedSource>,
    /// Where the answers go.
    pub orders: Orders,
    /// What is missing, and where it is said what goes wrong.
    pub board: Arc<Board>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// When planned work is left out.
    pub maintenance: Arc<Maintenance>,
    /// The live questions, which go first.
    pub traffic: Arc<Traffic>,
}

/// What an answer left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing.
    All,
    /// The source does not know of all slots yet.
    NotYet,
}

/// How an SLO's past is being asked about.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Slots of the next question.
    slots: i64,
    /// Being asked right now.
    busy: bool,
    /// Not before then.
    until: DateTime<Utc>,
}

/// What is to be asked of one source.
#[derive(Debug, Default)]
struct Agenda {
    /// Of all SLOs.
    paces: BTreeMap<SloId, Pace>,
    /// Who is next: the newest missing slots first.
    next: VecDeque<SloId>,
    /// When that was looked for.
    looked_at: Option<DateTime<Utc>>,
}

impl Backfill {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let this = Arc::new(self);
        for (name, source) in &this.sources {
            let mine = |(id, slo): (&SloId, &Slo)| (slo.indicator.source() == Some(name)).then(|| id.clone());
            let slos: Vec<SloId> = this.config.slos.iter().filter_map(mine).collect();
            let slowest = DateTime::<Utc>::MIN_UTC;
            let pace = Pace { slots: FIRST_SLOTS, busy: false, until: slowest };
            let paces = slos.into_iter().map(|id| (id, pace)).collect();
            let agenda = Arc::new(Mutex::new(Agenda { paces, ..Agenda::default() }));
            for _ in 0..this.workers(name) {
                tokio::spawn(this.clone().work(name.clone(), source.clone(), agenda.clone(), stop.clone()));
            }
        }
        stop.cancelled().await;
    }

    fn workers(&self, name: &Name) -> usize {
        match self.config.sources.get(name).map(|source| &source.kind) {
            Some(SourceKind::Prometheus(prometheus)) => (prometheus.max_concurrency / 2).clamp(1, WORKERS_MAX),
            _ => 1,
        }
    }

    async fn work(
        self: Arc<Self>,
        name: Name,
        source: SharedSource,
        agenda: Arc<Mutex<Agenda>>,
        stop: CancellationToken,
    ) {
        while !stop.is_cancelled() {
            let Some((id, slots)) = self.claim(&name, &source, &agenda) else {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(ROUND) => continue,
                }
            };
            let asked = async {
                self.traffic.calm(&name).await;
                self.fill(&name, &source, &id, slots).await
            };
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = asked => outcome,
            };
            self.release(&source, &agenda, &id, outcome);
        }
    }

    /// The SLO with the newest missing slots, and which of them to ask about.
    fn claim(&self, name: &Name, source: &SharedSource, agenda: &Mutex<Agenda>) -> Option<(SloId, Range<i64>)> {
        if self.board.sources().get(name).is_some_and(|state| state.failing_since.is_some()) {
            return None;
        }
        let now = self.clock.now();
        let mut agenda = lock(agenda);
        loop {
            if agenda.next.is_empty() && !self.look(&mut agenda, now) {
                return None;
            }
            let id = agenda.next.pop_front()?;
            if let Some(slots) = self.slots(source, agenda.paces.get_mut(&id), &id, now) {
                return Some((id, slots));
            }
        }
    }

    /// Puts those on the agenda that miss the newest slots. Not more often than it may have changed: there may be many.
    fn look(&self, agenda: &mut Agenda, now: DateTime<Utc>) -> bool {
        if agenda.looked_at.is_some_and(|at| at <= now && (now - at).to_std().is_ok_and(|since| since < ROUND)) {
            return false;
        }
        agenda.looked_at = Some(now);
        let free = agenda.paces.iter().filter(|(_, pace)| !pace.busy && pace.until <= now);
        let mut missing: Vec<(i64, &SloId)> = self
            .board
            .with_histories(|histories| free.filter_map(|(id, _)| Some((end(histories.get(id)?)?, id))).collect());
        missing.sort_unstable_by_key(|(end, _)| std::cmp::Reverse(*end));
        agenda.next = missing.into_iter().take(AGENDA_MAX).map(|(_, id)| id.clone()).collect();
        true
    }

    /// Which of an SLO's missing slots to ask about now.
    fn slots(
        &self,
        source: &SharedSource,
        pace: Option<&mut Pace>,
        id: &SloId,
        now: DateTime<Utc>,
    ) -> Option<Range<i64>> {
        let pace = pace.filter(|pace| !pace.busy && pace.until <= now)?;
        let reach = source.reach(Question::of(self.config.slos.get(id)?, &self.config.daemon));
        if reach < 1 {
            pace.until = DateTime::<Utc>::MAX_UTC;
            return None;
        }
        let history = self.board.history(id)?;
        let slots = history.newest(pace.slots.min(reach))?;
        pace.busy = true;
        Some(self.alike(id, history.every(), slots))
    }

    /// The newest of these slots that are all left out of the budget, or all not.
    fn alike(&self, id: &SloId, every: u32, slots: Range<i64>) -> Range<i64> {
        let excluded = self.maintenance.slots(id, every, slots.clone());
        let newest = excluded.contains(&(slots.end - 1));
        let other = slots.clone().rev().find(|slot| excluded.contains(slot) != newest);
        other.map_or(slots.start, |other| other + 1)..slots.end
    }

    /// Asks, and waits until what was found is written.
    async fn fill(
        &self,
        name: &Name,
        source: &SharedSource,
        id: &SloId,
        asked: Range<i64>,
    ) -> Result<Known, SourceError> {
        let Some(slo) = self.config.slos.get(id) else { return Ok(Known::All) };
        let every = slo.spec.every;
        let span = Span { start: asked.start * i64::from(every), end: asked.end * i64::from(every) };
        let Answer { slots, absent, degraded } = if self.maintenance.excludes(id, span) {
            Answer::all(Reading::Excluded)
        } else {
            let limit = self.config.sources.get(name).map_or(LIMIT, |source| limit_of(&source.kind).max(LIMIT));
            let watch = Stopwatch::start();
            let answer = source.read(Question::of(slo, &self.config.daemon), span, limit).await;
            self.board.meters.query(name, if answer.is_ok() { "ok" } else { "error" }, watch.elapsed());
            answer?
        };
        let known = if slots.iter().any(|answer| answer.reading.is_open()) { Known::NotYet } else { Known::All };
        self.board.meters.filled(&id.service, &id.slo, asked.end - asked.start);
        let input = Input::Settled { id: id.clone(), asked, slots, absent, degraded, late: true };
        let (done, written) = oneshot::channel();
        // The decider outlives this; if it is gone, so is the daemon.
        if self.orders.send(Order::Fill { input, done }).await.is_ok() {
            let _ = written.await;
        }
        Ok(known)
    }

    fn release(&self, source: &SharedSource, agenda: &Mutex<Agenda>, id: &SloId, outcome: Result<Known, SourceError>) {
        let (Some(slo), now) = (self.config.slos.get(id), self.clock.now()) else { return };
        let reach = source.reach(Question::of(slo, &self.config.daemon)).max(1);
        let mut agenda = lock(agenda);
        let Some(pace) = agenda.paces.get_mut(id) else { return };
        pace.busy = false;
        if matches!(outcome, Ok(Known::NotYet)) {
            pace.until = now + NOT_YET_PAUSE;
        }
        let trouble = outcome.err().map(|error| {
            let is_large =
                matches!(error, SourceError::Timeout(_) | SourceError::TooLarge(_) | SourceError::Refused(_));
            if is_large && pace.slots > 1 {
                pace.slots = (pace.slots.min(reach) / 4).max(1);
            } else if is_large {
                pace.until = now + PAUSE;
            } else {
                // The live questions will tell when it answers again.
                pace.until = now + SHORT_PAUSE;
            }
            error.to_string()
        });
        if trouble.is_none() {
            pace.slots = pace.slots.saturating_mul(4).min(reach);
        }
        let before = self.board.fill_trouble(id);
        if let Some(error) = trouble.as_ref().filter(|trouble| before.as_ref() != Some(trouble)) {
            tracing::warn!(slo = %id, %error, "its past cannot be asked about; it is tried again");
        }
        if before != trouble {
            self.board.set_fill_trouble(id, trouble);
        }
    }
}

/// When the newest missing slot ends, in Unix seconds.
fn end(history: &History) -> Option<i64> {
    history.newest(1).map(|slots| slots.end * i64::from(history.every()))
}

fn lock(agenda: &Mutex<Agenda>) -> std::sync::MutexGuard<'_, Agenda> {
    agenda.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
