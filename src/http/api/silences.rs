//! Silences.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, State},
    response::Response,
};
use chrono::DateTime;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{list as listed, written};
use crate::{
    domain::{
        name::{Name, Series},
        silence::Matcher,
    },
    http::{
        Companion,
        ask::{Ask, BODY_MAX, BY_MAX, Signed, too_large},
        problem::Problem,
    },
    views::silence::{SilenceView, Silencing},
};

/// Most silences of one answer.
pub const SILENCES_MAX: usize = 1000;
/// What a silence can be.
pub const STATES: [&str; 3] = ["active", "expired", "ended"];
/// A body that is taken.
pub const EXAMPLE: &str = r#"{"match": {"service": "shop", "slo": "checkout"}, "ends_at": "2026-10-25T13:00:00Z", "by": "ops-lead", "reason": "database move"}"#;

/// A silence that somebody wants.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SilenceWanted")]
pub struct Wanted {
    /// What it is about: all of it must match, to the letter.
    #[serde(rename = "match")]
    matcher: Matched,
    /// When it ends by itself; at most 7 days ahead.
    #[schemars(extend("format" = "date-time"))]
    ends_at: String,
    /// Who makes it.
    #[schemars(required, with = "String", length(min = 1, max = BY_MAX), regex(pattern = r"\S"))]
    by: Option<String>,
    /// Why.
    #[schemars(required, with = "String", length(min = 1), regex(pattern = r"\S"))]
    reason: Option<String>,
    /// Only say what it would mute.
    #[serde(default)]
    preview: bool,
}

/// What a silence is to be about.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SilenceMatch")]
struct Matched {
    /// The service.
    service: String,
    /// One SLO of it.
    slo: Option<String>,
    /// What one policy's alerts would say.
    policy: Option<String>,
    /// Labels of series, for SLOs with `per`.
    #[serde(default)]
    labels: Series,
}

/// `GET /api/v1/silences?state=`
pub async fn list(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let state = ask.word("state", &STATES)?;
    let silences = companion.desk.silences(state, ask.limit(SILENCES_MAX)?).await?;
    Ok(listed("silences", &silences, None))
}

/// `POST /api/v1/silences`
pub async fn add(State(companion): State<Companion>, body: Body) -> Result<Json<SilenceView>, Problem> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    let wanted: Wanted = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::invalid(format!("the body is not what is expected: {error}")).help(format!("send JSON like {EXAMPLE}"))
    })?;
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
    Ok(Json(written(companion.desk.silence(silencing)).await?))
}

/// `DELETE /api/v1/silences/{id}`
pub async fn expire(
    State(companion): State<Companion>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<SilenceView>, Problem> {
    let signed = Signed::read(body).await?;
    Ok(Json(written(companion.desk.expire(&id, signed.by_or_api()?)).await?))
}
