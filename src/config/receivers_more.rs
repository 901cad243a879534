//! Receivers of the kinds `instatus`, `webhook` and `alertmanager`.

use super::{
    codes::Code,
    fields::Fields,
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
