//! The budget report.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{render_csv::csv, render_markdown::markdown},
};

/// The forms of the report.
pub const FORMATS: [&str; 3] = ["json", "csv", "markdown"];

/// `GET /api/v1/budget?month&service&format`
pub async fn report(State(companion): State<Companion>, ask: Ask) -> Result<Response, Problem> {
    let format = ask.word("format", &FORMATS)?.unwrap_or("json");
    let report = companion.desk.budget(ask.month()?, ask.get("service")).await?;
    Ok(match format {
        "csv" => {
            let name =
                format!("attachment; filename=\"budget-{}.csv\"", report.month.replace(['"', '\\', '\r', '\n'], ""));
            let disposition = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment"));
            let kind = HeaderValue::from_static("text/csv; charset=utf-8");
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], csv(&report)).into_response()
        }
        "markdown" => ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], markdown(&report)).into_response(),
        _ => Json(report).into_response(),
    })
}
