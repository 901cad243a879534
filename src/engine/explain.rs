//! Takes the figures of an SLO apart, as of now or of any slot that is kept: from the store, by the formulas of
//! [`crate::domain::budget`].

use chrono::{DateTime, Utc};

use crate::{
    config::model::{Config, Indicator, Probe, Slo, SourceKind},
    domain::{
        budget::{RATE_WINDOW, Tally, WindowSums, first_slot, seconds_to_exhaustion, window_sums},
        correction::Correction,
        decide::{SeriesKey, time},
        ledger::Ledger,
        policy::Judge,
        slot::{Slot, SlotState, Span},
    },
    engine::report::slot_view,
    store::{Store, StoreError},
    views::{
        explain::{Asked, Explanation, Figure, Stretch},
        figures::{BURN_WINDOWS, exhaustion_reading, window_text},
        render_words::{count, number, percent},
        report::CorrectionView,
    },
};

/// Newest slots that are shown.
const NEWEST: usize = 12;
/// Worst slots that are shown.
const WORST: usize = 10;

/// Explains the slot that holds `at`, or the newest one. `None` if nothing was settled up to there.
pub async fn explain(
    store: &Store,
    config: &Config,
    slo: &Slo,
    key: &SeriesKey,
    at: Option<DateTime<Utc>>,
) -> Result<Option<Explanation>, StoreError> {
    let spec = &slo.spec;
    let every = i64::from(spec.every);
    let (mut ledger, mut corrections) = (Ledger::for_slo(spec), Vec::new());
    if let Some(series) = store.series_id(key) {
        let longest = BURN_WINDOWS.iter().map(|(_, seconds)| *seconds).max().unwrap_or_default();
        let reach = i64::from(spec.window.longest_seconds().max(longest)) + every;
        let from = at.map_or(i64::MIN, |at| at.timestamp() - reach);
        store.load_ledger(series, from, &mut ledger).await?;
        corrections = store.corrections(series, time(from)).await?;
    }
    if let Some(at) = at {
        drop(ledger.forget_after(at.timestamp().div_euclid(every)));
    }
    let Some(newest) = ledger.newest() else { return Ok(None) };
    let end = (newest + 1) * every;
    let tally = Tally { ledger: &ledger, corrections: &corrections };
    let window = window_sums(spec, tally, newest);
    let start = first_slot(spec, newest) * every;
    let slots = ledger.slots(Span { start, end });
    let mut windows = vec![stretch(&window_text(&spec.window), slo, &window, start)];
    let long_enough = BURN_WINDOWS.iter().filter(|(_, seconds)| *seconds >= spec.every.saturating_mul(2));
    windows.extend(long_enough.map(|(name, seconds)| {
        let sums = WindowSums::ending_at(tally, newest, *seconds);
        stretch(name, slo, &sums, end - sums.expected_seconds)
    }));
    Ok(Some(Explanation {
        id: spec.id.clone(),
        title: slo.title.clone(),
        series: key.series.clone(),
        location: slo.location.clone(),
        promise: format!("{} good in {}", percent(spec.objective.ratio()), window_text(&spec.window)),
        at: time(end),
        every_seconds: spec.every,
        asked: asked(config, &slo.indicator, Span::slot(newest, spec.every)),
        windows,
        figures: figures(slo, tally, newest, &window),
        corrections: inside(&corrections, start, end).map(|made| CorrectionView::new(&key.series, made)).collect(),
        newest: slots.iter().rev().take(NEWEST).map(slot_view).collect(),
        worst: worst(&slots).into_iter().map(slot_view).collect(),
    }))
}

/// The corrections of what was between two instants (Unix seconds).
fn inside(corrections: &[Correction], start: i64, end: i64) -> impl Iterator<Item = &Correction> {
    corrections.iter().filter(move |made| (start..end).contains(&made.at.timestamp()))
}

fn stretch(name: &str, slo: &Slo, sums: &WindowSums, start: i64) -> Stretch {
    let totals = &sums.totals;
    Stretch {
        name: name.to_owned(),
        from: time(start),
        to: time(start + sums.expected_seconds),
        expected_seconds: sums.expected_seconds,
        known_seconds: totals.known_seconds,
        unmeasured_seconds: sums.missed_seconds(),
        excluded_seconds: totals.excluded_seconds,
        good: totals.good,
        bad: totals.bad(),
        total: totals.total,
        burn_rate: sums.burn(slo.spec.objective, Judge::Measured),
    }
}

fn worst(slots: &[(Span, Slot)]) -> Vec<&(Span, Slot)> {
    let mut bad: Vec<_> =
        slots.iter().filter(|(_, slot)| slot.state == SlotState::Measured && slot.bad() > 0.0).collect();
    bad.sort_by(|(_, one), (_, other)| other.bad().total_cmp(&one.bad()).then(other.index.cmp(&one.index)));
    bad.truncate(WORST);
    bad
}

fn figures(slo: &Slo, tally: Tally<'_>, at: i64, window: &WindowSums) -> Vec<Figure> {
    let spec = &slo.spec;
    let (totals, objective, allowed) = (&window.totals, spec.objective, spec.objective.allowed());
    let figure = |name: &str, formula: &str, with: String, value: Option<f64>| Figure {
        name: name.to_owned(),
        formula: formula.to_owned(),
        with,
        value,
    };
    let over = |judge| {
        window.events(judge).map_or_else(
            || "nothing is known".to_owned(),
            |(bad, total)| format!("1 − ({} / {}) / {}", count(bad), count(total), number(allowed)),
        )
    };
    let remaining = "1 − (bad / total) / (1 − objective)";
    let reading = exhaustion_reading(spec, at);
    let rate = WindowSums::ending_at(tally, at, RATE_WINDOW).burn(objective, reading);
    let left = window.remaining(objective, reading).unwrap_or(1.0);
    vec![
        figure(
            "sli",
            "good / total",
            format!("{} / {}", count(totals.good), count(totals.total)),
            (totals.total > 0.0).then(|| totals.good / totals.total),
        ),
        figure(
            "budget.allowed_bad",
            "total × (1 − objective)",
            format!("{} × {}", count(totals.total), number(allowed)),
            Some(totals.total * allowed),
        ),
        figure("budget.remaining", remaining, over(Judge::Measured), window.remaining(objective, Judge::Measured)),
        figure(
            "budget.remaining_if_good",
            "the same, had unmeasured time held good events at the mean rate of the known",
            over(Judge::IfGood),
            window.remaining(objective, Judge::IfGood),
        ),
        figure(
            "budget.remaining_if_bad",
            "the same, had they been bad",
            over(Judge::IfBad),
            window.remaining(objective, Judge::IfBad),
        ),
        figure(
            "budget.coverage",
            "known / (expected − excluded)",
            format!("{} s / {} s", count(totals.known_seconds as f64), count(window.budgeted_seconds() as f64)),
            Some(window.coverage()),
        ),
        figure(
            "seconds to exhaustion",
            "remaining × window / burn rate of 6h",
            rate.map_or_else(
                || "no burn rate over 6h".to_owned(),
                |rate| format!("{} × {} s / {}", number(left), count(window.expected_seconds as f64), number(rate)),
            ),
            seconds_to_exhaustion(spec, tally, at, RATE_WINDOW, reading),
        ),
    ]
}

/// The questions about one slot, in the words of the source.
fn asked(config: &Config, indicator: &Indicator, slot: Span) -> Vec<Asked> {
    let seconds = slot.seconds();
    let ask = |what: &str, source: &crate::domain::name::Name, query: String| Asked {
        what: what.to_owned(),
        source: Some(source.to_string()),
        query,
    };
    let count = |query: &str| {
        let at = time(slot.end).format("%Y-%m-%dT%H:%M:%SZ");
        if query.contains("$window") {
            format!("{} at {at}", query.trim().replace("$window", &format!("{seconds}s")))
        } else {
            format!("growth of {} in the {seconds} s before {at}", query.trim())
        }
    };
    let sql = |sql: &str| {
        let instant = |seconds| time(seconds).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        format!("{} -- $1 = '{}', $2 = '{}'", sql.trim(), instant(slot.start), instant(slot.end))
    };
    match indicator {
        Indicator::RatioPromql { source, total_source, events, events_are_bad, total } => vec![
            ask(if *events_are_bad { "bad" } else { "good" }, source, count(events)),
            ask("total", total_source.as_ref().unwrap_or(source), count(total)),
        ],
        Indicator::LatencyHistogram { source, histogram, threshold, .. } => vec![
            ask("good", source, format!("{}, up to {threshold} s", count(histogram))),
            ask("total", source, count(histogram)),
        ],
        Indicator::RatioSql { source, sql: query } => vec![ask("good, total", source, sql(query))],
        Indicator::LatencySql { source, sql: query, threshold, .. } => {
            vec![ask(&format!("seconds, good up to {threshold}"), source, sql(query))]
        }
        Indicator::Value { query, .. } => {
            let source = config.sources.get(&query.source);
            let is_sql = source.is_some_and(|source| matches!(source.kind, SourceKind::Postgres(_)));
            let text = if is_sql { sql(&query.query) } else { format!("{} at the slot's end", query.query.trim()) };
            vec![ask("value", &query.source, text)]
        }
        Indicator::Probe(probe) => vec![Asked { what: "check".to_owned(), source: None, query: probe_words(probe) }],
        Indicator::Pingdom { source, check } => {
            vec![ask("up and down seconds", source, format!("outages of check {check}"))]
        }
    }
}

/// The address may hold a secret in its query: only the part before it is shown.
fn probe_words(probe: &Probe) -> String {
    let address = probe.url.split(['?', '#']).next().unwrap_or_default();
    let address = match url::Url::parse(address) {
        Ok(mut url) => {
            // Neither can fail on an address of http.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => "an address that is none".to_owned(),
    };
    format!("{} {address}, at most {} times", probe.method, probe.retries + 1)
}
