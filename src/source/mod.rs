//! Where readings come from: one implementation per query language.
//!
//! An answer is bounded in size and time. Proof of zero events is [`Reading::Empty`]; no series, or no value,
//! is [`Reading::Unmeasured`]; an error means that the question could not be asked: neither a breach nor a recovery.

mod bounded_body;
mod build;
mod certificate;
mod http_client;
mod pingdom;
mod postgres;
pub mod probe;
mod prometheus;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use crate::{
    config::model::{Indicator, NumberQuery},
    domain::slot::{Reading, Span},
};

pub use build::{BuildError, build};

/// What a source said of one slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The slot's reading.
    pub reading: Reading,
    /// The source warned that the answer may be incomplete.
    pub degraded: Option<String>,
}

/// Why a question could not be asked. Displays without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No connection.
    #[error("cannot reach {target}: {why}")]
    Unreachable {
        /// Host and port, without user and password.
        target: String,
        /// What the system said.
        why: String,
    },
    /// It answered that it cannot answer: overloaded, starting, stopping, no access.
    #[error("{target} cannot answer: {why}")]
    Failed {
        /// Host and port, without user and password.
        target: String,
        /// What it said.
        why: String,
    },
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The answer was too large.
    #[error("answer over {0} bytes")]
    TooLarge(usize),
    /// The source refused the question.
    #[error("{0}")]
    Refused(String),
    /// The answer could not be understood.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
}

impl SourceError {
    /// Whether the source itself is at fault (counts towards its blindness), not the one question.
    pub fn is_blinding(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

/// A source that can be asked about slots.
pub trait Source: Send + Sync {
    /// Asks about `span`, giving up after `limit`.
    fn read<'a>(
        &'a self,
        indicator: &'a Indicator,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>>;

    /// One number, now (for `gauges:`). `None` when there is no value.
    fn number<'a>(
        &'a self,
        query: &'a NumberQuery,
        at: i64,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<f64>, SourceError>>;

    /// Asks something cheap, to learn whether the source answers at all.
    fn ping(&self, limit: Duration) -> BoxFuture<'_, Result<(), SourceError>>;

    /// Looks closer at one indicator than `read` does, for `check --online`: the query runs, the bucket exists, series match.
    /// `Ok` says what was found; `Err` what is wrong, in words with a fix.
    fn inspect<'a>(
        &'a self,
        indicator: &'a Indicator,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<String, String>>;
}

/// A source that can be shared.
pub type SharedSource = Arc<dyn Source>;
