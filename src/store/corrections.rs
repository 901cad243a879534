//! Budget corrections: rows that are only ever added.

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError};
use crate::domain::correction::Correction;

impl Store {
    /// A series' corrections of times from `from` on, in the order they were made.
    pub async fn corrections(&self, series: i64, from: DateTime<Utc>) -> Result<Vec<Correction>, StoreError> {
        let rows = sqlx::query(
            "select at, bad, total, reason, made_by, made_at from corrections where series = ? and at >= ? order by id",
        )
        .bind(series)
        .bind(from.timestamp_millis())
        .fetch_all(&self.readers)
        .await?;
        let time = |millis| DateTime::from_timestamp_millis(millis).unwrap_or_default();
        Ok(rows
            .iter()
            .map(|row| Correction {
                at: time(row.get("at")),
                bad: row.get("bad"),
                total: row.get("total"),
                reason: row.get("reason"),
                by: row.get("made_by"),
                made_at: time(row.get("made_at")),
            })
            .collect())
    }
}

pub(super) async fn write(connection: &mut SqliteConnection, series: i64, made: &Correction) -> Result<(), StoreError> {
    sqlx::query(
        "insert into corrections (series, at, bad, total, reason, made_by, made_at) values (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(series)
    .bind(made.at.timestamp_millis())
    .bind(made.bad)
    .bind(made.total)
    .bind(&made.reason)
    .bind(&made.by)
    .bind(made.made_at.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}
