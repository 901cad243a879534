//! `repeat` of a policy: chat and mail are reminded of what is open and nobody has taken; pagers never are.
//!
//! A reminder is due every so often from the firing on, absolute. It is passed over while somebody has the incident or
//! no alert of the policy holds it open; what became due meanwhile, or while slod was away, is one reminder.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Hearing, Incident, Say, telling::Voice};
use crate::domain::{
    escalation::{Plan, StepState},
    message::span_words,
    name::Name,
    notification::Event,
};

/// A reminder so much overdue is marked late.
const LATE_AFTER: TimeDelta = TimeDelta::seconds(60);

/// When the receivers of one policy are reminded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// How often, in seconds.
    pub every: u32,
    /// When next.
    pub next_at: DateTime<Utc>,
}

impl Reminder {
    fn every(self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.every.max(1)))
    }

    /// The first time after `now`.
    fn advance(&mut self, now: DateTime<Utc>) {
        let (every, overdue) = (self.every().num_seconds(), (now - self.next_at).num_seconds());
        self.next_at += TimeDelta::seconds((overdue.div_euclid(every) + 1) * every);
    }
}

impl Incident {
    /// A policy's alert fires: its clock begins, or begins anew if the incident was over.
    pub(super) fn schedule_reminders(&mut self, policy: &Name, plan: &Plan, at: DateTime<Utc>) {
        let Some(every) = plan.repeat() else { return };
        if self.resolved.is_some() {
            self.reminders.clear();
        }
        let fresh = Reminder { every, next_at: at + TimeDelta::seconds(i64::from(every)) };
        self.reminders.entry(policy.clone()).or_insert(fresh);
    }

    /// When somebody is reminded next; nobody is while somebody has the incident.
    pub(super) fn next_reminder(&self) -> Option<DateTime<Utc>> {
        let held = self.reminders.iter().filter(|(policy, _)| self.is_held_by(policy));
        held.map(|(_, reminder)| reminder.next_at).min().filter(|_| self.acknowledged.is_none())
    }

    /// Says what is due, each receiver once.
    pub(super) fn remind(&mut self, voice: &mut Voice<'_>) {
        if self.resolved.is_some() || self.acknowledged.is_some() {
            return;
        }
        let due = self.reminders.iter().filter(|(policy, due)| due.next_at <= voice.now && self.is_held_by(policy));
        let due: Vec<(Name, DateTime<Utc>)> = due.map(|(policy, due)| (policy.clone(), due.next_at)).collect();
        let mut receivers: Vec<(Name, bool)> = Vec::new();
        for (policy, at) in due {
            let late = voice.now - at > LATE_AFTER;
            if let Some(reminder) = self.reminders.get_mut(&policy) {
                reminder.advance(voice.now);
            }
            // Others speak, and this one is muted.
            if !voice.whole && voice.mutes(&policy) {
                continue;
            }
            let done = |step: &&super::Step| step.policy == policy && matches!(step.state, StepState::Done { .. });
            for receiver in self.steps.iter().filter(done).flat_map(|step| &step.notify) {
                let was_told = self.told.get(receiver).is_some_and(|told| !told.openings.is_empty());
                let hears = voice.hearing(receiver).is_some_and(|hearing| hearing != Hearing::Pager);
                // Whoever hears of it in this very moment needs no reminder.
                let is_new = !voice.has_told(receiver) && receivers.iter().all(|(known, _)| known != receiver);
                if was_told && hears && is_new {
                    receivers.push((receiver.clone(), late));
                }
            }
        }
        let reason = format!("reminder: open for {}, not acknowledged", span_words(voice.now - self.opened_at));
        for (receiver, late) in receivers {
            if !voice.waits(&receiver, Event::Update) {
                voice.line("reminded", format!("{receiver}: {reason}"));
            }
            let (opening, reason) = (self.opening, reason.clone());
            voice.say(Say::Tell { receiver, event: Event::Update, opening, reason, late });
        }
    }
}
