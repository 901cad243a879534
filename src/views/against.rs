//! What a reload with another configuration would do to a running daemon and its open incidents. Nothing is changed by asking.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    fingerprint::{Difference, Fingerprint},
    incident::IncidentView,
};
use crate::domain::{
    incident::Subject,
    name::{Name, SloId},
    policy::Priority,
    rulebook::Rulebook,
};

/// What a reload would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// The hash of the running configuration's files.
    pub running: String,
    /// The hash of the files at hand.
    pub at_hand: String,
    /// The daemon is of another version: what changed cannot be told, only what is there.
    pub other_version: bool,
    /// What would be added, taken out, changed.
    pub differences: Vec<Difference>,
    /// What would become of each open incident.
    pub incidents: Vec<Effect>,
}

/// What would become of one open incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Its id.
    pub id: String,
    /// Its headline.
    pub title: String,
    /// How urgent it is.
    pub priority: Priority,
    /// `ends`, `changes` or `stays`.
    pub becomes: Becomes,
    /// What it would lose, in words.
    pub losses: Vec<String>,
    /// What else is to be known, in words.
    pub notes: Vec<String>,
}

/// What would become of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Becomes {
    /// Nothing would watch it any more.
    Ends,
    /// It would stay open, and lose something.
    Changes,
    /// Nothing.
    Stays,
}

impl Becomes {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ends => "ends",
            Self::Changes => "changes",
            Self::Stays => "stays",
        }
    }
}

impl Against {
    /// Whether an open incident would end or lose something.
    pub fn touches(&self) -> bool {
        self.incidents.iter().any(|effect| effect.becomes != Becomes::Stays)
    }
}

/// Compares. `rules` are those of the configuration at hand, `incidents` the open ones of the daemon, with their messages.
pub fn against(running: &Fingerprint, at_hand: &Fingerprint, rules: &Rulebook, incidents: &[IncidentView]) -> Against {
    let differences = running.differences(at_hand);
    let judge = Judge { at_hand, rules, differences: &differences };
    let incidents = incidents.iter().map(|incident| judge.effect(incident)).collect();
    Against {
        running: running.hash.clone(),
        at_hand: at_hand.hash.clone(),
        other_version: running.version != at_hand.version,
        differences,
        incidents,
    }
}

struct Judge<'a> {
    at_hand: &'a Fingerprint,
    rules: &'a Rulebook,
    differences: &'a [Difference],
}

impl Judge<'_> {
    fn effect(&self, incident: &IncidentView) -> Effect {
        let firing: Vec<&str> =
            incident.alerts.iter().filter(|alert| alert.state == "firing").map(|alert| alert.name.as_str()).collect();
        let lost: Vec<&str> = match subject(incident) {
            Some(subject) => firing.iter().copied().filter(|watch| !self.rules.stands(&subject, watch)).collect(),
            None => Vec::new(),
        };
        let ends = !firing.is_empty() && lost.len() == firing.len();
        let mut losses: Vec<String> =
            lost.iter().map(|watch| format!("its alert {watch} is taken out of the configuration")).collect();
        losses.extend(self.public_page(incident));
        losses.extend(self.receivers(incident));
        let becomes = match (ends, losses.is_empty()) {
            (true, _) => Becomes::Ends,
            (false, false) => Becomes::Changes,
            (false, true) => Becomes::Stays,
        };
        Effect {
            id: incident.id.clone(),
            title: incident.title.clone(),
            priority: incident.priority,
            becomes,
            losses,
            notes: if ends { Vec::new() } else { self.pinned(incident).into_iter().collect() },
        }
    }

    /// Its public page, if that is begun and goes away.
    fn public_page(&self, incident: &IncidentView) -> Option<String> {
        let page = incident.status_page.as_ref().filter(|page| !page.left_to_people)?;
        if page.state == "resolved" || (page.state == "none" && page.due_at.is_none() && page.draft.is_none()) {
            return None;
        }
        let id = SloId::new(incident.service.as_deref()?, incident.slo.as_deref()?);
        let target = self.rules.slos.get(&id).and_then(|slo| slo.status.as_ref());
        target.is_none().then(|| {
            format!("its public page (\"{}\") is taken out: what was posted stays, and is left to people", page.state)
        })
    }

    /// Who was told, or is to be told, and is there no more.
    fn receivers(&self, incident: &IncidentView) -> Vec<String> {
        let gone = |name: &str| !self.at_hand.has("receivers", name);
        let triggers = incident.deliveries.iter().filter(|row| row.event == "trigger" && row.state != "dropped");
        let told: BTreeSet<&str> = triggers.map(|row| row.receiver.as_str()).filter(|name| gone(name)).collect();
        let mut losses: Vec<String> = told
            .into_iter()
            .map(|name| format!("{name} was told and is taken out: it hears nothing more, end it there by hand"))
            .collect();
        for step in incident.steps.iter().filter(|step| step.state == "waiting") {
            for name in step.notify.iter().filter(|name| gone(name)) {
                losses.push(format!(
                    "the step after {} of {} cannot tell {name}, which is taken out",
                    step.after, step.policy
                ));
            }
        }
        losses
    }

    /// Steps keep the times and the receivers they had when the alert fired.
    fn pinned(&self, incident: &IncidentView) -> Option<String> {
        let changed = |section: &str, name: &str| {
            let mine = self.differences.iter().filter(|difference| difference.section == section);
            mine.flat_map(|difference| &difference.changed).any(|known| known == name)
        };
        let policies = subject(incident).map(|subject| self.policies(&subject)).unwrap_or_default();
        let names: BTreeSet<&str> = incident.steps.iter().map(|step| step.policy.as_str()).collect();
        let other = |name: &&str| {
            let escalation =
                policies.iter().find(|(policy, _)| policy.as_str() == *name).and_then(|(_, to)| to.as_ref());
            changed("policies", name) || escalation.is_some_and(|escalation| changed("escalations", escalation))
        };
        let names: Vec<&str> = names.into_iter().filter(other).collect();
        (!names.is_empty()).then(|| {
            format!(
                "its steps stay as they were pinned when {} fired: what is changed counts from the next time",
                names.join(", ")
            )
        })
    }

    fn policies(&self, subject: &Subject) -> Vec<(Name, Option<Name>)> {
        let Subject::Slo { id, .. } = subject else { return Vec::new() };
        let rules = self.rules.slos.get(id).map(|slo| slo.policies.as_slice()).unwrap_or_default();
        rules.iter().map(|rules| (rules.policy.name.clone(), rules.policy.escalation.clone())).collect()
    }
}

fn subject(incident: &IncidentView) -> Option<Subject> {
    match (&incident.service, &incident.slo, &incident.source) {
        (Some(service), Some(slo), _) => {
            Some(Subject::Slo { id: SloId::new(service.as_str(), slo.as_str()), series: incident.series.clone() })
        }
        (_, _, Some(source)) => Some(Subject::Source(Name::from(source.as_str()))),
        _ => None,
    }
}
