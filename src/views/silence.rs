//! Silences as the API shows them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::silence::{Matcher, Scope, Silence};

/// Most names of each kind in one answer.
const NAMED_MAX: usize = 100;

/// A silence that a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silencing {
    /// What it is about.
    pub matcher: Matcher,
    /// When it ends; at most 7 days ahead.
    pub ends_at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Only say what it would mute.
    pub preview: bool,
}

/// One silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SilenceView {
    /// As `slod silence expire` takes it; null in a preview.
    pub id: Option<String>,
    /// What it is about.
    #[serde(rename = "match")]
    #[schemars(with = "super::shapes::Matcher")]
    pub matcher: Matcher,
    /// When it was made, and began.
    pub starts_at: DateTime<Utc>,
    /// When it ends by itself.
    pub ends_at: DateTime<Utc>,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// active, expired (early, by a person), ended; preview.
    pub state: String,
    /// When it was ended early.
    pub expired_at: Option<DateTime<Utc>>,
    /// Who did that.
    pub expired_by: Option<String>,
    /// What it mutes, when it is made; null in lists.
    pub covers: Option<CoverView>,
}

/// What a silence mutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverView {
    /// How many SLOs.
    pub slos: usize,
    /// Of how many there are.
    pub of: usize,
    /// These, `service/slo`, at most 100.
    pub names: Vec<String>,
    /// Policies on them, at most 100.
    pub policies: Vec<String>,
    /// Open incidents that fall silent, at most 100.
    pub incidents: Vec<String>,
}

impl SilenceView {
    /// As it stands at `now`.
    pub fn new(silence: &Silence, now: DateTime<Utc>) -> Self {
        Self {
            id: Some(silence.id.clone()),
            matcher: silence.matcher.clone(),
            starts_at: silence.starts_at,
            ends_at: silence.ends_at,
            by: silence.by.clone(),
            reason: silence.reason.clone(),
            state: silence.state(now).to_owned(),
            expired_at: silence.expired.as_ref().map(|expired| expired.at),
            expired_by: silence.expired.as_ref().map(|expired| expired.by.clone()),
            covers: None,
        }
    }

    /// With what it mutes.
    #[must_use]
    pub fn covering(self, scope: &Scope) -> Self {
        let covers = CoverView {
            slos: scope.slos.len(),
            of: scope.all,
            names: scope.slos.iter().take(NAMED_MAX).map(ToString::to_string).collect(),
            policies: scope.policies.iter().take(NAMED_MAX).map(ToString::to_string).collect(),
            incidents: scope.incidents.iter().take(NAMED_MAX).cloned().collect(),
        };
        Self { covers: Some(covers), ..self }
    }

    /// As something that was not made.
    #[must_use]
    pub fn only_a_preview(self) -> Self {
        Self { id: None, state: "preview".to_owned(), ..self }
    }
}
