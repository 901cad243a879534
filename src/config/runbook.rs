//! `runbook:` of a service: where it is, what to look at first, what people may do.

use super::{
    fields::Fields,
    model::{ManualStep, NumberQuery},
    promql::Shape,
    tree::Entry,
    values::FROM_SECOND,
};

/// What is kept of a runbook.
#[derive(Debug, Default)]
pub(crate) struct Runbook {
    /// Its address.
    pub url: Option<String>,
    /// Manual steps.
    pub manual: Vec<ManualStep>,
}

/// Reads a runbook.
pub(crate) fn decode(fields: &Fields<'_>, entry: &Entry) -> Option<Runbook> {
    let owner = format!("`runbook` of {}", fields.owner);
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
    let url = inner.http_url("url").map(|url| url.value);
    let diagnostics = inner.named("diagnostics", "a diagnostic");
    if !diagnostics.is_empty() {
        fields.cx.not_yet("`diagnostics`", inner.key_at("diagnostics"));
    }
    for entry in diagnostics {
        diagnostic(&inner, entry);
    }
    let manual = inner.list("manual").iter().filter_map(|node| {
        let step = Fields::open(fields.cx, node, node.at, format!("a manual step of {}", fields.owner))?;
        let run = step.required_text("run").map(|text| text.value);
        let needs = step.string("needs");
        step.close();
        Some(ManualStep { run: run?, needs })
    });
    let manual = manual.collect();
    inner.close();
    Some(Runbook { url, manual })
}

fn diagnostic(fields: &Fields<'_>, entry: &Entry) {
    let owner = format!("diagnostic `{}`", entry.key.value);
    let Some(inner) = Fields::open(fields.cx, &entry.value, entry.key.at, owner) else { return };
    inner.duration("timeout", FROM_SECOND);
    match inner.kind(&["public_status", "sql", "explain", "promql", "http"]) {
        Some(("sql" | "explain", entry)) => {
            number_query(&inner, "sql", entry);
        }
        Some(("promql", entry)) => {
            number_query(&inner, "promql", entry);
        }
        Some(("public_status", entry)) if entry.value.scalar().is_some() => {
            inner.required_http_url("public_status");
        }
        Some((_, entry)) => {
            if let Some(web) = Fields::open(fields.cx, &entry.value, entry.key.at, inner.owner.clone()) {
                web.required_http_url("url");
                super::indicators::statuses(&web, "status");
                web.close();
            }
        }
        None => {}
    }
    inner.close();
}

/// `{source, query}` in the language of `word`.
pub(crate) fn number_query(fields: &Fields<'_>, word: &str, entry: &Entry) -> Option<NumberQuery> {
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, fields.owner.clone())?;
    let kinds: &[&'static str] = if word == "sql" { &["postgres"] } else { &["prometheus"] };
    let source = inner.source("source", kinds);
    inner.require("query");
    let query = inner.query("query");
    let unchecked = inner.unchecked();
    if let Some(query) = query.as_ref().filter(|_| !unchecked) {
        if word == "sql" {
            inner.check_sql("query", &query.value, query.at, false);
        } else {
            inner.check_promql("query", &query.value, query.at, Shape::Any);
        }
    }
    inner.close();
    Some(NumberQuery { source: source?, query: query?.value })
}
