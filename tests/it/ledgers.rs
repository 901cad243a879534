//! Ledgers in the store: chunks, and the sums that spare a start from reading them all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{path::Path, sync::Arc};

use chrono::DateTime;
use proptest::prelude::*;
use slod::{
    domain::{
        chunk::chunk_of,
        decide::SeriesKey,
        ledger::Ledger,
        name::SloId,
        slot::{Gap, Reading, Slot},
    },
    store::{
        Store,
        commit::Commit,
        ledger::Definition,
        sums::{Loaded, Wanted},
    },
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

const EVERY: u32 = 60;

fn key(name: &str) -> SeriesKey {
    SeriesKey::whole(SloId::new("shop", name))
}

async fn enrolled(store: &Store, name: &str) -> i64 {
    let definition = Definition { since: DateTime::UNIX_EPOCH, hash: 1, objective_ppb: 990_000_000, every: EVERY };
    store.enrol(vec![(key(name), definition)]).await.unwrap();
    store.series_id(&key(name)).unwrap()
}

/// Settles slots and writes what changed, as the decider does.
async fn settle(store: &Store, series: i64, ledger: &mut Ledger, slots: impl IntoIterator<Item = Slot>) {
    let mut commit = Commit::default();
    let mut changed = Vec::new();
    for slot in slots {
        ledger.insert(slot);
        changed.push(chunk_of(slot.index));
    }
    changed.sort_unstable();
    changed.dedup();
    let bytes = |ledger: &Ledger, chunk| ledger.chunk_bytes(chunk).map(|bytes| (series, EVERY, chunk, bytes));
    commit.chunks.extend(changed.into_iter().filter_map(|chunk| bytes(ledger, chunk)));
    commit.sums.extend(ledger.take_sums().map(|sums| (series, EVERY, sums)));
    store.commit(Arc::new(commit), DateTime::UNIX_EPOCH).await.unwrap();
}

/// The ledgers as a start finds them.
async fn started(store: &Store, series: &[i64], from: i64) -> (Vec<Ledger>, Loaded) {
    let wanted = |series: &i64| Wanted { series: *series, from, ledger: Ledger::new(EVERY) };
    let mut wanted: Vec<Wanted> = series.iter().map(wanted).collect();
    let loaded = store.load_ledgers(&mut wanted).await.unwrap();
    (wanted.into_iter().map(|wanted| wanted.ledger).collect(), loaded)
}

/// The ledger as all its chunks say.
async fn counted(store: &Store, series: i64, from: i64) -> Ledger {
    let mut ledger = Ledger::new(EVERY);
    ledger.begins_at(from);
    assert_eq!(store.load_ledger(series, from, &mut ledger).await.unwrap(), []);
    ledger
}

async fn connection(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

fn slot(index: i64) -> Slot {
    let reading = match index % 11 {
        0 => Reading::Unmeasured(Gap::NoData),
        1 => Reading::Empty,
        n => Reading::events(n as f64, 12.0, None),
    };
    Slot::settled(index, &reading)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Killed after any transaction: a copy of the files as they lie there starts with the sums of its chunks.
    #[test]
    fn sums_are_those_of_the_chunks(steps in prop::collection::vec((-900_i64..700, 1_i64..300), 1..14)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("slod.db");
            let store = Store::open(&path).await.unwrap();
            let series = enrolled(&store, "front").await;
            let (mut ledger, mut newest) = (Ledger::new(EVERY), 10_000);
            for (number, (step, count)) in steps.into_iter().enumerate() {
                let first = newest + step;
                settle(&store, series, &mut ledger, (first..first + count).map(slot)).await;
                newest = newest.max(first + count - 1);
                let copy = folder.path().join(format!("copy-{number}"));
                std::fs::create_dir(&copy).unwrap();
                for file in ["slod.db", "slod.db-wal"] {
                    std::fs::copy(folder.path().join(file), copy.join(file)).unwrap();
                }
                let after = Store::open(&copy.join("slod.db")).await.unwrap();
                let (found, loaded) = started(&after, &[series], 0).await;
                assert_eq!((loaded.recounted, loaded.broken.len()), (0, 0));
                let counted = counted(&after, series, 0).await;
                assert_eq!(found[0].newest(), counted.newest());
                assert_eq!(found[0].sums().newest, counted.sums().newest);
                assert_eq!(found[0].totals(i64::MIN / 120, newest + 1), counted.totals(i64::MIN / 120, newest + 1));
                assert_eq!(found[0].totals(i64::MIN / 120, newest + 1), ledger.totals(i64::MIN / 120, newest + 1));
                after.close().await;
            }
            store.close().await;
        });
    }
}

/// What happens to the table of sums, and how many of the two series are counted anew then.
#[tokio::test]
async fn sums_that_are_missing_or_wrong_are_counted_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    let (front, back) = (enrolled(&store, "front").await, enrolled(&store, "back").await);
    let (mut one, mut other) = (Ledger::new(EVERY), Ledger::new(EVERY));
    settle(&store, front, &mut one, (1_000..3_000).map(slot)).await;
    settle(&store, back, &mut other, (5_000..5_100).map(slot)).await;
    let expected = one.totals(0, 6_000);
    for (what, recounted) in [
        ("select 1", 0),
        ("delete from sums", 2),
        ("delete from sums where newest = 12", 1),
        ("update sums set data = x'0100'", 2),
        ("update sums set newest = newest + 1", 2),
        ("update sums set data = cast(substr(data, 1, length(data) - 1) || x'00' as blob)", 2),
    ] {
        let mut connection = connection(&path).await;
        sqlx::raw_sql(what).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let (ledgers, loaded) = started(&store, &[front, back], 0).await;
        assert_eq!((loaded.recounted, loaded.broken.len()), (recounted, 0), "{what}");
        assert_eq!(ledgers[0].totals(0, 6_000), expected, "{what}");
        assert_eq!((ledgers[0].newest(), ledgers[1].newest()), (Some(2_999), Some(5_099)), "{what}");
        // They are written at once.
        assert_eq!(started(&store, &[front, back], 0).await.1.recounted, 0, "{what}");
    }
    // More history is wanted than the sums are of.
    settle(&store, front, &mut one, (100..101).map(slot)).await;
    let (mut short, _) = started(&store, &[front], 240 * 60 * 10).await;
    settle(&store, front, &mut short[0], (3_000..3_500).map(slot)).await;
    let (ledgers, loaded) = started(&store, &[front], 0).await;
    assert_eq!(loaded.recounted, 1);
    assert_eq!(
        ledgers[0].totals(0, 6_000).known_seconds,
        counted(&store, front, 0).await.totals(0, 6_000).known_seconds
    );
}

#[tokio::test]
async fn a_broken_chunk_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let store = Store::open(&path).await.unwrap();
    let front = enrolled(&store, "front").await;
    let mut ledger = Ledger::new(EVERY);
    settle(&store, front, &mut ledger, (0..960).map(slot)).await;
    let mut connection = connection(&path).await;
    sqlx::raw_sql("update chunks set data = x'00' where chunk in (1, 3)").execute(&mut connection).await.unwrap();
    let (ledgers, loaded) = started(&store, &[front], 0).await;
    assert_eq!(loaded.broken.iter().map(|(_, error)| error.chunk).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(ledgers[0].newest(), Some(719));
    let known = |from, to| ledger.totals(from, to).known_seconds;
    assert_eq!(ledgers[0].totals(0, 960).known_seconds, known(0, 240) + known(480, 720));
}

/// A store as slod wrote it before there were sums: chunks of version 1, in the old table.
#[tokio::test]
async fn a_store_of_the_format_before_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slod.db");
    let mut old = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path).create_if_missing(true))
        .await
        .unwrap();
    let start = include_str!("../../src/store/migrations/0001_start.sql");
    let histories = include_str!("../../src/store/migrations/0004_histories.sql");
    let corrections = include_str!("../../src/store/migrations/0003_corrections.sql");
    for statements in [start, histories, corrections, "pragma user_version = 3"] {
        sqlx::raw_sql(statements).execute(&mut old).await.unwrap();
    }
    sqlx::raw_sql("insert into series (id, service, slo, labels) values (1, 'shop', 'front', '{}')")
        .execute(&mut old)
        .await
        .unwrap();
    // 10 events, 1 of them bad; 63 times the same; then 8 unmeasured slots; shown values would follow the end.
    let chunk = [&[1, 5, 20, 1][..], &[31 << 3 | 4, 30 << 3 | 4, 7 << 3 | 1, 7]].concat();
    for number in [5_i64, 6, 9] {
        sqlx::query("insert into chunks (series, every, chunk, data) values (1, ?, ?, ?)")
            .bind(EVERY)
            .bind(number)
            .bind(&chunk)
            .execute(&mut old)
            .await
            .unwrap();
    }
    old.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    for recounted in [1, 0] {
        let (mut ledgers, loaded) = started(&store, &[1], 0).await;
        assert_eq!((loaded.recounted, loaded.broken.len()), (recounted, 0));
        let totals = ledgers[0].totals(0, 10_000);
        assert_eq!((totals.total, totals.bad()), (3.0 * 640.0, 3.0 * 64.0));
        assert_eq!((totals.known_seconds, totals.unmeasured_seconds), (3 * 64 * 60, 3 * 8 * 60));
        assert_eq!(ledgers[0].newest(), Some(9 * 240 + 71));
        // A window that begins within a chunk needs it.
        ledgers[0].totals(5 * 240 + 32, 10_000);
        for missing in ledgers[0].missing() {
            let (_, data) = store.chunks(missing, &[1]).await.unwrap().remove(0);
            ledgers[0].load(missing.every, missing.number, data).unwrap();
        }
        let totals = ledgers[0].totals(5 * 240 + 32, 10_000);
        assert_eq!((totals.total, totals.bad()), (2.0 * 640.0 + 320.0, 2.0 * 64.0 + 32.0));
        assert!(ledgers[0].is_whole());
    }
}
