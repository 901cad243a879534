//! What a look at an incident reads: the rows of a statement, or its plan.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::{Connection as _, Executor as _, Row as _, postgres::PgRow};
use tokio::time::timeout;

use super::{
    PostgresSource,
    connections::Lease,
    fault::class,
    statement::{PLAN_LINES, Statement, TABLE_ROWS},
};
use crate::{
    domain::diagnostic::{Found, Table},
    source::SourceError,
};

impl PostgresSource {
    /// The first rows of a statement, their first columns, the beginning of each cell.
    pub async fn table(&self, sql: &str, limit: Duration) -> Result<Table, SourceError> {
        let rows = self.once(&[Statement::table(sql)], limit, TABLE_ROWS).await?;
        let unreadable = |error: sqlx::Error| SourceError::Unreadable(error.to_string());
        let mut columns: Vec<String> = Vec::new();
        let mut cells = Vec::new();
        for row in &rows {
            let names: Vec<Option<String>> = row.try_get("names").map_err(unreadable)?;
            columns = names.into_iter().map(Option::unwrap_or_default).collect();
            cells.push(row.try_get("cells").map_err(unreadable)?);
        }
        Ok(Table::new(columns, cells, false))
    }

    /// The plan of a statement with what running it took; what it answered is thrown away. A statement that is no query
    /// is refused: a plan of `create table … as` would run it even where nothing may be written.
    pub async fn plan(&self, sql: &str, limit: Duration) -> Result<Found, SourceError> {
        let rows = self.once(&[Statement::nothing(sql), Statement::plan(sql)], limit, PLAN_LINES).await?;
        let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        let lines = lines.map_err(|error| SourceError::Unreadable(error.to_string()))?;
        let took = lines.iter().rev().find_map(|line| line.trim().strip_prefix("Execution Time: "));
        let first = lines.first().map_or("no plan", String::as_str).split("  (").next().unwrap_or_default();
        let summary = took.map_or_else(|| first.to_owned(), |took| format!("{took}, {first}"));
        Ok(Found { ok: true, summary, text: Some(lines.join("\n")), table: None })
    }

    /// Runs statements in a transaction that only reads and is rolled back, on a connection that is closed then. Answers
    /// the rows of the last.
    async fn once(&self, statements: &[Statement], limit: Duration, most: usize) -> Result<Vec<PgRow>, SourceError> {
        let time = limit.min(self.statement_timeout);
        let fault = |error: &sqlx::Error, statement: Option<&Statement>| class(error, statement, &self.target, time);
        let whole = async {
            let mut lease = self.begin(time).await.map_err(|error| fault(&error, None))?;
            let mut rows = Ok(Vec::new());
            for statement in statements {
                let answer = statement.unbound().fetch(&mut lease.connection).take(most).try_collect();
                let answer: Result<Vec<PgRow>, sqlx::Error> = answer.await;
                rows = answer.map_err(|error| statement.explained(fault(&error, Some(statement))));
                if rows.is_err() {
                    break;
                }
            }
            let rolled_back = lease.connection.execute("rollback").await.map(drop);
            let Lease { connection, .. } = lease;
            // Whether the server hears the good-bye changes nothing.
            drop(connection.close().await);
            let rows = rows?;
            rolled_back.map_err(|error| fault(&error, None))?;
            Ok(rows)
        };
        timeout(limit, whole).await.map_err(|_| SourceError::Timeout(limit))?
    }
}
