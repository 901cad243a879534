//! What somebody else is told because its receiver could not be: a bulletin that is passed on, and a word on a message of an
//! incident that is over for good, which has nothing more to say itself.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    bulletin::{Bulletin, BulletinKind},
    incident::Incident,
    message::{cut, on_one_line},
    name::Name,
    notification::{Event, Link},
    policy::Priority,
};

/// Of what a receiver answered.
const WHY_MAX: usize = 300;

/// The same bulletin for somebody else, marked as passed on.
#[must_use]
pub fn passed_on(bulletin: Bulletin, receiver: &Name, why: &str) -> Bulletin {
    let why = cut(&on_one_line(why), WHY_MAX);
    let mut lines = vec![format!("Passed on: {receiver} could not be told: {why}")];
    lines.extend(bulletin.lines);
    Bulletin { headline: format!("for {receiver}: {}", bulletin.headline), lines, ..bulletin }.bounded()
}

/// A message of an incident that could not be delivered, as it is told once the incident is finished.
#[derive(Clone, Copy, Debug)]
pub struct Unheard<'a> {
    /// Its row in the outbox.
    pub delivery: i64,
    /// Of which incident.
    pub incident: &'a str,
    /// The incident, if it is still kept.
    pub known: Option<&'a Incident>,
    /// Who was not told.
    pub receiver: &'a Name,
    /// What it meant.
    pub event: Event,
    /// How urgent it was.
    pub priority: Priority,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// Why it could not be delivered.
    pub why: &'a str,
}

impl Unheard<'_> {
    /// The word on it. Nobody is woken for what is over.
    pub fn bulletin(&self, external_url: &str, now: DateTime<Utc>) -> Bulletin {
        let Self { incident, receiver, .. } = self;
        let why = cut(&on_one_line(self.why), WHY_MAX);
        let (event, decided) = (self.event.as_str(), self.decided_at.format("%Y-%m-%d %H:%M:%S UTC"));
        let mut lines = vec![format!("{event} ({}), decided {decided}: {why}", self.priority)];
        if let Some(known) = self.known {
            lines.push(format!("{}: over by now.", known.title));
        }
        Bulletin {
            kind: BulletinKind::Undelivered,
            name: BulletinKind::Undelivered.as_str().to_owned(),
            key: format!("undelivered@{}", self.delivery),
            headline: format!("{receiver} was not told of incident {incident}"),
            lines,
            tables: Vec::new(),
            links: vec![Link { text: "Incident".to_owned(), url: format!("{external_url}/incident/{incident}") }],
            due_at: self.decided_at,
            decided_at: now,
            late: true,
            data: json!({"incident": incident, "receiver": receiver, "event": event, "delivery": self.delivery}),
        }
        .bounded()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_passed_on_says_so() {
        let start = DateTime::UNIX_EPOCH;
        let (team, lead) = (Name::from("team"), Name::from("lead"));
        let unheard = Unheard {
            delivery: 7,
            incident: "0f0f",
            known: None,
            receiver: &team,
            event: Event::Trigger,
            priority: Priority::P1,
            decided_at: start,
            why: "400\nno such channel",
        };
        let told = unheard.bulletin("http://slod", start + TimeDelta::hours(24));
        assert_eq!(told.headline, "team was not told of incident 0f0f");
        assert_eq!(told.lines, ["trigger (P1), decided 1970-01-01 00:00:00 UTC: 400 no such channel"]);
        assert_eq!(told.links[0].url, "http://slod/incident/0f0f");
        let next = passed_on(told, &lead, &"x".repeat(9_000));
        assert_eq!(next.headline, "for lead: team was not told of incident 0f0f");
        assert!(next.lines[0].starts_with("Passed on: lead could not be told: xxx"), "{:?}", next.lines);
        assert!(next.lines[0].chars().count() < 400 && next.lines.len() == 2);
    }
}
