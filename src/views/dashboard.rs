//! What pages show of an SLO beside its figures: its course over the window, what happened meanwhile, what its policies ask,
//! and how it is defined.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{course::Course, desk::DeskError, hindsight::Hindsight, slo::SloView};
use crate::domain::{
    name::{Series, SloId},
    policy::Priority,
};

/// One SLO over its window.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Where it is written: `slo.yaml:52`.
    pub location: String,
    /// Its slots, joined.
    pub course: Course,
    /// What happened, in order.
    pub marks: Vec<Mark>,
    /// There was more than `marks` holds.
    pub more_marks: bool,
    /// There were more annotations than `marks` holds.
    pub more_annotations: bool,
    /// What its policies ask of burn rates.
    pub burns: Vec<BurnRow>,
    /// The definition, line by line, as it was read.
    pub definition: Vec<Line>,
    /// What a slot's reading is compared with, if it is.
    pub limit: Option<f64>,
    /// The calendar period, if the window is one.
    pub period: Option<PeriodAhead>,
}

/// A calendar period that goes on: what its whole budget is, and how it would end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodAhead {
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Bad events that the whole period may hold, at the mean traffic so far.
    pub allowed: f64,
    /// Share of the budget that is left at its end at the rate of the last 6 h; none if there were no events in them.
    pub left_at_end: Option<f64>,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// Somebody was told.
    Incident,
    /// Planned work.
    Planned,
    /// A person corrected the budget.
    Correction,
    /// Something new runs, said somebody.
    Deploy,
    /// Somebody's remark.
    Note,
}

impl MarkKind {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Planned => "planned work",
            Self::Correction => "correction",
            Self::Deploy => "deploy",
            Self::Note => "note",
        }
    }
}

/// Something that happened within the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What it was.
    pub kind: MarkKind,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when; none while it goes on. A moment ends when it begins.
    pub to: Option<DateTime<Utc>>,
    /// In words. From outside, hostile.
    pub text: String,
    /// The page that tells of it.
    pub href: Option<String>,
}

/// A pair of windows whose burn rates a policy looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnRow {
    /// The alert: `fast-burn:1h/5m`.
    pub alert: String,
    /// How urgent.
    pub priority: Priority,
    /// ok, pending, firing, clearing.
    pub state: String,
    /// Both must burn at least so many times too fast.
    pub factor: f64,
    /// The long window.
    pub long: BurnWindow,
    /// The short window.
    pub short: BurnWindow,
}

/// One window of a pair.
#[derive(Clone, Debug, PartialEq)]
pub struct BurnWindow {
    /// `1h`.
    pub name: String,
    /// Its burn rate in the reading that the policy judges by; none without events.
    pub now: Option<f64>,
    /// Where the source draws it itself: a Prometheus' own page. Holds no credentials.
    pub link: Option<String>,
}

/// One line of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The key, as the configuration has it.
    pub key: String,
    /// Its value. Holds no secret.
    pub value: String,
    /// Where the source answers it itself.
    pub link: Option<String>,
}

/// An SLO's newest figures, and whether they are still news.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The figures.
    pub view: Arc<SloView>,
    /// The newest slot is older than it should be, by several slots.
    pub is_stale: bool,
}

/// An incident that is not over, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIncident {
    /// As its page is called.
    pub id: String,
    /// Null for a source's own.
    pub service: Option<String>,
    /// Null for a source's own.
    pub slo: Option<String>,
    /// Null for an SLO's.
    pub source: Option<String>,
    /// Of which series; empty without `per`.
    pub series: Series,
    /// What is wrong, without what changes by the minute.
    pub title: String,
    /// How urgent.
    pub priority: Priority,
    /// open or acknowledged.
    pub state: String,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// Who has it.
    pub acknowledged_by: Option<String>,
    /// Its messages are muted.
    pub muted: bool,
    /// When the next step of its escalation is due; null if none waits.
    pub next_at: Option<DateTime<Utc>>,
    /// Who hears then.
    pub next_notify: Vec<String>,
}

/// Tells them. Part of [`super::desk::Desk`].
pub trait Dashboard: Send + Sync {
    /// All SLOs' newest figures, in order of id.
    fn glance(&self) -> Vec<Glance>;
    /// Incidents that are not over, the most urgent first.
    fn open_incidents(&self) -> BoxFuture<'_, Result<Vec<OpenIncident>, DeskError>>;
    /// One series of an SLO over its window, drawn in at most `parts` parts.
    fn scene<'a>(&'a self, id: &'a SloId, series: &'a Series, parts: usize) -> BoxFuture<'a, Result<Scene, DeskError>>;
    /// What the last `days` say of each objective of a service.
    fn hindsight<'a>(&'a self, service: &'a str, days: u32) -> BoxFuture<'a, Result<Vec<Hindsight>, DeskError>>;
    /// The first and the last month that a service's report can be made of: `2026-08`, `2026-10`.
    fn months<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<(String, String), DeskError>>;
}
