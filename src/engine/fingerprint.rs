//! The fingerprint of a configuration: of everything under a name a hash of what was made of it. Secrets hide themselves
//! before they are printed, and have no part in it.

use std::fmt::Debug;

use sha2::{Digest as _, Sha256};

use crate::{
    config::model::{Config, Daemon, Slo},
    views::fingerprint::{Fingerprint, Prints},
};

/// Prints a configuration. Its places in files are no part of it.
pub fn fingerprint(config: &Config) -> Fingerprint {
    let sections = [
        ("slos", prints(config.slos.iter().map(|(id, slo)| (id, parts(slo))))),
        ("services", prints(&config.services)),
        ("policies", prints(config.policies.iter().map(|(name, bound)| (name, (&bound.policy, &bound.slos))))),
        ("receivers", prints(&config.receivers)),
        ("sources", prints(&config.sources)),
        ("escalations", prints(&config.escalations)),
        ("reports", prints(&config.reports)),
        ("reminders", prints(&config.reminders)),
        ("maintenance", prints(config.maintenance.iter().map(|window| (&window.name, window)))),
        ("daemon", daemon(&config.daemon)),
    ];
    Fingerprint {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hash: config.hash.clone(),
        sections: sections.into_iter().map(|(name, prints)| (name.to_owned(), prints)).collect(),
    }
}

/// All of an SLO but where it is written.
fn parts(slo: &Slo) -> impl Debug {
    (&slo.spec, &slo.title, &slo.description, &slo.labels, &slo.indicator, &slo.per)
}

/// Where it listens and keeps its state: what only a restart changes.
fn daemon(daemon: &Daemon) -> Prints {
    [
        ("listen", print(&daemon.listen)),
        ("store", print(&daemon.store)),
        ("socket", print(&daemon.socket)),
        ("external_url", print(&daemon.external_url)),
        ("timezone", print(&daemon.timezone)),
        ("retention", print(&daemon.retention)),
        ("max_series_per_slo", print(&daemon.max_series_per_slo)),
        ("tokens", print(&daemon.tokens)),
    ]
    .into_iter()
    .map(|(name, print)| (name.to_owned(), print))
    .collect()
}

fn prints<N: ToString, T: Debug>(entries: impl IntoIterator<Item = (N, T)>) -> Prints {
    entries.into_iter().map(|(name, entry)| (name.to_string(), print(&entry))).collect()
}

fn print(value: &impl Debug) -> String {
    hex::encode(&Sha256::digest(format!("{value:?}"))[..8])
}
