//! The outbox: lease, send, finish.
//!
//! A lease covers only the oldest unfinished delivery of an incident for a receiver: a resolve never overtakes its
//! trigger. A lease that runs out, or whose holder was killed, is leased again, never counted as failed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    Store, StoreError,
    attempts::{self, Attempt},
    commit::{from_json, to_json},
    leasing::{FIRST_OF_INCIDENT, PENDING, Urgency, take},
};
use crate::{
    domain::{
        delivery::Next,
        name::Name,
        notification::{Event, Message},
        policy::Priority,
    },
    failpoint::{Point, reach},
};

/// One delivery that is ours to send until the lease runs out.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Row.
    pub id: i64,
    /// Of which incident; none for tests, reports, reminders.
    pub incident: Option<String>,
    /// What to say.
    pub message: Message,
    /// The receipt of the newest accepted message of this incident to this receiver.
    pub thread: Option<String>,
    /// This attempt, from 1.
    pub attempt: u32,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
}

/// A row as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// Row.
    pub id: i64,
    /// Of which incident.
    pub incident: Option<String>,
    /// To whom.
    pub receiver: Name,
    /// trigger, …
    pub event: String,
    /// How urgent.
    pub priority: Priority,
    /// queued, sending, retry, sent, dead, dropped; joined while its digest is on its way.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the newest attempt failed.
    pub last_error: Option<String>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub sent_at: Option<DateTime<Utc>>,
    /// The receiver's name for it.
    pub receipt: Option<String>,
}

/// What one receiver's queue looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// To whom.
    pub receiver: Name,
    /// Not yet accepted.
    pub pending: u64,
    /// Given up, with an error, and still kept.
    pub dead: u64,
    /// Joined into digests, so far.
    pub joined: u64,
    /// The newest accepted one.
    pub last_sent: Option<DateTime<Utc>>,
    /// The newest error of one that is waiting or dead, with the time it was decided.
    pub last_failure: Option<(DateTime<Utc>, String)>,
}

const COLUMNS: &str = "id, incident, receiver, event, priority, attempts, last_error, decided_at, next_at, sent_at, receipt, \
     case when state = 'dropped' and digest is not null then 'joined' else state end as state";

impl Store {
    /// Leases up to `limit` deliveries of `receiver` that are due, the most urgent first, at most one an incident.
    pub async fn lease(
        &self,
        receiver: &Name,
        now: DateTime<Utc>,
        seconds: i64,
        limit: u32,
    ) -> Result<Vec<Lease>, StoreError> {
        let receiver = receiver.clone();
        self.writer
            .write(move |connection| {
                let receiver = receiver.clone();
                Box::pin(async move { take(connection, &receiver, now, seconds, limit, Urgency::Any).await })
            })
            .await
    }

    /// Ends a lease: what became of the attempt, which is put on record.
    pub async fn finish(&self, id: i64, next: Next, attempt: Attempt) -> Result<(), StoreError> {
        let now = attempt.ended_at;
        let (state, next_at, sent_at) = match next {
            Next::Sent => ("sent", now, Some(now)),
            Next::RetryAt(at) => ("retry", at, None),
            Next::Dead => ("dead", now, None),
            Next::TakenOver => ("dropped", now, None),
        };
        // What a person has taken over is no page that was missed: no fallback hears of it.
        let is_settled = i64::from(next == Next::TakenOver);
        self.writer
            .write(move |connection| {
                let attempt = attempt.clone();
                Box::pin(async move {
                    sqlx::query(
                        "update deliveries set state = ?, next_at = ?, sent_at = ?, lease_until = null, \
                         receipt = coalesce(?, receipt), last_error = ?, \
                         fallback_told = max(fallback_told, ?) where id = ? and state = 'sending'",
                    )
                    .bind(state)
                    .bind(next_at.timestamp_millis())
                    .bind(sent_at.map(|at| at.timestamp_millis()))
                    .bind(&attempt.receipt)
                    .bind(&attempt.error)
                    .bind(is_settled)
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
                    attempts::write(connection, id, &attempt).await?;
                    super::joining::conclude(connection, id, state, attempt.error.clone(), attempt.ended_at).await?;
                    reach(Point::FinishMarked);
                    Ok(())
                })
            })
            .await
    }

    /// When the receiver's next delivery can be leased. None if nothing waits. What stands behind another message of
    /// its incident waits for that one.
    pub async fn next_due(&self, receiver: &Name) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.next_due_of(receiver, Urgency::Any).await
    }

    /// The same, of some messages only.
    pub async fn next_due_of(&self, receiver: &Name, urgency: Urgency) -> Result<Option<DateTime<Utc>>, StoreError> {
        let which = urgency.condition();
        let query = format!(
            "select min(max(d.next_at, coalesce(d.lease_until, 0))) as due from deliveries d \
             where {which} and {FIRST_OF_INCIDENT}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(query)).bind(receiver.as_str()).fetch_one(&self.readers).await?;
        Ok(row.get::<Option<i64>, _>("due").and_then(DateTime::from_timestamp_millis))
    }

    /// Puts a test message into the outbox. Answers its row.
    pub async fn enqueue_test(&self, receiver: Name, message: Message, now: DateTime<Utc>) -> Result<i64, StoreError> {
        let message = to_json(&message, "a message")?;
        self.writer
            .write(move |connection| {
                let (receiver, message) = (receiver.clone(), message.clone());
                Box::pin(async move {
                    let row = sqlx::query(
                        "insert into deliveries (receiver, event, priority, state, dedup_key, message, decided_at, next_at) \
                         values (?, 'test', 'P5', 'queued', 'test', ?, ?, ?) returning id",
                    )
                    .bind(receiver.as_str())
                    .bind(message)
                    .bind(now.timestamp_millis())
                    .bind(now.timestamp_millis())
                    .fetch_one(&mut *connection)
                    .await?;
                    Ok(row.get("id"))
                })
            })
            .await
    }

    /// Lets a waiting or dead delivery be tried again at once. False if there is none in such a state, or if its resolve
    /// has gone out already: it would open something that nobody closes.
    pub async fn retry_now(&self, id: i64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "update deliveries as d set state = 'retry', next_at = ?, \
                         page_told = case when page_told is not null then 0 end where id = ? \
                         and state in ('queued', 'retry', 'dead') and not exists ( \
                           select 1 from deliveries r where r.incident = d.incident and r.receiver = d.receiver \
                           and r.dedup_key = d.dedup_key and r.event = 'resolve' and r.id > d.id \
                           and r.state not in ('queued', 'retry'))",
                    )
                    .bind(now.timestamp_millis())
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
                    Ok(done.rows_affected() == 1)
                })
            })
            .await
    }

    /// Gives up what waits for receivers that are no longer configured. Answers how many there were.
    pub async fn bury_orphans(&self, known: Vec<Name>) -> Result<u64, StoreError> {
        let known = to_json(&known, "names of receivers")?;
        let query = format!(
            "update deliveries set state = 'dead', lease_until = null, last_error = 'the receiver is no longer configured' \
             where {PENDING} and receiver not in (select value from json_each(?))"
        );
        self.writer
            .write(move |connection| {
                let (known, query) = (known.clone(), query.clone());
                Box::pin(async move {
                    let done = sqlx::query(sqlx::AssertSqlSafe(query)).bind(known).execute(&mut *connection).await?;
                    Ok(done.rows_affected())
                })
            })
            .await
    }

    /// Deliveries whose fallback has not been told although they are dead, or were missed, or are pages that still wait and
    /// were decided before `patience` of their receiver; those of other receivers may wait. The oldest `limit` of them:
    /// whoever asks is done with each, so that none stands in the way of another.
    pub async fn undelivered(
        &self,
        patience: &BTreeMap<Name, DateTime<Utc>>,
        limit: i64,
    ) -> Result<Vec<StoredDelivery>, StoreError> {
        let patience: BTreeMap<&str, i64> =
            patience.iter().map(|(name, since)| (name.as_str(), since.timestamp_millis())).collect();
        let waited = "exists (select 1 from json_each(?1) p where p.key = deliveries.receiver and deliveries.decided_at <= p.value)";
        let query = format!(
            "select {COLUMNS} from deliveries where id in ( \
               select id from (select id from deliveries where fallback_told = 0 and state = 'dead' order by id limit ?2) \
               union all select id from (select id from deliveries where fallback_told = 0 and state = 'dropped' \
                 and last_error is not null and page_told is null order by id limit ?2) \
               union all select id from (select id from deliveries where fallback_told = 0 and {PENDING} \
                 and event = 'trigger' and priority in ('P1', 'P2') and {waited} order by id limit ?2) \
               union all select id from (select id from deliveries where fallback_told = 0 and state = 'dropped' \
                 and digest is not null and event = 'trigger' and priority in ('P1', 'P2') and {waited} order by id limit ?2)) \
             order by id limit ?2"
        );
        self.rows(query, Some(to_json(&patience, "names of receivers")?), limit).await
    }

    /// Deliveries, the newest first, of one state if given.
    pub async fn deliveries(&self, state: Option<&str>, limit: i64) -> Result<Vec<StoredDelivery>, StoreError> {
        let query = match state {
            Some(_) => format!("select {COLUMNS} from deliveries where state = ?1 order by id desc limit ?2"),
            None => format!("select {COLUMNS} from deliveries where ?1 is null order by id desc limit ?2"),
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).bind(state).bind(limit).fetch_all(&self.readers).await?;
        Ok(rows.iter().filter_map(stored).collect())
    }

    /// One delivery.
    pub async fn delivery(&self, id: i64) -> Result<Option<StoredDelivery>, StoreError> {
        let query = format!("select {COLUMNS} from deliveries where id = ? limit ?");
        Ok(self.rows(query, Some(id.to_string()), 1).await?.into_iter().next())
    }

    /// What a delivery says, and what is sent in order with it.
    pub async fn message(&self, id: i64) -> Result<Option<(String, Message)>, StoreError> {
        let row = sqlx::query("select dedup_key, message from deliveries where id = ?").bind(id);
        let Some(row) = row.fetch_optional(&self.readers).await? else { return Ok(None) };
        Ok(Some((row.get("dedup_key"), from_json(row.get("message"), "a message")?)))
    }

    /// An incident's deliveries, in order.
    pub async fn deliveries_of(&self, incident: &str) -> Result<Vec<StoredDelivery>, StoreError> {
        let query = format!("select {COLUMNS} from deliveries where incident = ? order by id limit ?");
        self.rows(query, Some(incident.to_owned()), 10_000).await
    }

    async fn rows(&self, query: String, first: Option<String>, limit: i64) -> Result<Vec<StoredDelivery>, StoreError> {
        let mut statement = sqlx::query(sqlx::AssertSqlSafe(query));
        if let Some(first) = first {
            statement = statement.bind(first);
        }
        let rows = statement.bind(limit).fetch_all(&self.readers).await?;
        Ok(rows.iter().filter_map(stored).collect())
    }

    /// How each receiver's queue stands.
    pub async fn queues(&self) -> Result<Vec<QueueState>, StoreError> {
        let query = format!(
            "select receiver, sum(pending) as pending, sum(dead) as dead, sum(joined) as joined, max(sent) as sent, max(failed) as failed from ( \
               select receiver, count(*) as pending, 0 as dead, 0 as joined, null as sent, null as failed from deliveries \
                 where {PENDING} group by receiver \
               union all select receiver, 0, count(*), 0, null, null from deliveries \
                 where last_error is not null and state != 'sent' and state = 'dead' group by receiver \
               union all select receiver, 0, 0, count(*), null, null from deliveries where digest is not null group by receiver \
               union all select receiver, 0, 0, 0, max(sent_at), null from deliveries where state = 'sent' group by receiver \
               union all select receiver, 0, 0, 0, null, max(id) from deliveries \
                 where last_error is not null and state != 'sent' group by receiver) group by receiver"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.readers).await?;
        let mut queues = Vec::new();
        for row in rows {
            let failed = match row.get::<Option<i64>, _>("failed") {
                Some(id) => self.delivery(id).await?,
                None => None,
            };
            queues.push(QueueState {
                receiver: Name::from(row.get::<&str, _>("receiver")),
                pending: row.get::<i64, _>("pending") as u64,
                dead: row.get::<i64, _>("dead") as u64,
                joined: row.get::<i64, _>("joined") as u64,
                last_sent: row.get::<Option<i64>, _>("sent").and_then(DateTime::from_timestamp_millis),
                last_failure: failed.and_then(|row| Some((row.decided_at, row.last_error?))),
            });
        }
        Ok(queues)
    }
}

/// Ends the leases of a daemon that is no more: whoever opens the file holds its lock, so nobody else is sending. A
/// page that was on its way when the daemon was killed is sent again at once, not when its lease would have run out.
pub(super) async fn release_leases(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("update deliveries set state = 'retry', lease_until = null where state = 'sending'")
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) fn priority(word: &str) -> Option<Priority> {
    Priority::ALL.into_iter().find(|priority| priority.as_str() == word)
}

/// The event a stored word stands for.
pub fn event(word: &str) -> Option<Event> {
    [Event::Trigger, Event::Acknowledge, Event::Resolve, Event::Update, Event::Digest, Event::Test]
        .into_iter()
        .find(|event| event.as_str() == word)
}

fn stored(row: &SqliteRow) -> Option<StoredDelivery> {
    let time = |column| row.get::<Option<i64>, _>(column).and_then(DateTime::from_timestamp_millis);
    let state: String = row.get("state");
    Some(StoredDelivery {
        id: row.get("id"),
        incident: row.get("incident"),
        receiver: Name::from(row.get::<&str, _>("receiver")),
        event: row.get("event"),
        priority: priority(row.get("priority"))?,
        attempts: row.get("attempts"),
        last_error: row.get("last_error"),
        decided_at: time("decided_at")?,
        next_at: time("next_at").filter(|_| matches!(state.as_str(), "queued" | "retry")),
        sent_at: time("sent_at"),
        receipt: row.get("receipt"),
        state,
    })
}
