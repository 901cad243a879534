//! What happens to an incident, and what must be done about it.

use chrono::{DateTime, Utc};

use super::{Actor, Hearers};
use crate::domain::{
    diagnostic::Diagnosis,
    escalation::Plan,
    flaps::Burst,
    muting::Mute,
    name::Name,
    notification::{Event, PublicState},
    page_news::PageNews,
    policy::Priority,
    status_page::StatusRule,
};

/// What an incident knows of the world while it handles an event.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The clock's time.
    pub now: DateTime<Utc>,
    /// Who can be told.
    pub hearers: &'a Hearers,
    /// The service's public page, if it has one.
    pub status: Option<&'a StatusRule>,
    /// Nothing is known of the series right now.
    pub blind: bool,
    /// The service has diagnostics to look at.
    pub has_diagnostics: bool,
    /// What mutes its messages right now.
    pub mutes: &'a [Mute],
}

/// What happens to an incident.
#[derive(Clone, Debug)]
pub enum IncidentEvent {
    /// An alert of it fires.
    Fired {
        /// Watch name.
        watch: String,
        /// Its policy.
        policy: Name,
        /// Its urgency.
        priority: Priority,
        /// Who hears, and when.
        plan: Plan,
        /// End of the slot that made it fire.
        at: DateTime<Utc>,
        /// For how long the end is not final, in seconds.
        reopen_within: u32,
        /// Decided later than it was due.
        late: bool,
        /// What made it fire, with the figures.
        because: String,
        /// It goes back and forth.
        flapping: Option<Burst>,
    },
    /// An alert that went back and forth fires, and has done so for long enough.
    Steady {
        /// Watch name.
        watch: String,
    },
    /// An alert of it is over, or everything is good again.
    Ended {
        /// Watch name.
        watch: String,
        /// In which way.
        ending: Ending,
    },
    /// Somebody has it.
    Acknowledge {
        /// Who.
        by: Actor,
    },
    /// Nobody has it any more, though it is not over.
    Unacknowledge {
        /// Who says so.
        by: Actor,
    },
    /// Somebody says it is over.
    Resolve {
        /// Who.
        by: Actor,
    },
    /// Somebody says that it is not over, though a person had ended it.
    Reopen {
        /// Who.
        by: Actor,
        /// Its alerts that fire unheard; the core knows them.
        firing: Vec<String>,
    },
    /// For the record.
    Note {
        /// Who.
        by: Actor,
        /// What.
        text: String,
    },
    /// Post the status page's draft, or drop it.
    StatusDraft {
        /// Who.
        by: String,
        /// Post it.
        approve: bool,
    },
    /// News from the public status page.
    Page(PageNews),
    /// A receiver could not be told in time, or at all: tell its fallback.
    Undelivered {
        /// Who was not told.
        receiver: Name,
        /// Who is told instead.
        fallback: Name,
        /// What it was.
        event: Event,
        /// Why.
        why: String,
    },
    /// A look at its surroundings has come back.
    Diagnosed {
        /// Which one, from 1.
        look: u32,
        /// It was taken well after it was asked for.
        late: bool,
        /// What was found.
        found: Vec<Diagnosis>,
    },
    /// Time has passed.
    Tick,
}

impl IncidentEvent {
    /// The person behind it, and a word for what it is. None for what nobody did.
    pub fn actor(&self) -> Option<(&Actor, &'static str)> {
        match self {
            Self::Acknowledge { by } => Some((by, "acknowledge")),
            Self::Unacknowledge { by } => Some((by, "unacknowledge")),
            Self::Resolve { by } => Some((by, "resolve")),
            Self::Reopen { by, .. } => Some((by, "reopen")),
            Self::Note { by, .. } => Some((by, "note")),
            _ => None,
        }
    }
}

/// In which way an alert of an incident ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its condition is false.
    Cleared,
    /// All is good again; only a window remembers.
    GoodAgain,
    /// It was on the budget of a calendar period that has ended.
    NewPeriod,
    /// Its series is gone: answers do not name it any more.
    Gone,
    /// It does not fire right now, but goes back and forth: the incident stays open.
    Flapping(Burst),
    /// It went back and forth, and has been quiet for long enough.
    Quiet,
    /// Nobody watches it any more: what was taken out of the configuration.
    TakenOut(String),
}

/// What must be done about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// Tell a receiver.
    Tell {
        /// Whom.
        receiver: Name,
        /// What it means.
        event: Event,
        /// Which opening's key (pagers).
        opening: u32,
        /// Why.
        reason: String,
        /// Later than it was due.
        late: bool,
    },
    /// A receiver said itself that this opening is over: it is told only if something is still on its way to it,
    /// which would open it again.
    Settle {
        /// Whom.
        receiver: Name,
        /// Which opening's key.
        opening: u32,
        /// Why.
        reason: String,
    },
    /// Post to the public status page.
    Post(PublicState),
    /// A line for the timeline.
    Line {
        /// opened, fired, cleared, told, acknowledged, note, resolved, …
        kind: &'static str,
        /// In words.
        text: String,
    },
    /// Keep what was found.
    Diagnosed(Vec<Diagnosis>),
    /// Silence these alerts until each has cleared once.
    Mute(Vec<String>),
}

/// Why an action makes no sense now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("incident {0} is resolved already")]
    Resolved(String),
    /// It is about how things were: the incident has opened again, or changed hands since.
    #[error("incident {0} has changed since")]
    Stale(String),
    /// More came from outside than is believed.
    #[error("incident {0} has heard of too many events")]
    TooMany(String),
    /// Nothing waits for approval.
    #[error("incident {0} has no status-page draft to approve or discard")]
    NoDraft(String),
}
