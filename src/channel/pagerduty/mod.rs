//! PagerDuty, Events API v2.
//!
//! Idempotent: the vendor joins events by routing key and dedup key, so an attempt may be repeated freely.
//! 202 means queued, not that anybody was paged.

pub mod hook;
mod payload;
pub mod rest;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Map, Value};

use self::rest::PagerDutyRest;
use super::{
    Channel, Delivery, Outcome,
    answer::{Answer, Failure, Http, attempt, inquire, not_for},
};
use crate::{config::secret::Secret, domain::notification::Message};

/// One integration of one service.
pub struct PagerDutyChannel {
    http: Http,
    limit: Duration,
    routing_key: Secret,
    url: String,
    /// Asked about credentials only.
    rest: Option<PagerDutyRest>,
}

impl PagerDutyChannel {
    /// Events go to `url` and `/v2/enqueue`.
    pub fn new(http: Http, limit: Duration, routing_key: Secret, url: &str) -> Self {
        let url = format!("{}/v2/enqueue", url.trim_end_matches('/'));
        Self { http, limit, routing_key, url, rest: None }
    }

    /// The REST API's token can be asked about, too.
    #[must_use]
    pub fn with_token(mut self, token: Secret, from: Option<String>, base: &str) -> Self {
        self.rest = Some(PagerDutyRest::over(self.http.clone(), self.limit, token, from, base));
        self
    }

    async fn send(&self, message: &Message) -> Result<String, Failure> {
        let notification = match message {
            Message::Notification(notification) => notification,
            Message::StatusPost(_) => return Err(not_for("pagerduty", "posts for a public status page")),
            Message::Record(_) => return Err(not_for("pagerduty", "records for a decision log")),
            Message::Bulletin(_) => return Err(not_for("pagerduty", "reports and reminders: they would page")),
        };
        if self.routing_key.is_empty() {
            return Err(Failure::dead("the routing key is empty"));
        }
        let mut receipt = String::new();
        for event in payload::payloads(notification)? {
            let accepted = self.enqueue(event).await?;
            receipt = if receipt.is_empty() { accepted } else { receipt };
        }
        Ok(receipt)
    }

    async fn enqueue(&self, mut event: Map<String, Value>) -> Result<String, Failure> {
        event.insert("routing_key".to_owned(), self.routing_key.expose().into());
        judge(&self.http.send(self.http.client().post(&self.url).json(&event)).await?)
    }
}

/// Only 202 with a dedup key is a success.
fn judge(answer: &Answer) -> Result<String, Failure> {
    if answer.status != 202 {
        return Err(answer.failure());
    }
    match answer.json().get("dedup_key").and_then(Value::as_str) {
        Some(key) if !key.is_empty() => Ok(key.to_owned()),
        _ => Err(Failure::retry("202 without a dedup key: not PagerDuty's answer")),
    }
}

impl Channel for PagerDutyChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.routing_key], self.send(&delivery.message)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        let learned = async {
            if self.routing_key.is_empty() {
                return Err(Failure::dead("the routing key is empty"));
            }
            let events = "the Events API cannot be asked without sending: try `slod notify test`";
            match &self.rest {
                Some(rest) => Ok(format!("{}; {events}", rest.verify().await?)),
                None => Ok(events.to_owned()),
            }
        };
        async { inquire(self.limit, &[&self.routing_key], learned).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged() {
        let judged = |status, body: &str| judge(&Answer { status, retry_after: None, body: body.into() });
        assert_eq!(judged(202, r#"{"status":"success","dedup_key":"k"}"#), Ok("k".to_owned()));
        for (status, body, permanent) in [
            (202, "{}", false),
            (202, "<html>", false),
            (200, r#"{"status":"success","dedup_key":"k"}"#, false),
            (400, r#"{"status":"invalid event","message":"x"}"#, true),
            (429, "", false),
            (503, "", false),
        ] {
            let failure = judged(status, body).unwrap_err();
            assert_eq!(matches!(failure, Failure::Dead { .. }), permanent, "{status} {body}");
        }
    }
}
