//! Alertmanager: every message goes to every member of the cluster, and what lasts is told again every minute, for an
//! alert that is not would lapse.
//!
//! One member that took it is enough: it tells the others, and the next telling goes to all again.

mod payload;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use serde_json::Value;

use self::payload::Known;
use super::{
    Channel, Delivery, Outcome, Told,
    answer::{Failure, Http, attempt, inquire, not_for},
};
use crate::{
    config::secret::Secret,
    domain::notification::{Event, Message, Phase},
};

/// How often everything that lasts is told again.
const REPEATED_EVERY: Duration = Duration::from_mins(1);
/// For how long an end is told again.
const END_REPEATED_FOR: TimeDelta = TimeDelta::minutes(5);
/// Alerts in one request.
const BATCH_MAX: usize = 256;

/// A cluster.
pub struct AlertmanagerChannel {
    http: Http,
    limit: Duration,
    /// Base addresses. One may hold a password.
    urls: Vec<Secret>,
}

impl AlertmanagerChannel {
    /// Alerts go to each of `urls` and `/api/v2/alerts`.
    pub fn new(http: Http, limit: Duration, urls: &[Secret]) -> Self {
        Self { http, limit, urls: urls.to_vec() }
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let notification = match &delivery.message {
            Message::Notification(notification) => notification,
            Message::StatusPost(_) => return Err(not_for("alertmanager", "posts for a public status page")),
            Message::Record(_) => return Err(not_for("alertmanager", "rows of a decision log")),
            Message::Bulletin(_) => return Err(not_for("alertmanager", "reports and reminders: they are no alerts")),
        };
        if notification.event == Event::Test {
            let taken = self.post_to_all(&[payload::test_alert(notification, delivery.now)]).await?;
            return Ok(format!("test, {taken}"));
        }
        if notification.event == Event::Digest {
            return Err(not_for("alertmanager", "digests"));
        }
        let known = Known::read(delivery.thread.as_deref().unwrap_or_default()).after(notification);
        let taken = self.post_to_all(&payload::alerts(notification, &known, delivery.now)).await?;
        Ok(format!("{}, {taken}", known.receipt()))
    }

    /// Posts to every member at once. Good if at least one took it.
    async fn post_to_all(&self, alerts: &[Value]) -> Result<String, Failure> {
        let results = join_all(self.urls.iter().map(|url| self.post(url, alerts))).await;
        let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        judge(self.urls.len(), failures)
    }

    async fn post(&self, url: &Secret, alerts: &[Value]) -> Result<(), Failure> {
        let answer = self.http.send(self.http.client().post(address(url, "alerts")?).json(&alerts)).await?;
        if answer.status == 200 { Ok(()) } else { Err(answer.failure()) }
    }

    async fn tell_again(&self, told: &[Told], now: DateTime<Utc>) -> Result<String, Failure> {
        let lasting =
            told.iter().filter(|told| told.notification.phase != Phase::Resolved || now - told.at <= END_REPEATED_FOR);
        let alerts: Vec<_> =
            lasting.flat_map(|told| payload::alerts(&told.notification, &Known::read(&told.receipt), now)).collect();
        let mut failures = Vec::new();
        for batch in alerts.chunks(BATCH_MAX) {
            let results = join_all(self.urls.iter().map(|url| self.post(url, batch))).await;
            failures.extend(results.into_iter().filter_map(Result::err));
        }
        failures.into_iter().next().map_or_else(|| Ok(String::new()), Err)
    }

    async fn look(&self) -> Result<String, Failure> {
        let ask = async |url: &Secret| {
            let answer = self.http.send(self.http.client().get(address(url, "status")?)).await?;
            let version = answer.json().pointer("/versionInfo/version").and_then(Value::as_str).map(str::to_owned);
            if answer.status == 200 { Ok(version.unwrap_or_default()) } else { Err(answer.failure()) }
        };
        let mut versions = Vec::new();
        for (number, url) in self.urls.iter().enumerate() {
            let asked = ask(url).await;
            let place = number + 1;
            versions.push(asked.map_err(|failure| Failure::retry(format!("member {place}: {}", failure.reason())))?);
        }
        versions.dedup();
        Ok(format!("{} members answer ({})", self.urls.len(), versions.join(", ")))
    }

    fn secrets(&self) -> Vec<&Secret> {
        self.urls.iter().collect()
    }
}

/// `BASE/api/v2/WHAT`.
fn address(base: &Secret, what: &str) -> Result<url::Url, Failure> {
    let url = url::Url::parse(base.expose()).ok();
    let mut url = url.ok_or_else(|| Failure::dead("one of `urls` is empty or not a web address"))?;
    url.path_segments_mut()
        .map_err(|()| Failure::dead("one of `urls` is not a web address"))?
        .pop_if_empty()
        .extend(["api", "v2", what]);
    Ok(url)
}

/// What it comes to that some of `members` failed.
fn judge(members: usize, failures: Vec<Failure>) -> Result<String, Failure> {
    let taken = members.saturating_sub(failures.len());
    if taken > 0 {
        if let Some(failure) = failures.first() {
            tracing::warn!(taken, members, reason = failure.reason(), "not every Alertmanager took an alert");
        }
        return Ok(format!("taken by {taken} of {members}"));
    }
    // One that may take it later is worth another attempt.
    let later = failures.iter().find(|failure| matches!(failure, Failure::Retry { .. })).cloned();
    Err(later.or(failures.into_iter().next()).unwrap_or_else(|| Failure::dead("there are no `urls`")))
}

impl Channel for AlertmanagerChannel {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &self.secrets(), self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        async { inquire(self.limit, &self.secrets(), self.look()).await }.boxed()
    }

    fn repeats(&self) -> Option<Duration> {
        Some(REPEATED_EVERY)
    }

    fn repeat<'a>(&'a self, told: &'a [Told], now: DateTime<Utc>) -> BoxFuture<'a, Result<(), String>> {
        async move { inquire(self.limit, &self.secrets(), self.tell_again(told, now)).await.map(drop) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_took_it_is_enough() {
        let (later, never) = (Failure::retry("503"), Failure::dead("400 bad label"));
        assert_eq!(judge(2, vec![later.clone()]), Ok("taken by 1 of 2".to_owned()));
        assert_eq!(judge(2, vec![never.clone(), later.clone()]), Err(later));
        assert_eq!(judge(1, vec![never.clone()]), Err(never));
    }
}
