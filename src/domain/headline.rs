//! The first line of everything that is said of an incident: whom it is about, and what is wrong with it.
//!
//! What is wrong is told by the condition of the most urgent alert; what is over, by how it ended: "good again" is said
//! only when something got better.

use chrono::TimeDelta;

use super::{
    budget::{WindowSums, seconds_to_exhaustion},
    condition::duration,
    incident::{Resolution, Subject},
    message::{Occasion, Series, bad_slots, budget, cut, on_one_line, percent, seconds_words, span_words, value_words},
    policy::{Condition, Judge},
    slo::IndicatorKind,
    slot::{Slot, SlotState},
    watch::pairs,
};

const HEADLINE_MAX: usize = 80;
/// Of a person's name.
const NAME_MAX: usize = 24;

/// What is wrong, said twice.
struct Trouble {
    /// In words that stay true while it lasts: no duration, no figure.
    lasting: String,
    /// As of now, with for how long and how much.
    now: String,
}

/// State, service and damage within 80 characters: true at the moment it is said.
pub fn headline(occasion: &Occasion<'_>) -> String {
    worded(occasion, |trouble| trouble.now)
}

/// The same for whoever reads it later: without what changes by the minute while it lasts. How it ended stays so.
pub fn title(occasion: &Occasion<'_>) -> String {
    worded(occasion, |trouble| trouble.lasting)
}

fn worded(occasion: &Occasion<'_>, choose: fn(Trouble) -> String) -> String {
    let subject = match &occasion.incident.subject {
        Subject::Source(name) => format!("source {name}"),
        Subject::Slo { id, series } => {
            let labels: Vec<_> = series.values().map(String::as_str).collect();
            let labels = if labels.is_empty() { String::new() } else { format!(" [{}]", labels.join(", ")) };
            format!("{} {}{labels}", id.service, id.slo)
        }
    };
    let subject = on_one_line(&subject);
    let said = match &occasion.incident.resolved {
        Some(end) => ending(occasion, end),
        None => vec![choose(trouble(occasion))],
    };
    // The longest that fits; of the shortest, as much as fits beside the subject.
    let room = HEADLINE_MAX.saturating_sub(subject.chars().count() + 2);
    let said = said.iter().find(|text| text.chars().count() <= room).or(said.last()).map_or("", String::as_str);
    let subject = cut(&subject, HEADLINE_MAX - said.chars().count().min(50) - 2);
    cut(&format!("{subject}: {said}"), HEADLINE_MAX)
}

/// How it ended: the same in shorter and shorter words.
fn ending(occasion: &Occasion<'_>, end: &Resolution) -> Vec<String> {
    let is_source = matches!(occasion.incident.subject, Subject::Source(_));
    let begun = occasion.failing_since.unwrap_or(occasion.incident.opened_at);
    let after = format!("after {}", span_words(end.at - begun));
    if let Some(by) = &end.by {
        let by = cut(&on_one_line(by), NAME_MAX);
        let (long, short) = match &occasion.series {
            _ if is_source && occasion.is_failing => ("still does not answer", "still failing"),
            Some(series) => still(series),
            None => ("", ""),
        };
        if long.is_empty() {
            return vec![format!("resolved by {by} {after}"), format!("resolved by {by}")];
        }
        return vec![
            format!("resolved by {by} {after} ({long})"),
            format!("resolved by {by} {after} ({short})"),
            format!("resolved by {by} ({short})"),
        ];
    }
    if let Some(what) = &end.taken_out {
        return vec![
            format!("no longer watched ({what} was taken out of the configuration)"),
            format!("no longer watched ({what} taken out)"),
            "no longer watched (configuration)".to_owned(),
        ];
    }
    if end.gone {
        return vec!["series is gone: nothing of it is measured any more".to_owned(), "series is gone".to_owned()];
    }
    if end.new_period {
        return vec![format!("new period, its budget is whole again ({after})"), "new period".to_owned()];
    }
    let what = match &occasion.series {
        _ if is_source => "answers again",
        Some(series) if newest(series).is_some_and(|slot| series.spec.is_bad(&slot)) => "no alert fires any more",
        Some(Series { condition: Some(Condition::NoData(_)), .. }) => "data again",
        _ => "good again",
    };
    vec![format!("{what} {after}"), what.to_owned()]
}

/// What is still wrong although a person ended it, in long and short words; nothing if the newest known slot is good.
fn still(series: &Series<'_>) -> (&'static str, &'static str) {
    let bad = bad_slots(series) > 0;
    match series.spec.kind {
        _ if silence(series).is_some() && !bad => ("still no data", "no data"),
        _ if !bad => ("", ""),
        IndicatorKind::Probe => ("health check still failing", "still failing"),
        IndicatorKind::Value => ("value still not good", "still bad"),
        IndicatorKind::Latency => ("still too slow", "too slow"),
        IndicatorKind::Uptime => ("still down", "still down"),
        IndicatorKind::Ratio if series.spec.counts_slots() => ("slots still bad", "still bad"),
        IndicatorKind::Ratio => ("still too many bad events", "still bad"),
    }
}

/// What is wrong.
fn trouble(occasion: &Occasion<'_>) -> Trouble {
    let open_for = occasion.now - occasion.incident.opened_at;
    let mut members = occasion.incident.members.values();
    if members.all(|member| !member.firing) && occasion.incident.most_urgent().is_some() {
        let now = format!("flapping, does not fire right now; open for {}", span_words(open_for));
        return Trouble { lasting: "flapping".to_owned(), now };
    }
    // One that opened again fires since then: what was good in between was not failing.
    let firing = occasion.incident.members.values().filter(|member| member.firing);
    let fired_at = firing.map(|member| member.fired_at).min();
    let firing_for = fired_at.map_or(open_for, |at| (occasion.now - at).min(open_for));
    match (&occasion.incident.subject, &occasion.series) {
        (Subject::Source(_), _) => {
            let failing = occasion.failing_since.map_or(open_for, |since| occasion.now - since);
            lasting("does not answer", &span_words(failing))
        }
        (Subject::Slo { .. }, Some(series)) => damage(series, firing_for),
        (Subject::Slo { .. }, None) => lasting("in breach", &span_words(open_for)),
    }
}

/// `down`, `down for 5 min`.
fn lasting(what: &str, span: &str) -> Trouble {
    Trouble { lasting: what.to_owned(), now: format!("{what} for {span}") }
}

fn damage(series: &Series<'_>, open_for: TimeDelta) -> Trouble {
    let bad = bad_slots(series);
    let on_silence = matches!(series.condition, Some(Condition::NoData(_)));
    if let Some(silent) = silence(series).filter(|_| on_silence || bad == 0) {
        return lasting("no data", &span_words(silent));
    }
    if bad == 0 {
        let told = series.condition.and_then(|condition| window_words(series, condition));
        return told.unwrap_or_else(|| {
            let left = budget_words(series);
            let breach = if open_for < TimeDelta::seconds(1) {
                left
            } else {
                format!("{left} (in breach for {})", span_words(open_for))
            };
            Trouble { lasting: "in breach".to_owned(), now: breach }
        });
    }
    // The run that opened the incident is older than the incident.
    let failing = TimeDelta::seconds(i64::from(bad) * i64::from(series.spec.every));
    let since = span_words(open_for.max(failing));
    match series.spec.kind {
        IndicatorKind::Probe => lasting("health check failing", &since),
        IndicatorKind::Value => {
            let value = newest(series).and_then(|slot| slot.shown);
            let said = lasting(&format!("value not {}", series.good), &since);
            match value {
                Some(value) => {
                    let now = format!("{}, not {}, for {since}", value_words(series, value), series.good);
                    Trouble { now, ..said }
                }
                None => said,
            }
        }
        IndicatorKind::Latency => lasting(&format!("too slow (not {})", series.good), &since),
        IndicatorKind::Uptime => lasting("down", &since),
        IndicatorKind::Ratio if series.spec.counts_slots() => {
            lasting(&format!("under {}", series.spec.slot_target()), &since)
        }
        IndicatorKind::Ratio => lasting("too many bad events", &since),
    }
}

/// What a window remembers although the newest slot is good.
fn window_words(series: &Series<'_>, condition: &Condition) -> Option<Trouble> {
    let at = series.tally.ledger.newest()?;
    match condition {
        Condition::BurnRate(rate) => {
            pairs(rate, series.spec, at * i64::from(series.spec.every)).iter().find_map(|pair| {
                let burn =
                    WindowSums::ending_at(series.tally, at, pair.long).burn(series.spec.objective, Judge::IfGood)?;
                let windows = format!("{}/{}", duration(pair.long), duration(pair.short));
                (burn >= pair.factor).then(|| Trouble {
                    lasting: format!("burning too fast ({windows})"),
                    now: format!("burning {burn:.1}× too fast ({windows})"),
                })
            })
        }
        Condition::BudgetRemaining(bound) => Some(Trouble {
            lasting: format!("budget left {} {}", bound.operator.sign(), percent(bound.bound)),
            now: budget_words(series),
        }),
        Condition::ExhaustedWithin { time, over } => {
            let left = seconds_to_exhaustion(series.spec, series.tally, at, *over, Judge::IfGood)?;
            Some(Trouble {
                lasting: format!("budget gone within {} at this rate", duration(*time)),
                now: format!("budget gone in {} at this rate", seconds_words(left)),
            })
        }
        Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(|part| window_words(series, part)),
        Condition::Consecutive(_) | Condition::NoData(_) | Condition::Value(_) => None,
    }
}

fn budget_words(series: &Series<'_>) -> String {
    let left = |judge| percent(budget(series).remaining(series.spec.objective, judge).unwrap_or(1.0));
    let (measured, kind) = (left(Judge::Measured), left(Judge::IfGood));
    // Which reading it is is said where there are two.
    if measured == kind { format!("budget left {kind}") } else { format!("budget left {kind} if good") }
}

fn newest(series: &Series<'_>) -> Option<Slot> {
    series.tally.ledger.get(series.tally.ledger.newest()?)
}

/// For how long nothing was known, up to the end of the newest slot; none if that one is known.
fn silence(series: &Series<'_>) -> Option<TimeDelta> {
    let newest = newest(series).filter(|slot| slot.state == SlotState::Unmeasured)?;
    let silent = series.tally.ledger.back_from(newest.index).take_while(|slot| !slot.state.is_known()).last()?;
    Some(TimeDelta::seconds((newest.index - silent.index + 1) * i64::from(series.spec.every)))
}
