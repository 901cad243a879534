//! A sign of life, so that a daemon that comes back knows how long it was away.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Row, SqliteConnection};

use super::{
    Store, StoreError,
    postings::{Posting, queue},
};

/// A time without a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// When it was last seen alive.
    pub from: DateTime<Utc>,
    /// When it was back.
    pub to: DateTime<Utc>,
}

impl Store {
    /// The daemon begins. Answers since when it was away, if that is at least `least`, or if nobody has been told of an earlier
    /// such time yet: then the two are one.
    pub async fn come_alive(&self, now: DateTime<Utc>, least: TimeDelta) -> Result<Option<Away>, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let row = sqlx::query("select seen_at, away_from, away_to from life").fetch_optional(&mut *connection).await?;
                    let now = now.timestamp_millis();
                    let (mut from, mut to) = (None, None);
                    if let Some(row) = row {
                        let seen: i64 = row.get("seen_at");
                        (from, to) = (row.get::<Option<i64>, _>("away_from"), row.get::<Option<i64>, _>("away_to"));
                        if now - seen >= least.num_milliseconds() {
                            // A clock that was ahead then does not make it end before it began.
                            (from, to) = (Some(from.unwrap_or(seen).min(now)), Some(now));
                        }
                    }
                    sqlx::query(
                        "insert into life (id, seen_at, away_from, away_to) values (1, ?, ?, ?) on conflict (id) do update set \
                         seen_at = excluded.seen_at, away_from = excluded.away_from, away_to = excluded.away_to",
                    )
                    .bind(now)
                    .bind(from)
                    .bind(to)
                    .execute(&mut *connection)
                    .await?;
                    let time = |millis: Option<i64>| millis.and_then(DateTime::from_timestamp_millis);
                    Ok(time(from).zip(time(to)).map(|(from, to)| Away { from, to }))
                })
            })
            .await
    }

    /// The daemon is alive.
    pub async fn live_on(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("update life set seen_at = ?").bind(now.timestamp_millis()).execute(connection).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Queues what is said of the time away, and forgets it.
    pub async fn tell_of_return(&self, postings: Vec<Posting>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let postings = Arc::new(postings);
        self.writer
            .write(move |connection| {
                let postings = postings.clone();
                Box::pin(async move { tell(connection, &postings, now).await })
            })
            .await
    }
}

/// Once: whoever comes second finds the time away forgotten.
async fn tell(connection: &mut SqliteConnection, postings: &[Posting], now: DateTime<Utc>) -> Result<(), StoreError> {
    let forgotten = sqlx::query("update life set away_from = null, away_to = null where away_from is not null");
    if forgotten.execute(&mut *connection).await?.rows_affected() > 0 {
        queue(connection, postings, now).await?;
    }
    Ok(())
}
