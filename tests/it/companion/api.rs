//! Every route of the API, and the fields of what it answers.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};
use slod::http::routes::ROUTES;

use super::{browser::Browser, delete, fake_desk::FakeDesk, fixed_data::now, get, get_as, local, post, tcp};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn set(words: &str) -> BTreeSet<&str> {
    words.split_whitespace().collect()
}

#[tokio::test]
async fn every_listed_route_answers() {
    let router = local(FakeDesk::default());
    for route in ROUTES.iter().filter(|route| !route.is_form()) {
        let file = if route.path.starts_with("/badge") { "api-response-time.svg" } else { "api-response-time" };
        let id = if route.path.ends_with("/retry") {
            "2"
        } else if route.path.contains("deliveries") {
            "1"
        } else {
            "7"
        };
        let path = route.path.replace("{service}", "inventory").replace("{slo}", file);
        let path = path.replace("{receiver}", "ops-pager").replace("{id}", id);
        let silence =
            r#"{"match":{"service":"inventory"},"ends_at":"2026-10-25T13:00:00Z","reason":"test","by":"ops-lead"}"#;
        let answer = if route.method == "GET" {
            get(&router, &path).await
        } else if route.method == "DELETE" {
            delete(&router, &path, None, "").await
        } else if path.ends_with("/silences") {
            post(&router, &path, None, silence).await
        } else {
            let correction = r#"{"slo":"inventory/api-response-time","at":"2026-10-25T12:00:00Z","bad":-1,"total":0,"reason":"test","by":"ops-lead"}"#;
            let note = r#"{"by":"ops-lead","text":"seen"}"#;
            post(&router, &path, None, if path.ends_with("/corrections") { correction } else { note }).await
        };
        let is_fine = [StatusCode::OK, StatusCode::ACCEPTED].contains(&answer.status);
        assert!(is_fine, "{} {path}: {} {}", route.method, answer.status, answer.text);
    }
}

#[tokio::test]
async fn every_listed_form_is_taken() {
    for route in ROUTES.iter().filter(|route| route.is_form()) {
        let browser = Browser::logged_in(FakeDesk::default(), "acts").await;
        let id = if route.path.starts_with("/delivery") { "2" } else { "7" };
        let path = route.path.replace("{id}", id);
        let ends_at = now() + chrono::TimeDelta::hours(1);
        let fields = [
            ("name", "ann"),
            ("token", "acts"),
            ("text", "seen"),
            ("target", "inventory"),
            ("reason", "test"),
            ("step", "do"),
            ("ends_at", &ends_at.to_rfc3339()),
        ];
        let answer = browser.submit(&path, &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_slo_has_exactly_the_documented_fields() {
    let router = tcp(FakeDesk::default());
    let slo = get(&router, "/api/v1/slos/inventory/api-response-time").await.json();
    let fields = "id service name title series objective window budgeting state sli good bad total budget burn_rate value \
                  streak watermark evaluated_at policies fault";
    assert_eq!(keys(&slo), set(fields));
    let budget = "remaining remaining_if_good remaining_if_bad coverage allowed_bad exhausts_at allowed_seconds";
    assert_eq!(keys(&slo["budget"]), set(budget));
    assert_eq!(keys(&slo["burn_rate"]), set("5m 30m 1h 6h 3d"));
    assert_eq!(slo["value"], json!({"percentile": 95.0, "seconds": 0.62}));
    assert_eq!(slo["streak"], json!({"bad": 2}));
    assert_eq!(slo["watermark"], "2026-10-25T12:00:00Z");
    assert_eq!(slo["policies"], json!([{"name": "fast-burn:1h/5m", "state": "firing"}]));

    let empty = get(&router, "/api/v1/slos/inventory/rop-freshness").await.json();
    for field in ["sli", "value", "watermark", "fault"] {
        assert!(empty[field].is_null(), "{field}");
    }
    assert!(empty["burn_rate"]["3d"].is_null() && empty["budget"]["exhausts_at"].is_null());
}

#[tokio::test]
async fn lists_have_a_name_and_a_next() {
    let router = tcp(FakeDesk::default());
    let lists = [
        ("/api/v1/slos", "slos", 2),
        ("/api/v1/incidents", "incidents", 1),
        ("/api/v1/incidents?state=acknowledged", "incidents", 1),
        ("/api/v1/incidents?state=open", "incidents", 0),
        ("/api/v1/deliveries", "deliveries", 2),
        ("/api/v1/silences", "silences", 1),
        ("/api/v1/silences?state=ended", "silences", 0),
        ("/api/v1/deliveries?state=retry", "deliveries", 1),
        ("/api/v1/slos/inventory/rop-freshness/slots", "slots", 2),
    ];
    for (path, name, many) in lists {
        let answer = get(&router, path).await.json();
        assert_eq!(keys(&answer), BTreeSet::from([name, "next"]), "{path}");
        assert_eq!(answer[name].as_array().unwrap().len(), many, "{path}");
        assert!(answer["next"].is_null(), "{path}");
    }
}

#[tokio::test]
async fn an_incident_has_the_documented_fields() {
    let incident = get(&tcp(FakeDesk::default()), "/api/v1/incidents/7").await.json();
    let fields = "id key service slo source series title priority state opened_at acknowledged_at acknowledged_by \
                  resolved_at late muted alerts steps deliveries diagnostics manual timeline status_page cost";
    assert_eq!(keys(&incident), set(fields));
    assert_eq!(keys(&incident["steps"][0]), set("policy after due_at state notify"));
    let delivery = "id incident receiver event state attempts last_error decided_at next_at sent_at receipt";
    assert_eq!(keys(&incident["deliveries"][0]), set(delivery));
    let diagnosis = "name kind at took_seconds ok summary text table look late";
    assert_eq!(keys(&incident["diagnostics"][0]), set(diagnosis));
    assert_eq!(keys(&incident["timeline"][0]), set("at kind text"));
    assert_eq!(
        keys(&incident["status_page"]),
        set("state draft draft_text due_at posted_at late_seconds left_to_people")
    );
    assert_eq!(incident["cost"], json!({"bad": 26900.0, "budget_share": 0.538, "window": "30d"}));
    assert_eq!(incident["priority"], "P1");
}

#[tokio::test]
async fn a_silence_has_the_documented_fields() {
    let router = local(FakeDesk::default());
    let silence = get(&router, "/api/v1/silences").await.json()["silences"][0].clone();
    let fields = "id match starts_at ends_at by reason state expired_at expired_by covers";
    assert_eq!(keys(&silence), set(fields));
    assert_eq!(keys(&silence["match"]), set("service slo policy labels"));
    let wanted = r#"{"match":{"service":"inventory","slo":"api-response-time","labels":{"a":"b"}},"ends_at":"2026-10-25T15:00:00+02:00","reason":"move","by":"ann","preview":true}"#;
    let preview = post(&router, "/api/v1/silences", None, wanted).await.json();
    assert_eq!(
        (&preview["id"], &preview["state"], &preview["ends_at"]),
        (&Value::Null, &json!("preview"), &json!("2026-10-25T13:00:00Z"))
    );
    assert_eq!(keys(&preview["covers"]), set("slos of names policies incidents"));
    let ended = delete(&router, "/api/v1/silences/7", None, r#"{"by":"bob"}"#).await.json();
    assert_eq!((&ended["state"], &ended["expired_by"]), (&json!("expired"), &json!("bob")));
    let good = r#""match":{"service":"inventory"},"ends_at":"2026-10-25T13:00:00Z","reason":"move","by":"ann""#;
    for (body, said) in [
        ("{}".to_owned(), "missing field `match`"),
        (format!("{{{good},\"more\":1}}"), "unknown field `more`"),
        (format!("{{{}}}", good.replace(r#""inventory""#, r#""inventory","team":"x""#)), "unknown field `team`"),
        (format!("{{{}}}", good.replace(r#""service":"inventory""#, "")), "missing field `service`"),
        (format!("{{{}}}", good.replace("2026-10-25T13:00:00Z", "noon")), "`ends_at` is not a time"),
        (format!("{{{}}}", good.replace(r#","by":"ann""#, "")), "`by` is missing"),
        (format!("{{{}}}", good.replace(r#","reason":"move""#, "")), "needs a `reason`"),
        (
            format!("{{{}}}", good.replace(r#"{"service":"inventory"}"#, r#"{"service":"inventory","labels":[1]}"#)),
            "not what is expected",
        ),
    ] {
        let answer = post(&router, "/api/v1/silences", None, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.text.contains(said), "{body}: {}", answer.text);
    }
    assert_eq!(delete(&router, "/api/v1/silences/8", None, "").await.status, StatusCode::NOT_FOUND);
    assert_eq!(delete(&router, "/api/v1/silences", None, "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn slots_are_at_most_fifty_thousand_and_say_where_to_go_on() {
    let router = tcp(FakeDesk { slots: 50_010, ..FakeDesk::default() });
    let path = "/api/v1/slos/inventory/api-response-time/slots";
    let first = get(&router, &format!("{path}?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z")).await.json();
    assert_eq!(first["slots"].as_array().unwrap().len(), 50_000);
    assert_eq!(keys(&first["slots"][0]), set("start seconds good total state reading"));
    assert_eq!(first["next"], "2026-02-04T17:20:00Z");
    // An offset whose plus sign was not escaped is understood.
    assert_eq!(get(&router, &format!("{path}?from=2026-01-01T00:00:00+00:00")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_budget_report_has_the_documented_fields() {
    let router = tcp(FakeDesk::default());
    let report = get(&router, "/api/v1/budget?month=2026-09&service=inventory").await.json();
    assert_eq!(keys(&report), set("month timezone generated_at ends_at config_hash services"));
    assert_eq!(report["month"], "2026-09");
    let slo = &report["services"][0]["slos"][0];
    let fields = "id title objective achieved good bad total met coverage min_coverage budget incidents breaches corrections \
                  objective_changes gaps";
    assert_eq!(keys(slo), set(fields));
    let budget = "consumed remaining remaining_if_good remaining_if_bad allowed_bad allowed_seconds used_seconds";
    assert_eq!(keys(&slo["budget"]), set(budget));
    assert_eq!(keys(&slo["gaps"]), set("count seconds longest"));
    assert_eq!(keys(&slo["gaps"]["longest"][0]), set("from to seconds why"));
    assert_eq!(keys(&slo["gaps"]["longest"][1]), set("series from to seconds why incident"));
    assert_eq!(keys(&slo["incidents"][0]), set("id opened_at resolved_at bad budget_share"));
}

#[tokio::test]
async fn health_metrics_is_small_and_uses_the_same_names() {
    let answer = get(&tcp(FakeDesk::default()), "/api/inventory/health-metrics").await.json();
    assert_eq!(keys(&answer), set("service title state generated_at slos"));
    assert_eq!((&answer["service"], &answer["state"]), (&json!("inventory"), &json!("burning")));
    assert_eq!(answer["slos"][0]["budget"]["remaining"], 0.462);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let router = tcp(FakeDesk::default());
    let slots = "/api/v1/slos/inventory/api-response-time/slots";
    let cases = [
        ("/api/v1/budget?month=2026-13".to_owned(), 400),
        ("/api/v1/budget?month=october".to_owned(), 400),
        ("/api/v1/budget?format=pdf".to_owned(), 400),
        ("/api/v1/budget?service=nope".to_owned(), 404),
        ("/api/v1/incidents?state=closed".to_owned(), 400),
        ("/api/v1/incidents?limit=0".to_owned(), 400),
        ("/api/v1/deliveries?state=lost".to_owned(), 400),
        ("/api/v1/incidents/8".to_owned(), 404),
        ("/api/v1/incidents/8/why".to_owned(), 404),
        ("/api/v1/slos/inventory/nope/why".to_owned(), 404),
        ("/api/v1/slos/inventory/api-response-time/why?at=noon".to_owned(), 400),
        ("/api/v1/deliveries/x".to_owned(), 404),
        ("/api/v1/slos/inventory/nope".to_owned(), 404),
        ("/api/nope/health-metrics".to_owned(), 404),
        ("/badge/inventory/api-response-time.png".to_owned(), 404),
        ("/api/v1/policies".to_owned(), 404),
        ("/api/openapi.yaml".to_owned(), 404),
        (format!("{slots}?from=yesterday"), 400),
        (format!("{slots}?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z"), 400),
    ];
    for (path, status) in cases {
        let answer = get(&router, &path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        let error = &answer.json()["error"];
        assert_eq!(keys(error), set("code message help"), "{path}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{path}");
    }
    let missing = get(&router, "/api/v1/slos/inventory/nope").await.json();
    assert_eq!(missing["error"]["help"], "SLOs: inventory/api-response-time");
}

#[tokio::test]
async fn a_wrong_method_names_the_right_one() {
    let answer = post(&tcp(FakeDesk::default()), "/api/v1/slos", Some("acts"), "").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.code(), "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn pages_give_the_same_data_as_json() {
    let router = tcp(FakeDesk::default());
    let twins = [
        ("/slo/inventory/api-response-time", "/api/v1/slos/inventory/api-response-time"),
        ("/incident/7", "/api/v1/incidents/7"),
        ("/inventory/budget?month=2026-09", "/api/v1/budget?month=2026-09&service=inventory"),
    ];
    for (page, api) in twins {
        assert_eq!(get_as(&router, page, "application/json").await.json(), get(&router, api).await.json(), "{page}");
    }
    for page in ["/", "/inventory/health", "/inventory/alerts", "/inventory/optimization", "/sources"] {
        let json = get_as(&router, page, "application/json").await;
        assert_eq!(json.header("content-type"), "application/json", "{page}");
        assert!(json.json().is_object(), "{page}");
        let html = get_as(&router, page, "text/html,application/xhtml+xml,application/json;q=0.5,*/*;q=0.8").await;
        assert_eq!(html.header("content-type"), "text/html; charset=utf-8", "{page}");
    }
}

#[tokio::test]
async fn readiness_says_why_not() {
    assert_eq!(get(&tcp(FakeDesk::default()), "/-/ready").await.status, StatusCode::OK);
    let router = tcp(FakeDesk { config_is_bad: true, ..FakeDesk::default() });
    let answer = get(&router, "/-/ready").await;
    assert!(answer.text.contains("\"rejected_reload\":true") && !answer.text.contains("windw"), "{}", answer.text);
    let router = tcp(FakeDesk { not_ready: true, ..FakeDesk::default() });
    let answer = get(&router, "/-/ready").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.json()["reasons"][0].as_str().unwrap().starts_with("no slot yet"));
    assert_eq!(get(&router, "/-/healthy").await.status, StatusCode::OK);
}
