//! Events of people's acts that came from outside: each is taken once.

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError};
use crate::domain::decide::{HeardEvents, Outgoing, SourceEvent};

impl Store {
    /// What live incidents have heard of.
    pub async fn heard_events(&self) -> Result<HeardEvents, StoreError> {
        let rows = sqlx::query(
            "select incident, source, event from source_events where incident in (select id from incidents where live = 1)",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut heard = HeardEvents::new();
        for row in rows {
            heard.entry(row.get("incident")).or_default().insert((row.get("source"), row.get("event")));
        }
        Ok(heard)
    }

    /// Whether any incident has heard of this event already.
    pub async fn has_heard(&self, source: &str, event: &str) -> Result<bool, StoreError> {
        let found = sqlx::query("select 1 from source_events where source = ? and event = ? limit 1")
            .bind(source)
            .bind(event)
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }
}

pub(super) async fn write(connection: &mut SqliteConnection, told: &SourceEvent) -> Result<(), StoreError> {
    sqlx::query(
        "insert into source_events (source, event, incident, what, made_by, at) values (?, ?, ?, ?, ?, ?) \
         on conflict do nothing",
    )
    .bind(&told.source)
    .bind(&told.event)
    .bind(&told.incident)
    .bind(told.what)
    .bind(&told.by)
    .bind(told.at.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// The receiver said itself that it is over. What waits for it is dropped, for it would open it again there; what is on
/// its way this very moment is followed by its resolve.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    outgoing: &Outgoing,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "update deliveries set state = 'dropped' where incident = ? and receiver = ? and dedup_key = ? \
         and state in ('queued', 'retry')",
    )
    .bind(&outgoing.incident)
    .bind(outgoing.receiver.as_str())
    .bind(&outgoing.dedup_key)
    .execute(&mut *connection)
    .await?;
    let flying = sqlx::query(
        "select 1 from deliveries where incident = ? and receiver = ? and dedup_key = ? \
         and state = 'sending' limit 1",
    )
    .bind(&outgoing.incident)
    .bind(outgoing.receiver.as_str())
    .bind(&outgoing.dedup_key)
    .fetch_optional(&mut *connection)
    .await?;
    if flying.is_some() {
        super::commit::insert(connection, outgoing, "queued", now).await?;
    }
    Ok(())
}
