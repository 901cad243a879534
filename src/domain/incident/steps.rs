//! An incident's escalation steps: which are due, who has heard enough.

use super::{Hearing, Incident, telling::Voice};
use crate::domain::{
    escalation::{Step, StepState},
    name::Name,
    policy::Priority,
};

impl Incident {
    /// Whether a step could run: it waits, and an alert of its policy holds the incident open. One that goes back and
    /// forth does: what nobody takes goes on to the next on its clock.
    pub(super) fn is_runnable(&self, step: &Step) -> bool {
        step.state == StepState::Waiting && self.is_held_by(&step.policy)
    }

    /// Steps that were due and skipped because somebody had it are due again.
    pub(super) fn skipped_run_again(&mut self, late: bool, voice: &mut Voice<'_>) {
        for (at, step) in self.steps.iter_mut().enumerate().filter(|(_, step)| step.due_at <= voice.now) {
            if step.state == StepState::Skipped {
                step.state = StepState::Waiting;
                voice.again.push((at, late));
            }
        }
    }

    /// Runs all due steps, coalesced: each receiver once.
    pub(super) fn run_steps(&mut self, voice: &mut Voice<'_>) {
        if self.resolved.is_some() {
            return;
        }
        let due: Vec<usize> = (0..self.steps.len())
            .filter(|at| self.steps[*at].due_at <= voice.now && self.is_runnable(&self.steps[*at]))
            .collect();
        for at in due {
            if self.acknowledged.is_some() && self.steps[at].is_spared_by_acknowledgement() {
                self.steps[at].state = StepState::Skipped;
                let (number, policy) = (self.steps[at].number + 1, &self.steps[at].policy);
                voice.line("skipped", format!("step {number} of {policy} skipped: acknowledged"));
                continue;
            }
            if voice.mutes(&self.steps[at].policy) {
                self.hold_step(at, voice);
                continue;
            }
            let late = self.is_late(at, voice);
            self.steps[at].state = StepState::Done { at: voice.now };
            let step = self.steps[at].clone();
            let priority = self.policy_priority(&step.policy);
            for receiver in &step.notify {
                if self.has_heard_enough(receiver, &step.policy, priority, voice) {
                    continue;
                }
                if voice.has_told(receiver) {
                    self.told_by(receiver, &step.policy);
                } else {
                    let mut reason = step.reason(self.opening);
                    if voice.released.contains(&(step.policy.clone(), step.number)) {
                        reason = voice.after_mute(&reason);
                    }
                    self.trigger(receiver.clone(), Some(&step.policy), &reason, late, voice);
                }
            }
        }
    }

    /// A step that runs because its alert fires now is as late as the alert; one that had been skipped, as late as
    /// what made it run again.
    fn is_late(&self, at: usize, voice: &Voice<'_>) -> bool {
        let step = &self.steps[at];
        // It waited for the end of a silence, which is no delay.
        if voice.released.contains(&(step.policy.clone(), step.number)) {
            return false;
        }
        let again = voice.again.iter().find(|(number, _)| *number == at).map(|(_, late)| *late);
        let fired = voice.fired.as_ref().filter(|(policy, _)| *policy == step.policy).map(|(_, late)| *late);
        again.or(fired).unwrap_or_else(|| step.is_late(voice.now))
    }

    /// A joining alert's steps leave out who was told at that priority or higher; a pager never hears of a lower one.
    fn has_heard_enough(&self, receiver: &Name, policy: &Name, priority: Priority, voice: &Voice<'_>) -> bool {
        if voice.hearing(receiver) == Some(Hearing::Pager) && priority > self.spoken(voice) {
            return true;
        }
        let enough =
            |told: &super::Told| !told.openings.is_empty() && told.priority <= priority && !told.by.contains(policy);
        self.told.get(receiver).is_some_and(enough)
    }

    /// Whether an alert of a policy holds the incident open.
    pub(super) fn is_held_by(&self, policy: &Name) -> bool {
        self.members.values().any(|member| member.holds() && member.policy == *policy)
    }

    fn policy_priority(&self, policy: &Name) -> Priority {
        let of_policy = self.members.values().filter(|member| member.policy == *policy);
        of_policy.map(|member| member.priority).min().unwrap_or(self.priority)
    }
}
