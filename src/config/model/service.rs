//! `services:` without their SLOs, after all checks.

use std::{collections::BTreeMap, time::Duration};

use super::{DecisionLog, Diagnostic};
use crate::domain::{name::Name, policy::Priority};

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
    /// What to look at the moment something breaks, in the order that is written.
    pub diagnostics: Vec<Diagnostic>,
    /// Manual steps: what to run, and who must approve.
    pub manual: Vec<ManualStep>,
    /// Values published on `/metrics`.
    pub gauges: BTreeMap<String, Gauge>,
    /// The public status page.
    pub status_page: Option<StatusPage>,
    /// Where incidents that are over are recorded.
    pub decision_log: Option<DecisionLog>,
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
