//! The outbox.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::Response,
};

use super::{list as listed, written};
use crate::{
    http::{
        Companion,
        ask::{Ask, Signed},
        problem::Problem,
    },
    views::incident::DeliveryView,
};

/// Most deliveries of one answer.
pub const DELIVERIES_MAX: usize = 1000;
/// What a delivery can be.
pub const STATES: [&str; 6] = ["queued", "sending", "retry", "sent", "dead", "dropped"];

type Answer = Result<Json<DeliveryView>, Problem>;

/// `GET /api/v1/deliveries?state=`
pub async fn list(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let (state, limit) = (ask.word("state", &STATES)?, ask.limit(DELIVERIES_MAX)?);
    Ok(listed("deliveries", &companion.desk.deliveries(state, limit).await?, None))
}

/// `GET /api/v1/deliveries/{id}`
pub async fn one(State(companion): State<Companion>, Path(id): Path<String>) -> Answer {
    Ok(Json(companion.desk.delivery(row(&id)?).await?))
}

/// `POST /api/v1/deliveries/{id}/retry`
pub async fn retry(State(companion): State<Companion>, Path(id): Path<String>, body: Body) -> Answer {
    Signed::read(body).await?;
    let id = row(&id)?;
    written(companion.desk.retry(id)).await?;
    Ok(Json(companion.desk.delivery(id).await?))
}

/// `POST /api/v1/notify-test/{receiver}`
pub async fn notify_test(State(companion): State<Companion>, Path(receiver): Path<String>, body: Body) -> Answer {
    let signed = Signed::read(body).await?;
    let id = written(companion.desk.notify_test(&receiver, signed.by_or_api()?)).await?;
    Ok(Json(companion.desk.delivery(id).await?))
}

fn row(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| {
        Problem::not_found(format!("there is no delivery `{id}`")).help("deliveries have numbers: /api/v1/deliveries")
    })
}
