//! What is read and checked, but not built yet: reports and reminders.

use super::{
    codes::Code,
    context::{Context, Thing},
    fields::Fields,
    finding::Finding,
    services::services,
    tree::Entry,
};

/// Checks one report.
pub(crate) fn report(cx: &Context<'_>, entry: &Entry) {
    cx.not_yet("`reports`", entry.key.at);
    let owner = format!("report `{}`", entry.key.value);
    let Some(fields) = Fields::open(cx, &entry.value, entry.key.at, owner) else { return };
    services(&fields, "services");
    fields.require("cron");
    fields.require("notify");
    fields.cron("cron");
    fields.timezone("timezone");
    fields.receivers("notify");
    fields.close();
}

/// Checks one reminder.
pub(crate) fn reminder(cx: &Context<'_>, entry: &Entry) {
    cx.not_yet("`reminders`", entry.key.at);
    let owner = format!("reminder `{}`", entry.key.value);
    let Some(fields) = Fields::open(cx, &entry.value, entry.key.at, owner) else { return };
    fields.required_text("text");
    fields.require("cron");
    fields.require("notify");
    fields.cron("cron");
    fields.timezone("timezone");
    fields.choice("check", &[("online", ())]);
    fields.receivers("notify");
    fields.close();
}

/// Warns of what nothing refers to.
pub(crate) fn unused(cx: &Context<'_>) {
    for thing in [Thing::Source, Thing::Receiver, Thing::Escalation, Thing::Template] {
        for (name, known) in cx.known.get(&thing).into_iter().flatten() {
            if !cx.is_used(thing, name) {
                let message = format!("{} `{name}` is never used", thing.word());
                cx.push(Finding::warning(Code::Unused, known.at, message).help("remove it, or refer to it"));
            }
        }
    }
}
