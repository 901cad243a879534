//! Pagers side by side, each at an address of its own: they accept as soon as the doors are opened, but for one that
//! never answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::ensure;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use serde_json::{Value, json};
use testbed::clock::{eventually, now};
use tokio::sync::watch;

/// When each trigger was accepted, in Unix milliseconds, by receiver and dedup key.
pub type Accepted = HashMap<(String, String), i64>;

/// The pagers. They serve as long as the runtime runs.
pub struct Doors {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    open: watch::Sender<bool>,
    /// Never answers.
    hangs: Option<String>,
    accepted: Mutex<Accepted>,
}

impl Doors {
    /// Starts them, closed: who asks waits.
    pub async fn closed(hangs: Option<&str>) -> anyhow::Result<Self> {
        let hangs = hangs.map(str::to_owned);
        let shared = Arc::new(Shared { open: watch::Sender::new(false), hangs, accepted: Mutex::default() });
        let router = Router::new().route("/{receiver}/v2/enqueue", post(accept)).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// Lets everybody in.
    pub fn open(&self) {
        self.shared.open.send_replace(true);
    }

    /// The line of a receiver.
    pub fn receiver(&self, name: &str) -> String {
        format!("  {name}: {{pagerduty: {{routing_key: {{from_env: BENCH_KEY}}, url: \"{}/{name}\"}}}}\n", self.url)
    }

    /// Waits until so many triggers are accepted.
    pub async fn wait_for(&self, wanted: usize, longest: Duration) -> anyhow::Result<Accepted> {
        let enough = eventually(longest, async || self.shared.accepted().len() >= wanted).await;
        let accepted = self.shared.accepted().clone();
        ensure!(enough, "{} messages of {wanted} were accepted within {longest:?}", accepted.len());
        Ok(accepted)
    }
}

impl Shared {
    fn accepted(&self) -> MutexGuard<'_, Accepted> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(
    State(shared): State<Arc<Shared>>,
    Path(receiver): Path<String>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    if shared.hangs.as_deref() == Some(receiver.as_str()) {
        std::future::pending::<()>().await;
    }
    // The sender lives as long as we do.
    let _ = shared.open.subscribe().wait_for(|open| *open).await;
    let key = body["dedup_key"].as_str().unwrap_or_default().to_owned();
    if body["event_action"] == "trigger" {
        let at = now().timestamp_millis();
        shared.accepted().entry((receiver, key.clone())).or_insert(at);
    }
    (StatusCode::ACCEPTED, Json(json!({"status": "success", "message": "Event processed", "dedup_key": key})))
}

/// The value at a share of sorted ones.
pub fn at_share(sorted: &[f64], share: f64) -> f64 {
    sorted.get((sorted.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

/// `p50 / p99 / max`.
pub fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let [middle, most, all] = [0.5, 0.99, 1.0].map(|share| at_share(&values, share));
    format!("{middle:.0} / {most:.0} / {all:.0} ms")
}
