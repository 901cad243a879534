//! From stored incidents to the noise ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{
    board::Board,
    report::{incident_bad, stored_slots},
};
use crate::{
    config::model::{Config, ReceiverKind},
    domain::{
        decide::SeriesKey,
        incident::{Incident, Subject},
        slot::Span,
    },
    store::{Store, StoreError, noise::Woken},
    views::noise::{Heard, NoiseReport, noise},
};

/// Most incidents that are counted, the newest.
const INCIDENTS_MAX: usize = 500;

/// The ledger of the incidents that opened within `[from, to)`, of one service if given.
pub async fn ledger(
    store: &Store,
    config: &Config,
    board: &Board,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    service: Option<&str>,
    now: DateTime<Utc>,
) -> Result<NoiseReport, StoreError> {
    let mut woken = store.woken(from, to, service, INCIDENTS_MAX as i64 + 1).await?;
    let truncated = woken.incidents.len() > INCIDENTS_MAX;
    woken.incidents.truncate(INCIDENTS_MAX);
    let shares = shares(store, config, board, &woken.incidents, now).await?;
    let all: Vec<Heard> = woken
        .incidents
        .iter()
        .map(|incident| heard(config, &woken, incident, shares.get(&incident.id).copied()))
        .collect();
    Ok(noise(from, to, &all, truncated))
}

fn heard(config: &Config, woken: &Woken, incident: &Incident, budget_share: Option<f64>) -> Heard {
    let mut members: Vec<_> = incident.members.values().collect();
    members.sort_by_key(|member| (member.priority, member.policy.clone()));
    let policies: Vec<String> = members.iter().map(|member| member.policy.to_string()).collect();
    let is_pager = |name: &str| {
        config.receivers.get(name).is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Pagerduty { .. }))
    };
    let mut pages = Vec::new();
    for (receiver, times) in woken.triggers.get(&incident.id).into_iter().flatten().filter(|(name, _)| is_pager(name)) {
        // A fallback is named by no step: it stands in for the most urgent policy.
        let by = incident.told.get(receiver).and_then(|told| told.by.first()).map(ToString::to_string);
        let by = by.or_else(|| policies.first().cloned()).unwrap_or_default();
        pages.extend(std::iter::repeat_n(by, *times));
    }
    let (service, about) = match &incident.subject {
        Subject::Slo { id, .. } => (Some(id.service.to_string()), id.to_string()),
        Subject::Source(name) => (None, format!("source {name}")),
    };
    Heard {
        service,
        about,
        policies,
        pages,
        acknowledged: woken.acknowledged.contains(&incident.id),
        resolved: incident.resolved.is_some(),
        budget_share,
    }
}

/// What each incident has spent of its SLO's budget: the slots of a series are read once for all its incidents.
async fn shares(
    store: &Store,
    config: &Config,
    board: &Board,
    incidents: &[Incident],
    now: DateTime<Utc>,
) -> Result<BTreeMap<String, f64>, StoreError> {
    let mut by_series: BTreeMap<SeriesKey, Vec<&Incident>> = BTreeMap::new();
    for incident in incidents {
        if let Subject::Slo { id, series } = &incident.subject {
            by_series.entry(SeriesKey { id: id.clone(), series: series.clone() }).or_default().push(incident);
        }
    }
    let mut shares = BTreeMap::new();
    for (key, own) in by_series {
        let Some(slo) = config.slos.get(&key.id) else { continue };
        // A whole window's events, as incidents show their cost.
        let view = board.slo(&key).filter(|view| view.budget.coverage > 0.0);
        let allowed = view.map_or(0.0, |view| view.total / view.budget.coverage) * slo.spec.objective.allowed();
        if allowed <= 0.0 {
            continue;
        }
        let every = i64::from(slo.spec.every);
        let first = own.iter().map(|incident| incident.opened_at.timestamp()).min().unwrap_or_default();
        // The run that opened an incident may reach back; a day and 48 slots are far enough.
        let span = Span { start: first - (48 * every).max(86_400), end: now.timestamp() + every };
        let slots = stored_slots(store, &key, slo.spec.every, span).await?;
        for incident in own {
            shares.insert(incident.id.clone(), incident_bad(&slots, incident, &slo.spec, now) / allowed);
        }
    }
    Ok(shares)
}
