//! Scenarios of `slod test`: slots written down, simulated time, the real core, no network.
//!
//! `read` makes scenarios of a file (or says all that is wrong with it), `play` puts one through the core, `compare`
//! holds what happened against what was expected, `render` shows it.

mod compare;
mod expect;
mod feed;
mod play;
mod quiet;
mod read;
mod render;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

pub use self::{
    play::play,
    read::{Book, read},
    render::{junit, text},
};
use crate::domain::{
    muting::Work,
    name::{Name, SloId},
    notification::Event,
    silence::Matcher,
    slot::Reading,
};

/// One scenario, checked against its configuration.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As written.
    pub name: String,
    /// Where it begins.
    pub spot: Spot,
    start: DateTime<Utc>,
    feeds: Vec<Feed>,
    acts: Vec<Act>,
    planned: Vec<Work>,
    expectations: Vec<Expectation>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// As the user would name it.
    pub file: String,
    /// From 1.
    pub line: usize,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The slots of one SLO from the start on.
#[derive(Clone, Debug)]
struct Feed {
    id: SloId,
    every: u32,
    source: Option<Name>,
    readings: Vec<Reading>,
}

/// Something that is done.
#[derive(Clone, Debug)]
struct Act {
    /// Seconds since the start.
    at: u32,
    spot: Spot,
    deed: Deed,
}

#[derive(Clone, Debug)]
enum Deed {
    Acknowledge { id: SloId, by: String },
    Resolve { id: SloId, by: String },
    Silence { matcher: Matcher, lasting: u32, by: String, reason: String },
    Restart,
    SourceDown(Name),
    SourceUp(Name),
}

/// What receivers were told, in order.
type Told = BTreeMap<Name, Vec<Event>>;

/// What must be so. Whatever is `None` is not looked at.
#[derive(Clone, Debug)]
struct Expectation {
    /// Seconds since the start.
    at: u32,
    firing: Option<(Spot, Vec<String>)>,
    notified: Option<(Spot, Told)>,
    budgets: Vec<(Spot, SloId, Budget)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Budget {
    remaining: Option<f64>,
    good: Option<f64>,
    total: Option<f64>,
}

/// How a scenario ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub name: String,
    /// Where it begins.
    pub spot: Spot,
    /// What was not as expected; empty if it passed.
    pub failures: Vec<Failure>,
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where it is expected.
    pub spot: Spot,
    /// `at 20m: firing`.
    pub what: String,
    /// Side by side: what was expected and what there was.
    pub rows: Vec<(String, String)>,
}
