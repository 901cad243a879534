//! `runbook.diagnostics:` of a service, after all checks.

use std::time::Duration;

use super::NumberQuery;
use crate::domain::name::Name;

/// One thing to look at the moment something breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its name.
    pub name: Name,
    /// What is looked at.
    pub kind: DiagnosticKind,
    /// How long that may take.
    pub timeout: Duration,
}

/// A diagnostic's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiagnosticKind {
    /// Another company's public status page.
    PublicStatus {
        /// The page's own address.
        url: String,
    },
    /// The rows of a query.
    Sql(NumberQuery),
    /// The plan of a query, with what it took.
    Explain(NumberQuery),
    /// The answer of a PromQL query.
    Promql(NumberQuery),
    /// Whether an address answers.
    Http {
        /// The address.
        url: String,
        /// First and last of the statuses that are fine.
        status: Vec<(u16, u16)>,
    },
}

impl DiagnosticKind {
    /// The word of it in the language.
    pub fn word(&self) -> &'static str {
        match self {
            Self::PublicStatus { .. } => "public_status",
            Self::Sql(_) => "sql",
            Self::Explain(_) => "explain",
            Self::Promql(_) => "promql",
            Self::Http { .. } => "http",
        }
    }

    /// The source that is asked, if it is one of the configuration's.
    pub fn source(&self) -> Option<&Name> {
        match self {
            Self::Sql(query) | Self::Explain(query) | Self::Promql(query) => Some(&query.source),
            Self::PublicStatus { .. } | Self::Http { .. } => None,
        }
    }
}
