//! The record of an incident that is over: what is put into the decision log of its service, once.
//!
//! It is composed when nothing can happen to the incident any more, and kept as it was composed: what is delivered after
//! a day of retries is what was decided. People fill in what only they know: the root cause, and what follows from it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    incident::{Incident, Subject},
    name::{Name, Series},
    policy::Priority,
};

/// Most lines of a timeline that are recorded: the first and the newest halves.
const LINES_MAX: usize = 500;
/// Most characters of one text.
const TEXT_MAX: usize = 2_000;
/// Most results of diagnostics.
const DIAGNOSTICS_MAX: usize = 50;
/// What every acknowledgement's line begins with.
const ACKNOWLEDGED: &str = "acknowledged by ";

/// Where the records of a service's incidents go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRule {
    /// The way there: a reserved name that no receiver can have.
    pub receiver: Name,
    /// What such a record is called there.
    pub action: String,
    /// Only incidents at least as urgent.
    pub min_priority: Priority,
}

/// The reserved name of the way to a service's decision log.
pub fn receiver_of(service: &Name) -> Name {
    Name::from(format!("decision-log:{service}"))
}

/// One incident, whole and over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// What makes it unique: the incident's key.
    pub event_id: String,
    /// What such a record is called.
    pub action: String,
    /// The incident's id, as people type it.
    pub incident: String,
    /// End of the slot that opened it.
    pub epoch: DateTime<Utc>,
    /// The service.
    pub service: Name,
    /// The SLO.
    pub slo: Name,
    /// The series' labels: from outside, hostile.
    pub series: Series,
    /// The last headline.
    pub title: String,
    /// How urgent it was at its worst.
    pub priority: Priority,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When somebody took it first.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Who took it first.
    pub acknowledged_by: Option<String>,
    /// When it ended.
    pub resolved_at: DateTime<Utc>,
    /// Who ended it; none if all alerts cleared.
    pub resolved_by: Option<String>,
    /// What it cost.
    pub cost: RecordedCost,
    /// The public status page, if the incident concerned one.
    pub status_page: Option<RecordedPage>,
    /// Who took it, and when, in order.
    pub acknowledgements: Vec<Acknowledged>,
    /// What happened, in order.
    pub timeline: Vec<RecordedLine>,
    /// Who was told.
    pub deliveries: Vec<Told>,
    /// What was looked at when it opened.
    pub diagnostics: Vec<serde_json::Value>,
}

/// What an incident cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedCost {
    /// Bad events, or seconds.
    pub bad: f64,
    /// Whether `bad` are seconds.
    pub in_seconds: bool,
    /// Share of the window's budget, 0–1 (may exceed 1). None without events.
    pub budget_share: Option<f64>,
}

/// The public page's part in an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedPage {
    /// The state posted last; `none` if nothing was.
    pub state: String,
    /// When the first post had to be out.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was.
    pub posted_at: Option<DateTime<Utc>>,
    /// How much too late that was, in seconds, up to the incident's end if nothing was posted; none if in time.
    pub late_seconds: Option<i64>,
}

/// Somebody took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// When.
    pub at: DateTime<Utc>,
    /// Who: from outside, hostile.
    pub by: String,
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedLine {
    /// When.
    pub at: DateTime<Utc>,
    /// opened, fired, told, …
    pub kind: String,
    /// In words.
    pub text: String,
}

/// What one receiver was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who.
    pub receiver: String,
    /// Messages by their event and state: `trigger sent` → 2.
    pub messages: BTreeMap<String, u32>,
    /// When the first was accepted.
    pub first_sent_at: Option<DateTime<Utc>>,
    /// Why the newest that failed did.
    pub last_error: Option<String>,
}

/// A message as the outbox has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// To whom.
    pub receiver: String,
    /// trigger, …
    pub event: String,
    /// queued, sent, dead, …
    pub state: String,
    /// When it was accepted.
    pub sent_at: Option<DateTime<Utc>>,
    /// Why the newest attempt failed.
    pub last_error: Option<String>,
}

/// Everything a record is made of, besides the incident.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Its timeline, in order.
    pub lines: Vec<RecordedLine>,
    /// Its messages, in order.
    pub messages: Vec<Sent>,
    /// What it cost.
    pub cost: RecordedCost,
    /// What was looked at when it opened.
    pub diagnostics: Vec<serde_json::Value>,
}

/// Writes the record. None for an incident that is not over, or is a source's own.
pub fn compose(incident: &Incident, action: &str, gathered: Gathered) -> Option<IncidentRecord> {
    let Subject::Slo { id, series } = &incident.subject else { return None };
    let end = incident.resolved.as_ref()?;
    let acknowledgements: Vec<_> = gathered.lines.iter().filter_map(acknowledgement).collect();
    let first = acknowledgements.first();
    Some(IncidentRecord {
        event_id: incident.key.clone(),
        action: action.to_owned(),
        incident: incident.id.clone(),
        epoch: super::decide::time(incident.epoch),
        service: id.service.clone(),
        slo: id.slo.clone(),
        series: series.iter().map(|(label, value)| (cut(label), cut(value))).collect(),
        title: cut(&incident.title),
        priority: incident.priority,
        opened_at: incident.opened_at,
        acknowledged_at: first.map(|first| first.at),
        acknowledged_by: first.map(|first| first.by.clone()),
        resolved_at: end.at,
        resolved_by: end.by.as_deref().map(cut),
        cost: gathered.cost,
        status_page: incident.status.as_ref().map(|clock| RecordedPage {
            state: clock.as_str().to_owned(),
            due_at: clock.due_at,
            posted_at: clock.posted_at,
            late_seconds: late_by(clock.due_at, clock.posted_at.unwrap_or(end.at)),
        }),
        acknowledgements,
        timeline: shortened(gathered.lines),
        deliveries: told(&gathered.messages),
        diagnostics: gathered.diagnostics.into_iter().take(DIAGNOSTICS_MAX).collect(),
    })
}

/// By how much something was late, in seconds; none if it was not.
pub fn late_by(due_at: Option<DateTime<Utc>>, done_at: DateTime<Utc>) -> Option<i64> {
    due_at.map(|due| (done_at - due).num_seconds()).filter(|late| *late > 0)
}

/// What each receiver was told, in the order in which they first were.
pub fn told(messages: &[Sent]) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for message in messages {
        let at = all.iter().position(|told| told.receiver == message.receiver).unwrap_or_else(|| {
            all.push(Told {
                receiver: message.receiver.clone(),
                messages: BTreeMap::new(),
                first_sent_at: None,
                last_error: None,
            });
            all.len() - 1
        });
        let told = &mut all[at];
        *told.messages.entry(format!("{} {}", message.event, message.state)).or_default() += 1;
        told.first_sent_at = told.first_sent_at.into_iter().chain(message.sent_at).min();
        if message.state != "sent"
            && let Some(error) = &message.last_error
        {
            told.last_error = Some(cut(error));
        }
    }
    all
}

fn acknowledgement(line: &RecordedLine) -> Option<Acknowledged> {
    let by = line.text.strip_prefix(ACKNOWLEDGED).filter(|_| line.kind == "acknowledged")?;
    Some(Acknowledged { at: line.at, by: cut(by) })
}

/// The first and the newest half of a timeline that is too long, with a line that says so.
fn shortened(mut lines: Vec<RecordedLine>) -> Vec<RecordedLine> {
    for line in &mut lines {
        line.text = cut(&line.text);
    }
    let over = lines.len().saturating_sub(LINES_MAX);
    if over > 0 {
        let half = LINES_MAX / 2;
        let at = lines[half].at;
        let said = RecordedLine { at, kind: "note".to_owned(), text: format!("{over} lines are left out here") };
        lines.splice(half..half + over, [said]);
    }
    lines
}

fn cut(text: &str) -> String {
    // A database takes no NUL within a text.
    super::message::cut(&text.replace('\0', "\u{fffd}"), TEXT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{incident::Resolution, name::SloId, notification::PublicState, status_page::StatusClock};

    fn at(seconds: i64) -> DateTime<Utc> {
        super::super::decide::time(1_767_571_200 + seconds)
    }

    fn line(seconds: i64, kind: &str, text: &str) -> RecordedLine {
        RecordedLine { at: at(seconds), kind: kind.into(), text: text.into() }
    }

    fn sent(receiver: &str, event: &str, state: &str, seconds: Option<i64>, error: Option<&str>) -> Sent {
        Sent {
            receiver: receiver.into(),
            event: event.into(),
            state: state.into(),
            sent_at: seconds.map(at),
            last_error: error.map(str::to_owned),
        }
    }

    fn over() -> Incident {
        let series = Series::from([("route".to_owned(), "</script>\0'; drop".to_owned())]);
        let subject = Subject::Slo { id: SloId::new("shop", "front"), series };
        let mut incident = Incident::open(subject, at(0), Priority::P1);
        incident.title = "shop front: good again after 31 min".into();
        incident.resolved =
            Some(Resolution { by: None, at: at(1_860), taken_out: None, new_period: false, gone: false });
        incident.status = Some(StatusClock {
            posted: Some(PublicState::Resolved),
            due_at: Some(at(900)),
            posted_at: Some(at(1_020)),
            ..StatusClock::default()
        });
        incident
    }

    #[test]
    fn a_record_says_it_all() {
        let gathered = Gathered {
            lines: vec![
                line(0, "opened", "incident opened at P1"),
                line(240, "acknowledged", "acknowledged by ops-lead"),
                line(900, "acknowledged", "acknowledged by <b>eve</b>"),
                line(901, "note", "acknowledged by nobody: only a note"),
                line(1_860, "resolved", "all alerts have cleared"),
            ],
            messages: vec![
                sent("pager", "trigger", "sent", Some(3), None),
                sent("chat", "trigger", "dead", None, Some("410 channel_is_archived")),
                sent("pager", "resolve", "sent", Some(1_862), None),
            ],
            cost: RecordedCost { bad: 31.0, in_seconds: false, budget_share: Some(0.072) },
            diagnostics: vec![serde_json::json!({"name": "database", "ok": true})],
        };
        let record = compose(&over(), "incident_postmortem", gathered).unwrap();
        let said = serde_json::to_value(&record).unwrap();
        for (pointer, expected) in [
            ("/event_id", over().key.as_str()),
            ("/action", "incident_postmortem"),
            ("/incident", over().id.as_str()),
            ("/series/route", "</script>\u{fffd}'; drop"),
            ("/priority", "P1"),
            ("/opened_at", "2026-01-05T00:00:00Z"),
            ("/acknowledged_at", "2026-01-05T00:04:00Z"),
            ("/acknowledged_by", "ops-lead"),
            ("/resolved_at", "2026-01-05T00:31:00Z"),
            ("/acknowledgements/1/by", "<b>eve</b>"),
            ("/timeline/4/kind", "resolved"),
            ("/deliveries/0/first_sent_at", "2026-01-05T00:00:03Z"),
            ("/deliveries/1/last_error", "410 channel_is_archived"),
            ("/diagnostics/0/name", "database"),
        ] {
            assert_eq!(said.pointer(pointer).and_then(serde_json::Value::as_str), Some(expected), "{pointer}");
        }
        assert_eq!((record.acknowledgements.len(), record.timeline.len(), record.deliveries.len()), (2, 5, 2));
        let told: Vec<_> = record.deliveries[0].messages.iter().map(|(what, count)| (what.as_str(), *count)).collect();
        assert_eq!(told, [("resolve sent", 1), ("trigger sent", 1)]);
        let page = record.status_page.unwrap();
        assert_eq!((page.state.as_str(), page.late_seconds), ("resolved", Some(120)));
    }

    #[test]
    fn what_is_open_or_a_source_has_none() {
        let mut open = over();
        open.resolved = None;
        assert_eq!(compose(&open, "a", Gathered::default()), None);
        let source = Incident { subject: Subject::Source("metrics".into()), ..over() };
        assert_eq!(compose(&source, "a", Gathered::default()), None);
    }

    #[test]
    fn a_flood_is_cut_in_the_middle() {
        let lines = (0..2_000).map(|number| line(number, "note", &"n".repeat(5_000))).collect();
        let record = compose(&over(), "a", Gathered { lines, ..Gathered::default() }).unwrap();
        assert_eq!(record.timeline.len(), LINES_MAX + 1);
        assert_eq!(record.timeline[250].text, "1500 lines are left out here");
        assert_eq!((record.timeline[249].at, record.timeline[251].at), (at(249), at(1_750)));
        assert!(record.timeline.iter().all(|line| line.text.chars().count() <= TEXT_MAX));
    }
}
