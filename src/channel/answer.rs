//! Asking over HTTP and classing what comes back: the same for every vendor, before each one's own words.
//!
//! Guarantees: no redirect is followed; an answer is read up to a limit; a whole attempt ends within [`Limits::total`];
//! no reason contains an address or one of the secrets the attempt was made with.

use std::{error::Error, future::Future, time::Duration};

use chrono::DateTime;
use reqwest::{
    RequestBuilder, StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::{Outcome, build::ChannelError, text};
use crate::{
    config::secret::Secret,
    failpoint::{Point, reach},
};

/// How we name ourselves.
pub const USER_AGENT: &str = concat!("slod/", env!("CARGO_PKG_VERSION"));
/// The longest wait we let a vendor ask for.
const WAIT_MAX: Duration = Duration::from_mins(10);
/// Most code points of a vendor's word that go into a reason.
const WORD_MAX: usize = 300;

/// How long and how large an attempt may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the connection.
    pub connect: Duration,
    /// For the whole attempt, all its requests together.
    pub total: Duration,
    /// For the body of one answer.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(25), body_bytes: 1 << 20 }
    }
}

/// Why an attempt was not accepted: [`Outcome`] without its good case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// May be accepted later.
    Retry {
        /// Why.
        reason: String,
        /// How long we were asked to wait.
        after: Option<Duration>,
    },
    /// Will never be accepted as it is.
    Dead {
        /// Why.
        reason: String,
    },
    /// Not made: a person has changed what was there.
    TakenOver {
        /// What, in words.
        what: String,
    },
}

impl Failure {
    /// Worth another attempt, at a time of our own choice.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), after: None }
    }

    /// Not worth another attempt.
    pub fn dead(reason: impl Into<String>) -> Self {
        Self::Dead { reason: reason.into() }
    }

    /// A person has changed what was there.
    pub fn taken_over(what: impl Into<String>) -> Self {
        Self::TakenOver { what: what.into() }
    }

    /// Its reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Retry { reason, .. } | Self::Dead { reason } | Self::TakenOver { what: reason } => reason,
        }
    }
}

/// A receiver was given a message of the other kind.
pub fn not_for(receiver: &str, what: &str) -> Failure {
    Failure::dead(format!("a {receiver} receiver does not take {what}"))
}

/// Runs one attempt within `limit`, and takes `secrets` out of its reason.
pub async fn attempt(
    limit: Duration,
    secrets: &[&Secret],
    work: impl Future<Output = Result<String, Failure>>,
) -> Outcome {
    let done = tokio::time::timeout(limit, work).await;
    match done.unwrap_or_else(|_| Err(Failure::retry(format!("no answer within {limit:?}")))) {
        Ok(receipt) => Outcome::Accepted { receipt: text::line(&receipt, 255) },
        Err(Failure::Retry { reason, after }) => Outcome::Retry { reason: without(secrets, reason), after },
        Err(Failure::Dead { reason }) => Outcome::Dead { reason: without(secrets, reason) },
        Err(Failure::TakenOver { what }) => Outcome::TakenOver { what: without(secrets, what) },
    }
}

/// Asks for [`super::Channel::verify`] within `limit`, and takes `secrets` out of what was learned.
pub async fn inquire(
    limit: Duration,
    secrets: &[&Secret],
    work: impl Future<Output = Result<String, Failure>>,
) -> Result<String, String> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(learned)) => Ok(without(secrets, learned)),
        Ok(Err(failure)) => Err(without(secrets, failure.reason().to_owned())),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

/// `text` with every secret in it replaced, for a vendor or a proxy may echo what it was sent.
pub fn without(secrets: &[&Secret], text: String) -> String {
    let known = secrets.iter().filter(|secret| secret.expose().len() > 3);
    known.fold(text, |text, secret| text.replace(secret.expose(), "***"))
}

/// The HTTP client all channels share.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    body_bytes: usize,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// How long we were asked to wait.
    pub retry_after: Option<Duration>,
    /// The body, as far as it was read.
    pub body: String,
}

impl Http {
    /// Sets the client up.
    pub fn new(limits: Limits) -> Result<Self, ChannelError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(USER_AGENT)
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .build()
            .map_err(|error| ChannelError::Client(innermost(&error)))?;
        Ok(Self { client, body_bytes: limits.body_bytes })
    }

    /// The client, to begin a request with.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Sends one request and reads its answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(unanswered)?;
        reach(Point::SendAnswered);
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            let room = self.body_bytes - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
        Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// What an answer that is no success means, by its status alone.
    pub fn failure(&self) -> Failure {
        let phrase = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let word = text::line(&self.word(), WORD_MAX);
        let told = if word.is_empty() { phrase.unwrap_or_default() } else { &word };
        let reason = format!("{} {told}", self.status);
        match self.status {
            408 | 420 | 429 | 500..=599 => Failure::Retry { reason, after: self.retry_after },
            400..=499 => Failure::Dead { reason },
            // A redirect or a stranger's page: a proxy or a portal is in the way, the message itself is not at fault.
            _ => Failure::Retry { reason: format!("unexpected answer: {reason}"), after: self.retry_after },
        }
    }

    /// The vendor's word for what is wrong, from the shapes in use.
    fn word(&self) -> String {
        let json = self.json();
        let told = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(items) if !items.is_empty() => Some(
                items
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            Value::Object(inner) => inner.get("message").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        if let Value::String(text) = &json {
            return text.clone();
        }
        let parts: Vec<_> =
            ["message", "error", "errors"].iter().filter_map(|key| json.get(key).and_then(told)).collect();
        if json.is_null() { self.body.chars().take(2 * WORD_MAX).collect() } else { parts.join(": ") }
    }
}

/// `Retry-After`, in seconds or as a date (read against the answer's own `Date`), else `ratelimit-reset` in seconds, capped.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER).or_else(|| headers.get("ratelimit-reset")?.to_str().ok().map(str::trim))?;
    let wait = if let Ok(seconds) = asked.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let (until, now) = (DateTime::parse_from_rfc2822(asked).ok()?, DateTime::parse_from_rfc2822(text(DATE)?).ok()?);
        (until - now).to_std().unwrap_or_default()
    };
    Some(wait.min(WAIT_MAX))
}

/// What it means that no whole answer came. Never says where to: an address may be the secret.
fn unanswered(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let why = innermost(&error);
    if error.is_builder() {
        Failure::dead(format!("cannot be asked: {why}"))
    } else if error.is_timeout() {
        Failure::retry("no answer in time")
    } else if error.is_connect() {
        Failure::retry(format!("cannot connect: {why}"))
    } else {
        Failure::retry(format!("no answer: {why}"))
    }
}

/// The last error of a chain: what the system said.
pub fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    text::line(&error.to_string(), WORD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: Some(Duration::from_secs(7)), body: body.into() }
    }

    #[test]
    fn statuses_are_classed() {
        let table = [
            (
                400,
                r#"{"status":"invalid event","message":"Event object is invalid","errors":["a","b"]}"#,
                "Dead 400 Event object is invalid: a, b",
            ),
            (401, r#"{"error":"Could not authenticate"}"#, "Dead 401 Could not authenticate"),
            (403, r#"{"error":{"message":"no","code":1}}"#, "Dead 403 no"),
            (404, "no_service", "Dead 404 no_service"),
            (400, r#""bad label; no name""#, "Dead 400 bad label; no name"),
            (408, "", "Retry 408 Request Timeout"),
            (410, "channel_is_archived\n", "Dead 410 channel_is_archived"),
            (413, "{}", "Dead 413 Payload Too Large"),
            (420, "{}", "Retry 420 "),
            (422, r#"{"error":["name too long"]}"#, "Dead 422 name too long"),
            (429, "", "Retry 429 Too Many Requests"),
            (500, "<h1>\n oops</h1>", "Retry 500 <h1> oops</h1>"),
            (503, "null", "Retry 503 null"),
            (302, "", "Retry unexpected answer: 302 Found"),
            (200, "hello", "Retry unexpected answer: 200 hello"),
        ];
        for (status, body, expected) in table {
            let told = match answer(status, body).failure() {
                Failure::Retry { reason, after } => {
                    assert_eq!(after, Some(Duration::from_secs(7)));
                    format!("Retry {reason}")
                }
                Failure::Dead { reason } => format!("Dead {reason}"),
                Failure::TakenOver { what } => panic!("{what}"),
            };
            assert_eq!(told, expected, "{status} {body}");
        }
    }

    #[test]
    fn waits_are_read_and_capped() {
        let table = [
            ("3", Some(3)),
            (" 30 ", Some(30)),
            ("86400", Some(600)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2026 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ];
        for (asked, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{asked}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
        let reset = HeaderMap::from_iter([("ratelimit-reset".parse().unwrap(), "7".parse().unwrap())]);
        assert_eq!(retry_after(&reset), Some(Duration::from_secs(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_ends_and_keeps_its_secrets() {
        let key = Secret::new("R0UT1NG");
        let echoed =
            attempt(Duration::from_secs(1), &[&key], async { Err(Failure::dead("400 bad key R0UT1NG")) }).await;
        assert_eq!(echoed, Outcome::Dead { reason: "400 bad key ***".into() });
        let hanging = attempt(Duration::from_secs(25), &[], std::future::pending()).await;
        assert_eq!(hanging, Outcome::Retry { reason: "no answer within 25s".into(), after: None });
    }
}
