//! What the API is, in OpenAPI 3.1: made from the table of routes, the types that answers are made of, and the bounds
//! that handlers hold requests to. Nothing of it is written twice.
//!
//! `operations` says what each route takes and gives, `parameters` what its keys may be, `schemas` collects the types,
//! `reader` shows the document to people.

mod operations;
mod parameters;
mod reader;
mod schemas;

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

pub use self::reader::show;
use self::{operations::Operation, schemas::Schemas};
use super::routes::{ROUTES, Route};

/// Answers as the companion gives them, by `METHOD path`; tests hold them to live answers.
const EXAMPLES: &str = include_str!("examples.json");
const DESCRIPTION: &str = "slod evaluates service level objectives and routes alerts. Numbers are numbers, ratios are 0–1, \
times are RFC 3339 in UTC; what is absent is null, never NaN. Unknown query keys are refused. Reading is open; writing over TCP \
takes a bearer token that may `operate`, and none over the Unix socket. Lists are the newest first where they have a time; \
`next` is null or says where to go on.";

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// The whole document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// `GET /api/openapi.json`
pub async fn json() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// A route's path in the document: badges end in `.svg`, and so does their template.
pub fn path_of(route: &Route) -> String {
    if route.path.starts_with("/badge/") { format!("{}.svg", route.path) } else { route.path.to_owned() }
}

fn build() -> Value {
    let mut schemas = Schemas::new();
    let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| route.is_api()) {
        let operation = operations::of(route, &mut schemas);
        let example = examples.get(&format!("{} {}", route.method, route.path)).unwrap_or(&Value::Null);
        let item = paths.entry(path_of(route)).or_insert_with(|| json!({}));
        item[route.method.to_ascii_lowercase()] = written(route, operation, example);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "slod",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Wherever this document was read"}],
        "tags": operations::TAGS.map(|(name, what)| json!({"name": name, "description": what})),
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": operations::problems(&examples),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `daemon.tokens` with `can: [operate]`. The Unix socket needs none.",
                },
            },
        },
    })
}

/// One operation as the document has it.
fn written(route: &Route, operation: Operation, example: &Value) -> Value {
    let mut told = json!({
        "operationId": operation_id(route),
        "summary": route.what,
        "tags": [operation.tag],
        "parameters": parameters::of(route),
        "responses": operations::responses(&operation, example),
    });
    if let Some(body) = operation.body {
        let mut content = json!({"schema": body.schema});
        if let Some(example) = body.example.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            content["example"] = example;
        }
        told["requestBody"] = json!({"required": body.required, "content": {body.form: content}});
    }
    if operation.writes {
        told["security"] = json!([{"bearer": []}]);
    }
    told
}

/// `get_api_v1_slos_service_slo`: stable, and unique since routes are.
fn operation_id(route: &Route) -> String {
    let words: Vec<&str> =
        route.path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let path = if words.is_empty() { "overview".to_owned() } else { words.join("_") };
    format!("{}_{path}", route.method.to_ascii_lowercase())
}
