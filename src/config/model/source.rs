//! `sources:`, after all checks.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::{
    config::secret::Secret,
    domain::{name::Name, policy::Priority},
};

/// One entry of `sources:`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its kind.
    pub kind: SourceKind,
    /// Failing this long opens an incident for the source.
    pub blind_after: Duration,
    /// Who hears of it. None: the receivers of the policies it feeds, at P3.
    pub blind: Option<Blind>,
}

/// `blind:` of a source.
#[derive(Clone, Debug)]
pub struct Blind {
    /// How urgent; P3 if unwritten.
    pub priority: Priority,
    /// Told at once.
    pub notify: Vec<Name>,
    /// Told in steps.
    pub escalation: Option<Name>,
}

/// A source's kind.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A Prometheus-compatible HTTP API.
    Prometheus(Prometheus),
    /// A PostgreSQL server.
    Postgres(Postgres),
    /// Pingdom's API.
    Pingdom {
        /// API token.
        token: Secret,
        /// Base address; the vendor's by default.
        url: String,
    },
}

/// `prometheus:`
#[derive(Clone, Debug)]
pub struct Prometheus {
    /// Base address, no trailing slash.
    pub url: String,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// Extra request headers (values may be secrets).
    pub headers: BTreeMap<String, Secret>,
    /// Bearer token.
    pub bearer: Option<Secret>,
    /// User and password.
    pub basic: Option<(String, Secret)>,
    /// TLS files.
    pub tls: Tls,
    /// `X-Scope-OrgID`.
    pub tenant: Option<String>,
    /// Most questions at once.
    pub max_concurrency: usize,
    /// The server's lookback delta.
    pub lookback: Duration,
    /// When a slot is asked for, after its end.
    pub settle: Duration,
}

/// TLS files.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Extra certificate authority, PEM.
    pub ca: Option<PathBuf>,
    /// Client certificate, PEM.
    pub cert: Option<PathBuf>,
    /// Client key, PEM.
    pub key: Option<PathBuf>,
}

/// `postgres:`
#[derive(Clone, Debug)]
pub struct Postgres {
    /// `postgres://user:password@host/database`. Empty if the variable is not set.
    pub url: Secret,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// Most connections.
    pub connections: u32,
    /// Most rows read.
    pub max_rows: usize,
    /// TLS files.
    pub tls: Tls,
}
