//! Figures of an SLO, and what is behind them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{LiveDesk, unavailable};
use crate::{
    config::model::Slo,
    domain::{
        budget::first_slot,
        decide::{SeriesKey, time},
        name::{Series, SloId},
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
    /// The worst series of an SLO that has these labels.
    pub(super) fn worst_series(&self, id: &SloId, labels: &Series) -> Result<Arc<SloView>, DeskError> {
        let config = self.slo_of(id)?;
        let per = config.slos.get(id).map(|slo| slo.per.as_slice()).unwrap_or_default();
        if let Some(label) = labels.keys().find(|label| !per.contains(label)) {
            let known =
                if per.is_empty() { "it has none".to_owned() } else { format!("its labels: {}", per.join(", ")) };
            return Err(DeskError::Invalid(format!("`{label}` is no label of the series of {id}: {known}")));
        }
        let views = self.board.slos();
        let mine = views.into_iter().filter(|view| view.id == *id);
        let wanted = mine.filter(|view| labels.iter().all(|(label, value)| view.series.get(label) == Some(value)));
        wanted.min_by(|one, other| SloView::worst_first(one, other)).ok_or_else(|| {
            if labels.is_empty() {
                DeskError::Unavailable(format!("{id} is not loaded yet"))
            } else {
                DeskError::NotFound(format!("{id} has no such series"), "`/api/v1/slos` lists them all".to_owned())
            }
        })
    }

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
        labels: &Series,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        limit: usize,
    ) -> Result<Vec<SlotView>, DeskError> {
        let config = self.slo_of(id)?;
        let Some(slo) = config.slos.get(id) else { return Ok(Vec::new()) };
        let view = self.worst_series(id, labels)?;
        let to = to.or(view.watermark).unwrap_or_else(|| self.clock.now());
        let from = from.unwrap_or_else(|| time(report::window_start(slo, to.timestamp())));
        if from > to {
            return Err(DeskError::Invalid(format!("`from` ({from}) is after `to` ({to})")));
        }
        let span = Span { start: from.timestamp(), end: to.timestamp() };
        let key = SeriesKey { id: id.clone(), series: view.series.clone() };
        let slots = report::stored_slots(&self.store, &key, slo.spec.every, span).await.map_err(unavailable)?;
        Ok(slots.iter().take(limit).map(report::slot_view).collect())
    }

    pub(super) async fn explained(
        &self,
        id: &SloId,
        labels: &Series,
        at: Option<DateTime<Utc>>,
    ) -> Result<Explanation, DeskError> {
        let config = self.slo_of(id)?;
        let nothing = || DeskError::NotFound(format!("{id} has no slots up to then"), "give a later `at`".to_owned());
        let slo = config.slos.get(id).ok_or_else(nothing)?;
        let key = SeriesKey { id: id.clone(), series: self.worst_series(id, labels)?.series.clone() };
        // What is still to come is not known: the newest slot is as far as it goes.
        let at = at.filter(|at| *at < self.clock.now());
        explain(&self.store, &config, slo, &key, at).await.map_err(unavailable)?.ok_or_else(nothing)
    }
}
