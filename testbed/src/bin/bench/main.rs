//! `make bench`: measures a release build of slod from the outside and prints one table.
//!
//! - `size`, `idle`: the binary, start to ready, and memory with a small configuration;
//! - `pages`: from a source's answer to PagerDuty's acceptance, with 1,000 SLOs of which ten turn bad each slot;
//! - `burst`: 1,000 incidents that open in one slot, with a store that syncs each commit to the disk;
//! - `escalations`: 1,000 incidents with three steps each: how late the steps are;
//! - `drain`: 10,000 queued messages to 20 receivers, with and without one that never answers;
//! - `webhooks`: answers to a pager's webhooks while 1,000 SLOs are evaluated;
//! - `exactness`: counts of 30 days beside the truth, and samples read, beside the same in recording rules and plain queries,
//!   all against one real Prometheus;
//! - `backfill`: the first 30 days of 1,000 SLOs out of a real Prometheus, with live slots meanwhile;
//! - `scale`: 10,000 SLOs with 30 days of minutes behind them: start, memory, processor, lag, store;
//! - `dashboard`: the pages of 500 SLOs and of one SLO with 30 days: time, size, answers a second on one core;
//! - `growth`: processor time of a slot with 10 to 10,000 SLOs. Draws `docs/performance-growth.svg`.

mod compare;
mod dashboard;
mod doors;
mod drain;
mod escalations;
mod exactness;
mod fill;
mod growth;
mod meter;
mod pages;
mod plant;
mod proxy;
mod scale;
mod svg;
mod table;
mod webhooks;
mod world;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use table::{HEAD, Progress, Row, mib};

const SECTIONS: [&str; 12] = [
    "size",
    "idle",
    "pages",
    "burst",
    "escalations",
    "drain",
    "webhooks",
    "exactness",
    "backfill",
    "dashboard",
    "growth",
    "scale",
];

fn main() -> anyhow::Result<()> {
    // The only provider; a second installation would be refused, and no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let binary = PathBuf::from(arguments.next().context("usage: bench PATH-OF-SLOD [SECTION…]")?);
    let binary = std::path::absolute(binary)?;
    let only: Vec<String> = arguments.collect();
    if let Some(unknown) = only.iter().find(|section| !SECTIONS.contains(&section.as_str())) {
        bail!("no section `{unknown}`; there are {}", SECTIONS.join(", "));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let progress = Progress::start();
    let mut rows = Vec::new();
    for section in SECTIONS.iter().filter(|section| only.is_empty() || only.iter().any(|one| one == *section)) {
        progress.say(section);
        let found = runtime.block_on(measure(section, &binary, progress)).context(*section)?;
        for row in &found {
            progress.say(&row.line());
        }
        rows.extend(found);
    }
    println!("{HEAD}");
    for row in rows {
        println!("{}", row.line());
    }
    Ok(())
}

async fn measure(section: &str, binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    match section {
        "size" => {
            let bytes = std::fs::read(binary).with_context(|| format!("no {}", binary.display()))?;
            let size = bytes.len() as u64;
            let switch = b"SLOD_FAILPOINT";
            ensure!(!bytes.windows(switch.len()).any(|part| part == switch), "a release can be killed from outside");
            Ok(vec![Row::new("release binary", &format!("{:.1} MiB", mib(size)), "under 25 MiB")])
        }
        "idle" => pages::idle(binary).await,
        "pages" => pages::steady(binary).await,
        "burst" => pages::burst(binary).await,
        "escalations" => escalations::measure(binary, progress).await,
        "drain" => drain::measure(binary, progress).await,
        "webhooks" => webhooks::measure(binary, progress).await,
        "exactness" => exactness::measure(binary, progress).await,
        "backfill" => fill::measure(binary, progress).await,
        "dashboard" => dashboard::measure(binary, progress).await,
        "scale" => scale::measure(binary, progress).await,
        _ => growth::measure(binary, progress).await,
    }
}
