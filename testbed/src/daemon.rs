//! The real slod in a folder of its own: started, watched, killed, started again.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output},
    time::Duration,
};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{clock::eventually, process::Process};

/// How long a start may take on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// How long a stop may take: the daemon's own promise.
pub const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A slod that runs in `folder`, where its configuration, store, socket and log are. Killed when dropped.
#[derive(Debug)]
pub struct Slod {
    process: Option<Process>,
    program: PathBuf,
    folder: PathBuf,
    env: BTreeMap<String, String>,
    http: reqwest::Client,
}

impl Slod {
    /// Starts it and waits until it is ready. `env` is all of its environment; `SLOD_LISTEN` must be in it.
    pub async fn start(program: &Path, folder: &Path, env: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let mut slod = Self::prepare(program, folder, env)?;
        slod.restart().await?;
        Ok(slod)
    }

    /// Starts it and waits until it listens, ready or not.
    pub async fn launch(program: &Path, folder: &Path, env: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let mut slod = Self::prepare(program, folder, env)?;
        slod.spawn()?;
        slod.wait_for("/-/healthy", START_LIMIT).await?;
        Ok(slod)
    }

    /// One that does not run yet.
    pub fn prepare(program: &Path, folder: &Path, env: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(ANSWER_LIMIT).no_proxy().build()?;
        Ok(Self { process: None, program: program.to_owned(), folder: folder.to_owned(), env: env.clone(), http })
    }

    fn spawn(&mut self) -> anyhow::Result<()> {
        let mut command = self.command();
        command.arg("run");
        self.process = Some(Process::start(&mut command, &self.folder.join("slod.log"))?);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(&self.env).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("USER", "tester").env("SLOD_CONFIG", self.folder.join("slo.yaml")).current_dir(&self.folder);
        command
    }

    /// Starts it (again), and waits until it is ready. One that still runs is asked to end first.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        if self.process.is_some() {
            self.terminate().await?;
        }
        self.spawn()?;
        self.wait_for("/-/ready", START_LIMIT).await
    }

    /// Starts it again after its end, and waits until it listens, ready or not.
    pub async fn relaunch(&mut self) -> anyhow::Result<()> {
        self.spawn()?;
        self.wait_for("/-/healthy", START_LIMIT).await
    }

    /// Starts it again after its end, and waits for nothing.
    pub fn begin(&mut self) -> anyhow::Result<()> {
        self.spawn()
    }

    /// How it ended by itself. None while it runs, and before it was started.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut().and_then(Process::status)
    }

    /// Sets or removes a variable for its next life.
    pub fn set_env(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.env.insert(name.to_owned(), value.to_owned()),
            None => self.env.remove(name),
        };
    }

    /// Ends it the hard way.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let mut process = self.process.take().context("slod does not run")?;
        process.signal("TERM")?;
        process.ended(STOP_LIMIT).await.with_context(|| format!("slod runs on: {}", process.last_words()))
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        self.process.as_ref().context("slod does not run")?.signal(name)
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Everything it said, over all its lives.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("slod.log")).unwrap_or_default()
    }

    /// The command line's way in.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("slod.sock")
    }

    /// The store's file.
    pub fn store(&self) -> PathBuf {
        self.folder.join("slod.db")
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.env.get("SLOD_LISTEN").map_or("", String::as_str))
    }

    /// The status and body of a page.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let response = self.http.get(format!("{}{path}", self.url())).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// A good answer of the API.
    pub async fn api(&self, path: &str) -> anyhow::Result<Value> {
        let (status, body) = self.get(path).await?;
        if status != 200 {
            bail!("{path}: {status} {body}");
        }
        serde_json::from_str(&body).with_context(|| format!("{path}: {body}"))
    }

    /// Asks for a change over the socket, as the command line would. Answers the status and the body.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, String)> {
        let builder = reqwest::Client::builder().timeout(ANSWER_LIMIT).unix_socket(self.socket().as_path());
        let response = builder.build()?.post(format!("http://localhost{path}")).json(body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Asks over the socket for the end of something, as the command line would. Answers the status and the body.
    pub async fn delete(&self, path: &str, body: &Value) -> anyhow::Result<(u16, String)> {
        let builder = reqwest::Client::builder().timeout(ANSWER_LIMIT).unix_socket(self.socket().as_path());
        let response = builder.build()?.delete(format!("http://localhost{path}")).json(body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Runs a verb beside it, as an operator on the same host would.
    pub async fn cli(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = self.command();
        command.args(arguments);
        Ok(tokio::task::spawn_blocking(move || command.output()).await??)
    }

    /// Waits until `path` answers 200. An error if slod ends before.
    pub async fn wait_for(&mut self, path: &str, longest: Duration) -> anyhow::Result<()> {
        let mut last = Ok((0, String::new()));
        let mut running = true;
        let done = eventually(longest, async || {
            running = self.process.as_mut().is_some_and(Process::is_running);
            last = self.get(path).await;
            !running || matches!(last, Ok((200, _)))
        });
        match (done.await, running) {
            (_, false) => bail!("slod has ended: {}", self.last_words()),
            (false, _) => bail!("{path} after {longest:?}: {last:?}\n{}", self.last_words()),
            (true, true) => Ok(()),
        }
    }

    fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(120)..].join("\n")
    }
}
