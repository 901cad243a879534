//! Other rules for a running core.

use std::{collections::BTreeSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Core, Decision, Line, SeriesKey, SeriesState};
use crate::domain::{
    incident::{Ending, Incident, IncidentEvent, Subject},
    ledger::Ledger,
    name::{Name, SloId},
    rulebook::Rulebook,
};

/// The open incidents that a reload touched, each as id and subject. Displayed as the end of a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Nothing watches them any more.
    pub ended: Vec<String>,
    /// They lost an alert, and stay open.
    pub changed: Vec<String>,
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, incidents) in [("ended", &self.ended), ("changed", &self.changed)] {
            if !incidents.is_empty() {
                write!(f, "; {what} incidents: {}", incidents.join(", "))?;
            }
        }
        Ok(())
    }
}

impl Core {
    /// Takes on other rules. Ledgers and open incidents stay; what is no longer configured is no longer judged.
    pub fn adopt(&mut self, rules: Arc<Rulebook>) {
        for name in rules.sources.keys() {
            self.sources.entry(name.clone()).or_default();
        }
        self.sources.retain(|name, _| rules.sources.contains_key(name));
        let is_wanted =
            |key: &SeriesKey| rules.slos.get(&key.id).is_some_and(|slo| !slo.per.is_empty() || key.series.is_empty());
        self.series.retain(|key, _| is_wanted(key));
        for (key, state) in &mut self.series {
            let Some(spec) = rules.slos.get(&key.id).map(|slo| &slo.spec) else { continue };
            if !state.ledger.is_for(spec) {
                state.ledger = std::mem::replace(&mut state.ledger, Ledger::for_slo(spec)).for_other(spec);
            }
        }
        for (id, slo) in &rules.slos {
            if slo.per.is_empty() || self.series_of(id).next().is_none() {
                let empty = || SeriesState::new(Ledger::for_slo(&slo.spec));
                self.series.entry(SeriesKey::whole(id.clone())).or_insert_with(empty);
            }
        }
        self.histories.retain(|id, _| rules.slos.get(id).is_some_and(|slo| slo.asks_past));
        self.rules = rules;
    }

    /// Ends what no rule stands behind any more: alerts of policies and SLOs that a reload took away.
    pub fn retire(&mut self, now: DateTime<Utc>, decision: &mut Decision) -> Touched {
        let rules = self.rules.clone();
        let watches_it = |id: &SloId, name: &Name| {
            rules.slos.get(id).is_some_and(|slo| slo.policies.iter().any(|policy| policy.policy.name == *name))
        };
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
            for (watch, member) in incident.members.iter().filter(|(_, member)| member.holds()) {
                if !rules.stands(&incident.subject, watch) {
                    let what = match &incident.subject {
                        Subject::Slo { id, .. } if !rules.slos.contains_key(id) => "the SLO".to_owned(),
                        Subject::Slo { id, .. } if watches_it(id, &member.policy) => watch.clone(),
                        Subject::Slo { .. } => member.policy.to_string(),
                        Subject::Source(_) => "the source".to_owned(),
                    };
                    gone.push((id.clone(), watch.clone(), what));
                }
            }
        }
        let mut touched = BTreeSet::new();
        for (id, watch, what) in gone {
            let text = format!("{what} was taken out of the configuration");
            decision.lines.push(Line { incident: id.clone(), at: now, kind: "reload", text });
            touched.insert(id.clone());
            self.tell_surely(now, &id, IncidentEvent::Ended { watch, ending: Ending::TakenOut(what) }, decision);
        }
        let named = |incident: &Incident| {
            let name = match &incident.subject {
                Subject::Slo { id, .. } => id.to_string(),
                Subject::Source(name) => format!("source {name}"),
            };
            format!("{} {name}", incident.id)
        };
        let touched = touched.iter().filter_map(|id| self.incidents.get(id));
        let (ended, changed): (Vec<_>, Vec<_>) = touched.partition(|incident| incident.resolved.is_some());
        Touched { ended: ended.into_iter().map(named).collect(), changed: changed.into_iter().map(named).collect() }
    }
}
