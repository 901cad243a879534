//! How long answers take: the companion's own histograms.
//!
//! Buckets hold every latency threshold of the configuration, so that an SLO on the companion itself finds its
//! bucket. A reload that changes the thresholds starts the histograms anew, as a counter may.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use super::{Companion, guard::Front, routes::SERVICE_PAGES};
use crate::{
    clock::Stopwatch,
    views::{
        desk::Desk,
        exposition::{Exposition, Histogram},
    },
};

/// Bounds in seconds, before the configured thresholds are added.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The companion's own metric.
const OWN: &str = "slod_http_request_duration_seconds";

/// One series. Ordered so that the series of one metric stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    metric: String,
    handler: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Default)]
struct Book {
    bounds: Vec<f64>,
    histograms: BTreeMap<Key, Histogram>,
}

/// All histograms of the companion.
#[derive(Debug, Default)]
pub struct Latencies(Mutex<Book>);

/// Times an answer.
pub async fn record(State(front): State<Front>, request: Request, next: Next) -> Response {
    let watch = Stopwatch::start();
    let template = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = request.uri().path().to_owned();
    let method = method_word(request.method());
    let response = next.run(request).await;
    let seconds = watch.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    tracing::debug!(method, path, status, seconds, "answered");
    front.companion.metrics.observe(&front.companion, template.as_deref(), &path, method, status, seconds);
    response
}

impl Latencies {
    fn observe(
        &self,
        companion: &Companion,
        template: Option<&str>,
        path: &str,
        method: &'static str,
        status: u16,
        seconds: f64,
    ) {
        let handler = template.unwrap_or("unmatched").to_owned();
        let mut keys = vec![Key { metric: OWN.to_owned(), handler, method, status }];
        let pages = pages(&*companion.desk);
        if template.is_some_and(|template| SERVICE_PAGES.contains(&template)) {
            let own = pages.into_iter().filter(|(_, handler)| handler == path);
            keys.extend(own.map(|(metric, handler)| Key { metric, handler, method, status }));
        }
        let mut book = self.book(&*companion.desk);
        for key in keys {
            book.histogram(key).observe(seconds);
        }
    }

    /// Prometheus text, with a series for every page of every service that has its own metric, hit or not.
    pub fn render(&self, desk: &dyn Desk) -> String {
        let pages = pages(desk);
        let mut book = self.book(desk);
        for (metric, handler) in pages.clone() {
            book.histogram(Key { metric, handler, method: "GET", status: 200 });
        }
        // What a reload took away is no longer published.
        book.histograms
            .retain(|key, _| key.metric == OWN || pages.contains(&(key.metric.clone(), key.handler.clone())));
        render(&book)
    }

    fn book(&self, desk: &dyn Desk) -> MutexGuard<'_, Book> {
        let bounds = bounds(desk.latency_thresholds());
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if book.bounds != bounds {
            *book = Book { bounds, histograms: BTreeMap::new() };
        }
        book
    }
}

impl Book {
    fn histogram(&mut self, key: Key) -> &mut Histogram {
        let Self { bounds, histograms } = self;
        histograms.entry(key).or_insert_with(|| Histogram::new(bounds))
    }
}

/// The (metric, handler) pairs that services have asked for.
fn pages(desk: &dyn Desk) -> BTreeSet<(String, String)> {
    let services = desk.services().into_iter();
    let prefixed = services.filter_map(|service| service.metric_prefix.map(|prefix| (service.name, prefix)));
    prefixed
        .flat_map(|(name, prefix)| {
            SERVICE_PAGES.map(|page| (format!("{prefix}_http_duration_seconds"), page.replace("{service}", &name)))
        })
        .collect()
}

fn bounds(thresholds: Vec<f64>) -> Vec<f64> {
    let thresholds = thresholds.into_iter().filter(|bound| bound.is_finite() && *bound > 0.0);
    let mut bounds: Vec<f64> = BOUNDS.into_iter().chain(thresholds).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

fn render(book: &Book) -> String {
    let mut text = Exposition::default();
    let mut metric = "";
    for (key, histogram) in &book.histograms {
        if key.metric != metric {
            metric = &key.metric;
            let own = metric == OWN;
            let help =
                if own { "Time to answer an HTTP request." } else { "Time to answer one of the service's pages." };
            text.family(metric, "histogram", help);
        }
        let status = key.status.to_string();
        let labels = [("handler", key.handler.as_str()), ("method", key.method), ("status", &status)];
        text.histogram(metric, &labels, histogram);
    }
    text.finish()
}

/// A method, of which there are only so many.
fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        _ => "other",
    }
}
