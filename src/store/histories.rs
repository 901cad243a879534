//! Which slots of each SLO are still to be asked about.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};

use super::{
    Store, StoreError,
    commit::{from_json, readable, to_json},
};
use crate::domain::{history::History, name::SloId};

impl Store {
    /// All of them.
    pub async fn histories(&self) -> Result<BTreeMap<SloId, History>, StoreError> {
        let rows = sqlx::query("select service, slo, document from histories").fetch_all(&self.readers).await?;
        let read = rows.iter().filter_map(|row| {
            let id = SloId::new(row.get::<&str, _>("service"), row.get::<&str, _>("slo"));
            Some((id, readable(from_json(row.get("document"), "what is still to be asked about"))?))
        });
        Ok(read.collect())
    }
}

pub(super) async fn write(connection: &mut SqliteConnection, id: &SloId, history: &History) -> Result<(), StoreError> {
    sqlx::query(
        "insert into histories (service, slo, document) values (?, ?, ?) \
         on conflict do update set document = excluded.document",
    )
    .bind(id.service.as_str())
    .bind(id.slo.as_str())
    .bind(to_json(history, "what is still to be asked about")?)
    .execute(connection)
    .await?;
    Ok(())
}
