//! The marked message of `slod notify test`.

use chrono::{DateTime, Utc};

use crate::{
    config::model::{Receiver, ReceiverKind},
    domain::{
        notification::{Event, Link, Notification, Phase},
        policy::Priority,
    },
};

/// Why a receiver is sent no test message, with what to do instead.
pub(super) fn refusal(receiver: &Receiver) -> Option<&'static str> {
    matches!(receiver.kind, ReceiverKind::Statuspage { .. } | ReceiverKind::Instatus { .. }).then_some(
        "is a public status page: a test would be seen by everybody; \
         `slod check --online` asks whether its credentials are good, and posts nothing",
    )
}

/// A message that says it is none.
pub(super) fn test_message(receiver: &str, by: &str, external_url: &str, now: DateTime<Utc>) -> Notification {
    let key = format!("test-{}", now.timestamp_millis());
    Notification {
        event: Event::Test,
        incident: "test".to_owned(),
        dedup_key: key.clone(),
        thread_key: key,
        phase: Phase::Open,
        priority: Priority::P5,
        service: None,
        slo: None,
        series: std::collections::BTreeMap::new(),
        headline: format!("test message to {receiver}: nothing is wrong"),
        lines: vec![format!("Sent by {by} with `slod notify test {receiver}`.")],
        standing: None,
        reason: "test".to_owned(),
        policies: Vec::new(),
        opened_at: now,
        decided_at: now,
        late: false,
        links: vec![Link { text: "slod".to_owned(), url: external_url.to_owned() }],
        figures: std::collections::BTreeMap::new(),
    }
}
