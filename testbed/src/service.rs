//! A simulated inventory dashboard: pages that can fail or dawdle, metrics, and actions that wait to be seen.

mod metrics;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use chrono::{DateTime, Utc};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};

use self::metrics::Histogram;
use crate::{action_queue::ActionQueue, clock::now};

/// How often simulated requests arrive.
const TICK: Duration = Duration::from_millis(100);

/// How long simulated requests take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    /// Requests in a second.
    pub per_second: u32,
    /// Which share of them is slow, 0–1.
    pub slow_share: f64,
    /// Seconds of a fast one.
    pub fast: f64,
    /// Seconds of a slow one.
    pub slow: f64,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { per_second: 20, slow_share: 0.0, fast: 0.12, slow: 1.4 }
    }
}

/// How actions are queued and seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Actions in a second.
    pub per_second: f64,
    /// How long each waits for the CEO.
    pub seen_after: Duration,
}

/// The service. Ends when dropped.
#[derive(Debug)]
pub struct InventoryService {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    server: JoinHandle<()>,
    traffic: JoinHandle<()>,
    actions: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct World {
    health: StatusCode,
    delay: Duration,
    /// How often a page was asked for.
    asked: u64,
    frozen_sync: Option<DateTime<Utc>>,
    pending: f64,
    traffic: Traffic,
    /// Requests and slow requests that are due but not whole yet.
    due: (f64, f64),
    latency: Histogram,
}

impl InventoryService {
    /// Starts on a free port, healthy, with fast requests coming in.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_at(0).await
    }

    /// Starts on `port` of loopback; 0 takes a free one.
    pub async fn start_at(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(Mutex::new(World::default()));
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/inventory/health", get(health))
            .route("/inventory/alerts", get(health))
            .route("/inventory/optimization", get(health))
            .with_state(Arc::clone(&world));
        let server = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        let arriving = Arc::clone(&world);
        let traffic = tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                lock(&arriving).arrive(TICK);
            }
        });
        Ok(Self { address, world, server, traffic, actions: None })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the pages answer from now on: 200, 503, …
    pub fn answer_with(&self, status: u16) -> anyhow::Result<()> {
        lock(&self.world).health = StatusCode::from_u16(status)?;
        Ok(())
    }

    /// How long the pages take from now on.
    pub fn answer_after(&self, delay: Duration) {
        lock(&self.world).delay = delay;
    }

    /// How often a page was asked for.
    pub fn asked(&self) -> u64 {
        lock(&self.world).asked
    }

    /// The ROP snapshot stops being renewed; it is as old as `age` now.
    pub fn freeze_sync(&self, age: Duration) {
        lock(&self.world).frozen_sync = Some(now() - age);
    }

    /// The ROP snapshot is renewed all the time again.
    pub fn resume_sync(&self) {
        lock(&self.world).frozen_sync = None;
    }

    /// Changes the simulated requests to `/api/inventory/health-metrics`.
    pub fn set_traffic(&self, traffic: Traffic) {
        lock(&self.world).traffic = traffic;
    }

    /// `count` requests that took `seconds` each, right now.
    pub fn observe(&self, seconds: f64, count: u64) {
        lock(&self.world).latency.observe(seconds, count);
    }

    /// The gauge of pending actions.
    pub fn set_pending(&self, pending: f64) {
        lock(&self.world).pending = pending;
    }

    /// Writes actions into `queue` from now on, each already seen after the pace's time (a time still to come is
    /// written as it will be). `None` stops it.
    pub fn write_actions(&mut self, queue: &ActionQueue, pace: Option<Pace>) {
        if let Some(writer) = self.actions.take() {
            writer.abort();
        }
        let queue = queue.clone();
        self.actions = pace.filter(|pace| pace.per_second > 0.0).map(|pace| {
            tokio::spawn(async move {
                let mut ticks = interval(Duration::from_secs_f64(1.0 / pace.per_second));
                loop {
                    ticks.tick().await;
                    // A database that is away loses actions, as the real thing would.
                    drop(queue.add(now(), Some(pace.seen_after)).await);
                }
            })
        });
    }

    /// Stops listening: connections are refused from here on.
    pub async fn stop(&mut self) {
        self.server.abort();
        drop((&mut self.server).await);
    }
}

impl Drop for InventoryService {
    fn drop(&mut self) {
        self.server.abort();
        self.traffic.abort();
        if let Some(writer) = &self.actions {
            writer.abort();
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            health: StatusCode::OK,
            delay: Duration::ZERO,
            asked: 0,
            frozen_sync: None,
            pending: 0.0,
            traffic: Traffic::default(),
            due: (0.0, 0.0),
            latency: Histogram::default(),
        }
    }
}

impl World {
    /// The requests of one tick, spread evenly: no randomness, so that shares come out exactly.
    fn arrive(&mut self, tick: Duration) {
        let Traffic { per_second, slow_share, fast, slow } = self.traffic;
        let arriving = f64::from(per_second) * tick.as_secs_f64();
        self.due = (self.due.0 + arriving * (1.0 - slow_share), self.due.1 + arriving * slow_share);
        let whole = (self.due.0.floor(), self.due.1.floor());
        self.due = (self.due.0 - whole.0, self.due.1 - whole.1);
        self.latency.observe(fast, whole.0 as u64);
        self.latency.observe(slow, whole.1 as u64);
    }

    fn exposition(&self) -> String {
        let synced = self.frozen_sync.unwrap_or_else(now);
        metrics::exposition(&self.latency, synced, self.pending)
    }
}

async fn metrics(State(world): State<Arc<Mutex<World>>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], lock(&world).exposition())
}

async fn health(State(world): State<Arc<Mutex<World>>>) -> impl IntoResponse {
    let (status, delay) = {
        let mut world = lock(&world);
        world.asked += 1;
        (world.health, world.delay)
    };
    sleep(delay).await;
    (status, if status.is_success() { "Inventory Health\n" } else { "inventory is not available\n" })
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
