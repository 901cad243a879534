//! Brings the tables up to date. A migration that has been released is never changed.

use sqlx::{Connection, Row, SqliteConnection};

use super::StoreError;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0004_histories.sql"),
    include_str!("migrations/0003_corrections.sql"),
    include_str!("migrations/0002_sums.sql"),
    include_str!("migrations/0009_diagnostics.sql"),
    include_str!("migrations/0013_outbox_indexes.sql"),
    include_str!("migrations/0007_silences.sql"),
    include_str!("migrations/0011_agenda.sql"),
    include_str!("migrations/0008_receivers.sql"),
    include_str!("migrations/0006_people.sql"),
    include_str!("migrations/0010_records.sql"),
    include_str!("migrations/0014_annotations.sql"),
];

/// Runs what is missing, each in a transaction of its own. A store from a newer slod is refused.
pub async fn run(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query("pragma user_version").fetch_one(&mut *connection).await?;
    let done = usize::try_from(row.get::<i64, _>(0)).unwrap_or(usize::MAX);
    if done > MIGRATIONS.len() {
        return Err(StoreError::Unreadable {
            what: format!("tables of version {done}"),
            why: format!("this slod knows versions up to {}; run a newer one", MIGRATIONS.len()),
        });
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        let mut transaction = connection.begin_with("begin immediate").await?;
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
        let version = format!("pragma user_version = {}", number + 1);
        sqlx::raw_sql(sqlx::AssertSqlSafe(version)).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}
