//! Figures of an SLO, and what is behind them.

use chrono::{DateTime, Utc};

use super::{LiveDesk, unavailable};
use crate::{
    config::model::Slo,
    domain::{
        budget::first_slot,
        decide::{SeriesKey, time},
        name::SloId,
        slot::Span,
    },
    engine::{explain::explain, report},
    views::{
        desk::DeskError,
        explain::Explanation,
        slo::{BackfillView, SloView, SlotView},
    },
};

impl LiveDesk {
    /// Figures, with how far the history is filled.
    pub(super) fn figures(&self, view: &SloView) -> SloView {
        let mut view = view.clone();
        let config = self.config.load();
        let newest = |slo: &Slo| self.clock.now().timestamp().div_euclid(i64::from(slo.spec.every)) - 1;
        let window = config.slos.get(&view.id).map(|slo| newest(slo) + 1 - first_slot(&slo.spec, newest(slo)));
        let history = self.board.history(&view.id).filter(|history| history.missing() > 0);
        if let (Some(history), Some(window_slots)) = (history, window) {
            let waiting = self.board.fill_trouble(&view.id);
            view.backfill = Some(BackfillView { missing_slots: history.missing(), window_slots, waiting });
        }
        view
    }

    pub(super) async fn stored_slots(
        &self,
        id: &SloId,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        limit: usize,
    ) -> Result<Vec<SlotView>, DeskError> {
        let config = self.slo_of(id)?;
        let Some(slo) = config.slos.get(id) else { return Ok(Vec::new()) };
        let watermark = self.board.slo(&SeriesKey::whole(id.clone())).and_then(|view| view.watermark);
        let to = to.or(watermark).unwrap_or_else(|| self.clock.now());
        let from = from.unwrap_or_else(|| time(report::window_start(slo, to.timestamp())));
        if from > to {
            return Err(DeskError::Invalid(format!("`from` ({from}) is after `to` ({to})")));
        }
        let span = Span { start: from.timestamp(), end: to.timestamp() };
        let key = SeriesKey::whole(id.clone());
        let slots = report::stored_slots(&self.store, &key, slo.spec.every, span).await.map_err(unavailable)?;
        Ok(slots.iter().take(limit).map(report::slot_view).collect())
    }

    pub(super) async fn explained(&self, id: &SloId, at: Option<DateTime<Utc>>) -> Result<Explanation, DeskError> {
        let config = self.slo_of(id)?;
        let nothing = || DeskError::NotFound(format!("{id} has no slots up to then"), "give a later `at`".to_owned());
        let slo = config.slos.get(id).ok_or_else(nothing)?;
        let key = SeriesKey::whole(id.clone());
        explain(&self.store, slo, &key, at).await.map_err(unavailable)?.ok_or_else(nothing)
    }
}
