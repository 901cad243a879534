//! Incidents and their timelines, for reading.

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::{
    Store, StoreError,
    commit::{from_json, readable},
};
use crate::domain::{incident::Incident, notification::Phase};

/// A stored line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// When.
    pub at: DateTime<Utc>,
    /// opened, fired, told, …
    pub kind: String,
    /// In words.
    pub text: String,
}

/// open, acknowledged or resolved.
pub fn state_word(incident: &Incident) -> &'static str {
    match incident.phase() {
        Phase::Open => "open",
        Phase::Acknowledged => "acknowledged",
        Phase::Resolved => "resolved",
    }
}

impl Store {
    /// All incidents that something can still happen to.
    pub async fn live_incidents(&self) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query("select document from incidents where live = 1").fetch_all(&self.readers).await?;
        Ok(rows.iter().filter_map(|row| readable(from_json(row.get("document"), "an incident"))).collect())
    }

    /// Incidents, the newest first, of one state and service if given.
    pub async fn incidents(
        &self,
        state: Option<&str>,
        service: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(
            "select document from incidents where (?1 is null or state = ?1) and (?2 is null or service = ?2) \
             order by opened_at desc, id limit ?3",
        )
        .bind(state)
        .bind(service)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| from_json(row.get("document"), "an incident")).collect()
    }

    /// Incidents of a service, open ones first, then the newest, after the first `skip`.
    pub async fn story(&self, service: &str, skip: usize, limit: usize) -> Result<Vec<Incident>, StoreError> {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "select document from incidents where service = ? \
             order by resolved_at is not null, opened_at desc, id limit ? offset ?",
        )
        .bind(service)
        .bind(number(limit))
        .bind(number(skip))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| from_json(row.get("document"), "an incident")).collect()
    }

    /// Incidents of one SLO that were open at some time within `[from, to)`, the oldest first.
    pub async fn incidents_within(
        &self,
        service: &str,
        slo: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(
            "select document from incidents where service = ? and slo = ? and opened_at < ? \
             and (resolved_at is null or resolved_at >= ?) order by opened_at",
        )
        .bind(service)
        .bind(slo)
        .bind(to.timestamp_millis())
        .bind(from.timestamp_millis())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| from_json(row.get("document"), "an incident")).collect()
    }

    /// Incidents of sources that were open at some time within `[from, to)`, the oldest first, at most `limit`.
    pub async fn outages_within(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(
            "select document from incidents where source is not null and opened_at < ? \
             and (resolved_at is null or resolved_at >= ?) order by opened_at limit ?",
        )
        .bind(to.timestamp_millis())
        .bind(from.timestamp_millis())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| from_json(row.get("document"), "an incident")).collect()
    }

    /// One incident, by its id or an unambiguous beginning of it.
    pub async fn incident(&self, id: &str) -> Result<Option<Incident>, StoreError> {
        let rows = sqlx::query("select document from incidents where id = ?1 or (length(?1) >= 4 and substr(id, 1, length(?1)) = ?1) order by id = ?1 desc limit 2")
            .bind(id)
            .fetch_all(&self.readers)
            .await?;
        let found: Vec<Incident> =
            rows.iter().map(|row| from_json(row.get("document"), "an incident")).collect::<Result<_, _>>()?;
        let exact = found.iter().any(|incident| incident.id == id);
        Ok(if exact || found.len() == 1 { found.into_iter().next() } else { None })
    }

    /// An incident's timeline, in order.
    pub async fn timeline(&self, incident: &str) -> Result<Vec<StoredLine>, StoreError> {
        let rows = sqlx::query("select at, kind, text from timeline where incident = ? order by id")
            .bind(incident)
            .fetch_all(&self.readers)
            .await?;
        let line = |row: &sqlx::sqlite::SqliteRow| StoredLine {
            at: DateTime::from_timestamp_millis(row.get("at")).unwrap_or_default(),
            kind: row.get("kind"),
            text: row.get("text"),
        };
        Ok(rows.iter().map(line).collect())
    }
}
