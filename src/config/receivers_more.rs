//! Receivers of the kinds `instatus`, `webhook` and `alertmanager`.

use super::{
    codes::Code,
    fields::{Fields, clipped},
    finding::Finding,
    model::ReceiverKind,
    outside::resolve,
    receivers::{components, vendor_url},
    secret::Secret,
};

const INSTATUS_URL: &str = "https://api.instatus.com";

pub(super) fn instatus(fields: &Fields<'_>) -> Option<ReceiverKind> {
    let page = fields.required_text("page");
    let key = fields.required_secret("key");
    let components = components(fields);
    let url = vendor_url(fields, "url", INSTATUS_URL);
    Some(ReceiverKind::Instatus { page: page?.value, key: key?, components, url })
}

pub(super) fn webhook(fields: &Fields<'_>) -> Option<ReceiverKind> {
    let url = fields.required_text("url");
    let secret = fields.secret("secret");
    let url = url?;
    // It is called as it stands, with a slash at its end if it has one.
    let whole = Secret::new(&url.value);
    let url = fields.check_url("url", url, &["http", "https"])?;
    fields.warn_plain_http(&url.value, url.at);
    Some(ReceiverKind::Webhook { url: whole, secret })
}

/// The map; the short form is the list alone.
pub(super) fn alertmanagers(fields: &Fields<'_>) -> ReceiverKind {
    fields.require("urls");
    alertmanager(fields, "urls")
}

pub(super) fn alertmanager(fields: &Fields<'_>, key: &'static str) -> ReceiverKind {
    let mut urls = Vec::new();
    for node in fields.list(key) {
        let what = format!("`{key}` of {}", fields.owner);
        let text = resolve(fields.cx, node, &what).and_then(|text| fields.check_url(key, text, &["http", "https"]));
        urls.extend(text.map(|text| Secret::new(text.value)));
    }
    if fields.list(key).is_empty() {
        let finding =
            Finding::error(Code::MissingKey, fields.key_at(key), format!("`{key}` of {} names nobody", fields.owner));
        fields.cx.push(finding.help("name every Alertmanager of the cluster"));
    }
    ReceiverKind::Alertmanager { urls }
}

/// The ids of who may press buttons.
pub(super) fn pressing(fields: &Fields<'_>) -> Vec<String> {
    let users = fields.words("allow");
    for user in users.iter().filter(|user| !is_user_id(&user.value)) {
        let message =
            format!("`allow` of {} names `{}`, which is no id of a Slack user", fields.owner, clipped(&user.value));
        let help = "copy the member ID from the user's profile, such as `U012ABCDEF`";
        fields.cx.push(Finding::error(Code::BadId, user.at, message).help(help));
    }
    match (fields.has("signing_secret"), fields.list("allow").is_empty()) {
        (true, true) if fields.has("channel") => {
            no_effect(fields, "signing_secret", "nobody may press its buttons", "name users under `allow`");
        }
        (false, _) if fields.has("allow") => {
            no_effect(fields, "allow", "it has no buttons without a `signing_secret`", "add `signing_secret`");
        }
        _ => {}
    }
    users.into_iter().map(|user| user.value).collect()
}

fn is_user_id(text: &str) -> bool {
    let rest = text.strip_prefix(['U', 'W']).unwrap_or_default();
    (1..=30).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A key that does nothing as things are.
pub(super) fn no_effect(fields: &Fields<'_>, key: &'static str, why: &str, help: &str) {
    let message = format!("`{key}` of {} has no effect: {why}", fields.owner);
    let finding = Finding::warning(Code::NoEffect, fields.key_at(key), message);
    fields.cx.push(finding.help(format!("{help}, or remove `{key}`")));
}
