//! A receiver that wants at most so many messages in a time: what is over that is joined into one digest, or waits.
//!
//! How many it got lately is counted from the rows themselves, and a message and the digest it goes into change in one
//! transaction: a restart neither forgets nor repeats anything.

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    Store, StoreError,
    commit::{from_json, to_json},
    leasing::{DUE, FARTHEST, FIRST_OF_INCIDENT, Urgency, take},
    outbox::Lease,
};
use crate::domain::{
    digest::{Rate, digest},
    name::Name,
    notification::{Event, Message, Notification},
};

/// Most messages of one digest.
const JOINED_MAX: i64 = 1_000;

/// What a receiver's rate lets through.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// To be sent.
    pub leases: Vec<Lease>,
    /// Messages that were joined into a digest just now.
    pub joined: u64,
    /// When the rate lets the next one through, if it holds something up.
    pub held_until: Option<DateTime<Utc>>,
}

/// What a lease is taken for.
#[derive(Clone, Debug)]
pub struct Turn {
    /// To whom.
    pub receiver: Name,
    /// The clock's time.
    pub now: DateTime<Utc>,
    /// How long the leases last, in seconds.
    pub seconds: i64,
    /// Most leases.
    pub room: u32,
    /// How many messages the receiver wants.
    pub rate: Rate,
}

impl Store {
    /// Leases what a conversation may be sent now. Of what is over the rate, everything that was never tried goes into
    /// one digest.
    pub async fn lease_joined(&self, turn: Turn) -> Result<Taken, StoreError> {
        self.writer
            .write(move |connection| {
                let turn = turn.clone();
                Box::pin(async move { join_and_take(connection, &turn).await })
            })
            .await
    }

    /// Leases what a pager may be sent now: P1 and P2 at once, whatever the rate; the others wait for their turn, and
    /// none is joined.
    pub async fn lease_paced(&self, turn: Turn) -> Result<Taken, StoreError> {
        self.writer
            .write(move |connection| {
                let turn = turn.clone();
                Box::pin(async move { pace_and_take(connection, &turn).await })
            })
            .await
    }
}

async fn join_and_take(connection: &mut SqliteConnection, turn: &Turn) -> Result<Taken, StoreError> {
    let Turn { receiver, now, seconds, room, rate } = turn;
    let mut taken = Taken::default();
    let (free, freed_at) = allowance(connection, turn, Urgency::Any).await?;
    let due = count_due(connection, turn, Urgency::Any).await?;
    if due <= free {
        taken.leases = take(connection, receiver, *now, *seconds, due.min(*room), Urgency::Any).await?;
        return Ok(taken);
    }
    let Some(one_by_one) = free.checked_sub(1) else {
        taken.held_until = Some(freed_at.unwrap_or(*now + rate.within));
        return Ok(taken);
    };
    taken.leases = take(connection, receiver, *now, *seconds, one_by_one.min(*room), Urgency::Any).await?;
    if taken.leases.len() < *room as usize {
        taken.joined = join(connection, turn).await?;
        taken.leases.extend(take(connection, receiver, *now, *seconds, 1, Urgency::Any).await?);
    }
    Ok(taken)
}

async fn pace_and_take(connection: &mut SqliteConnection, turn: &Turn) -> Result<Taken, StoreError> {
    let Turn { receiver, now, seconds, room, rate } = turn;
    let leases = take(connection, receiver, *now, *seconds, *room, Urgency::Pages).await?;
    let room = room.saturating_sub(u32::try_from(leases.len()).unwrap_or(u32::MAX));
    let mut taken = Taken { leases, ..Taken::default() };
    let (free, freed_at) = allowance(connection, turn, Urgency::Minor).await?;
    let due = count_due(connection, turn, Urgency::Minor).await?;
    if due > free {
        taken.held_until = Some(freed_at.unwrap_or(*now + rate.within));
    }
    let minor = take(connection, receiver, *now, *seconds, free.min(room), Urgency::Minor).await?;
    taken.leases.extend(minor);
    Ok(taken)
}

/// How many more messages the receiver wants now, and when it wants another.
async fn allowance(
    connection: &mut SqliteConnection,
    turn: &Turn,
    urgency: Urgency,
) -> Result<(u32, Option<DateTime<Utc>>), StoreError> {
    let which = urgency.condition();
    // What was sent "later than now" was sent before the clock was set back.
    let query = format!(
        "select sum(d.state = 'sending') as flying, sum(d.state = 'sent') as sent, min(d.sent_at) as first \
         from deliveries d where d.receiver = ?1 and {which} and (d.state = 'sending' \
         or d.state = 'sent' and d.digest is null and d.sent_at > ?2 and d.sent_at <= ?3)"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(turn.receiver.as_str())
        .bind((turn.now - turn.rate.within).timestamp_millis())
        .bind(turn.now.timestamp_millis())
        .fetch_one(connection)
        .await?;
    let number = |column| row.get::<Option<i64>, _>(column).unwrap_or_default();
    let used = u32::try_from(number("flying") + number("sent")).unwrap_or(u32::MAX);
    let first = row.get::<Option<i64>, _>("first").and_then(DateTime::from_timestamp_millis);
    Ok((turn.rate.count.saturating_sub(used), first.map(|at| at + turn.rate.within)))
}

async fn count_due(connection: &mut SqliteConnection, turn: &Turn, urgency: Urgency) -> Result<u32, StoreError> {
    let which = urgency.condition();
    // `?3` and `?4` are taken up so that the places are the same everywhere.
    let query =
        format!("select count(*) as due from deliveries d where {FIRST_OF_INCIDENT} and {which} and {DUE} and ?3 = ?4");
    let row = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(turn.receiver.as_str())
        .bind(turn.now.timestamp_millis())
        .bind(0)
        .bind(0)
        .bind((turn.now + FARTHEST).timestamp_millis())
        .fetch_one(connection)
        .await?;
    Ok(u32::try_from(row.get::<i64, _>("due")).unwrap_or(u32::MAX))
}

/// Joins what waits and was never tried, and is behind nothing that was. Answers how many messages that are.
async fn join(connection: &mut SqliteConnection, turn: &Turn) -> Result<u64, StoreError> {
    let rows = sqlx::query(
        "select d.id, d.message from deliveries d where d.receiver = ?1 and d.state in ('queued', 'retry') \
         and d.attempts = 0 and d.event not in ('test', 'digest') and d.incident is not null \
         and not exists (select 1 from deliveries e where e.receiver = ?1 and e.incident = d.incident and e.id < d.id \
           and (e.state = 'sending' or e.state in ('queued', 'retry') and e.attempts > 0 \
             or e.state = 'dropped' and e.digest is not null)) order by d.id limit ?2",
    )
    .bind(turn.receiver.as_str())
    .bind(JOINED_MAX)
    .fetch_all(&mut *connection)
    .await?;
    if rows.len() < 2 {
        return Ok(0);
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
    let messages = rows.iter().filter_map(|row| notification(row).transpose()).collect::<Result<Vec<_>, _>>()?;
    let mark = format!("{}-{}", ids[0], turn.now.timestamp_millis());
    let Some(digest) = digest(&messages, turn.rate, &mark, turn.now) else { return Ok(0) };
    let row = sqlx::query(
        "insert into deliveries (receiver, event, priority, state, dedup_key, message, decided_at, next_at) \
         values (?, ?, ?, 'queued', ?, ?, ?, ?) returning id",
    )
    .bind(turn.receiver.as_str())
    .bind(Event::Digest.as_str())
    .bind(digest.priority.as_str())
    .bind(&digest.dedup_key)
    .bind(to_json(&Message::Notification(Box::new(digest.clone())), "a digest")?)
    .bind(turn.now.timestamp_millis())
    .bind(turn.now.timestamp_millis())
    .fetch_one(&mut *connection)
    .await?;
    let joined = sqlx::query(
        "update deliveries set state = 'dropped', digest = ?1, attempts = 1 \
         where id in (select value from json_each(?2))",
    )
    .bind(row.get::<i64, _>("id"))
    .bind(to_json(&ids, "rows")?)
    .execute(connection)
    .await?;
    Ok(joined.rows_affected())
}

fn notification(row: &SqliteRow) -> Result<Option<Notification>, StoreError> {
    Ok(match from_json(row.get("message"), "a message")? {
        Message::Notification(notification) => Some(*notification),
        Message::StatusPost(_) | Message::Bulletin(_) | Message::Record(_) => None,
    })
}

/// What becomes of a digest becomes of the messages in it.
pub(super) async fn conclude(
    connection: &mut SqliteConnection,
    digest: i64,
    state: &str,
    error: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if !matches!(state, "sent" | "dead") {
        return Ok(());
    }
    sqlx::query(
        "update deliveries set state = ?2, sent_at = ?3, last_error = ?4 where digest = ?1 and state in ('dropped', 'dead') \
         and (select d.state from deliveries d where d.id = ?1) = ?2",
    )
    .bind(digest)
    .bind(state)
    .bind((state == "sent").then(|| now.timestamp_millis()))
    .bind(error)
    .execute(connection)
    .await?;
    Ok(())
}
