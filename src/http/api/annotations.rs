//! Annotations.

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, State},
    response::Response,
};
use chrono::DateTime;
use schemars::JsonSchema;
use serde::Deserialize;

use super::list as listed;
use crate::{
    domain::{
        annotation::{self, Kind, TEXT_MAX, URL_MAX},
        name::Name,
    },
    http::{
        Companion,
        ask::{Ask, BODY_MAX, BY_MAX, Signed, too_large},
        problem::Problem,
    },
    views::annotation::{AnnotationFilter, AnnotationView},
};

/// Most annotations of one answer.
pub const ANNOTATIONS_MAX: usize = 1000;
/// A body that is taken.
pub const EXAMPLE: &str = r#"{"kind": "deploy", "text": "checkout 4.2.1", "service": "shop", "url": "https://ci.example/builds/4711", "by": "ci"}"#;

/// An annotation that somebody wants.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AnnotationWanted")]
pub struct Wanted {
    /// deploy or note; a note if unsaid.
    #[schemars(regex(pattern = "^(deploy|note)$"))]
    kind: Option<String>,
    /// When it was; now if unsaid. At most 5 minutes ahead, and within the slots that are kept. The same said again stands
    /// once: of the same time, and without a time within 10 minutes.
    #[schemars(extend("format" = "date-time"))]
    at: Option<String>,
    /// One line.
    #[schemars(required, with = "String", length(min = 1, max = TEXT_MAX), regex(pattern = r"\S"))]
    text: Option<String>,
    /// Where to read on: an http or https address without user or password.
    #[schemars(length(max = URL_MAX), regex(pattern = "^[Hh][Tt][Tt][Pp][Ss]?:"))]
    url: Option<String>,
    /// Which service it concerns; all if unsaid.
    service: Option<String>,
    /// Who says it.
    #[schemars(required, with = "String", length(min = 1, max = BY_MAX), regex(pattern = r"\S"))]
    by: Option<String>,
}

/// `GET /api/v1/annotations?service=&from=&to=`
pub async fn list(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let (from, to) = (ask.moment("from")?, ask.moment("to")?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Problem::invalid("`from` is not before `to`"));
    }
    let service = ask.get("service").map(str::to_owned);
    let filter = AnnotationFilter { service, from, to, limit: ask.limit(ANNOTATIONS_MAX)? };
    Ok(listed("annotations", &companion.desk.annotations(filter).await?, None))
}

/// `POST /api/v1/annotations`
pub async fn add(State(companion): State<Companion>, body: Body) -> Result<Json<AnnotationView>, Problem> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
    let wanted: Wanted = serde_json::from_slice(&bytes).map_err(|error| {
        Problem::invalid(format!("the body is not what is expected: {error}")).help(format!("send JSON like {EXAMPLE}"))
    })?;
    let kind = wanted.kind.as_deref().map_or(Some(Kind::Note), Kind::of);
    let kind = kind.ok_or_else(|| {
        Problem::invalid("`kind` is not known").help(format!("use {}, or leave it out", Kind::WORDS.join(", ")))
    })?;
    let at = wanted.at.as_deref().map(DateTime::parse_from_rfc3339).transpose();
    let at = at.map_err(|_| {
        Problem::invalid("`at` is not a time").help("write it like `2026-10-25T12:00:00Z`, or leave it out for now")
    })?;
    let by = Signed::of(wanted.by).by()?.to_owned();
    let wanted = annotation::Wanted {
        kind,
        at: at.map(|at| at.to_utc()),
        text: wanted.text.unwrap_or_default(),
        url: wanted.url,
        service: wanted.service.map(Name::from),
        by,
    };
    Ok(Json(companion.desk.annotate(wanted).await?))
}

/// `DELETE /api/v1/annotations/{id}`
pub async fn remove(
    State(companion): State<Companion>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<AnnotationView>, Problem> {
    let signed = Signed::read(body).await?;
    let id = id.parse().map_err(|_| {
        Problem::not_found(format!("there is no annotation `{id}`"))
            .help("annotations have numbers: /api/v1/annotations")
    })?;
    Ok(Json(companion.desk.unannotate(id, signed.by_or_api()?).await?))
}
