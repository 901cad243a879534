//! Pingdom's API over HTTP: no redirects, bounded answers, and no question while the limit of requests is spent.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Response, StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use crate::{
    clock::Stopwatch,
    config::{model::Tls, secret::Secret},
    source::{
        SourceError,
        bounded_body::{self, BodyError},
        http_client,
    },
};

/// The largest answer that is read: a month that goes up and down every minute has some 5 MB.
const BODY_LIMIT: usize = 8 << 20;
/// The longest and shortest quiet after the limit of requests is spent.
const QUIET: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));
/// Of another's words.
const WORDS_MAX: usize = 160;

/// Asks the API.
pub(super) struct Client {
    http: reqwest::Client,
    authorization: HeaderValue,
    token: Secret,
    base: String,
    target: String,
    /// Since when, and for how long, nothing is asked.
    quiet: Mutex<Option<(Stopwatch, Duration)>>,
}

impl Client {
    /// Prepares to ask; contacts nobody. The error shows no secret.
    pub fn new(token: &Secret, url: &str) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|error| format!("`url` is no address: {error}"))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err("`url` must begin with http:// or https://".to_owned());
        }
        if token.is_empty() {
            return Err("`token` is empty: is its variable set?".to_owned());
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| "`token` holds characters no header may".to_owned())?;
        authorization.set_sensitive(true);
        Ok(Self {
            http: http_client::build(http_client::builder(&Tls::default())?)?,
            authorization,
            token: token.clone(),
            base: format!("{}/api/3.1", url.trim_end_matches('/')),
            target: http_client::target(&parsed),
            quiet: Mutex::default(),
        })
    }

    /// Gets `path`. `what` names it where it does not exist.
    pub async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
        what: &str,
        limit: Duration,
    ) -> Result<Vec<u8>, SourceError> {
        if let Some(left) = self.quiet_left() {
            return Err(self.failed(spent(left)));
        }
        timeout(limit, self.exchange(path, query, what)).await.map_err(|_| SourceError::Timeout(limit))?
    }

    async fn exchange(&self, path: &str, query: &[(&str, String)], what: &str) -> Result<Vec<u8>, SourceError> {
        let send = || {
            let request = self.http.get(format!("{}/{path}", self.base)).query(query);
            request.header(AUTHORIZATION, self.authorization.clone()).send()
        };
        let response = match send().await {
            // A kept connection that the server closed meanwhile: asking again is harmless.
            Err(error) if !error.is_connect() => send().await,
            first => first,
        };
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.failed(spent(self.be_quiet(&response))));
        }
        let body = bounded_body::read(response, BODY_LIMIT).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => SourceError::TooLarge(limit),
            BodyError::Broken(error) => self.unreachable(&error),
        })?;
        if status == StatusCode::OK { Ok(body) } else { Err(self.wrong(status, &body, what)) }
    }

    fn wrong(&self, status: StatusCode, body: &[u8], what: &str) -> SourceError {
        let said = self.said(body).map(|said| format!(": {said}")).unwrap_or_default();
        match status.as_u16() {
            400 => SourceError::Refused(format!("the question is refused{said}")),
            404 => SourceError::Refused(format!("{what} does not exist")),
            401 => self.failed(format!("the token is not accepted (status {status})")),
            403 => self.failed(format!("the token may not read this (status {status})")),
            300..=399 => self.failed(format!("status {status}, which is not followed")),
            _ => self.failed(format!("status {status}{said}")),
        }
    }

    /// The error's own words, short and without our token.
    fn said(&self, body: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Body {
            error: Words,
        }
        #[derive(Deserialize)]
        struct Words {
            errormessage: String,
        }
        let Body { error } = serde_json::from_slice(body).ok()?;
        let words = one_line(&error.errormessage.replace(self.token.expose(), "…"), WORDS_MAX);
        (!words.is_empty()).then_some(words)
    }

    fn be_quiet(&self, response: &Response) -> Duration {
        let wait = until_reset(response.headers()).unwrap_or(Duration::from_mins(1)).clamp(QUIET.0, QUIET.1);
        *self.quiet.lock().unwrap_or_else(PoisonError::into_inner) = Some((Stopwatch::start(), wait));
        wait
    }

    fn quiet_left(&self) -> Option<Duration> {
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        let left = quiet.and_then(|(since, wait)| wait.checked_sub(since.elapsed()));
        if left.is_none() {
            *quiet = None;
        }
        left
    }

    fn failed(&self, why: String) -> SourceError {
        SourceError::Failed { target: self.target.clone(), why }
    }

    fn unreachable(&self, error: &reqwest::Error) -> SourceError {
        SourceError::Unreachable { target: self.target.clone(), why: http_client::why(error) }
    }
}

fn spent(left: Duration) -> String {
    format!("the limit of requests is reached, until in {} s", left.as_secs().max(1))
}

/// Another's words as one short line.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !letter.is_control()).take(most).collect()
}

/// How long the spent limit holds: `Remaining: 0 Time until reset: 3589` of either limit, the longer one; else
/// `Retry-After`.
fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let limits = ["req-limit-short", "req-limit-long"].into_iter().filter_map(|name| limit(text(name)?));
    let spent = limits.filter(|(remaining, _)| *remaining == 0).map(|(_, reset)| reset).max();
    let seconds = spent.or_else(|| text(RETRY_AFTER.as_str())?.trim().parse().ok());
    seconds.map(Duration::from_secs)
}

/// What remains, and the seconds until it is reset.
fn limit(text: &str) -> Option<(u64, u64)> {
    let number = |after: &str| -> Option<u64> {
        let rest = text.split_once(after)?.1.trim_start();
        rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    Some((number("Remaining:")?, number("Time until reset:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spent_limit_says_how_long() {
        for (short, long, after, expected) in [
            ("Remaining: 0 Time until reset: 90", "Remaining: 7 Time until reset: 86400", "", Some(90)),
            ("Remaining: 0 Time until reset: 90", "Remaining: 0 Time until reset: 86400", "", Some(86_400)),
            ("Remaining: 3 Time until reset: 90", "Remaining: 7 Time until reset: 8", "5", Some(5)),
            ("Remaining: 0", "Remaining: x Time until reset: 8", "", None),
            ("Remaining:0 Time until reset:12s", "", "", Some(12)),
            ("Remaining: 0 Time until reset: 99999999999999999999999", "", "soon", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("Req-Limit-Short", HeaderValue::from_static(short));
            headers.insert("Req-Limit-Long", HeaderValue::from_static(long));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(after));
            assert_eq!(until_reset(&headers).map(|wait| wait.as_secs()), expected, "{short} {long} {after}");
        }
    }
}
