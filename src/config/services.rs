//! `services:` without their SLOs.

use std::{collections::BTreeMap, time::Duration};

use super::{
    codes::Code,
    context::{Context, Thing, suggestion},
    decision_log,
    document::Document,
    fields::Fields,
    finding::Finding,
    maintenance::{self, Place},
    model,
    model::{Maintenance, Service, Slo, StatusPage},
    runbook, slos,
    tree::Entry,
    values::{ANY, FROM_SECOND},
};
use crate::domain::{
    name::{Name, SloId},
    policy::Priority,
};

/// Words that are routes of the companion.
const RESERVED: [&str; 9] = ["api", "slo", "incident", "badge", "webhooks", "metrics", "assets", "report", "sources"];

/// A service and its SLOs.
pub(crate) struct Decoded {
    /// The service.
    pub service: Option<Service>,
    /// Its SLOs.
    pub slos: Vec<(SloId, Slo)>,
    /// Its maintenance windows.
    pub maintenance: Vec<Maintenance>,
}

/// Reads one service. `windows` is what its maintenance windows have in common with all others.
pub(crate) fn decode(
    cx: &Context<'_>,
    document: &Document,
    entry: &Entry,
    retention: Duration,
    windows: Place<'_>,
) -> Decoded {
    let name = &entry.key.value;
    if RESERVED.contains(&name.as_str()) {
        let message = format!("a service cannot be called `{name}`: that is a route of the companion");
        cx.push(
            Finding::error(Code::BadName, entry.key.at, message).help(format!("reserved: {}", RESERVED.join(", "))),
        );
    }
    let Some(fields) = Fields::open(cx, &entry.value, entry.key.at, format!("service `{name}`")) else {
        return Decoded { service: None, slos: Vec::new(), maintenance: Vec::new() };
    };
    let runbook = fields.entry("runbook").and_then(|entry| runbook::decode(&fields, entry)).unwrap_or_default();
    let service = Service {
        title: fields.string("title").unwrap_or_else(|| name.clone()),
        owner: fields.string("owner"),
        labels: fields.labels("labels"),
        escalation: fields.reference("escalation", Thing::Escalation).map(|name| name.value),
        runbook_url: runbook.url,
        diagnostics: runbook.diagnostics,
        manual: runbook.manual,
        gauges: gauges(&fields),
        status_page: fields.entry("status_page").and_then(|entry| status_page(&fields, document, entry)),
        decision_log: fields.entry("decision_log").and_then(|entry| decision_log::decode(&fields, entry)),
        metric_prefix: metric_prefix(&fields),
    };
    let maintenance = maintenance::of_service(&fields, Place { service: Some(name), ..windows });
    let slos = fields
        .named("slos", "an SLO")
        .into_iter()
        .filter_map(|entry| {
            let id = SloId::new(name.as_str(), entry.key.value.as_str());
            slos::decode(cx, &id, entry, retention).map(|slo| (id, slo))
        })
        .collect();
    fields.close();
    Decoded { service: Some(service), slos, maintenance }
}

/// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn is_metric_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 200
        && !text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}

fn metric_prefix(fields: &Fields<'_>) -> Option<String> {
    let found = fields.word("metric_prefix", "the beginning of a metric's name")?;
    if !is_metric_name(&found.value) {
        fields.reject(Code::BadName, "metric_prefix", &found, "made of letters, digits and `_`");
        return None;
    }
    Some(found.value)
}

fn gauges(fields: &Fields<'_>) -> BTreeMap<String, model::Gauge> {
    let mut gauges = BTreeMap::new();
    for entry in fields.free_map("gauges", is_metric_name) {
        if entry.key.value.starts_with("slod_") {
            let message = format!("gauge `{}` would stand among the daemon's own metrics", entry.key.value);
            fields.cx.push(Finding::error(Code::BadName, entry.key.at, message).help("choose another prefix"));
        }
        let owner = format!("gauge `{}`", entry.key.value);
        let Some(inner) = Fields::open(fields.cx, &entry.value, entry.key.at, owner) else { continue };
        let help = inner.string("help").unwrap_or_default();
        let every = inner.seconds("every", FROM_SECOND).unwrap_or(60);
        let query = inner.kind(&["sql", "promql"]).and_then(|(word, entry)| runbook::number_query(&inner, word, entry));
        inner.close();
        if let Some(query) = query {
            gauges.insert(entry.key.value.clone(), model::Gauge { help, query, every });
        }
    }
    gauges
}

fn status_page(fields: &Fields<'_>, document: &Document, entry: &Entry) -> Option<StatusPage> {
    let owner = format!("`status_page` of {}", fields.owner);
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
    inner.require("receiver");
    inner.require("component");
    let receiver = inner.reference("receiver", Thing::Receiver);
    let component = inner.word("component", "the name of a component");
    if let (Some(receiver), Some(component)) = (&receiver, &component) {
        check_component(&inner, document, receiver.value.as_str(), receiver.at, component);
    }
    let (confirm_priority, confirm_for) = confirm(&inner);
    let approve = inner.choice("publish", &[("approve", true), ("auto", false)]).unwrap_or(true);
    let deadline = inner.duration("deadline", FROM_SECOND).unwrap_or(Duration::from_mins(15));
    let hold = inner.duration("hold", ANY).unwrap_or(Duration::from_mins(10));
    let remind = inner.receivers("remind").unwrap_or_default();
    for node in inner.list("remind") {
        let name = node.scalar().unwrap_or_default();
        if inner.cx.known_kind(Thing::Receiver, name) == Some("pagerduty") {
            let message = format!("{} reminds `{name}`, which is a pager: it would hear nothing", inner.owner);
            let finding = Finding::error(Code::WrongKind, node.at, message);
            inner.cx.push(finding.help("name a chat or mail receiver: nobody is woken to post"));
        }
    }
    inner.close();
    Some(StatusPage {
        receiver: receiver?.value,
        component: component?.value,
        confirm_priority,
        confirm_for,
        approve,
        deadline,
        hold,
        remind,
    })
}

/// The receiver must be a status page that has the component.
fn check_component(
    fields: &Fields<'_>,
    document: &Document,
    receiver: &str,
    at: super::tree::Span,
    component: &super::tree::Key,
) {
    let Some(entry) = document.find("receivers", receiver) else { return };
    let Some(page) = entry.value.child("statuspage").or_else(|| entry.value.child("instatus")) else {
        let message = format!("{} names receiver `{receiver}`, which is no status page", fields.owner);
        fields.cx.push(Finding::error(Code::WrongKind, at, message).help("name a receiver of kind `statuspage`"));
        return;
    };
    let components = page.child("components").and_then(|node| node.entries()).unwrap_or_default();
    if !components.iter().any(|entry| entry.key.value == component.value) {
        let names: Vec<&str> = components.iter().map(|entry| entry.key.value.as_str()).collect();
        let message = format!("receiver `{receiver}` has no component `{}`", component.value);
        let help = suggestion(&component.value, &names);
        fields.cx.push(Finding::error(Code::UnknownReference, component.at, message).help(help));
    }
}

fn confirm(fields: &Fields<'_>) -> (Priority, Duration) {
    let default = (Priority::P1, Duration::from_mins(5));
    let Some(entry) = fields.entry("confirm") else { return default };
    let owner = format!("`confirm` of {}", fields.owner);
    let Some(inner) = Fields::open(fields.cx, &entry.value, entry.key.at, owner) else { return default };
    let found = (inner.priority("priority").unwrap_or(default.0), inner.duration("for", ANY).unwrap_or(default.1));
    inner.close();
    found
}

/// Names of services in a list.
pub(crate) fn services(fields: &Fields<'_>, key: &'static str) -> Vec<Name> {
    fields
        .words(key)
        .into_iter()
        .map(|word| {
            fields.cx.refer(Thing::Service, &word, &fields.owner);
            Name::from(word.value)
        })
        .collect()
}
