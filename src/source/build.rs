//! From the configuration to sources that can be asked. Contacts nobody.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    SharedSource,
    pingdom::PingdomSource,
    postgres::PostgresSource,
    prometheus::{Client, PrometheusSource},
};
use crate::{
    config::model::{Config, SourceKind},
    domain::name::Name,
};

/// A source that cannot even be asked: an address that is none, a TLS file that cannot be read. Displays without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("source `{name}`: {why}")]
pub struct BuildError {
    /// The source's name in the configuration.
    pub name: Name,
    /// What is wrong.
    pub why: String,
}

/// Builds every source of the configuration, or says what is wrong with each that cannot be built.
///
/// Connections are made when a source is first asked.
pub fn build(config: &Config) -> Result<BTreeMap<Name, SharedSource>, Vec<BuildError>> {
    let mut errors = Vec::new();
    let mut note = |name: &Name, why: String| errors.push(BuildError { name: name.clone(), why });
    let mut clients = BTreeMap::new();
    let mut sources: BTreeMap<Name, SharedSource> = BTreeMap::new();
    for (name, source) in &config.sources {
        match &source.kind {
            SourceKind::Prometheus(settings) => match Client::new(settings) {
                Ok(client) => drop(clients.insert(name.clone(), client)),
                Err(why) => note(name, why),
            },
            SourceKind::Postgres(settings) => match PostgresSource::new(settings) {
                Ok(source) => drop(sources.insert(name.clone(), Arc::new(source))),
                Err(why) => note(name, why),
            },
            SourceKind::Pingdom { token, url } => match PingdomSource::new(token, url) {
                Ok(source) => drop(sources.insert(name.clone(), Arc::new(source))),
                Err(why) => note(name, why),
            },
        }
    }
    let clients = Arc::new(clients);
    for name in clients.keys() {
        sources.insert(name.clone(), Arc::new(PrometheusSource::new(name.clone(), Arc::clone(&clients))));
    }
    if errors.is_empty() { Ok(sources) } else { Err(errors) }
}
