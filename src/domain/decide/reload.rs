//! Other rules for a running core.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Core, Decision, Line, SeriesKey, SeriesState};
use crate::domain::{
    incident::{IncidentEvent, Subject},
    ledger::Ledger,
    name::SloId,
    rulebook::Rulebook,
};

impl Core {
    /// Takes on other rules. Ledgers and open incidents stay; what is no longer configured is no longer judged.
    pub fn adopt(&mut self, rules: Arc<Rulebook>) {
        for name in rules.sources.keys() {
            self.sources.entry(name.clone()).or_default();
        }
        self.sources.retain(|name, _| rules.sources.contains_key(name));
        self.series.retain(|key, _| rules.slos.contains_key(&key.id));
        for (key, state) in &mut self.series {
            let every = rules.slos.get(&key.id).map(|slo| slo.spec.every);
            if let Some(every) = every.filter(|every| *every != state.ledger.every()) {
                state.ledger = std::mem::replace(&mut state.ledger, Ledger::new(every)).with_every(every);
            }
        }
        for (id, slo) in &rules.slos {
            let empty = || SeriesState { ledger: Ledger::new(slo.spec.every), alerts: BTreeMap::new(), fault: None };
            self.series.entry(SeriesKey::whole(id.clone())).or_insert_with(empty);
        }
        self.rules = rules;
    }

    /// Ends what no rule stands behind any more: alerts of policies and SLOs that a reload took away.
    pub fn retire(&mut self, now: DateTime<Utc>, decision: &mut Decision) {
        let rules = self.rules.clone();
        let known = |id: &SloId, watch: &str| {
            let policies = rules.slos.get(id).map(|slo| slo.policies.as_slice()).unwrap_or_default();
            policies.iter().any(|policy| policy.watches.iter().any(|known| known.name == watch))
        };
        for (key, state) in &mut self.series {
            let before = state.alerts.len();
            state.alerts.retain(|watch, _| known(&key.id, watch));
            if state.alerts.len() != before {
                decision.alerts.insert(key.clone());
                decision.judged.insert(key.clone());
            }
        }
        let mut gone = Vec::new();
        for (id, incident) in &self.incidents {
            for (watch, member) in incident.members.iter().filter(|(_, member)| member.firing) {
                let stands = match &incident.subject {
                    Subject::Slo { id, .. } => known(id, watch),
                    Subject::Source(name) => rules.sources.contains_key(name),
                };
                if !stands {
                    gone.push((id.clone(), watch.clone(), member.policy.clone()));
                }
            }
        }
        for (id, watch, policy) in gone {
            let text = format!("{policy} was taken out of the configuration");
            decision.lines.push(Line { incident: id.clone(), at: now, kind: "reload", text });
            self.tell_surely(now, &id, IncidentEvent::Ended { watch, clearing: false }, decision);
        }
    }
}
