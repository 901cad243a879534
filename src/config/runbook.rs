//! `runbook:` of a service: where it is, what to look at first, what people may do.

use std::time::Duration;

use super::{
    codes::Code,
    fields::Fields,
    finding::Finding,
    indicators,
    model::{Diagnostic, DiagnosticKind, ManualStep, NumberQuery},
    promql::Shape,
    tree::Entry,
    values::FROM_SECOND,
};
use crate::domain::{diagnostic::DIAGNOSTICS_MAX, name::Name};

/// How long a diagnostic may take, if it is not written.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that can be written: a first look that comes later is none.
const TIMEOUT_MAX: Duration = Duration::from_mins(1);
/// What is fine, if it is not written.
const FINE: (u16, u16) = (200, 299);

/// What is kept of a runbook.
#[derive(Debug, Default)]
pub(crate) struct Runbook {
    /// Its address.
    pub url: Option<String>,
    /// What to look at, in the order that is written.
    pub diagnostics: Vec<Diagnostic>,
    /// Manual steps.
    pub manual: Vec<ManualStep>,
}

/// Reads a runbook.
pub(crate) fn decode(fields: &Fields<'_>, entry: &Entry) -> Option<Runbook> {
    let owner = format!("`runbook` of {}", fields.owner);
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
    let url = inner.http_url("url").map(|url| url.value);
    let diagnostics = diagnostics(&inner);
    let manual = inner.list("manual").iter().filter_map(|node| {
        let step = Fields::open(fields.cx, node, node.at, format!("a manual step of {}", fields.owner))?;
        let run = step.required_text("run").map(|text| text.value);
        let needs = step.string("needs");
        step.close();
        Some(ManualStep { run: run?, needs })
    });
    let manual = manual.collect();
    inner.close();
    Some(Runbook { url, diagnostics, manual })
}

fn diagnostics(fields: &Fields<'_>) -> Vec<Diagnostic> {
    let entries = fields.named("diagnostics", "a diagnostic");
    if entries.len() > DIAGNOSTICS_MAX {
        let message = format!("{} has {} diagnostics", fields.owner, entries.len());
        let finding = Finding::error(Code::OutOfRange, fields.key_at("diagnostics"), message);
        fields.cx.push(finding.help(format!("keep the {DIAGNOSTICS_MAX} that help most")));
    }
    entries.into_iter().filter_map(|entry| diagnostic(fields, entry)).collect()
}

fn diagnostic(fields: &Fields<'_>, entry: &Entry) -> Option<Diagnostic> {
    let owner = format!("diagnostic `{}`", entry.key.value);
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
    let timeout = inner.duration("timeout", *FROM_SECOND.start()..=TIMEOUT_MAX).unwrap_or(TIMEOUT);
    let kind = match inner.kind(&["public_status", "sql", "explain", "promql", "http"]) {
        Some(("sql", entry)) => number_query(&inner, "sql", entry).map(DiagnosticKind::Sql),
        Some(("explain", entry)) => number_query(&inner, "sql", entry).map(DiagnosticKind::Explain),
        Some(("promql", entry)) => number_query(&inner, "promql", entry).map(DiagnosticKind::Promql),
        Some(("public_status", entry)) if entry.value.scalar().is_some() => {
            inner.required_http_url("public_status").map(|url| DiagnosticKind::PublicStatus { url: url.value })
        }
        Some((word, entry)) => web(&inner, word, entry),
        None => None,
    };
    inner.close();
    Some(Diagnostic { name: Name::from(entry.key.value.as_str()), kind: kind?, timeout })
}

/// `{url}` of a status page, `{url, status}` of anything else.
fn web(fields: &Fields<'_>, word: &str, entry: &Entry) -> Option<DiagnosticKind> {
    let web = Fields::open(fields.cx, &entry.value, entry.key.at, fields.owner.clone())?;
    let url = web.required_http_url("url").map(|url| url.value);
    let kind = if word == "http" {
        let status = indicators::statuses(&web, "status").unwrap_or_else(|| vec![FINE]);
        url.map(|url| DiagnosticKind::Http { url, status })
    } else {
        url.map(|url| DiagnosticKind::PublicStatus { url })
    };
    web.close();
    kind
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
