//! A decision in one transaction: slots, alerts, incidents, their timelines and the messages, or nothing.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use super::{Posting, Store, StoreError};
use crate::{
    domain::{
        alert::Alert,
        correction::Correction,
        decide::{Line, Outgoing, SourceEvent},
        diagnostic::Diagnosis,
        history::History,
        incident::{Incident, Subject},
        ledger::StoredSums,
        name::{Name, SloId},
        notification::{Event, Message},
        policy::Priority,
        silence::Silence,
    },
    failpoint::{Point, reach},
};

/// Everything one decision writes.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Series id, slot length, chunk number, bytes.
    pub chunks: Vec<(i64, u32, i64, Vec<u8>)>,
    /// Series id, slot length, and the sums of chunks that changed.
    pub sums: Vec<(i64, u32, StoredSums)>,
    /// What is still to be asked about.
    pub histories: Vec<(SloId, History)>,
    /// Series id and all its alerts.
    pub alerts: Vec<(i64, Vec<(String, Alert)>)>,
    /// Series id and a correction of it.
    pub corrections: Vec<(i64, Correction)>,
    /// Incidents, and whether something can still happen to them.
    pub incidents: Vec<(Incident, bool)>,
    /// What was found at incidents.
    pub diagnoses: Vec<(String, Vec<Diagnosis>)>,
    /// New silences, and those that were ended early.
    pub silences: Vec<Silence>,
    /// Lines of timelines.
    pub lines: Vec<Line>,
    /// Messages.
    pub outgoing: Vec<Outgoing>,
    /// Resolves for receivers that know: sent only after what is still on its way to them.
    pub settled: Vec<Outgoing>,
    /// Events of sources that were taken.
    pub source_events: Vec<SourceEvent>,
    /// Deliveries whose fallback is told by this decision.
    pub fallback_told: Vec<i64>,
    /// Messages about no incident.
    pub postings: Vec<Posting>,
    /// Posts to a public page whose outcome this decision heard of.
    pub page_told: Vec<i64>,
}

impl Commit {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
            && self.sums.is_empty()
            && self.histories.is_empty()
            && self.alerts.is_empty()
            && self.corrections.is_empty()
            && self.incidents.is_empty()
            && self.diagnoses.is_empty()
            && self.silences.is_empty()
            && self.lines.is_empty()
            && self.outgoing.is_empty()
            && self.settled.is_empty()
            && self.source_events.is_empty()
            && self.fallback_told.is_empty()
            && self.postings.is_empty()
            && self.page_told.is_empty()
    }
}

/// Why a page was dropped. Its fallback hears of it as of one that could not be delivered.
const MISSED: &str = "the incident was over before this page could be sent";

/// A page that was never tried, because its incident ended first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Of which incident.
    pub incident: String,
    /// Who was not told.
    pub receiver: Name,
    /// How urgent it was.
    pub priority: Priority,
}

impl Store {
    /// Writes a decision. Answers the triggers that were dropped untried together with their resolve.
    pub async fn commit(&self, commit: Arc<Commit>, now: DateTime<Utc>) -> Result<Vec<Missed>, StoreError> {
        self.writer
            .write(move |connection| {
                let commit = commit.clone();
                Box::pin(async move { write(connection, &commit, now).await })
            })
            .await
    }
}

async fn write(
    connection: &mut SqliteConnection,
    commit: &Commit,
    now: DateTime<Utc>,
) -> Result<Vec<Missed>, StoreError> {
    for (series, every, chunk, data) in &commit.chunks {
        sqlx::query(
            "insert into chunks (series, every, chunk, data) values (?, ?, ?, ?) \
             on conflict do update set data = excluded.data",
        )
        .bind(series)
        .bind(every)
        .bind(chunk)
        .bind(data)
        .execute(&mut *connection)
        .await?;
    }
    for (series, every, sums) in &commit.sums {
        super::sums::write(connection, *series, *every, sums).await?;
    }
    for (id, history) in &commit.histories {
        super::histories::write(connection, id, history).await?;
    }
    for (series, made) in &commit.corrections {
        super::corrections::write(connection, *series, made).await?;
    }
    // Only what says something is worth a kill.
    let reach = |point| (!commit.outgoing.is_empty()).then(|| reach(point));
    reach(Point::CommitSlots);
    for (series, alerts) in &commit.alerts {
        write_alerts(connection, *series, alerts).await?;
    }
    reach(Point::CommitAlerts);
    for (incident, live) in &commit.incidents {
        write_incident(connection, incident, *live).await?;
    }
    for (incident, found) in &commit.diagnoses {
        super::diagnostics::write(connection, incident, found).await?;
    }
    for silence in &commit.silences {
        super::silences::write(connection, silence).await?;
    }
    reach(Point::CommitIncidents);
    for line in &commit.lines {
        sqlx::query("insert into timeline (incident, at, kind, text) values (?, ?, ?, ?)")
            .bind(&line.incident)
            .bind(line.at.timestamp_millis())
            .bind(line.kind)
            .bind(&line.text)
            .execute(&mut *connection)
            .await?;
    }
    reach(Point::CommitLines);
    let mut missed = Vec::new();
    for outgoing in &commit.outgoing {
        enqueue(connection, outgoing, now, &mut missed).await?;
        reach(Point::CommitQueued);
    }
    for outgoing in &commit.settled {
        super::source_events::settle(connection, outgoing, now).await?;
    }
    for event in &commit.source_events {
        super::source_events::write(connection, event).await?;
    }
    for delivery in &commit.fallback_told {
        sqlx::query("update deliveries set fallback_told = 1 where id = ?")
            .bind(delivery)
            .execute(&mut *connection)
            .await?;
    }
    super::postings::queue(connection, &commit.postings, now).await?;
    super::pages::mark_told(connection, &commit.page_told).await?;
    reach(Point::CommitTold);
    Ok(missed)
}

async fn write_alerts(
    connection: &mut SqliteConnection,
    series: i64,
    alerts: &[(String, Alert)],
) -> Result<(), StoreError> {
    sqlx::query("delete from alerts where series = ?").bind(series).execute(&mut *connection).await?;
    for (watch, alert) in alerts {
        sqlx::query("insert into alerts (series, watch, document) values (?, ?, ?)")
            .bind(series)
            .bind(watch)
            .bind(to_json(alert, "an alert")?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn write_incident(connection: &mut SqliteConnection, incident: &Incident, live: bool) -> Result<(), StoreError> {
    let (service, slo, source) = match &incident.subject {
        Subject::Slo { id, .. } => (Some(id.service.as_str()), Some(id.slo.as_str()), None),
        Subject::Source(name) => (None, None, Some(name.as_str())),
    };
    sqlx::query(
        "insert into incidents (id, key, service, slo, source, priority, state, opened_at, resolved_at, live, document) \
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do update set priority = excluded.priority, \
         state = excluded.state, resolved_at = excluded.resolved_at, live = excluded.live, document = excluded.document",
    )
    .bind(&incident.id)
    .bind(&incident.key)
    .bind(service)
    .bind(slo)
    .bind(source)
    .bind(incident.priority.as_str())
    .bind(super::incidents::state_word(incident))
    .bind(incident.opened_at.timestamp_millis())
    .bind(incident.resolved.as_ref().map(|end| end.at.timestamp_millis()))
    .bind(live)
    .bind(to_json(incident, "an incident")?)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// Queues a message. A resolve drops the messages before it that were never tried, and itself if none was since the
/// resolve before it.
async fn enqueue(
    connection: &mut SqliteConnection,
    outgoing: &Outgoing,
    now: DateTime<Utc>,
    missed: &mut Vec<Missed>,
) -> Result<(), StoreError> {
    let is_public = is_public(outgoing);
    let mut state = "queued";
    if outgoing.event == Event::Resolve {
        let dropped = sqlx::query(
            "update deliveries set state = 'dropped' where incident = ? and receiver = ? and dedup_key = ? \
             and state in ('queued', 'retry') and attempts = 0 returning id, event, priority",
        )
        .bind(&outgoing.incident)
        .bind(outgoing.receiver.as_str())
        .bind(&outgoing.dedup_key)
        .fetch_all(&mut *connection)
        .await?;
        let tried = sqlx::query(
            "select 1 from deliveries where incident = ?1 and receiver = ?2 and dedup_key = ?3 and attempts > 0 \
             and id > coalesce((select max(id) from deliveries where incident = ?1 and receiver = ?2 \
               and dedup_key = ?3 and event = 'resolve'), 0) limit 1",
        )
        .bind(&outgoing.incident)
        .bind(outgoing.receiver.as_str())
        .bind(&outgoing.dedup_key)
        .fetch_optional(&mut *connection)
        .await?;
        if tried.is_none() {
            let page = dropped.iter().find(|row| !is_public && row.get::<&str, _>("event") == "trigger");
            if let Some((row, priority)) =
                page.and_then(|row| Some((row, super::outbox::priority(row.get("priority"))?)))
            {
                sqlx::query("update deliveries set last_error = ?, fallback_told = ? where id = ?")
                    .bind(MISSED)
                    .bind(!priority.is_page())
                    .bind(row.get::<i64, _>("id"))
                    .execute(&mut *connection)
                    .await?;
                let (incident, receiver) = (outgoing.incident.clone(), outgoing.receiver.clone());
                missed.push(Missed { incident, receiver, priority });
            }
            if !is_public {
                return Ok(());
            }
            state = "dropped";
        }
    }
    insert(connection, outgoing, state, now).await
}

/// Whether it is for the public status page.
fn is_public(outgoing: &Outgoing) -> bool {
    matches!(outgoing.message, Message::StatusPost(_))
}

/// Adds a row to the outbox.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    outgoing: &Outgoing,
    state: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into deliveries (incident, receiver, event, priority, state, dedup_key, message, decided_at, next_at, \
         page_told) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
    )
    .bind(&outgoing.incident)
    .bind(outgoing.receiver.as_str())
    .bind(outgoing.event.as_str())
    .bind(outgoing.priority.as_str())
    .bind(state)
    .bind(&outgoing.dedup_key)
    .bind(to_json(&outgoing.message, "a message")?)
    .bind(now.timestamp_millis())
    .bind(now.timestamp_millis())
    // Whoever posted waits for what becomes of it.
    .bind(is_public(outgoing).then_some(0))
    .execute(&mut *connection)
    .await?;
    Ok(())
}

pub(super) fn to_json<T: serde::Serialize>(value: &T, what: &str) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unreadable { what: what.to_owned(), why: error.to_string() })
}

/// What one row holds; if that cannot be understood, the log says so, and everything else goes on.
pub(super) fn readable<T>(row: Result<T, StoreError>) -> Option<T> {
    row.inspect_err(|error| tracing::error!(error = %error.text(), "left out")).ok()
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable { what: what.to_owned(), why: error.to_string() })
}
