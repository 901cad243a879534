//! Ten thousand messages that wait for 20 receivers, and what becomes of them when the doors open: with each commit synced
//! to a real disk, and once with a receiver that never answers.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use testbed::{
    clock::{Stopwatch, eventually, now},
    daemon::Slod,
};

use super::{
    doors::Doors,
    fill, meter,
    table::{Progress, Row, grouped},
    world::{Plan, World},
};

const RECEIVERS: usize = 20;
const INCIDENTS: usize = 500;
const EVERY: i64 = 5;
/// The last of the receivers.
const HANGS: &str = "pager-19";
/// Shorter than a message may be under way.
const QUEUED_WITHIN: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_mins(3);

/// Measures both.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let (all, cpu) = drain(binary, None, progress).await?;
    let (others, _) = drain(binary, Some(HANGS), progress).await?;
    let folder = tempfile::tempdir()?;
    let disk = file_system(folder.path()).unwrap_or_else(|| "an unknown file system".to_owned());
    let count = RECEIVERS * INCIDENTS;
    Ok(vec![
        Row::new(
            &format!(
                "{} queued messages, 20 receivers, each commit synced ({disk}): accepted a second",
                grouped(count as u64)
            ),
            &format!("{} in {:.2} s", grouped((count as f64 / all) as u64), all),
            "at least 1,000",
        ),
        Row::new("– processor time of slod for one", &format!("{:.2} ms", cpu * 1_000.0 / count as f64), "–"),
        Row::new(
            "– one receiver never answers: the others' accepted a second",
            &format!("{} in {:.2} s", grouped(((count - INCIDENTS) as f64 / others) as u64), others),
            "as without it",
        ),
    ])
}

/// Seconds from the opening of the doors to the last acceptance, and the processor time that took.
async fn drain(binary: &Path, hangs: Option<&str>, progress: Progress) -> anyhow::Result<(f64, f64)> {
    let (world, doors) = (World::start(Plan::All).await?, Doors::closed(hangs).await?);
    let names: Vec<String> = (0..RECEIVERS).map(|number| format!("pager-{number}")).collect();
    let mut text = head(&world, EVERY) + "receivers:\n";
    text.extend(names.iter().map(|name| doors.receiver(name)));
    let told = names.join(", ");
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "policies: {{stale: {{slo: bench/*, when: {{consecutive: 1}}, priority: P1, notify: [{told}]}}}}"
    );
    text += &slos(INCIDENTS, EVERY);
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("slo.yaml"), text)?;
    let slod = Slod::start(binary, folder.path(), &environment()?).await?;
    world.turn_bad_after(EVERY * 2);
    let store = SqliteConnectOptions::new().filename(slod.store()).read_only(true);
    let mut store = SqliteConnection::connect_with(&store).await?;
    let mut queued = 0;
    let all = eventually(QUEUED_WITHIN, async || {
        let count = sqlx::query_scalar("select count(*) from deliveries where event = 'trigger'");
        queued = count.fetch_one(&mut store).await.unwrap_or(0_i64);
        queued == (RECEIVERS * INCIDENTS) as i64
    });
    let all = all.await;
    ensure!(all, "{queued} messages were queued\n{}", slod.log());
    let process = slod.id().context("slod does not run")?;
    let (opened, cpu, watch) = (now().timestamp_millis(), meter::cpu_seconds(process)?, Stopwatch::start());
    doors.open();
    let wanted = (RECEIVERS - usize::from(hangs.is_some())) * INCIDENTS;
    let accepted = doors.wait_for(wanted, PATIENCE).await.with_context(|| slod.log())?;
    let cpu = meter::cpu_seconds(process)? - cpu;
    progress.say(&format!("{} accepted after {:.2} s", accepted.len(), watch.elapsed().as_secs_f64()));
    let last = accepted.values().copied().max().unwrap_or(opened);
    Ok(((last - opened).max(1) as f64 / 1_000.0, cpu))
}

/// What every configuration here begins with.
pub fn head(world: &World, every: i64) -> String {
    format!(
        "version: 1\ndaemon: {{store: \"sqlite:slod.db\", log: {{level: warn}}}}\n\
         sources: {{prometheus: {{prometheus: {{url: \"{}\", settle: 100ms, max_concurrency: 32}}, blind_after: {}s}}}}\n",
        world.prometheus,
        every * 60,
    )
}

/// So many SLOs that follow the world's plan.
pub fn slos(count: usize, every: i64) -> String {
    let mut text = "services:\n  bench:\n    slos:\n".to_owned();
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "      slo-{number}: {{objective: 99%, window: 1d, every: {every}s, indicator: {{value: {{source: prometheus, \
             query: \"bench{{id='{number}'}}\", good: \"< 1\"}}}}}}"
        );
    }
    text
}

/// What the configurations here read.
pub fn environment() -> anyhow::Result<BTreeMap<String, String>> {
    let mut environment = fill::environment()?;
    environment.insert("BENCH_KEY".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
    environment.insert("BENCH_SECRET".to_owned(), super::webhooks::SECRET.to_owned());
    Ok(environment)
}

/// The file system that a folder lies on: the longest mount point above it.
fn file_system(folder: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        folder.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    above.max().map(|(_, kind)| kind)
}
