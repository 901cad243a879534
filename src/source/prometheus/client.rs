//! One Prometheus-compatible server: sends queries, bounded in number, time and size.

use std::{error::Error, time::Duration};

use reqwest::{
    Response,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use tokio::{sync::Semaphore, time::timeout};
use url::Url;

use super::answer::{Answered, Wanted, decode};
use crate::{
    config::model::Prometheus,
    source::{
        SourceError,
        bounded_body::{self, BodyError},
        http_client,
    },
};

const DAY: i64 = 86_400;
/// The largest answer about one moment or one slot.
const LIVE_BYTES: usize = 16 << 20;
/// The largest answer about many slots.
const HISTORY_BYTES: usize = 64 << 20;

/// One question.
#[derive(Clone, Debug)]
pub(super) struct Query<'a> {
    /// PromQL.
    pub text: &'a str,
    /// When it is evaluated.
    pub when: When,
    /// What is asked for.
    pub wanted: Wanted,
    /// Whether it is about many slots, so that the answer may be large.
    pub is_history: bool,
}

/// When a query is evaluated, in Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Once, at this millisecond.
    At(i64),
    /// Every `step` seconds from the first second to the last: an answer of [`Wanted::Ranges`].
    Every { first: i64, last: i64, step: i64 },
}

impl<'a> Query<'a> {
    /// One value a series, at the second `at`.
    pub fn values(text: &'a str, at: i64) -> Self {
        Self { text, when: When::At(at * 1_000), wanted: Wanted::Values, is_history: false }
    }

    /// The samples of a range selector, up to the second `at`.
    pub fn ranges(text: &'a str, at: i64, is_history: bool) -> Self {
        Self { text, when: When::At(at * 1_000), wanted: Wanted::Ranges, is_history }
    }
}

/// Asks one server.
pub(in crate::source) struct Client {
    http: prometheus_http_query::Client,
    headers: HeaderMap,
    target: String,
    timeout: Duration,
    lookback: i64,
    permits: Semaphore,
}

impl Client {
    /// Prepares to ask; contacts nobody. The error shows no secret.
    pub fn new(settings: &Prometheus) -> Result<Self, String> {
        let url = Url::parse(&settings.url).map_err(|error| format!("`url` is no address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err("`url` must begin with http:// or https://".to_owned());
        }
        let http = http_client::build(http_client::builder(&settings.tls)?)?;
        let headers = headers(settings, &http, &url)?;
        let http = prometheus_http_query::Client::from(http, settings.url.trim_end_matches('/'))
            .map_err(|_| "`url` is no address".to_owned())?;
        let permits = Semaphore::new(settings.max_concurrency.clamp(1, Semaphore::MAX_PERMITS));
        let lookback = i64::try_from(settings.lookback.as_secs()).unwrap_or(i64::MAX).clamp(1, DAY);
        Ok(Self { http, headers, target: http_client::target(&url), timeout: settings.timeout, lookback, permits })
    }

    /// How long a sample counts as a series' present value, in seconds: at most a day.
    pub(super) fn lookback(&self) -> i64 {
        self.lookback
    }

    /// Asks. `limit` covers waiting for our turn and the whole exchange.
    pub(super) async fn ask(&self, query: Query<'_>, limit: Duration) -> Result<Answered, SourceError> {
        let bytes = if query.is_history { HISTORY_BYTES } else { LIVE_BYTES };
        self.ask_for(query, limit, bytes).await
    }

    /// Asks for an answer of at most so many bytes. `limit` covers waiting for our turn and the whole exchange.
    pub(super) async fn ask_for(
        &self,
        query: Query<'_>,
        limit: Duration,
        bytes: usize,
    ) -> Result<Answered, SourceError> {
        let exchange = limit.min(self.timeout);
        let turn = async {
            let _permit = self.permits.acquire().await.map_err(|_| SourceError::Timeout(limit))?;
            timeout(exchange, self.exchange(query, exchange, bytes))
                .await
                .map_err(|_| SourceError::Timeout(exchange))?
        };
        timeout(limit, turn).await.map_err(|_| SourceError::Timeout(limit))?
    }

    async fn exchange(&self, query: Query<'_>, limit: Duration, bytes: usize) -> Result<Answered, SourceError> {
        let response = self.send(&query, limit).await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = bounded_body::read(response, bytes).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => SourceError::TooLarge(limit),
            BodyError::Broken(error) => self.unreachable(&error),
        })?;
        decode(status, &body, query.wanted, &self.target, limit)
    }

    async fn send(&self, query: &Query<'_>, limit: Duration) -> Result<Response, prometheus_http_query::Error> {
        let milliseconds = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX).max(1);
        // Thanos and VictoriaMetrics would rather answer in part; other servers ignore these two.
        let whole = [("partial_response", "false"), ("deny_partial_response", "1")];
        match query.when {
            When::At(at) => {
                let mut question = self.http.query(query.text).query("time", seconds(at)).timeout(milliseconds);
                for (name, value) in whole {
                    question = question.query(name, value);
                }
                for (name, value) in &self.headers {
                    question = question.header(name, value);
                }
                twice(question.clone().post_raw().await, || question.post_raw()).await
            }
            When::Every { first, last, step } => {
                let mut question = self.http.query_range(query.text, first, last, step as f64).timeout(milliseconds);
                for (name, value) in whole {
                    question = question.query(name, value);
                }
                for (name, value) in &self.headers {
                    question = question.header(name, value);
                }
                twice(question.clone().post_raw().await, || question.post_raw()).await
            }
        }
    }

    fn unreachable(&self, error: &(dyn Error + 'static)) -> SourceError {
        SourceError::Unreachable { target: self.target.clone(), why: http_client::why(error) }
    }
}

/// Unix milliseconds as the API writes them.
fn seconds(milliseconds: i64) -> String {
    if milliseconds % 1_000 == 0 {
        (milliseconds / 1_000).to_string()
    } else {
        format!("{:.3}", milliseconds as f64 / 1_000.0)
    }
}

/// A kept connection may have been closed by the server meanwhile: asking again is harmless.
async fn twice<F: Future<Output = Result<Response, prometheus_http_query::Error>>>(
    first: Result<Response, prometheus_http_query::Error>,
    again: impl FnOnce() -> F,
) -> Result<Response, prometheus_http_query::Error> {
    match first {
        Err(error) if !is_connect(&error) => again().await,
        first => first,
    }
}

/// Whether there was no connection at all.
fn is_connect(error: &prometheus_http_query::Error) -> bool {
    error.source().and_then(|cause| cause.downcast_ref::<reqwest::Error>()).is_some_and(reqwest::Error::is_connect)
}

/// All headers of a question. `http` only encodes the password; nothing is sent.
fn headers(settings: &Prometheus, http: &reqwest::Client, url: &Url) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let value = |name: &str, text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| format!("`{name}` holds characters no header may"))?;
        value.set_sensitive(true);
        Ok::<_, String>(value)
    };
    for (name, secret) in &settings.headers {
        let header = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no header's name"))?;
        headers.insert(header, value(name, secret.expose())?);
    }
    if let Some(tenant) = &settings.tenant {
        headers.insert("x-scope-orgid", value("tenant", tenant)?);
    }
    let request = if let Some(bearer) = settings.bearer.as_ref().filter(|bearer| !bearer.is_empty()) {
        http.get(url.clone()).bearer_auth(bearer.expose())
    } else if let Some((user, password)) = &settings.basic {
        http.get(url.clone()).basic_auth(user, Some(password.expose()))
    } else {
        return Ok(headers);
    };
    let request = request.build().map_err(|_| "the credentials hold characters no header may".to_owned())?;
    headers.extend(request.headers().get(AUTHORIZATION).map(|value| (AUTHORIZATION, value.clone())));
    Ok(headers)
}
