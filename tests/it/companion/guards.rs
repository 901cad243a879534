//! Who may do what, how much, and what an answer carries.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use slod::{
    http::{Companion, Surface, router},
    views::desk::Action,
};

use super::{
    delete,
    fake_desk::{FakeDesk, StoppedClock},
    get, get_as, local, post, send, tcp,
};

const ACK: &str = "/api/v1/incidents/7/acknowledge";
const BY: &str = r#"{"by":"ops-lead"}"#;

#[tokio::test]
async fn writing_over_tcp_takes_a_token_that_may_operate() {
    let router = tcp(FakeDesk::default());
    let cases = [
        (None, 401, "unauthorized"),
        (Some("guessed"), 401, "unauthorized"),
        (Some("looks"), 403, "forbidden"),
        (Some("acts"), 200, ""),
        (Some("owns"), 200, ""),
    ];
    for (token, status, code) in cases {
        for path in [ACK, "/-/reload", "/api/v1/notify-test/ops-pager", "/api/v1/deliveries/2/retry"] {
            let answer = post(&router, path, token, BY).await;
            assert_eq!(answer.status.as_u16(), status, "{path} {token:?}: {}", answer.text);
            if !code.is_empty() {
                assert_eq!(answer.code(), code, "{path} {token:?}");
            }
        }
        let answer = delete(&router, "/api/v1/silences/7", token, "").await;
        assert_eq!(answer.status.as_u16(), status, "{token:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn without_configured_tokens_tcp_only_reads() {
    let desk = || FakeDesk { no_tokens: true, ..FakeDesk::default() };
    for token in [None, Some("acts")] {
        let answer = post(&tcp(desk()), ACK, token, BY).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "read_only"));
        assert!(answer.json()["error"]["help"].as_str().unwrap().contains("daemon.tokens"));
    }
    assert_eq!(delete(&tcp(desk()), "/api/v1/silences/7", None, "").await.code(), "read_only");
    assert_eq!(post(&local(desk()), ACK, None, BY).await.status, StatusCode::OK);
    assert_eq!(get(&tcp(desk()), "/api/v1/slos").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_people_do_reaches_the_desk() {
    let desk = Arc::new(FakeDesk::default());
    let router = router(Companion::new(desk.clone(), Arc::new(StoppedClock)), Surface::Socket);
    let note = r#"{"by":"ops-lead","text":" restarted the sync "}"#;
    for (action, body) in
        [("acknowledge", BY), ("resolve", BY), ("note", note), ("status-page/approve", BY), ("status-page/discard", "")]
    {
        let answer = post(&router, &format!("/api/v1/incidents/7/{action}"), None, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{action}: {}", answer.text);
        assert_eq!(answer.json()["id"], "7");
    }
    let acts = desk.acts.lock().unwrap();
    let expected = [
        (Action::Acknowledge, "ops-lead"),
        (Action::Resolve, "ops-lead"),
        (Action::Note("restarted the sync".into()), "ops-lead"),
        (Action::ApproveStatus, "ops-lead"),
        (Action::DiscardStatus, "api"),
    ];
    for ((incident, action, by), (wanted, who)) in acts.iter().zip(expected) {
        assert_eq!((incident.as_str(), action, by.as_str()), ("7", &wanted, who));
    }
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let router = local(FakeDesk::default());
    let note = "/api/v1/incidents/7/note";
    let cases = [
        (ACK, "", "`by` is missing"),
        (ACK, r#"{"by":" "}"#, "`by` is missing"),
        (ACK, r#"{"by":"x","test":"y"}"#, "unknown field `test`"),
        (ACK, "by=x", "the body is not what is expected"),
        (note, BY, "`text` is missing"),
    ];
    for (path, body, message) in cases {
        let answer = post(&router, path, None, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(message), "{}", answer.text);
    }
    assert_eq!(post(&router, "/api/v1/deliveries/1/retry", None, "").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let router = local(FakeDesk::default());
    let large = format!(r#"{{"by":"x","text":"{}"}}"#, "a".repeat(1024 * 1024));
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(large.clone())]);
    let announced = Request::post(ACK).header("content-length", large.len()).body(Body::from(large)).unwrap();
    let unannounced = Request::post(ACK).body(Body::from_stream(stream)).unwrap();
    for request in [announced, unannounced] {
        let answer = send(&router, request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    }
}

#[tokio::test]
async fn unknown_query_keys_are_refused_everywhere() {
    let router = tcp(FakeDesk::default());
    let paths =
        ["/", "/inventory/health", "/slo/inventory/api-response-time", "/api/v1/slos", "/metrics", "/-/healthy"];
    for path in paths {
        let answer = get(&router, &format!("{path}?colour=red")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "invalid"), "{path}");
        assert!(answer.text.contains("colour"), "{path}");
    }
    let answer = get(&router, "/api/v1/budget?months=2026-10").await.json();
    assert_eq!(answer["error"]["help"], "known: month, service, format");
    assert_eq!(get(&router, "/api/v1/budget?month=2026-10&month=2026-09").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_refused_reload_says_the_problems() {
    let answer = post(&local(FakeDesk { config_is_bad: true, ..FakeDesk::default() }), "/-/reload", None, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "config_rejected"));
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("slo.yaml:88:9"));
    let answer = post(&local(FakeDesk::default()), "/-/reload", None, "").await;
    assert_eq!(answer.json()["changed"], "1 SLO added");
}

#[tokio::test]
async fn a_store_that_is_gone_is_503() {
    let router = tcp(FakeDesk { store_is_gone: true, ..FakeDesk::default() });
    for path in ["/api/v1/incidents", "/api/v1/budget", "/metrics", "/inventory/alerts"] {
        let answer = get(&router, path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"), "{path}");
    }
}

#[tokio::test]
async fn a_panic_ends_one_answer_and_says_nothing() {
    let router = tcp(FakeDesk { faulty: true, ..FakeDesk::default() });
    let answer = get(&router, "/api/v1/incidents").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
    assert!(!answer.text.contains("secret"));
    assert_eq!(get(&router, "/api/v1/slos").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let router = tcp(FakeDesk::default());
    for path in ["/", "/api/v1/slos", "/nothing/here", "/metrics", "/assets/slod.css", "/?x=1"] {
        let answer = get(&router, path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn browsers_get_errors_as_pages_that_name_what_exists() {
    let router = tcp(FakeDesk::default());
    for path in ["/nope/health", "/nothing", "/slo/inventory/nope", "/incident/8"] {
        let page = get_as(&router, path, "text/html,*/*;q=0.8").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(page.text.contains("href=\"/inventory/health\""), "{path}");
        assert_eq!(get(&router, path).await.code(), "not_found", "{path}");
    }
    assert!(get(&router, "/nope/health").await.json()["error"]["help"].as_str().unwrap().contains("inventory, quiet"));
}

#[tokio::test]
async fn a_loopback_daemon_answers_to_loopback_names_only() {
    let ask = |host: &str| Request::get("/api/v1/slos").header("host", host).body(Body::empty()).unwrap();
    let hosts = [
        ("127.0.0.1:9720", 200),
        ("localhost:9720", 200),
        ("[::1]:9720", 200),
        ("10.0.0.7", 200),
        ("rebound.example.com", 421),
    ];
    for (host, status) in hosts {
        let answer = send(&tcp(FakeDesk::default()), ask(host)).await;
        assert_eq!(answer.status.as_u16(), status, "{host}");
    }
    let public = tcp(FakeDesk { external_url: Some("https://slo.example.com".into()), ..FakeDesk::default() });
    assert_eq!(send(&public, ask("slo.example.com")).await.status, StatusCode::OK);
    assert_eq!(send(&local(FakeDesk::default()), ask("anything")).await.status, StatusCode::OK);
}
