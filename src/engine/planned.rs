//! Planned work as the core needs it: spans of the time to come, computed from calendars and crontabs now and again.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::maintenance::Window;
use crate::{
    config::model::Config,
    domain::{muting::Work, name::SloId, slot::Span},
    views::almanac::PlannedView,
};

/// How far ahead work is computed, in seconds.
const AHEAD: i64 = 2 * 86_400;
/// With less than this ahead it is computed anew.
const ENOUGH: i64 = 86_400;

/// How many times of one window are told.
const TIMES: usize = 3;
/// How far ahead one looks for them, in days: no farther than need be.
const HORIZONS: [i64; 4] = [2, 14, 100, 400];
/// Most times of all windows together.
const VIEWS_MAX: usize = 100;
/// Most SLOs of one that are named.
const SLOS_MAX: usize = 20;

/// All maintenance windows, whether or not their time is counted: their messages are muted.
#[derive(Debug, Default)]
pub struct PlannedWork(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    name: String,
    reason: Option<String>,
    slos: Arc<[SloId]>,
    excluded: bool,
    window: Window,
}

impl PlannedWork {
    /// The windows of a configuration.
    pub fn new(config: &Config) -> Self {
        let planned = config.maintenance.iter().filter_map(|planned| {
            let mut slos = planned.slos.clone();
            slos.sort();
            let window = Window::new(&planned.name, &planned.when)?;
            Some(Planned {
                name: planned.name.clone(),
                reason: planned.reason.clone(),
                slos: slos.into(),
                excluded: planned.excluded,
                window,
            })
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

    /// What is on at `now`, and the next times of each window, the soonest first.
    pub fn next(&self, now: DateTime<Utc>) -> Vec<PlannedView> {
        let mut views: Vec<_> = self.0.iter().flat_map(|planned| planned.next(now)).collect();
        views.sort_by(|one, other| (one.starts_at, &one.name).cmp(&(other.starts_at, &other.name)));
        views.truncate(VIEWS_MAX);
        views
    }
}

impl Planned {
    fn next(&self, now: DateTime<Utc>) -> Vec<PlannedView> {
        let start = now.timestamp();
        // What is on every minute is not computed for a month.
        let mut spans = Vec::new();
        for days in HORIZONS {
            if spans.len() < TIMES {
                spans = self.window.within(Span { start, end: start + days * 86_400 });
            }
        }
        spans.iter().take(TIMES).filter_map(|span| self.view(*span, start)).collect()
    }

    fn view(&self, span: Span, now: i64) -> Option<PlannedView> {
        Some(PlannedView {
            name: self.name.clone(),
            state: if span.start <= now { "now" } else { "coming" }.to_owned(),
            starts_at: DateTime::from_timestamp(span.start, 0)?,
            ends_at: DateTime::from_timestamp(span.end, 0)?,
            excluded: self.excluded,
            reason: self.reason.clone(),
            slos: self.slos.iter().take(SLOS_MAX).map(ToString::to_string).collect(),
            slos_in_all: self.slos.len(),
        })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::model::Planned as When;

    /// 2026-11-23 12:00 UTC, a Monday.
    const NOON: i64 = 1_795_435_200;

    #[test]
    fn the_next_times_are_told_and_no_more() {
        let cron = |text: &str, minutes: u64| When::Cron {
            cron: text.to_owned(),
            lasts: Duration::from_mins(minutes),
            timezone: "UTC".to_owned(),
        };
        let cases = [
            (When::Once(Span { start: NOON - 7_200, end: NOON - 3_600 }), &[][..]),
            (When::Once(Span { start: NOON - 60, end: NOON + 60 }), &[("now", -60)]),
            (When::Once(Span { start: NOON + 864_000, end: NOON + 864_060 }), &[("coming", 864_000)]),
            (cron("0 3 * * 6", 120), &[("coming", 399_600), ("coming", 1_004_400), ("coming", 1_609_200)]),
            (cron("59 11 * * *", 5), &[("now", -60), ("coming", 86_340), ("coming", 172_740)]),
            (cron("0 0 29 2 *", 5), &[]),
        ];
        for (when, wanted) in cases {
            let slos: Arc<[SloId]> = (0..30).map(|number| SloId::new("shop", format!("slo-{number}"))).collect();
            let window = Window::new("move", &when).unwrap();
            let planned = Planned { name: "move".into(), reason: None, slos, excluded: true, window };
            let found = PlannedWork(vec![planned]).next(DateTime::from_timestamp(NOON, 0).unwrap());
            let told: Vec<_> = found.iter().map(|one| (one.state.as_str(), one.starts_at.timestamp() - NOON)).collect();
            assert_eq!(told, wanted, "{when:?}");
            assert!(found.iter().all(|one| one.slos.len() == SLOS_MAX && one.slos_in_all == 30));
        }
    }
}
