//! Series, their slots and their alerts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sqlx::{Row, SqliteConnection};

use super::{
    Store, StoreError,
    commit::{from_json, readable, to_json},
};
use crate::domain::{
    alert::Alert,
    chunk::{ChunkError, SLOTS},
    decide::SeriesKey,
    ledger::Ledger,
    name::SloId,
};

/// What an SLO promised from some time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// From when on.
    pub since: DateTime<Utc>,
    /// The definition's hash.
    pub hash: u32,
    /// The objective in parts per billion.
    pub objective_ppb: u32,
    /// Slot length in seconds.
    pub every: u32,
}

pub(super) async fn series_ids(connection: &mut SqliteConnection) -> Result<HashMap<SeriesKey, i64>, StoreError> {
    let rows = sqlx::query("select id, service, slo, labels from series").fetch_all(connection).await?;
    let mut found = HashMap::new();
    for row in rows {
        let id = SloId::new(row.get::<&str, _>("service"), row.get::<&str, _>("slo"));
        let Some(series) = readable(from_json(row.get("labels"), "a series' labels")) else { continue };
        found.insert(SeriesKey { id, series }, row.get("id"));
    }
    Ok(found)
}

impl Store {
    /// The number of a series, given when it was first seen.
    pub fn series_id(&self, key: &SeriesKey) -> Option<i64> {
        self.series.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).copied()
    }

    /// The series of an SLO that were ever seen.
    pub fn series_of(&self, id: &SloId) -> Vec<SeriesKey> {
        let series = self.series.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        series.keys().filter(|key| key.id == *id).cloned().collect()
    }

    /// Makes sure that every series has a number and that its present definition is on record.
    pub async fn enrol(&self, wanted: Vec<(SeriesKey, Definition)>) -> Result<(), StoreError> {
        let found = self
            .writer
            .write(move |connection| {
                let wanted = wanted.clone();
                Box::pin(async move {
                    let mut ids = Vec::new();
                    for (key, definition) in wanted {
                        ids.push((key.clone(), enrol(connection, &key, definition).await?));
                    }
                    Ok(ids)
                })
            })
            .await?;
        self.series.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(found);
        Ok(())
    }

    /// Fills `ledger` with a series' stored slots that start at or after `from`. Chunks that cannot be read are left
    /// out and answered.
    pub async fn load_ledger(
        &self,
        series: i64,
        from: i64,
        ledger: &mut Ledger,
    ) -> Result<Vec<ChunkError>, StoreError> {
        let mut broken = Vec::new();
        for (every, chunk, data) in self.chunks_from(series, from).await? {
            if let Err(error) = ledger.load(every, chunk, data) {
                broken.push(error);
            }
        }
        Ok(broken)
    }

    /// The stored alerts of all series.
    pub async fn load_alerts(&self) -> Result<HashMap<i64, BTreeMap<String, Alert>>, StoreError> {
        let rows = sqlx::query("select series, watch, document from alerts").fetch_all(&self.readers).await?;
        let mut found: HashMap<i64, BTreeMap<String, Alert>> = HashMap::new();
        for row in rows {
            let Some(alert) = readable(from_json(row.get("document"), "an alert")) else { continue };
            found.entry(row.get("series")).or_default().insert(row.get("watch"), alert);
        }
        Ok(found)
    }

    /// What a series has promised, the oldest first.
    pub async fn definitions(&self, series: i64) -> Result<Vec<Definition>, StoreError> {
        let rows =
            sqlx::query("select since, hash, objective_ppb, every from definitions where series = ? order by since")
                .bind(series)
                .fetch_all(&self.readers)
                .await?;
        Ok(rows.iter().map(definition).collect())
    }

    /// When the first promise of a service was put on record; none if there is none.
    pub async fn promised_since(&self, service: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let row = sqlx::query(
            "select min(since) as since from definitions where series in (select id from series where service = ?)",
        )
        .bind(service)
        .fetch_one(&self.readers)
        .await?;
        Ok(row.get::<Option<i64>, _>("since").and_then(DateTime::from_timestamp_millis))
    }

    /// Removes slots, resolved incidents and finished deliveries from before `before`.
    pub async fn prune(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let (seconds, millis) = (before.timestamp(), before.timestamp_millis());
                    let mut removed = 0;
                    for every in super::sums::lengths(&mut *connection).await? {
                        let delete = sqlx::query("delete from chunks where every = ? and chunk < ?");
                        // Chunks that end before.
                        let first = (seconds - 1).div_euclid(SLOTS * i64::from(every));
                        removed += delete.bind(every).bind(first).execute(&mut *connection).await?.rows_affected();
                    }
                    removed += super::silences::prune(&mut *connection, millis).await?;
                    for (statement, bound) in [
                        ("delete from sums where (newest + 1) * 240 * every < ?", seconds),
                        ("delete from corrections where at < ?", millis),
                        ("delete from annotations where at < ?", millis),
                        ("delete from occurrences where at < ?", millis),
                        ("delete from deliveries where state in ('sent', 'dead', 'dropped') and decided_at < ?1 and \
                          (incident is null or incident in (select id from incidents where live = 0 and resolved_at < ?1))", millis),
                        ("delete from timeline where incident in (select id from incidents where live = 0 and resolved_at < ?)", millis),
                        ("delete from source_events where incident in (select id from incidents where live = 0 and resolved_at < ?)", millis),
                        ("delete from pager_incidents where seen_at < ?", millis),
                        ("delete from incidents where live = 0 and resolved_at < ? and id not in (select incident from deliveries where incident is not null)", millis),
                    ] {
                        removed += sqlx::query(statement).bind(bound).execute(&mut *connection).await?.rows_affected();
                    }
                    Ok(removed)
                })
            })
            .await
    }
}

fn definition(row: &sqlx::sqlite::SqliteRow) -> Definition {
    Definition {
        since: DateTime::from_timestamp_millis(row.get("since")).unwrap_or_default(),
        hash: row.get("hash"),
        objective_ppb: row.get("objective_ppb"),
        every: row.get("every"),
    }
}

async fn enrol(connection: &mut SqliteConnection, key: &SeriesKey, wanted: Definition) -> Result<i64, StoreError> {
    let labels = to_json(&key.series, "a series' labels")?;
    sqlx::query("insert into series (service, slo, labels) values (?, ?, ?) on conflict do nothing")
        .bind(key.id.service.as_str())
        .bind(key.id.slo.as_str())
        .bind(&labels)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("select id from series where service = ? and slo = ? and labels = ?")
        .bind(key.id.service.as_str())
        .bind(key.id.slo.as_str())
        .bind(&labels)
        .fetch_one(&mut *connection)
        .await?;
    let id: i64 = row.get("id");
    let newest = sqlx::query(
        "select since, hash, objective_ppb, every from definitions where series = ? order by since desc limit 1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    if newest.as_ref().map(definition).is_none_or(|old| old.hash != wanted.hash) {
        sqlx::query("insert into definitions (series, since, hash, objective_ppb, every) values (?, ?, ?, ?, ?) on conflict do nothing")
            .bind(id)
            .bind(wanted.since.timestamp_millis())
            .bind(wanted.hash)
            .bind(wanted.objective_ppb)
            .bind(wanted.every)
            .execute(&mut *connection)
            .await?;
    }
    Ok(id)
}
