//! An incident written up: the post-incident document.

use super::LiveDesk;
use crate::{
    domain::incident::{Incident, Subject},
    store::StoreError,
    views::{
        annotation::Affair,
        incident::IncidentView,
        post_incident::{Around, variables},
    },
};

impl LiveDesk {
    /// By the configured template, or the built-in one if there is none or it fails.
    pub(super) async fn written_up(&self, incident: &Incident, view: &IncidentView) -> Result<String, StoreError> {
        let (service, opened_at, resolved_at) = (view.service.as_deref(), view.opened_at, view.resolved_at);
        let changes = self.changes_around(Affair { service, opened_at, resolved_at }).await?;
        let config = self.config.load();
        let service = match &incident.subject {
            Subject::Slo { id, .. } => config.services.get(&id.service),
            Subject::Source(_) => None,
        };
        let around = Around {
            service_title: service.map(|service| service.title.as_str()),
            owner: service.and_then(|service| service.owner.as_deref()),
            runbook_url: service.and_then(|service| service.runbook_url.as_deref()),
            external_url: &config.daemon.external_url,
            changes: &changes,
            now: self.clock.now(),
        };
        let (text, fault) = config.templates.post_incident(&variables(view, &around));
        if let Some(fault) = fault {
            self.board.meters.template_failed(&fault.template);
            tracing::warn!(incident = %incident.id, template = %fault.template, error = %fault, "a template fails: the built-in document is given");
        }
        Ok(text)
    }
}
