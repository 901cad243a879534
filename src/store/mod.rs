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
    ConnectOptions, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    domain::decide::SeriesKey,
    failpoint::{Point, reach},
};

pub mod agenda;
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
mod postings;
pub mod pulse;
pub mod silences;
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
    /// Held for as long as the store is open: a second daemon on the same file would send everything twice.
    _lock: Arc<std::fs::File>,
}

impl Store {
    /// Opens or creates the file and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |why: String| StoreError::Open { path: path.to_owned(), why };
        let lock = lock(path)?;
        // What it makes beside the file gets the file's own mode.
        private(path).map_err(|error| fail(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let mut connection = options
            .clone()
            .create_if_missing(true)
            .pragma("wal_autocheckpoint", "1000")
            .connect()
            .await
            .map_err(|error| fail(error.to_string()))?;
        migrations::run(&mut connection).await?;
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

    /// Waits for what is queued and closes the file.
    pub async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
    }
}

/// Opens a file; a new one is its owner's alone.
fn private(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

fn lock(path: &Path) -> Result<std::fs::File, StoreError> {
    let fail = |why: String| StoreError::Open { path: path.to_owned(), why };
    // One file has one lock, however it is called.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real.metadata().is_ok_and(|file| file.is_file() && file.nlink() > 1) {
        return Err(fail("it has several names (hard links), and another slod may use it by another one".to_owned()));
    }
    let mut name = real.into_os_string();
    name.push(".lock");
    let file = private(Path::new(&name))
        .map_err(|error| fail(format!("{error}; does its folder exist, and may this user write there?")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(std::fs::TryLockError::Error(error)) => Err(fail(error.to_string())),
    }
}
