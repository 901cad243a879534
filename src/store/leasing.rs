//! Which deliveries may be sent now: due, not leased, and the oldest of their incident for the receiver.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{StoreError, commit::from_json, outbox::Lease};
use crate::{
    domain::{name::Name, notification::Message},
    failpoint::{Point, reach},
};

/// Nothing is ever put off for longer: what is due later still was written before the clock was set back.
pub(super) const FARTHEST: TimeDelta = TimeDelta::minutes(15);

pub(super) const PENDING: &str = "state in ('queued', 'sending', 'retry')";
/// Of a delivery `d` at the time `?2`, where `?5` is [`FARTHEST`] from it.
pub(super) const DUE: &str = "(d.next_at <= ?2 or d.next_at > ?5) \
     and (d.lease_until is null or d.lease_until <= ?2 or d.lease_until > ?5)";
/// Of a delivery `d` to receiver `?1`: it is pending, and none of its incident is waiting before it, by itself or in a
/// digest. What is about no incident (tests, digests, reports, reminders) waits for what has its own key, and for nothing else.
pub(super) const FIRST_OF_INCIDENT: &str = "d.id in (select min(e.id) from deliveries e where e.receiver = ?1 \
     and e.state in ('queued', 'sending', 'retry') \
     group by e.incident, case when e.incident is null then e.dedup_key end) \
     and not exists (select 1 from deliveries j where j.receiver = ?1 and j.incident is d.incident and j.id < d.id \
     and j.digest is not null and j.state = 'dropped')";

/// Which messages, by their urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// All.
    Any,
    /// P1 and P2.
    Pages,
    /// P3 to P5.
    Minor,
}

impl Urgency {
    /// For deliveries `d`.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Self::Any => "true",
            Self::Pages => "d.priority in ('P1', 'P2')",
            Self::Minor => "d.priority not in ('P1', 'P2')",
        }
    }
}

/// Leases up to `limit` deliveries of some urgency that are due, the most urgent first, at most one an incident.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    receiver: &Name,
    now: DateTime<Utc>,
    seconds: i64,
    limit: u32,
    urgency: Urgency,
) -> Result<Vec<Lease>, StoreError> {
    let which = urgency.condition();
    let query = format!(
        "update deliveries set state = 'sending', attempts = attempts + 1, lease_until = ?3 where id in ( \
           select d.id from deliveries d where {FIRST_OF_INCIDENT} and {which} and {DUE} order by d.priority, d.id limit ?4) \
         returning id, incident, message, attempts, decided_at, ( \
           select f.receipt from deliveries f where f.incident = deliveries.incident and f.receiver = ?1 \
           and f.state = 'sent' and f.receipt is not null order by f.id desc limit 1) as thread, ( \
           select i.resolved_at is not null from incidents i where i.id = deliveries.incident) as over"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(receiver.as_str())
        .bind(now.timestamp_millis())
        .bind((now + TimeDelta::seconds(seconds)).timestamp_millis())
        .bind(limit)
        .bind((now + FARTHEST).timestamp_millis())
        .fetch_all(&mut *connection)
        .await?;
    if !rows.is_empty() {
        reach(Point::LeaseMarked);
    }
    let mut leases = Vec::new();
    for row in &rows {
        match lease(row) {
            Ok(lease) => leases.push(lease),
            // It must not stand in the way of what is behind it; its fallback hears of it.
            Err(error) => give_up(connection, row.get("id"), &error).await?,
        }
    }
    Ok(leases)
}

async fn give_up(connection: &mut SqliteConnection, id: i64, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(delivery = id, error = %error.text(), "a message is given up");
    sqlx::query("update deliveries set state = 'dead', lease_until = null, last_error = ? where id = ?")
        .bind(error.text())
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

fn lease(row: &SqliteRow) -> Result<Lease, StoreError> {
    let mut message = from_json(row.get("message"), "a message")?;
    if let Message::StatusPost(post) = &mut message {
        post.over = row.get::<Option<bool>, _>("over").unwrap_or_default();
    }
    Ok(Lease {
        id: row.get("id"),
        incident: row.get("incident"),
        message,
        thread: row.get("thread"),
        attempt: row.get("attempts"),
        decided_at: DateTime::from_timestamp_millis(row.get("decided_at")).unwrap_or_default(),
    })
}
