//! A Prometheus that answers at once and a PagerDuty that accepts at once: what is left is slod's own time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::bail;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use testbed::ports::free_port;

/// Which SLOs turn bad when.
#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// None ever.
    Quiet,
    /// Another group in each slot.
    Groups {
        /// Slot length in seconds.
        every: i64,
        /// How many.
        group: usize,
        /// Of how many.
        slos: usize,
    },
    /// All from then on.
    All,
    /// Another group from each slot on, and none of them good again.
    Waves {
        /// Slot length in seconds.
        every: i64,
        /// How many.
        group: usize,
    },
}

/// One accepted page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// From the source's bad answer.
    pub accepted_after_answer: Duration,
    /// From the end of the bad slot, in milliseconds.
    pub accepted_after_slot_ms: f64,
}

struct Seen {
    plan: Plan,
    /// Unix time from which on slots are bad.
    bad_from: Option<i64>,
    answered: HashMap<usize, (Instant, i64)>,
    pages: HashMap<usize, (Page, Instant)>,
}

type Shared = Arc<Mutex<Seen>>;

/// Both servers.
pub struct World {
    /// Port for the daemon.
    pub listen: u16,
    /// Base address.
    pub prometheus: String,
    /// Base address.
    pub pagerduty: String,
    seen: Shared,
}

impl World {
    /// Starts both on one free port.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen { plan, bad_from: None, answered: HashMap::new(), pages: HashMap::new() }));
        let router = Router::new()
            .route("/api/v1/query", post(answer))
            .route("/api/v1/query_range", post(past))
            .route("/v2/enqueue", post(accept))
            .with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { listen: free_port()?, prometheus: url.clone(), pagerduty: url, seen })
    }

    /// Slots that end so many seconds from now, or later, follow the plan.
    pub fn turn_bad_after(&self, seconds: i64) {
        lock(&self.seen).bad_from = Some(testbed::clock::now().timestamp() + seconds);
    }

    /// Waits for so many pages.
    pub async fn pages(&self, wanted: usize, longest: Duration) -> anyhow::Result<Vec<Page>> {
        let enough = testbed::clock::eventually(longest, async || lock(&self.seen).pages.len() >= wanted).await;
        let pages: Vec<Page> = lock(&self.seen).pages.values().map(|(page, _)| *page).collect();
        if !enough {
            bail!("{} pages of {wanted} within {longest:?}", pages.len());
        }
        Ok(pages)
    }

    /// The first bad answer and the last accepted page.
    pub fn first_answer_to_last_page(&self) -> Option<(Instant, Instant)> {
        let seen = lock(&self.seen);
        let first = seen.answered.values().map(|(at, _)| *at).min()?;
        let last = seen.pages.values().map(|(_, at)| *at).max()?;
        Some((first, last))
    }
}

fn lock(seen: &Shared) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "this program measures time")]
fn instant() -> Instant {
    Instant::now()
}

async fn answer(State(seen): State<Shared>, axum::Form(form): axum::Form<HashMap<String, String>>) -> Json<Value> {
    let query = form.get("query").map(String::as_str).unwrap_or_default();
    let time: f64 = form.get("time").and_then(|time| time.parse().ok()).unwrap_or_default();
    let number = query.split('\'').nth(1).or_else(|| query.split('"').nth(1)).and_then(|id| id.parse::<usize>().ok());
    let mut bad = false;
    if let Some(number) = number {
        let mut seen = lock(&seen);
        let end = time.round() as i64;
        bad = seen.bad_from.is_some_and(|from| end >= from)
            && match seen.plan {
                Plan::Quiet => false,
                Plan::All => true,
                Plan::Waves { every, group } => {
                    number / group <= (end - seen.bad_from.unwrap_or(end)).div_euclid(every) as usize
                }
                Plan::Groups { every, group, slos } => number / group == (end / every) as usize % (slos / group),
            };
        if bad {
            seen.answered.entry(number).or_insert((instant(), end));
        }
    }
    let sample = json!({"metric": {}, "value": [time, if bad { "2" } else { "0" }]});
    Json(json!({"status": "success", "data": {"resultType": "vector", "result": [sample]}}))
}

/// All was well.
async fn past(axum::Form(form): axum::Form<HashMap<String, String>>) -> Json<Value> {
    let number = |key: &str| form.get(key).and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
    let (start, end, step) = (number("start"), number("end"), number("step").max(1.0));
    let points = ((end - start) / step).clamp(0.0, 11_000.0) as u32;
    let values: Vec<Value> = (0..=points).map(|at| json!([start + f64::from(at) * step, "0"])).collect();
    let result = json!([{"metric": {}, "values": values}]);
    Json(json!({"status": "success", "data": {"resultType": "matrix", "result": result}}))
}

async fn accept(State(seen): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let number = body["payload"]["source"].as_str().and_then(|source| source.rsplit('-').next()?.parse::<usize>().ok());
    if let (Some("trigger"), Some(number)) = (body["event_action"].as_str(), number) {
        let (now, wall) = (instant(), testbed::clock::now());
        let mut seen = lock(&seen);
        if let Some((answered, end)) = seen.answered.get(&number).copied() {
            let page = Page {
                accepted_after_answer: now - answered,
                accepted_after_slot_ms: (wall.timestamp_millis() - end * 1_000) as f64,
            };
            seen.pages.entry(number).or_insert((page, now));
        }
    }
    let key = body["dedup_key"].clone();
    (StatusCode::ACCEPTED, Json(json!({"status": "success", "message": "Event processed", "dedup_key": key})))
}
