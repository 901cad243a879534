//! Budget corrections.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State,
};
use chrono::DateTime;
use schemars::JsonSchema;
use serde::Deserialize;

use super::written;
use crate::{
    domain::name::SloId,
    http::{
        Companion,
        ask::{BODY_MAX, BY_MAX, Signed, too_large},
        problem::Problem,
    },
    views::{desk::Correcting, report::CorrectionView},
};

/// A body that is taken.
pub const EXAMPLE: &str = r#"{"slo": "shop/checkout", "at": "2026-10-25T12:00:00Z", "bad": -12, "total": 0, "reason": "load test", "by": "ops-lead"}"#;

/// A correction that somebody wants.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CorrectionWanted")]
pub struct Wanted {
    /// `service/slo`.
    #[schemars(regex(pattern = r"^[^/]*/"))]
    slo: String,
    /// The time it is about; not in the future, and within the slots that are kept.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Bad events more, or less if negative.
    bad: f64,
    /// Events more, or less if negative; the bad ones are among them.
    total: f64,
    /// Why.
    #[schemars(length(min = 1), regex(pattern = r"\S"))]
    reason: String,
    /// Who makes it.
    #[schemars(required, with = "String", length(min = 1, max = BY_MAX), regex(pattern = r"\S"))]
    by: Option<String>,
    /// Of which series, for an SLO with `per`.
    #[serde(default)]
    series: BTreeMap<String, String>,
}

/// `POST /api/v1/corrections`
pub async fn add(State(companion): State<Companion>, body: Body) -> Result<Json<CorrectionView>, Problem> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    let wanted: Wanted = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::invalid(format!("the body is not what is expected: {error}")).help(like()))?;
    let Some((service, slo)) = wanted.slo.split_once('/') else {
        return Err(Problem::invalid("`slo` is not `service/slo`").help(like()));
    };
    let at = DateTime::parse_from_rfc3339(&wanted.at)
        .map_err(|_| Problem::invalid("`at` is not a time").help("write it like `2026-10-25T12:00:00Z`"))?;
    let by = Signed::of(wanted.by).by()?.to_owned();
    let correcting = Correcting {
        slo: SloId::new(service, slo),
        series: wanted.series,
        at: at.to_utc(),
        bad: wanted.bad,
        total: wanted.total,
        reason: wanted.reason,
        by,
    };
    Ok(Json(written(companion.desk.correct(correcting)).await?))
}

fn like() -> String {
    format!("send JSON like {EXAMPLE}")
}
