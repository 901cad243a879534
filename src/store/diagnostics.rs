//! What was found when incidents opened.

use sqlx::{Row, SqliteConnection};

use super::{
    Store, StoreError,
    commit::{from_json, to_json},
};
use crate::domain::diagnostic::{DIAGNOSTICS_MAX, Diagnosis};

impl Store {
    /// An incident's diagnoses, look by look, in the order of the configuration.
    pub async fn diagnoses(&self, incident: &str) -> Result<Vec<Diagnosis>, StoreError> {
        let rows = sqlx::query("select document from diagnostics where incident = ? order by look, place")
            .bind(incident)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| from_json(row.get("document"), "a diagnosis")).collect()
    }
}

/// Writes one look. What is there already stays.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    incident: &str,
    found: &[Diagnosis],
) -> Result<(), StoreError> {
    for (place, diagnosis) in found.iter().take(DIAGNOSTICS_MAX).enumerate() {
        sqlx::query(
            "insert into diagnostics (incident, look, place, at, document) values (?, ?, ?, ?, ?) on conflict do nothing",
        )
        .bind(incident)
        .bind(diagnosis.look)
        .bind(place as i64)
        .bind(diagnosis.at.timestamp_millis())
        .bind(to_json(diagnosis, "a diagnosis")?)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
