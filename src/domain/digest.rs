//! Many messages in one: for a receiver that wants no more than so many in a time.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    condition::duration,
    message::{cut, on_one_line},
    notification::{Event, Link, Notification, Phase},
    policy::Priority,
};

/// Incidents that are listed, each on a line; the others are counted.
const LISTED_MAX: usize = 20;
/// Of one line.
const LINE_MAX: usize = 110;

/// At most so many messages in any time of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least one.
    pub count: u32,
    /// The time, at least a second.
    pub within: TimeDelta,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = u32::try_from(self.within.num_seconds()).unwrap_or(u32::MAX);
        write!(f, "{} in {}", self.count, duration(seconds))
    }
}

/// One message for all of these, which are in the order in which they were decided. None of none. `mark` differs
/// between digests. An incident is listed once, as its newest message has it; the most urgent first.
pub fn digest(messages: &[Notification], rate: Rate, mark: &str, now: DateTime<Utc>) -> Option<Notification> {
    let first = messages.first()?;
    let mut newest: BTreeMap<&str, &Notification> = BTreeMap::new();
    for message in messages {
        newest.insert(&message.incident, message);
    }
    let mut incidents: Vec<_> = newest.into_values().collect();
    incidents.sort_by_key(|message| (message.phase == Phase::Resolved, message.priority, message.opened_at));
    let with = |phase: Phase| incidents.iter().filter(|message| message.phase == phase).count();
    let counts = [(Phase::Open, "open"), (Phase::Acknowledged, "acknowledged"), (Phase::Resolved, "over")];
    let counted: Vec<_> = counts
        .iter()
        .map(|(phase, word)| (with(*phase), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let phase = counts.iter().map(|(phase, _)| *phase).find(|phase| with(*phase) > 0).unwrap_or(Phase::Open);
    let service = first.service.clone().filter(|service| incidents.iter().all(|m| m.service.as_ref() == Some(service)));
    Some(Notification {
        event: Event::Digest,
        incident: "digest".to_owned(),
        dedup_key: format!("digest-{mark}"),
        thread_key: format!("digest-{mark}"),
        phase,
        priority: incidents.first().map_or(first.priority, |message| message.priority),
        service,
        slo: None,
        series: BTreeMap::new(),
        headline: format!("{} messages in one: {}", messages.len(), counted.join(", ")),
        lines: lines(&incidents),
        standing: None,
        reason: format!("joined: more than {rate}"),
        policies: Vec::new(),
        opened_at: incidents.iter().map(|message| message.opened_at).min().unwrap_or(now),
        decided_at: now,
        late: messages.iter().any(|message| message.late),
        links: overview(first).into_iter().collect(),
        figures: BTreeMap::new(),
    })
}

fn lines(incidents: &[&Notification]) -> Vec<String> {
    let mut lines: Vec<_> = incidents.iter().take(LISTED_MAX).map(|message| line(message)).collect();
    let rest = &incidents[lines.len()..];
    if !rest.is_empty() {
        let with = |priority: Priority| rest.iter().filter(|message| message.priority == priority).count();
        let each = Priority::ALL.iter().map(|priority| (with(*priority), priority)).filter(|(count, _)| *count > 0);
        let each: Vec<_> = each.map(|(count, priority)| format!("{count} {priority}")).collect();
        lines.push(format!("and {} more: {}", rest.len(), each.join(", ")));
    }
    lines
}

/// `P1 shop front: health check failing for 2 min (0f0f0f0f0f0f)`
fn line(message: &Notification) -> String {
    let state = match message.phase {
        Phase::Open => "",
        Phase::Acknowledged => " acknowledged",
        Phase::Resolved => " over",
    };
    let text = format!("{}{state} {}", message.priority, on_one_line(&message.headline));
    format!("{} ({})", cut(&text, LINE_MAX), cut(&message.incident, 12))
}

/// Where all incidents are seen: above any one of them.
fn overview(message: &Notification) -> Option<Link> {
    let (base, _) = message.links.iter().find_map(|link| link.url.rsplit_once("/incident/"))?;
    Some(Link { text: "Overview".to_owned(), url: format!("{base}/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(incident: &str, priority: Priority, phase: Phase) -> Notification {
        Notification {
            event: Event::Trigger,
            incident: incident.to_owned(),
            dedup_key: incident.to_owned(),
            thread_key: incident.to_owned(),
            phase,
            priority,
            service: Some("shop".into()),
            slo: Some("front".into()),
            series: BTreeMap::new(),
            headline: format!("shop front: {incident}\nis bad"),
            lines: Vec::new(),
            standing: None,
            reason: String::new(),
            policies: Vec::new(),
            opened_at: DateTime::UNIX_EPOCH,
            decided_at: DateTime::UNIX_EPOCH,
            late: false,
            links: vec![Link { text: "Incident".to_owned(), url: "http://slod/incident/a".to_owned() }],
            figures: BTreeMap::new(),
        }
    }

    fn joined(messages: &[Notification]) -> Notification {
        let rate = Rate { count: 10, within: TimeDelta::minutes(1) };
        digest(messages, rate, "7", DateTime::UNIX_EPOCH).expect("a digest")
    }

    #[test]
    fn an_incident_is_listed_once_and_the_most_urgent_first() {
        let digest = joined(&[
            message("a", Priority::P3, Phase::Open),
            message("b", Priority::P1, Phase::Open),
            message("c", Priority::P2, Phase::Acknowledged),
            message("b", Priority::P1, Phase::Resolved),
        ]);
        assert_eq!(digest.headline, "4 messages in one: 1 open, 1 acknowledged, 1 over");
        assert_eq!(
            digest.lines,
            [
                "P2 acknowledged shop front: c is bad (c)",
                "P3 shop front: a is bad (a)",
                "P1 over shop front: b is bad (b)"
            ]
        );
        assert_eq!((digest.phase, digest.priority, &*digest.dedup_key), (Phase::Open, Priority::P2, "digest-7"));
        assert_eq!(
            (digest.reason.as_str(), digest.links[0].url.as_str()),
            ("joined: more than 10 in 1m", "http://slod/")
        );
        assert_eq!(digest.service, Some("shop".into()));
    }

    #[test]
    fn many_are_counted() {
        let many: Vec<_> = (0..500).map(|n| message(&n.to_string(), Priority::P4, Phase::Resolved)).collect();
        let digest = joined(&many);
        assert_eq!((digest.lines.len(), digest.phase), (LISTED_MAX + 1, Phase::Resolved));
        assert_eq!(digest.lines[LISTED_MAX], "and 480 more: 480 P4");
        let size: usize = digest.lines.iter().map(|line| line.chars().count()).sum();
        assert!(size < 3_000, "{size}");
    }
}
