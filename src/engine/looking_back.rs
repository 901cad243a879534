//! From stored slots to what the past says of a service's objectives.

use chrono::{DateTime, Utc};

use super::definition::{is_within, limit};
use crate::{
    config::model::Slo,
    domain::{
        decide::SeriesKey,
        ledger::Ledger,
        slot::{SlotState, Span},
    },
    store::{Store, StoreError},
    views::{
        figures::window_text,
        hindsight::{About, Day, Hindsight, Threshold, bounds, days_before, hindsight},
    },
};

const DAY: i64 = 86_400;

/// Looks back over the last whole `days` of one series.
pub async fn look_back(
    store: &Store,
    slo: &Slo,
    key: &SeriesKey,
    days: u32,
    now: DateTime<Utc>,
) -> Result<Hindsight, StoreError> {
    let spec = &slo.spec;
    let (from, to) = days_before(now, days);
    let mut ledger = Ledger::for_slo(spec);
    if let Some(series) = store.series_id(key) {
        store.load_ledger(series, from, &mut ledger).await?;
    }
    let every = i64::from(spec.every);
    let first = |at: i64| (at + every - 1).div_euclid(every);
    let day = |number: u32| {
        let start = from + i64::from(number) * DAY;
        let totals = ledger.totals(first(start), first(start + DAY));
        Day { good: totals.good, total: totals.total, known: totals.known_seconds > 0 }
    };
    let counted: Vec<Day> = (0..days).map(day).collect();
    let longest = i64::from(spec.window.longest_seconds());
    let about = About {
        id: spec.id.clone(),
        title: slo.title.clone(),
        series: key.series.clone(),
        objective: spec.objective,
        window: window_text(&spec.window),
        today: now.date_naive(),
        window_days: usize::try_from((longest + DAY - 1) / DAY).unwrap_or(usize::MAX),
    };
    Ok(hindsight(about, &counted, thresholds(slo, &ledger, Span { start: from, end: to })))
}

fn thresholds(slo: &Slo, ledger: &Ledger, span: Span) -> Vec<Threshold> {
    let Some(present) = limit(slo) else { return Vec::new() };
    let slots = ledger.slots(span);
    let measured = slots.iter().filter(|(_, slot)| slot.state == SlotState::Measured);
    let readings: Vec<f64> = measured.filter_map(|(_, slot)| slot.shown).collect();
    if readings.is_empty() {
        return Vec::new();
    }
    let within = |bound| readings.iter().filter(|reading| is_within(slo, **reading, bound) == Some(true)).count();
    bounds(present).into_iter().map(|bound| Threshold { bound, within: within(bound), of: readings.len() }).collect()
}
