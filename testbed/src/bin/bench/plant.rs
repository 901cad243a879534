//! The daemon under measurement, and its made-up configuration.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::world::World;

/// A configuration of `slos` value indicators, each `every` seconds, that page at the first bad slot.
pub fn config(slos: usize, every: i64, world: &World) -> String {
    let mut text = format!(
        "version: 1\ndaemon: {{listen: \"127.0.0.1:{}\", store: \"sqlite:slod.db\", log: {{level: warn}}}}\n\
         sources:\n  prometheus: {{prometheus: {{url: \"{}\", settle: 100ms, max_concurrency: 32}}}}\n\
         receivers:\n  pager: {{pagerduty: {{routing_key: {{from_env: BENCH_KEY}}, url: \"{}\"}}, fallback: chat}}\n  \
         chat: {{slack: {{webhook: {{from_env: BENCH_HOOK}}}}}}\n\
         policies:\n  stale: {{slo: bench/*, when: {{consecutive: 1}}, priority: P1, notify: [pager]}}\n\
         services:\n  bench:\n    slos:\n",
        world.listen, world.prometheus, world.pagerduty,
    );
    for number in 0..slos {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "      slo-{number}: {{objective: 99%, window: 1d, every: {every}s, indicator: {{value: {{source: prometheus, \
             query: \"bench{{id='{number}'}}\", good: \"< 1\"}}}}}}"
        );
    }
    text
}

/// A running daemon in a folder of its own.
pub struct Daemon {
    child: Child,
    folder: tempfile::TempDir,
    /// From the start of the process to the first 200 of `/-/ready`.
    pub ready_after: Duration,
}

impl Daemon {
    /// Starts it and waits until it is ready.
    #[expect(clippy::disallowed_methods, reason = "this program measures time")]
    pub async fn start(binary: &Path, config: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        std::fs::write(folder.path().join("slo.yaml"), config)?;
        let listen = config.split("listen: \"").nth(1).and_then(|rest| rest.split('"').next()).context("no address")?;
        let started = Instant::now();
        let child = Command::new(binary)
            .args(["run", "--config", "slo.yaml"])
            .current_dir(folder.path())
            .env("BENCH_KEY", "0123456789abcdef0123456789abcdef")
            .env("BENCH_HOOK", "http://127.0.0.1:9/hook")
            .stderr(Stdio::from(std::fs::File::create(folder.path().join("log"))?))
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut daemon = Self { child, folder, ready_after: Duration::ZERO };
        let client = reqwest::Client::new();
        let url = format!("http://{listen}/-/ready");
        while started.elapsed() < Duration::from_mins(1) {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                daemon.ready_after = started.elapsed();
                return Ok(daemon);
            }
            if let Some(status) = daemon.child.try_wait()? {
                let log = std::fs::read_to_string(daemon.folder.path().join("log")).unwrap_or_default();
                bail!("slod ended with {status}:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        bail!("slod was not ready within 60 s")
    }

    /// Resident memory.
    pub fn memory_bytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1_024)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
