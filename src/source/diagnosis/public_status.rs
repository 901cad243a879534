//! Reads a Statuspage page's `/api/v2/summary.json`, tolerantly: others imitate it with words of their own.

use serde_json::Value;

use crate::{
    domain::diagnostic::{Found, Table},
    source::bounded_body::snippet,
};

/// Most of what is wrong that stands in the summary.
const NAMED_MAX: usize = 2;

/// What the page says: what is not operational, and the incidents that go on. `Err` if it is no such page.
pub(super) fn read(body: &[u8]) -> Result<Found, String> {
    let Ok(summary) = serde_json::from_slice::<Value>(body) else {
        return Err(format!("no JSON: {}", snippet(body)));
    };
    if summary["page"]["id"].as_str().is_none_or(str::is_empty) {
        return Err("its summary names no `page.id`".to_owned());
    }
    let troubles: Vec<Trouble> = components(&summary).chain(incidents(&summary)).collect();
    let description = summary["status"]["description"].as_str().unwrap_or("something is wrong");
    let is_fine = matches!(summary["status"]["indicator"].as_str(), None | Some("none"));
    if troubles.is_empty() {
        return Ok(Found::said(is_fine, if is_fine { "operational" } else { description }));
    }
    let named: Vec<String> = troubles.iter().take(NAMED_MAX).map(Trouble::words).collect();
    let more = troubles.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let rows = troubles
        .into_iter()
        .map(|trouble| vec![Some(trouble.what.to_owned()), Some(trouble.name), Some(trouble.state)]);
    let columns = ["what", "name", "state"].map(str::to_owned).to_vec();
    let table = Table::new(columns, rows.collect(), false);
    Ok(Found { ok: false, summary: format!("{}{more}", named.join(", ")), text: None, table: Some(table) })
}

/// Something that is not as it should be.
struct Trouble {
    what: &'static str,
    name: String,
    state: String,
}

impl Trouble {
    fn words(&self) -> String {
        let Self { what, name, state } = self;
        if *what == "component" { format!("{name} {state}") } else { format!("{what} \"{name}\" {state}") }
    }
}

/// A group only repeats what its components say.
fn components(summary: &Value) -> impl Iterator<Item = Trouble> {
    list(summary, "components")
        .filter(|component| component["group"] != true)
        .filter_map(|component| trouble("component", component, &["operational"]))
}

fn incidents(summary: &Value) -> impl Iterator<Item = Trouble> {
    list(summary, "incidents").filter_map(|incident| trouble("incident", incident, &["resolved", "postmortem"]))
}

fn list<'a>(summary: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    summary[key].as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn trouble(what: &'static str, entry: &Value, fine: &[&str]) -> Option<Trouble> {
    let state = entry["status"].as_str()?;
    if fine.iter().any(|fine| state.eq_ignore_ascii_case(fine)) {
        return None;
    }
    let name = entry["name"].as_str().unwrap_or("without a name").to_owned();
    Some(Trouble { what, name, state: state.replace('_', " ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(json: &str) -> Result<(bool, String), String> {
        read(json.as_bytes()).map(|found| (found.ok, found.summary))
    }

    #[test]
    fn what_pages_say() {
        let page = |rest: &str| format!(r#"{{"page":{{"id":"p"}}{rest}}}"#);
        for (json, ok, words) in [
            (page(""), true, "operational"),
            (page(r#","status":{"indicator":"none"},"components":[],"incidents":null"#), true, "operational"),
            (page(r#","status":{"indicator":"minor","description":"Partial"}"#), false, "Partial"),
            (page(r#","components":[{"name":"API","status":"operational"}]"#), true, "operational"),
            (page(r#","components":[{"name":"All","group":true,"status":"major_outage"}]"#), true, "operational"),
            (page(r#","components":[{"name":"API","status":"partial_outage"}]"#), false, "API partial outage"),
            (page(r#","incidents":[{"name":"Slow","status":"resolved"}]"#), true, "operational"),
            (
                page(
                    r#","components":[{"name":"API","status":"degraded_performance"},{"status":"major_outage"}],
                       "incidents":[{"name":"<b>","status":"investigating"}]"#,
                ),
                false,
                "API degraded performance, without a name major outage and 1 more",
            ),
            (page(r#","incidents":[{"name":"Slow","status":"identified"}]"#), false, "incident \"Slow\" identified"),
        ] {
            assert_eq!(summary(&json), Ok((ok, words.to_owned())), "{json}");
        }
    }

    #[test]
    fn what_is_no_page_is_said_plainly() {
        for (body, said) in [
            ("<html>hello", "no JSON: `<html>hello`"),
            ("{}", "its summary names no `page.id`"),
            (r#"{"page":{"id":""}}"#, "its summary names no `page.id`"),
            (r#"{"page":{"id":7}}"#, "its summary names no `page.id`"),
            ("[]", "its summary names no `page.id`"),
            (&"[".repeat(100_000), "no JSON: `"),
        ] {
            assert!(summary(body).is_err_and(|why| why.starts_with(said)), "{said}");
        }
    }
}
