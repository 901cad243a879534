//! What a receiver was last told of each incident, for those that must be told again while it lasts.

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::{Store, StoreError, commit::from_json};
use crate::domain::{
    name::Name,
    notification::{Message, Notification},
};

/// The newest message of an incident that a receiver took.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What it said.
    pub notification: Notification,
    /// What the receiver answered.
    pub receipt: String,
    /// When.
    pub sent_at: DateTime<Utc>,
    /// Whether the incident is over.
    pub is_over: bool,
}

impl Store {
    /// What `receiver` was last told of incidents that are open, or were resolved after `since`. At most `limit`.
    pub async fn standing(
        &self,
        receiver: &Name,
        since: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Standing>, StoreError> {
        let rows = sqlx::query(
            "select d.message, d.receipt, d.sent_at, i.state from incidents i join deliveries d on d.incident = i.id \
             where (i.live = 1 or i.resolved_at > ?2) and d.receiver = ?1 and d.id = ( \
               select max(e.id) from deliveries e where e.incident = i.id and e.receiver = ?1 and e.state = 'sent' \
               and e.receipt is not null) order by d.id limit ?3",
        )
        .bind(receiver.as_str())
        .bind(since.timestamp_millis())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let mut standing = Vec::new();
        for row in rows {
            if let Message::Notification(notification) = from_json(row.get("message"), "a message")? {
                standing.push(Standing {
                    notification: *notification,
                    receipt: row.get("receipt"),
                    sent_at: DateTime::from_timestamp_millis(row.get("sent_at")).unwrap_or_default(),
                    is_over: row.get::<&str, _>("state") == "resolved",
                });
            }
        }
        Ok(standing)
    }
}
