//! What is muted of an incident, what is held back meanwhile, and what is said of it when that ends.
//!
//! Only messages wait: alerts join, acknowledgements lapse, the incident ends. What is still open and due when nothing
//! mutes it any more is told once to each receiver. Steps that become due simply wait; of what would have been said to
//! those who know the incident already, the weightiest is kept for each of them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Hearing, Incident, Member, Say, telling::Voice};
use crate::domain::{
    escalation::Step,
    message::cut,
    muting::{Cause, Mute, is_muted},
    name::Name,
    notification::Event,
    policy::Priority,
};

/// Most characters of the joined reasons of messages that were held back.
const REASONS_MAX: usize = 500;

/// What is muted of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted {
    /// What mutes it.
    pub by: BTreeMap<String, MutedBy>,
    /// Its policies whose alerts say nothing.
    pub policies: BTreeSet<Name>,
    /// Steps that have become due since, by policy and place.
    pub steps: BTreeSet<(Name, u32)>,
    /// What each receiver would have been told.
    pub held: BTreeMap<Name, Held>,
}

/// One thing that mutes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutedBy {
    /// Why.
    pub cause: Cause,
    /// When that ends, as far as is known.
    pub until: DateTime<Utc>,
    /// For people: whose it is, and why; for a policy's alone, whose.
    pub words: String,
}

/// A message that was held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What it would have meant.
    pub event: Event,
    /// Why.
    pub reason: String,
}

impl Held {
    /// The weightier one stays; of equals the newer, and of news both.
    fn merge(&mut self, newer: Self) {
        let weight = |event| match event {
            Event::Trigger => 2,
            Event::Acknowledge => 1,
            _ => 0,
        };
        let is_reminder = |held: &Self| held.reason.starts_with("reminder:");
        if weight(self.event) == 0 && is_reminder(&newer) && !is_reminder(self) {
            return; // it is reminded of by what is told
        }
        let both_news = weight(newer.event) == 0 && weight(self.event) == 0 && !is_reminder(self);
        if both_news && newer.reason != self.reason {
            self.reason = cut(&format!("{}; {}", self.reason, newer.reason), REASONS_MAX);
        } else if weight(newer.event) >= weight(self.event) {
            *self = newer;
        }
    }
}

impl Voice<'_> {
    /// Whether what a policy's alerts would say is muted.
    pub fn mutes(&self, policy: &Name) -> bool {
        is_muted(self.mutes, policy)
    }

    /// Whether a message waits for the end of a silence. The end of an incident never does, and a pager hears at once
    /// that somebody has it: so that it stops waking others.
    pub(super) fn waits(&self, receiver: &Name, event: Event) -> bool {
        self.whole
            && match event {
                Event::Resolve | Event::Test => false,
                Event::Acknowledge => self.hearing(receiver) != Some(Hearing::Pager),
                Event::Trigger | Event::Update | Event::Digest => true,
            }
    }

    pub(super) fn hold(&mut self, receiver: Name, event: Event, reason: &str) {
        self.line("muted", format!("{receiver} is not told now: {reason}"));
        let held = Held { event, reason: reason.to_owned() };
        match self.held.get_mut(&receiver) {
            Some(before) => before.merge(held),
            None => drop(self.held.insert(receiver, held)),
        }
    }

    /// Why it is said now.
    pub(super) fn after_mute(&self, reason: &str) -> String {
        match self.ended {
            Some(cause) => format!("{} ended: {reason}", cause.as_str()),
            None => reason.to_owned(),
        }
    }
}

impl Incident {
    /// Whether everything that holds it open, or did, is muted.
    pub fn is_muted_by(&self, mutes: &[Mute]) -> bool {
        let over = self.resolved.is_some();
        let mut speaking = self.members.values().filter(|member| member.holds() || over).peekable();
        speaking.peek().is_some() && speaking.all(|member| is_muted(mutes, &member.policy))
    }

    /// The incident as it is told while some of its policies are muted and others are not: without the muted alerts.
    pub fn as_heard(&self, mutes: &[Mute]) -> Cow<'_, Self> {
        let is_silent = |member: &Member| member.holds() && is_muted(mutes, &member.policy);
        if self.is_muted_by(mutes) || !self.members.values().any(is_silent) {
            return Cow::Borrowed(self);
        }
        let mut heard = self.clone();
        heard.members.retain(|_, member| !is_silent(member));
        heard.steps.retain(|step| !is_muted(mutes, &step.policy));
        heard.priority = heard.most_urgent().unwrap_or(self.priority);
        Cow::Owned(heard)
    }

    /// What of these mutes something of it.
    fn muted_by(&self, mutes: &[Mute]) -> BTreeMap<String, MutedBy> {
        let is_mine = |policy: &Name| self.members.values().any(|member| member.policy == *policy);
        let mine = mutes.iter().filter(|mute| mute.policy.as_ref().is_none_or(is_mine));
        let by = |mute: &Mute| MutedBy { cause: mute.cause, until: mute.until, words: mute.words.clone() };
        mine.map(|mute| (mute.id.clone(), by(mute))).collect()
    }

    /// Whether it has not heard yet of what mutes it, or no longer does.
    pub fn is_behind(&self, mutes: &[Mute]) -> bool {
        let known = self.muted.as_ref().map(|muted| &muted.by);
        self.resolved.is_none()
            && (known.is_some() || !mutes.is_empty())
            && !known.unwrap_or(&BTreeMap::new()).keys().eq(self.muted_by(mutes).keys())
    }

    /// Notes whether anything may speak.
    pub(super) fn listen(&self, voice: &mut Voice<'_>) {
        voice.whole = self.is_muted_by(voice.mutes);
    }

    /// The priority of the most urgent firing alert that is not muted.
    pub(super) fn most_urgent_heard(&self, voice: &Voice<'_>) -> Option<Priority> {
        let heard = self.members.values().filter(|member| member.holds() && !voice.mutes(&member.policy));
        heard.map(|member| member.priority).min()
    }

    /// The priority it is told at.
    pub(super) fn spoken(&self, voice: &Voice<'_>) -> Priority {
        self.most_urgent_heard(voice).unwrap_or(self.priority)
    }

    /// A step that is due waits for the end of what mutes its policy.
    pub(super) fn hold_step(&mut self, at: usize, voice: &mut Voice<'_>) {
        let step = &self.steps[at];
        let muted = self.muted.get_or_insert_default();
        if muted.steps.insert((step.policy.clone(), step.number)) {
            let who: Vec<_> = step.notify.iter().map(Name::as_str).collect();
            let (number, policy) = (step.number + 1, &step.policy);
            voice.line("muted", format!("step {number} of {policy} is due: {} not told now", who.join(", ")));
        }
    }

    /// Takes note of what mutes it now. What is not muted any more, still open and due, is said.
    pub(super) fn turn(&mut self, voice: &mut Voice<'_>) {
        self.listen(voice);
        if self.resolved.is_some() {
            self.muted = None;
            return;
        }
        if voice.mutes.is_empty() && self.muted.is_none() {
            return;
        }
        let before = self.muted.take().unwrap_or_default();
        let by = self.muted_by(voice.mutes);
        say_changes(&before.by, &by, voice);
        let (waiting, released): (BTreeSet<_>, BTreeSet<_>) =
            before.steps.iter().cloned().partition(|(policy, _)| voice.mutes(policy));
        voice.released = released;
        self.muted = Some(Muted { by, steps: waiting, ..Muted::default() });
        self.rise(&before, voice);
        if !voice.whole {
            self.let_go(before.held, voice);
        } else if let Some(muted) = &mut self.muted {
            muted.held = before.held;
        }
    }

    /// Keeps what was held back, for as long as something is muted.
    pub(super) fn keep_muted(&mut self, voice: &mut Voice<'_>) {
        let held = std::mem::take(&mut voice.held);
        if self.resolved.is_some() {
            // What is over is not told later.
            self.muted = None;
            return;
        }
        let policies = self.members.values().map(|member| &member.policy);
        let policies: BTreeSet<Name> = policies.filter(|policy| voice.mutes(policy)).cloned().collect();
        let Some(muted) = &mut self.muted else { return };
        for (receiver, newer) in held {
            match muted.held.get_mut(&receiver) {
                Some(before) => before.merge(newer),
                None => drop(muted.held.insert(receiver, newer)),
            }
        }
        muted.policies = policies;
        if muted.by.is_empty() && muted.held.is_empty() {
            self.muted = None;
        }
    }

    /// When something that mutes it ends.
    pub(super) fn muted_until(&self) -> Option<DateTime<Utc>> {
        self.muted.as_ref()?.by.values().map(|by| by.until).min()
    }

    /// Whether a step has become due, and waits for the end of what mutes its policy.
    pub(super) fn holds_back(&self, step: &Step) -> bool {
        self.muted.as_ref().is_some_and(|muted| muted.steps.contains(&(step.policy.clone(), step.number)))
    }

    /// An alert that nobody heard fire is more urgent than what is known: told as if it had fired now.
    fn rise(&mut self, before: &Muted, voice: &mut Voice<'_>) {
        let was_muted = |member: &Member| before.policies.contains(&member.policy);
        let firing = || self.members.values().filter(|member| member.holds());
        let known = firing().filter(|member| !was_muted(member)).map(|member| member.priority).min();
        let new = firing().filter(|member| was_muted(member) && !voice.mutes(&member.policy));
        let Some(newest) = new.min_by_key(|member| member.priority) else { return };
        let (priority, fired_at) = (newest.priority, newest.fired_at);
        let knows_less = || self.told.values().any(|told| !told.openings.is_empty() && told.priority > priority);
        if known.map_or_else(|| !knows_less(), |known| known <= priority) {
            return;
        }
        let reason = voice.after_mute(&format!("raised to {priority}"));
        // Who has taken it since knows of it.
        let taken = self.acknowledged.as_ref().is_some_and(|ack| ack.at >= fired_at);
        if self.acknowledged.is_none() {
            self.raise(&reason, false, voice);
        } else if !taken {
            self.acknowledged = None;
            voice.line("reopened", reason.clone());
            self.skipped_run_again(false, voice);
            self.open_again(&reason, false, voice);
        }
    }

    fn let_go(&mut self, held: BTreeMap<Name, Held>, voice: &mut Voice<'_>) {
        for (receiver, held) in held {
            if voice.has_told(&receiver) {
                continue;
            }
            let is_pager = voice.hearing(&receiver) == Some(Hearing::Pager);
            let (knows, spoken) = (self.told.get(&receiver), self.spoken(voice));
            let newest = knows.and_then(|told| told.openings.last().copied());
            let wakes = !is_pager || knows.is_none_or(|told| told.priority >= spoken);
            let (event, opening, reason) = match (held.event, &self.acknowledged) {
                (Event::Trigger, None) if wakes => {
                    let reason = voice.after_mute(&held.reason);
                    self.trigger(receiver, None, &reason, false, voice);
                    continue;
                }
                // A pager heard of it when it was taken.
                (Event::Trigger | Event::Acknowledge, Some(ack)) if !is_pager => {
                    let Some(newest) = newest else { continue };
                    (Event::Acknowledge, newest, format!("acknowledged by {}", ack.by))
                }
                (Event::Trigger | Event::Acknowledge, _) => continue,
                (event, _) => (event, self.opening, held.reason),
            };
            let reason = voice.after_mute(&reason);
            voice.say(Say::Tell { receiver, event, opening, reason, late: false });
        }
    }
}

fn say_changes(before: &BTreeMap<String, MutedBy>, now: &BTreeMap<String, MutedBy>, voice: &mut Voice<'_>) {
    for by in before.iter().filter(|(id, _)| !now.contains_key(*id)).map(|(_, by)| by) {
        voice.ended.get_or_insert(by.cause);
        voice.line("muted", format!("{} ended ({})", by.cause.as_str(), by.words));
    }
    for by in now.iter().filter(|(id, _)| !before.contains_key(*id)).map(|(_, by)| by) {
        let until = by.until.format("%Y-%m-%d %H:%M:%S UTC");
        let text = match by.cause {
            Cause::Silence => format!("silenced until {until} {}", by.words),
            Cause::Maintenance => format!("muted until {until} by maintenance {}", by.words),
        };
        voice.line("muted", text);
    }
}
