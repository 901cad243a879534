//! `/api`: the document for people. Made from the document alone; needs no script.

use std::sync::LazyLock;

use axum::extract::State;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Map, Value};

use super::{DOCUMENT, operations::TAGS};
use crate::http::{
    Companion,
    pages::{Shell, cell},
};

/// The page; the document does not change while slod runs.
pub async fn show(State(companion): State<Companion>) -> Markup {
    static CONTENT: LazyLock<String> = LazyLock::new(|| content(&DOCUMENT).into_string());
    let navigation = Shell::new(&companion, "API").here("api").navigation();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "API · slod" }
                link rel="stylesheet" href="/assets/slod.css";
                link rel="stylesheet" href="/assets/reader.css";
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
            }
            body.api {
                a.skip href="#main" { "Skip to the content" }
                (navigation)
                main #main tabindex="-1" { (PreEscaped(CONTENT.as_str())) }
            }
        }
    }
}

fn content(document: &Value) -> Markup {
    html! {
        h1 { "API of slod " (text(&document["info"]["version"])) }
        p { (sentence(&document["info"]["description"])) }
        p { a href="/api/openapi.json" { "The same as OpenAPI 3.1" } }
        @for (tag, what) in TAGS { (contents(document, tag, what)) }
        @for (tag, what) in TAGS { (group(document, tag, what)) }
        (schemas(&document["components"]["schemas"]))
    }
}

/// The operations of a group: method, path, operation.
fn operations<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, told)| (method.as_str(), path.as_str(), told))
        })
        .filter(move |(_, _, told)| told["tags"][0] == tag)
}

fn contents(document: &Value, tag: &str, what: &str) -> Markup {
    html! {
        h2 { (cell::sentence(what)) }
        ul.toc { @for (method, path, told) in operations(document, tag) {
            li { a href={ "#" (text(&told["operationId"])) } { span.method.(method) { (method.to_uppercase()) } code { (path) } } }
        } }
    }
}

fn group(document: &Value, tag: &str, what: &str) -> Markup {
    html! {
        h2 { (cell::sentence(what)) }
        @for (method, path, told) in operations(document, tag) { section id=(text(&told["operationId"])) {
            h3 { span.method.(method) { (method.to_uppercase()) } code { (path) } }
            p { (sentence(&told["summary"])) @if !told["security"].is_null() { ". " strong { "Needs a token that may operate." } } }
            (parameters(&told["parameters"]))
            (body(&told["requestBody"]))
            (responses(document, &told["responses"]))
        } }
    }
}

fn parameters(all: &Value) -> Markup {
    let Some(all) = all.as_array().filter(|all| !all.is_empty()) else { return html! {} };
    html! { div.scroll { table {
        caption { "Parameters" }
        thead { tr { th scope="col" { "Name" } th scope="col" { "In" } th scope="col" { "What" } th scope="col" { "Type" } } }
        tbody { @for one in all { tr {
            th scope="row" { code { (text(&one["name"])) } @if one["required"] == true { " (required)" } }
            td { (text(&one["in"])) }
            td { (sentence(&one["description"])) }
            td { (kind(&one["schema"])) (bounds(&one["schema"])) }
        } } }
    } } }
}

fn body(told: &Value) -> Markup {
    html! { @for (form, content) in told["content"].as_object().into_iter().flatten() {
        p { "Takes " code { (form) } @if told["required"] != true { ", or nothing" } ": " (kind(&content["schema"])) }
        @if let Some(fields) = content["schema"]["properties"].as_object() { (fields_table(fields, &content["schema"]["required"], "Fields of the body")) }
        (example(&content["example"], "Example of a body"))
    } }
}

fn responses(document: &Value, all: &Value) -> Markup {
    let named = |response: &Value| match response["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).cloned().unwrap_or_default(),
        None => response.clone(),
    };
    html! {
        div.scroll { table {
            caption { "Answers" }
            thead { tr { th scope="col" { "Status" } th scope="col" { "When" } th scope="col" { "Form" } } }
            tbody { @for (status, response) in all.as_object().into_iter().flatten() { @let response = named(response); tr {
                th scope="row" { (status) }
                td { (sentence(&response["description"])) }
                td { @for (place, (form, content)) in response["content"].as_object().into_iter().flatten().enumerate() {
                    @if place > 0 { br; }
                    code { (form) } @if form.ends_with("json") { ": " (kind(&content["schema"])) }
                } }
            } } }
        } }
        @for (status, response) in all.as_object().into_iter().flatten() {
            @for (form, content) in response["content"].as_object().into_iter().flatten() {
                (example(&content["example"], &format!("Example of an answer, {status} {form}")))
            }
        }
    }
}

fn example(value: &Value, title: &str) -> Markup {
    let written = match value {
        Value::Null => return html! {},
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    html! { details { summary { (title) } pre { (written) } } }
}

fn schemas(all: &Value) -> Markup {
    html! {
        h2 { "Types" }
        @for (name, schema) in all.as_object().into_iter().flatten() { section id={ "type-" (name) } {
            h3 { code { (name) } }
            p { (sentence(&schema["description"])) }
            @if let Some(fields) = schema["properties"].as_object() { (fields_table(fields, &schema["required"], &format!("Fields of {name}"))) }
            @else { p { (kind(schema)) } }
        } }
    }
}

fn fields_table(fields: &Map<String, Value>, required: &Value, title: &str) -> Markup {
    let always = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
    html! { div.scroll { table {
        caption { (title) }
        thead { tr { th scope="col" { "Field" } th scope="col" { "Type" } th scope="col" { "What" } } }
        tbody { @for (name, schema) in fields { tr {
            th scope="row" { code { (name) } @if !always(name) { " (may be left out)" } }
            td { (kind(schema)) (bounds(schema)) }
            td { (sentence(&schema["description"])) }
        } } }
    } } }
}

/// A type in words: `array of SloView`, `number or null`.
fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next()) {
        return html! { a href={ "#type-" (name) } { (name) } };
    }
    for any in ["anyOf", "oneOf"] {
        if let Some(parts) = schema[any].as_array() {
            return html! { @for (place, part) in parts.iter().enumerate() { @if place > 0 { " or " } (kind(part)) } };
        }
    }
    if let Some(value) = schema.get("const") {
        return html! { code { (text(value)) } };
    }
    if let Some(words) = schema["enum"].as_array() {
        return html! { @for (place, word) in words.iter().enumerate() { @if place > 0 { ", " } code { (text(word)) } } };
    }
    let words = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        one => text(one),
    };
    html! {
        @if words.starts_with("array") { "array of " (kind(&schema["items"])) }
        @else if schema["additionalProperties"].is_object() { "map of " (kind(&schema["additionalProperties"])) }
        @else if words.is_empty() { "any" } @else { (words) }
        @if schema["format"] == "date-time" { " (RFC 3339)" }
    }
}

/// What bounds it: `, 1 to 400, 90 if unsaid`.
fn bounds(schema: &Value) -> Markup {
    let said = |word: &str, key: &str| (!schema[key].is_null()).then(|| format!("{word} {}", text(&schema[key])));
    let all = [
        said("at least", "minimum"),
        said("at most", "maximum"),
        said("at least this long:", "minLength"),
        said("at most this long:", "maxLength"),
        said("like", "pattern"),
        said("unsaid:", "default"),
    ];
    html! { @for one in all.into_iter().flatten() { br; small { (one) } } }
}

fn sentence(value: &Value) -> Markup {
    cell::sentence(&text(value))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}
