//! A real Prometheus server in a temporary folder, on a free port.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    clock::Deadline,
    ports::free_port,
    process::{Process, find_program},
};

const PACKAGE: &str = "prometheus";
/// Seconds of one block of history. With blocks of two hours, the default, promtool reads the text once for each of them.
const BLOCK_SECONDS: i64 = 1_458 * 3_600;
const START_LIMIT: Duration = Duration::from_secs(30);

/// A Prometheus server. Ends when dropped, with all its data.
#[derive(Debug)]
pub struct Prometheus {
    process: Option<Process>,
    program: PathBuf,
    port: u16,
    folder: TempDir,
}

impl Prometheus {
    /// Starts a server that scrapes `targets` (each its own job `target-N`), and waits until it is ready.
    pub async fn start(targets: &[SocketAddr], scrape_interval: Duration) -> anyhow::Result<Self> {
        let program = find_program("prometheus", &[], PACKAGE)?;
        let folder = TempDir::with_prefix("slod-prometheus-")?;
        fs::write(folder.path().join("prometheus.yml"), configuration(targets, scrape_interval))?;
        Self::launch(program, folder).await
    }

    /// Starts a server that scrapes nothing and holds `history`: OpenMetrics text with a timestamp on every sample,
    /// ending in `# EOF`. For questions about a past that need not be waited for.
    pub async fn with_history(history: &str) -> anyhow::Result<Self> {
        let mut filling = Filling::start()?;
        filling.add(|file| file.write_all(history.as_bytes()))?;
        filling.launch().await
    }

    async fn launch(program: PathBuf, mut folder: TempDir) -> anyhow::Result<Self> {
        let mut last = None;
        for _ in 0..5 {
            let mut server = Self { process: None, program: program.clone(), port: free_port()?, folder };
            match server.restart().await {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
            folder = server.folder;
        }
        Err(last.context("never tried")?)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stops the server; port and data stay.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Starts it again (after stopping it, if it runs) on the same port with the same data, and waits until it is ready.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop();
        let folder = self.folder.path();
        let mut command = Command::new(&self.program);
        command
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .args(["--storage.tsdb.retention.time=10y", "--log.level=warn"])
            // No compaction: it would work beside what is measured.
            .args(["--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"])
            .current_dir(folder);
        let mut process = Process::start(&mut command, &folder.join("prometheus.log"))?;
        let deadline = Deadline::after(START_LIMIT);
        while !is_ready(self.port).await {
            if !process.is_running() {
                bail!("prometheus ended: {}", process.last_words());
            }
            if deadline.passed() {
                bail!("prometheus is not ready after {START_LIMIT:?}: {}", process.last_words());
            }
            sleep(Duration::from_millis(25)).await;
        }
        // Someone else may have been ready on our port, while ours could not bind it.
        if !process.is_running() {
            bail!("prometheus ended: {}", process.last_words());
        }
        self.process = Some(process);
        Ok(())
    }
}

/// A server's folder while histories are put into it that are too long to hold.
#[derive(Debug)]
pub struct Filling {
    folder: TempDir,
    /// The one that reads the newest part.
    reading: Option<(Child, PathBuf)>,
}

impl Filling {
    /// An empty one.
    pub fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("slod-prometheus-")?;
        fs::write(folder.path().join("prometheus.yml"), configuration(&[], Duration::from_secs(15)))?;
        Ok(Self { folder, reading: None })
    }

    /// Adds a history, as OpenMetrics text that ends in `# EOF`. It is read while the next one is written. No two may
    /// overlap in time.
    pub fn add(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> anyhow::Result<()> {
        let text = self.folder.path().join(if self.reading.is_some() { "b.om" } else { "a.om" });
        let text = if text.exists() { text.with_file_name("a.om") } else { text };
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&text)?);
        write(&mut file)?;
        file.flush()?;
        self.settle()?;
        let log = File::create(self.folder.path().join("promtool.log"))?;
        let child = Command::new(find_program("promtool", &[], PACKAGE)?)
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .arg(format!("--max-block-duration={BLOCK_SECONDS}s"))
            .arg(&text)
            .arg(self.folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start promtool")?;
        self.reading = Some((child, text));
        Ok(())
    }

    /// Waits until all that was added is read.
    fn settle(&mut self) -> anyhow::Result<()> {
        let Some((mut child, text)) = self.reading.take() else { return Ok(()) };
        if !child.wait()?.success() {
            let said = fs::read_to_string(self.folder.path().join("promtool.log")).unwrap_or_default();
            bail!("promtool failed: {}", said.trim());
        }
        Ok(fs::remove_file(text)?)
    }

    /// Starts a server that scrapes nothing and holds what was added.
    pub async fn launch(mut self) -> anyhow::Result<Prometheus> {
        self.settle()?;
        Prometheus::launch(find_program("prometheus", &[], PACKAGE)?, self.folder).await
    }
}

fn configuration(targets: &[SocketAddr], scrape_interval: Duration) -> String {
    let milliseconds = scrape_interval.as_millis().max(1);
    let jobs: Vec<_> = targets
        .iter()
        .enumerate()
        .map(|(number, target)| format!("{{job_name: target-{number}, static_configs: [{{targets: ['{target}']}}]}}"))
        .collect();
    format!(
        "global: {{scrape_interval: {milliseconds}ms, scrape_timeout: {milliseconds}ms}}\nscrape_configs: [{}]\n",
        jobs.join(", ")
    )
}

async fn is_ready(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(&answer == b"HTTP/1.0 200")
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}
