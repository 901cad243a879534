//! The companion as people and programs see it: pages, API, metrics, command line, over fixed data.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acting;
mod annotations;
mod api;
mod browser;
mod cli;
mod dashboard;
mod fake_almanac;
mod fake_annotations;
mod fake_dashboard;
mod fake_desk;
mod fixed_data;
mod fixed_proof;
mod guards;
mod incident_head;
mod kept;
mod live_terminal;
mod login;
mod metrics;
mod openapi;
mod page_words;
mod pages;
mod palette;
mod reports;
mod reviews;
mod sockets;
mod terminal;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::Value;
use slod::http::{Companion, Surface, router};
use tower::ServiceExt as _;

use self::fake_desk::{FakeDesk, StoppedClock};

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of an error.
    fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn companion(desk: FakeDesk) -> Companion {
    Companion::new(Arc::new(desk), Arc::new(StoppedClock))
}

fn tcp(desk: FakeDesk) -> Router {
    router(companion(desk), Surface::Tcp)
}

fn local(desk: FakeDesk) -> Router {
    router(companion(desk), Surface::Socket)
}

/// Asks; every answer is held to the document of the API.
async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (method, uri) = (request.method().to_string(), request.uri().to_string());
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
    let answer =
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() };
    openapi::hold(&method, &uri, &answer);
    answer
}

async fn get(router: &Router, path: &str) -> Answer {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn get_as(router: &Router, path: &str, accept: &str) -> Answer {
    send(router, Request::get(path).header("accept", accept).body(Body::empty()).unwrap()).await
}

async fn delete(router: &Router, path: &str, token: Option<&str>, body: &str) -> Answer {
    let mut request = Request::delete(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn post(router: &Router, path: &str, token: Option<&str>, body: &str) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(router, request.body(Body::from(body.to_owned())).unwrap()).await
}
