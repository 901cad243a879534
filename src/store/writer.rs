//! The one writer. Whatever waits is joined into one transaction: a thousand small writes cost a few fsyncs, and each
//! caller still hears only of what is on the disk.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::StoreError;
use crate::failpoint::{Point, reach};

/// Most writes in one transaction.
const BATCH_MAX: usize = 512;
/// Most writes that wait; more callers wait for a place.
const QUEUE_MAX: usize = 8_192;

type Work = Arc<dyn for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>> + Send + Sync>;

enum Request {
    Write(Work, oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<()>),
}

/// A handle to the writer.
#[derive(Clone)]
pub struct Writer {
    requests: mpsc::Sender<Request>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Writer {
    /// Starts the task that owns the connection.
    pub fn start(connection: SqliteConnection) -> Self {
        let (requests, inbox) = mpsc::channel(QUEUE_MAX);
        let trouble = Arc::new(Mutex::new(None));
        tokio::spawn(serve(connection, inbox, trouble.clone()));
        Self { requests, trouble }
    }

    /// Runs `work` in a transaction and answers when it is committed. `work` may run more than once: if the joined
    /// transaction fails, each part is tried alone.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let (work, result) = (Arc::new(work), slot.clone());
        let work: Work = Arc::new(move |connection| {
            let (work, result) = (work.clone(), result.clone());
            Box::pin(async move {
                let value = work(connection).await?;
                *result.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
                Ok(())
            })
        });
        let (done, answer) = oneshot::channel();
        self.requests.send(Request::Write(work, done)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)??;
        let value = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        value.ok_or(StoreError::Closed)
    }

    /// Why the newest write failed, if it did.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Waits for what is queued, then closes the connection.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.requests.send(Request::Close(done)).await.is_ok() {
            // An error means that it is closed already.
            let _ = closed.await;
        }
    }
}

async fn serve(
    mut connection: SqliteConnection,
    mut inbox: mpsc::Receiver<Request>,
    trouble: Arc<Mutex<Option<String>>>,
) {
    let note = |result: &Result<(), StoreError>| {
        let text = result.as_ref().err().map(StoreError::text);
        *trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = text;
    };
    let mut waiting = Vec::new();
    while inbox.recv_many(&mut waiting, BATCH_MAX).await > 0 {
        let mut batch = Vec::new();
        let mut closing = None;
        for request in waiting.drain(..) {
            match request {
                Request::Write(work, done) => batch.push((work, done)),
                Request::Close(done) => closing = Some(done),
            }
        }
        let joined = transact(&mut connection, batch.iter().map(|(work, _)| work)).await;
        if joined.is_ok() || batch.len() == 1 {
            note(&joined);
            let mut joined = Some(joined);
            for (_, done) in batch {
                // A caller that has gone away does not care.
                let _ = done.send(joined.take().unwrap_or(Ok(())));
            }
        } else {
            for (work, done) in batch {
                let alone = transact(&mut connection, std::iter::once(&work)).await;
                note(&alone);
                let _ = done.send(alone);
            }
        }
        if let Some(done) = closing {
            // Nothing can be done about an error here; the WAL is recovered at the next opening.
            let _ = connection.close().await;
            let _ = done.send(());
            return;
        }
    }
}

/// Runs `works` in one transaction, or leaves nothing of them.
///
/// By statements, not by sqlx's transactions: when the disk is full SQLite has already rolled back by itself, and sqlx,
/// whose own rollback then fails, would count the connection as within a transaction for good.
async fn transact<'w>(
    connection: &mut SqliteConnection,
    works: impl Iterator<Item = &'w Work>,
) -> Result<(), StoreError> {
    sqlx::query("begin immediate").execute(&mut *connection).await?;
    reach(Point::WriteBegun);
    let result = run(connection, works).await;
    if result.is_err() {
        // Fails where SQLite was faster, which is as well.
        let _ = sqlx::query("rollback").execute(&mut *connection).await;
    }
    result
}

async fn run<'w>(connection: &mut SqliteConnection, works: impl Iterator<Item = &'w Work>) -> Result<(), StoreError> {
    for work in works {
        work(connection).await?;
    }
    reach(Point::WriteRan);
    sqlx::query("commit").execute(connection).await?;
    reach(Point::WriteCommitted);
    Ok(())
}
