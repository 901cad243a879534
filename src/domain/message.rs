//! From an incident and the figures of its series to the neutral words of a [`Notification`].
//!
//! The first 80 characters carry state, service and damage; then the budget, since when, who has it, who is next.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    budget::{RATE_WINDOW, Tally, WindowSums, seconds_to_exhaustion, window_sums},
    condition::duration,
    escalation::{Step, StepState},
    headline::headline,
    incident::{Incident, Subject},
    ledger::Counting,
    name::Name,
    notification::{Event, Link, Notification, PublicState, StatusPost},
    policy::{Condition, Judge, OnGap},
    run::run,
    slo::{SloSpec, Window},
};

/// What is known of the series an incident is about.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    /// The promise.
    pub spec: &'a SloSpec,
    /// The SLO's title.
    pub title: &'a str,
    /// The service's title.
    pub service_title: &'a str,
    /// Its slots, and what people corrected.
    pub tally: Tally<'a>,
    /// Where the runbook is.
    pub runbook_url: Option<&'a str>,
    /// Steps for people, with whose approval they need.
    pub manual: &'a [(String, Option<String>)],
    /// What is good, in words: `<= 15m`, `p95 under 3m`.
    pub good: &'a str,
    /// Whether its values are times in seconds.
    pub in_seconds: bool,
    /// The newest fault, in words.
    pub fault: Option<&'a str>,
    /// What the most urgent alert of the incident is on: of those that fire, if any do.
    pub condition: Option<&'a Condition>,
}

/// Everything one message is made of.
pub struct Occasion<'a> {
    /// The incident, after the change.
    pub incident: &'a Incident,
    /// Its series; none for a source's own.
    pub series: Option<Series<'a>>,
    /// What a source last said, for its own incident.
    pub source_error: Option<&'a str>,
    /// Since when a source fails, or failed, for its own incident.
    pub failing_since: Option<DateTime<Utc>>,
    /// Whether the source has not answered since.
    pub is_failing: bool,
    /// How people reach the companion; no trailing slash.
    pub external_url: &'a str,
    /// The clock's time.
    pub now: DateTime<Utc>,
}

/// One receiver's part in it.
pub struct Telling<'a> {
    /// What it means.
    pub event: Event,
    /// Which opening's key.
    pub opening: u32,
    /// Why this receiver hears of it.
    pub reason: &'a str,
    /// Later than due.
    pub late: bool,
}

/// Writes the message.
pub fn compose(occasion: &Occasion<'_>, telling: &Telling<'_>) -> Notification {
    let incident = occasion.incident;
    let (service, slo, series) = match &incident.subject {
        Subject::Slo { id, series } => (Some(id.service.clone()), Some(id.slo.clone()), series.clone()),
        Subject::Source(_) => (None, None, BTreeMap::new()),
    };
    let mut firing: Vec<_> =
        incident.members.values().filter(|member| member.holds()).map(|m| (m.policy.clone(), m.priority)).collect();
    firing.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
    firing.dedup();
    Notification {
        event: telling.event,
        incident: incident.id.clone(),
        dedup_key: incident.dedup_key(telling.opening),
        thread_key: incident.key.clone(),
        phase: incident.phase(),
        priority: incident.priority,
        service,
        slo,
        series,
        headline: headline(occasion),
        lines: lines(occasion, telling),
        standing: standing(incident),
        reason: telling.reason.to_owned(),
        policies: firing,
        opened_at: incident.opened_at,
        decided_at: occasion.now,
        late: telling.late,
        links: links(occasion),
        figures: figures(occasion),
    }
}

/// A post for the public page: no ratios, causes or names.
pub fn compose_post(
    incident: &Incident,
    state: PublicState,
    title: &str,
    component: &str,
    now: DateTime<Utc>,
) -> StatusPost {
    let body = match state {
        PublicState::Investigating => "We are seeing problems with this service and are looking into them.",
        PublicState::Identified => "We have found the problem and are working on it.",
        PublicState::Monitoring => "The service is working again. We are keeping an eye on it.",
        PublicState::Resolved => "The service is working normally.",
    };
    let (begun, opens) = incident.status.as_ref().map_or((0, true), |clock| (clock.begun, clock.begins));
    StatusPost {
        incident: incident.id.clone(),
        // Once resolved, a public incident stays so; the next one has the next mark.
        key: incident.dedup_key(begun),
        state,
        name: format!("{title} is unavailable"),
        body: body.to_owned(),
        component: component.to_owned(),
        decided_at: now,
        opens,
        down_elsewhere: false,
        over: false,
    }
}

fn lines(occasion: &Occasion<'_>, telling: &Telling<'_>) -> Vec<String> {
    let incident = occasion.incident;
    let mut lines = Vec::new();
    if let Some(series) = &occasion.series {
        lines.push(budget_line(series));
        if let Some(line) = exhaustion_line(series) {
            lines.push(line);
        }
    }
    let opened = incident.opened_at.format("%Y-%m-%d %H:%M:%S UTC");
    lines.push(match &incident.resolved {
        Some(end) => format!("From {opened} to {}", end.at.format("%H:%M:%S UTC")),
        None => format!("Since {opened}"),
    });
    lines.extend(incident.first_look(occasion.now));
    if let Some(fault) = occasion.series.and_then(|series| series.fault).or(occasion.source_error) {
        lines.push(format!("Last answer: {}", cut(fault, 300)));
    }
    for (watch, burst) in incident.members.iter().filter_map(|(watch, member)| Some((watch, member.flapping?))) {
        lines.push(format!("{watch} is {burst}."));
    }
    if telling.late {
        lines.push("Late: slod was away, or the data came late.".to_owned());
    }
    if telling.event != Event::Resolve {
        for (run, needs) in occasion.series.iter().flat_map(|series| series.manual) {
            let needs = needs.as_ref().map(|needs| format!(" (needs {needs})")).unwrap_or_default();
            lines.push(format!("By hand: {}{needs}", cut(run, 200)));
        }
    }
    lines
}

/// What is left if unmeasured time was good (the reading that pages are judged by), and what it costs while it lasts.
fn budget_line(series: &Series<'_>) -> String {
    let sums = budget(series);
    let objective = series.spec.objective;
    let left = sums.remaining(objective, Judge::IfGood).unwrap_or(1.0);
    let window = window_words(series);
    let allowed = sums.budgeted_seconds() as f64 * objective.allowed();
    let used = seconds_words((1.0 - left).max(0.0) * allowed);
    let state = if left < 0.0 { format!("overspent ({})", percent(left)) } else { format!("left {}", percent(left)) };
    let passed = WindowSums { expected_seconds: sums.expected_seconds - sums.to_come_seconds, ..sums };
    let coverage = passed.coverage();
    let measured = measured(sums.remaining(objective, Judge::Measured).unwrap_or(1.0), left, coverage);
    let cost = hourly_cost(series).map(|cost| format!(" While this lasts, each hour costs {}.", percent(cost)));
    let cost = cost.unwrap_or_default();
    format!("Budget {state}: {used} of {} used in {window}{measured} at {objective}.{cost}", seconds_words(allowed))
}

/// Which reading it is, and how much of the time it knows, where that makes a difference.
fn measured(measured: f64, if_good: f64, coverage: f64) -> String {
    let apart = (percent(measured) != percent(if_good))
        .then(|| format!("the rest counted as good; as measured {} left", percent(measured)));
    match (coverage < 0.995, apart) {
        (false, None) => String::new(),
        (true, None) => format!(" ({} of it measured)", percent(coverage)),
        (true, Some(apart)) => format!(" ({} of it measured, {apart})", percent(coverage)),
        (false, Some(apart)) => format!(" ({apart})"),
    }
}

/// The share of the budget that an hour like the newest slot costs, if that slot is bad.
fn hourly_cost(series: &Series<'_>) -> Option<f64> {
    let newest = series.tally.ledger.get(series.tally.ledger.newest()?)?;
    let (good, total) = Counting::of(series.spec.budgeting).events(&newest);
    let bad = series.spec.is_bad(&newest).then(|| (total - good) / total)?;
    let window = series.spec.window.seconds_at(newest_start(series));
    Some(bad / series.spec.objective.allowed() * 3_600.0 / f64::from(window))
}

fn exhaustion_line(series: &Series<'_>) -> Option<String> {
    let at = series.tally.ledger.newest()?;
    let left = seconds_to_exhaustion(series.spec, series.tally, at, RATE_WINDOW, Judge::IfGood)?;
    (left > 0.0)
        .then(|| format!("At the rate of the last {} it is gone in {}.", duration(RATE_WINDOW), seconds_words(left)))
}

/// Bad slots in a row up to the newest.
pub(super) fn bad_slots(series: &Series<'_>) -> u32 {
    let ledger = series.tally.ledger;
    ledger.newest().map_or(0, |at| run(ledger, series.spec, at, OnGap::Hold).slots)
}

/// The start of the newest slot, in Unix seconds.
fn newest_start(series: &Series<'_>) -> i64 {
    series.tally.ledger.newest().unwrap_or_default() * i64::from(series.spec.every)
}

/// `30d`, or `this month`.
fn window_words(series: &Series<'_>) -> String {
    match &series.spec.window {
        Window::Rolling(seconds) => duration(*seconds),
        Window::Calendar(calendar) => format!("this {}", calendar.period().as_str()),
    }
}

/// The budget as of the newest slot.
pub(super) fn budget(series: &Series<'_>) -> WindowSums {
    window_sums(series.spec, series.tally, series.tally.ledger.newest().unwrap_or_default())
}

/// `ops-pager (not acknowledged) · next: platform-pager 14:33 UTC`
pub fn standing(incident: &Incident) -> Option<String> {
    if incident.resolved.is_some() {
        return None;
    }
    let told: Vec<_> = incident.told.keys().map(Name::as_str).collect();
    let taken = match &incident.acknowledged {
        Some(ack) => format!("acknowledged by {}", cut(&ack.by, 80)),
        None => "not acknowledged".to_owned(),
    };
    let text = if told.is_empty() { taken } else { format!("{} ({taken})", told.join(", ")) };
    let coming = incident.steps.iter().filter(|step| step.state == StepState::Waiting && step.after > 0);
    let coming = coming.filter(|step| incident.acknowledged.is_none() || !step.is_spared_by_acknowledgement());
    // Who was told at this urgency by another policy is left out when the step runs.
    let hears = |step: &&Step| {
        step.notify.iter().any(|name| incident.told.get(name).is_none_or(|told| told.by.contains(&step.policy)))
    };
    if let Some(next) = coming.filter(hears).min_by_key(|step| step.due_at) {
        let who: Vec<_> = next.notify.iter().map(Name::as_str).collect();
        let next = format!("{} {}", who.join(", "), next.due_at.format("%H:%M UTC"));
        return Some(format!("{text} · next: {next}"));
    }
    Some(text)
}

fn links(occasion: &Occasion<'_>) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(url) = occasion.series.and_then(|series| series.runbook_url) {
        links.push(Link { text: "Runbook".to_owned(), url: url.to_owned() });
    }
    let url = format!("{}/incident/{}", occasion.external_url, occasion.incident.id);
    links.push(Link { text: "Incident".to_owned(), url });
    links
}

fn figures(occasion: &Occasion<'_>) -> BTreeMap<String, f64> {
    let Some(series) = &occasion.series else { return BTreeMap::new() };
    let sums = budget(series);
    let all = [
        ("objective", Some(series.spec.objective.ratio())),
        ("budget_remaining", sums.remaining(series.spec.objective, Judge::Measured)),
        ("budget_remaining_if_good", sums.remaining(series.spec.objective, Judge::IfGood)),
        ("coverage", Some(sums.coverage())),
        ("bad", Some(sums.totals.bad())),
        ("total", Some(sums.totals.total)),
        ("bad_slots_in_a_row", Some(f64::from(bad_slots(series)))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.filter(|v| v.is_finite())?))).collect()
}

/// `25 min`, `3 h 40 min`, `2 d 4 h`.
pub fn span_words(span: TimeDelta) -> String {
    seconds_words(span.num_seconds().max(0) as f64)
}

/// `25 min`.
pub(super) fn seconds_words(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = parts[first..].iter().take(2).enumerate().filter(|(at, (count, _))| *at == 0 || *count > 0);
    // Seconds beside minutes are noise from ten minutes on.
    let shown = shown.filter(|(at, (_, unit))| *at == 0 || *unit != "s" || whole < 600);
    shown.map(|(_, (count, unit))| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// `46 %`, `−13 %`, `0.4 %`.
pub fn percent(share: f64) -> String {
    let hundred = share * 100.0;
    let digits = usize::from(hundred != 0.0 && hundred.abs() < 10.0);
    let text = format!("{:.digits$}", hundred.abs());
    let zero = text.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if share < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{} %", text.strip_suffix(".0").unwrap_or(&text))
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// A slot's value, with its unit if that is time.
pub(super) fn value_words(series: &Series<'_>, value: f64) -> String {
    if series.in_seconds && value >= 1.0 { seconds_words(value) } else { number(value) }
}

/// Labels come from outside: no line breaks, no escapes, no letters that turn the writing around.
pub(super) fn on_one_line(text: &str) -> String {
    let turns = |letter| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|letter| if letter.is_control() || turns(letter) { ' ' } else { letter }).collect()
}

/// At most `most` characters; a cut one ends in an ellipsis.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_names_its_reading_where_that_makes_a_difference() {
        for (as_measured, if_good, coverage, words) in [
            (0.46, 0.46, 1.0, ""),
            (0.46, 0.461, 0.999, ""),
            (0.46, 0.461, 0.97, " (97 % of it measured)"),
            (-0.13, 0.46, 0.6, " (60 % of it measured, the rest counted as good; as measured −13 % left)"),
            (-0.5, 0.25, 1.0, " (the rest counted as good; as measured −50 % left)"),
        ] {
            assert_eq!(measured(as_measured, if_good, coverage), words);
        }
    }

    #[test]
    fn words_for_spans_and_shares() {
        for (seconds, words) in [
            (0.0, "0 s"),
            (59.6, "1 min"),
            (90.0, "1 min 30 s"),
            (1_500.0, "25 min"),
            (13_200.0, "3 h 40 min"),
            (3_600.0, "1 h"),
            (187_200.0, "2 d 4 h"),
        ] {
            assert_eq!(seconds_words(seconds), words);
        }
        for (share, words) in [
            (0.462, "46 %"),
            (-0.13, "−13 %"),
            (0.004, "0.4 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
            (-0.000_01, "0 %"),
            (0.05, "5 %"),
        ] {
            assert_eq!(percent(share), words);
        }
    }
}
