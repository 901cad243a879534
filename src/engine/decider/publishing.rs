//! What is known, put on the board.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Decider;
use crate::{
    domain::{
        incident::{Incident, Subject},
        name::SloId,
        policy::Priority,
    },
    engine::diagnostics::Wanted,
    store::incidents::state_word,
};

impl Decider {
    pub(super) fn publish_history(&self, id: &SloId) {
        if let Some(history) = self.core.histories.get(id) {
            self.board.publish_history(id.clone(), history.clone());
        }
    }

    pub(super) async fn publish_all(&mut self, now: DateTime<Utc>) {
        self.board.keep_histories(|id| self.core.histories.contains_key(id));
        for id in self.core.histories.keys() {
            self.publish_history(id);
        }
        self.publish_whole(self.core.series.keys().cloned().collect(), now).await;
        self.publish_rest();
    }

    /// What is not of one series.
    pub(super) fn publish_rest(&self) {
        self.board.publish_sources(&self.core.sources);
        let incidents = || self.core.incidents.values();
        self.board.publish_incidents(count(incidents()));
        self.board.publish_looks(incidents().filter_map(look).collect());
        self.board.publish_silences(self.core.silences.len());
    }
}

/// The look that an incident asks for.
fn look(incident: &Incident) -> Option<(String, Wanted)> {
    let ((look, at), Subject::Slo { id, .. }) = (incident.look_wanted()?, &incident.subject) else { return None };
    Some((incident.id.clone(), Wanted { service: id.service.clone(), look, at }))
}

fn count<'a>(incidents: impl Iterator<Item = &'a Incident>) -> BTreeMap<(&'static str, Priority), u64> {
    let mut counts = BTreeMap::new();
    for incident in incidents.filter(|incident| incident.resolved.is_none()) {
        *counts.entry((state_word(incident), incident.priority)).or_default() += 1;
    }
    counts
}
