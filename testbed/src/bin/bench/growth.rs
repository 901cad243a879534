//! What a slot costs as SLOs become many: processor time of the daemon, with a real Prometheus.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use testbed::{
    clock::{eventually, now},
    daemon::Slod,
    history::Wide,
    prometheus::Prometheus,
};

use super::{
    fill, meter,
    svg::{Chart, Point},
    table::{Progress, Row, grouped, mib},
};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
const EVERY: &str = "60s";
/// Short, so that the fill of ten thousand is done soon: what a slot costs does not depend on it.
const WINDOW: &str = "15m";
/// Two slots of each SLO.
const WATCHED: Duration = Duration::from_mins(2);
/// How long slod may take for the first hour.
const PATIENCE: Duration = Duration::from_mins(8);
const PLOT: &str = "docs/performance-growth.svg";

/// What was measured with so many SLOs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    slos: usize,
    /// Milliseconds of processor time for one slot.
    per_slot: f64,
    memory: u64,
}

/// Measures it, and draws it.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let now = now().timestamp().div_euclid(60) * 60;
    let most = SIZES[SIZES.len() - 1];
    let wide = Wide { seed: 9, slos: most, start: now - 2 * 3_600, end: now + 3_600, scrape: 60 };
    let prometheus = fill::server(wide, progress).await?;
    let mut costs = Vec::new();
    for slos in SIZES {
        match cost(binary, slos, &prometheus, progress).await {
            Ok(cost) => {
                costs.push(cost);
                draw(&costs)?;
            }
            // What was measured stays.
            Err(error) if costs.len() > 1 => {
                progress.say(&format!("not measured: {error:#}"));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let each = |show: fn(&Cost) -> String| costs.iter().map(show).collect::<Vec<_>>().join(" / ");
    let sizes = each(|cost| grouped(cost.slos as u64));
    let many: Vec<f64> = costs.iter().map(|cost| cost.per_slot).collect();
    let growth = many[many.len() - 1] / many[0];
    Ok(vec![
        Row::new(
            &format!("processor time of slod for a slot, {sizes} SLOs"),
            &format!("{} ms; the last is {growth:.2} × the first", each(|cost| format!("{:.2}", cost.per_slot))),
            "within 2 ×",
        ),
        Row::new(
            &format!("– memory, {sizes} SLOs of a 15-minute window"),
            &format!("{} MiB RSS", each(|cost| format!("{:.0}", mib(cost.memory)))),
            "–",
        ),
    ])
}

async fn cost(binary: &Path, slos: usize, prometheus: &Prometheus, progress: Progress) -> anyhow::Result<Cost> {
    progress.say(&format!("{} SLOs", grouped(slos as u64)));
    let folder = tempfile::tempdir()?;
    fill::configure(folder.path(), slos, &prometheus.url(), (EVERY, WINDOW))?;
    let daemon = Slod::launch(binary, folder.path(), &fill::environment()?).await?;
    let mut missing = None;
    let filled = eventually(PATIENCE, async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let page = meter::page(&daemon).await.unwrap_or_default();
        missing = meter::missing(&page);
        missing == Some(0.0) && meter::values(&page, "slod_slot_lag_seconds").len() == slos
    });
    ensure!(filled.await, "{missing:?} slots are missing after {PATIENCE:?}\n{}", daemon.log());
    progress.say("filled; watching");
    let process = daemon.id().context("slod does not run")?;
    let read = async || {
        let page = meter::page(&daemon).await?;
        anyhow::Ok((meter::values(&page, "slod_slo_slots_total").iter().sum::<f64>(), meter::cpu_seconds(process)?))
    };
    let (judged, used) = read().await?;
    tokio::time::sleep(WATCHED).await;
    let (judged_then, used_then) = read().await?;
    let (judged, used) = (judged_then - judged, used_then - used);
    let expected = slos as f64 * (WATCHED.as_secs_f64() / 60.0 - 1.0).floor();
    ensure!(judged >= expected, "{judged} slots of {expected} were judged\n{}", daemon.log());
    let cost = Cost { slos, per_slot: used * 1_000.0 / judged, memory: meter::memory_bytes(process)? };
    progress.say(&format!("{judged} slots took {used:.2} s: {:.2} ms each", cost.per_slot));
    Ok(cost)
}

fn draw(costs: &[Cost]) -> anyhow::Result<()> {
    if costs.len() < 2 {
        return Ok(());
    }
    let points = costs.iter().map(|cost| Point { x: cost.slos as f64, y: cost.per_slot }).collect();
    let chart = Chart {
        title: "Processor time of slod for one slot".to_owned(),
        x: "SLOs".to_owned(),
        y: "ms".to_owned(),
        points,
    };
    std::fs::write(PLOT, chart.svg()).with_context(|| format!("cannot write {PLOT}"))
}
