//! Budget corrections.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::State,
};
use chrono::DateTime;
use serde::Deserialize;

use crate::{
    domain::name::SloId,
    http::{
        Companion,
        ask::{BODY_MAX, Signed, too_large},
        problem::Problem,
    },
    views::{desk::Correcting, report::CorrectionView},
};

const EXAMPLE: &str = r#"send JSON like {"slo": "shop/checkout", "at": "2026-10-25T12:00:00Z", "bad": -12, "total": 0, "reason": "load test", "by": "ops-lead"}"#;

/// `{slo, at, bad, total, reason, by}`, and `series` for an SLO with `per`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    slo: String,
    at: String,
    bad: f64,
    total: f64,
    reason: String,
    by: Option<String>,
    #[serde(default)]
    series: BTreeMap<String, String>,
}

/// `POST /api/v1/corrections`
pub async fn add(State(companion): State<Companion>, body: Body) -> Result<Json<CorrectionView>, Problem> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    let wanted: Wanted = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::invalid(format!("the body is not what is expected: {error}")).help(EXAMPLE))?;
    let Some((service, slo)) = wanted.slo.split_once('/') else {
        return Err(Problem::invalid("`slo` is not `service/slo`").help(EXAMPLE));
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
    Ok(Json(companion.desk.correct(correcting).await?))
}
