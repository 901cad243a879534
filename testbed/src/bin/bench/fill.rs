//! The first start of 1,000 SLOs: a month of history out of a real Prometheus, while live slots are judged.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use testbed::{
    clock::{Deadline, Stopwatch, now},
    daemon::Slod,
    history::Wide,
    ports::free_port,
    prometheus::{Filling, Prometheus},
};

use super::{
    meter,
    table::{Progress, Row, grouped, mib},
};

const DAY: i64 = 86_400;
const WINDOW: i64 = 30 * DAY;
const SLOS: usize = 1_000;
/// SLOs of one service: a file of the configuration may hold a MiB.
const SLOS_OF_SERVICE: usize = 1_000;
/// Seconds of history that are written at once.
const PART: i64 = 2 * DAY;
const SETTLE: f64 = 5.0;
/// A slot is late that is settled so many seconds after it is due.
const LATE: f64 = 10.0;
const LONGEST: Duration = Duration::from_mins(20);

/// How the daemon did while it filled.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    took: Duration,
    live: usize,
    late: usize,
    worst_lag: f64,
}

/// Measures it.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let now = now().timestamp().div_euclid(60) * 60;
    let wide = Wide { seed: 5, slos: SLOS, start: now - WINDOW - 3_600, end: now + 3_600, scrape: 60 };
    let prometheus = server(wide, progress).await?;
    let folder = tempfile::tempdir()?;
    configure(folder.path(), SLOS, &prometheus.url(), ("60s", "30d"))?;
    let slod = Slod::launch(binary, folder.path(), &environment()?).await?;
    let filled = watch(&slod, progress).await?;
    let process = slod.id().context("slod does not run")?;
    let (cpu, memory) = (meter::cpu_seconds(process)?, meter::memory_bytes(process)?);
    let (off, wrong) = compare(&slod, wide, progress).await?;
    let slots = SLOS as i64 * WINDOW / 60;
    Ok(vec![
        Row::new(
            "first 30 days of 1,000 SLOs, two series each, a sample a minute: until filled",
            &format!("{} min {:02} s", filled.took.as_secs() / 60, filled.took.as_secs() % 60),
            "under 10 min",
        ),
        Row::new(
            "– live slots meanwhile that were more than 10 s late; the latest",
            &format!("{} of {}; {:.1} s after it was due", filled.late, grouped(filled.live as u64), filled.worst_lag),
            "none late",
        ),
        Row::new(
            "– SLOs whose 30-day counts differ from the truth; by how many events",
            &format!("{wrong} of {SLOS}; {off}"),
            "none",
        ),
        Row::new(
            &format!("– processor time of slod for {} slots; memory at the end", grouped(slots as u64)),
            &format!("{cpu:.0} s; {:.0} MiB RSS", mib(memory)),
            "–",
        ),
    ])
}

/// A Prometheus that holds it.
pub async fn server(wide: Wide, progress: Progress) -> anyhow::Result<Prometheus> {
    let samples = wide.slos as i64 * 2 * (wide.end - wide.start) / wide.scrape;
    progress.say(&format!("up to {} samples for Prometheus", grouped(samples as u64)));
    let mut filling = Filling::start()?;
    let mut pairs = wide.pairs();
    let mut from = wide.start;
    while from < wide.end {
        let to = (from + PART).min(wide.end);
        filling.add(|out| wide.write(&mut pairs, (from, to), out))?;
        let done = (to - wide.start) * 100 / (wide.end - wide.start);
        progress.say(&format!("{done} % written"));
        from = to;
    }
    let prometheus = filling.launch().await?;
    progress.say("Prometheus has it");
    Ok(prometheus)
}

/// An address of its own, and somewhere to send what nobody gets.
pub fn environment() -> anyhow::Result<BTreeMap<String, String>> {
    Ok(BTreeMap::from([
        ("SLOD_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port()?)),
        ("BENCH_HOOK".to_owned(), "http://127.0.0.1:9/hook".to_owned()),
    ]))
}

/// Writes a configuration of `slos` SLOs of [`Wide`] with slots and windows of these lengths, and a condition on each.
pub fn configure(folder: &Path, slos: usize, prometheus: &str, (every, window): (&str, &str)) -> anyhow::Result<()> {
    std::fs::write(
        folder.join("slo.yaml"),
        format!(
            "version: 1\ninclude: [services/*.yaml]\n\
             daemon: {{store: \"sqlite:slod.db\", log: {{level: warn}}}}\n\
             sources: {{prometheus: {{prometheus: {{url: \"{prometheus}\", settle: {SETTLE}s, max_concurrency: 8}}}}}}\n\
             receivers: {{chat: {{slack: {{webhook: {{from_env: BENCH_HOOK}}}}}}}}\n\
             policies: {{burn: {{slo: shop-*/*, when: {{burn_rate: {{long: 1h, short: 5m, factor: 14.4}}}}, priority: P2, \
             notify: [chat]}}}}\n"
        ),
    )?;
    std::fs::create_dir(folder.join("services"))?;
    for first in (0..slos).step_by(SLOS_OF_SERVICE) {
        let mut text = format!("services:\n  shop-{first}:\n    slos:\n");
        for slo in first..slos.min(first + SLOS_OF_SERVICE) {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "      slo-{slo}: {{objective: 95%, window: {window}, every: {every}, indicator: {{ratio: {{source: prometheus, \
                 bad: 'shop_total{{slo=\"{slo}\",code=\"500\"}}', total: 'shop_total{{slo=\"{slo}\"}}'}}}}}}"
            );
        }
        std::fs::write(folder.join(format!("services/shop-{first}.yaml")), text)?;
    }
    Ok(())
}

/// Looks on until nothing is missing.
async fn watch(slod: &Slod, progress: Progress) -> anyhow::Result<Filled> {
    let (started, deadline) = (Stopwatch::start(), Deadline::after(LONGEST));
    // Slots that ended before the start are no measure.
    let mut next_look = now().timestamp().div_euclid(60) * 60 + 115;
    let mut filled = Filled::default();
    let mut said = 0;
    loop {
        let page = meter::page(slod).await?;
        let missing = meter::missing(&page);
        filled.took = started.elapsed();
        // Just before the next slot ends, the newest is long settled.
        if now().timestamp() >= next_look {
            next_look += 60;
            let lags: Vec<f64> = meter::values(&page, "slod_slot_lag_seconds").iter().map(|lag| lag - SETTLE).collect();
            filled.live += lags.len();
            filled.late += lags.iter().filter(|lag| **lag > LATE).count();
            filled.worst_lag = lags.into_iter().fold(filled.worst_lag, f64::max);
        }
        if missing == Some(0.0) {
            return Ok(filled);
        }
        if filled.took.as_secs() / 15 > said {
            said = filled.took.as_secs() / 15;
            progress.say(&format!(
                "{} slots to go, worst lag {:.1} s",
                grouped(missing.unwrap_or_default() as u64),
                filled.worst_lag
            ));
        }
        ensure!(!deadline.passed(), "{missing:?} slots are missing after {LONGEST:?}\n{}", slod.log());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// By how many events all SLOs are off, and how many are.
async fn compare(slod: &Slod, wide: Wide, progress: Progress) -> anyhow::Result<(f64, usize)> {
    let list = slod.api("/api/v1/slos").await?;
    let listed = list["slos"].as_array().context("no SLOs")?;
    ensure!(listed.len() == wide.slos, "{} SLOs", listed.len());
    let (mut off, mut wrong) = (0.0, 0);
    for slo in listed {
        let name = slo["name"].as_str().context("no name")?;
        let number: usize = name.rsplit('-').next().context("no number")?.parse()?;
        let watermark = slo["watermark"].as_str().context("no watermark")?;
        let end = chrono::DateTime::parse_from_rfc3339(watermark)?.timestamp();
        let (all, bads) = wide.truth(number);
        let truth = (bads.count(end - WINDOW, end) as f64, all.count(end - WINDOW, end) as f64);
        let found = (slo["bad"].as_f64().context("no bad")?, slo["total"].as_f64().context("no total")?);
        if found != truth {
            wrong += 1;
            off += (found.0 - truth.0).abs() + (found.1 - truth.1).abs();
            if wrong <= 5 {
                progress.say(&format!("{name}: {found:?}, the truth is {truth:?}"));
            }
        }
    }
    Ok((off, wrong))
}
