//! The table of queued actions: when each was queued, and when the CEO saw it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// `action_queue` in some database.
#[derive(Clone, Debug)]
pub struct ActionQueue {
    pool: PgPool,
}

impl ActionQueue {
    /// Makes the table if it is not there yet.
    pub async fn create(url: &str) -> anyhow::Result<Self> {
        let options: PgConnectOptions = url.parse()?;
        let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await?;
        sqlx::query(
            "create table if not exists action_queue \
             (id bigserial primary key, queued_at timestamptz not null, viewed_at timestamptz)",
        )
        .execute(&pool)
        .await?;
        Ok(Self { pool })
    }

    /// One action, seen so long after it was queued, or not yet.
    pub async fn add(&self, queued_at: DateTime<Utc>, seen_after: Option<Duration>) -> anyhow::Result<()> {
        let viewed_at = seen_after.map(TimeDelta::from_std).transpose()?.map(|after| queued_at + after);
        sqlx::query("insert into action_queue (queued_at, viewed_at) values ($1, $2)")
            .bind(queued_at)
            .bind(viewed_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How many actions nobody has seen yet.
    pub async fn pending(&self) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar("select count(*) from action_queue where viewed_at is null")
            .fetch_one(&self.pool)
            .await?)
    }

    /// Empties the table.
    pub async fn clear(&self) -> anyhow::Result<()> {
        sqlx::query("truncate action_queue").execute(&self.pool).await?;
        Ok(())
    }
}
