//! Somebody's webhook, that checks the signature, the time and the shape, and never takes a delivery for two.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::request::{Reply, Request};

/// What everything is signed with.
pub const WEBHOOK_SECRET: &str = "webhook-SECRET";

const FIELDS: [&str; 12] = [
    "decided_at",
    "delivery",
    "event",
    "figures",
    "headline",
    "incident",
    "late",
    "lines",
    "links",
    "reason",
    "standing",
    "version",
];

#[derive(Debug, Default)]
pub(super) struct Webhook {
    /// The body of each delivery.
    seen: BTreeMap<String, Vec<u8>>,
}

impl Webhook {
    pub fn take(&mut self, request: &Request, now: DateTime<Utc>, problems: &mut Vec<String>) -> Reply {
        if request.method == "HEAD" {
            return Reply::text(405, "");
        }
        let sent_at = request.header("x-slod-timestamp");
        if request.header("x-slod-signature") != signature(sent_at, &request.raw) {
            problems.push("the signature is wrong".to_owned());
        }
        // A test may send from another time altogether, but not from the far end of one.
        let sent = sent_at.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        if sent.is_none_or(|sent| (now - sent).num_days().abs() > 400) {
            problems.push("the time is wrong".to_owned());
        }
        let body: Value = serde_json::from_slice(&request.raw).unwrap_or_default();
        let mut fields: Vec<_> = body.as_object().into_iter().flat_map(|map| map.keys()).collect();
        fields.sort();
        // What is about no single incident says so, and what it is about.
        let mut promised = FIELDS.to_vec();
        if body["incident"].is_null() {
            promised.push("bulletin");
            promised.sort_unstable();
        }
        if fields != promised || body["version"] != 1 {
            problems.push(format!("not the promised shape: {fields:?}"));
        }
        let delivery = request.header("x-slod-delivery");
        if body["delivery"] != delivery || delivery.len() < 16 {
            problems.push("the delivery has no name".to_owned());
        }
        if self.seen.insert(delivery.to_owned(), request.raw.clone()).is_some_and(|before| before != request.raw) {
            problems.push("the same delivery says something else".to_owned());
        }
        let word = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Reply::text(202, "").about(format!("{} {}", word("/event"), word("/headline")))
    }
}

fn signature(timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()) else { return String::new() };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}
