//! The store: one SQLite file in WAL mode, one writer, many readers.
//!
//! Writes go through [`writer::Writer`], which joins whatever waits into one transaction and answers only when it is
//! on the disk (`synchronous=FULL`). A message that was decided is a row here before anything is sent.

use std::{
    collections::HashMap,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Row as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio_util::sync::CancellationToken;

use crate::{
    domain::decide::SeriesKey,
    failpoint::{Point, reach},
};

pub mod agenda;
pub mod annotations;
pub mod attempts;
pub mod commit;
pub mod corrections;
mod diagnostics;
mod histories;
pub mod incidents;
pub mod joining;
pub mod leasing;
pub mod ledger;
pub mod life;
mod migrations;
pub mod noise;
pub mod outbox;
pub mod pager;
pub mod pages;
mod place;
mod postings;
pub mod pulse;
mod salvage;
pub mod silences;
mod sound;
mod source_events;
pub mod standing;
pub mod sums;
pub mod writer;

pub use self::postings::Posting;

/// Why the store cannot do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be used.
    #[error("cannot open store {path}: {why}")]
    Open {
        /// Where.
        path: PathBuf,
        /// Why, with what to do.
        why: String,
    },
    /// Another process has it.
    #[error("store {0} is in use by another slod; stop it first, or give this one a store of its own")]
    InUse(PathBuf),
    /// The file is there, and belongs to something else.
    #[error("{path} is not a store of slod's: {why}; give slod a file of its own (`daemon.store`)")]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// By what it was told.
        why: String,
    },
    /// A statement failed: disk full, locked, broken.
    #[error("the store cannot be written or read")]
    Sql(#[from] sqlx::Error),
    /// Something in it cannot be understood.
    #[error("the store holds {what} that cannot be read: {why}")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// The writer has stopped.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the file is damaged: what can be read of it is taken over at the next start.
    pub fn is_broken(&self) -> bool {
        let Self::Sql(sqlx::Error::Database(error)) = self else { return false };
        let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
        // SQLITE_CORRUPT and SQLITE_NOTADB with their kinds, SQLITE_IOERR_SHORT_READ
        [11, 26].contains(&(code & 0xff)) || code == 522
    }

    /// The error with its cause, in one line.
    pub fn text(&self) -> String {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => format!("{self}: {}", error.message()),
            Self::Sql(error) => format!("{self}: {error}"),
            other => other.to_string(),
        }
    }
}

/// An open store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: writer::Writer,
    readers: SqlitePool,
    series: Arc<Mutex<HashMap<SeriesKey, i64>>>,
    path: Arc<Path>,
    place: place::Place,
    broken: CancellationToken,
    /// Held for as long as the store is open: a second daemon on the same file would send everything twice.
    _lock: Arc<std::fs::File>,
}

impl Store {
    /// Opens or creates the file and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |why: String| StoreError::Open { path: path.to_owned(), why };
        let was_ours = lock_of(path).exists();
        let lock = lock(path)?;
        salvage::finish(path);
        // What it makes beside the file gets the file's own mode.
        private(path).map_err(|error| fail(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let looked = sound::look(path, &options, was_ours).await;
        if looked.is_err() && !was_ours {
            // A file of something else is left as it was, and no lock beside it.
            let _ = std::fs::remove_file(lock_of(path));
        }
        let found = looked.map_err(|error| if let StoreError::Sql(_) = error { fail(error.text()) } else { error })?;
        if let sound::Found::Broken(why) = found {
            let said = salvage::salvage(path, &options, &why).await?;
            tracing::error!("{said}");
        }
        let mut connection = options
            .clone()
            .create_if_missing(true)
            .pragma("wal_autocheckpoint", "1000")
            .connect()
            .await
            .map_err(|error| fail(error.to_string()))?;
        migrations::run(&mut connection).await?;
        mark(&mut connection).await?;
        outbox::release_leases(&mut connection).await?;
        reach(Point::StartReleased);
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .min_connections(0)
            .idle_timeout(Duration::from_mins(1))
            .connect_lazy_with(options.read_only(true));
        let series = ledger::series_ids(&mut connection).await?;
        Ok(Self {
            writer: writer::Writer::start(connection),
            readers,
            series: Arc::new(Mutex::new(series)),
            path: path.into(),
            place: place::Place::of(path).map_err(|error| fail(error.to_string()))?,
            broken: CancellationToken::new(),
            _lock: Arc::new(lock),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the newest write went through; else why not.
    pub fn trouble(&self) -> Option<String> {
        self.writer.trouble()
    }

    /// Damaged files of earlier stores that lie beside it, for as long as nobody has taken them away.
    pub fn damaged(&self) -> Vec<String> {
        salvage::kept(&self.path)
    }

    /// Whether the file was taken away, or another put in its place, while it is open: what is written goes on to be, and is
    /// gone with this process. In words, with what to do.
    pub fn displaced(&self) -> Option<String> {
        self.place.left(&self.path)
    }

    /// Looks at an error: if it says that the file is damaged, the next start takes over what can be read.
    pub fn suspect(&self, error: &StoreError) {
        if error.is_broken() && !self.broken.is_cancelled() {
            tracing::error!(error = %error.text(), "the store is damaged: slod ends, and takes over what can be read when it is started again");
            if let Err(error) = private(&beside(&self.path, sound::SUSPECT)) {
                tracing::error!(%error, "the damage cannot be noted beside the store");
            }
            self.broken.cancel();
        }
    }

    /// Waits until the file is found to be damaged.
    pub async fn found_broken(&self) {
        self.broken.cancelled().await;
    }

    /// Waits for what is queued and closes the file.
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

/// The file's name with more behind it.
fn beside(path: &Path, tail: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(tail);
    PathBuf::from(name)
}

/// The file whose lock says that a store is in use. One file has one, however it is called.
fn lock_of(path: &Path) -> PathBuf {
    beside(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), ".lock")
}

/// Says whose the file is.
async fn mark(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let row = sqlx::query("pragma application_id").fetch_one(&mut *connection).await?;
    if row.get::<i64, _>(0) != i64::from(sound::APPLICATION_ID) {
        let mark = format!("pragma application_id = {}", sound::APPLICATION_ID);
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(connection).await?;
    }
    Ok(())
}

/// Opens a file; a new one is its owner's alone.
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

fn lock(path: &Path) -> Result<std::fs::File, StoreError> {
    let fail = |why: String| StoreError::Open { path: path.to_owned(), why };
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real.metadata().is_ok_and(|file| file.is_file() && file.nlink() > 1) {
        return Err(fail("it has several names (hard links), and another slod may use it by another one".to_owned()));
    }
    let file = private(&lock_of(path))
        .map_err(|error| fail(format!("{error}; does its folder exist, and may this user write there?")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(fail(error.to_string())),
    }
}
