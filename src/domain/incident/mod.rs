//! One incident: the alerts of one series (or one blind source) from the first page to the last word.
//!
//! A machine of data: alerts, people and time reach it as one [`IncidentEvent`]; what must be said comes out as
//! [`Say`]s, in order. It never reads a clock, never sends, and says itself when it wants to be woken ([`Incident::wake_at`]).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    escalation::Step,
    flaps::Burst,
    name::{Name, Series, SloId},
    notification::Phase,
    policy::Priority,
    status_page::StatusClock,
};

mod actor;
mod clock;
mod course;
mod event;
mod looks;
mod muting;
mod page;
mod people;
mod reminding;
mod steps;
mod telling;

pub use self::{
    actor::{Actor, Via},
    event::{Around, Ending, IncidentEvent, Refused, Say},
    looks::Looks,
    muting::{Held, Muted, MutedBy},
    reminding::Reminder,
};

/// What an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// One series of an SLO.
    Slo {
        /// Which SLO.
        id: SloId,
        /// Which series.
        series: Series,
    },
    /// A source that does not answer.
    Source(Name),
}

/// The kind of receiver, as far as an incident cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// Wakes people; hears triggers, acknowledgements and resolves only.
    Pager,
    /// A conversation: hears everything.
    Chat,
    /// Mail.
    Mail,
}

/// Which receivers there are.
pub type Hearers = BTreeMap<Name, Hearing>;

/// One alert of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its policy.
    pub policy: Name,
    /// Its urgency.
    pub priority: Priority,
    /// Whether it fires.
    pub firing: bool,
    /// Since when (slot end).
    pub fired_at: DateTime<Utc>,
    /// It goes back and forth between firing and not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Burst>,
}

impl Member {
    /// Whether it holds the incident open: it fires, or goes back and forth.
    pub fn holds(&self) -> bool {
        self.firing || self.flapping.is_some()
    }
}

/// What a receiver was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// At the most urgent.
    pub priority: Priority,
    /// By which policies' steps.
    pub by: Vec<Name>,
    /// The openings it heard of since the incident was last over: a pager's keys that wait for their resolve.
    pub openings: Vec<u32>,
    /// The newest it ever heard of; 0 if that is not known.
    #[serde(default)]
    pub newest: u32,
}

/// Somebody has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When it lapses.
    pub until: Option<DateTime<Utc>>,
    /// Who had it when this one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Holder>,
}

/// Who had an incident, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// It is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Who; none if all alerts cleared.
    pub by: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// What was taken out of the configuration, if nothing got better.
    #[serde(default)]
    pub taken_out: Option<String>,
    /// Its last alert was on the budget of a calendar period that has ended.
    #[serde(default)]
    pub new_period: bool,
    /// Its series is gone.
    #[serde(default)]
    pub gone: bool,
}

/// An incident: what is stored of it, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// As people type it: the first 12 digits of `key`.
    pub id: String,
    /// As receivers know it: a hash of subject and epoch.
    pub key: String,
    /// What it is about.
    pub subject: Subject,
    /// End of the slot that opened it, in Unix seconds.
    pub epoch: i64,
    /// How often it opened: pagers get a new key each time.
    pub opening: u32,
    /// The most urgent firing one; kept when nothing fires.
    pub priority: Priority,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// Who has it.
    pub acknowledged: Option<Acknowledgement>,
    /// How it ended.
    pub resolved: Option<Resolution>,
    /// Decided later than it was due.
    pub late: bool,
    /// Its alerts, by watch name.
    pub members: BTreeMap<String, Member>,
    /// Steps of all its policies' escalations.
    pub steps: Vec<Step>,
    /// Who was told what.
    pub told: BTreeMap<Name, Told>,
    /// Firing again this soon after the end is the same incident, in seconds.
    pub reopen_within: u32,
    /// The public status page.
    pub status: Option<StatusClock>,
    /// What mutes it, and what was held back since.
    #[serde(default)]
    pub muted: Option<Muted>,
    /// What is wrong, in words that stay true while it lasts, or how it ended.
    pub title: String,
    /// When it last opened or changed hands.
    #[serde(default)]
    pub touched: Option<DateTime<Utc>>,
    /// It is in the decision log of its service, or on its way there: it never goes there twice.
    #[serde(default)]
    pub recorded: bool,
    /// What was looked at when it opened.
    #[serde(default)]
    pub looks: Looks,
    /// When chat and mail are reminded of it, by policy.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reminders: BTreeMap<Name, Reminder>,
}

/// The key of an incident: a hash of what it is about and when it opened; of nothing else, so that it never depends on
/// the order of files, receivers or on a policy's text.
pub fn key(subject: &Subject, epoch: i64) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    match subject {
        Subject::Slo { id, series } => {
            part("slo");
            part(&id.service);
            part(&id.slo);
            for (label, value) in series {
                part(label);
                part(value);
            }
        }
        Subject::Source(name) => {
            part("source");
            part(name);
        }
    }
    part(&epoch.to_string());
    hex::encode(&hash.finalize()[..16])
}

impl Incident {
    /// A new one; nothing is said before its first event.
    pub fn open(subject: Subject, at: DateTime<Utc>, priority: Priority) -> Self {
        let epoch = at.timestamp();
        let key = key(&subject, epoch);
        Self {
            id: key[..12].to_owned(),
            key,
            subject,
            epoch,
            opening: 0,
            priority,
            opened_at: at,
            acknowledged: None,
            resolved: None,
            late: false,
            members: BTreeMap::new(),
            steps: Vec::new(),
            told: BTreeMap::new(),
            reopen_within: 0,
            status: None,
            muted: None,
            title: String::new(),
            touched: None,
            recorded: false,
            looks: Looks::default(),
            reminders: BTreeMap::new(),
        }
    }

    /// open, acknowledged or resolved.
    pub fn phase(&self) -> Phase {
        match (&self.resolved, &self.acknowledged) {
            (Some(_), _) => Phase::Resolved,
            (None, Some(_)) => Phase::Acknowledged,
            (None, None) => Phase::Open,
        }
    }

    /// A pager's key for one opening: `/n` from the second on.
    pub fn dedup_key(&self, opening: u32) -> String {
        if opening <= 1 { self.key.clone() } else { format!("{}/{opening}", self.key) }
    }

    /// Whether a firing as of `at` belongs to this incident.
    pub fn takes(&self, at: DateTime<Utc>) -> bool {
        self.resolved.as_ref().is_none_or(|end| at <= end.at + TimeDelta::seconds(i64::from(self.reopen_within)))
    }

    /// Whether nothing can happen to it any more.
    pub fn is_finished(&self, now: DateTime<Utc>) -> bool {
        self.resolved.is_some() && !self.takes(now) && self.status.as_ref().is_none_or(StatusClock::is_at_rest)
    }

    /// When it wants a [`IncidentEvent::Tick`].
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        let lapses = self.acknowledged.as_ref().and_then(|ack| ack.until);
        let runnable = self.steps.iter().filter(|step| self.is_runnable(step) && !self.holds_back(step));
        let steps = runnable.map(|step| step.due_at).chain(self.muted_until());
        let status = self.status.as_ref().and_then(|clock| clock.wake_at(self));
        let reminders = self.next_reminder();
        let open = if self.resolved.is_some() { None } else { lapses.into_iter().chain(steps).chain(reminders).min() };
        open.into_iter().chain(status).min()
    }
}
