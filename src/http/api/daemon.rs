//! The daemon itself: metrics, health, reload.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    http::{Companion, ask::Signed, problem::Problem},
    views::desk::DaemonView,
};

/// `GET /metrics`
pub async fn metrics(State(companion): State<Companion>) -> Result<Response, Problem> {
    let mut text = companion.desk.metrics().await?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&companion.metrics.render(&*companion.desk));
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// `GET /api/v1/status`
pub async fn status(State(companion): State<Companion>) -> Json<DaemonView> {
    let health = companion.desk.health();
    // A store that cannot be read is a part of the answer.
    let (receivers, unread) = match companion.desk.receivers().await {
        Ok(receivers) => (receivers, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let (agenda, unread) = match companion.desk.agenda().await {
        Ok(agenda) => (agenda, unread),
        Err(error) => (Vec::new(), unread.or_else(|| Some(error.to_string()))),
    };
    let store_trouble = health.store_trouble.or(unread);
    let maintenance = companion.desk.planned();
    Json(DaemonView { ready: health.ready, reasons: health.reasons, store_trouble, receivers, agenda, maintenance })
}

/// `GET /-/healthy`
pub async fn healthy() -> &'static str {
    "slod is listening\n"
}

/// Whether the daemon can be relied on.
#[derive(Serialize, JsonSchema)]
pub struct Readiness {
    /// All SLOs that can be asked have a settled slot, and the store can be written.
    ready: bool,
    /// Why not, in words.
    reasons: Vec<String>,
    /// What a person should look at although everything runs, in words.
    notices: Vec<String>,
    /// When the daemon started.
    started_at: DateTime<Utc>,
    /// The running configuration.
    config_hash: String,
    /// When it was loaded.
    loaded_at: DateTime<Utc>,
    /// True if the newest reload was refused; null otherwise.
    rejected_reload: Option<bool>,
}

/// What a reload did.
#[derive(Serialize, JsonSchema)]
pub struct ReloadAnswer {
    /// True.
    reloaded: bool,
    /// What changed, in words.
    changed: String,
    /// The running configuration.
    config_hash: String,
}

/// `GET /-/ready`
pub async fn ready(State(companion): State<Companion>) -> Response {
    let health = companion.desk.health();
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Readiness {
        ready: health.ready,
        reasons: health.reasons,
        notices: health.notices,
        started_at: health.started_at,
        config_hash: health.config_hash,
        loaded_at: health.loaded_at,
        // Whoever asks needs no token here: the problems themselves are for who reloads, and for the log.
        rejected_reload: health.rejected_reload.is_some().then_some(true),
    };
    (status, Json(body)).into_response()
}

/// `POST /-/reload`
pub async fn reload(State(companion): State<Companion>, body: Body) -> Result<Response, Problem> {
    Signed::read(body).await?;
    let changed = companion.desk.reload().await?;
    let hash = companion.desk.health().config_hash;
    Ok(Json(ReloadAnswer { reloaded: true, changed, config_hash: hash }).into_response())
}
