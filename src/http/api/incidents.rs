//! Incidents, and what people do to them.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Response},
};

use super::{list as listed, written};
use crate::{
    http::{
        Companion,
        ask::{Ask, Signed},
        problem::Problem,
    },
    views::{
        desk::{Action, IncidentFilter, Way},
        incident::IncidentView,
    },
};

/// Most incidents of one answer.
pub const INCIDENTS_MAX: usize = 1000;
/// What an incident can be.
pub const STATES: [&str; 3] = ["open", "acknowledged", "resolved"];
/// The forms of one incident.
pub const FORMATS: [&str; 2] = ["json", "markdown"];

type Answer = Result<Json<IncidentView>, Problem>;

/// `GET /api/v1/incidents?state=`
pub async fn list(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let filter = IncidentFilter {
        state: ask.word("state", &STATES)?.map(str::to_owned),
        service: ask.get("service").map(str::to_owned),
        limit: ask.limit(INCIDENTS_MAX)?,
    };
    Ok(listed("incidents", &companion.desk.incidents(filter).await?, None))
}

/// `GET /api/v1/incidents/{id}?format=`
pub async fn one(State(companion): State<Companion>, Path(id): Path<String>, ask: Ask) -> Result<Response, Problem> {
    if ask.word("format", &FORMATS)? == Some("markdown") {
        let text = companion.desk.post_incident(&id).await?;
        return Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response());
    }
    Ok(Json(companion.desk.incident(&id).await?).into_response())
}

/// `POST /api/v1/incidents/{id}/acknowledge`
pub async fn acknowledge(State(companion): State<Companion>, Path(id): Path<String>, way: Way, body: Body) -> Answer {
    let signed = Signed::read(body).await?;
    Ok(Json(written(companion.desk.act(&id, Action::Acknowledge, signed.by()?, way)).await?))
}

/// `POST /api/v1/incidents/{id}/resolve`
pub async fn resolve(State(companion): State<Companion>, Path(id): Path<String>, way: Way, body: Body) -> Answer {
    let signed = Signed::read(body).await?;
    Ok(Json(written(companion.desk.act(&id, Action::Resolve, signed.by()?, way)).await?))
}

/// `POST /api/v1/incidents/{id}/note`
pub async fn note(State(companion): State<Companion>, Path(id): Path<String>, way: Way, body: Body) -> Answer {
    let signed = Signed::read(body).await?;
    let note = Action::Note(signed.text()?.to_owned());
    Ok(Json(written(companion.desk.act(&id, note, signed.by()?, way)).await?))
}

/// `POST /api/v1/incidents/{id}/status-page/approve`
pub async fn approve(State(companion): State<Companion>, Path(id): Path<String>, way: Way, body: Body) -> Answer {
    let signed = Signed::read(body).await?;
    Ok(Json(written(companion.desk.act(&id, Action::ApproveStatus, signed.by_or_api()?, way)).await?))
}

/// `POST /api/v1/incidents/{id}/status-page/discard`
pub async fn discard(State(companion): State<Companion>, Path(id): Path<String>, way: Way, body: Body) -> Answer {
    let signed = Signed::read(body).await?;
    Ok(Json(written(companion.desk.act(&id, Action::DiscardStatus, signed.by_or_api()?, way)).await?))
}
