//! The public status page's clock within an incident: `none → investigating → monitoring → resolved`.
//!
//! A confirmed outage proposes "investigating"; the end of the incident proposes "monitoring", and "resolved" after a
//! hold; a relapse proposes "investigating" again. Where a person must approve, each proposal is a draft, and the
//! owners are reminded when it is made, five minutes before the deadline and at the deadline, until the page shows the
//! first post. What the page answers, and what people do there, comes back as [`super::page_news::PageNews`].

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    incident::{Around, Hearers, Incident, Say},
    muting,
    name::Name,
    notification::{Event, PublicState},
    policy::Priority,
};

/// `status_page:` of a service, as far as the clock cares. Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusRule {
    /// From this priority on …
    pub priority: Priority,
    /// … firing for this long, the outage is confirmed.
    pub confirm_for: i64,
    /// Whether a person must approve each post.
    pub approve: bool,
    /// The first post must be out this soon after confirmation.
    pub deadline: i64,
    /// How long "monitoring" stands before "resolved".
    pub hold: i64,
    /// Who is reminded.
    pub remind: Vec<Name>,
}

/// Where the public page stands for one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusClock {
    /// What was posted last: decided and on its way, or there.
    pub posted: Option<PublicState>,
    /// What waits for approval.
    pub draft: Option<PublicState>,
    /// When the outage was confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When the first post must be out.
    pub due_at: Option<DateTime<Utc>>,
    /// When the page showed it.
    pub posted_at: Option<DateTime<Utc>>,
    /// How many of the three reminders were given.
    pub reminders: u8,
    /// "Resolved" is due then.
    pub resolve_at: Option<DateTime<Utc>>,
    /// Confirmation is due then, if the alert still fires.
    pub confirm_at: Option<DateTime<Utc>>,
    /// Dropped by a person: the page is left alone for this incident.
    pub discarded: bool,
    /// A draft that a person dropped although the page is not left alone: it is not proposed again.
    #[serde(default)]
    pub declined: Option<PublicState>,
    /// Nothing moves while the series is blind.
    #[serde(default)]
    pub held: bool,
    /// Nothing is proposed, posted or reminded of while what would be is muted: planned work is no outage.
    #[serde(default)]
    pub muted: bool,
    /// Posts that the page has neither taken nor refused yet.
    #[serde(default)]
    pub awaited: u32,
    /// How many public incidents were begun: each has a mark of its own.
    #[serde(default)]
    pub begun: u32,
    /// The newest post begins one.
    #[serde(default)]
    pub begins: bool,
    /// The deadline passed, and nothing was ever posted of that outage.
    #[serde(default)]
    pub unposted: Option<Unposted>,
}

/// A deadline that passed without any post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unposted {
    /// When the first post was due.
    pub due_at: DateTime<Utc>,
    /// When the outage was over, or people took the page.
    pub until: DateTime<Utc>,
}

impl StatusClock {
    /// Whether nothing is left to post.
    pub fn is_at_rest(&self) -> bool {
        self.discarded
            || match self.posted {
                None => true,
                Some(PublicState::Resolved) => self.awaited == 0,
                Some(_) => false,
            }
    }

    /// Whether the public reads of an outage that goes on.
    pub fn shows_outage(&self) -> bool {
        matches!(self.posted, Some(PublicState::Investigating | PublicState::Identified))
    }

    /// Whether there is nothing to remember.
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// The page is not ours any more.
    pub fn abandon(&mut self, now: DateTime<Utc>) {
        self.unposted = self.overdue(now).or(self.unposted);
        self.discarded = true;
        self.draft = None;
    }

    /// The deadline of the first post, of an outage that is over too.
    pub fn deadline(&self) -> Option<DateTime<Utc>> {
        self.due_at.or(self.unposted.map(|missed| missed.due_at))
    }

    /// How late the first post was, in seconds; as of `now`, if it is not there yet. None if it was in time.
    pub fn late_seconds(&self, now: DateTime<Utc>) -> Option<i64> {
        let running = self.overdue(now).filter(|_| !self.discarded);
        let (due, until) = match (self.due_at, self.posted_at, running.or(self.unposted)) {
            (Some(due), Some(posted), _) => (due, posted),
            (_, _, Some(missed)) => (missed.due_at, missed.until),
            _ => return None,
        };
        Some((until - due).num_seconds()).filter(|seconds| *seconds > 0)
    }

    fn overdue(&self, now: DateTime<Utc>) -> Option<Unposted> {
        let due_at = self.due_at.filter(|due| self.posted_at.is_none() && *due < now)?;
        Some(Unposted { due_at, until: now })
    }

    /// The word in the API.
    pub fn as_str(&self) -> &'static str {
        self.posted.map_or("none", PublicState::as_str)
    }

    /// Posts the draft, or drops it. Answers what it was.
    ///
    /// A "monitoring" that is dropped is only that: "resolved" is proposed when it is due. Whoever drops anything else
    /// takes the page over.
    pub fn decide(&mut self, approve: bool, now: DateTime<Utc>) -> Option<PublicState> {
        let draft = self.draft.take()?;
        if approve {
            self.mark_posted(draft);
        } else if draft == PublicState::Monitoring {
            self.declined = Some(draft);
        } else {
            self.abandon(now);
        }
        Some(draft)
    }

    /// What becomes of the page after a draft was dropped, for people.
    pub fn after_discarding(&self) -> String {
        match (self.posted, self.discarded) {
            (None, _) => "nothing is posted of this incident; the page is left to people".to_owned(),
            (Some(posted), true) => format!("the page stays at \"{}\" and is left to people", posted.as_str()),
            (Some(posted), false) => {
                format!("the page stays at \"{}\" until \"resolved\" is proposed", posted.as_str())
            }
        }
    }

    /// When it wants to be looked at again.
    pub fn wake_at(&self, incident: &Incident) -> Option<DateTime<Utc>> {
        if self.discarded || self.muted {
            return None;
        }
        let confirm = self.confirm_at.filter(|_| self.confirmed_at.is_none() && incident.resolved.is_none());
        let resolve = self.resolve_at.filter(|_| incident.resolved.is_some());
        let moves = confirm.into_iter().chain(resolve).filter(|_| !self.held);
        moves.chain(self.next_reminder()).min()
    }

    fn next_reminder(&self) -> Option<DateTime<Utc>> {
        let due = self.due_at.filter(|_| self.posted_at.is_none())?;
        match self.reminders {
            0 => self.confirmed_at,
            1 => Some((due - TimeDelta::minutes(5)).max(self.confirmed_at?)),
            2 => Some(due),
            _ => None,
        }
    }

    /// Looks at the incident and proposes, posts and reminds as is due.
    pub fn tick(&mut self, incident: &Incident, rule: &StatusRule, around: &Around<'_>, out: &mut Vec<Say>) {
        if self.discarded {
            return;
        }
        self.held = around.blind;
        if is_muted(incident, rule, around) {
            self.muted = true;
            return;
        }
        if !self.held {
            self.step(incident, rule, around, out);
        }
        self.muted = false;
        self.remind(incident, rule, around.now, around.hearers, out);
    }

    fn step(&mut self, incident: &Incident, rule: &StatusRule, around: &Around<'_>, out: &mut Vec<Say>) {
        let now = around.now;
        if incident.resolved.is_none() {
            self.confirm(incident, rule, around, out);
        }
        let wanted = match (self.confirmed_at, &incident.resolved) {
            (None, None) => None,
            (None, Some(_)) => {
                self.confirm_at = None;
                None
            }
            (Some(_), None) => Some(PublicState::Investigating),
            (Some(_), Some(end)) => self.after_the_end(end.at, rule, now, out),
        };
        if wanted != self.declined {
            self.declined = None;
        }
        let settled = [self.posted, self.draft, self.declined];
        if let Some(wanted) = wanted.filter(|wanted| !settled.contains(&Some(*wanted))) {
            self.propose(incident, wanted, rule, around, out);
        } else if wanted.is_some() && wanted == self.posted {
            self.draft = None;
        }
    }

    fn confirm(&mut self, incident: &Incident, rule: &StatusRule, around: &Around<'_>, out: &mut Vec<Say>) {
        let now = around.now;
        self.resolve_at = None;
        if self.confirmed_at.is_some() {
            return;
        }
        let firing = incident.members.values().filter(|member| member.firing && member.priority <= rule.priority);
        let heard = firing.filter(|member| !muting::is_muted(around.mutes, &member.policy));
        let since = heard.map(|member| member.fired_at).min();
        self.confirm_at = since.map(|since| since + TimeDelta::seconds(rule.confirm_for));
        if let Some(at) = self.confirm_at.filter(|at| *at <= now) {
            // Muted until now, it was no outage to the public.
            let at = if self.muted { now } else { at };
            self.confirmed_at = Some(at);
            self.due_at = Some(at + TimeDelta::seconds(rule.deadline));
            out.push(Say::Line { kind: "confirmed", text: "outage confirmed: the status page is due".to_owned() });
        }
    }

    /// The incident is over: monitoring first, resolved after the hold; if nothing was ever
    /// posted, a relapse begins anew.
    fn after_the_end(
        &mut self,
        end: DateTime<Utc>,
        rule: &StatusRule,
        now: DateTime<Utc>,
        out: &mut Vec<Say>,
    ) -> Option<PublicState> {
        if self.posted.is_none() {
            out.push(Say::Line { kind: "status-page", text: "over before anything was posted".to_owned() });
            self.forget(end);
            return None;
        }
        if self.posted == Some(PublicState::Resolved) {
            // What came back was never shown, and so has no end to be shown.
            return self.posted;
        }
        let resolve_at = end + TimeDelta::seconds(rule.hold);
        self.resolve_at = Some(resolve_at).filter(|at| *at > now);
        Some(if resolve_at <= now { PublicState::Resolved } else { PublicState::Monitoring })
    }

    /// Nothing is public, and nothing is to be: a relapse begins anew. What was missed stays on record.
    pub(super) fn forget(&mut self, end: DateTime<Utc>) {
        let unposted = self.overdue(end).or(self.unposted);
        *self = Self { unposted, awaited: self.awaited, ..Self::default() };
    }

    fn propose(
        &mut self,
        incident: &Incident,
        state: PublicState,
        rule: &StatusRule,
        around: &Around<'_>,
        out: &mut Vec<Say>,
    ) {
        if !rule.approve {
            out.push(Say::Line { kind: "status-page", text: format!("will post \"{}\"", state.as_str()) });
            out.push(Say::Post(state));
            self.mark_posted(state);
            return;
        }
        self.draft = Some(state);
        out.push(Say::Line { kind: "status-page", text: format!("draft \"{}\" waits for approval", state.as_str()) });
        if self.posted.is_some() {
            let text =
                format!("status page: approve \"{}\" with `slod status-page approve {}`", state.as_str(), incident.id);
            say_to(&rule.remind, incident, &text, around.hearers, out);
        }
    }

    fn mark_posted(&mut self, state: PublicState) {
        self.begins = matches!(self.posted, None | Some(PublicState::Resolved));
        self.begun += u32::from(self.begins);
        self.posted = Some(state);
        self.awaited += 1;
        if state == PublicState::Resolved {
            self.resolve_at = None;
        }
    }

    fn remind(
        &mut self,
        incident: &Incident,
        rule: &StatusRule,
        now: DateTime<Utc>,
        hearers: &Hearers,
        out: &mut Vec<Say>,
    ) {
        let mut due = None;
        while let Some(at) = self.next_reminder().filter(|at| *at <= now) {
            self.reminders += 1;
            // What has just been posted gets the time to arrive.
            let is_fresh = self.posted.is_some() && Some(at) <= self.confirmed_at;
            due = Some(at).filter(|_| !is_fresh).or(due);
        }
        let (Some(_), Some(due_at)) = (due, self.due_at) else { return };
        let todo = match self.posted {
            Some(posted) => format!("\"{}\" was sent, and the page has not taken it yet", posted.as_str()),
            None => format!("`slod status-page approve {}`", incident.id),
        };
        let text = if now >= due_at {
            out.push(Say::Line { kind: "status-page", text: "the deadline has passed without a post".to_owned() });
            format!("status page: the deadline has passed; {todo}")
        } else {
            let left = super::message::span_words(due_at - now);
            format!("status page: due within {left}; {todo}")
        };
        say_to(&rule.remind, incident, &text, hearers, out);
    }
}

/// Whether every alert that would make it an outage, or every alert there is, is muted. What is over goes its way.
fn is_muted(incident: &Incident, rule: &StatusRule, around: &Around<'_>) -> bool {
    let outage = incident.members.values().filter(|member| member.firing && member.priority <= rule.priority);
    let mut outage = outage.peekable();
    let all_muted = outage.peek().is_some() && outage.all(|member| muting::is_muted(around.mutes, &member.policy));
    incident.resolved.is_none() && (all_muted || incident.is_muted_by(around.mutes))
}

pub(super) fn say_to(receivers: &[Name], incident: &Incident, text: &str, hearers: &Hearers, out: &mut Vec<Say>) {
    for receiver in receivers.iter().filter(|receiver| hearers.contains_key(*receiver)) {
        out.push(Say::Tell {
            receiver: receiver.clone(),
            event: Event::Update,
            opening: incident.opening,
            reason: text.to_owned(),
            late: false,
        });
    }
}
