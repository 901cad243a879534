//! A clock that was set back: nothing waits for longer than it was told to.

use chrono::{DateTime, TimeDelta, Utc};

use super::Incident;
use crate::domain::escalation::StepState;

impl Incident {
    /// Whether something lies farther ahead than it can have been put: the clock had been ahead when it was.
    pub fn is_ahead_of(&self, now: DateTime<Utc>) -> bool {
        let in_seconds = |seconds: u32| now + TimeDelta::seconds(i64::from(seconds));
        let mut waiting = self.steps.iter().filter(|step| step.state == StepState::Waiting);
        waiting.any(|step| step.due_at > in_seconds(step.after))
            || self.reminders.values().any(|reminder| reminder.next_at > in_seconds(reminder.every))
            || self.members.values().any(|member| member.fired_at > now)
            || self.acknowledged.as_ref().is_some_and(|ack| ack.at > now)
            || self.resolved.as_ref().is_some_and(|end| end.at > now)
    }

    /// Takes what was pinned while the clock was ahead to where it would stand had it been pinned now. What has run
    /// has run; it is not repeated when the time comes again.
    pub(super) fn clock_went_back(&mut self, now: DateTime<Utc>) {
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
            step.due_at = step.due_at.min(now + TimeDelta::seconds(i64::from(step.after)));
        }
        for reminder in self.reminders.values_mut() {
            reminder.next_at = reminder.next_at.min(now + TimeDelta::seconds(i64::from(reminder.every)));
        }
        for member in self.members.values_mut() {
            member.fired_at = member.fired_at.min(now);
        }
        if let Some(ack) = self.acknowledged.as_mut().filter(|ack| ack.at > now) {
            ack.until = ack.until.map(|until| now + (until - ack.at));
            ack.at = now;
        }
        if let Some(end) = &mut self.resolved {
            end.at = end.at.min(now);
        }
    }
}
