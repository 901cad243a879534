//! What runs on crontabs: up to when each entry has been looked after, and every time that it ran.
//!
//! A time that ran is a row, written in one transaction with its messages: killed before it, nothing has happened; after it,
//! all has. Whoever tries the same time again (a daemon that was restarted, a clock that was set back) finds the row.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::{
    Store, StoreError,
    postings::{Posting, queue},
};

/// An entry of the agenda.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `report/monthly`.
    pub name: String,
    /// Its crontab and zone: other ones begin anew.
    pub schedule: String,
}

/// One time of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// `report/monthly`.
    pub entry: String,
    /// When it was due.
    pub at: DateTime<Utc>,
    /// How many before it were missed.
    pub missed: usize,
}

impl Store {
    /// Puts these entries on the agenda, and takes all others off it. Answers up to when each has been looked after: a new
    /// one, one with another crontab, and one that a clock ahead had looked after, up to `now`.
    pub async fn enrol_agenda(
        &self,
        entries: Vec<Entry>,
        now: DateTime<Utc>,
    ) -> Result<BTreeMap<String, DateTime<Utc>>, StoreError> {
        let entries = Arc::new(entries);
        self.writer
            .write(move |connection| {
                let entries = entries.clone();
                Box::pin(async move {
                    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
                    sqlx::query("delete from agenda where entry not in (select value from json_each(?))")
                        .bind(super::commit::to_json(&names, "names of entries")?)
                        .execute(&mut *connection)
                        .await?;
                    for entry in entries.iter() {
                        sqlx::query(
                            "insert into agenda (entry, schedule, since) values (?, ?, ?) on conflict (entry) do update set \
                             since = iif(schedule = excluded.schedule, min(since, excluded.since), excluded.since), \
                             schedule = excluded.schedule",
                        )
                        .bind(&entry.name)
                        .bind(&entry.schedule)
                        .bind(now.timestamp_millis())
                        .execute(&mut *connection)
                        .await?;
                    }
                    let rows = sqlx::query("select entry, since from agenda").fetch_all(&mut *connection).await?;
                    Ok(rows.iter().map(|row| (row.get("entry"), time(row.get("since")))).collect())
                })
            })
            .await
    }

    /// Writes that an entry ran, together with its messages. False, and nothing is written, if it ran at that time before.
    pub async fn keep_occurrence(
        &self,
        occurrence: Occurrence,
        postings: Vec<Posting>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let work = Arc::new((occurrence, postings));
        self.writer
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (occurrence, postings) = &*work;
                    let kept = sqlx::query(
                        "insert into occurrences (entry, at, made_at, missed) values (?, ?, ?, ?) on conflict do nothing",
                    )
                    .bind(&occurrence.entry)
                    .bind(occurrence.at.timestamp_millis())
                    .bind(now.timestamp_millis())
                    .bind(i64::try_from(occurrence.missed).unwrap_or(i64::MAX))
                    .execute(&mut *connection)
                    .await?;
                    sqlx::query("update agenda set since = ? where entry = ?")
                        .bind(occurrence.at.timestamp_millis())
                        .bind(&occurrence.entry)
                        .execute(&mut *connection)
                        .await?;
                    if kept.rows_affected() == 0 {
                        return Ok(false);
                    }
                    queue(connection, postings, now).await?;
                    Ok(true)
                })
            })
            .await
    }

    /// The newest time that each entry ran, by when it was done.
    pub async fn newest_occurrences(&self) -> Result<Vec<Occurrence>, StoreError> {
        let rows = sqlx::query("select entry, at, missed, max(made_at) from occurrences group by entry")
            .fetch_all(&self.readers)
            .await?;
        let occurrence = |row: &sqlx::sqlite::SqliteRow| Occurrence {
            entry: row.get("entry"),
            at: time(row.get("at")),
            missed: usize::try_from(row.get::<i64, _>("missed")).unwrap_or_default(),
        };
        Ok(rows.iter().map(occurrence).collect())
    }
}

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
