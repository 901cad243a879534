//! Prometheus sources against servers that are not what they seem.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::join_all;
use slod::{
    config::{
        model::{Indicator, Prometheus, SourceKind},
        secret::Secret,
    },
    domain::slot::Span,
};

use super::{
    LIMIT, asking, at_most,
    evil::{Evil, EvilServer, whole},
    number_query, only, prometheus_at, shown,
};

const SLOT: Span = Span { start: 60, end: 120 };
const GOOD: &str = r#"{"status":"success","warnings":["half"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"5"]}]}}"#;

fn value() -> Indicator {
    Indicator::Value { query: number_query("x"), unit: None, good: at_most(9.0) }
}

#[tokio::test]
async fn bad_answers_are_told_apart() {
    for (evil, expected) in [
        (Evil::says("200 OK", "", GOOD), "1/1 at 5.000".to_owned()),
        (
            Evil::says("200 OK", "", "<html>login</html>"),
            "error: unreadable answer: not JSON: `<html>login</html>`".to_owned(),
        ),
        (Evil::Says("\u{1}garbage".to_owned()), "error: cannot reach ADDRESS: invalid HTTP version parsed".to_owned()),
        (
            Evil::Says(String::new()),
            "error: cannot reach ADDRESS: connection closed before message completed".to_owned(),
        ),
        (
            Evil::Says("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_owned()),
            "error: cannot reach ADDRESS: end of file before message length reached".to_owned(),
        ),
        (
            Evil::says("503 Service Unavailable", "", "Service Unavailable"),
            "error: ADDRESS cannot answer: 503 Service Unavailable: `Service Unavailable`".to_owned(),
        ),
        (
            Evil::says("302 Found", "location: http://127.0.0.2:1/\r\n", ""),
            "error: ADDRESS cannot answer: it redirects (302 Found), which is not followed; write the final address"
                .to_owned(),
        ),
        (
            Evil::says("200 OK", "content-encoding: gzip\r\n", "no gzip"),
            "error: cannot reach ADDRESS: invalid gzip header".to_owned(),
        ),
        (Evil::Endless, "error: answer over 16777216 bytes".to_owned()),
        (
            Evil::Says("HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n".to_owned()),
            "error: answer over 16777216 bytes".to_owned(),
        ),
    ] {
        let server = EvilServer::start(evil).await;
        let source = only(SourceKind::Prometheus(prometheus_at(&server.url())));
        let answer = source.read(asking(&value(), SLOT), SLOT, LIMIT).await;
        assert_eq!(shown(&answer), expected.replace("ADDRESS", &server.address.to_string()));
        assert_eq!(
            answer.ok().and_then(|answer| answer.degraded),
            expected.starts_with("1/1").then(|| "half".to_owned())
        );
    }
}

#[tokio::test]
async fn slow_answers_are_cut_off() {
    for evil in [Evil::Drips, Evil::Stalls] {
        let server = EvilServer::start(evil).await;
        let limit = Duration::from_millis(300);
        let source = only(SourceKind::Prometheus(prometheus_at(&server.url())));
        assert_eq!(shown(&source.read(asking(&value(), SLOT), SLOT, limit).await), "error: no answer within 300ms");
        let impatient = Prometheus { timeout: limit, ..prometheus_at(&server.url()) };
        let source = only(SourceKind::Prometheus(impatient));
        assert_eq!(shown(&source.read(asking(&value(), SLOT), SLOT, LIMIT).await), "error: no answer within 300ms");
    }
}

#[tokio::test]
async fn questions_carry_what_they_must() {
    let server = EvilServer::start(Evil::says("200 OK", "", GOOD)).await;
    let settings = Prometheus {
        basic: Some(("ann".to_owned(), Secret::new("open sesame"))),
        headers: [("X-Extra".to_owned(), Secret::new("1"))].into(),
        tenant: Some("us".to_owned()),
        ..prometheus_at(&format!("{}/prefix/", server.url()))
    };
    only(SourceKind::Prometheus(settings)).read(asking(&value(), SLOT), SLOT, LIMIT).await.unwrap();
    let asked = server.asked.lock().unwrap().remove(0);
    for part in [
        "POST /prefix/api/v1/query HTTP/1.1",
        "user-agent: slod/",
        "content-type: application/x-www-form-urlencoded",
        "x-scope-orgid: us",
        "x-extra: 1",
        "authorization: Basic YW5uOm9wZW4gc2VzYW1l",
        "query=x&time=120&timeout=10000ms",
        "partial_response=false",
    ] {
        assert!(asked.contains(part), "{part} is not in\n{asked}");
    }

    let bearer = Prometheus { bearer: Some(Secret::new("token")), ..prometheus_at(&server.url()) };
    only(SourceKind::Prometheus(bearer)).ping(LIMIT).await.unwrap();
    let asked = server.asked.lock().unwrap().remove(0);
    assert!(asked.contains("authorization: Bearer token") && asked.contains("POST /api/v1/query "), "{asked}");
}

#[tokio::test]
async fn only_so_many_questions_at_once() {
    let slow = Evil::Dawdles(Duration::from_millis(40), whole("200 OK", "", GOOD));
    let server = EvilServer::start(slow).await;
    let settings = Prometheus { max_concurrency: 2, ..prometheus_at(&server.url()) };
    let source = only(SourceKind::Prometheus(settings));
    let value = value();
    let answers = join_all((0..10).map(|_| source.read(asking(&value, SLOT), SLOT, LIMIT))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.peak.load(Ordering::SeqCst), 2);
}
