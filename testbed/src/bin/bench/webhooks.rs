//! Answers to a pager's webhooks, signed as PagerDuty signs them, while 1,000 SLOs are evaluated and incidents open.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::{
    clock::{Stopwatch, eventually},
    daemon::Slod,
};

use super::{
    doors::{Doors, spread},
    drain,
    table::{Progress, Row},
    world::{Plan, World},
};

/// The subscription's secret.
pub const SECRET: &str = "bench-webhook-secret";
const PATH: &str = "/webhooks/pagerduty";
const SLOS: usize = 1_000;
const EVERY: i64 = 5;
/// Incidents that open in each slot.
const WAVE: usize = 10;
const WEBHOOKS: usize = 2_000;
const PAUSE: Duration = Duration::from_millis(20);
const BLOCK: usize = 64;

/// Measures it.
pub async fn measure(binary: &Path, progress: Progress) -> anyhow::Result<Vec<Row>> {
    let what = "PagerDuty's webhook to our answer, 50 a second while 1,000 SLOs are evaluated, p50 / p99 / max";
    let (world, doors) = (World::start(Plan::Waves { every: EVERY, group: WAVE }).await?, Doors::closed(None).await?);
    doors.open();
    let folder = tempfile::tempdir()?;
    let pager = doors
        .receiver("pager")
        .replace("from_env: BENCH_KEY}", "from_env: BENCH_KEY}, webhook_secret: {from_env: BENCH_SECRET}");
    let text = format!(
        "{}receivers:\n{pager}policies: {{stale: {{slo: bench/*, when: {{consecutive: 1}}, priority: P1, notify: [pager]}}}}\n{}",
        drain::head(&world, EVERY),
        drain::slos(SLOS, EVERY)
    );
    std::fs::write(folder.path().join("slo.yaml"), text)?;
    let slod = Slod::start(binary, folder.path(), &drain::environment()?).await?;
    world.turn_bad_after(EVERY * 2);
    let http = reqwest::Client::builder().no_proxy().build()?;
    if send(&http, &slod, 0, "nothing").await?.0 == 404 {
        progress.say("this build takes no webhooks");
        return Ok(vec![Row::new(what, "not measured: this build takes no webhooks", "p99 under 50 ms")]);
    }
    let mut keys = Vec::new();
    let some = eventually(Duration::from_mins(1), async || {
        keys = open(&slod).await;
        !keys.is_empty()
    });
    ensure!(some.await, "no incident opened\n{}", slod.log());
    let mut took = Vec::new();
    for number in 1..=WEBHOOKS {
        let key = &keys[number % keys.len()];
        let (status, seconds) = send(&http, &slod, number, key).await?;
        ensure!((200..300).contains(&status), "webhook {number}: {status}\n{}", slod.log());
        took.push(seconds * 1_000.0);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(vec![Row::new(what, &spread(took), "p99 under 50 ms")])
}

/// The keys of the incidents there are.
async fn open(slod: &Slod) -> Vec<String> {
    let answer = slod.api("/api/v1/incidents").await.unwrap_or_default();
    let key = |incident: &Value| incident["key"].as_str().map(str::to_owned);
    answer["incidents"].as_array().into_iter().flatten().filter_map(key).collect()
}

/// Somebody takes the incident of `key` at PagerDuty. The status of our answer, and how many seconds it took.
async fn send(http: &reqwest::Client, slod: &Slod, number: usize, key: &str) -> anyhow::Result<(u16, f64)> {
    let body = json!({"event": {
        "id": format!("01BENCH{number:019}"),
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": testbed::clock::now().to_rfc3339(),
        "agent": {"id": "PUSER01", "type": "user_reference", "summary": "Ann Example", "self": null, "html_url": null},
        "client": null,
        "data": {
            "id": "PINCIDENT1", "type": "incident", "number": 7, "status": "acknowledged", "incident_key": key,
            "title": "bench", "created_at": "2026-10-25T14:03:15Z", "self": null, "html_url": null,
            "service": {"id": "PSERVICE1", "type": "service_reference"}, "assignees": [], "teams": [],
            "escalation_policy": null, "priority": null, "urgency": "high", "conference_bridge": null, "resolve_reason": null,
        },
    }});
    let body = body.to_string();
    let signature = format!("v1={}", hex::encode(hmac(SECRET.as_bytes(), body.as_bytes())));
    let request = http
        .post(format!("{}{PATH}", slod.url()))
        .header("content-type", "application/json")
        .header("x-pagerduty-signature", signature)
        .header("x-webhook-id", format!("bench-{number}"))
        .body(body);
    let watch = Stopwatch::start();
    let answer = request.send().await.context("no answer to a webhook")?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    Ok((status, watch.elapsed().as_secs_f64()))
}

/// HMAC-SHA256 with a key of at most a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |fill: u8| {
        let mut block = [fill; BLOCK];
        for (place, octet) in block.iter_mut().zip(key) {
            *place ^= octet;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    /// RFC 4231, test case 2.
    #[test]
    fn a_known_signature() {
        let signature = hex::encode(super::hmac(b"Jefe", b"what do ya want for nothing?"));
        assert_eq!(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
