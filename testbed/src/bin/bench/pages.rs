//! Its start, its memory, and the time from a source's answer to a page.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};

use super::{
    plant::{Daemon, config},
    table::{Row, mib},
    world::{Plan, World},
};

const SLOS: usize = 1_000;
const EVERY_SECONDS: i64 = 5;
const GROUP: usize = 10;
const ROUNDS: usize = 12;

/// Start to ready, and memory after a while, with four SLOs.
pub async fn idle(binary: &Path) -> anyhow::Result<Vec<Row>> {
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
        Row::new("start to ready, median of 5", &format!("{:.0} ms", starts[2]), "under 300 ms"),
        Row::new("memory when idle, 4 SLOs, after 20 s", &format!("{:.1} MiB RSS", mib(memory)), "under 25 MiB"),
    ])
}

/// Ten of a thousand turn bad in each slot, for one slot.
pub async fn steady(binary: &Path) -> anyhow::Result<Vec<Row>> {
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
        Row::new("answer to PagerDuty accepted, 1,000 SLOs, p50 / p99 / max", &text, "p99 under 250 ms"),
        Row::new("slot end to accepted, settle and 1,000 answers included, p50 / p99", &slots, "–"),
        Row::new("memory with 1,000 SLOs", &format!("{:.1} MiB RSS", mib(daemon.memory_bytes()?)), "–"),
    ])
}

/// All thousand turn bad in one slot.
pub async fn burst(binary: &Path) -> anyhow::Result<Vec<Row>> {
    let world = World::start(Plan::All).await?;
    let _daemon = Daemon::start(binary, &config(SLOS, EVERY_SECONDS, &world)).await?;
    world.turn_bad_after(EVERY_SECONDS * 2);
    let pages = world.pages(SLOS, Duration::from_mins(2)).await?;
    let (first, last) = world.first_answer_to_last_page().context("no page")?;
    ensure!(pages.len() == SLOS, "{} pages of {SLOS}", pages.len());
    let took = format!("{:.2} s", (last - first).as_secs_f64());
    Ok(vec![Row::new("1,000 incidents in one slot: first bad answer to last page accepted", &took, "under 5 s")])
}
