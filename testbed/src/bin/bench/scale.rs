//! Ten thousand SLOs with 30 days of minutes behind them: start, memory, processor, lag and store, against a source
//! that answers at once.

use std::{fmt::Write as _, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use testbed::{clock::Stopwatch, daemon::Slod};

use super::{
    fill, meter,
    table::{Progress, Row, grouped, mib},
    world::{Plan, World},
};

const SLOS: usize = 10_000;
const DAYS: u32 = 30;
/// Live work that is measured, after a minute in which what was missed is made up for.
const WATCHED: Duration = Duration::from_mins(3);
const SETTLE: f64 = 5.0;

/// Measures it. The store is planted by `examples/plant.rs`, which lies beside the binary.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("slod.db");
    plant(binary, &store, SLOS, DAYS)?;
    let size = std::fs::metadata(&store)?.len();
    progress.say(&format!("planted {} slots", grouped(u64::from(DAYS) * 1_440 * SLOS as u64)));
    let world = World::start(Plan::Quiet).await?;
    std::fs::write(folder.path().join("slo.yaml"), config(&world, SLOS))?;
    let watch = Stopwatch::start();
    let slod = Slod::start(binary, folder.path(), &fill::environment()?).await?;
    let ready = watch.elapsed();
    progress.say(&format!("ready after {:.1} s", ready.as_secs_f64()));
    let process = slod.id().context("slod does not run")?;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let judged =
        async || anyhow::Ok(meter::values(&meter::page(&slod).await?, "slod_slo_slots_total").iter().sum::<f64>());
    let (slots, cpu, watch) = (judged().await?, meter::cpu_seconds(process)?, Stopwatch::start());
    let mut lags = Vec::new();
    while watch.elapsed() < WATCHED {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let page = meter::page(&slod).await?;
        lags.extend(meter::values(&page, "slod_slot_lag_seconds").iter().map(|lag| lag - SETTLE));
    }
    let (seconds, cpu) = (watch.elapsed().as_secs_f64(), meter::cpu_seconds(process)? - cpu);
    let slots = judged().await? - slots;
    let expected = SLOS as f64 * (WATCHED.as_secs_f64() / 60.0 - 1.0);
    ensure!(slots >= expected, "{slots} slots of {expected} were judged\n{}", slod.log());
    lags.sort_by(f64::total_cmp);
    let p99 = lags.get((lags.len() * 99 / 100).min(lags.len().saturating_sub(1))).copied().context("no lag")?;
    Ok(vec![
        Row::new("10,000 SLOs, 30 days of minutes: store", &format!("{:.2} GB", size as f64 / 1e9), "under 1.5 GB"),
        Row::new("– start to ready", &format!("{:.1} s", ready.as_secs_f64()), "under 5 s"),
        Row::new(
            "– memory after live work",
            &format!("{:.0} MiB RSS", mib(meter::memory_bytes(process)?)),
            "under 300 MiB",
        ),
        Row::new("– processor, live", &format!("{:.0} % of a core", cpu / seconds * 100.0), "under 50 %"),
        Row::new("– slot lag behind `settle`, p99", &format!("{p99:.2} s"), "under 2 s"),
    ])
}

/// Fills a store with the past of so many SLOs.
pub fn plant(binary: &Path, store: &Path, slos: usize, days: u32) -> anyhow::Result<()> {
    let plant = binary.with_file_name("examples").join("plant");
    let mut command = Command::new(&plant);
    command.arg(store).arg(slos.to_string()).arg(days.to_string());
    let output = command.output().with_context(|| format!("cannot start {}", plant.display()))?;
    ensure!(output.status.success(), "plant: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The configuration of so many SLOs of a planted store.
pub fn config(world: &World, slos: usize) -> String {
    let mut text = format!(
        "version: 1\ndaemon: {{store: \"sqlite:slod.db\", log: {{level: warn}}}}\n\
         sources: {{p: {{prometheus: {{url: \"{}\", settle: {SETTLE}s, max_concurrency: 32}}}}}}\n\
         receivers: {{chat: {{slack: {{webhook: {{from_env: BENCH_HOOK}}}}}}}}\n\
         policies:\n  burn: {{slo: bench/*, when: {{burn_rate: sre-workbook}}, priority: P2, notify: [chat]}}\n  \
         budget: {{slo: bench/*, when: {{budget_remaining: \"< 20%\"}}, priority: P3, notify: [chat]}}\n\
         services:\n bench:\n  slos:\n",
        world.prometheus,
    );
    for number in 0..slos {
        // A file has at most 1 MiB. Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "   slo-{number}: {{objective: 99%,window: 30d,every: 1m,indicator: {{value: {{source: p,query: a,good: \"<1\"}}}}}}"
        );
    }
    text
}
