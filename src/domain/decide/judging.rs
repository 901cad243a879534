//! Alerts are judged, incidents hear of what changed.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Core, Decision, SeriesKey, SeriesState, time};
use crate::domain::{
    alert::{AlertState, Change},
    budget::Tally,
    condition::{is_blind, judge},
    flaps::Burst,
    incident::{Ending, Incident, IncidentEvent, Subject, key},
    policy::Priority,
    replay::Replay,
    rulebook::{PolicyRules, SloRules},
    verdict::Case,
    watch::Watch,
};

/// What became of one alert, as far as an incident must hear of it.
struct Changed<'a> {
    watch: String,
    rules: &'a PolicyRules,
    change: Change,
    flaps: Flap,
}

/// Whether it goes back and forth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flap {
    No,
    Yes(Burst),
    /// Not any more; whether it fires.
    Over {
        firing: bool,
    },
}

impl Core {
    /// A public page that was held while the series was blind moves on.
    pub(super) fn release_status_page(
        &mut self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        slo: &SloRules,
        decision: &mut Decision,
    ) {
        let is_held = |incident: &&Incident| {
            let mine = |subject: &Subject| matches!(subject, Subject::Slo { id, series } if *id == key.id && *series == key.series);
            incident.status.as_ref().is_some_and(|clock| clock.held) && mine(&incident.subject)
        };
        let held: Vec<_> = self.incidents.values().filter(is_held).map(|incident| incident.id.clone()).collect();
        if held.is_empty() || self.series.get(key).is_none_or(|state| is_blind(&state.ledger, slo.blind_after)) {
            return;
        }
        for id in held {
            self.tell_surely(now, &id, IncidentEvent::Tick, decision);
        }
    }

    /// Judges a series that was [starved](Decision::starved), once what its ledger missed is loaded.
    pub fn judge_again(&mut self, now: DateTime<Utc>, key: &SeriesKey, came_late: bool, decision: &mut Decision) {
        let rules = self.rules.clone();
        if let Some(slo) = rules.slos.get(&key.id) {
            self.judge(now, key, slo, came_late, decision);
            self.release_status_page(now, key, slo, decision);
        }
    }

    /// Judges all alerts of a series at its newest slot, the most urgent policy first. If slots came in behind it, they
    /// are recomputed. Nothing happens if a chunk is missing.
    pub(super) fn judge(
        &mut self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        slo: &SloRules,
        came_late: bool,
        decision: &mut Decision,
    ) {
        let Some(SeriesState { ledger, alerts, corrections, .. }) = self.series.get_mut(key) else { return };
        let tally = Tally { ledger, corrections };
        let Some(newest) = ledger.newest() else { return };
        let end = (newest + 1) * i64::from(slo.spec.every);
        let known = ledger.get(newest).is_some_and(|slot| slot.state.is_known());
        let mut judged = Vec::with_capacity(slo.policies.len());
        for rules in &slo.policies {
            for watch in &rules.watches {
                let before = alerts.get(&watch.name).cloned().unwrap_or_default();
                let mut alert = before.clone();
                let (policy, condition) = (&rules.policy, &watch.condition);
                let change = if came_late {
                    let change;
                    (alert, change) = Replay { condition, policy, spec: &slo.spec, tally }.recompute(&before, newest);
                    change
                } else {
                    let seen = judge(condition, policy, &slo.spec, tally, newest, &mut alert.memory);
                    let Some(seen) = seen else { continue };
                    alert.step(policy, end, seen)
                };
                alert.count_change(&before, rules.flapping(&slo.spec), change, known);
                judged.push((watch, rules, before, alert, change));
            }
        }
        if !ledger.is_whole() {
            *decision.starved.entry(key.clone()).or_default() |= came_late;
            return;
        }
        let mut changes = Vec::new();
        let mut moved = false;
        for (watch, rules, mut before, alert, change) in judged {
            // That it was judged once more is not worth a write: judging it again is harmless.
            before.judged_at = alert.judged_at;
            moved |= alert != before;
            let flaps = match (before.flaps.burst(), alert.flaps.burst()) {
                (_, Some(burst)) => Flap::Yes(burst),
                (Some(_), None) => Flap::Over { firing: matches!(alert.state, AlertState::Firing { .. }) },
                (None, None) => Flap::No,
            };
            match alerts.get_mut(&watch.name) {
                Some(known) => *known = alert,
                None => drop(alerts.insert(watch.name.clone(), alert)),
            }
            if change != Change::None || matches!(flaps, Flap::Over { .. }) {
                changes.push(Changed { watch: watch.name.clone(), rules, change, flaps });
            }
        }
        decision.judged.insert(key.clone());
        if moved {
            decision.alerts.insert(key.clone());
        }
        // What fires goes first: an incident handed from one alert to another in one slot stays open.
        changes.sort_by_key(|changed| {
            let policy = &changed.rules.policy;
            (!matches!(changed.change, Change::Fired { .. }), policy.priority, &policy.name)
        });
        for changed in changes {
            self.changed(now, key, slo, changed, decision);
        }
    }

    fn changed(
        &mut self,
        now: DateTime<Utc>,
        key: &SeriesKey,
        slo: &SloRules,
        changed: Changed<'_>,
        decision: &mut Decision,
    ) {
        let Changed { watch, rules, change, flaps } = changed;
        let subject = Subject::Slo { id: key.id.clone(), series: key.series.clone() };
        match change {
            Change::Fired { at } => {
                // A probe is judged before its slot ends: nobody waits for the end to be told.
                let at = time(at.min(now.timestamp()));
                let because = self.because(key, slo, rules, &watch);
                let event = IncidentEvent::Fired {
                    watch,
                    policy: rules.policy.name.clone(),
                    priority: rules.policy.priority,
                    plan: rules.plan.clone(),
                    at,
                    reopen_within: rules.reopen_within(&slo.spec),
                    late: slo.is_late(at, now),
                    because,
                    flapping: match flaps {
                        Flap::Yes(burst) => Some(burst),
                        Flap::No | Flap::Over { .. } => None,
                    },
                };
                self.fire(now, subject, at, rules.policy.priority, event, decision);
            }
            Change::None | Change::Clearing | Change::Cleared | Change::NewPeriod => {
                let ending = match (change, flaps) {
                    (Change::NewPeriod, _) => Some(Ending::NewPeriod),
                    (_, Flap::Yes(burst)) => Some(Ending::Flapping(burst)),
                    (Change::None, Flap::Over { firing: true }) => None,
                    (Change::None, _) => Some(Ending::Quiet),
                    (Change::Clearing, _) => Some(Ending::GoodAgain),
                    _ => Some(Ending::Cleared),
                };
                let member =
                    |incident: &&Incident| incident.subject == subject && incident.members.contains_key(&watch);
                let found = self.incidents.values().filter(member).max_by_key(|incident| incident.epoch);
                if let Some(id) = found.map(|incident| incident.id.clone()) {
                    let event = match ending {
                        Some(ending) => IncidentEvent::Ended { watch, ending },
                        None => IncidentEvent::Steady { watch },
                    };
                    self.tell_surely(now, &id, event, decision);
                }
            }
        }
    }

    /// What makes an alert fire at its series' newest slot, with the figures.
    fn because(&self, key: &SeriesKey, slo: &SloRules, rules: &PolicyRules, watch: &str) -> String {
        let (policy, spec) = (&rules.policy, &slo.spec);
        let Some(state) = self.series.get(key) else { return String::new() };
        let known = rules.watches.iter().find(|known| known.name == *watch);
        let (Some(Watch { condition, .. }), Some(at)) = (known, state.ledger.newest()) else { return String::new() };
        let memory = state.alerts.get(watch).map(|alert| alert.memory).unwrap_or_default();
        Case { condition, policy, spec, tally: state.tally(), at, memory }.because()
    }

    pub(super) fn fire(
        &mut self,
        now: DateTime<Utc>,
        subject: Subject,
        at: DateTime<Utc>,
        priority: Priority,
        event: IncidentEvent,
        decision: &mut Decision,
    ) {
        let open = self.incidents.values().filter(|incident| incident.subject == subject && incident.takes(at));
        let id = if let Some(incident) = open.max_by_key(|incident| incident.epoch) {
            incident.id.clone()
        } else {
            let mut at = at;
            // Two openings of one subject never share a key, not even within one second.
            while self.incidents.values().any(|old| old.key == key(&subject, at.timestamp())) {
                at += TimeDelta::seconds(1);
            }
            let incident = Incident::open(subject, at, priority);
            let id = incident.id.clone();
            self.incidents.insert(id.clone(), incident);
            id
        };
        self.tell_surely(now, &id, event, decision);
    }
}
