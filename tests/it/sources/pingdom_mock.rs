//! Pingdom's API 3.1, as far as it is asked: checks the token and the question, and cuts states to what is asked for.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The token it takes.
pub const TOKEN: &str = "SECRET-pingdom";
/// The one check it has.
pub const CHECK: u64 = 1_234_567;

type Answer = (StatusCode, [(HeaderName, String); 1], Json<Value>);

/// What the server knows and saw.
#[derive(Default)]
struct Known {
    states: Vec<(String, i64, i64)>,
    spent: Option<u64>,
    asked: Vec<String>,
    problems: Vec<String>,
}

/// A running server. Ends when dropped.
pub struct Pingdom {
    address: SocketAddr,
    known: Arc<Mutex<Known>>,
    task: JoinHandle<()>,
}

impl Pingdom {
    pub async fn start() -> Self {
        let known = Arc::new(Mutex::new(Known::default()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&known));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, known, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the check has been, from when to when.
    pub fn set(&self, states: &[(&str, i64, i64)]) {
        let states = states.iter().map(|(status, from, to)| ((*status).to_owned(), *from, *to));
        self.known.lock().unwrap().states = states.collect();
    }

    /// From now on the limit of requests is spent, for so many seconds; or no longer.
    pub fn spend(&self, reset: Option<u64>) {
        self.known.lock().unwrap().spent = reset;
    }

    /// Paths and queries, in their order; forgets them.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.known.lock().unwrap().asked)
    }

    /// What no client of the API should send.
    pub fn problems(&self) -> Vec<String> {
        self.known.lock().unwrap().problems.clone()
    }
}

impl Drop for Pingdom {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(known): State<Arc<Mutex<Known>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut known = known.lock().unwrap();
    known.asked.push(uri.to_string());
    let problem = if method != Method::GET || !body.is_empty() {
        Some(format!("{method} {uri} with a body of {} bytes", body.len()))
    } else if !headers.get("user-agent").is_some_and(|agent| agent.as_bytes().starts_with(b"slod/")) {
        Some("no name".to_owned())
    } else {
        None
    };
    known.problems.extend(problem);
    if let Some(reset) = known.spent {
        let error = error(StatusCode::TOO_MANY_REQUESTS, "Request limit exceeded, try again later", reset, 0);
        return error.into_response();
    }
    if headers.get(AUTHORIZATION).is_none_or(|token| token.as_bytes() != format!("Bearer {TOKEN}").as_bytes()) {
        return error(StatusCode::UNAUTHORIZED, "Invalid token", 3_000, 390).into_response();
    }
    let outage = format!("/api/3.1/summary.outage/{CHECK}");
    let (status, answer) = match uri.path() {
        "/api/3.1/checks" => {
            (StatusCode::OK, json!({"checks": [], "counts": {"total": 1, "limited": 0, "filtered": 0}}))
        }
        path if path == format!("/api/3.1/checks/{CHECK}") => (
            StatusCode::OK,
            json!({"check": {
                "id": CHECK, "name": "Shop front", "type": {"http": {"url": "/"}}, "resolution": 1, "status": "up", "tags": [],
            }}),
        ),
        path if path == outage => known.outage(uri.query().unwrap_or_default()),
        _ => return error(StatusCode::NOT_FOUND, "Invalid check identifier", 3_000, 390).into_response(),
    };
    (status, Json(answer)).into_response()
}

impl Known {
    fn outage(&mut self, query: &str) -> (StatusCode, Value) {
        let pairs: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let number = |name: &str| pairs.get(name).and_then(|text| text.parse::<i64>().ok());
        let (Some(from), Some(to)) = (number("from"), number("to")) else {
            self.problems.push(format!("no time: {query}"));
            return (StatusCode::BAD_REQUEST, json!({}));
        };
        if from >= to || pairs.get("order") != Some(&"asc") || pairs.len() != 3 {
            self.problems.push(query.to_owned());
        }
        let within = self.states.iter().filter(|(_, start, end)| *start < to && *end > from);
        let states: Vec<Value> = within
            .map(|(status, start, end)| json!({"status": status, "timefrom": start.max(&from), "timeto": end.min(&to)}))
            .collect();
        (StatusCode::OK, json!({"summary": {"states": states}}))
    }
}

fn error(status: StatusCode, words: &str, reset: u64, remaining: u64) -> Answer {
    let limit = format!("Remaining: {remaining} Time until reset: {reset}");
    let body = json!({"error": {
        "statuscode": status.as_u16(), "statusdesc": status.canonical_reason(), "errormessage": words,
    }});
    (status, [(HeaderName::from_static("req-limit-short"), limit)], Json(body))
}
