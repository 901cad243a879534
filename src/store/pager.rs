//! What is known of a pager's own incidents: which of our keys they stand for, and what is still to be asked.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError, commit::from_json, outbox};
use crate::domain::{incident::Incident, name::Name, policy::Priority};

/// Most calls of one receiver that wait for an answer.
const CALLS_MAX: i64 = 1_000;
/// That an incident is not ours is believed for so long.
const STRANGER_FOR: TimeDelta = TimeDelta::minutes(10);

/// A page that a pager has accepted, of an incident that is not over: the newest of its incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Our incident.
    pub incident: String,
    /// The key it was sent under.
    pub dedup_key: String,
    /// How urgent it was.
    pub priority: Priority,
}

/// A call whose key is still to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCall {
    /// The pager's name for the event.
    pub event: String,
    /// What it said.
    pub document: String,
    /// How often it was asked.
    pub attempts: u32,
    /// Since when it is kept.
    pub kept_at: DateTime<Utc>,
}

/// `key/2` → `key`, 2.
fn taken_apart(dedup_key: &str) -> Option<(&str, u32)> {
    match dedup_key.split_once('/') {
        None => Some((dedup_key, 1)),
        Some((key, number)) => Some((key, number.parse().ok().filter(|number| *number > 1)?)),
    }
}

impl Store {
    /// The incident that a key was made for, and which opening of it.
    pub async fn incident_of_key(&self, dedup_key: &str) -> Result<Option<(Incident, u32)>, StoreError> {
        let Some((key, opening)) = taken_apart(dedup_key) else { return Ok(None) };
        let row =
            sqlx::query("select document from incidents where key = ?").bind(key).fetch_optional(&self.readers).await?;
        let incident = row.map(|row| from_json::<Incident>(row.get("document"), "an incident")).transpose()?;
        Ok(incident.filter(|incident| opening <= incident.opening).map(|incident| (incident, opening)))
    }

    /// Our keys that a pager's incident stands for.
    pub async fn keys_of_pager_incident(&self, pager_id: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "select distinct dedup_key from pager_incidents where pager_id = ? and dedup_key != '' order by 1 limit 50",
        )
        .bind(pager_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(|row| row.get("dedup_key")).collect())
    }

    /// Whether it was seen just now that a pager's incident is not ours.
    pub async fn is_stranger(&self, pager_id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let row =
            sqlx::query("select 1 from pager_incidents where pager_id = ? and dedup_key = '' and seen_at > ? limit 1")
                .bind(pager_id)
                .bind((now - STRANGER_FOR).timestamp_millis())
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.is_some())
    }

    /// A pager's incidents that stand for a key, each with the priority that was set there.
    pub async fn pager_incidents_of(
        &self,
        receiver: &Name,
        dedup_key: &str,
    ) -> Result<Vec<(String, Option<Priority>)>, StoreError> {
        let rows = sqlx::query("select pager_id, priority from pager_incidents where receiver = ? and dedup_key = ?")
            .bind(receiver.as_str())
            .bind(dedup_key)
            .fetch_all(&self.readers)
            .await?;
        let priority =
            |row: &sqlx::sqlite::SqliteRow| row.get::<Option<&str>, _>("priority").and_then(outbox::priority);
        Ok(rows.iter().map(|row| (row.get("pager_id"), priority(row))).collect())
    }

    /// Notes that a pager's incident stands for a key; an empty one says that it is not ours.
    pub async fn link_pager_incident(
        &self,
        receiver: &Name,
        pager_id: &str,
        dedup_key: &str,
        priority: Option<Priority>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (receiver, pager_id, dedup_key) = (receiver.clone(), pager_id.to_owned(), dedup_key.to_owned());
        self.writer
            .write(move |connection| {
                let (receiver, pager_id, dedup_key) = (receiver.clone(), pager_id.clone(), dedup_key.clone());
                Box::pin(async move { link(connection, &receiver, &pager_id, &dedup_key, priority, now).await })
            })
            .await
    }

    /// The newest accepted page of each incident that is not over, the most urgent first.
    pub async fn open_pages(&self, receiver: &Name) -> Result<Vec<Page>, StoreError> {
        let rows = sqlx::query(
            "select d.incident, d.dedup_key, d.priority, max(d.id) from deliveries d join incidents i on i.id = d.incident \
             where i.live = 1 and i.state != 'resolved' and d.receiver = ? and d.event = 'trigger' and d.state = 'sent' \
             group by d.incident order by d.priority, d.id",
        )
        .bind(receiver.as_str())
        .fetch_all(&self.readers)
        .await?;
        let page = |row: &sqlx::sqlite::SqliteRow| {
            let priority = outbox::priority(row.get("priority"))?;
            Some(Page { incident: row.get("incident"), dedup_key: row.get("dedup_key"), priority })
        };
        Ok(rows.iter().filter_map(page).collect())
    }

    /// Keeps a call until its key is known. False if too many wait already. One that is kept is not kept twice.
    pub async fn keep_call(
        &self,
        receiver: &Name,
        event: &str,
        document: String,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (receiver, event) = (receiver.clone(), event.to_owned());
        self.writer
            .write(move |connection| {
                let (receiver, event, document) = (receiver.clone(), event.clone(), document.clone());
                Box::pin(async move {
                    let done = sqlx::query(
                        "insert into pager_calls (receiver, event, document, kept_at, next_at) select ?1, ?2, ?3, ?4, ?4 \
                         where (select count(*) from pager_calls where receiver = ?1) < ?5 \
                         on conflict do update set next_at = excluded.next_at",
                    )
                    .bind(receiver.as_str())
                    .bind(event)
                    .bind(document)
                    .bind(now.timestamp_millis())
                    .bind(CALLS_MAX)
                    .execute(&mut *connection)
                    .await?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }

    /// Kept calls that are due, in the order in which they came.
    pub async fn due_calls(
        &self,
        receiver: &Name,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<KeptCall>, StoreError> {
        let rows = sqlx::query(
            "select event, document, attempts, kept_at from pager_calls where receiver = ? and next_at <= ? \
             order by kept_at, event limit ?",
        )
        .bind(receiver.as_str())
        .bind(now.timestamp_millis())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let call = |row: &sqlx::sqlite::SqliteRow| KeptCall {
            event: row.get("event"),
            document: row.get("document"),
            attempts: row.get("attempts"),
            kept_at: DateTime::from_timestamp_millis(row.get("kept_at")).unwrap_or_default(),
        };
        Ok(rows.iter().map(call).collect())
    }

    /// Ends a kept call, or puts it off.
    pub async fn finish_call(
        &self,
        receiver: &Name,
        event: &str,
        again: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let (receiver, event) = (receiver.clone(), event.to_owned());
        self.writer
            .write(move |connection| {
                let (receiver, event) = (receiver.clone(), event.clone());
                Box::pin(async move {
                    let statement = match again {
                        Some(_) => {
                            "update pager_calls set attempts = attempts + 1, next_at = ?3 where receiver = ?1 and event = ?2"
                        }
                        None => "delete from pager_calls where receiver = ?1 and event = ?2 and ?3 is null",
                    };
                    sqlx::query(statement)
                        .bind(receiver.as_str())
                        .bind(event)
                        .bind(again.map(|at| at.timestamp_millis()))
                        .execute(&mut *connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn link(
    connection: &mut SqliteConnection,
    receiver: &Name,
    pager_id: &str,
    dedup_key: &str,
    priority: Option<Priority>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // What is not ours is believed for a while only, and then forgotten.
    sqlx::query("delete from pager_incidents where dedup_key = '' and (seen_at < ?1 or pager_id = ?2)")
        .bind((now - STRANGER_FOR).timestamp_millis())
        .bind(pager_id)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into pager_incidents (receiver, pager_id, dedup_key, priority, seen_at) values (?, ?, ?, ?, ?) \
         on conflict do update set seen_at = excluded.seen_at, priority = coalesce(excluded.priority, priority)",
    )
    .bind(receiver.as_str())
    .bind(pager_id)
    .bind(dedup_key)
    .bind(priority.map(Priority::as_str))
    .bind(now.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart() {
        for (dedup_key, expected) in [
            ("k", Some(("k", 1))),
            ("k/2", Some(("k", 2))),
            ("k/17", Some(("k", 17))),
            ("k/1", None),
            ("k/0", None),
            ("k/", None),
            ("k/2/3", None),
            ("k/-2", None),
            ("k/99999999999", None),
        ] {
            assert_eq!(taken_apart(dedup_key), expected, "{dedup_key}");
        }
    }
}
