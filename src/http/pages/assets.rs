//! What pages are dressed in.

use axum::http::header;
use axum::response::IntoResponse;

/// The style.
pub async fn style() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, concat!(include_str!("../assets/slod.css"), include_str!("../assets/forms.css")))
}

/// The icon.
pub async fn icon() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=86400")];
    (headers, include_str!("../assets/favicon.svg"))
}
