//! What the desk tells beside figures and incidents: what runs on crontabs, who was woken how often, what the running
//! configuration holds.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{desk::DeskError, fingerprint::Fingerprint, incident::IncidentView, noise::NoiseReport};

/// An entry of `reports:` or `reminders:` as pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgendaView {
    /// `report` or `reminder`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Its crontab.
    pub cron: String,
    /// The zone of its crontab.
    pub timezone: String,
    /// Who is told.
    pub notify: Vec<String>,
    /// When it is due next.
    pub next_at: Option<DateTime<Utc>>,
    /// The newest time it ran.
    pub last_at: Option<DateTime<Utc>>,
    /// How many times before that one were missed.
    pub last_missed: Option<usize>,
}

/// One time of planned work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedView {
    /// The window's name: `move`; of a service `shop/move`.
    pub name: String,
    /// `now` or `coming`.
    pub state: String,
    /// When it begins.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Its time is left out of the budget; messages are muted either way.
    pub excluded: bool,
    /// For people.
    pub reason: Option<String>,
    /// What it is about, `service/slo`, at most 20.
    pub slos: Vec<String>,
    /// How many that are in all.
    pub slos_in_all: usize,
}

/// Which part of a long list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How many come before it.
    pub skip: usize,
    /// How many at most.
    pub limit: usize,
}

/// Tells them. Part of [`super::desk::Desk`].
pub trait Almanac: Send + Sync {
    /// What runs on crontabs.
    fn agenda(&self) -> BoxFuture<'_, Result<Vec<AgendaView>, DeskError>>;
    /// The noise ledger of the last `days`, of one service if given.
    fn noise<'a>(&'a self, days: u32, service: Option<&'a str>) -> BoxFuture<'a, Result<NoiseReport, DeskError>>;
    /// Incidents of a service with what has happened, open ones first, then the newest. Of each at most the newest
    /// hundred lines and messages.
    fn story<'a>(&'a self, service: &'a str, turn: Turn) -> BoxFuture<'a, Result<Vec<IncidentView>, DeskError>>;
    /// Planned work that is on, and the next times of each window, the soonest first.
    fn planned(&self) -> Vec<PlannedView>;
    /// What the running configuration holds.
    fn fingerprint(&self) -> Fingerprint;
}
