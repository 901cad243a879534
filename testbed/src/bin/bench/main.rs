//! `make bench`: measures a release build of slod from the outside and prints one table.
//!
//! - start to ready, and memory when idle, with a small configuration against a real Prometheus;
//! - from a source's answer to PagerDuty's acceptance, with 1,000 SLOs of which ten turn bad each slot;
//! - 1,000 incidents that open in one slot, with a store that syncs each commit to the disk.

mod plant;
mod world;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};

use plant::{Daemon, config};
use world::{Plan, World};

const SLOS: usize = 1_000;
const EVERY_SECONDS: i64 = 5;
const GROUP: usize = 10;
const ROUNDS: usize = 12;

fn main() -> anyhow::Result<()> {
    // The only provider; a second installation would be refused, and no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let binary = PathBuf::from(std::env::args().nth(1).context("usage: bench PATH-OF-SLOD")?);
    let binary = std::path::absolute(binary)?;
    let size = std::fs::metadata(&binary).with_context(|| format!("no {}", binary.display()))?.len();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rows = vec![row("release binary", &format!("{:.1} MiB", mib(size)), "under 25 MiB")];
    rows.extend(runtime.block_on(idle(&binary))?);
    rows.extend(runtime.block_on(steady(&binary))?);
    rows.extend(runtime.block_on(burst(&binary))?);
    println!("| what | measured | wanted |\n|---|---|---|");
    for row in rows {
        println!("{row}");
    }
    Ok(())
}

fn row(what: &str, measured: &str, wanted: &str) -> String {
    format!("| {what} | {measured} | {wanted} |")
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Start to ready, and memory after a while, with four SLOs.
async fn idle(binary: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let world = World::start(Plan::Quiet).await?;
    let mut starts = Vec::new();
    let mut memory = 0;
    for run in 0..5 {
        let daemon = Daemon::start(binary, &config(4, 60, &world)).await?;
        starts.push(daemon.ready_after.as_secs_f64() * 1_000.0);
        if run == 4 {
            tokio::time::sleep(Duration::from_secs(20)).await;
            memory = daemon.memory_bytes()?;
        }
    }
    starts.sort_by(f64::total_cmp);
    Ok(vec![
        row("start to ready, median of 5", &format!("{:.0} ms", starts[2]), "under 300 ms"),
        row("memory when idle, 4 SLOs, after 20 s", &format!("{:.1} MiB RSS", mib(memory)), "under 25 MiB"),
    ])
}

/// Ten of a thousand turn bad in each slot, for one slot.
async fn steady(binary: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let world = World::start(Plan::Groups { every: EVERY_SECONDS, group: GROUP, slos: SLOS }).await?;
    let daemon = Daemon::start(binary, &config(SLOS, EVERY_SECONDS, &world)).await?;
    world.turn_bad_after(EVERY_SECONDS * 2);
    let wanted = ROUNDS * GROUP;
    let pages = world.pages(wanted, Duration::from_mins(3)).await?;
    let mut waits: Vec<f64> = pages.iter().map(|page| page.accepted_after_answer.as_secs_f64() * 1_000.0).collect();
    waits.sort_by(f64::total_cmp);
    let mut whole: Vec<f64> = pages.iter().map(|page| page.accepted_after_slot_ms).collect();
    whole.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let text = format!(
        "{:.0} / {:.0} / {:.0} ms of {} pages",
        at(&waits, 0.5),
        at(&waits, 0.99),
        at(&waits, 1.0),
        waits.len()
    );
    let slots = format!("{:.0} / {:.0} ms", at(&whole, 0.5), at(&whole, 0.99));
    Ok(vec![
        row("answer to PagerDuty accepted, 1,000 SLOs, p50 / p99 / max", &text, "p99 under 250 ms"),
        row("slot end to accepted, settle and 1,000 answers included, p50 / p99", &slots, "–"),
        row("memory with 1,000 SLOs", &format!("{:.1} MiB RSS", mib(daemon.memory_bytes()?)), "–"),
    ])
}

/// All thousand turn bad in one slot.
async fn burst(binary: &std::path::Path) -> anyhow::Result<Vec<String>> {
    let world = World::start(Plan::All).await?;
    let _daemon = Daemon::start(binary, &config(SLOS, EVERY_SECONDS, &world)).await?;
    world.turn_bad_after(EVERY_SECONDS * 2);
    let pages = world.pages(SLOS, Duration::from_mins(2)).await?;
    let (first, last) = world.first_answer_to_last_page().context("no page")?;
    ensure!(pages.len() == SLOS, "{} pages of {SLOS}", pages.len());
    let took = format!("{:.2} s", (last - first).as_secs_f64());
    Ok(vec![row("1,000 incidents in one slot: first bad answer to last page accepted", &took, "under 5 s")])
}
