//! Decision logs: one row for each incident that is over, in a table of the people who learn from it.
//!
//! Idempotent: the row's `event_id` is the incident's key and unique in the table, so an attempt may be repeated freely,
//! and a row that is there already is a success. Nothing is ever changed or read back. `docs/decision-log.md` has the
//! table.

mod postgrest;
mod row;
mod sql;

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::{
    Channel, ChannelError, Delivery, Limits, Outcome, SharedChannel,
    answer::{Failure, Http, not_for},
    build,
};
use crate::{
    config::model::{Config, LogTarget, SourceKind},
    domain::{
        name::Name,
        notification::Message,
        record::{IncidentRecord, receiver_of},
    },
};

/// One channel for every receiver and every decision log. Connects nowhere.
pub fn build_all(config: &Config, limits: Limits) -> Result<BTreeMap<Name, SharedChannel>, ChannelError> {
    let mut channels = build(&config.receivers, config.mail.as_ref(), limits)?;
    for (name, service) in &config.services {
        let Some(log) = &service.decision_log else { continue };
        let channel: SharedChannel = match &log.target {
            LogTarget::Supabase { url, key, table } => {
                let http = Http::new(limits)?;
                Arc::new(postgrest::PostgrestLog::new(http, limits.total, url, key.clone(), table.clone()))
            }
            LogTarget::Postgres { source, table } => match config.sources.get(source).map(|source| &source.kind) {
                Some(SourceKind::Postgres(settings)) => match sql::SqlLog::new(settings, limits.total, table) {
                    Ok(log) => Arc::new(log),
                    Err(why) => Arc::new(Unusable(why)),
                },
                _ => Arc::new(Unusable(format!("`{source}` is no source of kind `postgres`"))),
            },
        };
        channels.insert(receiver_of(name), channel);
    }
    Ok(channels)
}

/// Whether `name` is that of a service's decision log.
pub fn is_log(config: &Config, name: &str) -> bool {
    config.services.iter().any(|(service, log)| log.decision_log.is_some() && receiver_of(service).as_str() == name)
}

/// The record of a delivery, or why there is none.
fn record(delivery: &Delivery) -> Result<&IncidentRecord, Failure> {
    match &delivery.message {
        Message::Record(record) => Ok(record),
        _ => Err(not_for("decision log", "messages for people")),
    }
}

/// One that cannot be used as it is configured: says so, whenever it is.
struct Unusable(String);

impl Channel for Unusable {
    fn deliver<'a>(&'a self, _: &'a Delivery) -> BoxFuture<'a, Outcome> {
        ready(Outcome::Dead { reason: self.0.clone() }).boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        ready(Err(self.0.clone())).boxed()
    }
}
