//! Pingdom: its place in the house. Loads and is checked, but is not asked yet.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture, future::ready};

use super::{Answer, Question, Source, SourceError};
use crate::{config::model::NumberQuery, domain::slot::Span};

const NOT_YET: &str = "pingdom sources are not asked yet";

/// A source of Pingdom's results.
pub(super) struct PingdomSource;

impl Source for PingdomSource {
    fn reach(&self, _: Question<'_>) -> i64 {
        0
    }

    fn read<'a>(&'a self, _: Question<'a>, _: Span, _: Duration) -> BoxFuture<'a, Result<Answer, SourceError>> {
        ready(Err(SourceError::Refused(NOT_YET.to_owned()))).boxed()
    }

    fn number<'a>(
        &'a self,
        _: &'a NumberQuery,
        _: i64,
        _: Duration,
    ) -> BoxFuture<'a, Result<Option<f64>, SourceError>> {
        ready(Err(SourceError::Refused(NOT_YET.to_owned()))).boxed()
    }

    fn ping(&self, _: Duration) -> BoxFuture<'_, Result<(), SourceError>> {
        ready(Err(SourceError::Refused(NOT_YET.to_owned()))).boxed()
    }

    fn inspect<'a>(&'a self, _: Question<'a>, _: Span, _: Duration) -> BoxFuture<'a, Result<String, String>> {
        ready(Err(NOT_YET.to_owned())).boxed()
    }
}
