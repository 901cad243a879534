//! One Prometheus-compatible server: sends instant queries, bounded in number, time and size.

use std::{error::Error, time::Duration};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tokio::{sync::Semaphore, time::timeout};
use url::Url;

use super::answer::{Samples, decode};
use crate::{
    config::model::Prometheus,
    source::{
        SourceError,
        bounded_body::{self, BodyError},
        http_client,
    },
};

/// The largest answer that is read.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Asks one server.
pub(in crate::source) struct Client {
    http: prometheus_http_query::Client,
    headers: HeaderMap,
    target: String,
    timeout: Duration,
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
        Ok(Self { http, headers, target: http_client::target(&url), timeout: settings.timeout, permits })
    }

    /// Evaluates `query` at the Unix second `at`. `limit` covers waiting for our turn and the whole exchange.
    pub(super) async fn ask(&self, query: &str, at: i64, limit: Duration) -> Result<Samples, SourceError> {
        let exchange = limit.min(self.timeout);
        let turn = async {
            let _permit = self.permits.acquire().await.map_err(|_| SourceError::Timeout(limit))?;
            timeout(exchange, self.exchange(query, at, exchange)).await.map_err(|_| SourceError::Timeout(exchange))?
        };
        timeout(limit, turn).await.map_err(|_| SourceError::Timeout(limit))?
    }

    async fn exchange(&self, query: &str, at: i64, limit: Duration) -> Result<Samples, SourceError> {
        let milliseconds = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX).max(1);
        // Thanos and VictoriaMetrics would rather answer in part; other servers ignore these two.
        let mut question = self.http.query(query).at(at).timeout(milliseconds);
        question = question.query("partial_response", "false").query("deny_partial_response", "1");
        for (name, value) in &self.headers {
            question = question.header(name, value);
        }
        let response = match question.clone().post_raw().await {
            // A kept connection that the server closed meanwhile: asking again is harmless.
            Err(error) if !is_connect(&error) => question.post_raw().await,
            first => first,
        };
        let response = response.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = bounded_body::read(response, BODY_LIMIT).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => SourceError::TooLarge(limit),
            BodyError::Broken(error) => self.unreachable(&error),
        })?;
        decode(status, &body, &self.target, limit)
    }

    fn unreachable(&self, error: &(dyn Error + 'static)) -> SourceError {
        SourceError::Unreachable { target: self.target.clone(), why: http_client::why(error) }
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
