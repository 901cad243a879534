//! The desk: the one place where pages, API and command line ask and act.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    almanac::{AgendaView, Almanac, PlannedView},
    annotation::Annotations,
    dashboard::Dashboard,
    explain::Explanation,
    inbound::{Call, Reception},
    incident::{DeliveryView, IncidentView},
    report::{BudgetReport, CorrectionView},
    silence::{SilenceView, Silencing},
    slo::{SloView, SlotView},
    why::Proofs,
};
use crate::domain::name::{Series, SloId};

/// Why the desk says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing; the second text says what there is.
    #[error("{0}")]
    NotFound(String, String),
    /// It makes no sense as asked.
    #[error("{0}")]
    Invalid(String),
    /// It makes no sense now (already resolved, nothing to approve).
    #[error("{0}")]
    Conflict(String),
    /// The store cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
    /// A reload was refused; the text is `slod check`'s.
    #[error("the configuration has problems")]
    Rejected(String),
}

/// What a person does to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// I have it.
    Acknowledge,
    /// It is over.
    Resolve,
    /// For the record.
    Note(String),
    /// Post the status page's draft.
    ApproveStatus,
    /// Drop the status page's draft.
    DiscardStatus,
}

/// How a person reached the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over the socket.
    Cli,
    /// Over TCP, with a token.
    Api,
}

/// A correction that a person wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Correcting {
    /// Of which SLO.
    pub slo: SloId,
    /// Of which series; empty without `per`.
    pub series: Series,
    /// The time it is about.
    pub at: DateTime<Utc>,
    /// Bad events more, or less if negative.
    pub bad: f64,
    /// Events more, or less if negative.
    pub total: f64,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
}

/// A source as pages show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceView {
    /// Name.
    pub name: String,
    /// prometheus, postgres, …
    pub kind: String,
    /// Failing for longer than `blind_after`.
    pub blind: bool,
    /// The newest good answer.
    pub last_success: Option<DateTime<Utc>>,
    /// The newest failure.
    pub last_failure: Option<DateTime<Utc>>,
    /// In words.
    pub last_error: Option<String>,
    /// How long the newest answer took, in seconds.
    pub latency_seconds: Option<f64>,
}

/// A receiver as pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiverView {
    /// Name.
    pub name: String,
    /// pagerduty, slack, …
    pub kind: String,
    /// Messages not yet accepted.
    pub pending: u64,
    /// Messages that were given up, as far as they are kept.
    #[serde(default)]
    pub dead: u64,
    /// Messages that were joined into digests, as far as they are kept.
    #[serde(default)]
    pub joined: u64,
    /// How many it wants: `10 in 1m`. Null if it does not say.
    #[serde(default)]
    pub max_rate: Option<String>,
    /// The newest accepted message.
    pub last_sent: Option<DateTime<Utc>>,
    /// The newest failure.
    pub last_failure: Option<DateTime<Utc>>,
    /// In words.
    pub last_error: Option<String>,
}

/// A service as pages show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceView {
    /// Name.
    pub name: String,
    /// For people.
    pub title: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// Where the runbook is.
    pub runbook_url: Option<String>,
    /// `PREFIX_http_duration_seconds` repeats its pages' latencies.
    pub metric_prefix: Option<String>,
}

/// What the desk knows of the daemon itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// All SLOs that can be asked have a settled slot, and the store can be written.
    pub ready: bool,
    /// Why not, in words.
    pub reasons: Vec<String>,
    /// Why the store cannot be written, if it cannot: nothing new is sent until it can.
    pub store_trouble: Option<String>,
    /// What a person should look at although everything runs, in words.
    #[serde(default)]
    pub notices: Vec<String>,
    /// When the daemon started.
    pub started_at: DateTime<Utc>,
    /// The running configuration.
    pub config_hash: String,
    /// When it was loaded.
    pub loaded_at: DateTime<Utc>,
    /// The problems of the newest refused reload, one a line, with nothing of what the files hold.
    pub rejected_reload: Option<String>,
    /// The zone of reports that name none.
    pub timezone: String,
}

/// How the daemon itself is: `GET /api/v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DaemonView {
    /// All SLOs that can be asked have a settled slot, and the store can be written.
    pub ready: bool,
    /// Why not, in words.
    pub reasons: Vec<String>,
    /// Why the store cannot be written, or not be read.
    pub store_trouble: Option<String>,
    /// Receivers in order of name; none while the store cannot be read.
    pub receivers: Vec<ReceiverView>,
    /// What runs on crontabs; none while the store cannot be read.
    #[serde(default)]
    pub agenda: Vec<AgendaView>,
    /// The planned work that is on, and the next times of each window, the soonest first.
    #[serde(default)]
    pub maintenance: Vec<PlannedView>,
}

impl ReceiverView {
    /// Whether its newest message was not taken, or an older one still waits after a failure.
    pub fn is_in_trouble(&self) -> bool {
        self.last_error.is_some() && (self.pending > 0 || self.last_failure >= self.last_sent)
    }
}

/// Which incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// open, acknowledged, resolved. None: all.
    pub state: Option<String>,
    /// Only this service's.
    pub service: Option<String>,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// Answers and acts. One implementation over the running daemon, one over fixed data for tests.
pub trait Desk: Proofs + Almanac + Annotations + Dashboard {
    /// Services in order of name.
    fn services(&self) -> Vec<ServiceView>;
    /// All SLOs' newest figures, in order of id.
    fn slos(&self) -> Vec<SloView>;
    /// One SLO's newest figures: of an SLO with `per`, those of the worst series that has these labels.
    fn slo(&self, id: &SloId, labels: &Series) -> Result<SloView, DeskError>;
    /// Stored slots that start within `[from, to)`; the SLO's window if not given. At most `limit`.
    fn slots<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SlotView>, DeskError>>;
    /// An SLO's figures taken apart, as of the slot that holds `at` or of the newest.
    fn explain<'a>(
        &'a self,
        id: &'a SloId,
        labels: &'a Series,
        at: Option<DateTime<Utc>>,
    ) -> BoxFuture<'a, Result<Explanation, DeskError>>;
    /// The report of a month (`2026-10`; the running one if not given).
    fn budget<'a>(
        &'a self,
        month: Option<&'a str>,
        service: Option<&'a str>,
    ) -> BoxFuture<'a, Result<BudgetReport, DeskError>>;
    /// Incidents, the newest first.
    fn incidents(&self, filter: IncidentFilter) -> BoxFuture<'_, Result<Vec<IncidentView>, DeskError>>;
    /// One incident with everything.
    fn incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<IncidentView, DeskError>>;
    /// One incident written up, as Markdown.
    fn post_incident<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<String, DeskError>>;
    /// Both: the incident, and its document.
    fn incident_written_up<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(IncidentView, String), DeskError>> {
        Box::pin(async move { Ok((self.incident(id).await?, self.post_incident(id).await?)) })
    }
    /// Outbox rows, the newest first.
    fn deliveries<'a>(
        &'a self,
        state: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<DeliveryView>, DeskError>>;
    /// One outbox row.
    fn delivery(&self, id: i64) -> BoxFuture<'_, Result<DeliveryView, DeskError>>;
    /// Tries a dead or waiting delivery again at once.
    fn retry(&self, id: i64) -> BoxFuture<'_, Result<(), DeskError>>;
    /// What a person does. Answers when it is committed.
    fn act<'a>(
        &'a self,
        incident: &'a str,
        action: Action,
        by: &'a str,
        way: Way,
    ) -> BoxFuture<'a, Result<IncidentView, DeskError>>;
    /// Takes a call from outside that proves itself by its signature. Ends within a few seconds.
    fn receive<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Reception>;
    /// Adds a budget correction. Answers when it is committed.
    fn correct(&self, wanted: Correcting) -> BoxFuture<'_, Result<CorrectionView, DeskError>>;
    /// Silences something for a while, or says what that would mute. Answers when it is committed.
    fn silence(&self, wanted: Silencing) -> BoxFuture<'_, Result<SilenceView, DeskError>>;
    /// Silences, the newest first, of one state if given: active, expired, ended.
    fn silences<'a>(
        &'a self,
        state: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<SilenceView>, DeskError>>;
    /// Ends an active silence early. Answers when it is committed.
    fn expire<'a>(&'a self, id: &'a str, by: &'a str) -> BoxFuture<'a, Result<SilenceView, DeskError>>;
    /// Queues one marked test message; answers its outbox row.
    fn notify_test<'a>(&'a self, receiver: &'a str, by: &'a str) -> BoxFuture<'a, Result<i64, DeskError>>;
    /// Sources in order of name.
    fn sources(&self) -> Vec<SourceView>;
    /// Receivers in order of name.
    fn receivers(&self) -> BoxFuture<'_, Result<Vec<ReceiverView>, DeskError>>;
    /// The daemon itself.
    fn health(&self) -> Health;
    /// The address that people use. Asked for each request, so it costs nothing.
    fn external_url(&self) -> String;
    /// Reads the configuration again: all or nothing. `Ok` says what changed.
    fn reload(&self) -> BoxFuture<'_, Result<String, DeskError>>;
    /// Prometheus text of everything but the companion's own HTTP metrics, which are appended to it.
    fn metrics(&self) -> BoxFuture<'_, Result<String, DeskError>>;
    /// Whether the configuration names any token: without one, TCP is for reading only.
    fn has_tokens(&self) -> bool;
    /// The right a bearer token carries: `None` for an unknown one. Compared in constant time.
    fn rights(&self, bearer: &str) -> Option<Vec<crate::config::model::Right>> {
        self.rights_of(&<sha2::Sha256 as sha2::Digest>::digest(bearer.as_bytes()).into())
    }
    /// The same by the token's SHA-256.
    fn rights_of(&self, token: &[u8; 32]) -> Option<Vec<crate::config::model::Right>>;
    /// Thresholds of all latency SLOs in seconds: they become bucket bounds of the companion's own histogram.
    fn latency_thresholds(&self) -> Vec<f64>;
}
