//! What the desk tells beside figures and incidents: what runs on crontabs, who was woken how often, what the running
//! configuration holds.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{desk::DeskError, fingerprint::Fingerprint, noise::NoiseReport};

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

/// Tells them. Part of [`super::desk::Desk`].
pub trait Almanac: Send + Sync {
    /// What runs on crontabs.
    fn agenda(&self) -> BoxFuture<'_, Result<Vec<AgendaView>, DeskError>>;
    /// The noise ledger of the last `days`, of one service if given.
    fn noise<'a>(&'a self, days: u32, service: Option<&'a str>) -> BoxFuture<'a, Result<NoiseReport, DeskError>>;
    /// What the running configuration holds.
    fn fingerprint(&self) -> Fingerprint;
}
