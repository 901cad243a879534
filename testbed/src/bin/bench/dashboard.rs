//! The pages that people open first, on one core: all services with 500 SLOs, and one SLO with 30 days of minutes.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use testbed::{clock::Stopwatch, daemon::Slod};

use super::{
    fill, scale,
    table::{Progress, Row, grouped},
    world::{Plan, World},
};

const SLOS: usize = 500;
const DAYS: u32 = 30;
/// Questions one after the other, for the time of one answer.
const ALONE: usize = 300;
/// Questions of many at a time, for answers a second.
const READERS: usize = 8;
const BUSY: Duration = Duration::from_secs(10);

/// A page as it comes.
#[derive(Clone, Copy, Debug)]
struct Answer {
    bytes: usize,
    milliseconds: f64,
}

/// Measures it.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    scale::plant(binary, &folder.path().join("slod.db"), SLOS, DAYS)?;
    progress.say(&format!("planted {} slots", grouped(u64::from(DAYS) * 1_440 * SLOS as u64)));
    let world = World::start(Plan::Quiet).await?;
    std::fs::write(folder.path().join("slo.yaml"), scale::config(&world, SLOS))?;
    let slod = Slod::start(binary, folder.path(), &fill::environment()?).await?;
    pin(slod.id().context("slod does not run")?)?;
    // What is drawn for the first time is read from the store.
    let http = reqwest::Client::builder().no_proxy().no_gzip().build()?;
    let mut rows = Vec::new();
    for (path, what, wanted) in [
        ("/", "all services, 500 SLOs", "p95 under 50 ms, 1,000 a second"),
        ("/slo/bench/slo-0", "one SLO, 30 days of minutes", "–"),
    ] {
        for (encoding, word) in [("gzip", "compressed"), ("identity", "plain")] {
            let url = format!("{}{path}", slod.url());
            let mut alone = Vec::new();
            for _ in 0..ALONE {
                alone.push(ask(&http, &url, encoding, true).await?);
            }
            let bytes = alone.last().context("no answer")?.bytes;
            let mut took: Vec<f64> = alone.iter().map(|answer| answer.milliseconds).collect();
            took.sort_by(f64::total_cmp);
            let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
            let text = format!(
                "{:.1} / {:.1} ms, {} bytes, {:.0} a second",
                at(0.5),
                at(0.95),
                grouped(bytes as u64),
                a_second(&http, &url, encoding).await?
            );
            progress.say(&format!("{path} {word}: {text}"));
            let name = format!(
                "page of {what}, {word}: p50 / p95 written anew, size, and answers a second to {READERS} readers on one core"
            );
            rows.push(Row::new(&name, &text, wanted));
        }
    }
    ensure!(!slod.log().contains("panicked"), "{}", slod.log());
    Ok(rows)
}

/// All threads of a process on the first core.
fn pin(process: u32) -> anyhow::Result<()> {
    let mut command = Command::new("taskset");
    let output = command.args(["--all-tasks", "--cpu-list", "--pid", "0", &process.to_string()]).output();
    let output = output.context("cannot start taskset")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Asks once; `anew` as somebody whose page is written for them alone.
async fn ask(http: &reqwest::Client, url: &str, encoding: &str, anew: bool) -> anyhow::Result<Answer> {
    let watch = Stopwatch::start();
    let mut question = http.get(url).header("accept", "text/html").header("accept-encoding", encoding);
    if anew {
        question = question.header("cookie", "somebody=1");
    }
    let answer = question.send().await?;
    ensure!(answer.status() == 200, "{url}: {}", answer.status());
    let compressed = answer.headers().get("content-encoding").is_some_and(|found| found == "gzip");
    ensure!(compressed == (encoding == "gzip"), "{url}: {encoding} was wanted");
    let bytes = answer.bytes().await?.len();
    Ok(Answer { bytes, milliseconds: watch.elapsed().as_secs_f64() * 1_000.0 })
}

/// Answers a second while several ask without a pause.
async fn a_second(http: &reqwest::Client, url: &str, encoding: &'static str) -> anyhow::Result<f64> {
    let watch = Stopwatch::start();
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..READERS {
        let (http, url) = (http.clone(), url.to_owned());
        readers.spawn(async move {
            let mut count = 0_usize;
            while watch.elapsed() < BUSY {
                ask(&http, &url, encoding, false).await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut count = 0;
    while let Some(reader) = readers.join_next().await {
        count += reader??;
    }
    Ok(count as f64 / watch.elapsed().as_secs_f64())
}
