//! The proof of what was sent and what was not.

use axum::{
    Json,
    extract::{Path, State},
};

use crate::{
    domain::name::SloId,
    http::{Companion, ask::Ask, problem::Problem},
    views::why::{NotPagedView, WhyView},
};

/// `GET /api/v1/incidents/{id}/why`
pub async fn incident(State(companion): State<Companion>, Path(id): Path<String>) -> Result<Json<WhyView>, Problem> {
    Ok(Json(companion.desk.why(&id).await?))
}

/// `GET /api/v1/slos/{service}/{slo}/why?at&policy`
pub async fn not_paged(
    State(companion): State<Companion>,
    Path((service, slo)): Path<(String, String)>,
    ask: Ask,
) -> Result<Json<NotPagedView>, Problem> {
    let (id, labels) = (SloId::new(service, slo), ask.labels(&["at", "policy"]));
    Ok(Json(companion.desk.not_paged(&id, &labels, ask.moment("at")?, ask.get("policy")).await?))
}
