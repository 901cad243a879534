//! One field of the data as an element: what people read, and in attributes what the JSON says.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};
use serde_json::Value;

use crate::views::render_words::{
    ABSENT, ago, amount, duration, glyph, instant, instant_and_age, percent, relative, tone,
};

/// A text. Isolated, so that its direction of writing stays its own.
pub fn text(field: &str, value: &str) -> Markup {
    html! { bdi data-field=(field) { (value) } }
}

/// A text that may be absent.
pub fn optional(field: &str, value: Option<&str>) -> Markup {
    match value {
        Some(value) => text(field, value),
        None => absent(field),
    }
}

/// A number in other words.
pub fn figure(field: &str, value: Option<f64>, shown: impl FnOnce(f64) -> String) -> Markup {
    match value.filter(|value| value.is_finite()) {
        Some(value) => html! { data value=(value) data-field=(field) { (shown(value)) } },
        None => absent(field),
    }
}

/// A share of one.
pub fn share(field: &str, value: Option<f64>) -> Markup {
    figure(field, value, percent)
}

/// A count of events, or of seconds.
pub fn events(field: &str, value: f64, in_seconds: bool) -> Markup {
    figure(field, Some(value), |value| amount(value, in_seconds))
}

/// A length of time in seconds.
pub fn seconds(field: &str, value: Option<f64>) -> Markup {
    figure(field, value, duration)
}

/// A moment.
pub fn time(field: &str, now: DateTime<Utc>, at: Option<DateTime<Utc>>) -> Markup {
    match at {
        Some(at) => html! {
            time datetime=(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)) data-field=(field) { (instant_and_age(now, at)) }
        },
        None => absent(field),
    }
}

/// A sentence of ours in which what is typed stands between backticks.
pub fn sentence(text: &str) -> Markup {
    if text.matches('`').count() % 2 == 1 {
        return html! { (text) };
    }
    html! { @for (place, part) in text.split('`').enumerate() { @if place % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// A state: glyph, word, colour.
pub fn state(field: &str, state: &str) -> Markup {
    html! { span.{ "state " (tone(state)) } { span aria-hidden="true" { (glyph(state)) " " } span data-field=(field) { (state) } } }
}

/// A state that is no field of the data.
pub fn pill(state: &str) -> Markup {
    html! { span.{ "state " (tone(state)) } { span aria-hidden="true" { (glyph(state)) " " } (state) } }
}

/// Yes or no.
pub fn flag(field: &str, value: Option<bool>) -> Markup {
    match value {
        Some(value) => html! { data value=(value) data-field=(field) { @if value { "yes" } @else { "no" } } },
        None => absent(field),
    }
}

/// Nothing.
pub fn absent(field: &str) -> Markup {
    html! { span.absent data-field=(field) { (ABSENT) } }
}

/// A wide thing that moves within its own region, never with the page. `label` names it.
pub fn scroll(label: &str, wide: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (wide) } }
}

/// How long ago something was, or how far away it is; the script keeps it true.
pub fn age(now: DateTime<Utc>, at: Option<DateTime<Utc>>) -> Markup {
    let Some(at) = at else { return html! { span.absent { (ABSENT) } } };
    html! { time.age datetime=(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)) title=(instant(at)) { (relative(now, at)) } }
}

/// How long ago something was that is known: what ends in a moment counts as now.
pub fn known(now: DateTime<Utc>, at: Option<DateTime<Utc>>) -> Markup {
    let Some(at) = at else { return age(now, at) };
    html! { time datetime=(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)) class="age known" title=(instant(at)) { (ago(now, at)) } }
}

/// The moment itself beside that.
pub fn known_time(field: &str, now: DateTime<Utc>, at: Option<DateTime<Utc>>) -> Markup {
    let Some(at) = at else { return absent(field) };
    html! {
        time datetime=(at.to_rfc3339_opts(SecondsFormat::AutoSi, true)) class="known" data-field=(field) { (instant(at)) " (" (ago(now, at)) ")" }
    }
}

/// What is left of a budget as a bar, beside its number. Overspent, it is full of the colour for bad.
pub fn bar(left: Option<f64>) -> Markup {
    let Some(left) = left.filter(|left| left.is_finite()) else {
        return html! { svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" { rect.rail width="100" height="8" {} } };
    };
    let tone = match left {
        left if left <= 0.0 => "bad",
        left if left < 0.25 => "warn",
        _ => "good",
    };
    let width = if left <= 0.0 { (-left).clamp(0.0, 1.0) } else { left.min(1.0) } * 100.0;
    html! {
        svg.bar viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
            rect.rail width="100" height="8" {}
            rect.fill.{ (tone) } width=(format!("{width:.1}")) height="8" {}
        }
    }
}

/// Any JSON, leaf by leaf.
pub fn json(field: &str, value: &Value) -> Markup {
    match value {
        Value::Null => absent(field),
        Value::Bool(value) => flag(field, Some(*value)),
        Value::Number(number) => html! { data value=(number) data-field=(field) { (number) } },
        Value::String(value) => text(field, value),
        Value::Array(items) if items.is_empty() => none(field),
        Value::Array(items) => html! {
            ol { @for (place, item) in items.iter().enumerate() { li { (json(&format!("{field}.{place}"), item)) } } }
        },
        Value::Object(members) if members.is_empty() => none(field),
        Value::Object(members) => html! {
            dl { @for (name, item) in members { dt { (name) } dd { (json(&format!("{field}.{name}"), item)) } } }
        },
    }
}

/// Label values, `key=value`.
pub fn labels(field: &str, labels: &std::collections::BTreeMap<String, String>) -> Markup {
    if labels.is_empty() {
        return none(field);
    }
    html! {
        @for (place, (name, value)) in labels.iter().enumerate() {
            @if place > 0 { ", " }
            bdi { (name) } "=" (text(&format!("{field}.{name}"), value))
        }
    }
}

/// The query that asks for a series: `?route=%2Fa`; nothing for one whole.
pub fn query(labels: &std::collections::BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return String::new();
    }
    format!("?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(labels).finish())
}

/// An empty list.
pub fn none(field: &str) -> Markup {
    html! { span.absent data-field=(field) { "none" } }
}

/// A link, if the address is one that may be followed.
pub fn link(field: &str, address: Option<&str>) -> Markup {
    match address {
        Some(address) if address.starts_with("https://") || address.starts_with("http://") => {
            html! { a href=(address) rel="noreferrer" data-field=(field) { (address) } }
        }
        address => optional(field, address),
    }
}
