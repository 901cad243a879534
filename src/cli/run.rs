//! `slod run`: the daemon, its signals, its log and what systemd hears of it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use chrono::TimeDelta;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::{flags::RunArgs, socket::socket_path};
use crate::{
    app::{App, Origin, StartError, store_file},
    clock::{Clock, SystemClock},
    config::model::{Daemon, LogFormat},
    engine::board::Board,
    http::{self, Companion},
    store::StoreError,
    views::desk::Desk,
};

/// `run` refuses the configuration; the unit does not start it again.
const REFUSED: u8 = 78;
/// A loop that has not moved for so long is stuck.
const STUCK_AFTER: TimeDelta = TimeDelta::seconds(60);

/// Runs the daemon until it is told to stop.
pub fn run(config: &Path, args: RunArgs) -> anyhow::Result<u8> {
    let origin = Origin { path: config.to_owned(), overrides: args.overrides };
    let (config, notes) = match origin.load() {
        Ok(loaded) => loaded,
        Err(problems) => {
            anstream::eprint!("{}", problems.text);
            anstream::eprintln!("slod: run refuses this configuration");
            return Ok(REFUSED);
        }
    };
    start_log(&config.daemon);
    for line in notes.lines().filter(|line| line.starts_with("warning")) {
        tracing::warn!("{line}");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let code = runtime.block_on(serve(origin, config));
    runtime.shutdown_timeout(Duration::from_millis(500));
    code
}

async fn serve(origin: Origin, config: crate::config::model::Config) -> anyhow::Result<u8> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tcp = http::serve::bind_tcp(config.daemon.listen).map_err(anyhow::Error::new)?;
    let store = store_file(&config).map(Path::to_owned);
    let path = socket_path(config.daemon.socket.as_deref(), store.as_deref().ok());
    let listen = config.daemon.listen;
    let app = match App::start(origin, config, clock.clone()).await {
        Ok(app) => app,
        Err(StartError::Build(why)) => {
            anstream::eprintln!("slod: run refuses this configuration: {why}");
            return Ok(REFUSED);
        }
        Err(StartError::Store(error @ StoreError::NotOurs { .. })) => {
            anstream::eprintln!("slod: run refuses this configuration: {error}");
            return Ok(REFUSED);
        }
        Err(error) => return Err(error.into()),
    };
    let socket = http::serve::bind_socket(&path).map_err(anyhow::Error::new)?;
    let stop = CancellationToken::new();
    let (desk, board) = (app.desk.clone(), app.desk.board.clone());
    let companion = Companion::new(desk.clone(), clock.clone());
    let web = tokio::spawn(http::serve::serve(companion, tcp, Some(socket), stop.clone().cancelled_owned()));
    let running = tokio::spawn(app.run(stop.clone()));
    // Before systemd hears that we are ready: a signal that is not awaited yet would end us.
    let signals = Signals::listen()?;
    tracing::info!(listen = %listen, socket = %path.display(), version = env!("CARGO_PKG_VERSION"), "ready");
    tell_systemd(&[sd_notify::NotifyState::Ready]);
    tokio::spawn(watchdog(board, clock, stop.clone()));
    let ended = signals.serve(&desk, web).await;
    tell_systemd(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping: what is in flight is finished");
    stop.cancel();
    running.await.context("the daemon ended badly")??;
    ended
}

/// What systemd and people send us.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?,
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    /// Waits for SIGTERM or SIGINT; SIGHUP reloads. Ends also if the companion does.
    async fn serve(
        mut self,
        desk: &Arc<crate::engine::desk::LiveDesk>,
        mut web: tokio::task::JoinHandle<Result<(), http::serve::ServeError>>,
    ) -> anyhow::Result<u8> {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => {
                    reloading();
                    // What is wrong with it is in the log already.
                    let _ = desk.reload().await;
                    tell_systemd(&[sd_notify::NotifyState::Ready]);
                }
                _ = self.terminate.recv() => return Ok(super::OK),
                _ = self.interrupt.recv() => return Ok(super::OK),
                ended = &mut web => {
                    return match ended {
                        Ok(Ok(())) => Ok(super::OK),
                        Ok(Err(error)) => Err(error.into()),
                        Err(error) => Err(anyhow::anyhow!("the companion ended badly: {error}")),
                    };
                }
            }
        }
    }
}

fn reloading() {
    match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(stamp) => tell_systemd(&[sd_notify::NotifyState::Reloading, stamp]),
        Err(_) => tell_systemd(&[sd_notify::NotifyState::Reloading]),
    }
}

fn tell_systemd(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// Pings systemd's watchdog for as long as the decider and the evaluator move.
async fn watchdog(board: Arc<Board>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    loop {
        let now = clock.now();
        let stuck: Vec<_> =
            board.beats().into_iter().filter(|(_, at)| now - *at > STUCK_AFTER).map(|(name, _)| name).collect();
        if stuck.is_empty() {
            tell_systemd(&[sd_notify::NotifyState::Watchdog]);
        } else {
            tracing::error!(?stuck, "stuck: the watchdog is not told");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(limit / 3) => {}
        }
    }
}

fn start_log(daemon: &Daemon) {
    let filter = EnvFilter::try_new(&daemon.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    // What the libraries beneath have to say is of interest only when asked for.
    let filter = if daemon.log_level.contains(['=', ',']) {
        filter
    } else {
        EnvFilter::try_new(format!("warn,slod={}", daemon.log_level)).unwrap_or(filter)
    };
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(colour);
    let registry = tracing_subscriber::registry().with(filter);
    // Started twice only in tests.
    let _ = match daemon.log_format {
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        LogFormat::Logfmt => registry.with(layer).try_init(),
    };
}
