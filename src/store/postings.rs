//! Messages that are about no incident, on their way into the outbox.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::{StoreError, commit::to_json};
use crate::domain::{
    name::Name,
    notification::{Event, Message},
};

/// One message to one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Posting {
    /// To whom.
    pub receiver: Name,
    /// What it means.
    pub event: Event,
    /// What is sent in order: those with the same key, to the same receiver.
    pub key: String,
    /// The words.
    pub message: Message,
}

/// Queues them in the transaction that is under way.
pub(super) async fn queue(
    connection: &mut SqliteConnection,
    postings: &[Posting],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for posting in postings {
        sqlx::query(
            "insert into deliveries (receiver, event, priority, state, dedup_key, message, decided_at, next_at) \
             values (?, ?, 'P5', 'queued', ?, ?, ?, ?)",
        )
        .bind(posting.receiver.as_str())
        .bind(posting.event.as_str())
        .bind(&posting.key)
        .bind(to_json(&posting.message, "a message")?)
        .bind(now.timestamp_millis())
        .bind(now.timestamp_millis())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
