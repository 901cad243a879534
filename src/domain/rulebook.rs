//! What the core decides by: the configuration, reduced to what deciding needs.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    escalation::Plan,
    incident::{Hearers, Subject},
    name::{Name, SloId},
    policy::{Condition, Flapping, Policy, Priority},
    record::RecordRule,
    slo::SloSpec,
    status_page::StatusRule,
    watch::{Watch, watches},
};

/// All rules.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    /// By SLO.
    pub slos: BTreeMap<SloId, SloRules>,
    /// By source.
    pub sources: BTreeMap<Name, SourceRules>,
    /// Who can be told.
    pub hearers: Hearers,
    /// Where incidents that are over are recorded, by service.
    pub records: BTreeMap<Name, RecordRule>,
    /// How people reach the companion; no trailing slash.
    pub external_url: String,
}

/// The rules of one SLO.
#[derive(Clone, Debug)]
pub struct SloRules {
    /// The promise.
    pub spec: SloSpec,
    /// For people.
    pub title: String,
    /// For people.
    pub service_title: String,
    /// What is good, in words: `<= 15m`, `p95 under 3m`.
    pub good: String,
    /// Whether what is shown beside the counts is a time in seconds.
    pub in_seconds: bool,
    /// The source that is asked; none for a probe.
    pub source: Option<Name>,
    /// Unmeasured for this long, it is blind, in seconds.
    pub blind_after: u32,
    /// Whether the past can be asked about; a probe's cannot.
    pub asks_past: bool,
    /// Labels that make one series each; empty for one whole.
    pub per: Vec<String>,
    /// The most series that are counted.
    pub max_series: usize,
    /// How long slots are kept, in seconds.
    pub retention: i64,
    /// Its policies.
    pub policies: Vec<PolicyRules>,
    /// Where the runbook is.
    pub runbook_url: Option<String>,
    /// Steps for people, with whose approval they need.
    pub manual: Vec<(String, Option<String>)>,
    /// There is something to look at when an incident opens.
    pub has_diagnostics: bool,
    /// The public page.
    pub status: Option<StatusTarget>,
}

/// A policy on one SLO.
#[derive(Clone, Debug)]
pub struct PolicyRules {
    /// As configured.
    pub policy: Policy,
    /// Who hears, and when.
    pub plan: Plan,
    /// The alerts it makes here.
    pub watches: Vec<Watch>,
}

/// Where public posts go.
#[derive(Clone, Debug)]
pub struct StatusTarget {
    /// When and how.
    pub rule: StatusRule,
    /// To whom.
    pub receiver: Name,
    /// Which component there.
    pub component: String,
}

/// The rules of one source.
#[derive(Clone, Debug)]
pub struct SourceRules {
    /// Failing this long opens its own incident.
    pub blind_after: TimeDelta,
    /// How urgent that is.
    pub priority: Priority,
    /// Who hears, and when.
    pub plan: Plan,
}

impl Rulebook {
    /// Whether something still watches what an alert of this name is about.
    pub fn stands(&self, subject: &Subject, watch: &str) -> bool {
        match subject {
            Subject::Slo { id, .. } => {
                let policies = self.slos.get(id).map(|slo| slo.policies.as_slice()).unwrap_or_default();
                policies.iter().any(|policy| policy.watches.iter().any(|known| known.name == watch))
            }
            Subject::Source(name) => self.sources.contains_key(name),
        }
    }
}

impl PolicyRules {
    /// Fits a policy to an SLO.
    pub fn new(policy: Policy, plan: Plan, spec: &SloSpec) -> Self {
        let watches = watches(&policy, spec);
        Self { policy, plan, watches }
    }

    /// Firing again this soon is the same incident, in seconds: as written, or max(10m, 4 slots).
    pub fn reopen_within(&self, spec: &SloSpec) -> u32 {
        self.policy.reopen_within.unwrap_or_else(|| spec.every.saturating_mul(4).max(600))
    }

    /// What counts as flapping: as written, or 4 changes within max(1h, 12 slots).
    pub fn flapping(&self, spec: &SloSpec) -> Flapping {
        let within = spec.every.saturating_mul(12).max(3_600);
        self.policy.flapping.unwrap_or(Flapping { changes: 4, within })
    }
}

impl SloRules {
    /// What the alert of that name is on.
    pub fn condition(&self, watch: &str) -> Option<&Condition> {
        let watches = self.policies.iter().flat_map(|rules| &rules.watches);
        watches.into_iter().find(|known| known.name == watch).map(|known| &known.condition)
    }

    /// Whether a slot that ended at `end` is judged well after it could have been.
    pub fn is_late(&self, end: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let settle = i64::try_from(self.spec.settle_ms / 1_000).unwrap_or(i64::MAX);
        (now - end).num_seconds() > settle.saturating_add(i64::from(self.spec.every.max(60)))
    }
}
