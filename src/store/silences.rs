//! Silences: rows that are only ever added, and the early end of some.

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    Store, StoreError,
    commit::{from_json, to_json},
};
use crate::domain::{
    name::Name,
    silence::{Expiry, Matcher, Silence},
};

/// Most rows of silences that are over.
const OVER_MAX: u32 = 10_000;
const COLUMNS: &str = "id, service, slo, policy, labels, made_by, reason, starts_at, ends_at, expired_at, expired_by";

impl Store {
    /// Silences that are not over at `now`, the first made first.
    pub async fn live_silences(&self, now: DateTime<Utc>) -> Result<Vec<Silence>, StoreError> {
        let query =
            format!("select {COLUMNS} from silences where ends_at > ? and expired_at is null order by starts_at, id");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(now.timestamp_millis());
        query.fetch_all(&self.readers).await?.iter().map(silence).collect()
    }

    /// The newest silences, whatever became of them.
    pub async fn silences(&self, limit: i64) -> Result<Vec<Silence>, StoreError> {
        let query = format!("select {COLUMNS} from silences order by starts_at desc, id limit ?");
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(limit);
        query.fetch_all(&self.readers).await?.iter().map(silence).collect()
    }
}

/// Removes silences that ended before `before`, in Unix milliseconds, and the oldest of very many.
pub(super) async fn prune(connection: &mut SqliteConnection, before: i64) -> Result<u64, StoreError> {
    let old = sqlx::query("delete from silences where ends_at < ?").bind(before).execute(&mut *connection).await?;
    let many = sqlx::query(
        "delete from silences where expired_at is not null and id in ( \
           select id from silences where expired_at is not null order by starts_at desc limit -1 offset ?)",
    );
    let many = many.bind(OVER_MAX).execute(&mut *connection).await?;
    Ok(old.rows_affected() + many.rows_affected())
}

pub(super) async fn write(connection: &mut SqliteConnection, silence: &Silence) -> Result<(), StoreError> {
    let Silence { id, matcher, by, reason, starts_at, ends_at, expired } = silence;
    sqlx::query(
        "insert into silences (id, service, slo, policy, labels, made_by, reason, starts_at, ends_at, expired_at, expired_by) \
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         on conflict (id) do update set expired_at = excluded.expired_at, expired_by = excluded.expired_by",
    )
    .bind(id)
    .bind(matcher.service.as_str())
    .bind(matcher.slo.as_deref())
    .bind(matcher.policy.as_deref())
    .bind(to_json(&matcher.labels, "a silence's labels")?)
    .bind(by)
    .bind(reason)
    .bind(starts_at.timestamp_millis())
    .bind(ends_at.timestamp_millis())
    .bind(expired.as_ref().map(|expired| expired.at.timestamp_millis()))
    .bind(expired.as_ref().map(|expired| expired.by.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

fn silence(row: &SqliteRow) -> Result<Silence, StoreError> {
    let time = |millis| DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let name = |column| row.get::<Option<&str>, _>(column).map(Name::from);
    let expired: Option<(i64, String)> = row.get::<Option<i64>, _>("expired_at").zip(row.get("expired_by"));
    Ok(Silence {
        id: row.get("id"),
        matcher: Matcher {
            service: Name::from(row.get::<&str, _>("service")),
            slo: name("slo"),
            policy: name("policy"),
            labels: from_json(row.get("labels"), "a silence's labels")?,
        },
        by: row.get("made_by"),
        reason: row.get("reason"),
        starts_at: time(row.get("starts_at")),
        ends_at: time(row.get("ends_at")),
        expired: expired.map(|(at, by)| Expiry { at: time(at), by }),
    })
}
