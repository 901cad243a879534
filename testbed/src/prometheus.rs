//! A real Prometheus server in a temporary folder, on a free port.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
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
    process::{Process, find_program, run},
};

const PACKAGE: &str = "prometheus";
/// Blocks of two hours, the default, would read the text once for each of them.
const LONG_BLOCKS: &str = "--max-block-duration=1500h";
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
        Self::with_written_history(|file| file.write_all(history.as_bytes())).await
    }

    /// The same of a history that is written by a function, because it is too long to hold. A month takes seconds.
    pub async fn with_written_history(
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> anyhow::Result<Self> {
        let program = find_program("prometheus", &[], PACKAGE)?;
        let folder = TempDir::with_prefix("slod-prometheus-")?;
        fs::write(folder.path().join("prometheus.yml"), configuration(&[], Duration::from_secs(15)))?;
        let text = folder.path().join("history.om");
        let mut file = BufWriter::new(File::create(&text)?);
        write(&mut file)?;
        file.flush()?;
        run(Command::new(find_program("promtool", &[], PACKAGE)?)
            .args(["tsdb", "create-blocks-from", "openmetrics", LONG_BLOCKS])
            .arg(&text)
            .arg(folder.path().join("data")))?;
        fs::remove_file(text)?;
        Self::launch(program, folder).await
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
        Ok::<_, std::io::Error>(&answer == b"HTTP/1.0 200")
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}
