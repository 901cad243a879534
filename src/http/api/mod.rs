//! The JSON API.

pub mod almanac;
pub mod annotations;
pub mod budget;
pub mod corrections;
pub mod daemon;
pub mod deliveries;
pub mod incidents;
pub mod silences;
pub mod slos;
pub mod why;

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    forms::posted::{Refusal, within},
    problem::Problem,
};
use crate::views::desk::DeskError;

/// How long a program waits to hear that something is written.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// Does what writes. What the store does not take in time may still count, and the answer says so.
async fn written<T>(work: impl Future<Output = Result<T, DeskError>>) -> Result<T, Problem> {
    within(WRITE_LIMIT, work).await.map_err(|refusal| match refusal {
        Refusal::Desk(error) => error.into(),
        Refusal::Form(problem) => {
            problem.help("look at it again before you send it again; /-/ready says when the store can be written")
        }
    })
}

/// `{"slos": […], "next": null}`.
fn list<T: Serialize>(name: &str, items: &[T], next: Option<&str>) -> Response {
    Json(serde_json::json!({ name: items, "next": next })).into_response()
}
