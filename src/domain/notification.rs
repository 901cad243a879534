//! What is said to a receiver, before any vendor's words: frozen when it is decided, stored in the
//! outbox, turned into a vendor's payload only when it is sent.
//!
//! Every text here is plain and unescaped; each channel escapes for its own sink and cuts to its own limits.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{bulletin::Bulletin, name::Name, policy::Priority, record::IncidentRecord};

/// What a message means to its receiver. The words are those of the scenario files and of `deliveries.event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// An opening, a rise in priority or an escalation step: pages a pager.
    Trigger,
    /// Somebody has taken it.
    Acknowledge,
    /// It is over.
    Resolve,
    /// News of an open incident; never sent to a pager.
    Update,
    /// Several messages in one: a report, what became due while slod was away.
    Digest,
    /// `slod notify test`.
    Test,
}

impl Event {
    /// The word in scenario files, the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Update => "update",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }
}

/// A link under a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Where it leads.
    pub url: String,
}

/// Where an incident stands, as its messages show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nobody has taken it.
    Open,
    /// Somebody has.
    Acknowledged,
    /// It is over.
    Resolved,
}

/// One message about an incident (or a test message), neutral of any vendor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// What it means.
    pub event: Event,
    /// The incident's id, as `slod ack` takes it. A test message carries `test`.
    pub incident: String,
    /// The key a pager joins events by: the incident's key, with `/n` after a reopening.
    pub dedup_key: String,
    /// The incident's own key: groups threads. Equal to `dedup_key` before any reopening.
    pub thread_key: String,
    /// Where the incident stands now.
    pub phase: Phase,
    /// How urgent.
    pub priority: Priority,
    /// The service, by name; none for a source's own incident.
    pub service: Option<Name>,
    /// The SLO, by name; none for a source's own incident.
    pub slo: Option<Name>,
    /// The series' labels, from outside: hostile.
    pub series: std::collections::BTreeMap<String, String>,
    /// State, service and damage within 80 characters, without glyph and priority:
    /// `warehouse availability: health check failing for 25 min`.
    pub headline: String,
    /// Facts in the order of their weight, one line each: budget, since when, first look.
    pub lines: Vec<String>,
    /// Who was told and who is next: `ops-pager (not acknowledged) · next: platform-pager 14:33 UTC`.
    pub standing: Option<String>,
    /// Why this receiver hears of it now: `opening`, `escalation step 2 of outage`, `fallback: ops-pager did not accept (400 invalid key)`.
    pub reason: String,
    /// The policies firing, with their priorities, most urgent first.
    pub policies: Vec<(Name, Priority)>,
    /// When the incident opened.
    pub opened_at: DateTime<Utc>,
    /// When this message was decided.
    pub decided_at: DateTime<Utc>,
    /// Decided later than it was due (downtime, late data).
    pub late: bool,
    /// Runbook, incident page, …
    pub links: Vec<Link>,
    /// Figures for machines: budget remaining, burn rate, coverage; finite numbers only.
    pub figures: std::collections::BTreeMap<String, f64>,
}

impl Notification {
    /// What it is about: `service/slo`, or the source or receiver in words.
    pub fn subject(&self) -> String {
        match (&self.service, &self.slo) {
            (Some(service), Some(slo)) => format!("{service}/{slo}"),
            _ => self.headline.split(':').next().unwrap_or_default().to_owned(),
        }
    }
}

/// A public status page's incident state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublicState {
    /// An outage is confirmed.
    Investigating,
    /// For people only.
    Identified,
    /// It seems over.
    Monitoring,
    /// It is over.
    Resolved,
}

impl PublicState {
    /// Statuspage's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

/// One post to a public status page. Its texts carry no ratios, causes or names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusPost {
    /// The incident's id in slod.
    pub incident: String,
    /// The mark by which a public incident is found again: the incident's key, with `/n` from the second one on.
    pub key: String,
    /// What to say of the state.
    pub state: PublicState,
    /// The public incident's name: the service's title and "is unavailable".
    pub name: String,
    /// The update's text.
    pub body: String,
    /// The component, by its name under the receiver's `components`.
    pub component: String,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// It begins a public incident: none was begun before, or the one before is resolved.
    #[serde(default)]
    pub opens: bool,
    /// Another public incident still shows the same component as down: it stays so.
    #[serde(default)]
    pub down_elsewhere: bool,
    /// When it is sent, the outage is over. Known only then, and not stored.
    #[serde(skip)]
    pub over: bool,
}

impl StatusPost {
    /// Whether it may begin a public incident where there is none: only of an outage that goes on.
    pub fn may_begin(&self) -> bool {
        self.state == PublicState::Investigating && !self.over
    }
}

/// What an outbox row carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "content")]
pub enum Message {
    /// About an incident, or a test.
    Notification(Box<Notification>),
    /// For the public.
    StatusPost(StatusPost),
    /// For the decision log.
    Record(Box<IncidentRecord>),
    /// About no single incident: a report, a reminder, a restart.
    Bulletin(Box<Bulletin>),
}
