//! What each route takes and gives.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::{
    http::{
        api::{annotations, corrections, daemon, silences, slos},
        ask::Signed,
        problem::ProblemBody,
        routes::{self, Route},
    },
    views::{
        annotation::AnnotationView,
        desk::DaemonView,
        explain::Explanation,
        fingerprint::Fingerprint,
        incident::{DeliveryView, IncidentView},
        noise::NoiseReport,
        report::{BudgetReport, CorrectionView},
        silence::SilenceView,
        slo::{SloView, SlotView},
        why::{NotPagedView, WhyView},
    },
};

/// Groups of routes, in the order that people read them.
pub const TAGS: [(&str, &str); 7] = [
    ("figures", "What is promised, what is achieved, and the slots behind both"),
    ("incidents", "What is wrong, who was told, and what people do about it"),
    ("messages", "The outbox"),
    ("silences", "What is muted"),
    ("daemon", "slod itself"),
    ("webhooks", "Calls that prove themselves by a signature over their body"),
    ("pages", "For people; `Accept: application/json` gives the same data"),
];
const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// Schemas by media type.
type Forms = Vec<(&'static str, Value)>;
/// Status, meaning, and what is said.
type Answers = Vec<(u16, &'static str, Forms)>;

/// What a route takes and gives, beside its parameters.
pub struct Operation {
    /// One of [`TAGS`].
    pub tag: &'static str,
    /// It needs a token over TCP.
    pub writes: bool,
    /// What it takes.
    pub body: Option<Body>,
    /// What it gives when all is well: status, meaning, and a schema by media type.
    answers: Answers,
    /// The statuses of its refusals.
    problems: Vec<u16>,
    /// Refusals are HTML for browsers.
    for_people: bool,
}

/// What a route takes.
pub struct Body {
    /// Its media type.
    pub form: &'static str,
    /// Its schema.
    pub schema: Value,
    /// It must be there.
    pub required: bool,
    /// One that is taken.
    pub example: Option<&'static str>,
}

/// What this route takes and gives.
pub fn of(route: &Route, schemas: &mut Schemas) -> Operation {
    let path = route.path;
    schemas.answer::<ProblemBody>();
    let answer = answer(route, schemas);
    let mut problems = vec![400, 413, 421, 500, 503];
    let named = path.contains('{') || route.keys.contains(&"service");
    let signed = routes::is_signed(path);
    let writes = route.method != "GET" && !signed;
    let writes_of_slos =
        ["/api/v1/silences", "/api/v1/corrections", "/api/v1/annotations"].contains(&path) && route.method == "POST";
    problems.extend((named || writes_of_slos).then_some(404));
    if writes {
        problems.extend([401, 403, 409]);
    }
    if signed {
        problems.extend([403, 408]);
    }
    if path == "/-/reload" {
        problems.push(422);
    }
    problems.sort_unstable();
    Operation {
        tag: tag(path),
        writes,
        body: body(route, schemas),
        answers: answer,
        problems,
        for_people: !path.starts_with("/api/"),
    }
}

fn tag(path: &str) -> &'static str {
    let v1 = path.strip_prefix("/api/v1/").unwrap_or_default();
    match v1.split('/').next().unwrap_or_default() {
        "incidents" => "incidents",
        "deliveries" | "notify-test" => "messages",
        "silences" => "silences",
        "status" | "config" => "daemon",
        "" if path.starts_with("/-/") || path == "/metrics" || path == "/api/openapi.json" => "daemon",
        "" if routes::is_signed(path) => "webhooks",
        "" if !path.starts_with("/api/") && !path.starts_with("/badge/") => "pages",
        _ => "figures",
    }
}

fn answer(route: &Route, schemas: &mut Schemas) -> Answers {
    let text = || json!({"type": "string"});
    let ok = |forms| vec![(200, "As asked.", forms)];
    match (route.method, route.path) {
        ("GET", "/api/v1/slos") => ok(list::<SloView>(schemas, "slos")),
        ("GET", "/api/v1/slos/{service}/{slo}") => ok(one::<SloView>(schemas)),
        ("GET", "/api/v1/slos/{service}/{slo}/slots") => ok(slots(schemas)),
        ("GET", "/api/v1/slos/{service}/{slo}/explain") => ok(one::<Explanation>(schemas)),
        ("GET", "/api/v1/slos/{service}/{slo}/why") => ok(one::<NotPagedView>(schemas)),
        ("GET", "/api/{service}/health-metrics") => ok(one::<slos::HealthMetrics>(schemas)),
        ("GET", "/api/v1/budget") => {
            ok([one::<BudgetReport>(schemas), vec![("text/csv", text()), ("text/markdown", text())]].concat())
        }
        ("GET", "/api/v1/noise") => ok(one::<NoiseReport>(schemas)),
        ("GET", "/api/v1/config") => ok(one::<Fingerprint>(schemas)),
        ("GET", "/api/v1/status") => ok(one::<DaemonView>(schemas)),
        ("GET", "/api/v1/incidents") => ok(list::<IncidentView>(schemas, "incidents")),
        ("GET", "/api/v1/incidents/{id}") => {
            ok([one::<IncidentView>(schemas), vec![("text/markdown", text())]].concat())
        }
        ("GET", "/api/v1/incidents/{id}/why") => ok(one::<WhyView>(schemas)),
        ("GET", "/api/v1/deliveries") => ok(list::<DeliveryView>(schemas, "deliveries")),
        ("GET", "/api/v1/silences") => ok(list::<SilenceView>(schemas, "silences")),
        ("POST", "/api/v1/silences") | ("DELETE", "/api/v1/silences/{id}") => ok(one::<SilenceView>(schemas)),
        ("POST", "/api/v1/corrections") => ok(one::<CorrectionView>(schemas)),
        ("GET", "/api/v1/annotations") => ok(list::<AnnotationView>(schemas, "annotations")),
        ("POST", "/api/v1/annotations") | ("DELETE", "/api/v1/annotations/{id}") => ok(one::<AnnotationView>(schemas)),
        ("POST", "/-/reload") => ok(one::<daemon::ReloadAnswer>(schemas)),
        ("GET", "/-/ready") => vec![
            (200, "slod can be relied on.", one::<daemon::Readiness>(schemas)),
            (503, "Not yet, or not now; the reasons say why.", one::<daemon::Readiness>(schemas)),
        ],
        ("GET", "/api/openapi.json") => ok(vec![(JSON, json!({"type": "object", "required": ["openapi", "paths"]}))]),
        ("GET", "/slo/{service}/{slo}") => ok([one::<SloView>(schemas), vec![(HTML, text())]].concat()),
        ("GET", "/incident/{id}") => ok([one::<IncidentView>(schemas), vec![(HTML, text())]].concat()),
        ("GET", "/{service}/budget") => ok([one::<BudgetReport>(schemas), vec![(HTML, text())]].concat()),
        ("POST", "/webhooks/pagerduty") => vec![(202, "Taken, or nothing that matters here.", vec![])],
        ("POST", "/webhooks/slack") => vec![(200, "Taken, or nothing that matters here.", vec![])],
        ("GET", "/metrics" | "/-/healthy") => ok(vec![("text/plain", text())]),
        ("GET", "/assets/slod.css" | "/assets/reader.css") => ok(vec![("text/css", text())]),
        ("GET", "/assets/slod.js") => ok(vec![("text/javascript", text())]),
        ("GET", "/badge/{service}/{slo}" | "/favicon.svg" | "/favicon.ico") => ok(vec![("image/svg+xml", text())]),
        ("GET", "/api") => ok(vec![(HTML, text())]),
        ("GET", path) if !path.starts_with("/api/") => ok(vec![(JSON, json!({"type": "object"})), (HTML, text())]),
        (_, path) if path.starts_with("/api/v1/incidents/{id}/") => ok(one::<IncidentView>(schemas)),
        _ => ok(one::<DeliveryView>(schemas)),
    }
}

fn one<T: JsonSchema>(schemas: &mut Schemas) -> Forms {
    vec![(JSON, schemas.answer::<T>())]
}

fn list<T: JsonSchema>(schemas: &mut Schemas, name: &str) -> Forms {
    let items = schemas.answer::<T>();
    let properties = json!({name: {"type": "array", "items": items}, "next": {"type": ["string", "null"]}});
    vec![(JSON, json!({"type": "object", "properties": properties, "required": [name, "next"]}))]
}

fn slots(schemas: &mut Schemas) -> Forms {
    let mut forms = list::<SlotView>(schemas, "slots");
    for (_, schema) in &mut forms {
        schema["properties"]["slots"]["maxItems"] = json!(slos::SLOTS_MAX);
        schema["properties"]["next"]["description"] = json!("Where to go on: the next answer's `from`.");
    }
    forms
}

fn body(route: &Route, schemas: &mut Schemas) -> Option<Body> {
    let given = |schema, required: bool, example| Body { form: JSON, schema, required, example };
    let signed = |schemas: &mut Schemas, needs: &[&str]| {
        let mut schema = schemas.body_in_place::<Signed>();
        schema["required"] = json!(needs);
        schema
    };
    Some(match (route.method, route.path) {
        ("POST", "/api/v1/silences") => given(schemas.body::<silences::Wanted>(), true, Some(silences::EXAMPLE)),
        ("POST", "/api/v1/corrections") => {
            given(schemas.body::<corrections::Wanted>(), true, Some(corrections::EXAMPLE))
        }
        ("POST", "/api/v1/annotations") => {
            given(schemas.body::<annotations::Wanted>(), true, Some(annotations::EXAMPLE))
        }
        ("POST", "/webhooks/pagerduty") => {
            given(json!({"type": "object", "description": "A webhook of PagerDuty's, version 3."}), true, None)
        }
        ("POST", "/webhooks/slack") => {
            let what = "The JSON of a block action.";
            let schema = json!({"type": "object", "required": ["payload"], "properties": {"payload": {"type": "string", "description": what}}});
            Body { form: "application/x-www-form-urlencoded", schema, required: true, example: None }
        }
        ("POST", path) if path.ends_with("/note") => {
            let example = r#"{"by": "ops-lead", "text": "database restarted"}"#;
            given(signed(schemas, &["by", "text"]), true, Some(example))
        }
        ("POST", path) if path.ends_with("/acknowledge") || path.ends_with("/resolve") => {
            given(signed(schemas, &["by"]), true, Some(r#"{"by": "ops-lead"}"#))
        }
        ("POST" | "DELETE", path) if path.starts_with("/api/") || path == "/-/reload" => {
            given(signed(schemas, &[]), false, Some(r#"{"by": "ops-lead"}"#))
        }
        _ => return None,
    })
}

/// `responses` of an operation. `example` has answers by status and media type.
pub fn responses(operation: &Operation, example: &Value) -> Value {
    let mut all = Map::new();
    for status in &operation.problems {
        let people = if operation.for_people { "Page" } else { "" };
        all.insert(status.to_string(), json!({"$ref": format!("#/components/responses/Problem{status}{people}")}));
    }
    for (status, what, forms) in &operation.answers {
        let mut content = Map::new();
        for (form, schema) in forms {
            let mut told = json!({"schema": schema});
            let example = &example[status.to_string()][*form];
            if !example.is_null() {
                told["example"] = example.clone();
            }
            content.insert((*form).to_owned(), told);
        }
        let mut response = json!({"description": what});
        if *status == 503 {
            // A time that is up is answered with the same status.
            content[JSON]["schema"] = json!({"anyOf": [content[JSON]["schema"], problem()]});
            content.insert(HTML.to_owned(), json!({"schema": {"type": "string"}}));
        }
        if !content.is_empty() {
            response["content"] = Value::Object(content);
        }
        all.insert(status.to_string(), response);
    }
    Value::Object(all)
}

fn problem() -> Value {
    json!({"$ref": "#/components/schemas/Problem"})
}

/// All refusals, by name: `Problem404`, and `Problem404Page` where a browser gets a page.
pub fn problems(examples: &Map<String, Value>) -> Value {
    const ALL: [(u16, &str); 11] = [
        (400, "It cannot be asked so: an unknown query key, a value out of bounds, a body that cannot be read."),
        (401, "Writing needs a token that is known."),
        (403, "The token may not operate, no token is configured, or the signature is not good."),
        (404, "There is no such thing; `help` says what there is."),
        (408, "The body did not arrive whole."),
        (409, "It makes no sense now: already resolved, nothing to approve."),
        (413, "The body is larger than 1 MiB."),
        (421, "This daemon is not known by that host name."),
        (422, "The configuration has problems; the running one stays."),
        (500, "slod has a fault; its log says more."),
        (503, "Not now: the store cannot be used, or the answer took longer than 30 s."),
    ];
    let mut all = Map::new();
    for (status, what) in ALL {
        let mut told = json!({"schema": problem()});
        if let Some(example) = examples.get(&format!("problem {status}")) {
            told["example"] = example.clone();
        }
        let mut response = json!({"description": what, "content": {JSON: told}});
        match status {
            401 => {
                response["headers"] = json!({"WWW-Authenticate": {"required": true, "schema": {"type": "string"}}});
            }
            503 => {
                response["headers"] = json!({"Retry-After": {"description": "Seconds, where it is known.", "schema": {"type": "integer"}}});
            }
            _ => {}
        }
        all.insert(format!("Problem{status}"), response.clone());
        response["content"][HTML] = json!({"schema": {"type": "string"}});
        all.insert(format!("Problem{status}Page"), response);
    }
    Value::Object(all)
}
