//! Composes the records of incidents that are over, from what is stored of them, right before they are written.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Decider;
use crate::{
    domain::{
        decide::{Decision, Outgoing, SeriesKey},
        incident::{Incident, Subject},
        notification::{Event, Message},
        record::{Gathered, RecordedCost, RecordedLine, Sent, compose},
    },
    engine::report,
    store::{StoreError, outbox::StoredDelivery},
};

/// How often a part of a record is tried to be read.
const TRIES: u32 = 3;
/// The wait between two tries.
const WAIT: Duration = Duration::from_millis(200);

impl Decider {
    /// Makes a message of each record that a decision asks for.
    pub(super) async fn compose_records(&self, now: DateTime<Utc>, decision: &mut Decision) {
        for (id, rule) in std::mem::take(&mut decision.records) {
            let Some(incident) = self.core.incidents.get(&id) else { continue };
            let gathered = self.gather(incident, decision, now).await;
            let Some(record) = compose(incident, &rule.action, gathered) else { continue };
            decision.outgoing.push(Outgoing {
                incident: id,
                receiver: rule.receiver,
                event: Event::Digest,
                priority: incident.priority,
                dedup_key: incident.key.clone(),
                message: Message::Record(Box::new(record)),
            });
        }
    }

    async fn gather(&self, incident: &Incident, decision: &Decision, now: DateTime<Utc>) -> Gathered {
        let stored = read("the timeline", incident, || self.store.timeline(&incident.id)).await;
        let stored = stored.into_iter().map(|line| RecordedLine { at: line.at, kind: line.kind, text: line.text });
        // What this decision adds is not stored yet.
        let new = decision.lines.iter().filter(|line| line.incident == incident.id);
        let new = new.map(|line| RecordedLine { at: line.at, kind: line.kind.to_owned(), text: line.text.clone() });
        let messages = read("the messages", incident, || self.store.deliveries_of(&incident.id)).await;
        let diagnostics = read("the first look", incident, || self.store.diagnoses(&incident.id)).await;
        Gathered {
            lines: stored.chain(new).collect(),
            messages: messages.into_iter().map(sent).collect(),
            cost: self.cost(incident, now).await,
            diagnostics: diagnostics.iter().filter_map(|found| serde_json::to_value(found).ok()).collect(),
        }
    }

    async fn cost(&self, incident: &Incident, now: DateTime<Utc>) -> RecordedCost {
        let Subject::Slo { id, series } = &incident.subject else { return RecordedCost::default() };
        let Some(rules) = self.core.rules.slos.get(id) else { return RecordedCost::default() };
        let view = self.board.slo(&SeriesKey { id: id.clone(), series: series.clone() });
        let events = view.map_or(0.0, |view| report::window_events(&view));
        let cost =
            read("the cost", incident, || report::incident_cost(&self.store, &rules.spec, incident, events, now)).await;
        RecordedCost { bad: cost.bad, in_seconds: cost.in_seconds, budget_share: cost.budget_share }
    }
}

/// Reads a part of a record. What cannot be read is left out: a record with a gap is better than a decider that waits.
async fn read<T: Default, F>(what: &str, incident: &Incident, read: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    for attempt in 1..=TRIES {
        match read().await {
            Ok(found) => return found,
            Err(error) => {
                let text = error.text();
                tracing::error!(incident = %incident.id, attempt, error = %text, "{what} cannot be read for the record");
            }
        }
        if attempt < TRIES {
            tokio::time::sleep(WAIT).await;
        }
    }
    T::default()
}

fn sent(row: StoredDelivery) -> Sent {
    Sent {
        receiver: row.receiver.to_string(),
        event: row.event,
        state: row.state,
        sent_at: row.sent_at,
        last_error: row.last_error,
    }
}
