//! What a database error means, in the server's own words, without addresses and C line numbers.

use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use super::statement::Statement;
use crate::source::{SourceError, http_client::io_why};

/// Classes an error. `statement` is the one that was run, if any.
pub(super) fn class(error: &sqlx::Error, statement: Option<&Statement>, target: &str, limit: Duration) -> SourceError {
    let unreachable = |why: String| SourceError::Unreachable { target: target.to_owned(), why };
    match error {
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => database(error, statement, target, limit),
            None => SourceError::Refused(error.message().to_owned()),
        },
        sqlx::Error::Io(error) => unreachable(io_why(error)),
        sqlx::Error::Tls(error) => unreachable(format!("TLS: {}", crate::source::http_client::why(error.as_ref()))),
        sqlx::Error::Configuration(_) => unreachable("the address or the TLS files are wrong".to_owned()),
        sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => unreachable("shutting down".to_owned()),
        other => SourceError::Unreadable(other.to_string()),
    }
}

fn database(error: &PgDatabaseError, statement: Option<&Statement>, target: &str, limit: Duration) -> SourceError {
    let message = error.message();
    match (error.code(), error.code().get(..2).unwrap_or_default()) {
        ("57014", _) => SourceError::Timeout(limit),
        ("25006", _) => SourceError::Refused(format!("{message}: a source only reads")),
        // Connection, authorization, unknown database, resources, shutdown, system, internal.
        (_, "08" | "28" | "3D" | "53" | "57" | "58" | "XX") => {
            SourceError::Failed { target: target.to_owned(), why: message.to_owned() }
        }
        _ => {
            let position = match error.position() {
                Some(sqlx::postgres::PgErrorPosition::Original(position)) => Some(position),
                _ => None,
            };
            let place = position.and_then(|position| statement?.place(position));
            SourceError::Refused(match place {
                Some((line, column)) => format!("{message} (line {line}, column {column} of the SQL)"),
                None => message.to_owned(),
            })
        }
    }
}
