//! Signed calls: what is handed on of them, and how they are answered.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use slod::{
    http::{Companion, Surface, router},
    views::inbound::{Caller, Reception, Unread},
};

use super::{
    fake_desk::{FakeDesk, StoppedClock},
    send, tcp,
};

fn desk(reception: Option<Reception>) -> FakeDesk {
    FakeDesk { no_tokens: true, reception, ..FakeDesk::default() }
}

fn call(path: &str) -> axum::http::request::Builder {
    Request::post(path).header("host", "anything.example.com")
}

#[tokio::test]
async fn they_need_no_token_and_come_by_any_name() {
    let desk = Arc::new(desk(None));
    let router = router(Companion::new(desk.clone(), Arc::new(StoppedClock)), Surface::Tcp);
    let body = || Body::from(b"\xff raw".to_vec());
    let request = call("/webhooks/pagerduty")
        .header("x-pagerduty-signature", "v1=a,v1=b")
        .header("X-PagerDuty-Signature", "v1=c");
    assert_eq!(send(&router, request.body(body()).unwrap()).await.status, StatusCode::ACCEPTED);
    let request = call("/webhooks/slack").header("x-slack-signature", "v0=a").header("x-slack-request-timestamp", "17");
    let answer = send(&router, request.body(body()).unwrap()).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
    let calls = desk.calls.lock().unwrap();
    let raw = Ok(b"\xff raw".to_vec());
    assert_eq!(calls[0], (Caller::Pagerduty, "v1=a,v1=b,v1=c".to_owned(), String::new(), raw.clone()));
    assert_eq!(calls[1], (Caller::Slack, "v0=a".to_owned(), "17".to_owned(), raw));
}

#[tokio::test]
async fn what_is_not_taken_says_so() {
    for (reception, status) in [
        (Reception::Repeated, 202),
        (Reception::Ignored, 202),
        (Reception::Stale, 202),
        (Reception::Kept, 202),
        (Reception::Denied, 202),
        (Reception::Unconfigured, 403),
        (Reception::Forged, 403),
        (Reception::Expired, 403),
        (Reception::Malformed, 400),
        (Reception::Unavailable, 503),
    ] {
        let answer = send(&tcp(desk(Some(reception))), call("/webhooks/pagerduty").body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{reception:?}");
        if status >= 400 {
            assert_eq!(answer.code(), reception.word());
        }
    }
}

#[tokio::test]
async fn large_ones_are_counted_where_they_are_taken() {
    let large = vec![b'x'; 10 << 20];
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(large.clone())]);
    let broken = futures_util::stream::iter([Ok(vec![b'x'; 10]), Err(std::io::Error::other("gone"))]);
    let announced = call("/webhooks/pagerduty").header("content-length", large.len()).body(Body::from(large)).unwrap();
    for (request, unread) in [
        (announced, Unread::TooLarge),
        (call("/webhooks/slack").body(Body::from_stream(stream)).unwrap(), Unread::TooLarge),
        (call("/webhooks/slack").body(Body::from_stream(broken)).unwrap(), Unread::BrokenOff),
    ] {
        let desk = Arc::new(desk(Some(Reception::TooLarge)));
        let router = router(Companion::new(desk.clone(), Arc::new(StoppedClock)), Surface::Tcp);
        assert_eq!(send(&router, request).await.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(desk.calls.lock().unwrap()[0].3, Err(unread));
    }
}

#[tokio::test]
async fn only_they_are_let_through_so() {
    let router = tcp(desk(None));
    for (request, status) in [
        (Request::get("/webhooks/pagerduty").header("host", "anything.example.com"), 405),
        (call("/webhooks/other"), 421),
        (call("/api/v1/corrections"), 421),
        (call("/webhooks/pagerduty?x=1"), 400),
    ] {
        assert_eq!(send(&router, request.body(Body::empty()).unwrap()).await.status.as_u16(), status);
    }
}
