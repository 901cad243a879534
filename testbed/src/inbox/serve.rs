//! The inbox's HTTP side.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, OriginalUri, Query, State},
    http::{HeaderMap, Method, Response, StatusCode, header},
    routing::{get, post},
};
use tokio::net::TcpListener;

use super::{
    fault::{Fault, Switch},
    page,
    request::{Received, Reply, Request},
    world::{Shared, now},
};

const BODY_MAX: usize = 4 << 20;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let app = Router::new()
        .route("/", get(page))
        .route("/log", get(log))
        .route("/faults", post(switch))
        .route("/reset", post(reset))
        .fallback(receive)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(shared);
    let _ = axum::serve(listener, app).await;
}

async fn page(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let html = page::page(&shared.world().log);
    answer(200, "text/html; charset=utf-8", html, None)
}

async fn log(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let json = serde_json::to_string(&shared.world().log).unwrap_or_default();
    answer(200, "application/json", json, None)
}

async fn switch(State(shared): State<Arc<Shared>>, body: Bytes) -> Response<Body> {
    let switch = serde_json::from_slice::<Switch>(&body).map_err(|error| error.to_string());
    match switch.and_then(|switch| Ok((switch.fault()?, switch))) {
        Ok((fault, switch)) => {
            shared.world().faults.add(&switch.path, fault, switch.times);
            answer(200, "application/json", "{}".to_owned(), None)
        }
        Err(error) => answer(400, "text/plain", error, None),
    }
}

async fn reset(State(shared): State<Arc<Shared>>) -> Response<Body> {
    shared.reset();
    answer(200, "application/json", "{}".to_owned(), None)
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    raw: Bytes,
) -> Response<Body> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query,
        headers: headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        raw: raw.to_vec(),
    };
    let fault = shared.world().faults.meet(&request.path);
    match &fault {
        Some(Fault::Hang(Some(time))) => tokio::time::sleep(*time).await,
        Some(Fault::Hang(None)) => {
            record(&shared, &request, &Reply::text(0, ""), fault.as_ref(), Vec::new());
            shared.ended().await;
            hang_up()
        }
        _ => {}
    }
    let mut problems = Vec::new();
    let (reply, wait) = match &fault {
        None | Some(Fault::Hang(_) | Fault::Lost) => (shared.world().take(&request, &mut problems), None),
        Some(Fault::Drop) => (Reply::text(0, ""), None),
        Some(Fault::Garbage) => (Reply { kind: "text/html", ..Reply::text(200, "<html>not what you think") }, None),
        Some(Fault::Status(status)) => (Reply::text(*status, "switched on"), None),
        Some(Fault::Busy(status, wait)) => (Reply::text(*status, "switched on"), Some(*wait)),
        Some(Fault::Says(status, body)) => (Reply { body: body.clone(), ..Reply::json(*status, &().into()) }, None),
    };
    record(&shared, &request, &reply, fault.as_ref(), problems);
    if matches!(fault, Some(Fault::Drop | Fault::Lost)) {
        hang_up();
    }
    let mut response = answer(reply.status, reply.kind, reply.body, wait);
    // That vendor says it in a header of its own.
    if request.path.starts_with("/pagerduty/incidents")
        && let Some(seconds) = response.headers_mut().remove(header::RETRY_AFTER)
    {
        response.headers_mut().insert("ratelimit-reset", seconds);
    }
    response
}

fn record(shared: &Shared, request: &Request, reply: &Reply, fault: Option<&Fault>, problems: Vec<String>) {
    shared.record(Received {
        at: now(),
        peer: request.peer(),
        method: request.method.clone(),
        path: request.path.clone(),
        agent: request.header("user-agent").to_owned(),
        body: request.body(),
        summary: reply.summary.clone(),
        status: reply.status,
        fault: fault.map(Fault::word),
        problems,
    });
}

/// Closes the connection without an answer: the connection's task ends here, quietly.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the connection is dropped on purpose"))
}

fn answer(status: u16, kind: &'static str, body: String, wait: Option<u64>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::inbox::Inbox;

    #[tokio::test]
    async fn it_can_be_watched_and_switched_from_outside() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inbox = Inbox::start().await;
        let client = reqwest::Client::new();
        let post = async |path: &str, body: &'static str| client.post(inbox.url(path)).body(body).send().await;
        assert_eq!(post("/faults", r#"{"path":"/slack","mode":"429","after":9}"#).await.unwrap().status(), 200);
        assert_eq!(post("/faults", r#"{"path":"/slack","mode":"nonsense"}"#).await.unwrap().status(), 400);
        let busy = post("/slack/api/chat.postMessage", "").await.unwrap();
        assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "9"));
        post("/faults", r#"{"path":"/pagerduty","mode":"drop"}"#).await.unwrap();
        assert!(post("/pagerduty/v2/enqueue", "").await.is_err());
        post("/pagerduty/v2/enqueue", "<b>").await.unwrap();
        inbox.wait_for(|received| received.len() == 3, Duration::from_secs(5)).await.unwrap();
        assert_eq!(inbox.problems().len(), 1);
        let read = async |path: &str| client.get(inbox.url(path)).send().await.unwrap().text().await.unwrap();
        let log: Vec<serde_json::Value> = serde_json::from_str(&read("/log").await).unwrap();
        assert_eq!((log.len(), log[0]["fault"].as_str()), (3, Some("429")));
        let page = read("/").await;
        assert!(page.contains("PagerDuty") && page.contains("&lt;b&gt;") && !page.contains("<b>\""), "{page}");
        post("/reset", "").await.unwrap();
        assert!(inbox.received().is_empty());
        assert!(inbox.wait_for(|received| !received.is_empty(), Duration::from_millis(20)).await.is_err());
    }
}
