//! Joins what the elements' decoders made, and judges what only shows when all is known.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Loaded, Mode, Overrides, agenda,
    context::Context,
    daemon,
    diagnostics::{Diagnostic, Severity},
    document::{self, Document},
    escalations,
    files::{File, Files},
    finding::Finding,
    fit, later,
    maintenance::{self, Place},
    model::{BoundPolicy, Config, Maintenance, Service, Slo},
    policies, receivers, services, slos, sources, templates,
    tree::Entry,
    veil,
};
use crate::domain::name::{Name, SloId};

/// Decodes all files.
pub(crate) fn compile(
    files: &Files,
    findings: Vec<Finding>,
    mode: Mode,
    env: &dyn Fn(&str) -> Option<String>,
    overrides: &Overrides,
) -> Loaded {
    let mut cx = Context::new(files, mode, env);
    for finding in findings {
        cx.push(finding);
    }
    let document = document::join(&cx);
    cx.known = document.known();
    veil::hide(&cx);
    // a file that does not parse would make everything it holds look missing
    let whole = files.iter().all(File::is_parsed);
    let config = decode(&cx, &document, overrides);
    let (mut findings, hidden) = cx.finish();
    if !whole {
        findings.retain(|finding| !finding.code.depends_on_all_files());
    }
    let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
    findings.sort_by_key(|finding| finding.at.map(|at| (at.file, at.start)));
    let diagnostics: Vec<Diagnostic> =
        findings.into_iter().map(|finding| Diagnostic::new(finding, files, &hidden)).collect();
    Loaded { config: config.filter(|_| !failed && whole), diagnostics }
}

fn decode(cx: &Context<'_>, document: &Document, overrides: &Overrides) -> Option<Config> {
    let daemon = daemon::decode(cx, document.block("daemon"), overrides);
    let retention = daemon.as_ref().map_or(Duration::MAX, |daemon| daemon.retention);
    let sources = each(document.map("sources"), |entry| sources::decode(cx, entry));
    let receivers = each(document.map("receivers"), |entry| receivers::decode(cx, entry));
    receivers::check_fallbacks(cx, document);
    let escalations = each(document.map("escalations"), |entry| escalations::decode(cx, entry));
    let mail = document.block("mail").and_then(|entry| receivers::mail(cx, entry));
    check_mail(cx, document);
    let ids = slo_ids(document);
    let timezone = daemon.as_ref().map_or("UTC", |daemon| daemon.timezone.as_str());
    let windows = Place { service: None, all: &ids, timezone };
    let (services, mut slos, mut maintenance) = decode_services(cx, document, retention, windows);
    for slo in slos.values_mut() {
        slos::fill_settle(slo, &sources);
    }
    check_gauges(cx, document);
    let policies = decode_policies(cx, document, &slos, &ids);
    let reports = each(document.map("reports"), |entry| agenda::report(cx, entry, timezone));
    let reminders = each(document.map("reminders"), |entry| agenda::reminder(cx, entry, timezone));
    maintenance.extend(document.map("maintenance").iter().filter_map(|entry| maintenance::decode(cx, entry, windows)));
    let templates = Arc::new(templates::decode(cx, document, &policies, &slos));
    later::unused(cx);
    let hash = cx.files.hash.clone();
    Some(Config {
        daemon: daemon?,
        sources,
        services,
        slos,
        policies,
        receivers,
        escalations,
        reports,
        reminders,
        maintenance,
        templates,
        mail,
        hash,
    })
}

fn each<T>(entries: &[Entry], decode: impl Fn(&Entry) -> Option<T>) -> BTreeMap<Name, T> {
    entries
        .iter()
        .filter_map(|entry| decode(entry).map(|found| (Name::from(entry.key.value.as_str()), found)))
        .collect()
}

/// Mail can only be sent if it is said how.
fn check_mail(cx: &Context<'_>, document: &Document) {
    let first = document.map("receivers").iter().find(|entry| entry.value.child("email").is_some());
    if let Some(entry) = first
        && document.block("mail").is_none()
    {
        let message = format!("receiver `{}` needs `mail`, which says how mail is sent", entry.key.value);
        let finding = Finding::error(super::Code::MissingKey, entry.key.at, message);
        cx.push(finding.help("add `mail: {smtp: …, from: …}`"));
    }
}

/// All gauges stand on one page: a name can be there once.
fn check_gauges(cx: &Context<'_>, document: &Document) {
    let mut first = BTreeMap::new();
    for service in document.map("services") {
        for gauge in service.value.child("gauges").and_then(|node| node.entries()).unwrap_or_default() {
            if let Some(at) = first.insert(gauge.key.value.as_str(), gauge.key.at) {
                let message = format!("gauge `{}` is there twice", gauge.key.value);
                let finding = Finding::error(super::Code::DuplicateKey, gauge.key.at, message);
                cx.push(finding.related(at, "first here").help("rename or remove one of them"));
            }
        }
    }
}

type Services = (BTreeMap<Name, Service>, BTreeMap<SloId, Slo>, Vec<Maintenance>);

fn decode_services(cx: &Context<'_>, document: &Document, retention: Duration, windows: Place<'_>) -> Services {
    let (mut all, mut slos, mut maintenance) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for entry in document.map("services") {
        let decoded = services::decode(cx, document, entry, retention, windows);
        all.extend(decoded.service.map(|service| (Name::from(entry.key.value.as_str()), service)));
        slos.extend(decoded.slos);
        maintenance.extend(decoded.maintenance);
    }
    (all, slos, maintenance)
}

/// `ids` are all SLOs: one that does not decode still exists, and a policy that names it is not at fault.
fn decode_policies(
    cx: &Context<'_>,
    document: &Document,
    slos: &BTreeMap<SloId, Slo>,
    ids: &[SloId],
) -> BTreeMap<Name, BoundPolicy> {
    let mut found = BTreeMap::new();
    for entry in document.map("policies") {
        let Some(decoded) = policies::decode(cx, entry, ids) else { continue };
        let specs: Vec<_> = decoded.slos.iter().filter_map(|id| slos.get(id)).map(|slo| &slo.spec).collect();
        fit::check(cx, &decoded, &specs);
        if decoded.policy.notify.is_empty() && decoded.policy.escalation.is_none() {
            check_default(cx, document, entry, &decoded.slos);
        }
        let policies::Decoded { policy, slos, .. } = decoded;
        found.insert(policy.name.clone(), BoundPolicy { policy, slos });
    }
    found
}

/// A policy that names nobody leaves it to the service's default escalation.
fn check_default(cx: &Context<'_>, document: &Document, policy: &Entry, slos: &[SloId]) {
    let silent = slos.iter().find(|id| {
        document.find("services", &id.service).is_some_and(|service| service.value.child("escalation").is_none())
    });
    if let Some(id) = silent
        && policy.value.child("notify").is_none()
        && policy.value.child("escalation").is_none()
    {
        let message = format!("policy `{}` tells nobody of SLO `{id}`", policy.key.value);
        let finding = Finding::warning(super::Code::TellsNobody, policy.key.at, message);
        cx.push(finding.help("add `notify` or `escalation`"));
    }
}

fn slo_ids(document: &Document) -> Vec<SloId> {
    let mut ids: Vec<SloId> = Vec::new();
    for service in document.map("services") {
        let slos = service.value.child("slos").and_then(|node| node.entries()).unwrap_or_default();
        let named = slos.iter().filter(|slo| !slo.key.value.starts_with("x-"));
        ids.extend(named.map(|slo| SloId::new(service.key.value.as_str(), slo.key.value.as_str())));
    }
    ids.sort();
    ids
}
