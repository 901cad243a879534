//! Planned work as the core needs it: spans of the time to come, computed from calendars and crontabs now and again.

use std::sync::Arc;

use super::maintenance::Window;
use crate::{
    config::model::Config,
    domain::{muting::Work, name::SloId, slot::Span},
};

/// How far ahead work is computed, in seconds.
const AHEAD: i64 = 2 * 86_400;
/// With less than this ahead it is computed anew.
const ENOUGH: i64 = 86_400;

/// All maintenance windows, whether or not their time is counted: their messages are muted.
#[derive(Debug, Default)]
pub struct PlannedWork(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    name: String,
    reason: Option<String>,
    slos: Arc<[SloId]>,
    window: Window,
}

impl PlannedWork {
    /// The windows of a configuration.
    pub fn new(config: &Config) -> Self {
        let planned = config.maintenance.iter().filter_map(|planned| {
            let mut slos = planned.slos.clone();
            slos.sort();
            let window = Window::new(&planned.name, &planned.when)?;
            Some(Planned { name: planned.name.clone(), reason: planned.reason.clone(), slos: slos.into(), window })
        });
        Self(planned.collect())
    }

    /// The work that is on at some time within `span`. One that begins before or ends after it is told whole.
    pub fn within(&self, span: Span) -> Vec<Work> {
        let work = |planned: &Planned| Work {
            name: planned.name.clone(),
            reason: planned.reason.clone(),
            slos: planned.slos.clone(),
            spans: planned.window.within(span),
        };
        self.0.iter().map(work).filter(|work| !work.spans.is_empty()).collect()
    }
}

/// What is known of the time to come.
#[derive(Debug, Default)]
pub struct Outlook(Option<Span>);

impl Outlook {
    /// The work of the next days, if what was computed last is not enough for `now`, in Unix seconds.
    pub fn renew(&mut self, planned: &PlannedWork, now: i64) -> Option<Vec<Work>> {
        if self.0.is_some_and(|known| known.start <= now && now + ENOUGH <= known.end) {
            return None;
        }
        let span = Span { start: now, end: now + AHEAD };
        self.0 = Some(span);
        Some(planned.within(span))
    }
}
