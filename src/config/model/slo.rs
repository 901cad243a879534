//! `slos:` and their indicators, after all checks.

use std::{collections::BTreeMap, time::Duration};

use super::NumberQuery;
use crate::{
    config::secret::Secret,
    domain::{
        name::Name,
        slo::{Comparison, SloSpec},
    },
};

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
