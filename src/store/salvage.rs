//! A store that is damaged: what can be read of it is taken over into a new file, and the old one is kept beside it.
//!
//! Each table is copied by ranges of its key. A range that cannot be read is halved, until only rows are left out that
//! cannot be read themselves; so one broken page costs the rows on it. The new file takes the old one's place when it is
//! complete: killed before that, the next start begins anew.

use std::{
    collections::{BTreeMap, VecDeque},
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use super::{
    StoreError, beside,
    commit::{from_json, to_json},
    migrations, sound,
};
use crate::{
    clock::{Clock as _, SystemClock},
    domain::{
        incident::Incident,
        message::{Occasion, Telling, compose},
        name::Name,
        notification::{Event, Message},
    },
};

/// The tables and the whole number that their rows are in order of; without one they are read in one go. Sums are counted
/// anew.
const TABLES: [(&str, &str); 18] = [
    ("series", "rowid"),
    ("definitions", "series"),
    ("incidents", "rowid"),
    ("deliveries", "rowid"),
    ("alerts", "series"),
    ("corrections", "rowid"),
    ("silences", "rowid"),
    ("annotations", "rowid"),
    ("histories", ""),
    ("timeline", "rowid"),
    ("attempts", "delivery"),
    ("diagnostics", ""),
    ("source_events", ""),
    ("pager_incidents", ""),
    ("pager_calls", ""),
    ("agenda", ""),
    ("occurrences", ""),
    ("life", ""),
];
/// Most ranges that are tried of one table.
const RANGES_MAX: usize = 20_000;
/// More than any key.
const KEY_MAX: i64 = 1 << 53;

/// What is left is made whole: nothing refers to what is lost. What waits to be said of the end of an incident that is
/// lost is still said; an alert that fires without its incident is forgotten, so that it fires again.
const MEND: [&str; 12] = [
    "delete from definitions where series not in (select id from series)",
    "delete from corrections where series not in (select id from series)",
    "delete from chunks where series not in (select id from series)",
    "delete from alerts where not json_valid(document) or series not in (select id from series)",
    "delete from incidents where not json_valid(document)",
    "delete from timeline where incident not in (select id from incidents)",
    "delete from deliveries where not json_valid(message) or incident not in (select id from incidents) \
     and not (event = 'resolve' and state in ('queued', 'sending', 'retry'))",
    "delete from attempts where delivery not in (select id from deliveries)",
    "delete from diagnostics where incident not in (select id from incidents)",
    "delete from source_events where incident not in (select id from incidents)",
    "update deliveries set incident = null where incident not in (select id from incidents)",
    "delete from alerts where json_extract(document, '$.state.state') = 'firing' \
     and not coalesce(json_extract(document, '$.muted'), 0) and not exists ( \
       select 1 from series s join incidents i on i.service = s.service and i.slo = s.slo and i.state != 'resolved' \
       where s.id = alerts.series and json_extract(i.document, '$.subject.slo.series') = json(s.labels))",
];

/// Puts a new file into the place of the one at `path`. Answers in words what became of it.
pub(super) async fn salvage(path: &Path, options: &SqliteConnectOptions, why: &str) -> Result<String, StoreError> {
    let fresh = beside(path, ".new");
    remove(&fresh);
    // Without a log beside it: it is one file when it is renamed.
    let mut connection = options
        .clone()
        .filename(&fresh)
        .create_if_missing(true)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Delete)
        .connect()
        .await?;
    migrations::run(&mut connection).await?;
    let taken = take_over(&mut connection, path).await;
    drop(connection.close().await);
    let taken = taken?;
    let moved = put_aside(path).map_err(|error| StoreError::Open {
        path: path.to_owned(),
        why: format!("it is damaged ({why}) and cannot be moved aside: {error}"),
    })?;
    std::fs::rename(&fresh, path)
        .map_err(|error| StoreError::Open { path: path.to_owned(), why: error.to_string() })?;
    // It may never have been there.
    let _ = std::fs::remove_file(beside(path, sound::SUSPECT));
    Ok(format!("the store was damaged ({why}); {taken}; the damaged file is kept as {}", moved.display()))
}

/// A new file that was complete when slod was killed, before it was in its place.
pub(super) fn finish(path: &Path) {
    let fresh = beside(path, ".new");
    let is_left = !path.exists() && fresh.exists() && !with(&fresh, "-journal").exists();
    if is_left && let Err(error) = std::fs::rename(&fresh, path) {
        tracing::error!(%error, "what was salvaged of a damaged store cannot be put into its place");
    }
}

/// Damaged files that lie beside the store, the newest last.
pub(super) fn kept(path: &Path) -> Vec<String> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let begins = format!("{name}.broken-");
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<String> = names.filter(|name| name.starts_with(&begins) && name.ends_with('Z')).collect();
    found.sort();
    found
}

/// Moves the file and what SQLite keeps beside it to a name that says when.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let mut at = SystemClock.now();
    let aside = loop {
        let aside = beside(path, &at.format(".broken-%Y%m%dT%H%M%SZ").to_string());
        if !aside.exists() {
            break aside;
        }
        at += TimeDelta::seconds(1);
    };
    std::fs::rename(path, &aside)?;
    for tail in ["-wal", "-shm"] {
        match std::fs::rename(with(path, tail), with(&aside, tail)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

fn remove(fresh: &Path) {
    for file in [fresh.to_owned(), with(fresh, "-journal")] {
        // Most often there is none.
        let _ = std::fs::remove_file(file);
    }
}

fn with(path: &Path, tail: &str) -> PathBuf {
    beside(path, tail)
}

/// Copies what can be read, and says what that was.
async fn take_over(connection: &mut SqliteConnection, from: &Path) -> Result<String, StoreError> {
    // SQLite reads a file that was cut off only so.
    sqlx::query("pragma writable_schema = on").execute(&mut *connection).await?;
    let attached = sqlx::query("attach database ? as broken").bind(from.to_string_lossy()).execute(&mut *connection);
    if let Err(error) = attached.await {
        tracing::error!(%error, "nothing of the damaged store can be read");
        return Ok("nothing of it could be read, and slod begins with an empty one".to_owned());
    }
    sqlx::query("pragma synchronous = off").execute(&mut *connection).await?;
    let mut copied: BTreeMap<&str, Copied> = BTreeMap::new();
    for (table, key) in TABLES {
        copy(connection, table, key, copied.entry(table).or_default()).await?;
    }
    // Chunks lie in order of their slot length first.
    for row in sqlx::query("select distinct every from definitions").fetch_all(&mut *connection).await? {
        let key = format!("every = {} and chunk", row.get::<i64, _>("every"));
        copy(connection, "chunks", &key, copied.entry("chunks").or_default()).await?;
    }
    // A damaged file may not even be let go of; closing the connection does.
    drop(sqlx::query("detach database broken").execute(&mut *connection).await);
    for statement in MEND {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    sqlx::query("pragma writable_schema = off").execute(&mut *connection).await?;
    tell_again(connection, SystemClock.now()).await?;
    sqlx::query("pragma synchronous = full").execute(&mut *connection).await?;
    Ok(words(&copied))
}

/// Receivers of an open incident whose messages are lost: whether they were told is not known, so they are told again,
/// pagers by the same key. Without such a row nobody would tell them of the end.
async fn tell_again(connection: &mut SqliteConnection, now: DateTime<Utc>) -> Result<(), StoreError> {
    let query = "select document from incidents where live = 1 and state != 'resolved'";
    let rows = sqlx::query(query).fetch_all(&mut *connection).await?;
    for incident in rows.iter().filter_map(|row| from_json::<Incident>(row.get("document"), "an incident").ok()) {
        for (receiver, told) in &incident.told {
            let known = sqlx::query("select 1 from deliveries where incident = ? and receiver = ? limit 1");
            let known = known.bind(&incident.id).bind(receiver.as_str()).fetch_optional(&mut *connection).await?;
            let (None, Some(newest)) = (known, told.openings.last()) else { continue };
            for opening in &told.openings {
                // Whatever it is that a chat or a pager knows it by.
                insert(connection, &incident, receiver, (*opening, now), opening == newest).await?;
            }
            if !told.openings.contains(&1) {
                insert(connection, &incident, receiver, (1, now), false).await?;
            }
        }
    }
    Ok(())
}

/// A page that waits, or one that may have been sent.
async fn insert(
    connection: &mut SqliteConnection,
    incident: &Incident,
    receiver: &Name,
    (opening, now): (u32, DateTime<Utc>),
    waits: bool,
) -> Result<(), StoreError> {
    let occasion = Occasion {
        incident,
        series: None,
        source_error: None,
        failing_since: None,
        is_failing: false,
        external_url: "",
        now,
    };
    let reason = "the store was damaged: it is not known whether this was told before";
    let message = compose(&occasion, &Telling { event: Event::Trigger, opening, reason, late: true });
    let sent_at = (!waits).then(|| now.timestamp_millis());
    sqlx::query(
        "insert into deliveries (incident, receiver, event, priority, state, dedup_key, message, attempts, decided_at, \
         next_at, sent_at) values (?1, ?2, 'trigger', ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9)",
    )
    .bind(&incident.id)
    .bind(receiver.as_str())
    .bind(incident.priority.as_str())
    .bind(if waits { "queued" } else { "sent" })
    .bind(incident.dedup_key(opening))
    .bind(to_json(&Message::Notification(Box::new(message)), "a message")?)
    // It may have been tried: its end is to be told in any case.
    .bind(1)
    .bind(now.timestamp_millis())
    .bind(sent_at)
    .execute(connection)
    .await?;
    Ok(())
}

fn words(copied: &BTreeMap<&str, Copied>) -> String {
    let part = |count: fn(&Copied) -> u64| {
        let counted = copied.iter().map(|(table, copied)| (table, count(copied))).filter(|(_, count)| *count > 0);
        counted.map(|(table, count)| format!("{count} of {table}")).collect::<Vec<_>>().join(", ")
    };
    let (rows, lost) = (part(|copied| copied.rows), part(|copied| copied.lost));
    match (rows.is_empty(), lost.is_empty()) {
        (true, _) => "nothing of it could be read, and slod begins with an empty one".to_owned(),
        (false, true) => format!("rows taken over: {rows}"),
        (false, false) => format!("rows taken over: {rows}; places that could not be read: {lost}"),
    }
}

#[derive(Default)]
struct Copied {
    rows: u64,
    /// Rows, or ranges of rows, that could not be read.
    lost: u64,
}

async fn copy(
    connection: &mut SqliteConnection,
    table: &str,
    key: &str,
    copied: &mut Copied,
) -> Result<(), StoreError> {
    let columns = columns(connection, table).await;
    if columns.is_empty() {
        copied.lost += 1;
        return Ok(());
    }
    let range = if key.is_empty() { "?1 <= ?2".to_owned() } else { format!("{key} between ?1 and ?2") };
    let query =
        format!("insert or ignore into main.{table} ({columns}) select {columns} from broken.{table} where {range}");
    let mut ranges = VecDeque::from([(0, KEY_MAX)]);
    for _ in 0..RANGES_MAX {
        let Some((low, high)) = ranges.pop_front() else { break };
        let insert = sqlx::query(sqlx::AssertSqlSafe(query.clone())).bind(low).bind(high);
        match insert.execute(&mut *connection).await {
            Ok(done) => copied.rows += done.rows_affected(),
            Err(error) if is_full(&error) => return Err(error.into()),
            Err(_) if low == high || key.is_empty() => copied.lost += 1,
            Err(_) => {
                let middle = low + (high - low) / 2;
                ranges.extend([(low, middle), (middle + 1, high)]);
            }
        }
    }
    copied.lost += ranges.len() as u64;
    Ok(())
}

/// The columns that both files have.
async fn columns(connection: &mut SqliteConnection, table: &str) -> String {
    let query =
        "select a.name from pragma_table_info(?1, 'main') a join pragma_table_info(?1, 'broken') b using (name)";
    let rows = sqlx::query(query).bind(table).fetch_all(connection).await.unwrap_or_default();
    let names: Vec<String> = rows.iter().map(|row| format!("\"{}\"", row.get::<&str, _>("name"))).collect();
    names.join(", ")
}

/// Whether the new file cannot be written: then nothing may be given up as unreadable.
fn is_full(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return true };
    let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default() & 0xff;
    // SQLITE_FULL, SQLITE_READONLY, SQLITE_CANTOPEN
    [13, 8, 14].contains(&code)
}
