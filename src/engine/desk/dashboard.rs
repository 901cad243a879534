//! What pages show beside figures, for whoever asks the desk.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;

use super::{LiveDesk, incident::subject, unavailable};
use crate::{
    domain::{
        decide::SeriesKey,
        escalation::StepState,
        incident::Incident,
        name::{Name, Series, SloId},
    },
    engine::{looking_back::look_back, scene::scene},
    schedule,
    store::incidents::state_word,
    views::{
        dashboard::{Dashboard, Glance, OpenIncident, Scene},
        desk::DeskError,
        hindsight::Hindsight,
        slo::SloView,
    },
};

/// A newest slot that is older than so many slots is no news.
const STALE_SLOTS: i64 = 3;
/// Nor is one that is older than the time in which every source should have answered, in seconds.
const STALE_SECONDS: i64 = 90;
/// Most series of a service that are looked back on.
const SERIES_MAX: usize = 100;

impl Dashboard for LiveDesk {
    fn glance(&self) -> Vec<Glance> {
        let (config, now) = (self.config.load(), self.clock.now());
        let filling: Vec<SloId> = self.board.with_histories(|histories| {
            let open = histories.iter().filter(|(_, history)| history.missing() > 0);
            open.map(|(id, _)| id.clone()).collect()
        });
        let glance = |view: Arc<SloView>| {
            let every = config.slos.get(&view.id).map_or(60, |slo| i64::from(slo.spec.every));
            let limit = TimeDelta::seconds(STALE_SLOTS * every + STALE_SECONDS);
            let is_stale = view.watermark.is_some_and(|newest| now - newest > limit);
            let view = if filling.contains(&view.id) { Arc::new(self.figures(&view)) } else { view };
            Glance { view, is_stale }
        };
        self.board.slos().into_iter().map(glance).collect()
    }

    fn open_incidents(&self) -> BoxFuture<'_, Result<Vec<OpenIncident>, DeskError>> {
        Box::pin(async move {
            let live = self.store.live_incidents().await.map_err(unavailable)?;
            let mut open: Vec<_> = live.iter().filter(|one| one.resolved.is_none()).map(open_incident).collect();
            open.sort_by(|one, other| {
                (one.priority, one.opened_at, &one.id).cmp(&(other.priority, other.opened_at, &other.id))
            });
            Ok(open)
        })
    }

    fn scene<'a>(&'a self, id: &'a SloId, series: &'a Series, parts: usize) -> BoxFuture<'a, Result<Scene, DeskError>> {
        Box::pin(async move {
            let (config, view) = (self.slo_of(id)?, self.worst_series(id, series)?);
            let gone = || DeskError::Unavailable("the configuration is being changed".to_owned());
            let slo = config.slos.get(id).ok_or_else(gone)?;
            scene(&self.store, &config, slo, &view, parts, self.clock.now()).await.map_err(unavailable)
        })
    }

    fn hindsight<'a>(&'a self, service: &'a str, days: u32) -> BoxFuture<'a, Result<Vec<Hindsight>, DeskError>> {
        Box::pin(async move {
            let (config, now) = (self.config.load_full(), self.clock.now());
            let mut found = Vec::new();
            for view in self.board.slos().into_iter().filter(|view| view.service == service).take(SERIES_MAX) {
                let Some(slo) = config.slos.get(&view.id) else { continue };
                let key = SeriesKey { id: view.id.clone(), series: view.series.clone() };
                found.push(look_back(&self.store, slo, &key, days, now).await.map_err(unavailable)?);
            }
            Ok(found)
        })
    }

    fn months<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<(String, String), DeskError>> {
        Box::pin(async move {
            let (config, now) = (self.config.load_full(), self.clock.now());
            let since = self.store.promised_since(service).await.map_err(unavailable)?;
            let kept = TimeDelta::from_std(config.daemon.retention).unwrap_or(TimeDelta::days(400));
            let windows = config.slos.values().filter(|slo| slo.spec.id.service.as_str() == service);
            let longest = windows.map(|slo| i64::from(slo.spec.window.longest_seconds())).max().unwrap_or_default();
            // What is from before the first promise was asked about for the window of its time.
            let first = since.map_or(now, |since| since - TimeDelta::seconds(longest)).max(now - kept).min(now);
            let zone = &config.daemon.timezone;
            let name = |at| schedule::running_month(at, zone).map(|month| month.name);
            let both = name(first).and_then(|first| Ok((first, name(now)?)));
            both.map_err(|error| DeskError::Invalid(error.to_string()))
        })
    }
}

fn open_incident(incident: &Incident) -> OpenIncident {
    let (service, slo, source, series) = subject(incident);
    let waiting = incident.steps.iter().filter(|step| step.state == StepState::Waiting);
    let next_at = waiting.clone().map(|step| step.due_at).min();
    let mut next_notify: Vec<String> = waiting
        .filter(|step| Some(step.due_at) == next_at)
        .flat_map(|step| &step.notify)
        .map(Name::to_string)
        .collect();
    next_notify.sort();
    next_notify.dedup();
    OpenIncident {
        id: incident.id.clone(),
        service,
        slo,
        source,
        series,
        title: incident.title.clone(),
        priority: incident.priority,
        state: state_word(incident).to_owned(),
        opened_at: incident.opened_at,
        acknowledged_by: incident.acknowledged.as_ref().map(|ack| ack.by.clone()),
        muted: incident.muted.is_some(),
        next_at,
        next_notify,
    }
}
