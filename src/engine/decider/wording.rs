//! Puts policies' own first lines into messages, right before they are written: what was decided is what is retried.

use std::collections::BTreeMap;

use super::Decider;
use crate::{
    domain::{
        decide::Decision,
        incident::Subject,
        notification::{Message, Notification},
    },
    template::summary::{About, context},
};

impl Decider {
    /// Renders the `summary` of the policies whose incidents are spoken of: as the first line of each message, and, with
    /// the built-in title for its headline, as the incident's title. A template that fails leaves the built-in words, is
    /// counted and logged.
    pub(super) fn put_into_words(&mut self, decision: &mut Decision) {
        let mut newest = BTreeMap::new();
        for (place, outgoing) in decision.outgoing.iter_mut().enumerate() {
            let Message::Notification(notification) = &mut outgoing.message else { continue };
            if let Some(headline) = self.summary(&outgoing.incident, notification) {
                newest.insert(outgoing.incident.clone(), place);
                notification.headline = headline;
            }
        }
        for (id, place) in newest {
            let Message::Notification(notification) = &decision.outgoing[place].message else { continue };
            let title = self.title(&id, notification);
            if let (Some(incident), Some(title)) = (self.core.incidents.get_mut(&id), title) {
                incident.title = title;
            }
        }
    }

    /// The same words for whoever reads them later.
    fn title(&self, id: &str, notification: &Notification) -> Option<String> {
        let headline = self.core.incidents.get(id)?.title.clone();
        self.summary(id, &Notification { headline, ..notification.clone() })
    }

    fn summary(&self, incident: &str, notification: &Notification) -> Option<String> {
        let incident = self.core.incidents.get(incident)?;
        let Subject::Slo { id, .. } = &incident.subject else { return None };
        let policy = &incident.members.get(incident.most_telling()?)?.policy;
        if !self.ruling.templates.has_summary(policy) {
            return None;
        }
        let rules = self.core.rules.slos.get(id)?;
        let labels = rules.policies.iter().find(|rules| rules.policy.name == *policy).map(|rules| &rules.policy.labels);
        let about = About {
            policy,
            service_title: &rules.service_title,
            slo_title: &rules.title,
            labels: labels.cloned().unwrap_or_default(),
        };
        match self.ruling.templates.summary(policy, &context(notification, &about)) {
            Ok(text) => Some(text),
            Err(fault) => {
                self.board.meters.template_failed(&fault.template);
                tracing::warn!(incident = %incident.id, template = %fault.template, error = %fault, "a template fails: the built-in words are sent");
                None
            }
        }
    }
}
