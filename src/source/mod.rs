//! Where readings come from: one implementation per query language.
//!
//! An answer is bounded in size and time. Proof of zero events is [`Reading::Empty`]; no series, or no value,
//! is [`Reading::Unmeasured`]; an error means that the question could not be asked: neither a breach nor a recovery.

mod bounded_body;
mod build;
mod certificate;
mod diagnosis;
mod http_client;
mod pingdom;
mod postgres;
pub mod probe;
mod prometheus;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use crate::{
    config::model::{Daemon, Indicator, NumberQuery, Slo},
    domain::{
        name::Series,
        slot::{Gap, Reading, SlotAnswer, Span},
    },
};

pub use build::{BuildError, build};
pub use diagnosis::Diagnoser;

/// What is asked: the numbers of an SLO, slot by slot.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Where they come from.
    pub indicator: &'a Indicator,
    /// One series per value of these labels or columns; empty for one series without labels.
    pub per: &'a [String],
    /// Slot length in seconds, at least 1.
    pub every: u32,
    /// The most series that are answered.
    pub max_series: usize,
}

impl<'a> Question<'a> {
    /// What an SLO asks.
    pub fn of(slo: &'a Slo, daemon: &Daemon) -> Self {
        let max_series = daemon.max_series_per_slo;
        Self { indicator: &slo.indicator, per: &slo.per, every: slo.spec.every, max_series }
    }

    /// Numbers of the slots in `span`, which is cut at slots' edges.
    pub fn slots(&self, span: Span) -> std::ops::Range<i64> {
        let every = i64::from(self.every.max(1));
        span.start.div_euclid(every)..span.end.div_euclid(every)
    }
}

/// What a source said.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// In no particular order; perhaps with some before the span that are [`Reading::Charged`].
    pub slots: Vec<SlotAnswer>,
    /// What holds for a slot that was asked about, of a series that is known, if it is not among `slots`.
    pub absent: Reading,
    /// The source warned that the answer may be incomplete, or holds more series than are counted.
    pub degraded: Option<String>,
}

impl Default for Answer {
    fn default() -> Self {
        Self { slots: Vec::new(), absent: Reading::Unmeasured(Gap::NoData), degraded: None }
    }
}

impl Answer {
    /// One slot of an SLO without `per`.
    pub fn one(slot: i64, reading: Reading) -> Self {
        Self { slots: vec![SlotAnswer { slot, series: Series::new(), reading }], ..Self::default() }
    }

    /// The same of every slot and series that was asked about.
    pub fn all(reading: Reading) -> Self {
        Self { absent: reading, ..Self::default() }
    }
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
    /// Asks about every slot of `span`, giving up after `limit`.
    ///
    /// `span` begins and ends at slots' edges and holds at most [`Source::reach`] slots; a live question holds one. The
    /// answer about a slot is the same whether it is asked alone, with others, at once or later.
    fn read<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>>;

    /// The most slots that one question should hold; 0 if the past cannot be asked about.
    fn reach(&self, question: Question<'_>) -> i64;

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
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<String, String>>;
}

/// A source that can be shared.
pub type SharedSource = Arc<dyn Source>;
