//! Everything that was decided of an incident, in order: what fired by which figures, who was told, each attempt, and the
//! steps that have not run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::desk::delivery_view;
use crate::{
    domain::{
        escalation::{Step, StepState},
        incident::{Incident, Subject},
        policy::Unless,
    },
    store::{Store, StoreError, attempts::Attempt, incidents::state_word, outbox::StoredDelivery},
    views::{
        render_words::{duration, instant},
        why::{AttemptView, DeliveryProof, StepProof, WhyEvent, WhyView},
    },
};

/// Of an incident's events the first and the last so many are shown.
const FIRST_EVENTS: usize = 1_000;
const LAST_EVENTS: usize = 4_000;

/// The whole story of an incident.
pub async fn why(store: &Store, incident: &Incident) -> Result<WhyView, StoreError> {
    let (mut events, mut held) = (Vec::new(), Vec::new());
    for line in store.timeline(&incident.id).await? {
        held.extend(Some(line.text.clone()).filter(|_| line.kind == "muted"));
        events.push(WhyEvent { at: line.at, kind: line.kind, text: line.text, delivery: None });
    }
    let deliveries = proofs(store, incident).await?;
    for proof in &deliveries {
        events.extend(story(proof, incident));
    }
    // What was decided at one instant stands in the order of its causes.
    events.sort_by_key(|event| (event.at, event.delivery.is_some(), event.kind == "attempt"));
    let left_out = events.len().saturating_sub(FIRST_EVENTS + LAST_EVENTS);
    drop(events.drain(FIRST_EVENTS.min(events.len())..FIRST_EVENTS.min(events.len()) + left_out));
    let (subject, series) = match &incident.subject {
        Subject::Slo { id, series } => (id.to_string(), series.clone()),
        Subject::Source(name) => (format!("source {name}"), BTreeMap::new()),
    };
    Ok(WhyView {
        id: incident.id.clone(),
        subject,
        series,
        title: incident.title.clone(),
        priority: incident.priority,
        state: state_word(incident).to_owned(),
        opened_at: incident.opened_at,
        resolved_at: incident.resolved.as_ref().map(|end| end.at),
        events,
        events_left_out: left_out,
        deliveries,
        steps: steps(incident, &held),
    })
}

async fn proofs(store: &Store, incident: &Incident) -> Result<Vec<DeliveryProof>, StoreError> {
    let mut attempts: BTreeMap<i64, Vec<Attempt>> = BTreeMap::new();
    for (delivery, attempt) in store.attempts_of(&incident.id).await? {
        attempts.entry(delivery).or_default().push(attempt);
    }
    let mut reasons = store.reasons_of(&incident.id).await?;
    let deliveries = store.deliveries_of(&incident.id).await?;
    let proof = |row: &StoredDelivery| {
        let tries: Vec<AttemptView> =
            attempts.remove(&row.id).unwrap_or_default().into_iter().map(attempt_view).collect();
        let (reason, late) = reasons.remove(&row.id).unwrap_or_default();
        let under_way = u32::from(row.state == "sending");
        let recorded = u32::try_from(tries.len()).unwrap_or(u32::MAX);
        DeliveryProof {
            delivery: delivery_view(row),
            reason,
            late,
            tries_without_record: row.attempts.saturating_sub(recorded.saturating_add(under_way)),
            tries,
        }
    };
    Ok(deliveries.iter().map(proof).collect())
}

fn attempt_view(attempt: Attempt) -> AttemptView {
    let Attempt { number, started_at, ended_at, outcome, next_at, error, receipt } = attempt;
    AttemptView { number, started_at, ended_at, outcome, next_at, error, receipt }
}

/// A message from its decision to its end.
fn story(proof: &DeliveryProof, incident: &Incident) -> Vec<WhyEvent> {
    let row = &proof.delivery;
    let event = |at, kind: &str, text| WhyEvent { at, kind: kind.to_owned(), text, delivery: Some(row.id) };
    let reason = proof.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let late = if proof.late { " (late)" } else { "" };
    let decided = format!("{} to {}{late}{reason}", row.event, row.receiver);
    let mut story = vec![event(row.decided_at, "message", decided)];
    story.extend(proof.tries.iter().map(|attempt| event(attempt.ended_at, "attempt", attempt_words(proof, attempt))));
    if row.state == "dropped" {
        let end = incident.resolved.as_ref().map(|end| end.at).filter(|end| *end >= row.decided_at);
        let text = format!("{} to {} dropped: the incident was over before it was tried", row.event, row.receiver);
        story.push(event(end.unwrap_or(row.decided_at), "dropped", text));
    }
    story
}

fn attempt_words(proof: &DeliveryProof, attempt: &AttemptView) -> String {
    let took = duration((attempt.ended_at - attempt.started_at).num_milliseconds().max(0) as f64 / 1_000.0);
    let what = format!("{} to {}, attempt {}", proof.delivery.event, proof.delivery.receiver, attempt.number);
    let error = attempt.error.as_deref().unwrap_or("no reason given");
    match (attempt.outcome.as_str(), attempt.next_at) {
        ("accepted", _) => {
            let receipt = attempt.receipt.as_ref().map(|receipt| format!(", receipt {receipt}")).unwrap_or_default();
            format!("{what}: accepted after {took}{receipt}")
        }
        (_, Some(next)) => format!("{what}: not accepted after {took}: {error}; to be tried again {}", instant(next)),
        _ => format!("{what}: given up after {took}: {error}"),
    }
}

/// The steps that have not run, and why.
fn steps(incident: &Incident, held: &[String]) -> Vec<StepProof> {
    let resolved = incident.resolved.as_ref().map(|end| end.at);
    let fires = |step: &Step| incident.members.values().any(|member| member.firing && member.policy == step.policy);
    let was_held = |step: &Step| {
        let begins = format!("step {} of {} is due:", step.number + 1, step.policy);
        held.iter().any(|line| line.starts_with(&begins))
    };
    let why = |step: &Step| match (step.state, resolved) {
        (StepState::Done { .. }, _) => None,
        (StepState::Skipped, _) => Some("skipped: somebody had acknowledged when it was due".to_owned()),
        (StepState::Waiting, Some(end)) if end <= step.due_at => {
            Some(format!("not run: the incident was over at {}, before it was due", instant(end)))
        }
        (StepState::Waiting, Some(_)) if was_held(step) => {
            Some("not run: muted when it was due, and the incident was over before that ended".to_owned())
        }
        (StepState::Waiting, Some(_)) => Some("not run: its alert did not fire any more when it was due".to_owned()),
        (StepState::Waiting, None) if !fires(step) => {
            Some("waits: its alert does not fire; it runs at once if it fires again".to_owned())
        }
        (StepState::Waiting, None) if was_held(step) && incident.muted.is_some() => {
            Some("due, and told when what mutes it ends".to_owned())
        }
        (StepState::Waiting, None) => Some(match step.unless {
            Unless::Acknowledged => "to come, unless somebody acknowledges".to_owned(),
            Unless::Resolved => "to come, unless the incident is resolved".to_owned(),
        }),
    };
    let proof = |step: &Step| {
        Some(StepProof {
            policy: step.policy.to_string(),
            number: step.number + 1,
            due_at: step.due_at,
            notify: step.notify.iter().map(ToString::to_string).collect(),
            why: why(step)?,
        })
    };
    let mut steps: Vec<StepProof> = incident.steps.iter().filter_map(proof).collect();
    steps.sort_by_key(|step| (step.due_at, step.policy.clone(), step.number));
    steps
}

/// How an incident stood at a moment, by its timeline; none if it had not opened yet.
pub(super) fn state_at<'a>(
    timeline: impl Iterator<Item = (DateTime<Utc>, &'a str)>,
    at: DateTime<Utc>,
) -> Option<&'static str> {
    timeline.take_while(|(line, _)| *line <= at).fold(None, |state, (_, kind)| match kind {
        "opened" | "reopened" => Some("open"),
        "acknowledged" => Some("acknowledged"),
        "resolved" => Some("resolved"),
        _ => state,
    })
}
