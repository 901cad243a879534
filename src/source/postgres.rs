//! Readings from PostgreSQL: the user's SQL in a read-only transaction that is always rolled back.
//!
//! The server counts; what comes back is bounded whatever the statement answers. `$1` and `$2` are the slot's start
//! and end. With `per`, each combination of those columns' values is a series of its own.

mod asking;
mod connections;
mod fault;
mod inspect;
mod look;
mod row;
mod series;
mod statement;

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{Connection as _, Executor, Row as _, postgres::PgRow};
use tokio::time::timeout;

use self::{
    asking::Asking,
    connections::{Connections, Lease},
    fault::class,
    row::Row,
    series::Gathering,
    statement::{ROW_BYTES, Statement, begin},
};
use super::{Answer, Question, Source, SourceError};
use crate::{
    config::model::{NumberQuery, Postgres},
    domain::slot::Span,
};

const SEVERAL: &str = "the statement answered several rows where one is expected";

/// One PostgreSQL source.
pub(super) struct PostgresSource {
    connections: Connections,
    target: String,
    statement_timeout: Duration,
    max_rows: usize,
}

impl PostgresSource {
    /// Prepares to ask; contacts nobody. The error shows no secret.
    pub fn new(settings: &Postgres) -> Result<Self, String> {
        if settings.url.is_empty() {
            return Err("`url` is empty: is its variable set?".to_owned());
        }
        let connections = Connections::new(settings)?;
        Ok(Self {
            target: connections.target(),
            connections,
            statement_timeout: settings.statement_timeout,
            max_rows: settings.max_rows,
        })
    }

    /// Asks about all slots in one transaction, so that they show one state of the database.
    async fn read_slots(&self, question: Question<'_>, span: Span, limit: Duration) -> Result<Answer, SourceError> {
        let asking = Asking::new(question, self.max_rows)?;
        let slots: Vec<i64> = question.slots(span).collect();
        let again = slots.len() > 1;
        self.run(&asking.statement, limit, async |lease| {
            let mut gathering = Gathering::new(question, asking.most);
            for slot in slots {
                let query = asking.bound(Span::slot(slot, question.every), again);
                if let Err(error) = asking.slot(lease, query, slot, &mut gathering).await? {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(gathering.answer(asking.absent())))
        })
        .await?
    }

    /// One row of a statement that should answer one number.
    async fn row(&self, sql: &str, span: Span, limit: Duration) -> Result<Option<Row>, SourceError> {
        let statement = Statement::rows(sql);
        let rows: Vec<PgRow> = self
            .run(&statement, limit, async |lease| {
                statement.bound(span, false).bind(ROW_BYTES).fetch_all(&mut lease.connection).await
            })
            .await?;
        match rows.as_slice() {
            [] => Ok(None),
            [row] => {
                let text: &str = row.try_get(0).map_err(|error| SourceError::Unreadable(error.to_string()))?;
                Row::parse(text).map(Some)
            }
            _ => Err(SourceError::Refused(SEVERAL.to_owned())),
        }
    }

    /// Runs `work` in the transaction. The connection is kept only if all went well and nothing is left open on it.
    async fn run<T>(
        &self,
        statement: &Statement,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Lease<'_>) -> Result<T, sqlx::Error>,
    ) -> Result<T, SourceError> {
        let time = limit.min(self.statement_timeout);
        let fault = |error: &sqlx::Error| class(error, Some(statement), &self.target, time);
        let whole = async {
            let mut lease = self.begin(time).await.map_err(|error| fault(&error))?;
            let result = work(&mut lease).await;
            let sound = matches!(&result, Ok(_) | Err(sqlx::Error::Database(_)));
            // what was prepared is of no use to the next question
            let kept = sound && lease.connection.clear_cached_statements().await.is_ok();
            if kept && lease.connection.execute("rollback").await.is_ok() {
                self.connections.keep(lease);
            }
            result.map_err(|error| fault(&error))
        };
        timeout(limit, whole).await.map_err(|_| SourceError::Timeout(limit))?
    }

    /// Opens the transaction. A connection that died while idle is replaced once.
    async fn begin(&self, time: Duration) -> Result<Lease<'_>, sqlx::Error> {
        let open = async |lease: &mut Lease<'_>| {
            lease.connection.execute(sqlx::raw_sql(begin(time.as_millis()))).await.map(drop)
        };
        let mut lease = self.connections.lease().await?;
        match open(&mut lease).await {
            Err(_) if lease.used_before => {
                drop(lease);
                self.connections.forget();
                lease = self.connections.lease().await?;
                open(&mut lease).await?;
            }
            opened => opened?,
        }
        Ok(lease)
    }
}

impl Source for PostgresSource {
    fn read<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>> {
        self.read_slots(question, span, limit).boxed()
    }

    /// Each slot is a statement of its own: an hour of minutes, or two days and a half of hours.
    fn reach(&self, _: Question<'_>) -> i64 {
        60
    }

    fn number<'a>(
        &'a self,
        query: &'a NumberQuery,
        at: i64,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<f64>, SourceError>> {
        async move {
            let row = self.row(&query.query, Span { start: at, end: at }, limit).await?;
            let number = row.map(|row| row.value()).transpose()?.flatten();
            Ok(number.filter(|number| !number.is_nan()))
        }
        .boxed()
    }

    fn ping(&self, limit: Duration) -> BoxFuture<'_, Result<(), SourceError>> {
        async move { self.row("select 1", Span { start: 0, end: 0 }, limit).await.map(drop) }.boxed()
    }

    fn inspect<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<String, String>> {
        async move {
            let answer = self.read_slots(question, span, limit).await.map_err(|error| error.to_string())?;
            inspect::words(question, &answer)
        }
        .boxed()
    }
}
