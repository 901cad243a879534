//! Uptime from Pingdom: exact seconds up and down of each slot, from the check's list of states.
//!
//! Time that Pingdom does not know is not counted; a slot it does not know to its end is unmeasured, to be asked about
//! again.

mod client;
mod look;
mod states;

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture, future::ready};

use self::{client::Client, look::Check, states::States};
use super::{Answer, Question, Source, SourceError};
use crate::{
    config::{
        model::{Indicator, NumberQuery},
        secret::Secret,
    },
    domain::{
        name::Series,
        slot::{Gap, Reading, SlotAnswer, Span},
    },
};

/// The longest time and the most slots one question is about.
const REACH_SECONDS: i64 = 30 * 86_400;
const REACH_SLOTS: i64 = 10_000;

/// One Pingdom account.
pub(super) struct PingdomSource {
    client: Client,
}

impl PingdomSource {
    /// Prepares to ask; contacts nobody. The error shows no secret.
    pub fn new(token: &Secret, url: &str) -> Result<Self, String> {
        Ok(Self { client: Client::new(token, url)? })
    }

    async fn states(&self, check: u64, span: Span, limit: Duration) -> Result<States, SourceError> {
        let query = [("from", span.start.to_string()), ("to", span.end.to_string()), ("order", "asc".to_owned())];
        let body = self.client.get(&format!("summary.outage/{check}"), &query, &named(check), limit).await?;
        States::read(&body).map_err(SourceError::Unreadable)
    }

    async fn slots(&self, question: Question<'_>, span: Span, limit: Duration) -> Result<Answer, SourceError> {
        let states = self.states(check(question)?, span, limit).await?;
        let answer = |slot| {
            let reading = states.reading(Span::slot(slot, question.every));
            SlotAnswer { slot, series: Series::new(), reading }
        };
        Ok(Answer { slots: question.slots(span).map(answer).collect(), ..Answer::default() })
    }

    async fn look(&self, question: Question<'_>, span: Span, limit: Duration) -> Result<String, SourceError> {
        let number = check(question)?;
        let body = self.client.get(&format!("checks/{number}"), &[], &named(number), limit).await?;
        let check = Check::read(&body).map_err(SourceError::Unreadable)?;
        let answer = self.slots(question, span, limit).await?;
        let found = match answer.slots.first().map(|slot| &slot.reading) {
            Some(Reading::Events { good, total, .. }) => format!("up {good} s of {total} s in the last slot"),
            Some(Reading::Unmeasured(Gap::DataFault(fault))) => return Err(SourceError::Refused(fault.clone())),
            _ => "the last slot is not known yet".to_owned(),
        };
        Ok(format!("check {number} {}: {found}", check.words()))
    }
}

/// The check that is asked about.
fn check(question: Question<'_>) -> Result<u64, SourceError> {
    if !question.per.is_empty() {
        return Err(SourceError::Refused("a check is one series: take out `per`".to_owned()));
    }
    match question.indicator {
        Indicator::Pingdom { check, .. } => Ok(*check),
        _ => Err(SourceError::Refused("a pingdom source cannot be asked for this indicator".to_owned())),
    }
}

fn named(check: u64) -> String {
    format!("check {check}")
}

impl Source for PingdomSource {
    fn read<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>> {
        self.slots(question, span, limit).boxed()
    }

    /// One request, whatever its length: a month.
    fn reach(&self, question: Question<'_>) -> i64 {
        (REACH_SECONDS / i64::from(question.every.max(1))).clamp(1, REACH_SLOTS)
    }

    fn number<'a>(
        &'a self,
        _: &'a NumberQuery,
        _: i64,
        _: Duration,
    ) -> BoxFuture<'a, Result<Option<f64>, SourceError>> {
        ready(Err(SourceError::Refused("a pingdom source answers no single number".to_owned()))).boxed()
    }

    fn ping(&self, limit: Duration) -> BoxFuture<'_, Result<(), SourceError>> {
        async move {
            let body = self.client.get("checks", &[("limit", "1".to_owned())], "the list of checks", limit).await?;
            look::is_list(&body).map_err(SourceError::Unreadable)
        }
        .boxed()
    }

    fn inspect<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<String, String>> {
        async move { self.look(question, span, limit).await.map_err(|error| error.to_string()) }.boxed()
    }
}
