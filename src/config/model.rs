//! The configuration after all checks: what the rest of the program works with.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use super::secret::Secret;
use crate::domain::{
    name::{Name, SloId},
    policy::{Escalation, Policy, Priority},
    slo::{Comparison, SloSpec},
};

/// A whole configuration. Everything it refers to exists.
#[derive(Clone, Debug)]
pub struct Config {
    /// Settings of the process itself.
    pub daemon: Daemon,
    /// Where readings come from.
    pub sources: BTreeMap<Name, Source>,
    /// Services, without their SLOs.
    pub services: BTreeMap<Name, Service>,
    /// All SLOs.
    pub slos: BTreeMap<SloId, Slo>,
    /// All policies, each with the SLOs it was found to match.
    pub policies: BTreeMap<Name, BoundPolicy>,
    /// Who can be told.
    pub receivers: BTreeMap<Name, Receiver>,
    /// Who hears next.
    pub escalations: BTreeMap<Name, Escalation>,
    /// How mail is sent.
    pub mail: Option<Mail>,
    /// SHA-256 of all files' bytes, hex: names this configuration in reports.
    pub hash: String,
}

/// A policy and the SLOs its globs matched.
#[derive(Clone, Debug)]
pub struct BoundPolicy {
    /// The policy.
    pub policy: Policy,
    /// What it watches.
    pub slos: Vec<SloId>,
}

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
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter.
    pub log_level: String,
    /// `logfmt` or `json`.
    pub log_format: LogFormat,
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

/// One entry of `services:`.
#[derive(Clone, Debug)]
pub struct Service {
    /// For people.
    pub title: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// Default escalation of its policies.
    pub escalation: Option<Name>,
    /// Where the runbook is.
    pub runbook_url: Option<String>,
    /// Manual steps: what to run, and who must approve.
    pub manual: Vec<ManualStep>,
    /// Values published on `/metrics`.
    pub gauges: BTreeMap<String, Gauge>,
    /// The public status page.
    pub status_page: Option<StatusPage>,
    /// `PREFIX_http_duration_seconds` repeats the pages' latencies.
    pub metric_prefix: Option<String>,
}

/// One manual step of a runbook. Shown, never run.
#[derive(Clone, Debug)]
pub struct ManualStep {
    /// The command.
    pub run: String,
    /// Whose approval it needs.
    pub needs: Option<String>,
}

/// One entry of `gauges:`.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// HELP text.
    pub help: String,
    /// Where the number comes from.
    pub query: NumberQuery,
    /// How often, in seconds.
    pub every: u32,
}

/// A question whose answer is one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberQuery {
    /// Which source.
    pub source: Name,
    /// PromQL or SQL, by the source's kind.
    pub query: String,
}

/// `status_page:` of a service.
#[derive(Clone, Debug)]
pub struct StatusPage {
    /// A statuspage receiver.
    pub receiver: Name,
    /// One of that receiver's components, by its name there.
    pub component: String,
    /// From this priority on …
    pub confirm_priority: Priority,
    /// … firing for this long, it is a confirmed outage.
    pub confirm_for: Duration,
    /// Whether a person must approve each post.
    pub approve: bool,
    /// How soon after confirmation the first post must be out.
    pub deadline: Duration,
    /// How long "monitoring" stands before "resolved".
    pub hold: Duration,
    /// Who is reminded.
    pub remind: Vec<Name>,
}

/// One SLO: the promise and where its numbers come from.
#[derive(Clone, Debug)]
pub struct Slo {
    /// The promise.
    pub spec: SloSpec,
    /// For people; the name if unwritten.
    pub title: String,
    /// For people.
    pub description: Option<String>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// Where its numbers come from.
    pub indicator: Indicator,
    /// One instance per value of these labels.
    pub per: Vec<String>,
    /// Names this definition (first 32 bits of a SHA-256 over indicator, objective, window, `every`).
    pub definition: u32,
    /// Where it is written: `slo.yaml:52`.
    pub location: String,
}

/// `indicator:`
#[derive(Clone, Debug, PartialEq)]
pub enum Indicator {
    /// Two PromQL counts, of good or bad, and of all.
    RatioPromql {
        /// The source of the events.
        source: Name,
        /// The source of the totals, if another.
        total_source: Option<Name>,
        /// A plain selector, or an expression with `$window`.
        events: String,
        /// Whether `events` are the bad ones.
        events_are_bad: bool,
        /// A plain selector, or an expression with `$window`.
        total: String,
    },
    /// One SQL row with `good` or `bad`, and `total`.
    RatioSql {
        /// Source.
        source: Name,
        /// `$1`, `$2` are the slot's bounds.
        sql: String,
    },
    /// A histogram's bucket against its count.
    LatencyHistogram {
        /// Source.
        source: Name,
        /// A selector without `_bucket`, `_count`.
        histogram: String,
        /// In seconds.
        threshold: f64,
        /// Shown, e.g. 95.
        percentile: Option<f64>,
    },
    /// SQL rows with `seconds`.
    LatencySql {
        /// Source.
        source: Name,
        /// `$1`, `$2` are the slot's bounds.
        sql: String,
        /// In seconds.
        threshold: f64,
        /// Shown, e.g. 95.
        percentile: Option<f64>,
    },
    /// One number, compared.
    Value {
        /// Source and query (PromQL or SQL by the source's kind).
        query: NumberQuery,
        /// For people: `seconds`, …
        unit: Option<String>,
        /// What is good.
        good: Comparison,
    },
    /// An HTTP check of our own.
    Probe(Probe),
    /// A Pingdom check.
    Pingdom {
        /// Source.
        source: Name,
        /// Check id.
        check: u64,
    },
}

impl Indicator {
    /// The source that is asked; none for a probe.
    pub fn source(&self) -> Option<&Name> {
        match self {
            Self::RatioPromql { source, .. }
            | Self::RatioSql { source, .. }
            | Self::LatencyHistogram { source, .. }
            | Self::LatencySql { source, .. }
            | Self::Pingdom { source, .. } => Some(source),
            Self::Value { query, .. } => Some(&query.source),
            Self::Probe(_) => None,
        }
    }
}

/// `probe:`
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// What is asked. Empty if its variable is not set.
    pub url: String,
    /// `GET` unless written.
    pub method: String,
    /// Request headers.
    pub headers: BTreeMap<String, Secret>,
    /// Request body.
    pub body: Option<String>,
    /// Longest wait, shorter than the slot.
    pub timeout: Duration,
    /// Good statuses, inclusive ranges.
    pub status: Vec<(u16, u16)>,
    /// Text the body must contain.
    pub contains: Option<String>,
    /// The certificate must be good for at least this long.
    pub tls_expires_after: Option<Duration>,
    /// Tries after the first.
    pub retries: u32,
    /// If all of these fail too, the fault is ours.
    pub witnesses: Vec<String>,
}

/// One entry of `receivers:`.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its kind.
    pub kind: ReceiverKind,
    /// Who is told if this one cannot be.
    pub fallback: Option<Name>,
    /// A page undelivered this long is told to the fallback.
    pub fallback_after: Duration,
}

/// A receiver's kind.
#[derive(Clone, Debug)]
pub enum ReceiverKind {
    /// PagerDuty Events v2.
    Pagerduty {
        /// Integration key.
        routing_key: Secret,
        /// Base address of the Events API (`…/v2/enqueue` is appended).
        url: String,
    },
    /// Slack Web API with a bot token.
    SlackBot {
        /// Channel id.
        channel: String,
        /// `xoxb-…`
        token: Secret,
        /// Base address (`…/api/METHOD` is appended).
        url: String,
    },
    /// Slack incoming webhook: the address is the secret.
    SlackWebhook {
        /// The whole address.
        webhook: Secret,
    },
    /// E-mail.
    Email {
        /// Addresses.
        to: Vec<String>,
        /// Addresses.
        cc: Vec<String>,
    },
    /// Atlassian Statuspage.
    Statuspage {
        /// Page id.
        page: String,
        /// API key.
        key: Secret,
        /// Component ids by our names.
        components: BTreeMap<String, String>,
        /// Base address (`…/v1/pages/…` is appended).
        url: String,
    },
    /// A kind that loads and is checked, but does nothing yet: `instatus`, `webhook`, `alertmanager`.
    NotYet {
        /// Its name.
        kind: &'static str,
    },
}

impl ReceiverKind {
    /// Whether it wakes people: a trigger to it is a page.
    pub fn is_pager(&self) -> bool {
        matches!(self, Self::Pagerduty { .. })
    }

    /// The kind's word in the configuration.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pagerduty { .. } => "pagerduty",
            Self::SlackBot { .. } | Self::SlackWebhook { .. } => "slack",
            Self::Email { .. } => "email",
            Self::Statuspage { .. } => "statuspage",
            Self::NotYet { kind } => kind,
        }
    }
}

/// `mail:`
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtp://host:25`, `smtps://host`, `smtp://host:587?tls=required`.
    pub smtp: String,
    /// User.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Sender.
    pub from: String,
}
