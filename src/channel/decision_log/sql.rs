//! A decision log in a database that is a source as well.
//!
//! Sources only read. This is a connection of its own, opened for the one statement that inserts the row, with the
//! source's address; a source with a role that may only read needs another one here.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

use super::{
    super::{
        Channel, Delivery, Outcome,
        answer::{Failure, attempt, innermost, inquire},
        text,
    },
    record, row,
};
use crate::config::{
    model::{LogTable, Postgres},
    secret::Secret,
};

/// Most characters of a database's word that go into a reason.
const WORD_MAX: usize = 300;

/// One table of one database.
pub struct SqlLog {
    limit: Duration,
    options: PgConnectOptions,
    secret: Secret,
    table: LogTable,
    timeout: Duration,
}

impl SqlLog {
    /// Reads the settings; contacts nobody. The error shows no secret.
    pub fn new(settings: &Postgres, limit: Duration, table: &LogTable) -> Result<Self, String> {
        let mut options: PgConnectOptions =
            settings.url.expose().parse().map_err(|_| {
                "the source's `url` is no address: write postgres://user:password@host/database".to_owned()
            })?;
        if let Some(ca) = &settings.tls.ca {
            options = options.ssl_root_cert(ca);
            if matches!(options.get_ssl_mode(), PgSslMode::Prefer | PgSslMode::Allow) {
                options = options.ssl_mode(PgSslMode::VerifyFull);
            }
        }
        if let (Some(cert), Some(key)) = (&settings.tls.cert, &settings.tls.key) {
            options = options.ssl_client_cert(cert).ssl_client_key(key);
        }
        let password = url::Url::parse(settings.url.expose()).ok().and_then(|url| url.password().map(Secret::new));
        Ok(Self {
            limit,
            options: options.application_name("slod decision log").disable_statement_logging(),
            secret: password.unwrap_or_else(|| Secret::new("")),
            table: table.clone(),
            timeout: settings.statement_timeout,
        })
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let record = record(delivery)?;
        let mut connection = self.connect().await?;
        let statement = sqlx::query(AssertSqlSafe(row::insert(&self.table)));
        let body = row::body(record).to_string();
        statement.bind(body).execute(&mut connection).await.map_err(|error| judge(&error))?;
        // It is in; how the connection ends changes nothing.
        let _ = connection.close().await;
        Ok(record.event_id.clone())
    }

    async fn connect(&self) -> Result<PgConnection, Failure> {
        let mut connection = self.options.connect().await.map_err(|error| judge(&error))?;
        let timeout = format!("set statement_timeout = {}", self.timeout.as_millis());
        sqlx::raw_sql(AssertSqlSafe(timeout)).execute(&mut connection).await.map_err(|error| judge(&error))?;
        Ok(connection)
    }

    /// Lets the database plan the insert without running it: it looks up table, columns, the unique key and the rights.
    async fn look(&self) -> Result<String, Failure> {
        let mut connection = self.connect().await?;
        connection.execute("begin read only").await.map_err(|error| judge(&error))?;
        let plan = row::insert(&self.table).replace("$1", "'{}'");
        let plan = sqlx::raw_sql(AssertSqlSafe(format!("explain {plan}")));
        plan.execute(&mut connection).await.map_err(|error| judge(&error))?;
        let _ = connection.close().await;
        Ok(format!("table `{}` answers, has the columns and may be written", self.table))
    }
}

/// What passes by itself is tried again; what somebody must mend is dead at once.
fn judge(error: &sqlx::Error) -> Failure {
    let sqlx::Error::Database(said) = error else {
        return match error {
            sqlx::Error::Configuration(_) => Failure::dead("the source's address or TLS files are wrong"),
            other => Failure::retry(innermost(other)),
        };
    };
    let code = said.code().unwrap_or_default().into_owned();
    let reason = text::line(&format!("{code} {}", said.message()), WORD_MAX);
    match code.get(..2).unwrap_or_default() {
        // Data, constraints, rights, names, authorization, no such database.
        "22" | "23" | "42" | "28" | "3D" | "3F" | "25" | "0A" => Failure::dead(reason),
        _ => Failure::retry(reason),
    }
}

impl Channel for SqlLog {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.secret], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        async { inquire(self.limit, &[&self.secret], self.look()).await }.boxed()
    }
}
