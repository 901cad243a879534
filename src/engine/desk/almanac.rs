//! Crontabs, the noise ledger and the fingerprint, for whoever asks the desk.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::future::BoxFuture;

use super::{LiveDesk, unavailable};
use crate::{
    config::model::Config,
    domain::{bulletin::BulletinKind, name::Name},
    engine::{agenda, fingerprint::fingerprint, noise, planned::PlannedWork},
    views::{
        almanac::{AgendaView, Almanac, PlannedView, Turn},
        desk::DeskError,
        fingerprint::Fingerprint,
        incident::IncidentView,
        noise::NoiseReport,
    },
};

/// Most lines, and messages, of an incident among several.
const LISTED_MAX: usize = 100;

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

    fn story<'a>(&'a self, service: &'a str, turn: Turn) -> BoxFuture<'a, Result<Vec<IncidentView>, DeskError>> {
        Box::pin(async move {
            let mut views = Vec::new();
            for incident in self.store.story(service, turn.skip, turn.limit).await.map_err(unavailable)? {
                let mut view = self.whole(&incident).await.map_err(unavailable)?;
                keep_newest(&mut view.timeline);
                keep_newest(&mut view.deliveries);
                views.push(view);
            }
            Ok(views)
        })
    }

    fn planned(&self) -> Vec<PlannedView> {
        PlannedWork::new(&self.config.load()).next(self.clock.now())
    }

    fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.config.load())
    }
}

fn keep_newest<T>(items: &mut Vec<T>) {
    items.drain(..items.len().saturating_sub(LISTED_MAX));
}

fn notify<'c>(config: &'c Config, item: &agenda::Item) -> &'c [Name] {
    let report = || config.reports.get(&item.name).map(|report| report.notify.as_slice());
    let reminder = || config.reminders.get(&item.name).map(|reminder| reminder.notify.as_slice());
    let found = if item.kind == BulletinKind::Report { report() } else { reminder() };
    found.unwrap_or_default()
}
