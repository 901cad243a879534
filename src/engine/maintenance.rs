//! When planned work is done, and what it leaves out of the budget: a slot that overlaps it is not asked about.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    config::model::{Config, Planned},
    domain::{name::SloId, slot::Span},
    schedule::Recurrence,
};

/// What was found out is kept for so many seconds around what was asked, so that the next slot costs nothing.
const KEPT: i64 = 86_400;

/// The maintenance windows whose time is not counted, by SLO.
#[derive(Debug, Default)]
pub struct Maintenance {
    windows: BTreeMap<SloId, Vec<Arc<Window>>>,
}

/// When one window is on.
#[derive(Debug)]
pub(super) enum Window {
    Once(Span),
    Again { recurrence: Box<Recurrence>, found: Mutex<Option<(Span, Vec<Span>)>> },
}

impl Maintenance {
    /// All windows of the configuration with `budget: excluded`.
    pub fn new(config: &Config) -> Self {
        let mut windows: BTreeMap<SloId, Vec<Arc<Window>>> = BTreeMap::new();
        for planned in config.maintenance.iter().filter(|planned| planned.excluded) {
            let Some(window) = Window::new(&planned.name, &planned.when).map(Arc::new) else { continue };
            for id in &planned.slos {
                windows.entry(id.clone()).or_default().push(window.clone());
            }
        }
        Self { windows }
    }

    /// Whether any of `span` is left out of the SLO's budget.
    pub fn excludes(&self, id: &SloId, span: Span) -> bool {
        self.windows.get(id).into_iter().flatten().any(|window| !window.within(span).is_empty())
    }

    /// Which of these slots, `every` seconds long, are left out of the SLO's budget.
    pub fn slots(&self, id: &SloId, every: u32, slots: Range<i64>) -> BTreeSet<i64> {
        let length = i64::from(every.max(1));
        let span = Span { start: slots.start.saturating_mul(length), end: slots.end.saturating_mul(length) };
        let on = self.windows.get(id).into_iter().flatten().flat_map(|window| window.within(span));
        let touched = on.flat_map(|on| {
            let first = on.start.max(span.start).div_euclid(length);
            let last = (on.end.min(span.end) - 1).div_euclid(length);
            first..=last
        });
        touched.collect()
    }
}

impl Window {
    /// As it is configured.
    pub fn new(name: &str, when: &Planned) -> Option<Self> {
        match when {
            Planned::Once(span) => Some(Self::Once(*span)),
            Planned::Cron { cron, lasts, timezone } => {
                let seconds = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
                match Recurrence::new(cron, timezone, seconds) {
                    Ok(recurrence) => Some(Self::Again { recurrence: Box::new(recurrence), found: Mutex::default() }),
                    // both were checked when the configuration was read
                    Err(error) => {
                        tracing::error!(window = name, %error, "a maintenance window is not kept");
                        None
                    }
                }
            }
        }
    }

    /// When it is on within `span`, in order.
    pub fn within(&self, span: Span) -> Vec<Span> {
        match self {
            Self::Once(once) => overlapping(std::slice::from_ref(once), span),
            Self::Again { recurrence, .. } if span.seconds() > KEPT => recurrence.within(span),
            Self::Again { recurrence, found } => {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                match &*found {
                    Some((known, on)) if known.start <= span.start && span.end <= known.end => overlapping(on, span),
                    _ => {
                        let start = span.start.div_euclid(KEPT).saturating_mul(KEPT);
                        let known = Span { start, end: start.saturating_add(2 * KEPT) };
                        let on = recurrence.within(known);
                        let answer = overlapping(&on, span);
                        *found = Some((known, on));
                        answer
                    }
                }
            }
        }
    }
}

/// Those of `on`, which is in order, that share a second with `span`.
fn overlapping(on: &[Span], span: Span) -> Vec<Span> {
    let first = on.partition_point(|on| on.end <= span.start);
    on[first..].iter().take_while(|on| on.start < span.end).copied().collect()
}
