//! Looks at the surroundings of an incident: reads, and changes nothing.
//!
//! It has clients and connections of its own, which are closed after each look: no slot waits for a diagnostic, and what
//! a statement leaves behind in its session goes with it. Every answer is bounded in size and time.

mod public_status;
mod web;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use self::web::Web;
use super::{
    BuildError, SourceError,
    postgres::PostgresSource,
    prometheus::{Client, glance},
};
use crate::{
    clock::Stopwatch,
    config::model::{Config, Diagnostic, DiagnosticKind, NumberQuery, SourceKind},
    domain::{
        diagnostic::{Diagnosis, Found},
        name::Name,
    },
};

/// Everything that diagnostics ask.
pub struct Diagnoser {
    web: Web,
    prometheus: BTreeMap<Name, Client>,
    postgres: BTreeMap<Name, PostgresSource>,
}

impl Diagnoser {
    /// Prepares to ask the sources that diagnostics name; contacts nobody.
    pub fn new(config: &Config) -> Result<Self, Vec<BuildError>> {
        let mut errors = Vec::new();
        let mut note = |name: &Name, why: String| errors.push(BuildError { name: name.clone(), why });
        let (mut prometheus, mut postgres) = (BTreeMap::new(), BTreeMap::new());
        let named = config.services.values().flat_map(|service| &service.diagnostics);
        for name in named.filter_map(|diagnostic| diagnostic.kind.source()) {
            match config.sources.get(name).map(|source| &source.kind) {
                Some(SourceKind::Prometheus(settings)) if !prometheus.contains_key(name) => match Client::new(settings)
                {
                    Ok(client) => drop(prometheus.insert(name.clone(), client)),
                    Err(why) => note(name, why),
                },
                Some(SourceKind::Postgres(settings)) if !postgres.contains_key(name) => {
                    match PostgresSource::new(settings) {
                        Ok(source) => drop(postgres.insert(name.clone(), source)),
                        Err(why) => note(name, why),
                    }
                }
                _ => {}
            }
        }
        let web = Web::new().map_err(|why| vec![BuildError { name: Name::from("diagnostics"), why }])?;
        if errors.is_empty() { Ok(Self { web, prometheus, postgres }) } else { Err(errors) }
    }

    /// Asks one diagnostic, within its time. That it could not be asked is a result as well.
    pub async fn diagnose(&self, diagnostic: &Diagnostic, now: DateTime<Utc>) -> Diagnosis {
        let watch = Stopwatch::start();
        let found = self.ask(diagnostic, now).await.map_err(|error| error.to_string());
        let took = watch.elapsed().as_secs_f64();
        Diagnosis::new(diagnostic.name.clone(), diagnostic.kind.word(), now, took, found)
    }

    /// Asks one diagnostic, within its time.
    pub async fn ask(&self, diagnostic: &Diagnostic, now: DateTime<Utc>) -> Result<Found, SourceError> {
        let limit = diagnostic.timeout;
        let answer = async {
            match &diagnostic.kind {
                DiagnosticKind::PublicStatus { url } => self.web.public_status(url).await,
                DiagnosticKind::Http { url, status } => self.web.answers(url, status).await,
                DiagnosticKind::Sql(query) => {
                    let table = self.database(query)?.table(&query.query, limit).await?;
                    Ok(Found::table(table, now))
                }
                DiagnosticKind::Explain(query) => self.database(query)?.plan(&query.query, limit).await,
                DiagnosticKind::Promql(query) => {
                    let client = self.prometheus.get(&query.source).ok_or_else(|| unknown(query))?;
                    glance(client, &query.query, now.timestamp(), limit).await
                }
            }
        };
        timeout(limit, answer).await.map_err(|_| SourceError::Timeout(limit))?
    }

    fn database(&self, query: &NumberQuery) -> Result<&PostgresSource, SourceError> {
        self.postgres.get(&query.source).ok_or_else(|| unknown(query))
    }
}

fn unknown(query: &NumberQuery) -> SourceError {
    SourceError::Refused(format!("there is no source `{}` for it", query.source))
}
