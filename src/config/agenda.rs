//! `reports:` and `reminders:`

use super::{
    codes::Code,
    context::{Context, Thing},
    fields::Fields,
    finding::Finding,
    model::{Crontab, Reminder, Report},
    services::services,
    tree::Entry,
};
use crate::domain::name::Name;

/// Code points of a reminder's text.
const TEXT_MAX: usize = 4_000;

/// Reads one report. `timezone` is the zone of one that names none.
pub(crate) fn report(cx: &Context<'_>, entry: &Entry, timezone: &str) -> Option<Report> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("report `{}`", entry.key.value))?;
    let services = services(&fields, "services");
    let when = crontab(&fields, timezone);
    let notify = receivers(&fields);
    fields.close();
    Some(Report { services, when: when?, notify: notify? })
}

/// Reads one reminder. `timezone` is the zone of one that names none.
pub(crate) fn reminder(cx: &Context<'_>, entry: &Entry, timezone: &str) -> Option<Reminder> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("reminder `{}`", entry.key.value))?;
    let text = fields.required_text("text");
    if let Some(text) = text.as_ref().filter(|text| text.value.chars().count() > TEXT_MAX) {
        let message = format!("`text` of {} is over {TEXT_MAX} characters", fields.owner);
        cx.push(Finding::error(Code::OutOfRange, text.at, message));
    }
    let when = crontab(&fields, timezone);
    let online = fields.choice("check", &[("online", true)]).unwrap_or(false);
    let notify = receivers(&fields);
    fields.close();
    Some(Reminder { text: text?.value, when: when?, online, notify: notify? })
}

fn crontab(fields: &Fields<'_>, timezone: &str) -> Option<Crontab> {
    fields.require("cron");
    let cron = fields.cron("cron");
    let timezone = fields.timezone("timezone").unwrap_or_else(|| timezone.to_owned());
    Some(Crontab { cron: cron?, timezone })
}

/// Who reads it: not who is woken.
fn receivers(fields: &Fields<'_>) -> Option<Vec<Name>> {
    fields.require("notify");
    let names = fields.receivers("notify");
    if names.as_ref().is_some_and(Vec::is_empty) && fields.list("notify").is_empty() {
        let message = format!("{} tells nobody", fields.owner);
        fields.cx.push(Finding::error(Code::MissingKey, fields.key_at("notify"), message));
    }
    for node in fields.list("notify") {
        let name = node.scalar().unwrap_or_default();
        let what = match fields.cx.known_kind(Thing::Receiver, name) {
            Some("pagerduty") => "a pager",
            Some("alertmanager") => "an Alertmanager",
            _ => continue,
        };
        let message = format!("{} notifies `{name}`, which is {what}", fields.owner);
        let finding = Finding::error(Code::WrongKind, node.at, message);
        fields.cx.push(finding.help("name a chat, mail or webhook receiver: nobody is woken to read"));
    }
    names
}
