//! What mutes messages: silences that people ask for, and planned work.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    message::on_one_line,
    name::{Name, SloId},
    silence::Silence,
    slot::Span,
};

/// Why messages are muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A person asked for it.
    Silence,
    /// Work is planned.
    Maintenance,
}

impl Cause {
    /// The word in messages and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Maintenance => "maintenance",
        }
    }
}

/// One thing that mutes an incident's messages now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Tells it apart from others.
    pub id: String,
    /// Why.
    pub cause: Cause,
    /// Only what this policy's alerts would say; none for everything.
    pub policy: Option<Name>,
    /// When it ends, as far as is known.
    pub until: DateTime<Utc>,
    /// For people, on one line: whose it is, and why.
    pub words: String,
}

impl Mute {
    /// What a silence mutes.
    pub fn of_silence(silence: &Silence) -> Self {
        let only = silence.matcher.policy.as_ref().map(|policy| format!(" (only {policy})")).unwrap_or_default();
        let words = format!("by {}{only}: {}", silence.by, silence.reason);
        Self {
            id: silence.id.clone(),
            cause: Cause::Silence,
            policy: silence.matcher.policy.clone(),
            until: silence.ends_at,
            words: on_one_line(&words),
        }
    }

    /// What planned work mutes during `span`.
    pub fn of_work(work: &Work, span: Span) -> Self {
        let reason = work.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        Self {
            id: format!("maintenance {}", work.name),
            cause: Cause::Maintenance,
            policy: None,
            until: DateTime::from_timestamp(span.end, 0).unwrap_or(DateTime::<Utc>::MAX_UTC),
            words: on_one_line(&format!("`{}`{reason}", work.name)),
        }
    }
}

/// Whether what a policy's alerts would say is muted.
pub fn is_muted(mutes: &[Mute], policy: &Name) -> bool {
    mutes.iter().any(|mute| mute.policy.as_ref().is_none_or(|only| only == policy))
}

/// Planned work, for as far ahead as it was computed: calendars and crontabs are not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The window's name.
    pub name: String,
    /// For people.
    pub reason: Option<String>,
    /// The SLOs it is about, in order.
    pub slos: Arc<[SloId]>,
    /// When, in order, apart from each other.
    pub spans: Vec<Span>,
}

impl Work {
    /// The time of work that holds the second `at`, if it is about the SLO.
    pub fn span_of(&self, id: &SloId, at: i64) -> Option<Span> {
        self.slos.binary_search(id).ok()?;
        self.next(at).filter(|span| span.start <= at)
    }

    /// When it next begins or ends after the second `at`.
    pub fn next_edge(&self, at: i64) -> Option<i64> {
        self.next(at).map(|span| if span.start > at { span.start } else { span.end })
    }

    fn next(&self, at: i64) -> Option<Span> {
        self.spans.get(self.spans.partition_point(|span| span.end <= at)).copied()
    }
}
