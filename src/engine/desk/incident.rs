//! Incidents and deliveries, as the API shows them.

use super::LiveDesk;
use crate::{
    domain::{
        decide::SeriesKey,
        incident::{Holder, Incident, Muted, Subject},
        message::compose_post,
        name::Series,
        notification::PublicState,
    },
    engine::report,
    store::{StoreError, incidents::state_word, outbox::StoredDelivery},
    views::incident::{
        AlertView, CostView, DeliveryView, HolderView, IncidentView, ManualView, MutedView, StatusPageView, StepView,
        TimelineView,
    },
};

impl LiveDesk {
    /// An incident without its timeline and deliveries.
    pub(super) async fn outline(&self, incident: &Incident) -> Result<IncidentView, StoreError> {
        let (service, slo, source, series) = subject(incident);
        Ok(IncidentView {
            id: incident.id.clone(),
            key: incident.key.clone(),
            service,
            slo,
            source,
            series,
            title: incident.title.clone(),
            priority: incident.priority,
            state: state_word(incident).to_owned(),
            opened_at: incident.opened_at,
            acknowledged_at: incident.acknowledged.as_ref().map(|ack| ack.at),
            acknowledged_by: incident.acknowledged.as_ref().map(|ack| ack.by.clone()),
            acknowledged_before: incident.acknowledged.as_ref().and_then(|ack| ack.before.as_ref()).map(holder_view),
            resolved_at: incident.resolved.as_ref().map(|end| end.at),
            resolved_by: incident.resolved.as_ref().and_then(|end| end.by.clone()),
            late: incident.late,
            muted: incident.muted.as_ref().map(muted_view),
            alerts: self.alerts(incident),
            steps: steps(incident),
            deliveries: Vec::new(),
            diagnostics: Vec::new(),
            manual: self.manual(incident),
            timeline: Vec::new(),
            status_page: incident.status.as_ref().map(|clock| StatusPageView {
                state: clock.as_str().to_owned(),
                draft: clock.draft.map(|draft| draft.as_str().to_owned()),
                draft_text: clock.draft.and_then(|draft| self.draft_text(incident, draft)),
                due_at: clock.deadline(),
                posted_at: clock.posted_at,
                late_seconds: clock.late_seconds(self.clock.now()),
                left_to_people: clock.discarded,
            }),
            cost: self.cost(incident).await?,
        })
    }

    /// The words that a draft would make public.
    fn draft_text(&self, incident: &Incident, draft: PublicState) -> Option<String> {
        let Subject::Slo { id, .. } = &incident.subject else { return None };
        let config = self.config.load();
        let title = &config.services.get(&id.service)?.title;
        let post = compose_post(incident, draft, title, "", self.clock.now());
        Some(format!("{}: {}", post.name, post.body))
    }

    fn manual(&self, incident: &Incident) -> Vec<ManualView> {
        let Subject::Slo { id, .. } = &incident.subject else { return Vec::new() };
        let config = self.config.load();
        let steps = config.services.get(&id.service).map(|service| service.manual.as_slice()).unwrap_or_default();
        steps.iter().map(|step| ManualView { run: step.run.clone(), needs: step.needs.clone() }).collect()
    }

    fn alerts(&self, incident: &Incident) -> Vec<AlertView> {
        let live = match &incident.subject {
            Subject::Slo { id, series } => self.board.slo(&SeriesKey { id: id.clone(), series: series.clone() }),
            Subject::Source(_) => None,
        };
        let members = incident.members.iter().map(|(name, member)| {
            let now = live.as_ref().and_then(|slo| slo.policies.iter().find(|policy| policy.name == *name));
            // What has ended for the incident does not count as firing here, whatever the alert does since.
            let state = match (member.firing, now) {
                (true, _) => "firing",
                (false, Some(policy)) if policy.state == "clearing" => "clearing",
                (false, _) => "ok",
            };
            AlertView {
                name: name.clone(),
                priority: member.priority,
                state: state.to_owned(),
                fired_at: member.fired_at,
                flapping: member.flapping.is_some(),
            }
        });
        members.collect()
    }

    async fn cost(&self, incident: &Incident) -> Result<CostView, StoreError> {
        let Subject::Slo { id, series } = &incident.subject else { return Ok(CostView::default()) };
        let config = self.config.load();
        let Some(slo) = config.slos.get(id) else { return Ok(CostView::default()) };
        let view = self.board.slo(&SeriesKey { id: id.clone(), series: series.clone() });
        let events = view.map_or(0.0, |view| report::window_events(&view));
        report::incident_cost(&self.store, &slo.spec, incident, events, self.clock.now()).await
    }

    pub(super) async fn whole(&self, incident: &Incident) -> Result<IncidentView, StoreError> {
        let mut view = self.outline(incident).await?;
        view.deliveries = self.store.deliveries_of(&incident.id).await?.iter().map(delivery_view).collect();
        view.diagnostics = self.store.diagnoses(&incident.id).await?;
        let lines = self.store.timeline(&incident.id).await?;
        view.timeline =
            lines.into_iter().map(|line| TimelineView { at: line.at, kind: line.kind, text: line.text }).collect();
        Ok(view)
    }
}

/// What an incident is about, as it is shown: service and SLO, or the source, and the series.
pub(super) fn subject(incident: &Incident) -> (Option<String>, Option<String>, Option<String>, Series) {
    match &incident.subject {
        Subject::Slo { id, series } => (Some(id.service.to_string()), Some(id.slo.to_string()), None, series.clone()),
        Subject::Source(name) => (None, None, Some(name.to_string()), Series::new()),
    }
}

fn holder_view(holder: &Holder) -> HolderView {
    HolderView { by: holder.by.clone(), at: holder.at }
}

fn muted_view(muted: &Muted) -> MutedView {
    MutedView {
        until: muted.by.values().map(|by| by.until).min(),
        why: muted.by.values().map(|by| format!("{} {}", by.cause.as_str(), by.words)).collect(),
    }
}

fn steps(incident: &Incident) -> Vec<StepView> {
    let mut steps: Vec<_> = incident.steps.iter().collect();
    steps.sort_by_key(|step| (step.due_at, step.policy.clone(), step.number));
    let view = |step: &crate::domain::escalation::Step| StepView {
        policy: step.policy.to_string(),
        after: crate::domain::condition::duration(step.after),
        due_at: step.due_at,
        state: step.state.as_str().to_owned(),
        notify: step.notify.iter().map(ToString::to_string).collect(),
    };
    steps.into_iter().map(view).collect()
}

pub(in crate::engine) fn delivery_view(row: &StoredDelivery) -> DeliveryView {
    DeliveryView {
        id: row.id,
        incident: row.incident.clone(),
        receiver: row.receiver.to_string(),
        event: row.event.clone(),
        state: row.state.clone(),
        attempts: row.attempts,
        last_error: row.last_error.clone(),
        decided_at: row.decided_at,
        next_at: row.next_at,
        sent_at: row.sent_at,
        receipt: row.receipt.clone(),
    }
}
