//! A real PostgreSQL server in a temporary folder, on a free port of loopback.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    clock::Deadline,
    ports::free_port,
    process::{Process, find_program, run},
};

const PACKAGE: &str = "postgresql";
const USER: &str = "slod";
const START_LIMIT: Duration = Duration::from_secs(30);

/// A PostgreSQL server. Ends when dropped, with all its data.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    programs: Programs,
    port: u16,
    folder: TempDir,
}

/// Where the server's programs are, and as whom they run.
#[derive(Clone, Debug)]
struct Programs {
    folder: PathBuf,
    /// Set if we are root, which PostgreSQL refuses to run as.
    account: Option<Account>,
}

#[derive(Clone, Debug)]
struct Account {
    name: String,
    user: u32,
    group: u32,
}

impl Postgres {
    /// Makes a cluster, starts the server and waits until it answers.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("slod-postgres-")?;
        let programs = Programs::find(folder.path())?;
        if let Some(account) = &programs.account {
            chown(folder.path(), Some(account.user), Some(account.group))?;
        }
        run(programs
            .command("initdb")?
            .args(["--no-sync", "--auth=trust", "--no-locale", "--encoding=UTF8"])
            .arg(format!("--username={USER}"))
            .arg("-D")
            .arg(folder.path().join("data")))?;
        let mut server = Self { process: None, programs, port: 0, folder };
        let mut last = None;
        for _ in 0..5 {
            server.port = free_port()?;
            match server.restart().await {
                Ok(()) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("never tried")?)
    }

    /// Its address, with user and database.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// A connection of the test's own.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        let options: PgConnectOptions = self.url().parse()?;
        Ok(options.disable_statement_logging().connect().await?)
    }

    /// Stops the server at once; port and data stay.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        // pg_ctl also ends the server's own children and frees its shared memory; killing is for when that fails.
        let stopped = self.programs.command("pg_ctl").and_then(|mut command| {
            run(command.args(["stop", "--mode=immediate", "--wait", "-D"]).arg(self.folder.path().join("data")))
        });
        if stopped.is_err() {
            process.kill();
        }
    }

    /// Starts it again (after stopping it, if it runs) on the same port with the same data, and waits until it answers.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop();
        let mut command = self.programs.command("postgres")?;
        command.arg("-D").arg(self.folder.path().join("data"));
        for setting in [
            &format!("port={}", self.port),
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "full_page_writes=off",
            "synchronous_commit=off",
            "max_connections=40",
            "shared_buffers=16MB",
        ] {
            command.arg("-c").arg(setting);
        }
        self.process = Some(Process::start(&mut command, &self.folder.path().join("postgres.log"))?);
        let deadline = Deadline::after(START_LIMIT);
        loop {
            let answer = self.connect().await;
            let process = self.process.as_mut().context("just started")?;
            if !process.is_running() {
                bail!("postgres ended: {}", process.last_words());
            }
            match answer {
                Ok(connection) => return Ok(connection.close().await?),
                Err(error) if deadline.passed() => {
                    bail!("postgres does not answer after {START_LIMIT:?} ({error}): {}", process.last_words());
                }
                Err(_) => sleep(Duration::from_millis(25)).await,
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Programs {
    fn find(owned: &Path) -> anyhow::Result<Self> {
        let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
            .unwrap_or_default();
        folders.sort();
        folders.reverse();
        let postgres = find_program("postgres", &folders, PACKAGE)?;
        let folder = postgres.parent().context("a program without a folder")?.to_owned();
        let we_are_root = fs::metadata(owned)?.uid() == 0;
        let account = if we_are_root { Some(Account::unprivileged()?) } else { None };
        Ok(Self { folder, account })
    }

    fn command(&self, program: &str) -> anyhow::Result<Command> {
        let path = self.folder.join(program);
        let mut command = match &self.account {
            None => Command::new(path),
            Some(account) => {
                let mut command = Command::new(find_program("setpriv", &[], "util-linux")?);
                command.args([&format!("--reuid={}", account.user), &format!("--regid={}", account.group)]);
                command.args(["--clear-groups", "--"]).arg(path).env("USER", &account.name);
                command
            }
        };
        command.current_dir("/").env_remove("PGDATA");
        Ok(command)
    }
}

impl Account {
    /// The account the Debian package makes, else nobody.
    fn unprivileged() -> anyhow::Result<Self> {
        let accounts = fs::read_to_string("/etc/passwd").context("cannot look for an account to run postgres as")?;
        let find = |wanted: &str| {
            accounts.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next().filter(|name| *name == wanted)?.to_owned();
                let user = fields.nth(1)?.parse().ok()?;
                Some(Self { name, user, group: fields.next()?.parse().ok()? })
            })
        };
        find("postgres").or_else(|| find("nobody")).context("neither `postgres` nor `nobody` is an account here")
    }
}
