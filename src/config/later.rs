//! What is read and checked, but not built yet: decision logs, templates.

use super::{
    codes::Code,
    context::{Context, Thing},
    fields::Fields,
    finding::Finding,
    tree::Entry,
};

/// Checks `decision_log` of a service.
pub(crate) fn decision_log(fields: &Fields<'_>, entry: &Entry) {
    fields.cx.not_yet("`decision_log`", entry.key.at);
    let owner = format!("`decision_log` of {}", fields.owner);
    let Some(inner) = Fields::open(fields.cx, &entry.value, entry.key.at, owner) else { return };
    inner.string("action");
    inner.priority("min_priority");
    if let Some((word, entry)) = inner.kind(&["supabase", "postgres"])
        && let Some(target) = Fields::open(fields.cx, &entry.value, entry.key.at, inner.owner.clone())
    {
        target.required_text("table");
        if word == "supabase" {
            let url = target.required_http_url("url");
            target.required_secret("key");
            if let Some(url) = url {
                target.warn_plain_http(&url.value, url.at);
            }
        } else {
            target.source("source", &["postgres"]);
        }
        target.close();
    }
    inner.close();
}

/// Checks the named templates.
pub(crate) fn template(cx: &Context<'_>, entry: &Entry) {
    cx.not_yet("`templates`", entry.key.at);
    match entry.value.scalar() {
        Some(text) if text.len() <= 16 << 10 => {}
        Some(_) => cx.push(Finding::error(
            Code::OutOfRange,
            entry.value.at,
            format!("template `{}` is over 16 KiB", entry.key.value),
        )),
        None => cx.push(Finding::error(
            Code::WrongType,
            entry.value.at,
            format!("template `{}` must be a text, not {}", entry.key.value, entry.value.word()),
        )),
    }
}

/// Warns of what nothing refers to.
pub(crate) fn unused(cx: &Context<'_>) {
    for thing in [Thing::Source, Thing::Receiver, Thing::Escalation] {
        for (name, known) in cx.known.get(&thing).into_iter().flatten() {
            if !cx.is_used(thing, name) {
                let message = format!("{} `{name}` is never used", thing.word());
                cx.push(Finding::warning(Code::Unused, known.at, message).help("remove it, or refer to it"));
            }
        }
    }
}
