//! Asks about every slot when it is due, and keeps an ear on the sources.
//!
//! A slot of a source is asked about `settle` after its end; a probe is sent at its slot's start, spread over the first
//! tenth by a stable offset. At the start the last ended slot is asked at once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    board::Board,
    mailbox::{Order, Orders},
    maintenance::Maintenance,
    traffic::Traffic,
};
use crate::{
    clock::{Clock, Stopwatch},
    config::model::{Config, Indicator, Slo, Source, SourceKind},
    domain::{
        decide::Input,
        name::{Name, SloId},
        slot::{Gap, Reading, Span},
    },
    source::{Answer, Question, SharedSource, SourceError, probe::Prober},
};

/// Wakes at least this often, so that a jump of the clock is noticed.
const ROUND: Duration = Duration::from_secs(1);
/// A clock that goes back by less is being disciplined, not set.
const CLOCK_SLACK_MS: i64 = 2_000;
/// Limit of questions to a source that names none.
const LIMIT: Duration = Duration::from_secs(30);

/// Asks until it is told to stop.
pub struct Evaluator {
    /// What to ask.
    pub config: Arc<Config>,
    /// Whom.
    pub sources: BTreeMap<Name, SharedSource>,
    /// For probes.
    pub prober: Arc<Prober>,
    /// Where the answers go.
    pub orders: Orders,
    /// What is not asked about.
    pub maintenance: Arc<Maintenance>,
    /// Where questions are counted.
    pub board: Arc<Board>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where live questions are counted while they are asked.
    pub traffic: Arc<Traffic>,
}

/// One SLO's place in the queue.
struct Asked {
    id: SloId,
    every: u32,
    settle_ms: i64,
    /// The source that is asked; none for a probe.
    source: Option<Name>,
    /// How long a probe may take.
    needed_ms: i64,
    offset_ms: i64,
}

impl Asked {
    fn new(id: &SloId, slo: &Slo) -> Self {
        let digest = Sha256::digest(id.to_string().as_bytes());
        let spread = i64::from(slo.spec.every) * 100;
        let number = digest.iter().take(6).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
        let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Self {
            id: id.clone(),
            every: slo.spec.every,
            settle_ms: i64::try_from(slo.spec.settle_ms).unwrap_or(i64::MAX / 4),
            source: slo.indicator.source().cloned(),
            needed_ms: milliseconds(limit(slo, None)),
            offset_ms: number % spread.max(1),
        }
    }

    fn is_probe(&self) -> bool {
        self.source.is_none()
    }

    /// When slot `index` is asked about, in Unix milliseconds.
    fn due_ms(&self, index: i64) -> i64 {
        let span = Span::slot(index, self.every);
        if self.is_probe() { span.start * 1_000 + self.offset_ms } else { span.end * 1_000 + self.settle_ms }
    }

    /// The newest slot that is due at `now_ms`.
    fn newest_due(&self, now_ms: i64) -> i64 {
        let every = i64::from(self.every) * 1_000;
        let due_at_zero = self.due_ms(0);
        (now_ms - due_at_zero).div_euclid(every)
    }

    /// The slot to begin with: the newest due one; for a probe the running one, if there is time left for it.
    fn first(&self, now_ms: i64) -> i64 {
        if !self.is_probe() {
            return self.newest_due(now_ms);
        }
        let running = now_ms.div_euclid(i64::from(self.every) * 1_000);
        let left = Span::slot(running, self.every).end * 1_000 - now_ms;
        if left > self.needed_ms { running } else { running + 1 }
    }
}

/// Due time, place in the list, slot: the earliest first.
type Queue = BinaryHeap<Reverse<(i64, usize, i64)>>;

/// Everything that is to be asked next. The first slot of each is asked at once, whenever it was due.
fn queue_at(asked: &[Arc<Asked>], now_ms: i64) -> Queue {
    let first = |(at, one): (usize, &Arc<Asked>)| {
        let slot = one.first(now_ms);
        let soonest = now_ms.max(Span::slot(slot, one.every).start * 1_000);
        Reverse((one.due_ms(slot).min(soonest), at, slot))
    };
    asked.iter().enumerate().map(first).collect()
}

impl Evaluator {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let gates = self.gates();
        let this = Arc::new(self);
        for (name, source) in &this.sources {
            tokio::spawn(this.clone().listen(name.clone(), source.clone(), stop.clone()));
        }
        let asked: Vec<Arc<Asked>> = this.config.slos.iter().map(|(id, slo)| Arc::new(Asked::new(id, slo))).collect();
        let mut before_ms = this.clock.now().timestamp_millis();
        let mut queue = queue_at(&asked, before_ms);
        loop {
            let now = this.clock.now();
            this.board.beat("evaluator", now);
            let now_ms = now.timestamp_millis();
            if now_ms < before_ms.saturating_sub(CLOCK_SLACK_MS) {
                tracing::warn!(
                    milliseconds = before_ms - now_ms,
                    "the clock was set back: slots are taken up from there"
                );
                queue = queue_at(&asked, now_ms);
            }
            before_ms = now_ms;
            while let Some(Reverse((_, at, slot))) = queue.peek().copied().filter(|Reverse((due, ..))| *due <= now_ms) {
                queue.pop();
                let one = &asked[at];
                // After a jump or a long sleep only the newest is asked; those between stay unmeasured.
                let slot = slot.max(one.newest_due(now_ms));
                let gate = one.source.as_ref().and_then(|name| gates.get(name)).cloned();
                tokio::spawn(this.clone().ask_in_turn(one.clone(), slot, gate, stop.clone()));
                queue.push(Reverse((one.due_ms(slot + 1), at, slot + 1)));
            }
            let next = queue.peek().map_or(i64::MAX, |Reverse((due, ..))| *due);
            let wait = Duration::from_millis(u64::try_from(next.saturating_sub(now_ms)).unwrap_or_default()).min(ROUND);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// How many questions of each source are under way or wait at the source itself; all others wait here, where they
    /// cost next to nothing.
    fn gates(&self) -> BTreeMap<Name, Arc<Semaphore>> {
        let width = |kind: &SourceKind| match kind {
            SourceKind::Prometheus(prometheus) => prometheus.max_concurrency,
            SourceKind::Postgres(postgres) => postgres.connections as usize,
            SourceKind::Pingdom { .. } => 1,
        };
        let gate = |(name, source): (&Name, &Source)| {
            let permits = width(&source.kind).saturating_mul(2).clamp(2, Semaphore::MAX_PERMITS);
            (name.clone(), Arc::new(Semaphore::new(permits)))
        };
        self.config.sources.iter().map(gate).collect()
    }

    /// Asks when it is this slot's turn, or says that it never was before the next slot.
    async fn ask_in_turn(
        self: Arc<Self>,
        one: Arc<Asked>,
        slot: i64,
        gate: Option<Arc<Semaphore>>,
        stop: CancellationToken,
    ) {
        let _asking = one.source.as_ref().map(|name| self.traffic.begin(name));
        let span = Span::slot(slot, one.every);
        let answer = async {
            let Some(gate) = gate else { return Box::pin(self.read(&one, span)).await };
            let patience = Duration::from_secs(u64::from(one.every));
            // What waits is small; only what is asked is large.
            if let Ok(Ok(_permit)) = tokio::time::timeout(patience, gate.acquire_owned()).await {
                return Box::pin(self.read(&one, span)).await;
            }
            let why = format!("not asked for {patience:?}: too many questions wait for this source");
            Answer::all(Reading::Unmeasured(Gap::NoAnswer(why)))
        };
        let answer = tokio::select! {
            () = stop.cancelled() => return,
            answer = answer => answer,
        };
        self.settle(&one, slot, span, answer).await;
    }

    async fn settle(&self, one: &Asked, slot: i64, span: Span, answer: Answer) {
        let now = self.clock.now();
        let lag = (now.timestamp_millis() - span.end * 1_000) as f64 / 1_000.0;
        let newest = answer.slots.iter().filter(|answer| answer.slot == slot).map(|answer| answer.reading.state());
        let states: Vec<_> = newest.collect();
        for state in if states.is_empty() { vec![answer.absent.state()] } else { states } {
            self.board.meters.slot(&one.id.service, &one.id.slo, state, lag);
        }
        let Answer { slots, absent, degraded } = answer;
        let asked = slot..slot + 1;
        self.send(Input::Settled { id: one.id.clone(), asked, slots, absent, degraded, late: false }).await;
    }

    async fn read(&self, one: &Asked, span: Span) -> Answer {
        if self.maintenance.excludes(&one.id, span) {
            return Answer::all(Reading::Excluded);
        }
        let Some(slo) = self.config.slos.get(&one.id) else {
            return Answer::all(Reading::Unmeasured(Gap::NotAsked));
        };
        if let Indicator::Probe(probe) = &slo.indicator {
            let now = self.clock.now();
            let left = Duration::from_millis(u64::try_from(span.end * 1_000 - now.timestamp_millis()).unwrap_or(0));
            let whole = Duration::from_secs(u64::from(one.every)) * 9 / 10;
            let room = limit(slo, None).max(whole.min(left));
            let result = self.prober.check(probe, now.timestamp(), room).await;
            let failed = matches!(result.reading, Reading::Events { good, .. } if good == 0.0);
            return Answer { degraded: failed.then_some(result.detail), ..Answer::all(result.reading) };
        }
        let Some(name) = &one.source else {
            return Answer::all(Reading::Unmeasured(Gap::NotAsked));
        };
        let Some(source) = self.sources.get(name) else {
            return Answer::all(Reading::Unmeasured(Gap::NoAnswer(format!("source `{name}` is not built"))));
        };
        let limit = limit(slo, self.config.sources.get(name).map(|source| &source.kind));
        let watch = Stopwatch::start();
        let question = Question::of(slo, &self.config.daemon);
        let result = source.read(question, span, limit).await;
        self.heard(name, result.as_ref().err(), watch.elapsed()).await;
        let result =
            result.map(|answer| Answer { degraded: answer.degraded.map(|why| format!("degraded: {why}")), ..answer });
        result.unwrap_or_else(|error| {
            tracing::warn!(slo = %one.id, source = %name, %error, "slot not measured");
            Answer::all(Reading::Unmeasured(Gap::NoAnswer(error.to_string())))
        })
    }

    async fn heard(&self, source: &Name, error: Option<&SourceError>, took: Duration) {
        let outcome = match error {
            None => "ok",
            Some(SourceError::Timeout(_)) => "timeout",
            Some(SourceError::Refused(_)) => "refused",
            Some(_) => "error",
        };
        self.board.meters.query(source, outcome, took);
        self.board.heard(source, self.clock.now(), took.as_secs_f64());
        let error = error.filter(|error| error.is_blinding()).map(ToString::to_string);
        self.send(Input::Heard { source: source.clone(), error }).await;
    }

    /// Makes sure that a source is asked something often enough to notice that it does not answer.
    async fn listen(self: Arc<Self>, name: Name, source: SharedSource, stop: CancellationToken) {
        let Some(settings) = self.config.sources.get(&name) else { return };
        let every = (settings.blind_after / 3).clamp(Duration::from_millis(250), Duration::from_mins(1));
        let limit = limit_of(&settings.kind).min(every.max(Duration::from_secs(1)));
        loop {
            let silent = self.board.heard_at(&name).is_none_or(|at: DateTime<Utc>| {
                self.clock.now() - at >= TimeDelta::from_std(every).unwrap_or(TimeDelta::minutes(1))
            });
            if silent {
                let watch = Stopwatch::start();
                let result = source.ping(limit).await;
                self.heard(&name, result.as_ref().err(), watch.elapsed()).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every / 2) => {}
            }
        }
    }

    async fn send(&self, input: Input) {
        // The decider outlives the evaluator; if it is gone, so is the daemon.
        let _ = self.orders.send(Order::Input(input)).await;
    }
}

fn limit(slo: &Slo, kind: Option<&SourceKind>) -> Duration {
    match (&slo.indicator, kind) {
        (Indicator::Probe(probe), _) => probe.timeout,
        (_, Some(kind)) => limit_of(kind),
        (_, None) => LIMIT,
    }
}

/// The longest wait for one answer of a source. A statement's time-out is the server's; the way there and back is ours.
pub fn limit_of(kind: &SourceKind) -> Duration {
    match kind {
        SourceKind::Prometheus(prometheus) => prometheus.timeout,
        SourceKind::Postgres(postgres) => postgres.statement_timeout + Duration::from_secs(5),
        SourceKind::Pingdom { .. } => LIMIT,
    }
}
