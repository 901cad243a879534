//! What is written once for all who ask within a second.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, Request, StatusCode},
};
use chrono::{DateTime, TimeDelta, Utc};
use slod::{
    clock::Clock,
    http::{Companion, Surface, router},
};

use super::{Answer, fake_desk::FakeDesk, fixed_data::now, post, send};

/// What is tried, the page and its headers.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Tells another time each time it is asked, so that no two pages that were made are the same.
#[derive(Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        now() + TimeDelta::seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

fn companion() -> Router {
    router(Companion::new(Arc::new(FakeDesk::default()), Arc::new(Ticking::default())), Surface::Tcp)
}

async fn ask(router: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path).header("accept", "text/html").header("host", "127.0.0.1");
    for (name, value) in headers {
        request.headers_mut().unwrap().insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn one_page_is_written_for_all_who_ask_at_once() {
    let router = companion();
    for path in ["/", "/?state=burning", "/inventory/health?embed=1"] {
        let (one, other) = tokio::join!(ask(&router, path, &[]), ask(&router, path, &[]));
        assert_eq!((one.status, &one.text), (StatusCode::OK, &other.text), "{path}");
        let later = ask(&router, path, &[]).await;
        assert_eq!(later.text, one.text, "{path}");
        assert_eq!(later.headers, one.headers, "{path}");
    }
}

#[tokio::test]
async fn nobody_is_given_what_was_written_for_another() {
    let long = format!("text/html{}", ", text/plain;q=0.1".repeat(60));
    let cases: &[Case<'_>] = &[
        ("a session", "/", &[("cookie", "slod=1")]),
        ("a token", "/", &[("authorization", "Bearer reads")]),
        ("a long question", "/", &[("accept", &long)]),
        ("no page of all", "/inventory/alerts", &[]),
        ("an error", "/?sort=upwards", &[]),
    ];
    for (what, path, headers) in cases {
        let router = companion();
        let first = ask(&router, path, headers).await;
        let second = ask(&router, path, headers).await;
        assert_eq!(first.status, second.status, "{what}");
        assert_ne!(first.text, second.text, "{what}: {}", first.text);
    }
    let router = companion();
    let page = ask(&router, "/", &[]).await;
    for (what, path, headers) in [
        ("another page", "/?embed=1", [("x-a", "1")]),
        ("another form", "/", [("accept", "application/json;q=2")]),
        ("another host", "/", [("host", "localhost")]),
        ("a session", "/", [("cookie", "slod=1")]),
    ] {
        assert_ne!(ask(&router, path, &headers).await.text, page.text, "{what}");
    }
    assert_eq!(ask(&router, "/", &[("host", "evil.example")]).await.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(ask(&router, "/", &[]).await.text, page.text, "and the page is still kept");
}

/// Whoever acts sees what came of it.
#[tokio::test]
async fn an_act_ends_what_is_kept() {
    let router = companion();
    let page = ask(&router, "/", &[]).await.text;
    let refused = post(&router, "/api/v1/incidents/7/acknowledge", None, "{}").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&router, "/", &[]).await.text, page, "what was refused has changed nothing");
    let taken = post(&router, "/api/v1/incidents/7/acknowledge", Some("acts"), r#"{"by": "ann"}"#).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    assert_ne!(ask(&router, "/", &[]).await.text, page);
}
