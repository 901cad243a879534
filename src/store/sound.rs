//! Whose a file is, and whether it is sound, before anything of it is used.

use std::{io::Read as _, path::Path};

use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{StoreError, beside};

/// Marks a SQLite file as slod's: `pragma application_id`, "slod" in ASCII.
pub(super) const APPLICATION_ID: u32 = 0x736c_6f64;
/// A file up to so many bytes is looked through at every start; of a larger one, the tables that page.
const THOROUGH_MAX: u64 = 256 << 20;
/// Tables without which nobody is paged.
const VITAL: [&str; 6] = ["series", "alerts", "incidents", "deliveries", "histories", "definitions"];

/// What a file turned out to be.
pub(super) enum Found {
    /// A store, or nothing yet.
    Sound,
    /// A store that is damaged, and how.
    Broken(String),
}

/// Looks at the file. `was_ours`: a slod has had it open before. What is not slod's is refused.
pub(super) async fn look(path: &Path, options: &SqliteConnectOptions, was_ours: bool) -> Result<Found, StoreError> {
    let foreign = |why: &str| StoreError::NotOurs { path: path.to_owned(), why: why.to_owned() };
    let mut header = Vec::new();
    let size = match std::fs::File::open(path) {
        Ok(file) => {
            let size = file.metadata().map_or(0, |file| file.len());
            file.take(100).read_to_end(&mut header).map_err(|error| unusable(path, &error))?;
            size
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Sound),
        Err(error) => return Err(unusable(path, &error)),
    };
    if size == 0 {
        return Ok(Found::Sound);
    }
    if !header.starts_with(b"SQLite format 3\0") {
        let why = "it is no SQLite file";
        return if was_ours { Ok(Found::Broken(why.to_owned())) } else { Err(foreign(why)) };
    }
    let id = header.get(68..72).map_or(0, |bytes| bytes.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)));
    if id != 0 && id != APPLICATION_ID {
        return Err(foreign("it is marked as the file of another program (`application_id`)"));
    }
    let was_ours = was_ours || id == APPLICATION_ID;
    match tables(path, options, was_ours).await {
        Ok(tables) if tables.is_empty() && id == 0 => Ok(Found::Sound),
        Ok(tables)
            if !["incidents", "deliveries", "chunks"].iter().all(|table| tables.iter().any(|one| one == table)) =>
        {
            if id == APPLICATION_ID {
                return Ok(Found::Broken("its tables are gone".to_owned()));
            }
            Err(foreign("it holds tables, but not those of slod"))
        }
        Ok(_) if beside(path, SUSPECT).exists() => {
            Ok(Found::Broken("it was found to be damaged while slod ran".to_owned()))
        }
        Ok(_) => judge(check(options, size).await),
        Err(error) if error.is_broken() && !was_ours => Err(foreign(&error.text())),
        Err(error) => judge(Err(error)),
    }
}

/// A file beside the store: it was found to be damaged while slod ran.
pub(super) const SUSPECT: &str = ".suspect";

fn judge(checked: Result<Option<String>, StoreError>) -> Result<Found, StoreError> {
    match checked {
        Ok(None) => Ok(Found::Sound),
        Ok(Some(why)) => Ok(Found::Broken(why)),
        Err(error) if error.is_broken() => Ok(Found::Broken(error.text())),
        Err(error) => Err(error),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Open { path: path.to_owned(), why: error.to_string() }
}

async fn tables(path: &Path, options: &SqliteConnectOptions, ours: bool) -> Result<Vec<String>, StoreError> {
    // Nothing of a file is changed before it is known to be ours.
    let looking = || SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let mut connection = if ours { options.clone() } else { looking() }.connect().await?;
    let rows = sqlx::query("select name from sqlite_master where type = 'table'").fetch_all(&mut connection).await;
    // Whatever it said: what SQLite keeps beside the file must not be in use when that is moved aside.
    drop(connection.close().await);
    let rows = rows?;
    Ok(rows.iter().map(|row| row.get("name")).collect())
}

/// The first thing that is wrong, if anything is.
async fn check(options: &SqliteConnectOptions, size: u64) -> Result<Option<String>, StoreError> {
    let mut connection = options.clone().connect().await?;
    let parts: &[&str] = if size <= THOROUGH_MAX { &["1"] } else { &VITAL };
    let mut found = Ok(None);
    for part in parts {
        found = quick_check(&mut connection, part).await;
        if !matches!(found, Ok(None)) {
            break;
        }
    }
    drop(connection.close().await);
    found
}

async fn quick_check(connection: &mut SqliteConnection, part: &str) -> Result<Option<String>, StoreError> {
    let query = format!("pragma quick_check({part})");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(connection).await?;
    let said: Option<String> = rows.first().map(|row| row.get(0));
    Ok(said.filter(|said| said != "ok"))
}
