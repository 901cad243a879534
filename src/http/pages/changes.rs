//! What had changed around an incident: the first question of whoever is woken.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::views::{
    annotation::{Affair, AnnotationView, BEFORE, Changes, mark},
    incident::IncidentView,
    render_words::{duration, instant},
};

/// The span of an incident.
pub fn affair(incident: &IncidentView) -> Affair<'_> {
    Affair { service: incident.service.as_deref(), opened_at: incident.opened_at, resolved_at: incident.resolved_at }
}

/// The nearest changes, in order.
pub fn changes(incident: &IncidentView, changes: &Changes) -> Markup {
    let before = duration(BEFORE.num_seconds() as f64);
    if changes.told().next().is_none() {
        return html! { p.absent { "What changed: nobody put a deploy or a note on record from " (before) " before it opened." } };
    }
    html! {
        section.changes aria-labelledby="changed" {
            h2 #changed { "What changed" }
            ul { @for one in changes.told() { (change(one, incident)) } }
            @if changes.more > 0 { p.absent { (changes.more) " more: " a href=(rest(incident)) { "all as JSON" } } }
        }
    }
}

fn change(one: &AnnotationView, incident: &IncidentView) -> Markup {
    html! { li {
        span.state.mute { span aria-hidden="true" { (mark(&one.kind)) " " } (one.kind) } " "
        @match one.link() {
            Some(link) => { a href=(link) rel="noreferrer" { bdi { (one.text) } } }
            None => { bdi { (one.text) } }
        }
        ", " strong { (one.beside(incident.opened_at)) } " "
        small {
            time datetime=(one.at.to_rfc3339_opts(SecondsFormat::AutoSi, true)) { (instant(one.at)) } ", by " bdi { (one.by) }
            @match &one.service {
                Some(service) if incident.service.is_none() => { ", " bdi { (service) } }
                Some(_) => {}
                None => { ", all services" }
            }
        }
    } }
}

/// All of the time, as data.
fn rest(incident: &IncidentView) -> String {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let from = incident.opened_at.checked_sub_signed(BEFORE).unwrap_or(incident.opened_at);
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("from", &written(from));
    if let Some(end) = incident.resolved_at {
        query.append_pair("to", &written(end));
    }
    if let Some(service) = &incident.service {
        query.append_pair("service", service);
    }
    format!("/api/v1/annotations?{}", query.finish())
}
