//! A few connections to one server, made when first needed.
//!
//! Not sqlx's pool: that one answers "timed out" where the server refuses connections, and people need to know which.

use std::sync::Mutex;

use sqlx::{
    ConnectOptions, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::config::model::Postgres;

/// Connections that are open and unused, and how many may be in use.
pub(super) struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<PgConnection>>,
    permits: Semaphore,
}

/// A connection in use. Dropping it closes the connection; [`Connections::keep`] keeps it for the next question.
pub(super) struct Lease<'a> {
    /// The connection.
    pub connection: PgConnection,
    /// Whether it was open before, so that it may be dead without anyone knowing.
    pub used_before: bool,
    _permit: SemaphorePermit<'a>,
}

impl Connections {
    /// Reads the settings; contacts nobody. The error shows no secret.
    pub fn new(settings: &Postgres) -> Result<Self, String> {
        let mut options: PgConnectOptions = settings
            .url
            .expose()
            .parse()
            .map_err(|_| "`url` is no address: write postgres://user:password@host/database".to_owned())?;
        if let Some(ca) = &settings.tls.ca {
            options = options.ssl_root_cert(ca);
            if matches!(options.get_ssl_mode(), PgSslMode::Prefer | PgSslMode::Allow) {
                options = options.ssl_mode(PgSslMode::VerifyFull);
            }
        }
        if let (Some(cert), Some(key)) = (&settings.tls.cert, &settings.tls.key) {
            options = options.ssl_client_cert(cert).ssl_client_key(key);
        }
        if options.get_application_name().is_none() {
            options = options.application_name("slod");
        }
        Ok(Self {
            options: options.disable_statement_logging(),
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(settings.connections.max(1) as usize),
        })
    }

    /// Host, port and database: what may be shown.
    pub fn target(&self) -> String {
        let place = self.options.get_socket().map_or_else(
            || format!("{}:{}", self.options.get_host(), self.options.get_port()),
            |socket| socket.display().to_string(),
        );
        format!("{place}/{}", self.options.get_database().unwrap_or(self.options.get_username()))
    }

    /// Waits for a free place and hands out an idle connection, or a new one.
    pub async fn lease(&self) -> Result<Lease<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let used_before = idle.is_some();
        let connection = match idle {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(Lease { connection, used_before, _permit: permit })
    }

    /// Takes back a connection that is known to be in order.
    pub fn keep(&self, lease: Lease<'_>) {
        self.idle().push(lease.connection);
    }

    /// Forgets all idle connections: the server went away under one of them.
    pub fn forget(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
