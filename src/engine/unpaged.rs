//! Why nobody was paged at a moment, or who was: each alert as of one slot, judged from the stored slots by the same code
//! that judges live ones, with what stood in its way.

use chrono::{DateTime, TimeDelta, Utc};

use super::{report::slot_view, rulebook::slo_rules, why::state_at};
use crate::{
    config::model::{Config, Slo},
    domain::{
        alert::{Alert, AlertState},
        budget::Tally,
        condition::{Truth, duration, is_blind},
        decide::{SeriesKey, time},
        incident::{Incident, Subject},
        ledger::Ledger,
        policy::ClearAfter,
        replay::Replay,
        rulebook::{PolicyRules, SloRules},
        slo::IndicatorKind,
        slot::{SlotState, Span},
        verdict::Case,
        watch::Watch,
    },
    store::{Store, StoreError, incidents::StoredLine},
    views::{
        incident::TimelineView,
        render_words::instant,
        why::{AlertAt, IncidentAt, NotPagedView, PartAt},
    },
};

/// After a slot was due, so much later everything that follows from it has been decided.
const GRACE: TimeDelta = TimeDelta::minutes(1);
/// How far back a person's resolve may lie that still mutes an alert.
const MUTED_FOR: TimeDelta = TimeDelta::days(30);
/// Most incidents that are looked through, and lines of each that are shown.
const INCIDENTS_MAX: usize = 50;
const LINES_MAX: usize = 200;

/// An incident with its timeline.
type Known = (Incident, Vec<StoredLine>);

/// What is asked.
pub struct Asked<'a> {
    /// Of which SLO.
    pub slo: &'a Slo,
    /// Of which series.
    pub key: &'a SeriesKey,
    /// About which moment.
    pub at: DateTime<Utc>,
    /// Of one policy only.
    pub policy: Option<&'a str>,
    /// What time it is.
    pub now: DateTime<Utc>,
    /// When the running configuration was loaded.
    pub loaded_at: DateTime<Utc>,
}

/// How every alert of an SLO stood at a moment, and why.
pub async fn not_paged(store: &Store, config: &Config, asked: Asked<'_>) -> Result<NotPagedView, StoreError> {
    let Asked { slo, key, at, policy, now, loaded_at } = asked;
    let (spec, rules) = (&slo.spec, slo_rules(config, &key.id, slo));
    let every = i64::from(spec.every);
    let (mut ledger, mut corrections) = (Ledger::for_slo(spec), Vec::new());
    if let Some(series) = store.series_id(key) {
        // A window before the oldest slot that is looked back at.
        let reach = 2 * i64::from(spec.window.longest_seconds().max(259_200)) + every;
        store.load_ledger(series, at.timestamp() - reach, &mut ledger).await?;
        corrections = store.corrections(series, time(at.timestamp() - reach)).await?;
        corrections.retain(|made| made.made_at <= now);
    }
    drop(ledger.forget_after(at.timestamp().div_euclid(every)));
    let tally = Tally { ledger: &ledger, corrections: &corrections };
    let newest = ledger.newest();
    let settle = TimeDelta::milliseconds(i64::try_from(spec.settle_ms).unwrap_or(i64::MAX / 2));
    let begun = newest.map_or(at, |slot| at.min(time(slot * every)));
    let judged = newest.map_or(at, |slot| at.max(time((slot + 1) * every) + settle)) + GRACE;
    let incidents = incidents(store, key, at, judged.min(now)).await?;
    let wanted = |rules: &&PolicyRules| policy.is_none_or(|policy| rules.policy.name.as_str() == policy);
    let mut alerts = Vec::new();
    if let Some(slot) = newest {
        for policy in rules.policies.iter().filter(wanted) {
            let seen = Sight { rules: policy, slo: &rules, tally, slot, at, incidents: &incidents };
            alerts.extend(policy.watches.iter().map(|watch| seen.alert(watch)));
        }
    }
    let view = newest.and_then(|slot| Some((Span::slot(slot, spec.every), ledger.get(slot)?)));
    Ok(NotPagedView {
        id: key.id.clone(),
        title: slo.title.clone(),
        series: key.series.clone(),
        at,
        slot: view.as_ref().map(slot_view),
        blind: is_blind(&ledger, rules.blind_after),
        alerts,
        notes: notes(&rules, &ledger, at, loaded_at),
        incidents: incidents
            .iter()
            .filter(|known| is_about(known, begun, judged))
            .map(|known| shown(known, at))
            .collect(),
    })
}

/// The incidents of the series up to the moment, each with what had happened to it until `judged`.
async fn incidents(
    store: &Store,
    key: &SeriesKey,
    at: DateTime<Utc>,
    judged: DateTime<Utc>,
) -> Result<Vec<Known>, StoreError> {
    let (service, slo) = (key.id.service.as_str(), key.id.slo.as_str());
    let mut found = store.incidents_within(service, slo, at - MUTED_FOR, judged + TimeDelta::seconds(1)).await?;
    let subject = Subject::Slo { id: key.id.clone(), series: key.series.clone() };
    found.retain(|incident| incident.subject == subject);
    let from = found.len().saturating_sub(INCIDENTS_MAX);
    let mut known = Vec::new();
    for incident in found.split_off(from) {
        let mut lines = store.timeline(&incident.id).await?;
        lines.retain(|line| line.at <= judged);
        known.push((incident, lines));
    }
    Ok(known)
}

/// Whether an incident was open when the slot began, or something happened to it until the slot was judged.
fn is_about((_, lines): &Known, begun: DateTime<Utc>, judged: DateTime<Utc>) -> bool {
    let state = state_at(lines.iter().map(|line| (line.at, line.kind.as_str())), begun);
    matches!(state, Some("open" | "acknowledged")) || lines.iter().any(|line| (begun..=judged).contains(&line.at))
}

fn shown((incident, lines): &Known, at: DateTime<Utc>) -> IncidentAt {
    let state = state_at(lines.iter().map(|line| (line.at, line.kind.as_str())), at);
    let from = lines.len().saturating_sub(LINES_MAX);
    let timeline =
        lines[from..].iter().map(|line| TimelineView { at: line.at, kind: line.kind.clone(), text: line.text.clone() });
    IncidentAt {
        id: incident.id.clone(),
        title: incident.title.clone(),
        state: state.unwrap_or("not open yet").to_owned(),
        opened_at: incident.opened_at,
        timeline: timeline.collect(),
    }
}

fn notes(rules: &SloRules, ledger: &Ledger, at: DateTime<Utc>, loaded_at: DateTime<Utc>) -> Vec<String> {
    let every = i64::from(rules.spec.every);
    let mut notes = Vec::new();
    match ledger.newest() {
        None => notes.push("Nothing was settled up to then: no alert could be judged.".to_owned()),
        Some(newest) if newest < at.timestamp().div_euclid(every) => {
            let end = instant(time((newest + 1) * every));
            notes.push(format!("The slot of that moment was not settled; the newest before it ended {end}."));
        }
        Some(newest) => {
            if ledger.get(newest).is_some_and(|slot| slot.state == SlotState::Excluded) {
                notes.push("Planned work: the slot does not count.".to_owned());
            }
        }
    }
    if rules.policies.is_empty() {
        notes.push("No policy watches it: nobody would be told, whatever happens.".to_owned());
    }
    if loaded_at > at {
        let loaded = instant(loaded_at);
        notes.push(format!("Judged by the configuration that was loaded {loaded}; it may have been another one then."));
    }
    notes.push(
        "Judged from the slots as they are stored now. What came in late counts as if it had come in its time."
            .to_owned(),
    );
    notes
}

/// One policy at one slot.
struct Sight<'a> {
    rules: &'a PolicyRules,
    slo: &'a SloRules,
    tally: Tally<'a>,
    slot: i64,
    at: DateTime<Utc>,
    incidents: &'a [Known],
}

impl Sight<'_> {
    fn alert(&self, watch: &Watch) -> AlertAt {
        let (condition, policy, spec, tally) = (&watch.condition, &self.rules.policy, &self.slo.spec, self.tally);
        let alert = Replay { condition, policy, spec, tally }.as_of(self.slot);
        let case = Case { condition, policy, spec, tally, at: self.slot, memory: alert.memory };
        let truth = case.truth().unwrap_or(Truth::Unknown);
        let parts = case.clues().into_iter().map(|clue| PartAt { holds: word(clue.truth).to_owned(), text: clue.text });
        let held_by = matches!(alert.state, AlertState::Ok).then(|| case.held_by()).flatten();
        let is_firing = matches!(alert.state, AlertState::Firing { .. });
        let muted_by = self.muted_by(watch, &alert).or_else(|| self.silenced().filter(|_| is_firing));
        AlertAt {
            name: watch.name.clone(),
            policy: policy.name.to_string(),
            priority: policy.priority,
            state: if muted_by.is_some() { "muted" } else { alert.state.as_str() }.to_owned(),
            since: since(&alert).map(time),
            condition: word(truth).to_owned(),
            parts: parts.collect(),
            why: self.why(&alert, truth, held_by, muted_by.as_deref()),
            held_by: held_by.map(str::to_owned),
        }
    }

    fn why(&self, alert: &Alert, truth: Truth, held_by: Option<&str>, muted_by: Option<&str>) -> String {
        let policy = &self.rules.policy;
        match (alert.state, truth) {
            (AlertState::Ok, _) if held_by.is_some() => {
                format!("not firing: {} held it", held_by.unwrap_or_default())
            }
            (AlertState::Ok, Truth::True) => {
                "not firing: its window still remembers, but everything is good again".to_owned()
            }
            (AlertState::Ok, Truth::False) => "not firing: its condition does not hold".to_owned(),
            (AlertState::Ok, Truth::Unknown) => "not firing: too little is known to say".to_owned(),
            (AlertState::Pending { since }, _) => {
                let fires = instant(time(since + i64::from(policy.hold)));
                format!("pending: it must hold for {} and would fire at {fires}", duration(policy.hold))
            }
            (AlertState::Clearing { .. }, _) => {
                "clearing: all is good again and only its window remembers; it holds no incident open and runs no step"
                    .to_owned()
            }
            (AlertState::Firing { .. }, _) if muted_by.is_some() => {
                format!("muted: {}; {}", muted_by.unwrap_or_default(), self.told())
            }
            (AlertState::Firing { false_since, .. }, _) => {
                let clears = match policy.clear_after {
                    ClearAfter::Slots(1) => "one good slot".to_owned(),
                    ClearAfter::Slots(slots) => format!("{slots} good slots"),
                    ClearAfter::Seconds(seconds) => duration(seconds),
                };
                let clearing = false_since.map(|since| {
                    format!("; its condition is false since {} and it clears after {clears}", instant(time(since)))
                });
                format!("firing: {}{}", self.told(), clearing.unwrap_or_default())
            }
        }
    }

    /// Who had heard of the incident it belongs to.
    fn told(&self) -> String {
        let Some((incident, lines)) = self.incident() else {
            return "no incident is on record; it was decided later, or by another configuration".to_owned();
        };
        let state = state_at(lines.iter().map(|line| (line.at, line.kind.as_str())), self.at);
        let told: Vec<String> = lines
            .iter()
            .filter(|line| line.kind == "told")
            .map(|line| format!("{} ({})", line.text.split(':').next().unwrap_or_default(), instant(line.at)))
            .collect();
        let told = if told.is_empty() { "nobody".to_owned() } else { told.join(", ") };
        // Who was told before the end of the slot that fired would seem to have been told too early.
        let early = if self.slo.spec.kind == IndicatorKind::Probe {
            "; a probe is judged when it has answered, before its slot ends"
        } else {
            ""
        };
        format!("it belongs to incident {}, {} then; told: {told}{early}", incident.id, state.unwrap_or("not open yet"))
    }

    /// The newest incident that an alert of the policy belongs to.
    fn incident(&self) -> Option<&Known> {
        let is_mine =
            |(incident, _): &&Known| incident.members.values().any(|member| member.policy == self.rules.policy.name);
        self.incidents.iter().rev().find(is_mine)
    }

    /// What muted the incident's messages, if that had not ended.
    fn silenced(&self) -> Option<String> {
        let (incident, lines) = self.incident()?;
        let mut on: Vec<&str> = Vec::new();
        for line in lines.iter().filter(|line| line.kind == "muted") {
            if line.text.starts_with("silenced until ") || line.text.starts_with("muted until ") {
                on.push(&line.text);
            } else if let Some((_, words)) = line.text.split_once(" ended (") {
                let words = words.trim_end_matches(')');
                on.retain(|text| !text.trim_end_matches(')').ends_with(words));
            }
        }
        let policy = self.rules.policy.name.as_str();
        let mine = on.into_iter().rfind(|text| only(text).is_none_or(|only| only == policy));
        mine.map(|text| format!("incident {} was {text}", incident.id))
    }

    /// The person's resolve since which the alert has not cleared.
    fn muted_by(&self, watch: &Watch, alert: &Alert) -> Option<String> {
        let AlertState::Firing { since, .. } = alert.state else { return None };
        // A probe is judged before its slot ends.
        let from = time(since - i64::from(self.slo.spec.every));
        let mine = self.incidents.iter().filter(|(incident, _)| incident.members.contains_key(&watch.name));
        let mut lines = mine.flat_map(|(incident, lines)| lines.iter().map(|line| (&incident.id, line)));
        let by_hand = |line: &StoredLine| line.kind == "resolved" && line.text.starts_with("resolved by ");
        let found = lines.rfind(|(_, line)| by_hand(line) && (from..=self.at).contains(&line.at));
        found.map(|(id, line)| {
            format!("incident {id} was {} at {}; silent until it has cleared once", line.text, instant(line.at))
        })
    }
}

/// The policy that a silence is about, by its line `silenced until … by ann (only POLICY): why`; none if it is about all.
fn only(line: &str) -> Option<&str> {
    let (whose, _) = line.split_once("): ")?;
    let (_, policy) = whose.rsplit_once(" (only ")?;
    // A reason may say anything.
    Some(policy).filter(|policy| !whose.contains(": ") && !policy.contains(' '))
}

fn since(alert: &Alert) -> Option<i64> {
    match alert.state {
        AlertState::Ok => None,
        AlertState::Pending { since } | AlertState::Firing { since, .. } | AlertState::Clearing { since } => {
            Some(since)
        }
    }
}

fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}
