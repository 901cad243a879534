//! Whether the daemon may say that it is well: the store can be written, and no page is overdue.

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::{Store, StoreError, leasing::PENDING};
use crate::domain::name::Name;

/// A page of an open incident that has not arrived, and nobody was told after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPage {
    /// Of which incident.
    pub incident: String,
    /// To whom.
    pub receiver: Name,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
}

impl Store {
    /// Writes one row. An error says that decisions could not be written either.
    pub async fn touch(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query("insert into pulse (id, at) values (1, ?) on conflict do update set at = excluded.at")
                        .bind(now.timestamp_millis())
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// P1 and P2 triggers of open incidents that wait or are dead, where nobody was told of the incident later. The
    /// oldest first, at most a hundred.
    pub async fn waiting_pages(&self) -> Result<Vec<WaitingPage>, StoreError> {
        let query = format!(
            "select d.incident, d.receiver, d.decided_at from deliveries d \
             join incidents i on i.id = d.incident and i.live = 1 and i.state != 'resolved' \
             where d.event = 'trigger' and d.priority in ('P1', 'P2') and d.page_told is null \
             and (d.{PENDING} or d.state = 'dead' or d.state = 'dropped' and d.digest is not null) \
             and not exists (select 1 from deliveries t where t.incident = d.incident and t.decided_at > d.decided_at \
               and t.event = 'trigger' and t.state = 'sent' and t.page_told is null) \
             order by d.decided_at limit 100"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(&self.readers).await?;
        let page = |row: &sqlx::sqlite::SqliteRow| WaitingPage {
            incident: row.get("incident"),
            receiver: Name::from(row.get::<&str, _>("receiver")),
            decided_at: DateTime::from_timestamp_millis(row.get("decided_at")).unwrap_or_default(),
        };
        Ok(rows.iter().map(page).collect())
    }
}
