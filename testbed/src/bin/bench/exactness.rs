//! Counts of 30 days beside the truth, and what they cost: slod, recording rules and plain queries, on one Prometheus.

use std::{collections::BTreeMap, io::Write as _, path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use testbed::{
    clock::{eventually, now},
    daemon::Slod,
    history::{History, Plan, Series, Truth},
    ports::free_port,
    prometheus::{Filling, Prometheus},
};

use super::{
    compare::{Compared, RECORDED},
    meter,
    proxy::Proxy,
    table::{Progress, Row, grouped},
};

const DAY: i64 = 86_400;
const WINDOW: i64 = 30 * DAY;
const TARGETS: u32 = 8;
/// How long slod may take for a month of a few SLOs.
const PATIENCE: Duration = Duration::from_mins(6);
/// Live slots that are watched.
const LIVE_SLOTS: f64 = 3.0;

const TOTAL: &str = "http_requests_total";

/// What is promised, and what is meant by it.
struct Promise {
    slo: &'static str,
    words: &'static str,
    bad: &'static str,
    indicator: &'static str,
    is_bad: fn(&Series) -> bool,
    is_event: fn(&Series) -> bool,
}

const PROMISES: [Promise; 3] = [
    Promise {
        slo: "errors",
        words: "all errors",
        bad: "http_requests_total{code=~\"5..\"}",
        indicator: "ratio: {source: prometheus, bad: 'http_requests_total{code=~\"5..\"}', total: http_requests_total}",
        is_bad: |series| series.is(TOTAL, "500") || series.is(TOTAL, "503"),
        is_event: |series| series.name == TOTAL,
    },
    Promise {
        slo: "rare",
        words: "one error in days, mostly the first of its series",
        bad: "http_requests_total{code=\"503\"}",
        indicator: "ratio: {source: prometheus, bad: 'http_requests_total{code=\"503\"}', total: http_requests_total}",
        is_bad: |series| series.is(TOTAL, "503"),
        is_event: |series| series.name == TOTAL,
    },
    Promise {
        slo: "latency",
        words: "slow requests, from a classic histogram",
        bad: "",
        indicator: "latency: {source: prometheus, histogram: http_request_duration_seconds, threshold: 500ms}",
        is_bad: |_| false,
        is_event: |series| series.is("http_request_duration_seconds_bucket", "+Inf"),
    },
];

/// Measures both.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let (prometheus, history) = world(progress).await?;
    let proxy = Proxy::start(prometheus.url()).await?;
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let slod = start(binary, folders[0].path(), &config(&PROMISES, &prometheus.url(), "30d")).await?;
    let watched = start(binary, folders[1].path(), &config(&PROMISES[..1], &proxy.url, "1h")).await?;
    progress.say("slod asks for 30 days");
    filled(&slod).await?;
    filled(&watched).await?;
    progress.say("filled; watching live slots (about four minutes)");
    let (live, counts) =
        tokio::join!(live(&watched, &proxy, progress), exactness(&slod, &prometheus, &history, progress));
    let (live, (mut rows, end)) = (live?, counts?);
    rows.extend(costs(live, &prometheus, end).await?);
    Ok(rows)
}

/// A Prometheus that knows the month before now, and half an hour more, so that live slots have samples too.
async fn world(progress: Progress) -> anyhow::Result<(Prometheus, History)> {
    let now = now().timestamp();
    let start = (now - WINDOW).div_euclid(DAY) * DAY - DAY;
    let seconds = now + 1_800 - start;
    let plan = Plan { targets: TARGETS, seconds, histogram: true, ..Plan::days(11, start, 31) };
    let history = plan.history();
    progress
        .say(&format!("a month of {TARGETS} targets: {} samples for Prometheus", grouped(history.samples() as u64)));
    let mut filling = Filling::start()?;
    filling.add(|out| {
        history.write_samples(out)?;
        writeln!(out, "# TYPE {RECORDED} gauge")?;
        (start..start + seconds).step_by(60).try_for_each(|at| writeln!(out, "{RECORDED} 0.001 {at}"))?;
        writeln!(out, "# EOF")
    })?;
    let prometheus = filling.launch().await?;
    progress.say("Prometheus has it");
    Ok((prometheus, history))
}

fn config(promises: &[Promise], prometheus: &str, window: &str) -> String {
    let slos = promises.iter().map(|Promise { slo, indicator, .. }| {
        format!("      {slo}: {{objective: 99%, window: {window}, every: 1m, indicator: {{{indicator}}}}}\n")
    });
    let slos: String = slos.collect();
    format!(
        "version: 1\ndaemon: {{store: \"sqlite:slod.db\", log: {{level: warn}}}}\n\
         sources: {{prometheus: {{prometheus: {{url: \"{prometheus}\", settle: 2s}}}}}}\n\
         services:\n  shop:\n    slos:\n{slos}"
    )
}

async fn start(binary: &Path, folder: &Path, config: &str) -> anyhow::Result<Slod> {
    std::fs::write(folder.join("slo.yaml"), config)?;
    let env = BTreeMap::from([("SLOD_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port()?))]);
    Slod::launch(binary, folder, &env).await
}

/// Waits until nothing is missing.
async fn filled(slod: &Slod) -> anyhow::Result<()> {
    let mut missing = None;
    let done = eventually(PATIENCE, async || {
        missing = meter::page(slod).await.ok().and_then(|page| meter::missing(&page));
        missing == Some(0.0)
    });
    ensure!(done.await, "{missing:?} slots are missing after {PATIENCE:?}\n{}", slod.log());
    Ok(())
}

/// Samples and questions of one live slot.
async fn live(slod: &Slod, proxy: &Proxy, progress: Progress) -> anyhow::Result<(f64, f64)> {
    let slots = async || {
        meter::page(slod).await.map_or(f64::NAN, |page| meter::values(&page, "slod_slo_slots_total").iter().sum())
    };
    let mut last: f64 = slots().await;
    let mut asked = Vec::new();
    for _ in 0..=LIVE_SLOTS as usize {
        let another = eventually(Duration::from_mins(2), async || slots().await > last).await;
        ensure!(another, "no live slot in two minutes\n{}", slod.log());
        last = slots().await;
        asked.push(proxy.take());
    }
    // The first is what was asked before the watch began.
    let watched = &asked[1..];
    progress.say(&format!("one of slod's questions: {}", watched[0].newest));
    let per_slot = |number: u64| number as f64 / LIVE_SLOTS;
    Ok((
        per_slot(watched.iter().map(|asked| asked.samples).sum()),
        per_slot(watched.iter().map(|asked| asked.questions).sum()),
    ))
}

/// What slod counted, slot by slot.
async fn slots(slod: &Slod, slo: &str, end: i64) -> anyhow::Result<Vec<(i64, f64, f64)>> {
    let time = |at: i64| chrono::DateTime::from_timestamp(at, 0).map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let (from, to) = (time(end - WINDOW).context("no time")?, time(end).context("no time")?);
    let answer = slod.api(&format!("/api/v1/slos/shop/{slo}/slots?from={from}&to={to}")).await?;
    let read = |slot: &Value| {
        let start = chrono::DateTime::parse_from_rfc3339(slot["start"].as_str()?).ok()?.timestamp();
        let (good, total) = (slot["good"].as_f64()?, slot["total"].as_f64()?);
        Some((start, total - good, total))
    };
    answer["slots"].as_array().into_iter().flatten().map(read).collect::<Option<_>>().context("unreadable slots")
}

/// The counts, and the end of the window that they are of.
async fn exactness(
    slod: &Slod,
    prometheus: &Prometheus,
    history: &History,
    progress: Progress,
) -> anyhow::Result<(Vec<Row>, i64)> {
    let figures = slod.api("/api/v1/slos/shop/errors").await?;
    let watermark = figures["watermark"].as_str().context("no watermark")?;
    let end = chrono::DateTime::parse_from_rfc3339(watermark)?.timestamp();
    let url = prometheus.url();
    let mut rows = Vec::new();
    for promise in &PROMISES {
        let all = history.truth(promise.is_event);
        let bads = if promise.bad.is_empty() { slow(history) } else { history.truth(promise.is_bad) };
        let truth = (bads.count(end - WINDOW, end), all.count(end - WINDOW, end));
        let found = slots(slod, promise.slo, end).await?;
        let wrong = found.iter().filter(|(start, bad, total)| {
            (*bad, *total) != (bads.count(*start, start + 60) as f64, all.count(*start, start + 60) as f64)
        });
        let wrong: Vec<_> = wrong.collect();
        for (start, bad, total) in wrong.iter().take(5) {
            let truth = (bads.count(*start, start + 60), all.count(*start, start + 60));
            progress.say(&format!("{}: slot {start}: {bad} of {total}, the truth is {truth:?}", promise.slo));
        }
        let counted = found.iter().fold((0.0, 0.0), |sum, (_, bad, total)| (sum.0 + bad, sum.1 + total));
        let what = format!("30 days, {}: bad and all events slod is off by", promise.words);
        let off = (counted.0 - truth.0 as f64, counted.1 - truth.1 as f64);
        let measured = format!(
            "{} of {} and {} of {}; {} of {} slots differ",
            off.0,
            grouped(truth.0),
            off.1,
            grouped(truth.1),
            wrong.len(),
            grouped(found.len() as u64)
        );
        rows.push(Row::new(&what, &measured, "0 and 0"));
        if !promise.bad.is_empty() {
            let compared = Compared { prometheus: &url, bad: promise.bad, total: TOTAL };
            rows.extend(others(compared, end, truth).await?);
        }
    }
    Ok((rows, end))
}

/// Slow events of the histogram: those over the bucket.
fn slow(history: &History) -> Truth {
    let bucket = |le: &'static str| move |series: &Series| series.is("http_request_duration_seconds_bucket", le);
    history.truth(bucket("+Inf")).less(&history.truth(bucket("0.5")))
}

/// What others count of the same.
async fn others(compared: Compared<'_>, end: i64, (bad, all): (u64, u64)) -> anyhow::Result<Vec<Row>> {
    let off = |counted: f64, truth: f64| format!("{:+.2} %", (counted / truth - 1.0) * 100.0);
    let ratio = bad as f64 / all as f64;
    Ok(vec![
        Row::new("– bad events by `increase(X[30d])`", &off(compared.increase(end).await?, bad as f64), "–"),
        Row::new("– bad events by adding up `increase(X[1m])`", &off(compared.minutes(end).await?, bad as f64), "–"),
        Row::new(
            "– error ratio by the mean of recorded 5-minute ratios (Sloth's 30-day rule)",
            &off(compared.mean_of_ratios(end).await?, ratio),
            "–",
        ),
    ])
}

/// Samples read, a minute and series.
async fn costs((samples, questions): (f64, f64), prometheus: &Prometheus, end: i64) -> anyhow::Result<Vec<Row>> {
    let url = prometheus.url();
    let compared = Compared { prometheus: &url, bad: PROMISES[0].bad, total: TOTAL };
    let series = compared.series(end).await?.value;
    let (rules, plain) = (compared.rules_read(end).await? as f64, compared.plain_reads(end).await? as f64);
    let each = |number: f64| format!("{:.1}", number / series);
    let ratio =
        |number: f64| format!("{}, {} × slod", grouped((number / series) as u64), grouped((number / samples) as u64));
    Ok(vec![
        Row::new(
            &format!("samples Prometheus reads for a 1-minute slot, each of {series} series, 15 s apart: slod"),
            &format!("{} in {questions:.1} questions", each(samples)),
            "–",
        ),
        Row::new("– Sloth's 8 recording rules, evaluated once a minute", &ratio(rules), "–"),
        Row::new("– a plain query over `X[30d]`, once a minute", &ratio(plain), "over 1,000 × slod"),
    ])
}
