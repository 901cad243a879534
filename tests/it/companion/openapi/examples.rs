//! The examples of the document are live answers over the fixed data, without what is hostile in it.
//!
//! They are written anew by `UPDATE_EXAMPLES=1 cargo test --test it companion::openapi`.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Map, Value, json};
use slod::{
    http::{openapi::document, routes::ROUTES},
    views::{inbound::Reception, render_csv::csv, render_markdown::markdown, report::BudgetReport},
};

use super::{
    super::{Answer, fake_desk::FakeDesk, fixed_data::HOSTILE, get, local, post, send, tcp},
    faults, path_of,
};

const FILE: &str = "src/http/openapi/examples.json";

const PAGES: [&str; 6] =
    ["/slo/{service}/{slo}", "/incident/{id}", "/sources", "/silences", "/favicon.svg", "/favicon.ico"];

/// The same without what is hostile, of a service with another name.
fn tame(text: &str) -> String {
    let text = text.replace(HOSTILE, "").replace("inventory", "warehouse").replace("Inventory", "Warehouse");
    let text = text.trim();
    if text.is_empty() { "in words".to_owned() } else { text.to_owned() }
}

fn tamed(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(tame(&text)),
        Value::Array(items) => items.into_iter().map(tamed).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (tame(&name), tamed(value))).collect(),
        other => other,
    }
}

/// As the document's example has it, as the fixed data has it.
fn wild(text: &str) -> String {
    let text = text.replace("warehouse", "inventory").replace("shop/checkout", "inventory/api-response-time");
    text.replace(r#""shop""#, r#""inventory""#).replace(r#""checkout""#, r#""api-response-time""#)
}

/// Asks as the document says it can be asked.
async fn asked(method: &str, path: &str, operation: &Value, form: &str) -> Answer {
    let mut uri = path.to_owned();
    for parameter in operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path") {
        let value = &parameter["example"];
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        uri = uri.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), &value);
    }
    let format = form.rsplit('/').next().unwrap();
    if ["csv", "markdown"].contains(&format) {
        uri = format!("{uri}?format={format}");
    }
    let body = operation["requestBody"]["content"]["application/json"]["example"].clone();
    let body = if body.is_null() { Body::empty() } else { Body::from(wild(&body.to_string())) };
    let request = Request::builder().method(method).uri(wild(&uri)).header("accept", form).body(body).unwrap();
    send(&local(FakeDesk::default()), request).await
}

async fn refused() -> Map<String, Value> {
    let desk = FakeDesk::default;
    let late = FakeDesk { reception: Some(Reception::BrokenOff), ..desk() };
    let elsewhere = Request::get("/api/v1/slos").header("host", "evil.example.com").body(Body::empty()).unwrap();
    let large = "x".repeat((1 << 20) + 1);
    let ack = "/api/v1/incidents/7/acknowledge";
    let all = [
        (400, get(&tcp(desk()), "/api/v1/budget?month=october").await),
        (401, post(&tcp(desk()), ack, None, "{}").await),
        (403, post(&tcp(desk()), ack, Some("looks"), "{}").await),
        (404, get(&tcp(desk()), "/api/v1/slos/inventory/nope").await),
        (408, post(&tcp(late), "/webhooks/slack", None, "").await),
        (409, post(&tcp(desk()), "/api/v1/deliveries/1/retry", Some("acts"), "").await),
        (413, post(&tcp(desk()), ack, Some("acts"), &large).await),
        (421, send(&tcp(desk()), elsewhere).await),
        (422, post(&tcp(FakeDesk { config_is_bad: true, ..desk() }), "/-/reload", Some("acts"), "").await),
        (500, get(&tcp(FakeDesk { faulty: true, ..desk() }), "/metrics").await),
        (503, get(&tcp(FakeDesk { store_is_gone: true, ..desk() }), "/api/v1/budget").await),
    ];
    let told = |(status, answer): (u16, Answer)| {
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
        (format!("problem {status}"), tamed(answer.json()))
    };
    all.into_iter().map(told).collect()
}

#[tokio::test]
async fn examples_are_live_answers() {
    let mut live = refused().await;
    for route in ROUTES.iter().filter(|route| route.is_api()) {
        // Pages show the same data as the API beside them.
        if route.path == "/" || route.path.starts_with("/{service}") || PAGES.contains(&route.path) {
            continue;
        }
        let operation = &document()["paths"][path_of(route)][route.method.to_ascii_lowercase()];
        let (status, told) =
            operation["responses"].as_object().unwrap().iter().find(|(status, _)| status.starts_with('2')).unwrap();
        let forms: Vec<String> =
            told["content"].as_object().into_iter().flatten().map(|(form, _)| form.clone()).collect();
        let mut examples = json!({});
        for form in forms {
            let answer = asked(route.method, &path_of(route), operation, &form).await;
            assert_eq!(
                answer.status,
                StatusCode::from_bytes(status.as_bytes()).unwrap(),
                "{}: {}",
                route.path,
                answer.text
            );
            assert_eq!(answer.header("content-type").split(';').next(), Some(form.as_str()), "{}", route.path);
            let report = |answer: Value| serde_json::from_value::<BudgetReport>(tamed(answer)).unwrap();
            let shown = match (route.path, form.as_str()) {
                ("/api/openapi.json" | "/metrics", _) | (_, "text/html" | "text/css" | "text/javascript") => continue,
                ("/api/v1/budget", "text/csv" | "text/markdown") => {
                    let report = report(asked("GET", route.path, operation, "application/json").await.json());
                    json!(if form == "text/csv" { csv(&report) } else { markdown(&report) })
                }
                (_, "application/json") => {
                    let example = tamed(answer.json());
                    let schema = &told["content"][&form]["schema"];
                    assert_eq!(faults(schema, &example), Vec::<String>::new(), "{}", route.path);
                    example
                }
                // Texts that quote what is hostile each in their own way are not shown.
                _ if answer.text.contains("alert") => continue,
                _ => json!(tame(&answer.text)),
            };
            examples[status][&form] = shown;
        }
        if examples != json!({}) {
            live.insert(format!("{} {}", route.method, route.path), examples);
        }
    }
    let live = Value::Object(live);
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(FILE, serde_json::to_string_pretty(&live).unwrap() + "\n").unwrap();
    }
    let written: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    for (about, examples) in live.as_object().unwrap() {
        assert_eq!(&written[about], examples, "{about}: UPDATE_EXAMPLES=1 writes the examples anew");
    }
    assert_eq!(written.as_object().unwrap().len(), live.as_object().unwrap().len(), "examples of nothing");
}

#[test]
fn examples_of_bodies_are_taken_by_their_schemas() {
    let mut bodies = 0;
    for (path, item) in document()["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if let Some(example) = content.get("example") {
                bodies += 1;
                assert_eq!(faults(&content["schema"], example), Vec::<String>::new(), "{path}");
            }
        }
    }
    assert!(bodies >= 10, "{bodies}");
}
