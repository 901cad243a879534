//! Trying a message again.

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{
    outcome::Outcome,
    posted::{Posted, Refusal, Sent, back},
};
use crate::{
    http::{Companion, here, problem::Problem},
    views::desk::DeskError,
};

/// `POST /delivery/{id}/retry`
pub async fn retry(
    State(companion): State<Companion>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let row = id.parse().map_err(|_| {
        Problem::not_found(format!("there is no message `{id}`")).help("messages have numbers: /sources lists them")
    })?;
    let incident = companion.desk.delivery(row).await?.incident;
    let place = match incident.filter(|_| posted.form.get("from") != "sources") {
        Some(incident) => format!("/incident/{}", here::segment(&incident)),
        None => "/sources".to_owned(),
    };
    match posted.once(&companion, companion.desk.retry(row)).await {
        Ok(Sent::Done(())) => {
            tracing::info!(by = posted.person.name, delivery = row, "a message is tried again");
            Ok(back(&place, Outcome::Retried))
        }
        Ok(Sent::Again) => Ok(back(&place, Outcome::Again)),
        Err(Refusal::Desk(DeskError::Conflict(_))) => Ok(back(&place, Outcome::NotWaiting)),
        Err(refusal) => Err(refusal.into()),
    }
}
