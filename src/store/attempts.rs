//! Attempts to deliver messages: the proof of what was sent, when, and what was answered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError};
use crate::domain::delivery::Next;

/// Of a delivery's attempts the first and the last so many are kept.
const FIRST_KEPT: i64 = 10;
const LAST_KEPT: i64 = 40;
/// Most characters of an error or a receipt.
const TEXT_MAX: usize = 2_000;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: DateTime<Utc>,
    /// accepted, retry, dead, taken-over.
    pub outcome: String,
    /// When it was to be tried again.
    pub next_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// The receiver's name for it.
    pub receipt: Option<String>,
}

impl Attempt {
    /// One that has just ended.
    pub fn new(number: u32, started_at: DateTime<Utc>, ended_at: DateTime<Utc>, next: &Next) -> Self {
        let (outcome, next_at) = match next {
            Next::Sent => ("accepted", None),
            Next::RetryAt(at) => ("retry", Some(*at)),
            Next::Dead => ("dead", None),
            Next::TakenOver => ("taken-over", None),
        };
        Self { number, started_at, ended_at, outcome: outcome.to_owned(), next_at, error: None, receipt: None }
    }
}

impl Store {
    /// The attempts of an incident's deliveries, each with its delivery's row, in order.
    pub async fn attempts_of(&self, incident: &str) -> Result<Vec<(i64, Attempt)>, StoreError> {
        let rows = sqlx::query(
            "select delivery, number, started_at, ended_at, outcome, next_at, error, receipt from attempts \
             where delivery in (select id from deliveries where incident = ? order by id limit 10000) \
             order by delivery, number",
        )
        .bind(incident)
        .fetch_all(&self.readers)
        .await?;
        let time = |millis| DateTime::from_timestamp_millis(millis).unwrap_or_default();
        let attempt = |row: &sqlx::sqlite::SqliteRow| Attempt {
            number: row.get("number"),
            started_at: time(row.get("started_at")),
            ended_at: time(row.get("ended_at")),
            outcome: row.get("outcome"),
            next_at: row.get::<Option<i64>, _>("next_at").map(time),
            error: row.get("error"),
            receipt: row.get("receipt"),
        };
        Ok(rows.iter().map(|row| (row.get("delivery"), attempt(row))).collect())
    }

    /// Why the receivers of an incident's messages were told, by row, and whether that was decided late.
    pub async fn reasons_of(&self, incident: &str) -> Result<BTreeMap<i64, (Option<String>, bool)>, StoreError> {
        let rows = sqlx::query(
            "select id, coalesce(json_extract(message, '$.content.reason'), json_extract(message, '$.content.state')) \
             as reason, coalesce(json_extract(message, '$.content.late'), 0) as late \
             from deliveries where incident = ? order by id limit 10000",
        )
        .bind(incident)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(|row| (row.get("id"), (row.get("reason"), row.get::<i64, _>("late") != 0))).collect())
    }
}

/// Writes an attempt; of many, those in the middle go.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    delivery: i64,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let short = |text: &Option<String>| text.as_ref().map(|text| text.chars().take(TEXT_MAX).collect::<String>());
    sqlx::query(
        "insert into attempts (delivery, number, started_at, ended_at, outcome, next_at, error, receipt) \
         values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
    )
    .bind(delivery)
    .bind(attempt.number)
    .bind(attempt.started_at.timestamp_millis())
    .bind(attempt.ended_at.timestamp_millis())
    .bind(&attempt.outcome)
    .bind(attempt.next_at.map(|at| at.timestamp_millis()))
    .bind(short(&attempt.error))
    .bind(short(&attempt.receipt))
    .execute(&mut *connection)
    .await?;
    let last = i64::from(attempt.number) - LAST_KEPT;
    if last > FIRST_KEPT {
        sqlx::query("delete from attempts where delivery = ? and number > ? and number <= ?")
            .bind(delivery)
            .bind(FIRST_KEPT)
            .bind(last)
            .execute(connection)
            .await?;
    }
    Ok(())
}
