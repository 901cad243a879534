//! The course of an incident: alerts fire and end, people take it, acknowledgements lapse.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Actor, Around, Ending, Hearing, Incident, IncidentEvent, Member, Refused, Resolution, Say, telling::Voice,
};
use crate::domain::{
    condition::duration, escalation::Plan, flaps::Burst, name::Name, notification::Event, policy::Priority,
};

/// An acknowledgement that is seen to have lapsed so much later makes for late messages.
const LATE_AFTER: TimeDelta = TimeDelta::seconds(60);

/// An alert that fires.
struct Firing {
    watch: String,
    policy: Name,
    priority: Priority,
    plan: Plan,
    at: DateTime<Utc>,
    reopen_within: u32,
    late: bool,
    because: String,
    flapping: Option<Burst>,
}

impl Incident {
    /// Takes one event and answers what must be done about it.
    pub fn handle(&mut self, event: IncidentEvent, around: &Around<'_>) -> Result<Vec<Say>, Refused> {
        self.clock_went_back(around.now);
        let voice = &mut Voice::new(around);
        self.listen(voice);
        match event {
            IncidentEvent::Fired { watch, policy, priority, plan, at, reopen_within, late, because, flapping } => {
                let firing = Firing { watch, policy, priority, plan, at, reopen_within, late, because, flapping };
                self.fired(firing, voice);
            }
            IncidentEvent::Steady { watch } => self.steady(&watch, voice),
            IncidentEvent::Ended { watch, ending } => self.ended(&watch, ending, voice),
            IncidentEvent::Acknowledge { by } => self.acknowledge(&by, voice)?,
            IncidentEvent::Unacknowledge { by } => self.unacknowledge(&by, voice)?,
            IncidentEvent::Resolve { by } => self.resolve_by(&by, voice)?,
            IncidentEvent::Reopen { by, firing } => self.reopen_by(&by, &firing, voice)?,
            IncidentEvent::Note { by, text } => self.note(&by, &text, voice),
            IncidentEvent::StatusDraft { by, approve } => {
                let draft = self.status.as_mut().and_then(|clock| clock.decide(approve, voice.now));
                let draft = draft.ok_or_else(|| Refused::NoDraft(self.id.clone()))?;
                let verb = if approve { "approved" } else { "discarded" };
                voice.line("status-page", format!("{by} {verb} \"{}\"", draft.as_str()));
                if approve {
                    voice.say(Say::Post(draft));
                } else if let Some(clock) = &self.status {
                    voice.line("status-page", clock.after_discarding());
                }
            }
            IncidentEvent::Undelivered { receiver, fallback, event, why } => {
                self.undelivered(&receiver, fallback, event, &why, voice);
            }
            IncidentEvent::Diagnosed { look, late, found } => self.diagnosed(look, late, found, voice),
            IncidentEvent::Page(news) => self.page_news(news, around, voice),
            IncidentEvent::Tick => {}
        }
        self.turn(voice);
        self.lapse(voice);
        self.run_steps(voice);
        self.remind(voice);
        self.look_at_status_page(around, voice);
        self.keep_muted(voice);
        Ok(std::mem::take(&mut voice.said))
    }

    fn look_at_status_page(&mut self, around: &Around<'_>, voice: &mut Voice<'_>) {
        let Some(rule) = around.status else {
            // Its page was taken out of the configuration: nobody is reminded of it any more.
            if let Some(clock) = &mut self.status {
                clock.abandon(voice.now);
            }
            return;
        };
        let mut clock = self.status.take().unwrap_or_default();
        clock.tick(self, rule, around, &mut voice.said);
        self.status = Some(clock).filter(|clock| !clock.is_untouched());
    }

    fn fired(&mut self, alert: Firing, voice: &mut Voice<'_>) {
        let Firing { watch, policy, priority, plan, at, reopen_within, late, because, flapping } = alert;
        let (urgent_before, muted) = (self.most_urgent_heard(voice), voice.mutes(&policy));
        self.reopen_within = self.reopen_within.max(reopen_within);
        self.late |= late;
        voice.fired = Some((policy.clone(), late));
        let because = if because.is_empty() { because } else { format!(": {because}") };
        voice.line("fired", format!("{watch} fires ({priority}) as of {}{because}", at.format("%H:%M:%S UTC")));
        for step in plan.pin(&policy, at) {
            if !self.steps.iter().any(|old| old.policy == step.policy && old.number == step.number) {
                self.steps.push(step);
            }
        }
        self.schedule_reminders(&policy, &plan, at);
        let was_flapping = self.members.get(&watch).is_some_and(|member| member.flapping.is_some());
        let begins = flapping.filter(|_| !was_flapping);
        if let Some(burst) = &begins {
            voice.line("flapping", format!("{watch} is {burst}"));
        }
        self.members.insert(watch, Member { policy, priority, firing: true, fired_at: at, flapping });
        self.priority = self.most_urgent().unwrap_or(priority);
        // Of what opens again only what fires is heard, not all that had fired before its end.
        let was_over = self.resolved.take().is_some();
        self.listen(voice);
        if self.opening == 0 {
            self.opening = 1;
            voice.line("opened", format!("incident opened at {priority}"));
            self.want_look(voice);
        } else if was_over {
            self.acknowledged = None;
            voice.line("reopened", "firing again: the same incident".to_owned());
            let reason = begins.map_or_else(|| "firing again".to_owned(), |burst| burst.to_string());
            self.open_again(&reason, late, voice);
        } else if !muted && urgent_before.is_some_and(|before| priority < before) {
            voice.line("raised", format!("priority raised to {priority}"));
            let reason = format!("raised to {priority}");
            if self.acknowledged.take().is_some() {
                self.skipped_run_again(late, voice);
                self.open_again(&reason, late, voice);
            } else {
                self.raise(&reason, late, voice);
            }
        } else if let Some(burst) = begins.filter(|_| voice.whole || !muted) {
            self.update(|hearing| hearing != Hearing::Pager, &burst.to_string(), voice);
        }
    }

    /// It does not fire right now, but holds the incident open until it has been quiet: said once.
    fn pauses(&mut self, watch: &str, burst: Burst, voice: &mut Voice<'_>) {
        let Some(member) = self.members.get_mut(watch).filter(|member| member.firing) else { return };
        member.firing = false;
        voice.line("cleared", format!("{watch} has cleared for now"));
        if member.flapping.replace(burst).is_none() {
            let speaks = voice.whole || !voice.mutes(&member.policy);
            voice.line("flapping", format!("{watch} is {burst}"));
            if speaks {
                self.update(|hearing| hearing != Hearing::Pager, &burst.to_string(), voice);
            }
        }
    }

    fn steady(&mut self, watch: &str, voice: &mut Voice<'_>) {
        if let Some(burst) = self.members.get_mut(watch).and_then(|member| member.flapping.take()) {
            let quiet = duration(burst.quiet);
            voice.line(
                "flapping",
                format!("{watch} has fired for {quiet} without a change: it is not flapping any more"),
            );
        }
    }

    fn ended(&mut self, watch: &str, ending: Ending, voice: &mut Voice<'_>) {
        if let Ending::Flapping(burst) = ending {
            return self.pauses(watch, burst, voice);
        }
        let Some(member) = self.members.get_mut(watch).filter(|member| member.holds()) else { return };
        (member.firing, member.flapping) = (false, None);
        let what = match ending {
            Ending::Cleared => "has cleared",
            Ending::GoodAgain => "is good again; its window still remembers",
            Ending::NewPeriod => "has cleared: new period",
            Ending::Gone => "is no longer watched: series is gone",
            Ending::Quiet => "has been quiet for long enough: it is not flapping any more",
            Ending::Flapping(_) => "goes back and forth",
            Ending::TakenOut(_) => "is no longer watched",
        };
        voice.line("cleared", format!("{watch} {what}"));
        match self.most_urgent() {
            Some(priority) => self.priority = priority,
            None if self.resolved.is_none() => self.resolve(None, Some(ending), voice),
            None => {}
        }
    }

    /// Ends it: by a person, or in the way its last alert ended.
    pub(super) fn resolve(&mut self, by: Option<&Actor>, ending: Option<Ending>, voice: &mut Voice<'_>) {
        let reason = match (by, &ending) {
            (Some(by), _) => format!("resolved by {by}"),
            (None, Some(Ending::TakenOut(what))) => {
                format!("no longer watched: {what} was taken out of the configuration")
            }
            (None, Some(Ending::NewPeriod)) => "new period: the budget is whole again".to_owned(),
            (None, Some(Ending::Gone)) => "series is gone".to_owned(),
            (None, _) => "all alerts have cleared".to_owned(),
        };
        let (new_period, gone) = (ending == Some(Ending::NewPeriod), ending == Some(Ending::Gone));
        let taken_out = ending.and_then(|ending| match ending {
            Ending::TakenOut(what) => Some(what),
            _ => None,
        });
        voice.line("resolved", reason.clone());
        // The clock had been ahead when it opened: it did not end before it began.
        self.opened_at = self.opened_at.min(voice.now);
        let person = by.map(ToString::to_string);
        self.resolved = Some(Resolution { by: person, at: voice.now, taken_out, new_period, gone });
        for member in self.members.values_mut() {
            (member.firing, member.flapping) = (false, None);
        }
        // What is over counts as what it was at its worst.
        self.priority = self.members.values().map(|member| member.priority).min().unwrap_or(self.priority);
        match by {
            Some(by) => self.tell_all_but(by, Event::Resolve, &reason, voice),
            None => self.tell_all(Event::Resolve, &reason, voice),
        }
        for told in self.told.values_mut() {
            told.openings.clear();
        }
    }

    /// An acknowledgement that has lapsed opens the incident again.
    fn lapse(&mut self, voice: &mut Voice<'_>) {
        if self.resolved.is_some() {
            return;
        }
        let until = self.acknowledged.as_ref().and_then(|ack| ack.until).filter(|until| *until <= voice.now);
        let Some(until) = until else { return };
        let by = self.acknowledged.take().map(|ack| ack.by).unwrap_or_default();
        let late = voice.now - until > LATE_AFTER;
        voice.line("reopened", format!("the acknowledgement by {by} has lapsed"));
        self.skipped_run_again(late, voice);
        self.open_again("acknowledged, but not resolved in time", late, voice);
    }

    /// The most urgent alert: of those that fire, if any do.
    pub fn most_telling(&self) -> Option<&str> {
        let order = |(name, member): &(&String, &Member)| (!member.firing, member.priority, (*name).clone());
        self.members.iter().min_by_key(order).map(|(name, _)| name.as_str())
    }

    /// The priority of the most urgent alert that holds it open.
    pub fn most_urgent(&self) -> Option<Priority> {
        self.members.values().filter(|member| member.holds()).map(|member| member.priority).min()
    }
}
