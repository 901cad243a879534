//! An incident as the variables of its post-incident document.

use chrono::{DateTime, Utc};

use super::{
    annotation::{AnnotationView, Changes},
    incident::{DeliveryView, IncidentView, StatusPageView},
    render_words::{amount, duration, labels, of_budget, percent},
};
use crate::{
    domain::{
        diagnostic::Diagnosis,
        message::cut,
        record::{Sent, late_by, told},
    },
    template::post_incident::{Alert, Change, Cost, Line, Links, PostIncident, Receiver, StatusPage, Step, instant},
};

/// Most lines of the timeline; the first and the newest halves.
const LINES_MAX: usize = 500;
/// Most characters of one text.
const TEXT_MAX: usize = 500;
/// Most results of the first look.
const DIAGNOSTICS_MAX: usize = 50;

/// What the incident itself does not say.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The service's title.
    pub service_title: Option<&'a str>,
    /// Who owns it.
    pub owner: Option<&'a str>,
    /// Where its runbook is.
    pub runbook_url: Option<&'a str>,
    /// How people reach the companion; no trailing slash.
    pub external_url: &'a str,
    /// What had changed.
    pub changes: &'a Changes,
    /// The clock's time.
    pub now: DateTime<Utc>,
}

/// All variables, of which none is escaped.
pub fn variables(incident: &IncidentView, around: &Around<'_>) -> PostIncident {
    let end = incident.resolved_at.unwrap_or(around.now);
    let words = |from: DateTime<Utc>, to: DateTime<Utc>| duration((to - from).num_seconds().max(0) as f64);
    let taken = first_taken(incident);
    PostIncident {
        id: incident.id.clone(),
        key: incident.key.clone(),
        title: incident.title.clone(),
        priority: incident.priority.to_string(),
        state: incident.state.clone(),
        about: about(incident),
        service: incident.service.clone(),
        service_title: around.service_title.map(str::to_owned),
        owner: around.owner.map(str::to_owned),
        slo: incident.slo.clone(),
        source: incident.source.clone(),
        series: incident.series.clone(),
        late: incident.late,
        opened_at: instant(incident.opened_at),
        acknowledged_at: taken.as_ref().map(|(at, _)| *at).map(instant),
        acknowledged_by: taken.as_ref().map(|(_, by)| by.clone()),
        acknowledged_after: taken.as_ref().map(|(at, _)| words(incident.opened_at, *at)),
        resolved_at: incident.resolved_at.map(instant),
        lasted: words(incident.opened_at, end),
        cost: cost(incident),
        alerts: incident
            .alerts
            .iter()
            .map(|alert| Alert {
                name: alert.name.clone(),
                priority: alert.priority.to_string(),
                fired_at: instant(alert.fired_at),
                state: alert.state.clone(),
            })
            .collect(),
        steps: incident
            .steps
            .iter()
            .map(|step| Step {
                after: step.after.clone(),
                due_at: instant(step.due_at),
                state: step.state.clone(),
                notify: step.notify.clone(),
                policy: step.policy.clone(),
            })
            .collect(),
        told: receivers(&incident.deliveries),
        timeline: timeline(incident),
        changes: around.changes.told().map(|one| change(one, incident.opened_at)).collect(),
        status_page: incident.status_page.as_ref().map(|page| status_page(page, end)),
        diagnostics: incident.diagnostics.iter().take(DIAGNOSTICS_MAX).map(first_look).collect(),
        links: Links {
            runbook: around.runbook_url.map(str::to_owned),
            incident: format!("{}/incident/{}", around.external_url, incident.id),
        },
        made_at: instant(around.now),
    }
}

/// `database: 17 connections (14:03:05 UTC)`
fn first_look(found: &Diagnosis) -> String {
    short(&format!("{}: {} ({})", found.name, found.summary, found.at.format("%H:%M:%S UTC")))
}

fn short(text: &str) -> String {
    cut(text, TEXT_MAX)
}

fn about(incident: &IncidentView) -> String {
    match (&incident.service, &incident.slo, &incident.source) {
        (Some(service), Some(slo), _) => format!("{service}/{slo} {}", labels(&incident.series)).trim_end().to_owned(),
        (_, _, Some(source)) => format!("source {source}"),
        _ => String::new(),
    }
}

fn cost(incident: &IncidentView) -> Cost {
    let bad = amount(incident.cost.bad, incident.cost.in_seconds);
    Cost {
        bad: incident.cost.bad,
        bad_words: if incident.cost.in_seconds { format!("{bad} down") } else { format!("{bad} bad events") },
        budget_share: incident.cost.budget_share,
        budget_words: incident
            .cost
            .budget_share
            .map(|share| format!("{} {}", percent(share), of_budget(incident.cost.window.as_deref()))),
    }
}

fn receivers(deliveries: &[DeliveryView]) -> Vec<Receiver> {
    let sent: Vec<_> = deliveries
        .iter()
        .map(|row| Sent {
            receiver: row.receiver.clone(),
            event: row.event.clone(),
            state: row.state.clone(),
            sent_at: row.sent_at,
            last_error: row.last_error.clone(),
        })
        .collect();
    let words = |(what, count): (&String, &u32)| if *count > 1 { format!("{count} × {what}") } else { what.clone() };
    told(&sent)
        .iter()
        .map(|told| Receiver {
            receiver: told.receiver.clone(),
            messages: told.messages.iter().map(words).collect::<Vec<_>>().join(", "),
            first_sent_at: told.first_sent_at.map(instant),
            last_error: told.last_error.as_deref().map(short),
        })
        .collect()
}

fn timeline(incident: &IncidentView) -> Vec<Line> {
    let line = |line: &super::incident::TimelineView| Line {
        at: instant(line.at),
        kind: line.kind.clone(),
        text: short(&line.text),
    };
    let mut lines: Vec<_> = incident.timeline.iter().map(line).collect();
    let over = lines.len().saturating_sub(LINES_MAX);
    if over > 0 {
        let half = LINES_MAX / 2;
        let said =
            Line { text: format!("{over} lines are left out here"), kind: "note".to_owned(), ..lines[half].clone() };
        lines.splice(half..half + over, [said]);
    }
    lines
}

fn change(one: &AnnotationView, opened: DateTime<Utc>) -> Change {
    Change {
        at: instant(one.at),
        beside: one.beside(opened),
        kind: one.kind.clone(),
        text: one.text.clone(),
        url: one.link().map(str::to_owned),
        service: one.service.clone(),
        by: one.by.clone(),
    }
}

fn status_page(page: &StatusPageView, end: DateTime<Utc>) -> StatusPage {
    StatusPage {
        state: page.state.clone(),
        due_at: page.due_at.map(instant),
        posted_at: page.posted_at.map(instant),
        late_by: late_by(page.due_at, page.posted_at.unwrap_or(end)).map(|seconds| duration(seconds as f64)),
        left_to_people: page.left_to_people,
    }
}

/// Who took it first, and when: also if that has lapsed since, or it is over.
fn first_taken(incident: &IncidentView) -> Option<(DateTime<Utc>, String)> {
    let lines = incident.timeline.iter().filter(|line| line.kind == "acknowledged");
    let mut first = lines.filter_map(|line| Some((line.at, line.text.strip_prefix("acknowledged by ")?.to_owned())));
    first.next().or_else(|| Some((incident.acknowledged_at?, incident.acknowledged_by.clone()?)))
}
