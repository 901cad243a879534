//! One incident: the alerts of one series (or one blind source) from the first page to the last word.
//!
//! A machine of data: alerts, people and time reach it as one [`IncidentEvent`]; what must be said comes out as
//! [`Say`]s, in order. It never reads a clock, never sends, and says itself when it wants to be woken ([`Incident::wake_at`]).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    escalation::{Plan, Step, StepState},
    name::{Name, Series, SloId},
    notification::{Event, Phase},
    policy::Priority,
    status_page::{StatusClock, StatusRule},
};

/// What an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// One series of an SLO.
    Slo {
        /// Which SLO.
        id: SloId,
        /// Which series.
        series: Series,
    },
    /// A source that does not answer.
    Source(Name),
}

/// The kind of receiver, as far as an incident cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// Wakes people; hears triggers, acknowledgements and resolves only.
    Pager,
    /// A conversation: hears everything.
    Chat,
    /// Mail.
    Mail,
}

/// Which receivers there are.
pub type Hearers = BTreeMap<Name, Hearing>;

/// One alert of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its policy.
    pub policy: Name,
    /// Its urgency.
    pub priority: Priority,
    /// Whether it holds the incident open.
    pub firing: bool,
    /// Since when (slot end).
    pub fired_at: DateTime<Utc>,
}

/// What a receiver was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// At the most urgent.
    pub priority: Priority,
    /// By which policies' steps.
    pub by: Vec<Name>,
    /// The pager keys it knows: numbers of openings.
    pub openings: Vec<u32>,
}

/// Somebody has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// When it lapses.
    pub until: Option<DateTime<Utc>>,
}

/// It is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Who; none if all alerts cleared.
    pub by: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// An incident: what is stored of it, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// As people type it: the first 12 digits of `key`.
    pub id: String,
    /// As receivers know it: a hash of subject and epoch.
    pub key: String,
    /// What it is about.
    pub subject: Subject,
    /// End of the slot that opened it, in Unix seconds.
    pub epoch: i64,
    /// How often it opened: pagers get a new key each time.
    pub opening: u32,
    /// The most urgent firing one; kept when nothing fires.
    pub priority: Priority,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// Who has it.
    pub acknowledged: Option<Acknowledgement>,
    /// How it ended.
    pub resolved: Option<Resolution>,
    /// Decided later than it was due.
    pub late: bool,
    /// Its alerts, by watch name.
    pub members: BTreeMap<String, Member>,
    /// Steps of all its policies' escalations.
    pub steps: Vec<Step>,
    /// Who was told what.
    pub told: BTreeMap<Name, Told>,
    /// Firing again this soon after the end is the same incident, in seconds.
    pub reopen_within: u32,
    /// The public status page.
    pub status: Option<StatusClock>,
    /// The newest headline.
    pub title: String,
}

/// What happens to an incident.
#[derive(Clone, Debug)]
pub enum IncidentEvent {
    /// An alert of it fires.
    Fired {
        /// Watch name.
        watch: String,
        /// Its policy.
        policy: Name,
        /// Its urgency.
        priority: Priority,
        /// Who hears, and when.
        plan: Plan,
        /// End of the slot that made it fire.
        at: DateTime<Utc>,
        /// For how long the end is not final, in seconds.
        reopen_within: u32,
        /// Decided later than it was due.
        late: bool,
    },
    /// An alert of it is over, or everything is good again.
    Ended {
        /// Watch name.
        watch: String,
        /// Only a window remembers.
        clearing: bool,
    },
    /// Somebody has it.
    Acknowledge {
        /// Who.
        by: String,
    },
    /// Somebody says it is over.
    Resolve {
        /// Who.
        by: String,
    },
    /// For the record.
    Note {
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// Post the status page's draft, or drop it.
    StatusDraft {
        /// Who.
        by: String,
        /// Post it.
        approve: bool,
    },
    /// A receiver could not be told in time, or at all: tell its fallback.
    Undelivered {
        /// Who was not told.
        receiver: Name,
        /// Who is told instead.
        fallback: Name,
        /// What it was.
        event: Event,
        /// Why.
        why: String,
    },
    /// Time has passed.
    Tick,
}

/// What must be done about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// Tell a receiver.
    Tell {
        /// Whom.
        receiver: Name,
        /// What it means.
        event: Event,
        /// Which opening's key (pagers).
        opening: u32,
        /// Why.
        reason: String,
        /// Later than it was due.
        late: bool,
    },
    /// Post to the public status page.
    Post(super::notification::PublicState),
    /// A line for the timeline.
    Line {
        /// opened, fired, cleared, told, acknowledged, note, resolved, …
        kind: &'static str,
        /// In words.
        text: String,
    },
    /// Silence these alerts until each has cleared once.
    Mute(Vec<String>),
}

/// Why an action makes no sense now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("incident {0} is resolved already")]
    Resolved(String),
    /// Nothing waits for approval.
    #[error("incident {0} has no status-page draft to approve or discard")]
    NoDraft(String),
}

/// The key of an incident: a hash of what it is about and when it opened; of nothing else, so that it never depends on
/// the order of files, receivers or on a policy's text.
pub fn key(subject: &Subject, epoch: i64) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    match subject {
        Subject::Slo { id, series } => {
            part("slo");
            part(&id.service);
            part(&id.slo);
            for (label, value) in series {
                part(label);
                part(value);
            }
        }
        Subject::Source(name) => {
            part("source");
            part(name);
        }
    }
    part(&epoch.to_string());
    hex::encode(&hash.finalize()[..16])
}

impl Incident {
    /// A new one; nothing is said before its first event.
    pub fn open(subject: Subject, at: DateTime<Utc>, priority: Priority) -> Self {
        let epoch = at.timestamp();
        let key = key(&subject, epoch);
        Self {
            id: key[..12].to_owned(),
            key,
            subject,
            epoch,
            opening: 0,
            priority,
            opened_at: at,
            acknowledged: None,
            resolved: None,
            late: false,
            members: BTreeMap::new(),
            steps: Vec::new(),
            told: BTreeMap::new(),
            reopen_within: 0,
            status: None,
            title: String::new(),
        }
    }

    /// open, acknowledged or resolved.
    pub fn phase(&self) -> Phase {
        match (&self.resolved, &self.acknowledged) {
            (Some(_), _) => Phase::Resolved,
            (None, Some(_)) => Phase::Acknowledged,
            (None, None) => Phase::Open,
        }
    }

    /// A pager's key for one opening: `/n` from the second on.
    pub fn dedup_key(&self, opening: u32) -> String {
        if opening <= 1 { self.key.clone() } else { format!("{}/{opening}", self.key) }
    }

    /// Whether a firing as of `at` belongs to this incident.
    pub fn takes(&self, at: DateTime<Utc>) -> bool {
        self.resolved.as_ref().is_none_or(|end| at <= end.at + TimeDelta::seconds(i64::from(self.reopen_within)))
    }

    /// Whether nothing can happen to it any more.
    pub fn is_finished(&self, now: DateTime<Utc>) -> bool {
        self.resolved.is_some() && !self.takes(now) && self.status.as_ref().is_none_or(StatusClock::is_at_rest)
    }

    /// When it wants a [`IncidentEvent::Tick`].
    pub fn wake_at(&self) -> Option<DateTime<Utc>> {
        let lapses = self.acknowledged.as_ref().and_then(|ack| ack.until);
        let steps = self.steps.iter().filter(|step| self.is_runnable(step)).map(|step| step.due_at);
        let status = self.status.as_ref().and_then(|clock| clock.wake_at(self));
        let open = if self.resolved.is_some() { None } else { lapses.into_iter().chain(steps).min() };
        open.into_iter().chain(status).min()
    }

    /// Takes one event and answers what must be done about it.
    pub fn handle(
        &mut self,
        event: IncidentEvent,
        now: DateTime<Utc>,
        hearers: &Hearers,
        rule: Option<&StatusRule>,
    ) -> Result<Vec<Say>, Refused> {
        let mut said = Vec::new();
        let out = &mut said;
        match event {
            IncidentEvent::Fired { watch, policy, priority, plan, at, reopen_within, late } => {
                self.fired(watch, &policy, priority, plan, at, reopen_within, late, now, hearers, out);
            }
            IncidentEvent::Ended { watch, clearing } => self.ended(&watch, clearing, now, hearers, out),
            IncidentEvent::Acknowledge { by } => self.acknowledge(by, now, hearers, out)?,
            IncidentEvent::Resolve { by } => {
                if self.resolved.is_some() {
                    return Err(Refused::Resolved(self.id.clone()));
                }
                out.push(Say::Mute(self.members.keys().cloned().collect()));
                self.resolve(Some(by), now, hearers, out);
            }
            IncidentEvent::Note { by, text } => {
                out.push(Say::Line { kind: "note", text: format!("{by}: {text}") });
                self.update(|hearing| hearing == Hearing::Chat, &format!("note by {by}: {text}"), hearers, out);
            }
            IncidentEvent::StatusDraft { by, approve } => {
                let draft = self.status.as_mut().and_then(|clock| clock.decide(approve, now));
                let draft = draft.ok_or_else(|| Refused::NoDraft(self.id.clone()))?;
                let verb = if approve { "approved" } else { "discarded" };
                out.push(Say::Line { kind: "status-page", text: format!("{by} {verb} \"{}\"", draft.as_str()) });
                if approve {
                    out.push(Say::Post(draft));
                }
            }
            IncidentEvent::Undelivered { receiver, fallback, event, why } => {
                self.undelivered(&receiver, fallback, event, &why, hearers, out);
            }
            IncidentEvent::Tick => {}
        }
        self.lapse(now, hearers, out);
        self.run_steps(now, hearers, out);
        if let Some(rule) = rule {
            let mut clock = self.status.take().unwrap_or_default();
            clock.tick(self, rule, now, hearers, out);
            self.status = Some(clock).filter(StatusClock::has_begun);
        }
        Ok(said)
    }

    #[expect(clippy::too_many_arguments, reason = "one for each field of the event")]
    fn fired(
        &mut self,
        watch: String,
        policy: &Name,
        priority: Priority,
        plan: Plan,
        at: DateTime<Utc>,
        reopen_within: u32,
        late: bool,
        now: DateTime<Utc>,
        hearers: &Hearers,
        out: &mut Vec<Say>,
    ) {
        let urgent_before = self.most_urgent();
        self.reopen_within = self.reopen_within.max(reopen_within);
        self.late |= late;
        let text = format!("{watch} fires ({priority}) as of {}", at.format("%H:%M:%S UTC"));
        out.push(Say::Line { kind: "fired", text });
        self.members.insert(watch, Member { policy: policy.clone(), priority, firing: true, fired_at: at });
        self.priority = self.most_urgent().unwrap_or(priority);
        for step in plan.pin(policy, at) {
            if !self.steps.iter().any(|old| old.policy == step.policy && old.number == step.number) {
                self.steps.push(step);
            }
        }
        if self.opening == 0 {
            self.opening = 1;
            out.push(Say::Line { kind: "opened", text: format!("incident opened at {priority}") });
        } else if self.resolved.take().is_some() {
            self.acknowledged = None;
            out.push(Say::Line { kind: "reopened", text: "firing again: the same incident".to_owned() });
            self.open_again("firing again", late, hearers, out);
        } else if urgent_before.is_some_and(|before| priority < before) {
            out.push(Say::Line { kind: "raised", text: format!("priority raised to {priority}") });
            if self.acknowledged.take().is_some() {
                self.skipped_run_again(now);
                self.open_again(&format!("raised to {priority}"), late, hearers, out);
            } else {
                self.raise(late, hearers, out);
            }
        }
    }

    fn ended(&mut self, watch: &str, clearing: bool, now: DateTime<Utc>, hearers: &Hearers, out: &mut Vec<Say>) {
        let Some(member) = self.members.get_mut(watch) else { return };
        if !member.firing {
            return;
        }
        member.firing = false;
        let what = if clearing { "is good again; its window still remembers" } else { "has cleared" };
        out.push(Say::Line { kind: "cleared", text: format!("{watch} {what}") });
        match self.most_urgent() {
            Some(priority) => self.priority = priority,
            None if self.resolved.is_none() => self.resolve(None, now, hearers, out),
            None => {}
        }
    }

    fn acknowledge(
        &mut self,
        by: String,
        now: DateTime<Utc>,
        hearers: &Hearers,
        out: &mut Vec<Say>,
    ) -> Result<(), Refused> {
        if self.resolved.is_some() {
            return Err(Refused::Resolved(self.id.clone()));
        }
        out.push(Say::Line { kind: "acknowledged", text: format!("acknowledged by {by}") });
        let first = self.acknowledged.is_none();
        let timeout = self.steps.iter().filter_map(|step| step.acknowledge_timeout).min();
        let until = timeout.map(|seconds| now + TimeDelta::seconds(i64::from(seconds)));
        self.acknowledged = Some(Acknowledgement { by: by.clone(), at: now, until });
        if first {
            self.tell_all(Event::Acknowledge, &format!("acknowledged by {by}"), hearers, out);
        }
        Ok(())
    }

    fn resolve(&mut self, by: Option<String>, now: DateTime<Utc>, hearers: &Hearers, out: &mut Vec<Say>) {
        let reason = by.as_ref().map_or_else(|| "all alerts have cleared".to_owned(), |by| format!("resolved by {by}"));
        out.push(Say::Line { kind: "resolved", text: reason.clone() });
        self.resolved = Some(Resolution { by, at: now });
        for member in self.members.values_mut() {
            member.firing = false;
        }
        self.tell_all(Event::Resolve, &reason, hearers, out);
    }

    /// An acknowledgement that has lapsed opens the incident again.
    fn lapse(&mut self, now: DateTime<Utc>, hearers: &Hearers, out: &mut Vec<Say>) {
        let lapsed = |ack: &Acknowledgement| ack.until.is_some_and(|until| until <= now);
        if self.resolved.is_some() || !self.acknowledged.as_ref().is_some_and(lapsed) {
            return;
        }
        let by = self.acknowledged.take().map(|ack| ack.by).unwrap_or_default();
        out.push(Say::Line { kind: "reopened", text: format!("the acknowledgement by {by} has lapsed") });
        self.skipped_run_again(now);
        self.open_again("acknowledged, but not resolved in time", false, hearers, out);
    }

    /// Steps that were due and skipped because somebody had it are due again.
    fn skipped_run_again(&mut self, now: DateTime<Utc>) {
        for step in self.steps.iter_mut().filter(|step| step.due_at <= now) {
            if step.state == StepState::Skipped {
                step.state = StepState::Waiting;
            }
        }
    }

    /// Everybody who was told hears it as an opening; pagers under a new key, because an acknowledged or resolved key
    /// does not page again.
    fn open_again(&mut self, reason: &str, late: bool, hearers: &Hearers, out: &mut Vec<Say>) {
        self.opening += 1;
        for receiver in self.told.keys().cloned().collect::<Vec<_>>() {
            self.trigger(receiver, None, reason, late, hearers, out);
        }
    }

    /// A rise in priority: pagers that know a lower one hear a trigger, chats an update.
    fn raise(&mut self, late: bool, hearers: &Hearers, out: &mut Vec<Say>) {
        let priority = self.priority;
        let lower: Vec<Name> =
            self.told.iter().filter(|(_, told)| told.priority > priority).map(|(name, _)| name.clone()).collect();
        for receiver in lower {
            let reason = format!("raised to {priority}");
            if hearers.get(&receiver) == Some(&Hearing::Pager) {
                self.trigger(receiver, None, &reason, late, hearers, out);
            } else {
                out.push(Say::Tell { receiver, event: Event::Update, opening: self.opening, reason, late });
            }
        }
    }

    fn trigger(
        &mut self,
        receiver: Name,
        policy: Option<&Name>,
        reason: &str,
        late: bool,
        hearers: &Hearers,
        out: &mut Vec<Say>,
    ) {
        if !hearers.contains_key(&receiver) {
            let text = format!("{receiver} is no longer configured and was not told ({reason})");
            out.push(Say::Line { kind: "not-told", text });
            return;
        }
        let priority = self.priority;
        let told = self.told.entry(receiver.clone()).or_insert(Told { priority, by: Vec::new(), openings: Vec::new() });
        told.priority = told.priority.min(priority);
        if let Some(policy) = policy.filter(|policy| !told.by.contains(policy)) {
            told.by.push(policy.clone());
        }
        if !told.openings.contains(&self.opening) {
            told.openings.push(self.opening);
        }
        out.push(Say::Line { kind: "told", text: format!("{receiver}: {reason}") });
        out.push(Say::Tell { receiver, event: Event::Trigger, opening: self.opening, reason: reason.to_owned(), late });
    }

    /// Passes an acknowledgement or the end on to everybody who was told; pagers under every key they know.
    fn tell_all(&self, event: Event, reason: &str, hearers: &Hearers, out: &mut Vec<Say>) {
        for (receiver, told) in &self.told {
            let pager = hearers.get(receiver) == Some(&Hearing::Pager);
            let newest = told.openings.last().copied().unwrap_or(1);
            let every_key = pager && event == Event::Resolve;
            for opening in told.openings.iter().copied().filter(|opening| every_key || *opening == newest) {
                let (receiver, reason) = (receiver.clone(), reason.to_owned());
                out.push(Say::Tell { receiver, event, opening, reason, late: false });
            }
        }
    }

    fn update(&self, who: impl Fn(Hearing) -> bool, reason: &str, hearers: &Hearers, out: &mut Vec<Say>) {
        for receiver in self.told.keys().filter(|name| hearers.get(*name).is_some_and(|hearing| who(*hearing))) {
            let (receiver, reason) = (receiver.clone(), reason.to_owned());
            out.push(Say::Tell { receiver, event: Event::Update, opening: self.opening, reason, late: false });
        }
    }

    fn undelivered(
        &mut self,
        receiver: &Name,
        fallback: Name,
        event: Event,
        why: &str,
        hearers: &Hearers,
        out: &mut Vec<Say>,
    ) {
        let reason = format!("fallback: {receiver} could not be told ({}): {why}", event.as_str());
        out.push(Say::Line { kind: "undelivered", text: format!("{receiver}: {why}; told {fallback} instead") });
        let new = !self.told.contains_key(&fallback);
        if event == Event::Trigger
            && self.resolved.is_none()
            && (new || hearers.get(&fallback) == Some(&Hearing::Pager))
        {
            self.trigger(fallback, None, &reason, false, hearers, out);
        } else if hearers.get(&fallback).is_some_and(|hearing| *hearing != Hearing::Pager) {
            out.push(Say::Tell {
                receiver: fallback,
                event: Event::Update,
                opening: self.opening,
                reason,
                late: false,
            });
        }
    }

    /// Whether a step could run: it waits, and an alert of its policy is firing.
    fn is_runnable(&self, step: &Step) -> bool {
        step.state == StepState::Waiting
            && self.members.values().any(|member| member.firing && member.policy == step.policy)
    }

    /// Runs all due steps, coalesced: each receiver once.
    fn run_steps(&mut self, now: DateTime<Utc>, hearers: &Hearers, out: &mut Vec<Say>) {
        if self.resolved.is_some() {
            return;
        }
        let due: Vec<usize> = (0..self.steps.len())
            .filter(|at| self.steps[*at].due_at <= now && self.is_runnable(&self.steps[*at]))
            .collect();
        let mut told_now: Vec<Name> = Vec::new();
        for at in due {
            if self.acknowledged.is_some() && self.steps[at].is_spared_by_acknowledgement() {
                self.steps[at].state = StepState::Skipped;
                let text =
                    format!("step {} of {} skipped: acknowledged", self.steps[at].number + 1, self.steps[at].policy);
                out.push(Say::Line { kind: "skipped", text });
                continue;
            }
            let late = self.steps[at].is_late(now);
            self.steps[at].state = StepState::Done { at: now };
            let step = self.steps[at].clone();
            let priority = self.policy_priority(&step.policy);
            for receiver in
                step.notify.iter().filter(|receiver| !told_now.contains(receiver)).cloned().collect::<Vec<_>>()
            {
                if self.has_heard_enough(&receiver, &step.policy, priority, hearers) {
                    continue;
                }
                let reason = step.reason(self.opening);
                told_now.push(receiver.clone());
                self.trigger(receiver, Some(&step.policy), &reason, late || self.late, hearers, out);
            }
        }
    }

    /// A joining alert's steps leave out who was told at that priority or higher; a pager never hears of a lower one.
    fn has_heard_enough(&self, receiver: &Name, policy: &Name, priority: Priority, hearers: &Hearers) -> bool {
        if hearers.get(receiver) == Some(&Hearing::Pager) && priority > self.priority {
            return true;
        }
        self.told.get(receiver).is_some_and(|told| told.priority <= priority && !told.by.contains(policy))
    }

    fn policy_priority(&self, policy: &Name) -> Priority {
        let of_policy = self.members.values().filter(|member| member.policy == *policy);
        of_policy.map(|member| member.priority).min().unwrap_or(self.priority)
    }

    fn most_urgent(&self) -> Option<Priority> {
        self.members.values().filter(|member| member.firing).map(|member| member.priority).min()
    }
}
