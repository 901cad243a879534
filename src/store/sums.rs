//! Chunks of many series at once, and the sums that spare a start from reading them.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::TryStreamExt as _;
use sqlx::{Row, SqliteConnection};

use super::{Store, StoreError, commit::Commit};
use crate::{
    clock::Stopwatch,
    domain::{
        chunk::{ChunkError, SLOTS},
        ledger::{ChunkKey, Ledger, StoredSums},
    },
};

/// Fewer series than this are looked up one by one; for more, all chunks are read through.
const FEW: usize = 64;
/// Rows of sums in one write.
const WRITE_MAX: usize = 512;
/// How often a long reading says how far it is, in seconds.
const SAY_EVERY: u64 = 5;

/// A ledger that is to be filled.
#[derive(Debug)]
pub struct Wanted {
    /// Number of its series.
    pub series: i64,
    /// Nothing that ends before is wanted, in Unix seconds.
    pub from: i64,
    /// An empty one; then the filled one.
    pub ledger: Ledger,
}

/// What became of a loading.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Series whose sums were not stored, or not right, though they have chunks.
    pub recounted: usize,
    /// Chunks that are left out, by series.
    pub broken: Vec<(i64, ChunkError)>,
}

pub(super) async fn write(
    connection: &mut SqliteConnection,
    series: i64,
    every: u32,
    sums: &StoredSums,
) -> Result<(), StoreError> {
    let query = match sums.newest {
        Some(newest) => sqlx::query(
            "insert into sums (series, every, newest, data) values (?, ?, ?, ?) \
             on conflict do update set newest = excluded.newest, data = excluded.data",
        )
        .bind(series)
        .bind(every)
        .bind(newest)
        .bind(&sums.bytes),
        None => sqlx::query("delete from sums where series = ? and every = ?").bind(series).bind(every),
    };
    query.execute(connection).await?;
    Ok(())
}

impl Store {
    /// Fills ledgers by their stored sums and newest chunks; everything older stays in the store. Where sums are
    /// missing, of something else or broken, all chunks are counted, and their sums written.
    pub async fn load_ledgers(&self, wanted: &mut [Wanted]) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        let empty: Vec<Ledger> = wanted.iter().map(|wanted| wanted.ledger.clone()).collect();
        let places: HashMap<i64, usize> = wanted.iter().enumerate().map(|(at, wanted)| (wanted.series, at)).collect();
        let mut known = vec![false; wanted.len()];
        let mut wrong = vec![false; wanted.len()];
        let mut rows = sqlx::query(
            "select s.series, s.every, s.newest, s.data, c.data as chunk from sums s left join chunks c \
             on c.every = s.every and c.chunk = s.newest and c.series = s.series",
        )
        .fetch(&self.readers);
        while let Some(row) = rows.try_next().await? {
            let Some(at) = places.get(&row.get("series")).copied() else { continue };
            let (every, newest): (u32, i64) = (row.get("every"), row.get("newest"));
            let Wanted { from, ledger, .. } = &mut wanted[at];
            known[at] = true;
            if end_of(newest, every) <= *from {
                continue;
            }
            let result = ledger.load_sums(every, newest, *from, row.get("data")).and_then(|()| {
                let chunk: Option<Vec<u8>> = row.get("chunk");
                ledger.load(every, newest, chunk.ok_or(ChunkError { chunk: newest, why: "it is missing" })?)
            });
            wrong[at] |= result.is_err();
        }
        drop(rows);
        let slow: Vec<usize> = (0..wanted.len()).filter(|at| wrong[*at] || !known[*at]).collect();
        for at in &slow {
            wanted[*at].ledger = empty[*at].clone();
        }
        self.recount(wanted, &slow, &mut loaded).await?;
        Ok(loaded)
    }

    async fn recount(&self, wanted: &mut [Wanted], slow: &[usize], loaded: &mut Loaded) -> Result<(), StoreError> {
        for at in slow {
            let Wanted { from, ledger, .. } = &mut wanted[*at];
            ledger.begins_at(*from);
        }
        let mut found = HashSet::new();
        if slow.len() <= FEW {
            for at in slow {
                let Wanted { series, from, ledger } = &mut wanted[*at];
                for (every, chunk, data) in self.chunks_from(*series, *from).await? {
                    found.insert(*at);
                    if let Err(error) = ledger.count(every, chunk, &data) {
                        loaded.broken.push((*series, error));
                    }
                }
            }
        } else {
            self.read_through(wanted, slow, &mut found, loaded).await?;
        }
        loaded.recounted = found.len();
        let mut sums = Vec::new();
        for at in &found {
            let Wanted { series, ledger, .. } = &mut wanted[*at];
            while let Some(newest) = ledger.unopened() {
                let data = self.chunks(newest, &[*series]).await?.pop().map(|(_, data)| data);
                if data.is_none_or(|data| ledger.load(newest.every, newest.number, data).is_err()) {
                    ledger.lose(newest);
                }
            }
            sums.extend(ledger.all_sums().into_iter().map(|(every, sums)| (*series, every, sums)));
            if sums.len() >= WRITE_MAX {
                self.write_sums(std::mem::take(&mut sums)).await?;
            }
        }
        self.write_sums(sums).await
    }

    /// Reads all chunks there are, in their order.
    async fn read_through(
        &self,
        wanted: &mut [Wanted],
        slow: &[usize],
        found: &mut HashSet<usize>,
        loaded: &mut Loaded,
    ) -> Result<(), StoreError> {
        let places: HashMap<i64, usize> = slow.iter().map(|at| (wanted[*at].series, *at)).collect();
        let (watch, mut said, mut read) = (Stopwatch::start(), 1, 0_u64);
        let mut rows = sqlx::query("select every, chunk, series, data from chunks").fetch(&self.readers);
        while let Some(row) = rows.try_next().await? {
            read += 1;
            let passed = watch.elapsed().as_secs();
            if passed >= said {
                said = passed + SAY_EVERY;
                tracing::info!(chunks = read, series = slow.len(), "stored sums are missing: all slots are counted");
            }
            let Some(at) = places.get(&row.get("series")).copied() else { continue };
            let Wanted { series, from, ledger } = &mut wanted[at];
            let (every, chunk): (u32, i64) = (row.get("every"), row.get("chunk"));
            if end_of(chunk, every) <= *from {
                continue;
            }
            found.insert(at);
            if let Err(error) = ledger.count(every, chunk, row.get("data")) {
                loaded.broken.push((*series, error));
            }
        }
        Ok(())
    }

    async fn write_sums(&self, sums: Vec<(i64, u32, StoredSums)>) -> Result<(), StoreError> {
        if !sums.is_empty() {
            let commit = Commit { sums, ..Commit::default() };
            self.commit(std::sync::Arc::new(commit), chrono::DateTime::UNIX_EPOCH).await?;
        }
        Ok(())
    }

    /// One chunk of some series.
    pub async fn chunks(&self, chunk: ChunkKey, series: &[i64]) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let rows = sqlx::query(
            // A cross join keeps the order: each number is looked up once.
            "select c.series, c.data from json_each(?) as wanted cross join chunks c \
             where c.every = ? and c.chunk = ? and c.series = wanted.value",
        )
        .bind(super::commit::to_json(&series, "numbers of series")?)
        .bind(chunk.every)
        .bind(chunk.number)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(|row| (row.get("series"), row.get("data"))).collect())
    }

    /// Many chunks of many series, in few questions.
    pub async fn all_chunks(
        &self,
        wanted: &BTreeMap<ChunkKey, Vec<i64>>,
    ) -> Result<HashMap<(i64, ChunkKey), Vec<u8>>, StoreError> {
        let mut found = HashMap::new();
        for (chunk, series) in wanted {
            for (series, data) in self.chunks(*chunk, series).await? {
                found.insert((series, *chunk), data);
            }
        }
        Ok(found)
    }

    /// A series' chunks that end after `from` (Unix seconds): slot length, number, bytes; the oldest first.
    pub(super) async fn chunks_from(&self, series: i64, from: i64) -> Result<Vec<(u32, i64, Vec<u8>)>, StoreError> {
        let lengths = lengths(&mut *self.readers.acquire().await?).await?;
        let mut found = Vec::new();
        for every in lengths {
            let ends = sqlx::query(
                "select (select min(chunk) from chunks where every = ?1), (select max(chunk) from chunks where every = ?1)",
            );
            let ends = ends.bind(every).fetch_one(&self.readers).await?;
            let (Some(first), Some(last)) = (ends.get::<Option<i64>, _>(0), ends.get::<Option<i64>, _>(1)) else {
                continue;
            };
            let first = from.div_euclid(SLOTS * i64::from(every)).max(first);
            let rows = sqlx::query(
                "with recursive numbers (chunk) as (select ?1 where ?1 <= ?2 union all \
                 select chunk + 1 from numbers where chunk < ?2) \
                 select c.chunk, c.data from numbers cross join chunks c \
                 where c.every = ?3 and c.chunk = numbers.chunk and c.series = ?4",
            )
            .bind(first)
            .bind(last)
            .bind(every)
            .bind(series)
            .fetch_all(&self.readers)
            .await?;
            found.extend(rows.iter().map(|row| (every, row.get("chunk"), row.get("data"))));
        }
        Ok(found)
    }
}

/// The slot lengths there are. By steps of the key: lengths are few, chunks many.
pub(super) async fn lengths(connection: &mut SqliteConnection) -> Result<Vec<u32>, StoreError> {
    let rows = sqlx::query(
        "with recursive lengths (every) as (select min(every) from chunks union all \
         select (select min(c.every) from chunks c where c.every > lengths.every) from lengths \
         where lengths.every is not null) select every from lengths where every is not null",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().map(|row| row.get("every")).collect())
}

/// The end of a chunk in Unix seconds.
fn end_of(chunk: i64, every: u32) -> i64 {
    chunk.saturating_add(1).saturating_mul(SLOTS * i64::from(every))
}
