//! Looking at an incident's surroundings: which looks it has asked for, and what came of the newest.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Hearing, Incident, Say, telling::Voice};
use crate::domain::diagnostic::{self, Diagnosis, LOOKS_MAX};

/// The looks at one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    /// How many were asked for: at the opening, and at each reopening and rise, at most [`LOOKS_MAX`].
    pub wanted: u32,
    /// When the newest was asked for.
    pub wanted_at: Option<DateTime<Utc>>,
    /// The newest that came back.
    pub done: u32,
    /// When that one was taken.
    pub taken_at: Option<DateTime<Utc>>,
    /// What it found, in one line.
    pub said: String,
}

impl Incident {
    /// The look that is asked for and has not come back, from when on. None of an incident that is over.
    pub fn look_wanted(&self) -> Option<(u32, DateTime<Utc>)> {
        let looks = &self.looks;
        let at = looks.wanted_at.filter(|_| self.resolved.is_none() && looks.wanted > looks.done)?;
        Some((looks.wanted, at))
    }

    /// The newest first look for messages.
    pub fn first_look(&self, now: DateTime<Utc>) -> Option<String> {
        let taken_at = self.looks.taken_at.filter(|_| !self.looks.said.is_empty())?;
        Some(diagnostic::line(taken_at, &self.looks.said, now))
    }

    /// Asks for a look, if there is anything to look at. One that has not come back serves as well.
    pub(super) fn want_look(&mut self, voice: &Voice<'_>) {
        let looks = &mut self.looks;
        let is_back = looks.wanted == looks.done;
        if !voice.has_diagnostics || is_back && looks.wanted == LOOKS_MAX {
            return;
        }
        looks.wanted += u32::from(is_back);
        looks.wanted_at = Some(voice.now);
    }

    /// A look has come back: it is kept, and told once to those who are not woken. What came back already, or was not
    /// asked for, changes nothing; what is over is not news any more.
    pub(super) fn diagnosed(&mut self, look: u32, late: bool, found: Vec<Diagnosis>, voice: &mut Voice<'_>) {
        if look != self.looks.wanted || look <= self.looks.done {
            return;
        }
        self.looks.done = look;
        let Some(first) = found.first() else { return };
        self.looks.taken_at = Some(first.at);
        self.looks.said = diagnostic::parts(&found);
        let reason = if late { "first look, late: slod was away" } else { "first look" };
        voice.line("looked", format!("{reason}: {}", self.looks.said));
        let found = found.into_iter().map(|one| Diagnosis { look, late, ..one }).collect();
        voice.say(Say::Diagnosed(found));
        if self.resolved.is_none() {
            self.update(|hearing| hearing != Hearing::Pager, reason, voice);
        }
    }
}
