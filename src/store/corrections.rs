//! Budget corrections: rows that are only ever added.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

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
        Ok(rows.iter().map(correction).collect())
    }

    /// The corrections of all series, in the order they were made.
    pub async fn all_corrections(&self) -> Result<HashMap<i64, Vec<Correction>>, StoreError> {
        let rows = sqlx::query("select series, at, bad, total, reason, made_by, made_at from corrections order by id")
            .fetch_all(&self.readers)
            .await?;
        let mut found: HashMap<i64, Vec<Correction>> = HashMap::new();
        for row in rows {
            found.entry(row.get("series")).or_default().push(correction(&row));
        }
        Ok(found)
    }
}

fn correction(row: &SqliteRow) -> Correction {
    let time = |millis| DateTime::from_timestamp_millis(millis).unwrap_or_default();
    Correction {
        at: time(row.get("at")),
        bad: row.get("bad"),
        total: row.get("total"),
        reason: row.get("reason"),
        by: row.get("made_by"),
        made_at: time(row.get("made_at")),
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
