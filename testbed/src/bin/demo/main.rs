//! `make demo`: the shipped configuration in a made-up world. Three things break; slod sees, tells and is done with them.
//!
//! With `ONCE=1` it ends by itself, with 0 if all that was to be delivered was; else it stays up until Ctrl-C.

mod screen;
mod stage;
mod story;
mod verdict;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use testbed::{daemon::Slod, world::World};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    screen::{Actor, Screen, blank},
    stage::Stage,
};

#[tokio::main]
async fn main() -> ExitCode {
    let screen = Screen::new();
    let ended = tokio::select! {
        ended = show(&screen) => ended,
        () = interrupted() => {
            blank();
            screen.line(Actor::Demo, "interrupted: ending everything");
            Ok(true)
        }
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen.line(Actor::Broken, &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Ctrl-C, or being told to end, or the terminal's end.
async fn interrupted() {
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
    }
}

/// The whole of it. The answer is whether everything was delivered.
async fn show(screen: &Screen) -> anyhow::Result<bool> {
    screen.title("slod: the shipped slo.yaml and alerts/, with half an hour scaled down to seconds");
    screen.line(Actor::World, "starting Prometheus, PostgreSQL, the inventory dashboard and the inbox");
    let mut world = World::start().await.context("the world does not start")?;
    let program = program()?;
    // An incident is over for good soon after its end, and goes into the decision log.
    for policy in ["outage", "availability-breach", "freshness-breach", "queue-latency-breach", "fast-burn"] {
        world.config.set(&format!("/policies/{policy}/reopen_within"), "3s".into());
    }
    world.write_config()?;
    let mut slod = Slod::start(&program, world.folder(), &world.env()).await.context("slod does not start")?;
    screen.line(Actor::Slod, "ready: every objective has its first measured slot");
    blank();
    screen.fact("dashboard", &format!("{}/", slod.url()));
    screen.fact(
        "inbox",
        &format!("{}  plays PagerDuty, Slack, Statuspage, the decision log and the mail server", world.inbox.url("/")),
    );
    screen.fact("files", &format!("{}  configuration, store and log", world.folder().display()));
    blank();

    let (delivered, told) = {
        let mut stage = Stage::new(&mut world, &slod, screen);
        let told = story::tell(&mut stage).await;
        if let Err(error) = &told {
            screen.line(Actor::Broken, &format!("{error:#}"));
        }
        blank();
        let delivered = verdict::pass(&mut stage).await? && told.is_ok();
        if !once() {
            blank();
            screen.line(Actor::Demo, &format!("stays up until Ctrl-C; the dashboard: {}/", slod.url()));
            stage.watch().await?;
        }
        (delivered, told)
    };
    if told.is_err() {
        screen.quote(slod.log().lines().rev().take(20).collect::<Vec<_>>().into_iter().rev());
    }
    let status = slod.terminate().await?;
    screen.line(Actor::Slod, &format!("told to stop, ended with {}", status.code().unwrap_or(-1)));
    Ok(delivered && status.success())
}

fn once() -> bool {
    std::env::var_os("ONCE").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The daemon that was built beside us.
fn program() -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe()?;
    let program = ours.parent().context("no folder")?.join("slod");
    anyhow::ensure!(program.is_file(), "{} is not built: use `make demo`", program.display());
    Ok(program)
}
