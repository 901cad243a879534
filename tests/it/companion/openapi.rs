//! The document against what is answered: every answer of every test of the companion is held to it, its examples are
//! live answers, and it knows the routes that there are and no others.

mod examples;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use slod::http::{
    openapi::{document, path_of},
    routes::{LABELS, ROUTES},
};

use super::{Answer, fake_desk::FakeDesk, get, tcp};

/// The document with every object closed: a field that it does not name is an error.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut document = document().clone();
    close(&mut document);
    document
});
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn close(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".into(), json!(false));
            }
            members.iter_mut().filter(|(name, _)| *name != "example").for_each(|(_, member)| close(member));
        }
        _ => {}
    }
}

/// What is wrong with a value by a schema of the document.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let key = schema.to_string();
    let validator = VALIDATORS.lock().unwrap().get(&key).cloned();
    let validator = validator.unwrap_or_else(|| {
        let whole = json!({"components": CLOSED["components"], "allOf": [schema]});
        let made = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        let made = Arc::new(made);
        VALIDATORS.lock().unwrap().insert(key, made.clone());
        made
    });
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The path of the document that a request's path is one of: the one with the fewest templates.
fn template<'a>(document: &'a Value, path: &str) -> Option<&'a str> {
    let paths = document["paths"].as_object().unwrap().keys();
    paths.filter(|template| fits(template, path)).min_by_key(|path| path.matches('{').count()).map(String::as_str)
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("no {place}")),
        None => value,
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (places, parts): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    places.len() == parts.len()
        && places.iter().zip(&parts).all(|(place, part)| match place.split_once('}') {
            Some((_, end)) => part.ends_with(end) && part.len() > end.len(),
            None => place == part,
        })
}

/// Holds one answer to the document. Forms of people are not in it.
pub fn hold(method: &str, uri: &str, answer: &Answer) {
    let path = uri.split('?').next().unwrap();
    let status = answer.status.as_u16();
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_ascii_lowercase() };
    let about = format!("{method} {uri} {status}: {}", answer.text.chars().take(300).collect::<String>());
    let operation = template(&CLOSED, path).map(|path| &CLOSED["paths"][path][&method]).filter(|told| !told.is_null());
    let Some(operation) = operation else {
        let mut forms = ROUTES.iter().filter(|route| !route.is_api());
        if forms.any(|form| form.method.eq_ignore_ascii_case(&method) && fits(form.path, path)) {
            return;
        }
        assert!([400, 404, 405, 413, 421, 503].contains(&status), "no route answers {about}");
        if answer.header("content-type") == "application/json" {
            let wrong = faults(&json!({"$ref": "#/components/schemas/Problem"}), &answer.json());
            assert!(wrong.is_empty(), "{wrong:?}: {about}");
        }
        return;
    };
    let told = &operation["responses"][status.to_string()];
    assert!(!told.is_null(), "not documented: {about}");
    let told = resolved(&CLOSED, told);
    for (name, header) in told["headers"].as_object().into_iter().flatten() {
        assert!(header["required"] != true || !answer.header(name).is_empty(), "no {name}: {about}");
    }
    let form = answer.header("content-type").split(';').next().unwrap();
    let Some(content) = told.get("content") else {
        assert!(answer.text.is_empty(), "no content is documented: {about}");
        return;
    };
    assert!(!content[form].is_null(), "`{form}` is not documented: {about}");
    if form == "application/json" && !answer.text.is_empty() {
        let wrong = faults(&content[form]["schema"], &answer.json());
        assert!(wrong.is_empty(), "{wrong:#?}: {about}");
    }
}

#[tokio::test]
async fn it_is_served_and_says_3_1() {
    let answer = get(&tcp(FakeDesk::default()), "/api/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let served = answer.json();
    assert_eq!(&served, document());
    assert_eq!((&served["openapi"], &served["info"]["version"]), (&json!("3.1.0"), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(served["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn every_route_stands_in_it_and_nothing_else() {
    let routes: BTreeSet<(String, String)> = ROUTES
        .iter()
        .filter(|route| route.is_api())
        .map(|route| (path_of(route), route.method.to_ascii_lowercase()))
        .collect();
    let mut ids = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            told.insert((path.clone(), method.clone()));
            assert!(ids.insert(operation["operationId"].to_string()), "{method} {path}: its id stands twice");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        }
    }
    assert_eq!(told, routes);
}

#[test]
fn every_route_has_its_parameters_bounds_answers_and_rights() {
    for route in ROUTES.iter().filter(|route| route.is_api()) {
        let about = format!("{} {}", route.method, route.path);
        let operation = &document()["paths"][path_of(route)][route.method.to_ascii_lowercase()];
        let named = |place: &str| -> BTreeSet<&str> {
            let all = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == place);
            all.map(|one| one["name"].as_str().unwrap()).collect()
        };
        let keys: BTreeSet<&str> = route.keys.iter().map(|key| if *key == LABELS { "labels" } else { *key }).collect();
        assert_eq!(named("query"), keys, "{about}");
        let places = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(named("path"), places.collect(), "{about}");
        for parameter in operation["parameters"].as_array().unwrap() {
            let schema = &parameter["schema"];
            let bounds = ["enum", "pattern", "format", "minLength", "additionalProperties"];
            let bound = bounds.iter().any(|bound| !schema[*bound].is_null())
                || (!schema["minimum"].is_null() && !schema["maximum"].is_null())
                || parameter["in"] == "header";
            assert!(bound, "{about}: `{}` has no bounds", parameter["name"]);
            assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{about}");
        }
        let writes = route.method != "GET" && !route.path.starts_with("/webhooks/");
        assert_eq!(operation["security"] == json!([{"bearer": []}]), writes, "{about}");
        let answers = operation["responses"].as_object().unwrap();
        let (good, bad): (Vec<_>, Vec<_>) = answers.keys().partition(|status| status.starts_with(['2', '3']));
        assert!(good.len() == 1 && bad.len() >= 5, "{about}: {good:?} {bad:?}");
        assert!(!writes || ["401", "403", "409"].iter().all(|status| answers.contains_key(*status)), "{about}");
        // The API speaks in types, not in anything at all.
        if route.path.starts_with("/api/") && route.path != "/api/openapi.json" {
            let schema = &answers[good[0]]["content"]["application/json"]["schema"];
            assert!(schema["$ref"].is_string() || schema["properties"].is_object(), "{about}: {schema}");
        }
        if route.method == "POST" && route.path != "/webhooks/pagerduty" {
            assert!(operation["requestBody"]["content"].is_object(), "{about} takes nothing");
        }
    }
}

#[test]
fn every_schema_is_one_and_every_reference_leads_somewhere() {
    fn walk(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| walk(member, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(document(), &mut found);
    assert!(found.len() > 100);
    for place in found {
        assert!(document().pointer(place.trim_start_matches('#')).is_some(), "{place}");
    }
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
        assert!(!schema["description"].as_str().unwrap_or_default().contains("[`"), "{name} speaks of code");
    }
}

#[test]
fn what_drifts_is_found() {
    let schema = json!({"$ref": "#/components/schemas/SloView"});
    let good = serde_json::to_value(super::fixed_data::slo("a", slod::views::slo::SloState::Ok, true)).unwrap();
    assert_eq!(faults(&schema, &good), Vec::<String>::new());
    for (field, value) in
        [("more", json!(1)), ("objective", json!("0.95")), ("state", json!("fine")), ("title", Value::Null)]
    {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(faults(&schema, &bad).len(), 1, "{field}");
    }
    for field in ["sli", "budget", "watermark"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(field);
        assert_eq!(faults(&schema, &bad).len(), 1, "{field} is always there");
    }
    let mut bad = good;
    bad["watermark"] = json!("yesterday");
    assert_eq!(faults(&schema, &bad).len(), 1);
}

#[tokio::test]
async fn people_can_read_it() {
    let answer = get(&tcp(FakeDesk::default()), "/api").await;
    let html = &answer.text;
    assert!(
        answer.header("content-type").starts_with("text/html") && html.starts_with("<!DOCTYPE html><html lang=\"en\">")
    );
    for (path, item) in document()["paths"].as_object().unwrap() {
        assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(html.contains(&format!("id=\"{id}\"")) && html.contains(&format!("href=\"#{id}\"")), "{id}");
        }
    }
    for name in document()["components"]["schemas"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("id=\"type-{name}\"")), "{name}");
    }
    assert!(!html.contains("<script") && !html.contains(" style=") && !html.contains(" src="));
    for place in html.split(" href=\"").skip(1) {
        assert!(place.starts_with(['/', '#']), "nothing from elsewhere: {}", place.split('"').next().unwrap());
    }
    let tables = html.matches("<table>").count();
    let heads = html.matches("<th ").count() + html.matches("<th>").count();
    assert!(html.matches("<caption>").count() == tables && html.matches(" scope=\"").count() == heads);
    let ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands once");
    assert!(get(&tcp(FakeDesk::default()), "/assets/reader.css").await.text.contains(".api"));
}
