//! `maintenance:`, of everything or of one service.

use std::time::Duration;

use super::{
    codes::Code,
    context::Context,
    fields::Fields,
    finding::Finding,
    model::{Maintenance, Planned},
    policies,
    tree::Entry,
    values::FROM_SECOND,
};
use crate::domain::{
    name::{Name, SloId},
    slot::Span,
};

/// The longest that work on a crontab may take each time.
const LASTS_MAX: Duration = Duration::from_hours(7 * 24);

/// What the windows of one place have in common.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The service they stand in; none for those of everything.
    pub service: Option<&'a str>,
    /// All SLOs, in order.
    pub all: &'a [SloId],
    /// The zone of crontabs that name none.
    pub timezone: &'a str,
}

/// Reads one window.
pub(crate) fn decode(cx: &Context<'_>, entry: &Entry, place: Place<'_>) -> Option<Maintenance> {
    let name = &entry.key.value;
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("maintenance window `{name}`"))?;
    let slos = slos(&fields, place);
    let reason = fields.string("reason");
    let excluded = fields.choice("budget", &[("excluded", true), ("counted", false)]).unwrap_or(true);
    let when = planned(&fields, place.timezone);
    fields.close();
    let name = place.service.map_or_else(|| name.clone(), |service| format!("{service}/{name}"));
    Some(Maintenance { name, slos, when: when?, excluded, reason })
}

/// What it is about: the services and SLOs it names, or, where it names none, all there are in its place.
fn slos(fields: &Fields<'_>, place: Place<'_>) -> Vec<SloId> {
    let Some(service) = place.service else {
        let services = super::services::services(fields, "services");
        let mut found = policies::matched(fields, "slos", "names", place.all, None);
        if !fields.has("services") && !fields.has("slos") {
            return place.all.to_vec();
        }
        found.extend(place.all.iter().filter(|id| services.contains(&id.service)).cloned());
        found.sort();
        found.dedup();
        return found;
    };
    let service = Name::from(service);
    let own: Vec<SloId> = place.all.iter().filter(|id| id.service == service).cloned().collect();
    let found = policies::matched(fields, "slos", "names", &own, Some(&service));
    if fields.has("slos") { found } else { own }
}

fn planned(fields: &Fields<'_>, timezone: &str) -> Option<Planned> {
    let (start, end) = (fields.instant("start"), fields.instant("end"));
    let cron = fields.cron("cron");
    let lasts = fields.duration("duration", FROM_SECOND);
    let timezone = fields.timezone("timezone").unwrap_or_else(|| timezone.to_owned());
    match fields.either(&["start", "cron"]) {
        Some(("start", _)) => {
            fields.require("end");
            let (start, end) = (start?, end?);
            if end <= start {
                let message = format!("{} ends before it starts", fields.owner);
                fields.cx.push(Finding::error(Code::OutOfRange, fields.key_at("end"), message));
            }
            Some(Planned::Once(Span { start: start.timestamp(), end: end.timestamp() }))
        }
        Some(_) => {
            fields.require("duration");
            if cron.is_some() && lasts.is_some_and(|lasts| lasts > LASTS_MAX) {
                let message = format!("{} lasts over 7 days", fields.owner);
                fields.cx.push(Finding::error(Code::OutOfRange, fields.key_at("duration"), message));
            }
            Some(Planned::Cron { cron: cron?, lasts: lasts?, timezone })
        }
        None => {
            if !fields.has("start") && !fields.has("cron") {
                let message = format!("{} says nothing of its time", fields.owner);
                let finding = Finding::error(Code::MissingKey, fields.at, message);
                fields.cx.push(finding.help("add `start` and `end`, or `cron`"));
            }
            None
        }
    }
}

/// Reads the windows under `maintenance` of a service.
pub(crate) fn of_service(fields: &Fields<'_>, place: Place<'_>) -> Vec<Maintenance> {
    let Some(node) = fields.get("maintenance") else { return Vec::new() };
    let entries = super::fields::named(fields.cx, node, "`maintenance`", "a maintenance window");
    entries.into_iter().filter_map(|entry| decode(fields.cx, entry, place)).collect()
}
