//! Annotations: taken, listed, taken away, and seen beside charts and on an incident's page.

use std::{collections::BTreeSet, sync::Arc};

use axum::http::StatusCode;
use serde_json::{Value, json};
use slod::{
    domain::annotation::Kind,
    http::{Companion, Surface, router},
};

use super::{
    delete,
    fake_annotations::Said,
    fake_desk::{FakeDesk, StoppedClock},
    get, get_as, local, post, tcp,
};

const PATH: &str = "/api/v1/annotations";

#[tokio::test]
async fn one_has_the_documented_fields() {
    let list = get(&tcp(FakeDesk::default()), PATH).await.json();
    assert!(list["next"].is_null());
    let one = &list["annotations"][0];
    let fields: BTreeSet<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(["id", "at", "kind", "text", "url", "service", "by", "created_at"]));
    let url = "https://ci.example/builds/4711";
    assert_eq!(
        (&one["kind"], &one["url"], &one["at"]),
        (&json!("deploy"), &json!(url), &json!("2026-10-25T11:46:00Z"))
    );
    assert!(list["annotations"][1]["service"].is_null() && list["annotations"][1]["url"].is_null());
}

#[tokio::test]
async fn lists_are_selected() {
    let router = tcp(FakeDesk::default());
    for (query, status, found) in [
        ("", 200, json!([7, 6])),
        ("?service=inventory", 200, json!([7, 6])),
        ("?service=quiet", 200, json!([6])),
        ("?service=nope", 404, json!("known: inventory, quiet")),
        ("?from=2026-10-25T11:30:00Z", 200, json!([7])),
        ("?to=2026-10-25T11:46:00Z", 200, json!([6])),
        ("?from=2026-10-25T11:20:00Z&to=2026-10-25T11:20:01Z&limit=1", 200, json!([6])),
        ("?limit=1", 200, json!([7])),
        ("?limit=1001", 400, json!("use a number from 1 to 1000")),
        ("?limit=0", 400, json!("use a number from 1 to 1000")),
        ("?from=noon", 400, json!("write it like `2026-10-25T12:00:00Z`")),
        ("?from=2026-10-25T12:00:00Z&to=2026-10-25T12:00:00Z", 400, Value::Null),
        ("?kind=deploy", 400, json!("service, from, to, limit")),
    ] {
        let answer = get(&router, &format!("{PATH}{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.text);
        let told = answer.json();
        let ids = told["annotations"].as_array().map(|all| all.iter().map(|one| one["id"].clone()).collect());
        let help = || told["error"]["help"].clone();
        let (got, wanted) = (ids.map_or_else(help, Value::Array), &found);
        assert!(got == *wanted || wanted.as_str().is_some_and(|part| got.to_string().contains(part)), "{query}: {got}");
    }
}

#[tokio::test]
async fn one_is_taken_with_a_right_and_a_name() {
    let body =
        r#"{"kind":"deploy","text":"shop 4.2.1","service":"inventory","by":"ci","at":"2026-10-25T13:00:00+01:00"}"#;
    for (token, status) in
        [(None, 401), (Some("wrong"), 401), (Some("looks"), 403), (Some("acts"), 200), (Some("owns"), 200)]
    {
        for (method, answer) in [
            ("POST", post(&tcp(FakeDesk::default()), PATH, token, body).await),
            ("DELETE", delete(&tcp(FakeDesk::default()), &format!("{PATH}/7"), token, "").await),
        ] {
            assert_eq!(answer.status.as_u16(), status, "{method} {token:?}: {}", answer.text);
        }
    }
    let desk = Arc::new(FakeDesk::default());
    let router = router(Companion::new(desk.clone(), Arc::new(StoppedClock)), Surface::Socket);
    let made = post(&router, PATH, None, body).await.json();
    assert_eq!((&made["at"], &made["service"]), (&json!("2026-10-25T12:00:00Z"), &json!("inventory")));
    let plain = post(&router, PATH, None, r#"{"text":" seen ","by":" ann "}"#).await.json();
    assert_eq!((&plain["kind"], &plain["text"], &plain["by"]), (&json!("note"), &json!("seen"), &json!("ann")));
    assert_eq!(plain["at"], plain["created_at"]);
    let wanted = desk.said.wanted.lock().unwrap().clone();
    assert_eq!((wanted[0].kind, wanted[1].kind, wanted[1].at), (Kind::Deploy, Kind::Note, None));
    assert_eq!(delete(&router, &format!("{PATH}/7"), None, r#"{"by":"bob"}"#).await.json()["id"], 7);
    assert_eq!(delete(&router, &format!("{PATH}/6"), None, "").await.status, StatusCode::OK);
    assert_eq!(*desk.said.removed.lock().unwrap(), [(7, "bob".to_owned()), (6, "api".to_owned())]);
    for id in ["8", "x", "99999999999999999999"] {
        assert_eq!(delete(&router, &format!("{PATH}/{id}"), None, "").await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let router = local(FakeDesk::default());
    let good = |more: Value| {
        let mut body = json!({"text": "shop 4.2.1", "by": "ci"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    for (body, status, said) in [
        ("{}".to_owned(), 400, "`by` is missing"),
        (r#"{"by":"ci"}"#.to_owned(), 400, "needs a `text`"),
        (r#"{"text":"a"}"#.to_owned(), 400, "`by` is missing"),
        ("[1]".to_owned(), 400, "send JSON like"),
        (good(json!({"by": "x".repeat(201)})), 400, "`by` is longer than 200"),
        (good(json!({"text": " "})), 400, "needs a `text`"),
        (good(json!({"text": "x".repeat(201)})), 400, "longer than 200 characters"),
        (good(json!({"text": "a\nb"})), 400, "write one line"),
        (good(json!({"text": 7})), 400, "send JSON like"),
        (good(json!({"kind": "release"})), 400, "use deploy, note"),
        (good(json!({"kind": ""})), 400, "use deploy, note"),
        (good(json!({"at": "noon"})), 400, "`at` is not a time"),
        (good(json!({"at": "2026-10-25T12:06:00Z"})), 400, "over 5 minutes ahead"),
        (good(json!({"at": "2025-09-01T00:00:00Z"})), 400, "over 400 days ago"),
        (good(json!({"service": "nope"})), 404, "known: inventory, quiet"),
        (good(json!({"team": "x"})), 400, "unknown field `team`"),
    ] {
        let answer = post(&router, PATH, None, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
        assert!(answer.text.contains(said), "{body}: {}", answer.text);
    }
    let gone = local(FakeDesk { store_is_gone: true, ..FakeDesk::default() });
    assert_eq!(post(&gone, PATH, None, &good(json!({}))).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_incident_says_what_changed() {
    let html = get_as(&tcp(FakeDesk::default()), "/incident/7", "text/html").await.text;
    let part = html.split_once("<section class=\"changes\"").unwrap().1.split_once("</section>").unwrap().0;
    let place = |text: &str| part.find(text).unwrap_or_else(|| panic!("no {text}: {part}"));
    assert!(place("30 min before it opened") < place("4 min before it opened"), "the oldest first");
    assert!(place("4 min before it opened") < place("5 min after it opened"));
    let link = "<a href=\"https://ci.example/builds/4711\" rel=\"noreferrer\"><bdi>inventory-api 4.2.1</bdi></a>";
    assert!(place("<span aria-hidden=\"true\">▼ </span>deploy") < place(link));
    assert!(!part.contains("javascript:") && !part.contains("<script") && part.contains("all services"), "{part}");
    let rest = "3 more: <a href=\"/api/v1/annotations?from=2026-10-25T09%3A50%3A00.000Z&amp;service=inventory\">";
    assert!(part.contains(rest), "{part}");
    assert!(html.find("What changed") < html.find("Escalation"), "near the top");
    let quiet = FakeDesk { said: Said { nothing: true, ..Said::default() }, ..FakeDesk::default() };
    let html = get_as(&tcp(quiet), "/incident/7", "text/html").await.text;
    assert!(html.contains("nobody put a deploy or a note on record from 2 h before it opened"), "{html}");
    let document = get(&tcp(FakeDesk::default()), "/api/v1/incidents/7?format=markdown").await.text;
    let told = "- 2026-10-25 11:46:00 UTC **deploy** inventory-api 4.2.1, 4 min before it opened, by ci: <https://ci.example/builds/4711>";
    assert!(document.contains("## What had changed") && document.contains(told), "{document}");
    assert!(!document.contains("](javascript") && !document.contains("<script"), "{document}");
}

#[tokio::test]
async fn charts_show_them_with_a_legend_and_in_words() {
    let html = get_as(&tcp(FakeDesk::default()), "/slo/inventory/api-response-time", "text/html").await.text;
    let charts = html.matches("<figure class=\"chart\"").count();
    for (class, word) in [("deploy", "deploy"), ("remark", "note")] {
        let drawn = html.matches(&format!("<path class=\"{class}\" d=\"M")).count();
        let key = html.matches(&format!("</svg>{word}</li>")).count();
        // The legend's own wedge is a path as well.
        assert_eq!((drawn, key), (if class == "deploy" { charts * 2 } else { charts }, charts), "{class}");
    }
    assert_eq!(html.matches("<line class=\"annotated\"").count(), charts * 2);
    let table = html.split_once("What happened in the window</caption>").unwrap().1;
    assert!(table.contains("<span aria-hidden=\"true\">▼\u{a0}</span>deploy</td>"), "{table}");
    assert!(table.contains("<a href=\"https://ci.example/builds/7\" rel=\"noreferrer\">"), "{table}");
    assert!(table.contains("<a href=\"/incident/7\"><bdi>"), "{table}");
}
