//! Fills a store with made-up slots, for measuring: `plant STORE SLOS DAYS`.
//!
//! The SLOs are `bench/slo-0`, `bench/slo-1`, …, their slots a minute long, with traffic of about 6,000 events each and
//! some of them bad. It is written as slod itself writes: the newest chunks of all series grow side by side, in a few
//! steps each. The last slot is the one that has just ended.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that says what it does")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Context as _;
use slod::{
    domain::{
        chunk::{SLOTS, chunk_of},
        decide::SeriesKey,
        history::History,
        ledger::Ledger,
        name::SloId,
        slot::{Reading, Slot},
    },
    store::{Store, commit::Commit, ledger::Definition},
};

const EVERY: u32 = 60;
/// Parts in which a chunk is written.
const STEPS: i64 = 4;
/// Chunks in one transaction.
const ROWS: usize = 5_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("usage: plant STORE SLOS DAYS");
    let (path, slos, days): (String, usize, i64) = (next()?, next()?.parse()?, next()?.parse()?);
    let now = chrono::Utc::now();
    let store = Store::open(Path::new(&path)).await?;
    let keys: Vec<SeriesKey> =
        (0..slos).map(|number| SeriesKey::whole(SloId::new("bench", format!("slo-{number}").as_str()))).collect();
    let definition =
        Definition { since: now - chrono::TimeDelta::days(days), hash: 0, objective_ppb: 990_000_000, every: EVERY };
    store.enrol(keys.iter().map(|key| (key.clone(), definition)).collect()).await?;
    let end = now.timestamp().div_euclid(i64::from(EVERY));
    let mut ledgers = vec![Ledger::new(EVERY); slos];
    let mut noise = 88_172_645_463_325_252_u64;
    let mut from = end - days * 86_400 / i64::from(EVERY);
    while from < end {
        let to = ((from / (SLOTS / STEPS) + 1) * (SLOTS / STEPS)).min(end);
        let mut commit = Commit::default();
        for (key, ledger) in keys.iter().zip(&mut ledgers) {
            let series = store.series_id(key).context("not enrolled")?;
            for index in from..to {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                let (total, bad) = (5_900 + noise % 200, u8::try_from(noise >> 32 & 7)?);
                let total = total as f64;
                ledger.insert(Slot::settled(index, &Reading::events(total - f64::from(bad), total, None)));
            }
            let chunk = chunk_of(from);
            let bytes = ledger.chunk_bytes(chunk).context("no chunk")?;
            commit.chunks.push((series, EVERY, chunk, bytes));
            commit.sums.extend(ledger.take_sums().map(|sums| (series, EVERY, sums)));
            if to % SLOTS == 0 {
                // What is written need not be kept.
                ledger.evict();
                ledger.evict();
            }
            if commit.chunks.len() == ROWS {
                store.commit(Arc::new(std::mem::take(&mut commit)), now).await?;
            }
        }
        store.commit(Arc::new(commit), now).await?;
        from = to;
    }
    let histories: BTreeMap<SloId, History> =
        keys.iter().map(|key| (key.id.clone(), History::new(EVERY, end, end))).collect();
    let commit = Commit { histories: histories.into_iter().collect(), ..Commit::default() };
    store.commit(Arc::new(commit), now).await?;
    store.close().await;
    println!("{} bytes", std::fs::metadata(&path)?.len());
    Ok(())
}
