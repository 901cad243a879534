//! The core: one [`Input`] in, one [`Decision`] out. The same inputs always give the same decisions, live, in a
//! scenario and in a replay; `now` is one of them.
//!
//! A decision lists everything that changed, so that the store can write it in one transaction: chunks of slots,
//! alerts, incidents, lines of their timelines, and messages. Nothing is sent before that transaction is through.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{
    alert::Alert,
    budget::Tally,
    correction::{Correction, TooMuch},
    diagnostic::Diagnosis,
    history::History,
    incident::{Incident, IncidentEvent, Refused},
    ledger::Ledger,
    muting::Work,
    name::{Name, Series, SloId},
    notification::{Event, Message, PublicState},
    policy::Priority,
    record::RecordRule,
    rulebook::Rulebook,
    silence::{Silence, Unwanted},
    slot::{Reading, SlotAnswer},
};

mod asking;
mod correcting;
mod gone;
mod judging;
mod people;
mod records;
mod reload;
mod settling;
mod silencing;
mod sources;
mod voice;

use self::settling::Settling;
pub use self::{
    people::{HeardEvents, SourceEvent},
    reload::Touched,
    settling::gap_words,
};

/// Most corrections of one series.
const CORRECTIONS_MAX: usize = 1_000;

/// Which series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Its SLO.
    pub id: SloId,
    /// Its labels; empty without `per`.
    pub series: Series,
}

impl SeriesState {
    /// A series of which nothing but slots is known.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, alerts: BTreeMap::new(), corrections: Vec::new(), absences: 0, fault: None }
    }

    /// What its sums are made of.
    pub fn tally(&self) -> Tally<'_> {
        Tally { ledger: &self.ledger, corrections: &self.corrections }
    }
}

impl SeriesKey {
    /// The only series of an SLO without `per`.
    pub fn whole(id: SloId) -> Self {
        Self { id, series: Series::new() }
    }
}

/// Everything known of one series.
#[derive(Clone, Debug)]
pub struct SeriesState {
    /// Its slots.
    pub ledger: Ledger,
    /// Its alerts, by watch name.
    pub alerts: BTreeMap<String, Alert>,
    /// What people corrected, in the order it was made.
    pub corrections: Vec<Correction>,
    /// Answers in a row that did not name it, for an SLO with `per`.
    pub absences: u32,
    /// What was wrong with the newest answer, in words.
    pub fault: Option<String>,
}

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Failing since then, without a good answer in between.
    pub failing_since: Option<DateTime<Utc>>,
    /// The newest good answer.
    pub last_success: Option<DateTime<Utc>>,
    /// The newest failure.
    pub last_failure: Option<DateTime<Utc>>,
    /// In words.
    pub last_error: Option<String>,
    /// Failing for so long that it has an incident.
    pub blind: bool,
}

/// What happens to the core.
#[derive(Clone, Debug)]
pub enum Input {
    /// Slots were asked about, live or after the fact.
    Settled {
        /// Of which SLO.
        id: SloId,
        /// Which slots.
        asked: Range<i64>,
        /// What came back. Slots before `asked` may be among them, never later ones.
        slots: Vec<SlotAnswer>,
        /// What holds for a slot that was asked about, of a series that is known, if it is not among `slots`.
        absent: Reading,
        /// What the source warned of.
        degraded: Option<String>,
        /// Whether they were asked about after the fact.
        late: bool,
    },
    /// A source answered, or did not.
    Heard {
        /// Which.
        source: Name,
        /// The error, in words.
        error: Option<String>,
    },
    /// Something happened to an incident from outside.
    About {
        /// Its id.
        incident: String,
        /// What.
        event: IncidentEvent,
    },
    /// A person corrected what was counted.
    Correct {
        /// Of which series.
        key: SeriesKey,
        /// How.
        correction: Correction,
    },
    /// A person asks for quiet.
    Silence(Box<Silence>),
    /// A person ends a silence early.
    Unsilence {
        /// Its id.
        id: String,
        /// Who.
        by: String,
    },
    /// The planned work of the time to come, all of it.
    Planned(Vec<Work>),
    /// Time has passed.
    Tick,
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Of which incident.
    pub incident: String,
    /// To whom.
    pub receiver: Name,
    /// What it means.
    pub event: Event,
    /// How urgent.
    pub priority: Priority,
    /// What a pager joins it by.
    pub dedup_key: String,
    /// The words.
    pub message: Message,
}

impl Outgoing {
    /// The incident, and what its public page is to say of it, if this is for the public.
    pub fn posted(&self) -> Option<(String, PublicState)> {
        match &self.message {
            Message::StatusPost(post) => Some((self.incident.clone(), post.state)),
            Message::Notification(_) | Message::Bulletin(_) | Message::Record(_) => None,
        }
    }
}

/// A line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which incident.
    pub incident: String,
    /// When.
    pub at: DateTime<Utc>,
    /// opened, fired, told, …
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

/// Everything that one or more inputs changed.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// SLOs of which other slots are missing than before.
    pub histories: BTreeSet<SloId>,
    /// Chunks with new slots.
    pub chunks: BTreeSet<(SeriesKey, i64)>,
    /// Corrections, in order.
    pub corrections: Vec<(SeriesKey, Correction)>,
    /// Series whose alerts are not as they are stored.
    pub alerts: BTreeSet<SeriesKey>,
    /// Series whose figures are new.
    pub judged: BTreeSet<SeriesKey>,
    /// Series that could not be judged because chunks are missing, and whether slots came in behind the newest: see
    /// [`Core::judge_again`].
    pub starved: BTreeMap<SeriesKey, bool>,
    /// Slots that were not taken because their chunks are missing. The shell loads them before.
    pub unplaced: BTreeSet<(SeriesKey, i64)>,
    /// Incidents that changed.
    pub incidents: BTreeSet<String>,
    /// New silences, and those that were ended early.
    pub silences: Vec<Silence>,
    /// In order.
    pub lines: Vec<Line>,
    /// What was found at incidents, by id.
    pub diagnoses: Vec<(String, Vec<Diagnosis>)>,
    /// In order.
    pub outgoing: Vec<Outgoing>,
    /// Resolves for receivers that said so themselves: to be sent only after what is still on its way to them.
    pub settled: Vec<Outgoing>,
    /// Events of sources that were taken, in order.
    pub source_events: Vec<SourceEvent>,
    /// Incidents that are over for good, and where that is recorded. The shell composes the records.
    pub records: Vec<(String, RecordRule)>,
}

/// An input that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// No such incident is open.
    #[error("no incident `{0}`")]
    NoIncident(String),
    /// No such series is known.
    #[error("no series of `{0}`")]
    NoSeries(SloId),
    /// It was corrected too often.
    #[error("`{0}` has {CORRECTIONS_MAX} corrections already")]
    TooMany(SloId),
    /// It takes away what was never counted.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// No such silence is active.
    #[error("no active silence `{0}`")]
    NoSilence(String),
    /// The silence makes no sense.
    #[error(transparent)]
    Unwanted(#[from] Unwanted),
    /// It is in no state for that.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The whole state that decisions are made from.
#[derive(Clone, Debug, Default)]
pub struct Core {
    /// What is decided by.
    pub rules: Arc<Rulebook>,
    /// What is still to be asked about, by SLO; none for what cannot be asked about the past.
    pub histories: BTreeMap<SloId, History>,
    /// By series.
    pub series: BTreeMap<SeriesKey, SeriesState>,
    /// By id: those that something can still happen to.
    pub incidents: BTreeMap<String, Incident>,
    /// By name.
    pub sources: BTreeMap<Name, SourceState>,
    /// What live incidents have heard of from sources of people's acts.
    pub heard: HeardEvents,
    /// By id: those that are not over.
    pub silences: BTreeMap<String, Silence>,
    /// The planned work of the time to come.
    pub planned: Vec<Work>,
    edge: silencing::Edge,
}

impl Core {
    /// An empty one.
    pub fn new(rules: Arc<Rulebook>) -> Self {
        let mut core = Self::default();
        core.adopt(rules);
        core
    }

    /// When it wants a [`Input::Tick`].
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        let incidents = self.incidents.values().filter_map(Incident::wake_at);
        let blind = self
            .sources
            .iter()
            .filter(|(_, state)| !state.blind)
            .filter_map(|(name, state)| Some(state.failing_since? + self.rules.sources.get(name)?.blind_after));
        incidents.chain(blind).chain(self.next_record()).chain(self.edge.next).min()
    }

    /// Takes one input; adds what it changed to `decision`.
    pub fn handle(&mut self, now: DateTime<Utc>, input: Input, decision: &mut Decision) -> Result<(), Rejected> {
        match input {
            Input::Settled { id, asked, slots, absent, degraded, late } => {
                self.settle(now, &id, &Settling { asked, slots, absent, degraded, late }, decision);
                Ok(())
            }
            Input::Heard { source, error } => {
                self.heard(now, &source, error, decision);
                Ok(())
            }
            Input::About { incident, event } => self.about(now, &incident, event, decision),
            Input::Correct { key, correction } => self.correct(now, key, correction, decision),
            Input::Silence(silence) => self.silence(now, *silence, decision),
            Input::Unsilence { id, by } => self.unsilence(now, &id, by, decision),
            Input::Planned(planned) => {
                self.planned = planned;
                self.look_at_mutes(now, decision);
                Ok(())
            }
            Input::Tick => {
                self.tick(now, decision);
                Ok(())
            }
        }
    }

    fn tick(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        self.blind_sources(now, decision);
        self.turn_mutes(now, decision);
        let is_due = |incident: &&Incident| incident.wake_at().is_some_and(|at| at <= now) || incident.is_ahead_of(now);
        let due = self.incidents.values().filter(is_due);
        for id in due.map(|incident| incident.id.clone()).collect::<Vec<_>>() {
            self.tell_surely(now, &id, IncidentEvent::Tick, decision);
        }
        self.record_finished(now, decision);
    }

    /// Forgets incidents that nothing can happen to any more. They stay in the store.
    pub fn forget_finished(&mut self, now: DateTime<Utc>) {
        let done: Vec<String> =
            self.incidents.values().filter(|one| self.is_done(one, now)).map(|one| one.id.clone()).collect();
        for id in done {
            self.incidents.remove(&id);
        }
        self.heard.retain(|id, _| self.incidents.contains_key(id));
        self.forget_silences(now);
    }
}

/// Unix seconds as an instant; the ends of time for what lies outside it.
pub fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(if seconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}
