//! `daemon:`, after all checks.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use crate::config::secret::Secret;

/// `daemon:`
#[derive(Clone, Debug)]
pub struct Daemon {
    /// Where the companion listens. Loopback by default.
    pub listen: SocketAddr,
    /// How people reach it; no trailing slash.
    pub external_url: String,
    /// Where state is kept.
    pub store: StoreUrl,
    /// IANA zone for reports that name none.
    pub timezone: String,
    /// Who may write over TCP.
    pub tokens: BTreeMap<String, Token>,
    /// How long slots and incidents are kept.
    pub retention: Duration,
    /// Most series one SLO may have.
    pub max_series_per_slo: usize,
    /// The local command line's way in. None: `$RUNTIME_DIRECTORY/slod.sock`, else beside the store.
    pub socket: Option<PathBuf>,
    /// Called while all is well.
    pub heartbeat: Option<Heartbeat>,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter.
    pub log_level: String,
    /// `logfmt` or `json`.
    pub log_format: LogFormat,
}

/// `daemon.heartbeat`.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The address, as it stands: it names the check.
    pub url: Secret,
    /// How often.
    pub every: Duration,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value`.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// `daemon.store`.
#[derive(Clone, Debug)]
pub enum StoreUrl {
    /// A file. Relative paths lie in `$STATE_DIRECTORY` if set, else in the working folder (resolved already).
    Sqlite(PathBuf),
    /// A server (for two hosts).
    Postgres(Secret),
}

/// One entry of `daemon.tokens`.
#[derive(Clone, Debug)]
pub struct Token {
    /// What is sent.
    pub secret: Secret,
    /// What it allows.
    pub can: Vec<Right>,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Look.
    Read,
    /// Acknowledge, resolve, note.
    Operate,
    /// Reload, corrections.
    Admin,
}
