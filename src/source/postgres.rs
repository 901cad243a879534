//! Readings from PostgreSQL: the user's SQL in a read-only transaction that is always rolled back.
//!
//! The server counts; what comes back is bounded whatever the statement answers. `$1` and `$2` are the slot's start
//! and end.

mod connections;
mod fault;
mod row;
mod statement;

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{Executor, Row as _, postgres::PgRow};
use tokio::time::timeout;

use self::{
    connections::{Connections, Lease},
    fault::class,
    row::Row,
    statement::{ROW_BYTES, Statement, begin},
};
use super::{Answer, Question, Source, SourceError};
use crate::{
    config::model::{Indicator, NumberQuery, Postgres},
    domain::slot::{Gap, Reading, Span},
};

/// One PostgreSQL source.
pub(super) struct PostgresSource {
    connections: Connections,
    target: String,
    statement_timeout: Duration,
}

impl PostgresSource {
    /// Prepares to ask; contacts nobody. The error shows no secret.
    pub fn new(settings: &Postgres) -> Result<Self, String> {
        if settings.url.is_empty() {
            return Err("`url` is empty: is its variable set?".to_owned());
        }
        let connections = Connections::new(settings)?;
        Ok(Self { target: connections.target(), connections, statement_timeout: settings.statement_timeout })
    }

    async fn read_slot(&self, indicator: &Indicator, span: Span, limit: Duration) -> Result<Reading, SourceError> {
        let reading = match indicator {
            Indicator::RatioSql { sql, .. } => match self.row(sql, span, limit).await? {
                Found::Row(row) => row.ratio()?,
                Found::Nothing => Reading::Unmeasured(Gap::NoData),
                Found::Several => several(),
            },
            Indicator::LatencySql { sql, threshold, percentile, .. } => {
                self.latency(sql, *threshold, *percentile, span, limit).await?
            }
            Indicator::Value { query, good, .. } => match self.row(&query.query, span, limit).await? {
                Found::Row(row) => {
                    row.value()?.map_or(Reading::Unmeasured(Gap::NoData), |number| Reading::value(number, good))
                }
                Found::Nothing => Reading::Unmeasured(Gap::NoData),
                Found::Several => several(),
            },
            _ => return Err(SourceError::Refused("a postgres source cannot be asked for this indicator".to_owned())),
        };
        Ok(reading)
    }

    async fn latency(
        &self,
        sql: &str,
        threshold: f64,
        percentile: Option<f64>,
        span: Span,
        limit: Duration,
    ) -> Result<Reading, SourceError> {
        let statement = Statement::counts(sql, span);
        let fraction = percentile.map(|percent| percent / 100.0);
        let counted = self
            .run(&statement, limit, async |lease| {
                statement.bound().bind(threshold).bind(fraction).fetch_one(&mut lease.connection).await
            })
            .await?;
        let counts = || -> Result<_, sqlx::Error> {
            let (good, total): (i64, i64) = (counted.try_get("good")?, counted.try_get("total")?);
            Ok((good, total, counted.try_get::<Option<f64>, _>("shown")?))
        };
        let (good, total, shown) =
            counts().map_err(|error| class(&error, Some(&statement), &self.target, self.statement_timeout))?;
        Ok(Reading::events(good as f64, total as f64, shown))
    }

    async fn row(&self, sql: &str, span: Span, limit: Duration) -> Result<Found, SourceError> {
        let statement = Statement::rows(sql, span);
        let rows: Vec<PgRow> = self
            .run(&statement, limit, async |lease| {
                statement.bound().bind(ROW_BYTES).fetch_all(&mut lease.connection).await
            })
            .await?;
        match rows.as_slice() {
            [] => Ok(Found::Nothing),
            [row] => {
                let text: &str = row.try_get(0).map_err(|error| SourceError::Unreadable(error.to_string()))?;
                Row::parse(text).map(Found::Row)
            }
            _ => Ok(Found::Several),
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
            let kept = matches!(&result, Ok(_) | Err(sqlx::Error::Database(_)));
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

/// What a statement that should answer one row answered.
enum Found {
    Nothing,
    Row(Row),
    Several,
}

fn several() -> Reading {
    Reading::Unmeasured(Gap::DataFault("the statement answered several rows where one is expected".to_owned()))
}

impl Source for PostgresSource {
    fn read<'a>(
        &'a self,
        question: Question<'a>,
        span: Span,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Answer, SourceError>> {
        async move {
            let mut answer = Answer::default();
            for slot in question.slots(span) {
                let reading = self.read_slot(question.indicator, Span::slot(slot, question.every), limit).await?;
                answer.slots.extend(Answer::one(slot, reading).slots);
            }
            Ok(answer)
        }
        .boxed()
    }

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
            match self.row(&query.query, Span { start: at, end: at }, limit).await? {
                Found::Row(row) => Ok(row.value()?.filter(|number| !number.is_nan())),
                Found::Nothing => Ok(None),
                Found::Several => {
                    Err(SourceError::Refused("the statement answered several rows where one is expected".to_owned()))
                }
            }
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
            let reading = self.read_slot(question.indicator, span, limit).await.map_err(|error| error.to_string())?;
            match reading {
                Reading::Events { good, total, shown } => {
                    let shown = shown.map(|shown| format!(", value {shown}")).unwrap_or_default();
                    Ok(format!("the statement runs: {good} of {total} events good in the last slot{shown}"))
                }
                Reading::Empty => Ok("the statement runs: no events in the last slot".to_owned()),
                Reading::Unmeasured(Gap::DataFault(fault)) => Err(fault),
                _ => Ok("the statement runs: no value in the last slot".to_owned()),
            }
        }
        .boxed()
    }
}
