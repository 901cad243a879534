//! `maintenance:`, after all checks.

use std::time::Duration;

use crate::domain::{name::SloId, slot::Span};

/// A time of planned work.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// `move`; for a window of a service `shop/move`.
    pub name: String,
    /// The SLOs it is about, in order.
    pub slos: Vec<SloId>,
    /// When.
    pub when: Planned,
    /// Whether its time is left out of the budget.
    pub excluded: bool,
    /// For people.
    pub reason: Option<String>,
}

/// When planned work is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Planned {
    /// Once.
    Once(Span),
    /// Again and again.
    Cron {
        /// A crontab of five fields, checked.
        cron: String,
        /// How long each time, at most 7 days.
        lasts: Duration,
        /// An IANA zone, checked.
        timezone: String,
    },
}
