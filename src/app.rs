//! The only place where everything is joined: configuration, store, core, sources, channels and the companion.

mod beside;
mod changes;
mod generation;
mod origin;
mod ruling;
mod upkeep;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use self::origin::{Origin, Refusal};
use self::{changes::changes, generation::Generation, ruling::ruling};
use crate::{
    channel::{self, Pulse, SharedChannel},
    clock::Clock,
    config::model::{Config, StoreUrl},
    domain::name::Name,
    engine::{
        agenda::Agenda,
        backfill::Backfill,
        board::Board,
        decider::Decider,
        deliverer::Deliverer,
        desk::{LiveDesk, Loading, ReloadRequest},
        diagnostics::Diagnostics,
        evaluator::Evaluator,
        gauges,
        inbound::{self, Inbound},
        mailbox::{Order, Orders, mailbox},
        maintenance::Maintenance,
        pager_watch,
        restart::{self, Comeback},
        traffic::Traffic,
    },
    source::{self, Diagnoser, SharedSource, probe::Prober},
    store::{Store, StoreError},
    views::desk::DeskError,
};

/// How long the last decisions may take at the end.
const LAST_DECISIONS: Duration = Duration::from_secs(2);
/// How long the store may take to close.
const CLOSING: Duration = Duration::from_secs(1);
/// How often old rows are removed.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has errors, as `slod check` shows them.
    #[error("the configuration has problems")]
    Config(String),
    /// A part of it cannot be built.
    #[error("{0}")]
    Build(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A part of the daemon has ended by itself: nothing can be promised without it, and a restart loses nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0} has ended by itself")]
pub struct Fault(&'static str);

/// The running daemon.
pub struct App {
    /// Answers and acts.
    pub desk: Arc<LiveDesk>,
    origin: Origin,
    store: Store,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    orders: Orders,
    nudge: Arc<Notify>,
    config: Arc<ArcSwap<Config>>,
    loading: Arc<RwLock<Loading>>,
    generation: Option<Generation>,
    reloads: mpsc::Receiver<ReloadRequest>,
    decider: JoinHandle<()>,
    /// What is to be told of the time before.
    comeback: Option<Comeback>,
}

/// What a configuration is turned into before anything of it is used: all or nothing.
struct Built {
    config: Arc<Config>,
    sources: BTreeMap<Name, SharedSource>,
    channels: BTreeMap<Name, SharedChannel>,
    prober: Arc<Prober>,
    diagnoser: Arc<Diagnoser>,
    pulse: Option<Pulse>,
}

fn build(config: Config) -> Result<Built, StartError> {
    let broken = |errors: Vec<source::BuildError>| {
        StartError::Build(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let sources = source::build(&config).map_err(broken)?;
    let diagnoser = Arc::new(Diagnoser::new(&config).map_err(broken)?);
    let channels = channel::build_all(&config, channel::Limits::default())
        .map_err(|error| StartError::Build(error.to_string()))?;
    let prober = Arc::new(Prober::new().map_err(|error| StartError::Build(error.to_string()))?);
    let pulse = config.daemon.heartbeat.as_ref().map(|beat| Pulse::new(beat.url.clone(), channel::Limits::default()));
    let pulse = pulse.transpose().map_err(|error| StartError::Build(error.to_string()))?;
    Ok(Built { config: Arc::new(config), sources, channels, prober, diagnoser, pulse })
}

/// The file of the store.
pub fn store_file(config: &Config) -> Result<&Path, StartError> {
    match &config.daemon.store {
        StoreUrl::Sqlite(path) => Ok(path),
        StoreUrl::Postgres(_) => {
            Err(StartError::Build("a Postgres store is not built yet; write `store: sqlite:slod.db`".to_owned()))
        }
    }
}

impl App {
    /// Starts everything but the companion, which serves [`App::desk`].
    pub async fn start(origin: Origin, config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let built = build(config)?;
        let store = Store::open(store_file(&built.config)?).await?;
        let board = Arc::new(Board::default());
        let nudge = Arc::new(Notify::new());
        let (orders, inbox) = mailbox();
        let (reload, reloads) = mpsc::channel(4);
        let away = store.come_alive(clock.now(), restart::WORTH_A_WORD).await?;
        let decider =
            Decider::start(ruling(&built.config), store.clone(), board.clone(), clock.clone(), inbox, nudge.clone())
                .await
                .inspect_err(|error| store.suspect(error))?;
        let decider = tokio::spawn(decider.run());
        let now = clock.now();
        let loading = Arc::new(RwLock::new(Loading { loaded_at: now, rejected: None }));
        let shared = Arc::new(ArcSwap::from(built.config.clone()));
        let parts = inbound::Parts {
            config: shared.clone(),
            store: store.clone(),
            board: board.clone(),
            orders: orders.clone(),
            clock: clock.clone(),
        };
        let inbound = Arc::new(Inbound::new(parts));
        let desk = Arc::new(LiveDesk {
            inbound,
            config: shared.clone(),
            board: board.clone(),
            store: store.clone(),
            orders: orders.clone(),
            reloads: reload,
            nudge: nudge.clone(),
            clock: clock.clone(),
            started_at: now,
            loading: loading.clone(),
        });
        let comeback = away.map(|away| Comeback {
            away,
            store: store.clone(),
            board: board.clone(),
            config: shared.clone(),
            clock: clock.clone(),
            nudge: nudge.clone(),
        });
        let mut app = Self {
            comeback,
            desk,
            origin,
            store,
            board,
            clock,
            orders,
            nudge,
            config: shared,
            loading,
            generation: None,
            reloads,
            decider,
        };
        app.generation = Some(app.begin(built));
        Ok(app)
    }

    fn begin(&self, built: Built) -> Generation {
        let Built { config, sources, channels, prober, diagnoser, pulse } = built;
        let stop = CancellationToken::new();
        pager_watch::start(&config, &self.desk.inbound, &stop);
        gauges::start(&config, &sources, &self.board, &self.clock, &stop);
        let beside = beside::start(self, &config, &channels, pulse, &stop);
        let deliverers = channels.clone().into_iter().map(|(receiver, channel)| {
            let pace = beside::pace(&config, &receiver);
            let deliverer = Deliverer {
                pace,
                receiver,
                channel,
                store: self.store.clone(),
                clock: self.clock.clone(),
                board: self.board.clone(),
                nudge: self.nudge.clone(),
            };
            tokio::spawn(deliverer.run(stop.clone()))
        });
        let deliverers = deliverers.collect();
        let traffic = Arc::new(Traffic::default());
        let maintenance = Arc::new(Maintenance::new(&config));
        let backfill = Backfill {
            maintenance: maintenance.clone(),
            config: config.clone(),
            sources: sources.clone(),
            orders: self.orders.clone(),
            board: self.board.clone(),
            clock: self.clock.clone(),
            traffic: traffic.clone(),
        };
        let backfill = tokio::spawn(backfill.run(stop.clone()));
        let diagnostics = Diagnostics {
            config: config.clone(),
            diagnoser: diagnoser.clone(),
            orders: self.orders.clone(),
            board: self.board.clone(),
            clock: self.clock.clone(),
            started_at: self.desk.started_at,
        };
        let diagnostics = tokio::spawn(diagnostics.run(stop.clone()));
        let agenda = Agenda {
            config: config.clone(),
            sources: sources.clone(),
            channels,
            prober: prober.clone(),
            diagnoser,
            store: self.store.clone(),
            board: self.board.clone(),
            clock: self.clock.clone(),
            nudge: self.nudge.clone(),
        };
        let agenda = tokio::spawn(agenda.run(stop.clone()));
        let evaluator = Evaluator {
            maintenance,
            config,
            sources,
            prober,
            orders: self.orders.clone(),
            board: self.board.clone(),
            clock: self.clock.clone(),
            traffic,
        };
        let evaluator = tokio::spawn(evaluator.run(stop.clone()));
        Generation { stop, evaluator, backfill, diagnostics, agenda, deliverers, beside }
    }

    /// Serves reloads and removes old rows until `stop`; then lets deliveries in flight finish and closes the store.
    /// Ends in the same way, and cancels `stop`, if a part of the daemon ends by itself.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), Fault> {
        let mut prune = tokio::time::interval(PRUNE_EVERY);
        let mut beat = tokio::time::interval(restart::BEAT);
        let back = self.comeback.take();
        let mut telling = async {
            if let Some(back) = back {
                back.tell().await;
            }
        }
        .boxed();
        let mut told = false;
        // A reload whose files are still being read, and who asked for it.
        let mut reading: Option<(BoxFuture<'static, Result<Config, Refusal>>, ReloadRequest)> = None;
        let fault = loop {
            let idle = reading.is_none();
            let read = async {
                match &mut reading {
                    Some((read, _)) => read.await,
                    None => std::future::pending().await,
                }
            };
            let broken = async {
                match &mut self.generation {
                    Some(generation) => generation.broken().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break None,
                _ = &mut self.decider => break Some(Fault("the decider")),
                () = self.store.found_broken() => break Some(Fault("the store")),
                part = broken => break Some(Fault(part)),
                Some(reply) = self.reloads.recv(), if idle => {
                    let origin = self.origin.clone();
                    reading = Some((async move { origin.read().await }.boxed(), reply));
                }
                read = read => {
                    let answer = self.reload(read).await;
                    if let Some((_, reply)) = reading.take() {
                        // The one who asked may have gone away.
                        let _ = reply.send(answer);
                    }
                }
                _ = prune.tick() => self.prune().await,
                _ = beat.tick() => self.live_on().await,
                () = &mut telling, if !told => told = true,
            }
        };
        if let Some(fault) = &fault {
            tracing::error!("{fault}: slod ends, to be started again");
            stop.cancel();
        }
        self.end().await;
        fault.map_or(Ok(()), Err)
    }

    /// Ends everything in order, within a few seconds whatever hangs.
    async fn end(mut self) {
        if let Some(generation) = self.generation.take() {
            generation.end().await;
        }
        self.live_on().await;
        // What is in the mailbox is still decided and written, if the store lets it be.
        if !self.decider.is_finished() {
            self.orders.stop();
            if tokio::time::timeout(LAST_DECISIONS, &mut self.decider).await.is_err() {
                tracing::error!("the last decisions could not be written; they are made again at the next start");
                self.decider.abort();
            }
        }
        if tokio::time::timeout(CLOSING, self.store.close()).await.is_err() {
            tracing::error!("the store could not be closed; it is recovered at the next start");
        }
    }

    /// Adopts a configuration that was read again: all or nothing.
    async fn reload(&mut self, read: Result<Config, Refusal>) -> Result<String, DeskError> {
        let (result, brief) = match read {
            Ok(config) => (self.adopt(config).await, None),
            Err(Refusal { text, brief }) => (Err(DeskError::Rejected(text)), Some(brief)),
        };
        let mut loading = self.loading.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &result {
            Ok(text) => {
                *loading = Loading { loaded_at: self.clock.now(), rejected: None };
                tracing::info!(hash = %self.config.load().hash, "{text}");
            }
            Err(error) => {
                let text = match error {
                    DeskError::Rejected(text) => text.clone(),
                    other => other.to_string(),
                };
                tracing::error!("the new configuration is refused; the old one stays in force\n{text}");
                loading.rejected = Some(brief.unwrap_or(text));
            }
        }
        result
    }

    async fn adopt(&mut self, config: Config) -> Result<String, DeskError> {
        let rejected = |text: String| DeskError::Rejected(text);
        let old = self.config.load_full();
        if let (Ok(file), Ok(new)) = (store_file(&old), store_file(&config))
            && file != new
        {
            return Err(rejected("`daemon.store` cannot change while slod runs: restart it".to_owned()));
        }
        let built = build(config).map_err(|error| rejected(error.to_string()))?;
        let (reply, answer) = oneshot::channel();
        let order = Order::Adopt { rules: Box::new(ruling(&built.config)), reply };
        let gone = || DeskError::Unavailable("the daemon is stopping".to_owned());
        self.orders.send(order).await.map_err(|_| gone())?;
        let touched = answer.await.map_err(|_| gone())?.map_err(DeskError::Unavailable)?;
        let text = format!("{}{touched}", changes(&old, &built.config));
        self.config.store(built.config.clone());
        let next = self.begin(built);
        if let Some(before) = self.generation.replace(next) {
            // The old deliverers finish what they hold; the new ones already take the rest.
            tokio::spawn(before.end());
        }
        Ok(text)
    }
}
