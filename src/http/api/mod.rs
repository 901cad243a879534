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

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// `{"slos": […], "next": null}`.
fn list<T: Serialize>(name: &str, items: &[T], next: Option<&str>) -> Response {
    Json(serde_json::json!({ name: items, "next": next })).into_response()
}
