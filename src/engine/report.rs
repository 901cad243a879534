//! What is read back from stored slots: the budget report of a month, the slots themselves, what an incident has cost.

use chrono::{DateTime, Utc};

use crate::{
    config::model::{Config, Slo},
    domain::{
        decide::{SeriesKey, time},
        incident::Incident,
        ledger::{Counting, Ledger, Totals},
        run::GAPS_HELD,
        slot::{Slot, SlotState, Span},
    },
    schedule::Month,
    store::{Store, StoreError, ledger::Definition},
    views::{
        incident::CostView,
        report::{BudgetReport, BudgetUse, IncidentCost, ServiceReport, SloReport},
        slo::SlotView,
    },
};

/// The stored slots of a series that start within `span`.
pub async fn stored_slots(
    store: &Store,
    key: &SeriesKey,
    every: u32,
    span: Span,
) -> Result<Vec<(Span, Slot)>, StoreError> {
    let mut ledger = Ledger::new(every);
    if let Some(series) = store.series_id(key) {
        store.load_ledger(series, span.start, &mut ledger).await?;
    }
    Ok(ledger.slots(span))
}

/// Where an SLO's window begins that ends at `end` (Unix seconds): so much earlier, or with the calendar period of the
/// newest slot.
pub fn window_start(slo: &Slo, end: i64) -> i64 {
    let newest = end - i64::from(slo.spec.every);
    let period = slo.spec.window.period_at(newest);
    period.map_or_else(|| end - i64::from(slo.spec.window.longest_seconds()), |period| period.start)
}

/// A slot as the API shows it.
pub fn slot_view((span, slot): &(Span, Slot)) -> SlotView {
    SlotView {
        start: time(span.start),
        seconds: u32::try_from(span.seconds()).unwrap_or(u32::MAX),
        good: slot.good,
        total: slot.total,
        state: slot.state,
        reading: slot.shown,
    }
}

/// The report of a month, of one service or all.
pub async fn budget_report(
    store: &Store,
    config: &Config,
    month: &Month,
    service: Option<&str>,
    now: DateTime<Utc>,
) -> Result<BudgetReport, StoreError> {
    let mut services = Vec::new();
    for (name, settings) in
        config.services.iter().filter(|(name, _)| service.is_none_or(|wanted| wanted == name.as_str()))
    {
        let mut slos = Vec::new();
        for slo in config.slos.values().filter(|slo| slo.spec.id.service == *name) {
            slos.push(slo_report(store, slo, month, now).await?);
        }
        services.push(ServiceReport { service: name.to_string(), title: settings.title.clone(), slos });
    }
    Ok(BudgetReport {
        month: month.name.clone(),
        timezone: config.daemon.timezone.clone(),
        generated_at: now,
        config_hash: config.hash.clone(),
        services,
    })
}

async fn slo_report(store: &Store, slo: &Slo, month: &Month, now: DateTime<Utc>) -> Result<SloReport, StoreError> {
    let spec = &slo.spec;
    let key = SeriesKey::whole(spec.id.clone());
    let span = Span { start: month.start.timestamp(), end: month.end.timestamp() };
    let slots = stored_slots(store, &key, spec.every, span).await?;
    let totals = sum(&slots, Counting::of(spec.budgeting));
    let passed = Span { start: span.start, end: span.end.min(now.timestamp()) };
    let (bad, total) = (totals.bad(), totals.total);
    let consumed = (total > 0.0).then(|| bad / total / spec.objective.allowed());
    let allowed_bad = total * spec.objective.allowed();
    let mut incidents = Vec::new();
    for incident in store.incidents_within(&spec.id.service, &spec.id.slo, month.start, month.end).await? {
        let cost = incident_bad(&slots, &incident, slo, now);
        incidents.push(IncidentCost {
            id: incident.id.clone(),
            opened_at: incident.opened_at,
            resolved_at: incident.resolved.as_ref().map(|end| end.at),
            bad: cost,
            budget_share: (allowed_bad > 0.0).then(|| cost / allowed_bad),
        });
    }
    let definitions = match store.series_id(&key) {
        Some(series) => store.definitions(series).await?,
        None => Vec::new(),
    };
    Ok(SloReport {
        id: spec.id.to_string(),
        title: slo.title.clone(),
        objective: spec.objective.ratio(),
        achieved: (total > 0.0).then(|| totals.good / total),
        good: totals.good,
        bad,
        total,
        met: (total > 0.0).then(|| spec.objective.is_met(bad, total)),
        coverage: coverage(&totals, passed, spec.every),
        budget: BudgetUse {
            consumed,
            remaining: consumed.map(|consumed| 1.0 - consumed),
            allowed_bad,
            allowed_seconds: (span.seconds() - totals.excluded_seconds).max(0) as f64 * spec.objective.allowed(),
            used_seconds: if total > 0.0 { bad / total * totals.known_seconds as f64 } else { 0.0 },
        },
        incidents,
        corrections: Vec::new(),
        objective_changes: objective_changes(&definitions, month),
    })
}

/// Known / (what has passed − excluded), 0–1: 1 if all of it is excluded, 0 if nothing has passed.
fn coverage(totals: &Totals, passed: Span, every: u32) -> f64 {
    let every = i64::from(every.max(1));
    let expected = passed.seconds().max(0) / every * every - totals.excluded_seconds;
    if expected > 0 {
        return (totals.known_seconds as f64 / expected as f64).min(1.0);
    }
    if totals.excluded_seconds > 0 { 1.0 } else { 0.0 }
}

fn objective_changes(definitions: &[Definition], month: &Month) -> Vec<serde_json::Value> {
    let ratio = |definition: &Definition| f64::from(definition.objective_ppb) / 1e9;
    let changed = |pair: &&[Definition]| pair[0].objective_ppb != pair[1].objective_ppb;
    let within = |pair: &&[Definition]| (month.start..month.end).contains(&pair[1].since);
    let pairs = definitions.windows(2).filter(changed).filter(within);
    pairs.map(|pair| serde_json::json!({"at": pair[1].since, "from": ratio(&pair[0]), "to": ratio(&pair[1])})).collect()
}

fn sum(slots: &[(Span, Slot)], counting: Counting) -> Totals {
    let mut totals = Totals::default();
    for (span, slot) in slots {
        totals.add_slot(slot, span.seconds(), counting);
    }
    totals
}

/// Bad events from the beginning of the run that opened the incident to its end.
fn incident_bad(slots: &[(Span, Slot)], incident: &Incident, slo: &Slo, now: DateTime<Utc>) -> f64 {
    let opened = incident.opened_at.timestamp();
    let end = incident.resolved.as_ref().map_or(now, |end| end.at).timestamp();
    let mut start = opened;
    let mut gaps = 0;
    for (span, slot) in slots.iter().rev().filter(|(span, _)| span.end <= opened) {
        if slo.spec.is_bad(slot) {
            start = span.start;
            gaps = 0;
        } else if slot.state == SlotState::Measured || gaps >= GAPS_HELD {
            break;
        } else {
            gaps += 1;
        }
    }
    let counting = Counting::of(slo.spec.budgeting);
    let inside = slots.iter().filter(|(span, _)| span.start >= start && span.end <= end);
    inside.map(|(_, slot)| counting.events(slot)).map(|(good, total)| total - good).sum()
}

/// What an incident has cost so far. `window_events` is how many events the SLO's window holds.
pub async fn incident_cost(
    store: &Store,
    slo: &Slo,
    incident: &Incident,
    window_events: f64,
    now: DateTime<Utc>,
) -> Result<CostView, StoreError> {
    let every = i64::from(slo.spec.every);
    // The run that opened it may reach back; a day and 48 slots are far enough.
    let start = incident.opened_at.timestamp() - (48 * every).max(86_400);
    let end = incident.resolved.as_ref().map_or(now, |end| end.at).timestamp() + every;
    let key = SeriesKey::whole(slo.spec.id.clone());
    let slots = stored_slots(store, &key, slo.spec.every, Span { start, end }).await?;
    let bad = incident_bad(&slots, incident, slo, now);
    let allowed = window_events * slo.spec.objective.allowed();
    Ok(CostView { bad, budget_share: (allowed > 0.0).then(|| bad / allowed) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::slot::Reading;

    /// Ten-minute slots: `g` measured, `e` empty, `u` unmeasured, `x` excluded; the rest of `hours` is missing.
    fn covered(slots: &str, hours: i64) -> f64 {
        let reading = |letter| match letter {
            'g' => Reading::check(true, None),
            'e' => Reading::Empty,
            'x' => Reading::Excluded,
            _ => Reading::Unmeasured(crate::domain::slot::Gap::NoData),
        };
        let slot = |(index, letter): (usize, char)| {
            let index = index as i64;
            (Span::slot(index, 600), Slot::settled(index, &reading(letter)))
        };
        let slots: Vec<_> = slots.chars().enumerate().map(slot).collect();
        coverage(&sum(&slots, Counting::Occurrences), Span { start: 0, end: hours * 3_600 }, 600)
    }

    #[test]
    fn what_is_excluded_is_not_missed() {
        for (slots, hours, expected) in [
            ("gggggg", 1, 1.0),
            ("ggguuu", 1, 0.5),
            ("gggxxx", 1, 1.0),
            ("egxxxx", 1, 1.0),
            ("guxxxx", 1, 0.5),
            ("xxxxxx", 1, 1.0),
            ("xxxgge", 2, 1.0 / 3.0),
            ("xxxgggg", 1, 1.0),
            ("uuuuuu", 1, 0.0),
            ("", 1, 0.0),
            ("", 0, 0.0),
        ] {
            assert!((covered(slots, hours) - expected).abs() < 1e-9, "{slots}: {}", covered(slots, hours));
        }
    }
}
