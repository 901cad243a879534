//! slod is back: what became due while it was away, what of it was done late, and what is still open.
//!
//! Who hears of it: the chats and mails that were told of an incident which is still open, or that a step names which was
//! run late; each of its own incidents alone. No pager, ever: what wakes people are the steps themselves.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    bulletin::{Bulletin, BulletinKind, Mark, Row, Table},
    condition::duration,
    escalation::{Step, StepState},
    incident::{Hearers, Hearing, Incident, Subject},
    message::{span_words, standing},
    name::Name,
    notification::{Link, Phase},
};

/// A time without slod, and what is known after it.
#[derive(Clone, Copy, Debug)]
pub struct Return<'a> {
    /// When it was last seen alive.
    pub from: DateTime<Utc>,
    /// When it was back.
    pub to: DateTime<Utc>,
    /// The incidents that were live when it came back, as they stand now.
    pub incidents: &'a [Incident],
    /// Who can be told.
    pub hearers: &'a Hearers,
    /// How people reach the companion; no trailing slash.
    pub external_url: &'a str,
    /// The clock's time.
    pub now: DateTime<Utc>,
}

impl Return<'_> {
    /// What each of them is told; nobody anything if nothing was missed and nothing is open.
    pub fn bulletins(&self) -> Vec<(Name, Bulletin)> {
        let mut concerned: BTreeMap<&Name, Vec<&Incident>> = BTreeMap::new();
        for incident in self.incidents {
            for name in self.hearers_of(incident) {
                concerned.entry(name).or_default().push(incident);
            }
        }
        concerned.into_iter().map(|(name, incidents)| (name.clone(), self.bulletin(&incidents))).collect()
    }

    /// The chats and mails that an incident concerns, if it is open or a step of it was late.
    fn hearers_of<'i>(&self, incident: &'i Incident) -> Vec<&'i Name> {
        let late: Vec<&Step> = self.late_steps(incident).collect();
        if is_muted(incident) || incident.resolved.is_some() && late.is_empty() {
            return Vec::new();
        }
        let of_steps = late.into_iter().flat_map(|step| &step.notify);
        let mut names: Vec<&Name> = incident.told.keys().chain(of_steps).collect();
        names.retain(|name| matches!(self.hearers.get(*name), Some(Hearing::Chat | Hearing::Mail)));
        names.sort();
        names.dedup();
        names
    }

    /// The steps that became due meanwhile and were run afterwards.
    fn late_steps<'i>(&self, incident: &'i Incident) -> impl Iterator<Item = &'i Step> {
        let (from, to) = (self.from, self.to);
        incident.steps.iter().filter(move |step| {
            let ran = matches!(step.state, StepState::Done { at } if at >= to || step.is_late(at));
            ran && step.due_at > from && step.due_at <= to
        })
    }

    fn bulletin(&self, incidents: &[&Incident]) -> Bulletin {
        let away = span_words(self.to - self.from);
        let open = incidents.iter().filter(|incident| incident.resolved.is_none()).count();
        let steps: usize = incidents.iter().map(|incident| self.late_steps(incident).count()).sum();
        let time = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC");
        let mut lines = vec![format!(
            "From {} to {} nothing was measured, judged or sent. What sources can still tell of that time is asked for now.",
            time(self.from),
            time(self.to)
        )];
        if steps > 0 {
            lines.push("Steps that became due meanwhile were run at once, each receiver told once.".to_owned());
        }
        let rows: Vec<Row> = incidents.iter().map(|incident| self.row(incident)).collect();
        let each: Vec<_> = incidents
            .iter()
            .map(|incident| {
                let late: Vec<_> = self
                    .late_steps(incident)
                    .map(|step| json!({"policy": step.policy, "step": step.number + 1, "due_at": step.due_at}))
                    .collect();
                json!({"id": incident.id, "state": word(incident), "priority": incident.priority, "late_steps": late})
            })
            .collect();
        Bulletin {
            kind: BulletinKind::Restart,
            name: "restart".to_owned(),
            key: format!("restart@{}", self.to.timestamp_millis()),
            headline: format!("slod was away for {away}: {}", summary(steps, open)),
            lines,
            tables: vec![Table {
                title: "What it is about".to_owned(),
                columns: ["Incident", "State", "Done late", "Now"].map(str::to_owned).to_vec(),
                rows,
                ..Table::default()
            }],
            links: self.links(incidents),
            due_at: self.to,
            decided_at: self.now,
            late: false,
            data: json!({"from": self.from, "to": self.to, "incidents": each}),
        }
        .bounded()
    }

    fn row(&self, incident: &Incident) -> Row {
        let late: Vec<String> = self.late_steps(incident).map(step_words).collect();
        let late = if late.is_empty() { "nothing".to_owned() } else { late.join("; ") };
        let page = self.page_words(incident);
        let name = format!("{} {} ({})", incident.priority, incident.title, incident.id);
        let state = page.map_or_else(|| word(incident).to_owned(), |page| format!("{}; {page}", word(incident)));
        let now = standing(incident).unwrap_or_else(|| "over".to_owned());
        let line = format!("{name}: {state} · done late: {late} · now: {now}");
        let mark = if incident.resolved.is_none() { Mark::Bad } else { Mark::Good };
        Row { mark, line, cells: vec![name, state, late, now], bar: None }
    }

    /// The public page's deadline, if it passed meanwhile and nothing is posted.
    fn page_words(&self, incident: &Incident) -> Option<String> {
        let clock = incident.status.as_ref().filter(|clock| clock.posted_at.is_none() && !clock.discarded)?;
        let due = clock.due_at.filter(|due| *due > self.from && *due <= self.to)?;
        Some(format!("its public page was due at {}", due.format("%H:%M UTC")))
    }

    fn links(&self, incidents: &[&Incident]) -> Vec<Link> {
        let link = |incident: &&Incident| Link {
            text: match &incident.subject {
                Subject::Slo { id, .. } => id.to_string(),
                Subject::Source(name) => format!("source {name}"),
            },
            url: format!("{}/incident/{}", self.external_url, incident.id),
        };
        incidents.iter().filter(|incident| incident.resolved.is_none()).take(5).map(link).collect()
    }
}

/// While all that fires is muted nothing is said of it; when that ends, what is due then is.
fn is_muted(incident: &Incident) -> bool {
    let Some(muted) = &incident.muted else { return false };
    let mut firing = incident.members.values().filter(|member| member.firing).peekable();
    firing.peek().is_some() && firing.all(|member| muted.policies.contains(&member.policy))
}

fn word(incident: &Incident) -> &'static str {
    match incident.phase() {
        Phase::Open => "open",
        Phase::Acknowledged => "acknowledged",
        Phase::Resolved => "resolved",
    }
}

fn step_words(step: &Step) -> String {
    let after = duration(step.after);
    format!("step {after} of {} (due {})", step.policy, step.due_at.format("%H:%M UTC"))
}

fn summary(steps: usize, open: usize) -> String {
    let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    match (steps, open) {
        (0, open) => format!("{} still open", counted(open, "incident")),
        (steps, 0) => format!("{} run late, nothing open", counted(steps, "step")),
        (steps, open) => format!("{} run late, {} open", counted(steps, "step"), counted(open, "incident")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{
        incident::{Member, Muted, Resolution, Told},
        name::SloId,
        policy::{Priority, Unless},
    };

    const FROM: i64 = 1_767_600_000;

    fn at(minute: i64) -> DateTime<Utc> {
        crate::domain::decide::time(FROM) + TimeDelta::minutes(minute)
    }

    fn hearers() -> Hearers {
        [("ops", Hearing::Pager), ("team", Hearing::Chat), ("lead", Hearing::Mail), ("else", Hearing::Chat)]
            .map(|(name, hearing)| (Name::from(name), hearing))
            .into()
    }

    fn step(due: i64, ran: Option<i64>, notify: &str) -> Step {
        Step {
            policy: "outage".into(),
            number: 1,
            after: 1_800,
            due_at: at(due),
            unless: Unless::Acknowledged,
            notify: vec![notify.into()],
            acknowledge_timeout: None,
            state: ran.map_or(StepState::Waiting, |ran| StepState::Done { at: at(ran) }),
        }
    }

    fn incident(slo: &str, told: &[&str], steps: Vec<Step>, resolved: Option<i64>) -> Incident {
        let subject = Subject::Slo { id: SloId::new("shop", slo), series: BTreeMap::new() };
        let mut incident = Incident::open(subject, at(-20), Priority::P1);
        incident.title = format!("shop {slo}: health check failing for 20 min");
        for name in told {
            let told = Told { priority: Priority::P1, by: vec!["outage".into()], openings: vec![1], newest: 1 };
            incident.told.insert(Name::from(*name), told);
        }
        incident.steps = steps;
        incident.resolved = resolved.map(|minute| Resolution {
            by: None,
            at: at(minute),
            taken_out: None,
            new_period: false,
            gone: false,
        });
        incident
    }

    /// Away from minute 0 to 60. Who is told, and the headline.
    fn told(incidents: &[Incident]) -> Vec<(String, String)> {
        let hearers = hearers();
        let back = Return {
            from: at(0),
            to: at(60),
            incidents,
            hearers: &hearers,
            external_url: "http://127.0.0.1:9720",
            now: at(61),
        };
        back.bulletins().into_iter().map(|(name, bulletin)| (name.to_string(), bulletin.headline)).collect()
    }

    #[test]
    fn who_is_told_what() {
        let open = "slod was away for 1 h: 1 incident still open";
        let late = "slod was away for 1 h: 1 step run late, 1 incident open";
        let over = "slod was away for 1 h: 1 step run late, nothing open";
        let ran = || vec![step(30, Some(60), "lead")];
        #[rustfmt::skip]
        let cases: [(Incident, &[(&str, &str)]); 9] = [
            // Nothing missed, nothing open.
            (incident("a", &["ops", "team"], vec![], Some(60)), &[]),
            // Open: who was told, but no pager.
            (incident("a", &["ops", "team"], vec![], None), &[("team", open)]),
            (incident("a", &["ops"], vec![], None), &[]),
            // A step that was run late concerns whom it names as well.
            (incident("a", &["ops", "team"], ran(), None), &[("lead", late), ("team", late)]),
            (incident("a", &["ops", "team"], ran(), Some(60)), &[("lead", over), ("team", over)]),
            // Before, after, still waiting (its alert is clearing), for a pager alone.
            (incident("a", &["ops"], vec![step(-5, Some(-5), "lead")], None), &[]),
            (incident("a", &["ops"], vec![step(61, Some(61), "lead")], None), &[]),
            (incident("a", &["ops"], vec![step(30, None, "lead")], None), &[]),
            (incident("a", &["ops"], vec![step(30, Some(60), "ops")], None), &[]),
        ];
        for (number, (incident, expected)) in cases.into_iter().enumerate() {
            let expected: Vec<_> =
                expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            assert_eq!(told(&[incident]), expected, "case {number}");
        }
    }

    #[test]
    fn what_is_muted_is_not_told() {
        let mut muted = incident("a", &["team"], vec![], None);
        for (watch, policy) in [("outage", "outage"), ("burn:1h/5m", "burn")] {
            let member = Member {
                policy: policy.into(),
                priority: Priority::P1,
                firing: true,
                fired_at: at(-20),
                flapping: None,
            };
            muted.members.insert(watch.to_owned(), member);
        }
        let policies = |names: &[&str]| {
            Some(Muted { policies: names.iter().map(|name| Name::from(*name)).collect(), ..Muted::default() })
        };
        muted.muted = policies(&["burn", "outage"]);
        assert!(told(std::slice::from_ref(&muted)).is_empty());
        muted.muted = policies(&["burn"]);
        assert_eq!(told(&[muted]).len(), 1, "not all of it is");
    }

    #[test]
    fn each_hears_of_its_own_incidents() {
        let incidents = [incident("a", &["team"], vec![], None), incident("b", &["else", "team"], vec![], None)];
        let said: BTreeMap<_, _> = told(&incidents).into_iter().collect();
        assert_eq!(said["team"], "slod was away for 1 h: 2 incidents still open");
        assert_eq!(said["else"], "slod was away for 1 h: 1 incident still open");
    }
}
