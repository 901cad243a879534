//! Who was woken how often, and what the running configuration holds.

use axum::{Json, extract::State};

use crate::{
    http::{Companion, ask::Ask, problem::Problem},
    views::{fingerprint::Fingerprint, noise::NoiseReport},
};

/// Days that are looked back unless it is said.
pub const DAYS: u32 = 90;
/// Most days that can be looked back.
pub const DAYS_MAX: u32 = 400;

/// `GET /api/v1/noise?days&service`
pub async fn noise(State(companion): State<Companion>, ask: Ask) -> Result<Json<NoiseReport>, Problem> {
    let days = match ask.get("days") {
        None => DAYS,
        Some(text) => text.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days)).ok_or_else(|| {
            Problem::invalid(format!("`days={text}` is not possible"))
                .help(format!("use a number from 1 to {DAYS_MAX}"))
        })?,
    };
    Ok(Json(companion.desk.noise(days, ask.get("service")).await?))
}

/// `GET /api/v1/config`
pub async fn config(State(companion): State<Companion>) -> Json<Fingerprint> {
    Json(companion.desk.fingerprint())
}
