//! Stands between slod and Prometheus, and adds up how many samples Prometheus read for the answers.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::{
    Router,
    body::Bytes,
    extract::{OriginalUri, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::Value;

/// What was asked since the last look.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Questions.
    pub questions: u64,
    /// Samples that Prometheus read for them: its own `totalQueryableSamples`.
    pub samples: u64,
    /// The newest question.
    pub newest: String,
}

/// The proxy. Serves as long as the runtime runs.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where slod asks.
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    http: reqwest::Client,
    asked: Mutex<Asked>,
}

impl Proxy {
    /// Starts one before `upstream`.
    pub async fn start(upstream: String) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let shared = Arc::new(Shared { upstream, http, asked: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(any(pass)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// What was asked since the last look.
    pub fn take(&self) -> Asked {
        std::mem::take(&mut *self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn pass(State(shared): State<Arc<Shared>>, OriginalUri(uri): OriginalUri, body: Bytes) -> Response {
    match ask(&shared, uri.path(), &body).await {
        Ok((status, answer)) => (status, [(CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn ask(shared: &Shared, path: &str, body: &[u8]) -> anyhow::Result<(StatusCode, Bytes)> {
    let form = format!("{}&stats=all", std::str::from_utf8(body)?);
    let request = shared.http.post(format!("{}{path}", shared.upstream));
    let response = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send().await?;
    let status = response.status();
    let answer = response.bytes().await?;
    let samples = samples_read(&serde_json::from_slice(&answer)?).unwrap_or_default();
    let mut asked = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
    asked.questions += 1;
    asked.samples += samples;
    asked.newest = String::from_utf8_lossy(body).into_owned();
    Ok((status, answer))
}

/// What an answer to `stats=all` says.
fn samples_read(answer: &Value) -> Option<u64> {
    answer["data"]["stats"]["samples"]["totalQueryableSamples"].as_u64()
}

/// One answer of Prometheus itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answer {
    /// The only value; 0 if there is none.
    pub value: f64,
    /// Samples it read.
    pub samples: u64,
}

/// Evaluates a query of at most one value at the Unix second `at`.
pub async fn evaluate(prometheus: &str, query: &str, at: i64) -> anyhow::Result<Answer> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let form = [("query", query), ("time", &at.to_string()), ("stats", "all"), ("timeout", "10m")];
    let answer = http.post(format!("{prometheus}/api/v1/query")).form(&form).send().await?.text().await?;
    let answer: Value = serde_json::from_str(&answer).with_context(|| format!("{query}: {answer}"))?;
    let samples = samples_read(&answer).with_context(|| format!("{query}: {answer}"))?;
    let value = answer["data"]["result"][0]["value"][1].as_str().unwrap_or("0").parse()?;
    Ok(Answer { value, samples })
}
