//! The configuration after all checks: what the rest of the program works with.

mod agenda;
mod daemon;
mod decision_log;
mod diagnostic;
mod maintenance;
mod receiver;
mod service;
mod slo;
mod source;

use std::{collections::BTreeMap, sync::Arc};

pub use agenda::{Crontab, Reminder, Report};
pub use daemon::{Daemon, Heartbeat, LogFormat, Right, StoreUrl, Token};
pub use decision_log::{DecisionLog, LogTable, LogTarget};
pub use diagnostic::{Diagnostic, DiagnosticKind};
pub use maintenance::{Maintenance, Planned};
pub use receiver::{Mail, PagerdutyPeople, Receiver, ReceiverKind, SlackPeople};
pub use service::{Gauge, ManualStep, NumberQuery, Service, StatusPage};
pub use slo::{Indicator, Probe, Slo};
pub use source::{Blind, Postgres, Prometheus, Source, SourceKind, Tls};

use crate::{
    domain::{
        name::{Name, SloId},
        policy::{Escalation, Policy},
    },
    template::Templates,
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
    /// Reviews that are sent by themselves.
    pub reports: BTreeMap<Name, Report>,
    /// Texts that are sent again and again.
    pub reminders: BTreeMap<Name, Reminder>,
    /// Times of planned work.
    pub maintenance: Vec<Maintenance>,
    /// What people wrote for messages and documents to say.
    pub templates: Arc<Templates>,
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
