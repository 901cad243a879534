//! From the configuration to the core's rules.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::{
    config::model::{BoundPolicy, Config, Indicator, ReceiverKind, Service, Slo, Source, StatusPage},
    domain::{
        escalation::Plan,
        incident::{Hearers, Hearing},
        name::{Name, SloId},
        policy::Priority,
        record::{RecordRule, receiver_of},
        rulebook::{PolicyRules, Rulebook, SloRules, SourceRules, StatusTarget},
        slo::Comparison,
        status_page::StatusRule,
    },
    views::figures::Shown,
};

/// Blindness of an SLO without a source (a probe), in seconds.
const BLIND_AFTER: u32 = 300;

/// All rules of a configuration.
pub fn rulebook(config: &Config) -> Rulebook {
    Rulebook {
        slos: config.slos.iter().map(|(id, slo)| (id.clone(), slo_rules(config, id, slo))).collect(),
        sources: config
            .sources
            .iter()
            .map(|(name, source)| (name.clone(), source_rules(config, name, source)))
            .collect(),
        hearers: hearers(config),
        external_url: config.daemon.external_url.clone(),
        records: records(config),
    }
}

/// Where each service's incidents are recorded.
fn records(config: &Config) -> BTreeMap<Name, RecordRule> {
    let rule = |(name, service): (&Name, &Service)| {
        let log = service.decision_log.as_ref()?;
        let rule =
            RecordRule { receiver: receiver_of(name), action: log.action.clone(), min_priority: log.min_priority };
        Some((name.clone(), rule))
    };
    config.services.iter().filter_map(rule).collect()
}

/// Who can be told what wakes nobody: chats, mails and webhooks.
pub fn readers(config: &Config) -> BTreeSet<Name> {
    let reads = |kind: &ReceiverKind| match kind {
        ReceiverKind::SlackBot { .. }
        | ReceiverKind::SlackWebhook { .. }
        | ReceiverKind::Email { .. }
        | ReceiverKind::Webhook { .. } => true,
        ReceiverKind::Pagerduty { .. }
        | ReceiverKind::Alertmanager { .. }
        | ReceiverKind::Statuspage { .. }
        | ReceiverKind::Instatus { .. } => false,
    };
    let readers = config.receivers.iter().filter(|(_, receiver)| reads(&receiver.kind));
    readers.map(|(name, _)| name.clone()).collect()
}

/// Whom messages can go to, who hears instead, and after how long. Nobody is told instead of a decision log: it is no
/// person.
pub fn fallbacks(config: &Config) -> BTreeMap<Name, (Option<Name>, TimeDelta)> {
    let wait = |after: std::time::Duration| TimeDelta::from_std(after).unwrap_or(TimeDelta::minutes(2));
    let receivers = config.receivers.iter();
    let receivers =
        receivers.map(|(name, receiver)| (name.clone(), (receiver.fallback.clone(), wait(receiver.fallback_after))));
    let logged = config.services.iter().filter(|(_, service)| service.decision_log.is_some());
    receivers.chain(logged.map(|(name, _)| (receiver_of(name), (None, TimeDelta::zero())))).collect()
}

fn hearers(config: &Config) -> Hearers {
    let hearing = |kind: &ReceiverKind| match kind {
        ReceiverKind::Pagerduty { .. } => Some(Hearing::Pager),
        ReceiverKind::SlackBot { .. } | ReceiverKind::SlackWebhook { .. } | ReceiverKind::Webhook { .. } => {
            Some(Hearing::Chat)
        }
        // Notes of people are no news of an alert.
        ReceiverKind::Email { .. } | ReceiverKind::Alertmanager { .. } => Some(Hearing::Mail),
        // Hears posts only, through the status page's own clock.
        ReceiverKind::Statuspage { .. } | ReceiverKind::Instatus { .. } => None,
    };
    config.receivers.iter().filter_map(|(name, receiver)| Some((name.clone(), hearing(&receiver.kind)?))).collect()
}

/// The rules of one SLO.
pub(super) fn slo_rules(config: &Config, id: &SloId, slo: &Slo) -> SloRules {
    let service = config.services.get(&id.service);
    let source = slo.indicator.source().cloned();
    let blind_after =
        source.as_ref().and_then(|name| config.sources.get(name)).map(|source| source.blind_after.as_secs());
    let mine = |bound: &&BoundPolicy| bound.slos.contains(id);
    SloRules {
        spec: slo.spec.clone(),
        title: slo.title.clone(),
        service_title: service.map_or_else(|| id.service.to_string(), |service| service.title.clone()),
        good: good_words(slo),
        in_seconds: matches!(&slo.indicator, Indicator::Value { unit: Some(unit), .. } if is_seconds(unit)),
        source,
        blind_after: blind_after.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(BLIND_AFTER),
        asks_past: slo.indicator.source().is_some(),
        per: slo.per.clone(),
        max_series: config.daemon.max_series_per_slo,
        retention: retention(config, slo),
        policies: config
            .policies
            .values()
            .filter(mine)
            .map(|bound| PolicyRules::new(bound.policy.clone(), plan(config, id, bound), &slo.spec))
            .collect(),
        runbook_url: service.and_then(|service| service.runbook_url.clone()),
        manual: service
            .map(|service| service.manual.iter().map(|step| (step.run.clone(), step.needs.clone())).collect())
            .unwrap_or_default(),
        has_diagnostics: service.is_some_and(|service| !service.diagnostics.is_empty()),
        status: service.and_then(|service| service.status_page.as_ref()).map(status_target),
    }
}

/// Slots are kept in memory for the window and the longest burn window, whichever is longer, and a chunk.
fn retention(config: &Config, slo: &Slo) -> i64 {
    let window = i64::from(slo.spec.window.longest_seconds()).max(259_200);
    let kept = i64::try_from(config.daemon.retention.as_secs()).unwrap_or(i64::MAX);
    window.min(kept) + 2 * 240 * i64::from(slo.spec.every)
}

fn plan(config: &Config, id: &SloId, bound: &BoundPolicy) -> Plan {
    let escalation = bound.policy.escalation.as_ref().and_then(|name| config.escalations.get(name));
    let default = config.services.get(&id.service).and_then(|service| service.escalation.as_ref());
    Plan::of(&bound.policy, escalation, default.and_then(|name| config.escalations.get(name)))
}

fn status_target(page: &StatusPage) -> StatusTarget {
    let seconds = |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    StatusTarget {
        rule: StatusRule {
            priority: page.confirm_priority,
            confirm_for: seconds(page.confirm_for),
            approve: page.approve,
            deadline: seconds(page.deadline),
            hold: seconds(page.hold),
            remind: page.remind.clone(),
        },
        receiver: page.receiver.clone(),
        component: page.component.clone(),
    }
}

/// A blind source is told to its own `blind:` receivers, or else, at P3, to those who hear at once of the policies it
/// feeds.
fn source_rules(config: &Config, name: &Name, source: &Source) -> SourceRules {
    let (priority, plan) = match &source.blind {
        Some(blind) => {
            let escalation = blind.escalation.as_ref().and_then(|name| config.escalations.get(name));
            (blind.priority, Plan::new(&blind.notify, escalation))
        }
        None => (Priority::P3, Plan::new(&hearers_of_source(config, name), None)),
    };
    let blind_after = TimeDelta::from_std(source.blind_after).unwrap_or(TimeDelta::minutes(5));
    SourceRules { blind_after, priority, plan }
}

fn hearers_of_source(config: &Config, source: &Name) -> Vec<Name> {
    let mut names = Vec::new();
    for bound in config.policies.values() {
        for id in &bound.slos {
            if config.slos.get(id).and_then(|slo| slo.indicator.source()) == Some(source) {
                names.extend(plan(config, id, bound).at_once());
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// What is shown beside each SLO's counts.
pub fn shown(config: &Config) -> BTreeMap<SloId, Shown> {
    let one = |slo: &Slo| match &slo.indicator {
        Indicator::LatencyHistogram { percentile, .. } | Indicator::LatencySql { percentile, .. } => {
            Shown { percentile: *percentile, unit: None }
        }
        Indicator::Value { unit, .. } => Shown { percentile: None, unit: unit.clone() },
        _ => Shown::default(),
    };
    config.slos.iter().map(|(id, slo)| (id.clone(), one(slo))).collect()
}

/// What is good, in words.
fn good_words(slo: &Slo) -> String {
    match &slo.indicator {
        Indicator::Value { good, unit, .. } => comparison_words(good, unit.as_deref()),
        Indicator::LatencyHistogram { threshold, .. } | Indicator::LatencySql { threshold, .. } => {
            format!("{} within {}", slo.spec.slot_target(), seconds_words(*threshold))
        }
        _ => slo.spec.slot_target().to_string(),
    }
}

fn comparison_words(comparison: &Comparison, unit: Option<&str>) -> String {
    let sign = comparison.operator.sign();
    match unit {
        Some(unit) if is_seconds(unit) => format!("{sign} {}", seconds_words(comparison.bound)),
        Some(unit) => format!("{sign} {} {unit}", comparison.bound),
        None => format!("{sign} {}", comparison.bound),
    }
}

fn is_seconds(unit: &str) -> bool {
    matches!(unit, "s" | "second" | "seconds")
}

fn seconds_words(seconds: f64) -> String {
    if seconds >= 1.0 && seconds.fract() == 0.0 && seconds < f64::from(u32::MAX) {
        crate::domain::condition::duration(seconds as u32)
    } else {
        format!("{}ms", (seconds * 1_000.0).round())
    }
}
