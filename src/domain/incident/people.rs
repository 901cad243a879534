//! What people do to an incident, from wherever it reached us.

use chrono::TimeDelta;

use super::{Acknowledgement, Actor, Hearing, Holder, Incident, Refused, Say, Via, telling::Voice};
use crate::domain::{name::Name, notification::Event};

impl Incident {
    /// Somebody has it.
    pub(super) fn acknowledge(&mut self, by: &Actor, voice: &mut Voice<'_>) -> Result<(), Refused> {
        self.admit(by, voice)?;
        let first = self.acknowledged.is_none();
        if !first && by.is_receiver() {
            // Somebody has it already: this may be our own word that comes back.
            return Ok(());
        }
        voice.line("acknowledged", format!("acknowledged by {by}"));
        let timeout = self.steps.iter().filter_map(|step| step.acknowledge_timeout).min();
        let until = timeout.map(|seconds| voice.now + TimeDelta::seconds(i64::from(seconds)));
        if first {
            self.tell_all_but(by, Event::Acknowledge, &format!("acknowledged by {by}"), voice);
        }
        let before = self.acknowledged.take().map(|held| Holder { by: held.by, at: held.at });
        self.acknowledged = Some(Acknowledgement { by: by.to_string(), at: voice.now, until, before });
        self.touched = Some(voice.now);
        Ok(())
    }

    /// Nobody has it any more: like a lapse, but where it came from people are told by that receiver itself.
    pub(super) fn unacknowledge(&mut self, by: &Actor, voice: &mut Voice<'_>) -> Result<(), Refused> {
        self.admit(by, voice)?;
        if self.acknowledged.take().is_none() {
            return Ok(());
        }
        voice.line("reopened", format!("the acknowledgement was withdrawn by {by}"));
        self.skipped_run_again(false, voice);
        self.open_again_but(by.knows.as_ref(), "not acknowledged any more", false, voice);
        Ok(())
    }

    /// Somebody says it is over: its alerts are silent until each has cleared once.
    pub(super) fn resolve_by(&mut self, by: &Actor, voice: &mut Voice<'_>) -> Result<(), Refused> {
        self.admit(by, voice)?;
        let firing = self.members.iter().filter(|(_, member)| member.firing).map(|(watch, _)| watch.as_str());
        let firing: Vec<&str> = firing.collect();
        if !firing.is_empty() {
            voice.line("muted", format!("silent until each has cleared once: {}", firing.join(", ")));
        }
        voice.say(Say::Mute(self.members.keys().cloned().collect()));
        self.resolve(Some(by), None, voice);
        Ok(())
    }

    /// Somebody says that what a person had ended is not over. `firing`: its alerts that still fire, though nobody was
    /// to hear of them. If there are none, it stays as it is.
    pub(super) fn reopen_by(&mut self, by: &Actor, firing: &[String], voice: &mut Voice<'_>) -> Result<(), Refused> {
        let newest = match &by.via {
            Via::Receiver(name) => self.told.get(name).map_or(0, |told| told.newest),
            _ => self.opening,
        };
        if by.opening.is_some_and(|opening| opening != newest) {
            return Err(Refused::Stale(self.id.clone()));
        }
        if self.resolved.as_ref().is_none_or(|end| end.by.is_none()) || firing.is_empty() {
            voice.line("note", format!("opened again by {by}; nothing changes here"));
            return Ok(());
        }
        for (_, member) in self.members.iter_mut().filter(|(watch, _)| firing.contains(watch)) {
            member.firing = true;
        }
        self.priority = self.most_urgent().unwrap_or(self.priority);
        (self.resolved, self.acknowledged) = (None, None);
        self.listen(voice);
        voice.line("reopened", format!("opened again by {by}"));
        self.open_again_but(by.knows.as_ref(), &format!("opened again by {by}"), false, voice);
        // Its key lives again there, and waits for its resolve.
        if let Some(told) = by.knows.as_ref().and_then(|name| self.told.get_mut(name)) {
            told.openings.push(newest);
        }
        Ok(())
    }

    /// For the record, and for those who talk about it. Notes are taken of what is over, too.
    pub(super) fn note(&mut self, by: &Actor, text: &str, voice: &mut Voice<'_>) {
        voice.line("note", format!("{by}: {text}"));
        self.update(|hearing| hearing == Hearing::Chat, &format!("note by {by}: {text}"), voice);
    }

    /// Whether an act is about how things are now.
    fn admit(&self, by: &Actor, voice: &Voice<'_>) -> Result<(), Refused> {
        if self.resolved.is_some() {
            return Err(Refused::Resolved(self.id.clone()));
        }
        let outdated = by.as_of.zip(self.touched).is_some_and(|(seen, touched)| seen < touched);
        if outdated || by.opening.is_some_and(|opening| !self.is_current(opening, &by.via, voice)) {
            return Err(Refused::Stale(self.id.clone()));
        }
        Ok(())
    }

    /// Whether an opening is the newest that was told there. A chat that was not told of the newest, because it is muted,
    /// may be of the newest all the same.
    fn is_current(&self, opening: u32, via: &Via, voice: &Voice<'_>) -> bool {
        let Via::Receiver(name) = via else { return opening == self.opening };
        let is_pager = voice.hearing(name) == Some(Hearing::Pager);
        self.newest_told(name) == Some(opening) || !is_pager && opening == self.opening
    }

    /// The newest opening that a receiver was told of and that is not over for it.
    pub fn newest_told(&self, receiver: &Name) -> Option<u32> {
        self.told.get(receiver)?.openings.iter().max().copied()
    }
}
