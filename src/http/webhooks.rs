//! Calls from outside that carry no token but a signature over their body.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Companion, ask::BODY_MAX, problem::Problem};
use crate::views::inbound::{Call, Caller, Unread};

/// How long a body may take: callers give up after a few seconds themselves.
const BODY_LIMIT: Duration = Duration::from_secs(3);

/// `POST /webhooks/pagerduty`
pub async fn pagerduty(State(companion): State<Companion>, headers: HeaderMap, body: Body) -> Response {
    let signatures = joined(&headers, "x-pagerduty-signature");
    receive(&companion, Caller::Pagerduty, &signatures, "", body, StatusCode::ACCEPTED).await
}

/// `POST /webhooks/slack`
pub async fn slack(State(companion): State<Companion>, headers: HeaderMap, body: Body) -> Response {
    let (signatures, at) = (joined(&headers, "x-slack-signature"), joined(&headers, "x-slack-request-timestamp"));
    receive(&companion, Caller::Slack, &signatures, &at, body, StatusCode::OK).await
}

async fn receive(
    companion: &Companion,
    caller: Caller,
    signatures: &str,
    timestamp: &str,
    body: Body,
    taken: StatusCode,
) -> Response {
    let body = read(body).await;
    let body = body.as_deref().map_err(|unread| *unread);
    let reception = companion.desk.receive(Call { caller, signatures, timestamp, body }).await;
    let Some((status, message)) = reception.refusal() else { return taken.into_response() };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = Problem::new(status, reception.word(), message).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    match tokio::time::timeout(BODY_LIMIT, to_bytes(body, BODY_MAX)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.to_string().contains("length limit") => Err(Unread::TooLarge),
        Ok(Err(_)) | Err(_) => Err(Unread::BrokenOff),
    }
}

/// All values of a header, as one list.
fn joined(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}
