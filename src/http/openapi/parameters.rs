//! What stands in paths and queries, with the bounds that handlers hold them to.

use serde_json::{Value, json};

use crate::{
    http::{
        api::{almanac, annotations, budget, deliveries, incidents, silences},
        forms::outcome,
        pages::{alerts, wanted},
        routes::{LABELS, Route},
    },
    views::slo::SloState,
};

/// All parameters of a route: its path's, its query's, and the headers that sign a call.
pub fn of(route: &Route) -> Vec<Value> {
    let places = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = places.map(|name| placed(route, name)).collect();
    all.extend(route.keys.iter().map(|key| asked(route, key)));
    all.extend(signatures(route.path));
    all
}

/// Of the path.
fn placed(route: &Route, name: &str) -> Value {
    let (what, schema, example) = match name {
        "service" => ("The service.", word(), json!("warehouse")),
        "slo" => ("The SLO's name within the service.", word(), json!("api-response-time")),
        "receiver" => ("The receiver.", word(), json!("ops-pager")),
        "id" if route.path.contains("/deliveries/") => {
            let id = if route.path.ends_with("/retry") { 2 } else { 1 };
            ("The outbox row.", json!({"type": "integer", "format": "int64", "minimum": 1}), json!(id))
        }
        "id" if route.path.contains("/annotations/") => {
            ("Its number.", json!({"type": "integer", "format": "int64", "minimum": 1}), json!(7))
        }
        "id" => ("As the command line takes it.", json!({"type": "string", "minLength": 1}), json!("7")),
        _ => ("A name.", json!({"type": "string", "minLength": 1}), Value::Null),
    };
    let mut parameter = json!({"name": name, "in": "path", "required": true, "description": what, "schema": schema});
    if !example.is_null() {
        parameter["example"] = example;
    }
    parameter
}

/// Of the query. An empty value is the same as an absent one.
fn asked(route: &Route, key: &str) -> Value {
    if key == LABELS {
        return json!({
            "name": "labels",
            "in": "query",
            "description": "Labels of a series, each a key of its own: `?route=%2Fcheckout`. For SLOs with `per`; others have none.",
            "style": "form",
            "explode": true,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        });
    }
    let is_said = route.path == "/api/v1/annotations";
    let (what, schema) = match key {
        "service" if is_said => ("Only this service's, and those of all services.", word()),
        "from" if is_said => ("Of this time or later.", moment()),
        "to" if is_said => ("Of times before this; must be after `from`.", moment()),
        "service" => ("Only this service's.", word()),
        "month" => (
            "Which month; the running one if unsaid.",
            json!({"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$", "examples": ["2026-10"]}),
        ),
        "from" => ("Slots that start at this time or later; the SLO's window if unsaid.", moment()),
        "to" => ("Slots that start before this time; must be after `from`.", moment()),
        "at" => ("The moment that is asked about; the newest slot's if unsaid.", moment()),
        "policy" => ("Only this policy.", word()),
        "days" => (
            "How many days are looked back.",
            json!({"type": "integer", "minimum": 1, "maximum": almanac::DAYS_MAX, "default": almanac::DAYS}),
        ),
        "limit" => {
            let most = most(route.path);
            ("At most so many.", json!({"type": "integer", "minimum": 1, "maximum": most, "default": most}))
        }
        "state" => ("Only those in this state; all if unsaid.", json!({"type": "string", "enum": states(route.path)})),
        "format" => {
            let formats = formats(route.path);
            ("The form of the answer.", json!({"type": "string", "enum": formats, "default": formats[0]}))
        }
        "q" => (
            "Only SLOs whose name, title or labels hold this.",
            json!({"type": "string", "minLength": 0, "maxLength": wanted::SEARCH_MAX}),
        ),
        "sort" => {
            ("A column, `-` before it for the other direction.", json!({"type": "string", "enum": wanted::sorts()}))
        }
        "embed" => (
            "As part of a wallboard: without what stands around a page.",
            json!({"type": "string", "enum": ["0", "1"]}),
        ),
        "page" => (
            "Which page of the list.",
            json!({"type": "integer", "minimum": 1, "maximum": alerts::PAGES_MAX, "default": 1}),
        ),
        "done" => ("What became of a form that was sent.", json!({"type": "string", "enum": outcome::words()})),
        _ => ("", json!({"type": "string"})),
    };
    json!({"name": key, "in": "query", "description": what, "schema": schema})
}

fn most(path: &str) -> usize {
    match path {
        "/api/v1/deliveries" => deliveries::DELIVERIES_MAX,
        "/api/v1/silences" => silences::SILENCES_MAX,
        "/api/v1/annotations" => annotations::ANNOTATIONS_MAX,
        _ => incidents::INCIDENTS_MAX,
    }
}

fn states(path: &str) -> Vec<&'static str> {
    let states: &[&str] = match path {
        "/" => return wanted::STATES.map(SloState::as_str).to_vec(),
        "/api/v1/deliveries" => &deliveries::STATES,
        "/api/v1/silences" => &silences::STATES,
        _ => &incidents::STATES,
    };
    states.to_vec()
}

fn formats(path: &str) -> &'static [&'static str] {
    if path == "/api/v1/budget" { &budget::FORMATS } else { &incidents::FORMATS }
}

fn signatures(path: &str) -> Vec<Value> {
    let header = |name: &str, what: &str| json!({"name": name, "in": "header", "required": true, "description": what, "schema": {"type": "string"}});
    match path {
        "/webhooks/pagerduty" => {
            vec![header(
                "X-PagerDuty-Signature",
                "`v1=` and the HMAC-SHA256 of the body, in hex; one or more, by comma.",
            )]
        }
        "/webhooks/slack" => vec![
            header("X-Slack-Signature", "`v0=` and the HMAC-SHA256 of `v0:timestamp:body`, in hex."),
            header("X-Slack-Request-Timestamp", "When it was signed, in seconds since 1970; at most 5 minutes ago."),
        ],
        _ => Vec::new(),
    }
}

/// A name of the configuration.
fn word() -> Value {
    json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"})
}

fn moment() -> Value {
    json!({"type": "string", "format": "date-time", "examples": ["2026-10-25T12:00:00Z"]})
}
