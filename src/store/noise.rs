//! What the noise ledger is counted from: the incidents of a time, who was woken by them, who took them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::Row;

use super::{Store, StoreError, commit::from_json};
use crate::domain::{incident::Incident, name::Name};

/// The incidents that opened within a time, and what is stored beside them.
#[derive(Clone, Debug, Default)]
pub struct Woken {
    /// The newest first.
    pub incidents: Vec<Incident>,
    /// How many triggers each receiver accepted, by incident and receiver.
    pub triggers: BTreeMap<String, BTreeMap<Name, usize>>,
    /// The incidents that somebody acknowledged.
    pub acknowledged: BTreeSet<String>,
}

/// Ids of the incidents that opened within `[?1, ?2)`, of service `?3` if given, at most `?4`, the newest first.
const OPENED: &str = "select id from incidents where opened_at >= ?1 and opened_at < ?2 \
     and (?3 is null or service = ?3) order by opened_at desc, id limit ?4";

impl Store {
    /// The incidents that opened within `[from, to)`, of one service if given; at most `limit`, the newest.
    pub async fn woken(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        service: Option<&str>,
        limit: i64,
    ) -> Result<Woken, StoreError> {
        let rows = |query: String| async move {
            let (from, to) = (from.timestamp_millis(), to.timestamp_millis());
            let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(from).bind(to).bind(service).bind(limit);
            query.fetch_all(&self.readers).await
        };
        let documents = format!("select document from incidents where id in ({OPENED}) order by opened_at desc, id");
        let mut woken = Woken::default();
        for row in rows(documents).await? {
            woken.incidents.push(from_json(row.get("document"), "an incident")?);
        }
        let triggers = format!(
            "select incident, receiver, count(*) as times from deliveries where incident in ({OPENED}) \
             and event = 'trigger' and state = 'sent' group by incident, receiver"
        );
        for row in rows(triggers).await? {
            let times = usize::try_from(row.get::<i64, _>("times")).unwrap_or_default();
            let of_incident = woken.triggers.entry(row.get("incident")).or_default();
            of_incident.insert(Name::from(row.get::<&str, _>("receiver")), times);
        }
        let acknowledged =
            format!("select distinct incident from timeline where incident in ({OPENED}) and kind = 'acknowledged'");
        for row in rows(acknowledged).await? {
            woken.acknowledged.insert(row.get("incident"));
        }
        Ok(woken)
    }
}
