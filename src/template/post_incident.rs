//! What the post-incident document can say: an incident, whole, as data.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// The variables of the document. `docs/templates.md` lists them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PostIncident {
    /// As people type it.
    pub id: String,
    /// As receivers know it.
    pub key: String,
    /// The last headline.
    pub title: String,
    /// P1 … P5.
    pub priority: String,
    /// open, acknowledged, resolved.
    pub state: String,
    /// `service/slo`, with labels; or the source.
    pub about: String,
    /// The service, if it is about one.
    pub service: Option<String>,
    /// The service's title.
    pub service_title: Option<String>,
    /// Who owns the service.
    pub owner: Option<String>,
    /// The SLO, if it is about one.
    pub slo: Option<String>,
    /// The source, if it is about one.
    pub source: Option<String>,
    /// Labels of the series.
    pub series: BTreeMap<String, String>,
    /// Decided late.
    pub late: bool,
    /// When it opened.
    pub opened_at: String,
    /// When somebody took it.
    pub acknowledged_at: Option<String>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// How long nobody had it.
    pub acknowledged_after: Option<String>,
    /// When it ended.
    pub resolved_at: Option<String>,
    /// From its opening to its end, or to now.
    pub lasted: String,
    /// What it cost.
    pub cost: Cost,
    /// Its alerts.
    pub alerts: Vec<Alert>,
    /// Its escalation.
    pub steps: Vec<Step>,
    /// Who was told.
    pub told: Vec<Receiver>,
    /// What happened, in order.
    pub timeline: Vec<Line>,
    /// What had changed shortly before, and meanwhile.
    pub changes: Vec<Change>,
    /// The public status page, if it concerned one.
    pub status_page: Option<StatusPage>,
    /// What was looked at when it opened.
    pub diagnostics: Vec<String>,
    /// Where to read on.
    pub links: Links,
    /// When the document was made.
    pub made_at: String,
}

/// What an incident cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Bad events, or seconds down.
    pub bad: f64,
    /// The same in words.
    pub bad_words: String,
    /// Share of the error budget, if there are events.
    pub budget_share: Option<f64>,
    /// The same in words.
    pub budget_words: Option<String>,
}

/// An alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Alert {
    /// Its policy, for a burn pair with its windows.
    pub name: String,
    /// P1 … P5.
    pub priority: String,
    /// When it fired.
    pub fired_at: String,
    /// ok, firing, clearing.
    pub state: String,
}

/// A step of the escalation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Step {
    /// As configured.
    pub after: String,
    /// When it was due.
    pub due_at: String,
    /// waiting, done, skipped.
    pub state: String,
    /// Who.
    pub notify: Vec<String>,
    /// Whose step.
    pub policy: String,
}

/// What a receiver was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Receiver {
    /// Who.
    pub receiver: String,
    /// `trigger sent, resolve sent`.
    pub messages: String,
    /// When the first message was accepted.
    pub first_sent_at: Option<String>,
    /// Why the newest that was not accepted was not.
    pub last_error: Option<String>,
}

/// A line of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    /// When.
    pub at: String,
    /// opened, fired, told, …
    pub kind: String,
    /// In words.
    pub text: String,
}

/// What somebody said had changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// When.
    pub at: String,
    /// The same beside the incident: `4 min before it opened`.
    pub beside: String,
    /// deploy, note.
    pub kind: String,
    /// In one line.
    pub text: String,
    /// Where to read on.
    pub url: Option<String>,
    /// Whom it concerned; none: all services.
    pub service: Option<String>,
    /// Who said it.
    pub by: String,
}

/// The public status page's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StatusPage {
    /// The state posted last; `none`.
    pub state: String,
    /// When the first post was due.
    pub due_at: Option<String>,
    /// When it was out.
    pub posted_at: Option<String>,
    /// How much too late it was; none if it was in time.
    pub late_by: Option<String>,
    /// People took the page over.
    pub left_to_people: bool,
}

/// Where to read on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Links {
    /// The runbook.
    pub runbook: Option<String>,
    /// The incident's page.
    pub incident: String,
}

/// `2026-10-25 14:03:00 UTC`
pub fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The incidents that a template is tried on: one that is over, one that is open and about a source.
pub fn samples() -> Vec<(&'static str, PostIncident)> {
    let at =
        |seconds: i64| instant(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds));
    let text = |text: &str| Some(text.to_owned());
    let over = PostIncident {
        id: "0123456789ab".to_owned(),
        key: "0123456789abcdef0123456789abcdef".to_owned(),
        title: "sample slo: good again after 31 min".to_owned(),
        priority: "P1".to_owned(),
        state: "resolved".to_owned(),
        about: "sample/slo {route=/}".to_owned(),
        service: text("sample"),
        service_title: text("Sample"),
        owner: text("somebody"),
        slo: text("slo"),
        source: None,
        series: BTreeMap::from([("route".to_owned(), "/".to_owned())]),
        late: false,
        opened_at: at(0),
        acknowledged_at: Some(at(240)),
        acknowledged_by: text("ops-lead"),
        acknowledged_after: text("4 min"),
        resolved_at: Some(at(1_860)),
        lasted: "31 min".to_owned(),
        cost: Cost {
            bad: 31.0,
            bad_words: "31 bad events".to_owned(),
            budget_share: Some(0.14),
            budget_words: text("14 %"),
        },
        alerts: vec![Alert {
            name: "outage".to_owned(),
            priority: "P1".to_owned(),
            fired_at: at(0),
            state: "ok".to_owned(),
        }],
        steps: vec![Step {
            after: "30m".to_owned(),
            due_at: at(1_800),
            state: "skipped".to_owned(),
            notify: vec!["platform-pager".to_owned()],
            policy: "outage".to_owned(),
        }],
        told: vec![Receiver {
            receiver: "ops-pager".to_owned(),
            messages: "trigger sent, resolve sent".to_owned(),
            first_sent_at: Some(at(3)),
            last_error: None,
        }],
        changes: vec![Change {
            at: at(-240),
            beside: "4 min before it opened".to_owned(),
            kind: "deploy".to_owned(),
            text: "sample 4.2.1".to_owned(),
            url: text("https://ci.example/builds/7"),
            service: text("sample"),
            by: "ci".to_owned(),
        }],
        timeline: vec![Line { at: at(0), kind: "opened".to_owned(), text: "incident opened at P1".to_owned() }],
        status_page: Some(StatusPage {
            state: "resolved".to_owned(),
            due_at: Some(at(900)),
            posted_at: Some(at(1_020)),
            late_by: text("2 min"),
            left_to_people: false,
        }),
        diagnostics: vec!["database: ok".to_owned()],
        links: Links {
            runbook: text("https://runbooks.example/sample"),
            incident: "https://slod.example/incident/0".to_owned(),
        },
        made_at: at(3_600),
    };
    let open = PostIncident {
        title: "source metrics: does not answer for 12 min".to_owned(),
        priority: "P3".to_owned(),
        state: "open".to_owned(),
        about: "source metrics".to_owned(),
        source: text("metrics"),
        opened_at: at(0),
        lasted: "12 min".to_owned(),
        made_at: at(720),
        ..PostIncident::default()
    };
    vec![("resolved", over), ("open", open)]
}
