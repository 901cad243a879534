//! Silences.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, State},
    response::Response,
};
use chrono::DateTime;
use serde::Deserialize;

use super::list as listed;
use crate::{
    domain::{
        name::{Name, Series},
        silence::Matcher,
    },
    http::{
        Companion,
        ask::{Ask, BODY_MAX, Signed, too_large},
        problem::Problem,
    },
    views::silence::{SilenceView, Silencing},
};

/// Most silences of one answer.
const SILENCES_MAX: usize = 1000;
const EXAMPLE: &str = r#"send JSON like {"match": {"service": "shop", "slo": "checkout"}, "ends_at": "2026-10-25T13:00:00Z", "by": "ops-lead", "reason": "database move"}"#;

/// `{match: {service, slo, policy, labels}, ends_at, by, reason, preview}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "match")]
    matcher: Matched,
    ends_at: String,
    by: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    preview: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matched {
    service: String,
    slo: Option<String>,
    policy: Option<String>,
    #[serde(default)]
    labels: Series,
}

/// `GET /api/v1/silences?state=`
pub async fn list(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let state = ask.word("state", &["active", "expired", "ended"])?;
    let silences = companion.desk.silences(state, ask.limit(SILENCES_MAX)?).await?;
    Ok(listed("silences", &silences, None))
}

/// `POST /api/v1/silences`
pub async fn add(State(companion): State<Companion>, body: Body) -> Result<Json<SilenceView>, Problem> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    let wanted: Wanted = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::invalid(format!("the body is not what is expected: {error}")).help(EXAMPLE))?;
    let ends_at = DateTime::parse_from_rfc3339(&wanted.ends_at)
        .map_err(|_| Problem::invalid("`ends_at` is not a time").help("write it like `2026-10-25T13:00:00Z`"))?;
    let by = Signed::of(wanted.by).by()?.to_owned();
    let Matched { service, slo, policy, labels } = wanted.matcher;
    let silencing = Silencing {
        matcher: Matcher {
            service: Name::from(service),
            slo: slo.map(Name::from),
            policy: policy.map(Name::from),
            labels,
        },
        ends_at: ends_at.to_utc(),
        by,
        reason: wanted.reason.unwrap_or_default(),
        preview: wanted.preview,
    };
    Ok(Json(companion.desk.silence(silencing).await?))
}

/// `DELETE /api/v1/silences/{id}`
pub async fn expire(
    State(companion): State<Companion>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<SilenceView>, Problem> {
    let signed = Signed::read(body).await?;
    Ok(Json(companion.desk.expire(&id, signed.by_or_api()?).await?))
}
