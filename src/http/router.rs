//! Joins routes, handlers and guards.

use axum::{
    Router,
    http::{StatusCode, Uri},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use super::{
    Companion, Surface, api, forms,
    guard::{self, Front},
    kept, observe, openapi, pages,
    problem::Problem,
    routes, session, webhooks,
};

/// Everything under [`routes::ROUTES`], for one surface.
pub fn router(companion: Companion, surface: Surface) -> Router {
    let front = Front { companion: companion.clone(), surface };
    let all = Router::new().merge(page_routes()).merge(form_routes()).merge(api_routes()).merge(daemon_routes());
    all.method_not_allowed_fallback(wrong_method)
        .fallback(nothing_here)
        .layer(from_fn_with_state(front.clone(), guard::admit))
        .layer(from_fn_with_state(front.clone(), guard::limit))
        .layer(CatchPanicLayer::custom(|_| broken()))
        .layer(from_fn_with_state(front.clone(), guard::dress))
        .layer(from_fn_with_state(front.clone(), session::know))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(front.clone(), kept::keep))
        .layer(from_fn_with_state(front, observe::record))
        .with_state(companion)
}

fn page_routes() -> Router<Companion> {
    Router::new()
        .route("/", get(pages::overview::show))
        .route("/{service}/health", get(pages::service::health))
        .route("/{service}/alerts", get(pages::alerts::show))
        .route("/{service}/optimization", get(pages::optimization::show))
        .route("/{service}/budget", get(pages::budget::show))
        .route("/slo/{service}/{slo}", get(pages::slo::show))
        .route("/incident/{id}", get(pages::incident::show))
        .route("/incident/{id}/resolve", get(pages::confirm::resolve).post(forms::incident::resolve))
        .route("/incident/{id}/status-page/approve", get(pages::confirm::approve).post(forms::incident::approve))
        .route("/incident/{id}/status-page/discard", get(pages::confirm::discard).post(forms::incident::discard))
        .route("/silences", get(pages::silences::show).post(forms::silences::add))
        .route("/sources", get(pages::sources::show))
        .route("/assets/slod.css", get(pages::assets::style))
        .route("/assets/reader.css", get(pages::assets::reader_style))
        .route("/assets/slod.js", get(pages::assets::script))
        .route("/favicon.svg", get(pages::assets::icon))
        .route("/favicon.ico", get(pages::assets::icon))
        .route("/badge/{service}/{slo}", get(pages::badge::show))
}

fn form_routes() -> Router<Companion> {
    Router::new()
        .route("/login", get(forms::login::show).post(forms::login::log_in))
        .route("/logout", post(forms::login::log_out))
        .route("/incident/{id}/acknowledge", post(forms::incident::acknowledge))
        .route("/incident/{id}/note", post(forms::incident::note))
        .route("/incident/{id}/silence", post(forms::incident::silence))
        .route("/delivery/{id}/retry", post(forms::deliveries::retry))
        .route("/silences/{id}/expire", post(forms::silences::expire))
}

fn api_routes() -> Router<Companion> {
    Router::new()
        .route("/api", get(openapi::show))
        .route("/api/openapi.json", get(openapi::json))
        .route("/api/{service}/health-metrics", get(api::slos::health_metrics))
        .route("/api/v1/status", get(api::daemon::status))
        .route("/api/v1/slos", get(api::slos::list))
        .route("/api/v1/slos/{service}/{slo}", get(api::slos::one))
        .route("/api/v1/slos/{service}/{slo}/slots", get(api::slos::slots))
        .route("/api/v1/slos/{service}/{slo}/explain", get(api::slos::explain))
        .route("/api/v1/slos/{service}/{slo}/why", get(api::why::not_paged))
        .route("/api/v1/budget", get(api::budget::report))
        .route("/api/v1/noise", get(api::almanac::noise))
        .route("/api/v1/config", get(api::almanac::config))
        .route("/api/v1/incidents", get(api::incidents::list))
        .route("/api/v1/incidents/{id}", get(api::incidents::one))
        .route("/api/v1/incidents/{id}/why", get(api::why::incident))
        .route("/api/v1/incidents/{id}/acknowledge", post(api::incidents::acknowledge))
        .route("/api/v1/incidents/{id}/resolve", post(api::incidents::resolve))
        .route("/api/v1/incidents/{id}/note", post(api::incidents::note))
        .route("/api/v1/incidents/{id}/status-page/approve", post(api::incidents::approve))
        .route("/api/v1/incidents/{id}/status-page/discard", post(api::incidents::discard))
        .route("/api/v1/deliveries", get(api::deliveries::list))
        .route("/api/v1/deliveries/{id}", get(api::deliveries::one))
        .route("/api/v1/deliveries/{id}/retry", post(api::deliveries::retry))
        .route("/api/v1/corrections", post(api::corrections::add))
        .route("/api/v1/annotations", get(api::annotations::list).post(api::annotations::add))
        .route("/api/v1/annotations/{id}", delete(api::annotations::remove))
        .route("/api/v1/silences", get(api::silences::list).post(api::silences::add))
        .route("/api/v1/silences/{id}", delete(api::silences::expire))
        .route("/api/v1/notify-test/{receiver}", post(api::deliveries::notify_test))
}

fn daemon_routes() -> Router<Companion> {
    Router::new()
        .route("/metrics", get(api::daemon::metrics))
        .route("/-/healthy", get(api::daemon::healthy))
        .route("/-/ready", get(api::daemon::ready))
        .route("/-/reload", post(api::daemon::reload))
        .route("/webhooks/pagerduty", post(webhooks::pagerduty))
        .route("/webhooks/slack", post(webhooks::slack))
}

async fn nothing_here(uri: Uri) -> Problem {
    Problem::not_found(format!("there is no `{}`", uri.path())).help(routes::overview())
}

async fn wrong_method(uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("`{}` is not asked this way", uri.path()),
    )
    .help("the `Allow` header lists the methods")
}

/// What a panic answers: nothing of what it said.
fn broken() -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "slod has a fault; the log says more").into_response()
}
