//! Crontabs, the noise ledger and the fingerprint, for whoever asks the desk.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;

use super::{LiveDesk, unavailable};
use crate::{
    config::model::{Config, Maintenance, Planned},
    domain::{bulletin::BulletinKind, decide::time, name::Name, slot::Span},
    engine::{agenda, fingerprint::fingerprint, noise},
    schedule::Recurrence,
    views::{
        almanac::{AgendaView, Almanac, MaintenanceView},
        desk::DeskError,
        fingerprint::Fingerprint,
        noise::NoiseReport,
    },
};

impl Almanac for LiveDesk {
    fn agenda(&self) -> BoxFuture<'_, Result<Vec<AgendaView>, DeskError>> {
        Box::pin(async move {
            let newest = self.store.newest_occurrences().await.map_err(unavailable)?;
            let newest: BTreeMap<_, _> = newest.into_iter().map(|one| (one.entry.clone(), one)).collect();
            let (config, now) = (self.config.load_full(), self.clock.now());
            let view = |item: agenda::Item| {
                let last = newest.get(&item.entry());
                AgendaView {
                    kind: item.kind.as_str().to_owned(),
                    notify: notify(&config, &item).iter().map(ToString::to_string).collect(),
                    next_at: agenda::next(&item, now),
                    last_at: last.map(|last| last.at),
                    last_missed: last.map(|last| last.missed),
                    name: item.name.to_string(),
                    cron: item.when.cron,
                    timezone: item.when.timezone,
                }
            };
            Ok(agenda::items(&config).into_iter().map(view).collect())
        })
    }

    fn maintenance(&self) -> Vec<MaintenanceView> {
        let (config, now) = (self.config.load_full(), self.clock.now().timestamp());
        let view = |work: &Maintenance| {
            let next = next_span(&work.when, now)?;
            Some(MaintenanceView {
                name: work.name.clone(),
                reason: work.reason.clone(),
                slos: work.slos.len(),
                starts_at: time(next.start),
                ends_at: time(next.end),
            })
        };
        let mut views: Vec<_> = config.maintenance.iter().filter_map(view).collect();
        views.sort_by_key(|view| (view.starts_at, view.name.clone()));
        views
    }

    fn noise<'a>(&'a self, days: u32, service: Option<&'a str>) -> BoxFuture<'a, Result<NoiseReport, DeskError>> {
        Box::pin(async move {
            let (config, now) = (self.config.load_full(), self.clock.now());
            if let Some(service) = service.filter(|service| !config.services.contains_key(*service)) {
                let known: Vec<_> = config.services.keys().map(Name::as_str).collect();
                let known = format!("known: {}", known.join(", "));
                return Err(DeskError::NotFound(format!("no service `{service}`"), known));
            }
            let time = (now - TimeDelta::days(i64::from(days)), now);
            noise::ledger(&self.store, &config, &self.board, time, service, now).await.map_err(unavailable)
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.config.load())
    }
}

/// The time of planned work that holds the Unix second `now`, or else the next one.
fn next_span(when: &Planned, now: i64) -> Option<Span> {
    match when {
        Planned::Once(span) => Some(*span).filter(|span| span.end > now),
        Planned::Cron { cron, lasts, timezone } => {
            let lasts = i64::try_from(lasts.as_secs()).ok()?;
            // Both were checked when the configuration was read.
            let recurrence = Recurrence::new(cron, timezone, lasts).ok()?;
            let start = recurrence.next(now.saturating_sub(lasts))?;
            Some(Span { start, end: start + lasts })
        }
    }
}

fn notify<'c>(config: &'c Config, item: &agenda::Item) -> &'c [Name] {
    let report = || config.reports.get(&item.name).map(|report| report.notify.as_slice());
    let reminder = || config.reminders.get(&item.name).map(|reminder| reminder.notify.as_slice());
    let found = if item.kind == BulletinKind::Report { report() } else { reminder() };
    found.unwrap_or_default()
}
