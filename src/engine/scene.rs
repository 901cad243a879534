//! One SLO over its window, for its page: read from the store, joined into as many parts as are drawn.

use chrono::{DateTime, Utc};

use super::{
    definition::{burn_link, definition, limit},
    planned::PlannedWork,
    report::slot_view,
    rulebook::slo_rules,
};
use crate::{
    config::model::{Config, Slo},
    domain::{
        annotation::Kind,
        budget::{RATE_WINDOW, Tally, WindowSums, first_slot, window_sums},
        condition::duration,
        correction::Correction,
        decide::{SeriesKey, time},
        incident::{Incident, Subject},
        ledger::{Counting, Ledger},
        policy::{BurnPair, Condition, Judge},
        slot::Span,
        watch::pairs,
    },
    store::{Store, StoreError, annotations::Numbered},
    views::{
        annotation::AnnotationView,
        course::Course,
        dashboard::{BurnRow, BurnWindow, Mark, MarkKind, PeriodAhead, Scene},
        render_words::count,
        slo::{SloView, SlotView},
    },
};

/// Most things that are drawn over a window, the newest.
const MARKS_MAX: usize = 60;
/// Most annotations beside them, the newest: many deploys leave room for an incident.
const ANNOTATIONS_MAX: usize = 40;

/// The scene of one series, in at most `parts` parts.
pub async fn scene(
    store: &Store,
    config: &Config,
    slo: &Slo,
    view: &SloView,
    parts: usize,
    now: DateTime<Utc>,
) -> Result<Scene, StoreError> {
    let (spec, every) = (&slo.spec, i64::from(slo.spec.every));
    let to = view.watermark.unwrap_or(now);
    let newest = to.timestamp().div_euclid(every) - 1;
    let first = first_slot(spec, newest);
    let key = SeriesKey { id: spec.id.clone(), series: view.series.clone() };
    let rows = burning(config, slo, newest * every);
    let longest = rows.iter().map(|row| i64::from(row.2.long)).max().unwrap_or_default();
    let (mut ledger, mut corrections) = (Ledger::for_slo(spec), Vec::new());
    if let Some(series) = store.series_id(&key) {
        let since = (first * every).min((newest + 1) * every - longest);
        store.load_ledger(series, since, &mut ledger).await?;
        corrections = store.corrections(series, time(since)).await?;
    }
    let span = Span { start: first * every, end: (newest + 1) * every };
    let course = course(slo, &ledger, &corrections, span, parts);
    let within = store.incidents_within(&spec.id.service, &spec.id.slo, time(span.start), now).await?;
    let (mut marks, more_marks) = marks(config, &key, &within, &corrections, span);
    let (said, more_annotations) = said(store, &spec.id.service, time(span.start)).await?;
    marks.extend(said);
    marks.sort_by_key(|mark| mark.from);
    let tally = Tally { ledger: &ledger, corrections: &corrections };
    let burns = rows.into_iter().map(|row| burn_row(config, slo, view, tally, newest, row)).collect();
    Ok(Scene {
        location: slo.location.clone(),
        course,
        marks,
        more_marks,
        more_annotations,
        burns,
        definition: definition(config, slo),
        limit: limit(slo),
        period: ahead(slo, tally, newest),
    })
}

/// What is to come of a calendar period, in the kind reading: the one that pages and time to exhaustion go by.
fn ahead(slo: &Slo, tally: Tally<'_>, newest: i64) -> Option<PeriodAhead> {
    let (spec, every) = (&slo.spec, i64::from(slo.spec.every));
    let period = spec.window.period_at(newest * every)?;
    let sums = window_sums(spec, tally, newest);
    let (_, total) = sums.events(Judge::IfGood)?;
    let left = sums.remaining(spec.objective, Judge::IfGood)?;
    let burn = WindowSums::ending_at(tally, newest, RATE_WINDOW).burn(spec.objective, Judge::IfGood);
    let to_come = (period.end - (newest + 1) * every).max(0) as f64 / period.seconds().max(1) as f64;
    Some(PeriodAhead {
        ends_at: time(period.end),
        allowed: total * spec.objective.allowed(),
        left_at_end: burn.map(|burn| left - burn * to_come),
    })
}

fn course(slo: &Slo, ledger: &Ledger, corrections: &[Correction], span: Span, parts: usize) -> Course {
    let counting = Counting::of(slo.spec.budgeting);
    let slots = ledger.slots(span);
    let counted = slots.iter().map(|slot| {
        let (good, total) = counting.events(&slot.1);
        SlotView { good, total, ..slot_view(slot) }
    });
    let mut course = Course::new(counted, time(span.start), time(span.end), parts);
    for made in corrections {
        course.correct(made.at, made.bad, made.total);
    }
    course
}

/// The alerts on burn rates, each with its pair as of the window that holds `at`.
fn burning(config: &Config, slo: &Slo, at: i64) -> Vec<(String, crate::domain::policy::Policy, BurnPair)> {
    let rules = slo_rules(config, &slo.spec.id, slo);
    let mut rows = Vec::new();
    for policy in &rules.policies {
        for watch in &policy.watches {
            let mut found = Vec::new();
            collect(&watch.condition, slo, at, &mut found);
            rows.extend(found.into_iter().map(|pair| (watch.name.clone(), policy.policy.clone(), pair)));
        }
    }
    rows
}

fn collect(condition: &Condition, slo: &Slo, at: i64, found: &mut Vec<BurnPair>) {
    match condition {
        Condition::BurnRate(rate) => found.extend(pairs(rate, &slo.spec, at)),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| collect(part, slo, at, found)),
        _ => {}
    }
}

fn burn_row(
    config: &Config,
    slo: &Slo,
    view: &SloView,
    tally: Tally<'_>,
    newest: i64,
    (alert, policy, pair): (String, crate::domain::policy::Policy, BurnPair),
) -> BurnRow {
    let window = |seconds: u32| BurnWindow {
        name: duration(seconds),
        now: WindowSums::ending_at(tally, newest, seconds).burn(slo.spec.objective, policy.judge),
        link: burn_link(config, slo, &duration(seconds)),
    };
    let state = view.policies.iter().find(|known| known.name == alert);
    BurnRow {
        priority: policy.priority,
        state: state.map_or_else(|| "ok".to_owned(), |known| known.state.clone()),
        factor: pair.factor,
        long: window(pair.long),
        short: window(pair.short),
        alert,
    }
}

fn marks(
    config: &Config,
    key: &SeriesKey,
    incidents: &[Incident],
    corrections: &[Correction],
    span: Span,
) -> (Vec<Mark>, bool) {
    let mine = |incident: &&Incident| matches!(&incident.subject, Subject::Slo { series, .. } if *series == key.series);
    let told = incidents.iter().filter(mine).map(|incident| Mark {
        kind: MarkKind::Incident,
        from: incident.opened_at,
        to: incident.resolved.as_ref().map(|end| end.at),
        text: format!("{} {}", incident.priority, incident.title),
        href: Some(format!("/incident/{}", incident.id)),
    });
    let corrected = corrections.iter().filter(|made| made.at.timestamp() >= span.start).map(|made| Mark {
        kind: MarkKind::Correction,
        from: made.at,
        to: Some(made.at),
        text: format!("{} bad, {} in all, by {}: {}", count(made.bad), count(made.total), made.by, made.reason),
        href: None,
    });
    let planned = PlannedWork::new(config).within(span).into_iter().filter(|work| work.slos.contains(&key.id));
    let planned = planned.flat_map(|work| {
        let text = work.reason.map_or_else(|| work.name.clone(), |reason| format!("{}: {reason}", work.name));
        work.spans.into_iter().map(move |on| Mark {
            kind: MarkKind::Planned,
            from: time(on.start),
            to: Some(time(on.end)),
            text: text.clone(),
            href: None,
        })
    });
    let mut marks: Vec<Mark> = told.chain(corrected).chain(planned).collect();
    marks.sort_by_key(|mark| (std::cmp::Reverse(mark.from), mark.kind));
    let more = marks.len() > MARKS_MAX;
    marks.truncate(MARKS_MAX);
    marks.reverse();
    (marks, more)
}

/// What people said of the time from `since` on about a service, and whether that is not all.
async fn said(store: &Store, service: &str, since: DateTime<Utc>) -> Result<(Vec<Mark>, bool), StoreError> {
    let ever = DateTime::<Utc>::MAX_UTC;
    let found = store.annotations(Some(service), since, ever, ANNOTATIONS_MAX + 1).await?;
    let more = found.len() > ANNOTATIONS_MAX;
    let mark = |(id, annotation): &Numbered| {
        let view = AnnotationView::new(*id, annotation);
        Mark {
            kind: match annotation.kind {
                Kind::Deploy => MarkKind::Deploy,
                Kind::Note => MarkKind::Note,
            },
            from: view.at,
            to: Some(view.at),
            text: format!("{}, by {}", view.text, view.by),
            href: view.link().map(str::to_owned),
        }
    };
    Ok((found.iter().take(ANNOTATIONS_MAX).map(mark).collect(), more))
}
