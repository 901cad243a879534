//! Escalation: who hears next, pinned to absolute times when the policy's alert fires.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    name::Name,
    policy::{Escalation, Policy, Unless},
};

/// A step this much overdue is marked late.
const LATE_AFTER_SECONDS: i64 = 60;

/// A step of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The policy whose step it is.
    pub policy: Name,
    /// Its place, from 0.
    pub number: u32,
    /// Seconds after the alert fired.
    pub after: u32,
    /// When.
    pub due_at: DateTime<Utc>,
    /// What spares it.
    pub unless: Unless,
    /// Who is told.
    pub notify: Vec<Name>,
    /// How long an acknowledgement holds, in seconds.
    pub acknowledge_timeout: Option<u32>,
    /// Where it stands.
    pub state: StepState,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Not due, or its alert is clearing.
    Waiting,
    /// Run.
    Done {
        /// When.
        at: DateTime<Utc>,
    },
    /// Due while somebody had the incident.
    Skipped,
}

impl StepState {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done { .. } => "done",
            Self::Skipped => "skipped",
        }
    }
}

impl Step {
    /// Whether an acknowledgement makes it unnecessary.
    pub fn is_spared_by_acknowledgement(&self) -> bool {
        self.unless == Unless::Acknowledged
    }

    /// Whether it runs well after it was due.
    pub fn is_late(&self, now: DateTime<Utc>) -> bool {
        now - self.due_at > TimeDelta::seconds(LATE_AFTER_SECONDS)
    }

    /// Why its receivers hear of it.
    pub fn reason(&self, opening: u32) -> String {
        if self.after == 0 {
            format!("{} {}", self.policy, if opening <= 1 { "opened" } else { "fires" })
        } else {
            let missing = if self.is_spared_by_acknowledgement() { "acknowledged" } else { "resolved" };
            format!("{}: not {missing} {} after it fired", self.policy, super::condition::duration(self.after))
        }
    }
}

/// Who hears of a policy's alert, and when: its `notify` and its escalation together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    steps: Vec<PlannedStep>,
    acknowledge_timeout: Option<u32>,
    repeat: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
struct PlannedStep {
    after: u32,
    unless: Unless,
    notify: Vec<Name>,
}

impl Plan {
    /// `notify` is a step at 0m beside the escalation's own; `default` is used only if the policy has neither.
    pub fn of(policy: &Policy, escalation: Option<&Escalation>, default: Option<&Escalation>) -> Self {
        let escalation = escalation.or(if policy.notify.is_empty() { default } else { None });
        Self { repeat: policy.repeat, ..Self::new(&policy.notify, escalation) }
    }

    /// How often chat and mail are reminded, in seconds.
    pub fn repeat(&self) -> Option<u32> {
        self.repeat
    }

    /// From the parts.
    pub fn new(notify: &[Name], escalation: Option<&Escalation>) -> Self {
        let mut steps = Vec::new();
        if !notify.is_empty() {
            steps.push(PlannedStep { after: 0, unless: Unless::Acknowledged, notify: notify.to_vec() });
        }
        let Some(escalation) = escalation else { return Self { steps, ..Self::default() } };
        let own = |step: &super::policy::EscalationStep, later: u32| PlannedStep {
            after: step.after.saturating_add(later),
            unless: step.unless,
            notify: step.notify.clone(),
        };
        steps.extend(escalation.steps.iter().map(|step| own(step, 0)));
        if let Some(repeat) = escalation.repeat {
            let last = escalation.steps.iter().map(|step| step.after).max().unwrap_or_default();
            for time in 1..=repeat.times {
                let later = last.saturating_add(repeat.every).saturating_mul(time);
                steps.extend(escalation.steps.iter().map(|step| own(step, later)));
            }
        }
        Self { steps, acknowledge_timeout: escalation.acknowledge_timeout, repeat: None }
    }

    /// Who hears at 0m.
    pub fn at_once(&self) -> Vec<Name> {
        self.steps.iter().filter(|step| step.after == 0).flat_map(|step| step.notify.clone()).collect()
    }

    /// The steps as rows of an incident, for an alert that fired at `at`.
    pub fn pin(&self, policy: &Name, at: DateTime<Utc>) -> Vec<Step> {
        let pinned = self.steps.iter().zip(0_u32..).map(|(step, number)| Step {
            policy: policy.clone(),
            number,
            after: step.after,
            due_at: at + TimeDelta::seconds(i64::from(step.after)),
            unless: step.unless,
            notify: step.notify.clone(),
            acknowledge_timeout: self.acknowledge_timeout,
            state: StepState::Waiting,
        });
        pinned.collect()
    }
}
