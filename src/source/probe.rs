//! One HTTP check a slot. The target is the service: whatever keeps it from answering well is bad.
//!
//! Refused, timeout, DNS, TLS, status, missing text: bad, after retries. Only when every witness fails too is the
//! fault ours, and the slot unmeasured.

mod attempt;

use std::time::Duration;

use chrono::DateTime;
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use self::attempt::attempt;
use super::{BuildError, http_client};
use crate::{
    clock::Stopwatch,
    config::model::{Probe, Tls},
    domain::{
        name::Name,
        slot::{Gap, Reading},
    },
};

/// The shortest and longest pause before a retry.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Sends probes. Every attempt makes a new connection: one that lasts would hide names, certificates and listeners
/// that no longer work.
#[derive(Clone, Debug)]
pub struct Prober {
    http: reqwest::Client,
}

/// What a probe brought back.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeResult {
    /// One event, good or bad, with the seconds the last attempt took; or unmeasured, if the fault is ours.
    pub reading: Reading,
    /// What was seen, for people: `status 503`, `connection refused`, `no answer within 10s`.
    pub detail: String,
    /// How often the target was asked.
    pub attempts: u32,
}

impl Prober {
    /// Prepares to ask; contacts nobody.
    pub fn new() -> Result<Self, BuildError> {
        let http = http_client::builder(&Tls::default())
            .and_then(|builder| http_client::build(builder.pool_max_idle_per_host(0).tls_info(true)))
            .map_err(|why| BuildError { name: Name::from("probe"), why })?;
        Ok(Self { http })
    }

    /// Makes one check at the Unix second `at`, with as many of its retries as fit into `budget`, and the witnesses
    /// if all fail.
    pub async fn check(&self, probe: &Probe, at: i64, budget: Duration) -> ProbeResult {
        let watch = Stopwatch::start();
        let now = DateTime::from_timestamp(at, 0).unwrap_or_default();
        let reserved = if probe.witnesses.is_empty() { Duration::ZERO } else { probe.timeout };
        let pause = (budget / 20).clamp(PAUSE.0, PAUSE.1);
        let mut attempts = 0;
        loop {
            let limit = probe.timeout.min(budget.saturating_sub(watch.elapsed()));
            let lap = Stopwatch::start();
            let outcome = timeout(limit, attempt(&self.http, probe, now))
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {limit:?}")));
            let seconds = Some(lap.elapsed().as_secs_f64());
            attempts += 1;
            let detail = match outcome {
                Ok(detail) => return ProbeResult { reading: Reading::check(true, seconds), detail, attempts },
                Err(detail) => detail,
            };
            let next_ends = watch.elapsed() + pause + probe.timeout + reserved;
            if attempts > probe.retries || next_ends > budget {
                let reading = if self.witnesses_fail(probe, budget.saturating_sub(watch.elapsed())).await {
                    Reading::Unmeasured(Gap::OurFault(format!("{detail}, and no witness answers")))
                } else {
                    Reading::check(false, seconds)
                };
                return ProbeResult { reading, detail, attempts };
            }
            sleep(pause).await;
        }
    }

    /// Whether there are witnesses and none of them answers anything but a server's error.
    async fn witnesses_fail(&self, probe: &Probe, left: Duration) -> bool {
        let limit = probe.timeout.min(left);
        let answers = probe.witnesses.iter().map(async |url| {
            let answer = timeout(limit, self.http.get(url).send()).await;
            matches!(answer, Ok(Ok(response)) if !response.status().is_server_error())
        });
        !probe.witnesses.is_empty() && join_all(answers).await.into_iter().all(|answered| !answered)
    }
}
