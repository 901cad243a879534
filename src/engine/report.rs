//! What is read back from stored slots: the budget report of a month, the slots themselves, what an incident has cost.

use chrono::{DateTime, Utc};

use super::{
    breaches::breaches,
    gaps::{Causes, LISTED_MAX, Whose},
    month::{as_time, coverage, due, month_sums},
};
use crate::{
    config::model::{Config, Slo},
    domain::{
        budget::correct,
        correction::Correction,
        decide::{SeriesKey, time},
        gaps::gaps,
        incident::{Incident, Subject},
        ledger::{Counting, Ledger, Totals},
        policy::Judge,
        run::GAPS_HELD,
        slo::SloSpec,
        slot::{Slot, SlotState, Span},
        status_page::StatusClock,
    },
    schedule::Month,
    store::{Store, StoreError, ledger::Definition},
    views::{
        figures::{budgeting_text, window_text},
        gaps::GapsView,
        incident::CostView,
        report::{
            BudgetReport, BudgetUse, CorrectionView, IncidentCost, PageDelay, SeriesReport, ServiceReport, SloReport,
        },
        slo::{SloView, SlotView},
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
    let causes = Causes::of(store, config, month, now).await?;
    for (name, settings) in
        config.services.iter().filter(|(name, _)| service.is_none_or(|wanted| wanted == name.as_str()))
    {
        let mut slos = Vec::new();
        for slo in config.slos.values().filter(|slo| slo.spec.id.service == *name) {
            slos.push(slo_report(store, slo, month, &causes, now).await?);
        }
        services.push(ServiceReport { service: name.to_string(), title: settings.title.clone(), slos });
    }
    Ok(BudgetReport {
        month: month.name.clone(),
        timezone: config.daemon.timezone.clone(),
        generated_at: now,
        ends_at: month.end,
        config_hash: config.hash.clone(),
        services,
    })
}

/// One series over the month.
struct Part {
    key: SeriesKey,
    slots: Vec<(Span, Slot)>,
    totals: Totals,
    corrections: Vec<Correction>,
}

async fn parts(store: &Store, slo: &Slo, month: &Month) -> Result<Vec<Part>, StoreError> {
    let id = &slo.spec.id;
    let keys = if slo.per.is_empty() { vec![SeriesKey::whole(id.clone())] } else { store.series_of(id) };
    let span = Span { start: month.start.timestamp(), end: month.end.timestamp() };
    let mut parts = Vec::new();
    for key in keys.into_iter().filter(|key| key.series.is_empty() == slo.per.is_empty()) {
        let slots = stored_slots(store, &key, slo.spec.every, span).await?;
        let mut corrections = match store.series_id(&key) {
            Some(series) => store.corrections(series, month.start).await?,
            None => Vec::new(),
        };
        corrections.retain(|made| made.at < month.end);
        let mut totals = sum(&slots, Counting::of(slo.spec.budgeting));
        correct(&mut totals, corrections.iter());
        // A series of which nothing was ever asked in this month has no row.
        if slo.per.is_empty() || !slots.is_empty() || !corrections.is_empty() {
            parts.push(Part { key, slots, totals, corrections });
        }
    }
    Ok(parts)
}

async fn slo_report(
    store: &Store,
    slo: &Slo,
    month: &Month,
    causes: &Causes,
    now: DateTime<Utc>,
) -> Result<SloReport, StoreError> {
    let spec = &slo.spec;
    let parts = parts(store, slo, month).await?;
    let mut totals = Totals::default();
    for part in &parts {
        totals.good += part.totals.good;
        totals.total += part.totals.total;
        totals.known_seconds += part.totals.known_seconds;
        totals.unmeasured_seconds += part.totals.unmeasured_seconds;
        totals.excluded_seconds += part.totals.excluded_seconds;
    }
    let newest = parts.iter().filter_map(|part| part.slots.last()).map(|(span, _)| span.end).max();
    let due = due(spec, newest, month, now);
    let passed = if slo.per.is_empty() { due.seconds() } else { totals.asked_seconds() };
    let sums = month_sums(totals, parts.len(), passed, month);
    let (bad, total) = (totals.bad(), totals.total);
    let consumed = (total > 0.0).then(|| bad / total / spec.objective.allowed());
    let allowed_bad = total * spec.objective.allowed();
    let mut incidents = Vec::new();
    let told = store.incidents_within(&spec.id.service, &spec.id.slo, month.start, month.end).await?;
    let breaches = parts.iter().flat_map(|part| {
        let mine: Vec<_> = told.iter().filter(|incident| is_about(incident, &part.key)).collect();
        breaches(spec, &part.key.series, &part.slots, &mine, allowed_bad, now.timestamp())
    });
    let breaches = breaches.collect();
    for incident in told {
        let part = parts.iter().find(|part| is_about(&incident, &part.key));
        let cost = part.map_or(0.0, |part| incident_bad(&part.slots, &incident, spec, now));
        incidents.push(IncidentCost {
            id: incident.id.clone(),
            opened_at: incident.opened_at,
            resolved_at: incident.resolved.as_ref().map(|end| end.at),
            bad: cost,
            budget_share: (allowed_bad > 0.0).then(|| cost / allowed_bad),
            status_page: incident.status.as_ref().and_then(|clock| page_delay(clock, now)),
        });
    }
    let definitions = match parts.first().and_then(|part| store.series_id(&part.key)) {
        Some(series) => store.definitions(series).await?,
        None => Vec::new(),
    };
    let since = definitions.first().map(|first| first.since.timestamp());
    let reading = |judge| sums.remaining(spec.objective, judge).filter(|_| total > 0.0);
    let (allowed_seconds, used_seconds) = as_time(&sums, parts.len(), spec.objective);
    let views = |part: &Part| part.corrections.iter().map(|made| CorrectionView::new(&part.key.series, made)).collect();
    let corrections = parts.iter().flat_map::<Vec<_>, _>(views).collect();
    Ok(SloReport {
        id: spec.id.to_string(),
        title: slo.title.clone(),
        budgeting: budgeting_text(spec.budgeting).to_owned(),
        objective: spec.objective.ratio(),
        achieved: (total > 0.0).then(|| totals.good / total),
        good: totals.good,
        bad,
        total,
        in_seconds: spec.counts_seconds(),
        met: (total > 0.0).then(|| spec.objective.is_met(bad, total)),
        coverage: coverage(&sums),
        min_coverage: spec.min_coverage,
        budget: BudgetUse {
            consumed,
            remaining: consumed.map(|consumed| 1.0 - consumed),
            remaining_if_good: reading(Judge::IfGood),
            remaining_if_bad: reading(Judge::IfBad),
            allowed_bad,
            allowed_seconds,
            used_seconds,
        },
        series: if slo.per.is_empty() { Vec::new() } else { series_reports(slo, &parts) },
        incidents,
        breaches,
        corrections,
        objective_changes: objective_changes(&definitions, month),
        gaps: unmeasured(slo, &parts, causes, due, since),
    })
}

/// What was not measured: of what is one whole, what nobody was asked about, too.
fn unmeasured(slo: &Slo, parts: &[Part], causes: &Causes, due: Span, since: Option<i64>) -> GapsView {
    let expected = slo.per.is_empty().then_some(due);
    let of = |part: &Part| {
        let whose = Whose { slo, series: &part.key.series, since };
        gaps(&part.slots, expected).iter().map(|gap| causes.explain(whose, gap)).collect::<Vec<_>>()
    };
    GapsView::of(parts.iter().flat_map(of).collect(), LISTED_MAX)
}

fn page_delay(clock: &StatusClock, now: DateTime<Utc>) -> Option<PageDelay> {
    let due_at = clock.deadline()?;
    Some(PageDelay { due_at, posted_at: clock.posted_at, late_seconds: clock.late_seconds(now) })
}

fn is_about(incident: &Incident, key: &SeriesKey) -> bool {
    matches!(&incident.subject, Subject::Slo { id, series } if *id == key.id && *series == key.series)
}

/// The worst first.
fn series_reports(slo: &Slo, parts: &[Part]) -> Vec<SeriesReport> {
    let objective = slo.spec.objective;
    let mut reports: Vec<SeriesReport> = parts
        .iter()
        .map(|part| {
            let (bad, total) = (part.totals.bad(), part.totals.total);
            let some = total > 0.0;
            SeriesReport {
                series: part.key.series.clone(),
                achieved: some.then(|| part.totals.good / total),
                bad,
                total,
                met: some.then(|| objective.is_met(bad, total)),
                remaining: some.then(|| 1.0 - bad / total / objective.allowed()),
            }
        })
        .collect();
    let left = |report: &SeriesReport| report.remaining.unwrap_or(f64::INFINITY);
    reports.sort_by(|one, other| left(one).total_cmp(&left(other)).then_with(|| one.series.cmp(&other.series)));
    reports
}

fn objective_changes(definitions: &[Definition], month: &Month) -> Vec<serde_json::Value> {
    let ratio = |definition: &Definition| f64::from(definition.objective_ppb) / 1e9;
    let changed = |pair: &&[Definition]| pair[0].objective_ppb != pair[1].objective_ppb;
    let within = |pair: &&[Definition]| (month.start..month.end).contains(&pair[1].since);
    let pairs = definitions.windows(2).filter(changed).filter(within);
    pairs.map(|pair| serde_json::json!({"at": pair[1].since, "from": ratio(&pair[0]), "to": ratio(&pair[1])})).collect()
}

pub(super) fn sum(slots: &[(Span, Slot)], counting: Counting) -> Totals {
    let mut totals = Totals::default();
    for (span, slot) in slots {
        totals.add_slot(slot, span.seconds(), counting);
    }
    totals
}

/// Bad events from the beginning of the run that opened the incident to its end.
pub(super) fn incident_bad(slots: &[(Span, Slot)], incident: &Incident, spec: &SloSpec, now: DateTime<Utc>) -> f64 {
    let opened = incident.opened_at.timestamp();
    let end = incident.resolved.as_ref().map_or(now, |end| end.at).timestamp();
    let mut start = opened;
    let mut gaps = 0;
    for (span, slot) in slots.iter().rev().filter(|(span, _)| span.end <= opened) {
        if spec.is_bad(slot) {
            start = span.start;
            gaps = 0;
        } else if slot.state == SlotState::Measured || gaps >= GAPS_HELD {
            break;
        } else {
            gaps += 1;
        }
    }
    let counting = Counting::of(spec.budgeting);
    let inside = slots.iter().filter(|(span, _)| span.start >= start && span.end <= end);
    inside.map(|(_, slot)| counting.events(slot)).map(|(good, total)| total - good).sum()
}

/// How many events the window of a series holds, all of it told.
pub fn window_events(view: &SloView) -> f64 {
    if view.budget.coverage > 0.0 { view.total / view.budget.coverage } else { 0.0 }
}

/// What an incident has cost so far. `window_events` is how many events the SLO's window holds.
pub async fn incident_cost(
    store: &Store,
    spec: &SloSpec,
    incident: &Incident,
    window_events: f64,
    now: DateTime<Utc>,
) -> Result<CostView, StoreError> {
    let every = i64::from(spec.every);
    // The run that opened it may reach back; a day and 48 slots are far enough.
    let start = incident.opened_at.timestamp() - (48 * every).max(86_400);
    let end = incident.resolved.as_ref().map_or(now, |end| end.at).timestamp() + every;
    let series = match &incident.subject {
        Subject::Slo { series, .. } => series.clone(),
        Subject::Source(_) => return Ok(CostView::default()),
    };
    let key = SeriesKey { id: spec.id.clone(), series };
    let slots = stored_slots(store, &key, spec.every, Span { start, end }).await?;
    let bad = incident_bad(&slots, incident, spec, now);
    let allowed = window_events * spec.objective.allowed();
    let in_seconds = spec.counts_seconds();
    let window = Some(window_text(&spec.window));
    Ok(CostView { bad, in_seconds, budget_share: (allowed > 0.0).then(|| bad / allowed), window })
}
