//! Who is told what of an incident, and what each receiver has heard so far.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Actor, Around, Hearers, Hearing, Held, Incident, Say, Told};
use crate::domain::{
    escalation::StepState,
    muting::{Cause, Mute},
    name::Name,
    notification::Event,
};

/// What is said while one event is handled.
pub(super) struct Voice<'a> {
    pub now: DateTime<Utc>,
    hearers: &'a Hearers,
    /// There is something to look at.
    pub has_diagnostics: bool,
    /// In order.
    pub said: Vec<Say>,
    /// Who has heard a trigger: one event is one message to each.
    told: Vec<Name>,
    /// The policy that fires, and whether it is late.
    pub fired: Option<(Name, bool)>,
    /// Skipped steps that are to run, by place, and whether they are late.
    pub again: Vec<(usize, bool)>,
    /// What mutes it.
    pub mutes: &'a [Mute],
    /// Whether everything that could speak is muted.
    pub whole: bool,
    /// What has muted it until now.
    pub ended: Option<Cause>,
    /// Steps that had waited for that end.
    pub released: BTreeSet<(Name, u32)>,
    /// What is held back.
    pub held: BTreeMap<Name, Held>,
}

impl<'a> Voice<'a> {
    pub fn new(around: &Around<'a>) -> Self {
        Self {
            now: around.now,
            hearers: around.hearers,
            has_diagnostics: around.has_diagnostics,
            said: Vec::new(),
            told: Vec::new(),
            fired: None,
            again: Vec::new(),
            mutes: around.mutes,
            whole: false,
            ended: None,
            released: BTreeSet::new(),
            held: BTreeMap::new(),
        }
    }

    /// Says it, unless it is a message that is muted.
    pub fn say(&mut self, say: Say) {
        match say {
            Say::Tell { receiver, event, reason, .. } if self.waits(&receiver, event) => {
                self.hold(receiver, event, &reason);
            }
            say => self.said.push(say),
        }
    }

    pub fn line(&mut self, kind: &'static str, text: String) {
        self.said.push(Say::Line { kind, text });
    }

    pub fn hearing(&self, receiver: &Name) -> Option<Hearing> {
        self.hearers.get(receiver).copied()
    }

    pub fn has_told(&self, receiver: &Name) -> bool {
        self.told.contains(receiver)
    }

    /// Whether the receiver is there; else a line says that it was not told.
    fn reaches(&mut self, receiver: &Name, reason: &str) -> bool {
        let known = self.hearers.contains_key(receiver);
        if !known {
            self.line("not-told", format!("{receiver} is no longer configured and was not told ({reason})"));
        }
        known
    }
}

impl Incident {
    /// Everybody who was told hears it as an opening; pagers under a new key, because an acknowledged or resolved key
    /// does not page again. A pager that knows the incident as a more urgent one is not woken, unless a policy that holds
    /// it open names it.
    pub(super) fn open_again(&mut self, reason: &str, late: bool, voice: &mut Voice<'_>) {
        self.open_again_but(None, reason, late, voice);
    }

    /// The same for everybody but the one where it came from, who knows.
    pub(super) fn open_again_but(&mut self, knows: Option<&Name>, reason: &str, late: bool, voice: &mut Voice<'_>) {
        self.opening += 1;
        self.touched = Some(voice.now);
        self.want_look(voice);
        let priority = self.spoken(voice);
        let woken: Vec<Name> = self
            .told
            .iter()
            .filter(|(name, told)| {
                let is_pager = voice.hearing(name) == Some(Hearing::Pager);
                !is_pager || told.priority >= priority || self.concerns(name)
            })
            .filter(|(name, _)| knows != Some(*name))
            .map(|(name, _)| name.clone())
            .collect();
        for receiver in woken {
            self.trigger(receiver, None, reason, late, voice);
        }
    }

    /// A rise in priority: a trigger for everybody who knows a lower one, or was spared the lower one.
    pub(super) fn raise(&mut self, reason: &str, late: bool, voice: &mut Voice<'_>) {
        self.want_look(voice);
        let priority = self.spoken(voice);
        let spared =
            |name: &Name, told: &Told| told.openings.is_empty() && (told.priority == priority || self.concerns(name));
        let lower = |(name, told): &(&Name, &Told)| told.priority > priority || spared(name, told);
        let lower: Vec<Name> = self.told.iter().filter(lower).map(|(name, _)| name.clone()).collect();
        for receiver in lower {
            self.trigger(receiver, None, reason, late, voice);
        }
    }

    /// Whether a step that was done names the receiver, of a policy that holds the incident open.
    fn concerns(&self, receiver: &Name) -> bool {
        let done = self.steps.iter().filter(|step| matches!(step.state, StepState::Done { .. }));
        done.into_iter().any(|step| step.notify.contains(receiver) && self.is_held_by(&step.policy))
    }

    pub(super) fn trigger(
        &mut self,
        receiver: Name,
        policy: Option<&Name>,
        reason: &str,
        late: bool,
        voice: &mut Voice<'_>,
    ) {
        if !voice.reaches(&receiver, reason) {
            return;
        }
        if voice.waits(&receiver, Event::Trigger) {
            voice.hold(receiver, Event::Trigger, reason);
            return;
        }
        let (priority, opening) = (self.spoken(voice), self.opening);
        let told = self.told.entry(receiver.clone()).or_insert(Told {
            priority,
            by: Vec::new(),
            openings: Vec::new(),
            newest: 0,
        });
        told.priority = told.priority.min(priority);
        told.newest = opening;
        if !told.openings.contains(&opening) {
            told.openings.push(opening);
        }
        if let Some(policy) = policy {
            self.told_by(&receiver, policy);
        }
        voice.line("told", format!("{receiver}: {reason}"));
        voice.told.push(receiver.clone());
        voice.say(Say::Tell { receiver, event: Event::Trigger, opening, reason: reason.to_owned(), late });
    }

    /// Notes that a receiver belongs to a policy's escalation.
    pub(super) fn told_by(&mut self, receiver: &Name, policy: &Name) {
        if let Some(told) = self.told.get_mut(receiver).filter(|told| !told.by.contains(policy)) {
            told.by.push(policy.clone());
        }
    }

    /// Passes an acknowledgement or the end on to everybody who was told; pagers under every key they know.
    pub(super) fn tell_all(&self, event: Event, reason: &str, voice: &mut Voice<'_>) {
        self.tell(None, event, reason, voice);
    }

    /// The same for what somebody did: never back to the pager where it was done, but for keys it was not done to.
    pub(super) fn tell_all_but(&self, by: &Actor, event: Event, reason: &str, voice: &mut Voice<'_>) {
        let known = by.knows.as_ref().filter(|name| voice.hearing(name) == Some(Hearing::Pager));
        self.tell(known.map(|name| (name, by.opening)), event, reason, voice);
    }

    fn tell(&self, known: Option<(&Name, Option<u32>)>, event: Event, reason: &str, voice: &mut Voice<'_>) {
        for (receiver, told) in &self.told {
            let Some(newest) = told.openings.last().copied() else { continue };
            if !voice.reaches(receiver, reason) {
                continue;
            }
            let every_key = event == Event::Resolve && voice.hearing(receiver) == Some(Hearing::Pager);
            for opening in told.openings.iter().copied().filter(|opening| every_key || *opening == newest) {
                let (receiver, reason) = (receiver.clone(), reason.to_owned());
                if known == Some((&receiver, Some(opening))) {
                    if event == Event::Resolve {
                        voice.say(Say::Settle { receiver, opening, reason });
                    }
                    continue;
                }
                voice.say(Say::Tell { receiver, event, opening, reason, late: false });
            }
        }
    }

    pub(super) fn update(&self, who: impl Fn(Hearing) -> bool, reason: &str, voice: &mut Voice<'_>) {
        for receiver in self.told.keys() {
            if voice.hearing(receiver).is_some_and(&who) {
                let (receiver, reason) = (receiver.clone(), reason.to_owned());
                voice.say(Say::Tell { receiver, event: Event::Update, opening: self.opening, reason, late: false });
            }
        }
    }

    /// A receiver could not be told: its fallback hears of it. A pager is not woken for what is over.
    pub(super) fn undelivered(
        &mut self,
        receiver: &Name,
        fallback: Name,
        event: Event,
        why: &str,
        voice: &mut Voice<'_>,
    ) {
        let reason = format!("fallback: {receiver} could not be told ({}): {why}", event.as_str());
        let hearing = voice.hearing(&fallback);
        let new = self.told.get(&fallback).is_none_or(|told| told.openings.is_empty());
        let wakes = event == Event::Trigger && self.resolved.is_none() && (new || hearing == Some(Hearing::Pager));
        // Who was never told hears nothing of what was over before the silence is.
        let missed = event == Event::Trigger && self.resolved.is_some() && voice.whole;
        let hears = !missed && hearing.is_some_and(|hearing| wakes || hearing != Hearing::Pager);
        let instead =
            if hears { format!("{fallback} hears of it instead") } else { "nobody else hears of it".to_owned() };
        voice.line("undelivered", format!("{receiver}: {why}; {instead}"));
        if hears && wakes {
            self.trigger(fallback, None, &reason, false, voice);
        } else if hears {
            let (receiver, opening) = (fallback, self.opening);
            let tell = Say::Tell { receiver, event: Event::Update, opening, reason, late: false };
            // It stands for the end, which is never muted.
            if event == Event::Resolve { voice.said.push(tell) } else { voice.say(tell) }
        }
    }
}
