//! `receivers:` and `mail:`

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use super::{
    address::{is_loopback, is_mail_address},
    codes::Code,
    context::{Context, Thing},
    document::{Document, RECEIVER_KINDS},
    fields::{Fields, clipped},
    finding::Finding,
    model::{Mail, PagerdutyPeople, Receiver, ReceiverKind, SlackPeople},
    outside::resolve,
    rate, receivers_more as more,
    tree::{Entry, Value},
    values::FROM_SECOND,
};

const PAGERDUTY_URL: &str = "https://events.pagerduty.com";
const PAGERDUTY_API_URL: &str = "https://api.pagerduty.com";
const SLACK_URL: &str = "https://slack.com";
const STATUSPAGE_URL: &str = "https://api.statuspage.io";

/// Reads one receiver.
pub(crate) fn decode(cx: &Context<'_>, entry: &Entry) -> Option<Receiver> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("receiver `{}`", entry.key.value))?;
    let fallback = fields.reference("fallback", Thing::Receiver);
    if let Some(name) = &fallback
        && let Some(kind) = cx.known_kind(Thing::Receiver, &name.value)
        && matches!(kind, "statuspage" | "instatus")
    {
        let message = format!("{} falls back to `{}`, which is a public status page", fields.owner, name.value);
        cx.push(Finding::error(Code::WrongKind, name.at, message).help("name somebody who can be told"));
    }
    let fallback_after = fields.duration("fallback_after", FROM_SECOND).unwrap_or(Duration::from_mins(2));
    let max_rate = rate::max_rate(&fields);
    let kind = fields.kind(&RECEIVER_KINDS);
    let owner = fields.owner.clone();
    fields.close();
    let (word, kind_entry) = kind?;
    if max_rate.is_some() {
        rate::check_kind(cx, entry, word);
    }
    if word == "pagerduty" && fallback.is_none() {
        let message = format!("pager `{}` has no fallback", entry.key.value);
        let finding = Finding::warning(Code::NoFallback, entry.key.at, message);
        cx.push(finding.help("add `fallback: …`, who is told if it cannot be reached"));
    }
    let fallback = fallback.map(|name| name.value);
    // kinds with one field may be given as a scalar
    if let ("email" | "alertmanager", Value::Scalar { .. } | Value::List(_)) = (word, &kind_entry.value.value) {
        let fields = Fields::over(cx, std::slice::from_ref(kind_entry), entry.key.at, owner);
        let kind = if word == "email" {
            ReceiverKind::Email { to: fields.mail_addresses("email"), cc: Vec::new() }
        } else {
            more::alertmanager(&fields, "alertmanager")
        };
        return Some(Receiver { kind, fallback, fallback_after, max_rate });
    }
    let inner = Fields::open(cx, &kind_entry.value, kind_entry.key.at, owner)?;
    let kind = match word {
        "pagerduty" => pagerduty(&inner),
        "slack" => slack(&inner),
        "email" => Some(email(&inner)),
        "statuspage" => statuspage(&inner),
        "instatus" => more::instatus(&inner),
        "webhook" => more::webhook(&inner),
        _ => Some(more::alertmanagers(&inner)),
    };
    inner.close();
    Some(Receiver { kind: kind?, fallback, fallback_after, max_rate })
}

/// A vendor's address, or the one written.
pub(super) fn vendor_url(fields: &Fields<'_>, key: &'static str, default: &str) -> String {
    match fields.http_url(key) {
        Some(url) => {
            fields.warn_plain_http(&url.value, url.at);
            url.value
        }
        None => default.to_owned(),
    }
}

fn pagerduty(fields: &Fields<'_>) -> Option<ReceiverKind> {
    let routing_key = fields.required_secret("routing_key");
    let (webhook_secret, api_token) = (fields.secret("webhook_secret"), fields.secret("api_token"));
    let from = fields.text("from").filter(|text| text.known && !text.value.is_empty());
    if let Some(from) = from.as_ref().filter(|from| !is_mail_address(&from.value)) {
        let message = format!("`from` of {} must be a user's e-mail address", fields.owner);
        fields.cx.push(Finding::error(Code::BadAddress, from.at, message));
    }
    if fields.has("from") && !fields.has("api_token") {
        more::no_effect(fields, "from", "priorities are not set without an `api_token`", "add `api_token`");
    }
    let url = vendor_url(fields, "url", PAGERDUTY_URL);
    let api_url = vendor_url(fields, "api_url", PAGERDUTY_API_URL);
    let from = from.map(|from| from.value);
    let people = PagerdutyPeople { webhook_secret, api_token, from, api_url };
    Some(ReceiverKind::Pagerduty { routing_key: routing_key?, url, people })
}

fn slack(fields: &Fields<'_>) -> Option<ReceiverKind> {
    let signing_secret = fields.secret("signing_secret");
    let allow = more::pressing(fields);
    let url = vendor_url(fields, "url", SLACK_URL);
    let (word, entry) = fields.kind(&["webhook", "channel"])?;
    if word == "channel" {
        let channel = fields.required_text("channel");
        let token = fields.required_secret("token");
        let people = SlackPeople { signing_secret, allow };
        return Some(ReceiverKind::SlackBot { channel: channel?.value, token: token?, url, people });
    }
    let webhook = fields.required_secret("webhook")?;
    if let Some(entry) = fields.entry("token") {
        let message = format!("{} needs no `token`: a webhook has its own", fields.owner);
        fields.cx.push(Finding::error(Code::Exclusive, entry.key.at, message).help("remove it"));
    }
    if fields.has("signing_secret") {
        let message = format!("{} has no buttons: messages of a webhook cannot be kept up to date", fields.owner);
        let finding = Finding::error(Code::Exclusive, fields.key_at("signing_secret"), message);
        fields.cx.push(finding.help("remove `signing_secret`, or write `channel` and `token` of a bot"));
    }
    let address = url::Url::parse(webhook.expose());
    if !webhook.is_empty() && !address.is_ok_and(|address| matches!(address.scheme(), "http" | "https")) {
        let message = format!("`webhook` of {} is no address", fields.owner);
        fields.cx.push(Finding::error(Code::BadAddress, entry.value.at, message));
    }
    fields.warn_plain_http(webhook.expose(), entry.value.at);
    Some(ReceiverKind::SlackWebhook { webhook })
}

fn email(fields: &Fields<'_>) -> ReceiverKind {
    fields.require("to");
    let to = fields.mail_addresses("to");
    let cc = fields.mail_addresses("cc");
    if to.is_empty() && fields.has("to") {
        let message = format!("`to` of {} names nobody", fields.owner);
        fields.cx.push(Finding::error(Code::MissingKey, fields.key_at("to"), message));
    }
    ReceiverKind::Email { to, cc }
}

fn statuspage(fields: &Fields<'_>) -> Option<ReceiverKind> {
    let page = fields.required_text("page");
    let key = fields.required_secret("key");
    let components = components(fields);
    let url = vendor_url(fields, "url", STATUSPAGE_URL);
    Some(ReceiverKind::Statuspage { page: page?.value, key: key?, components, url })
}

pub(super) fn components(fields: &Fields<'_>) -> BTreeMap<String, String> {
    fields.require("components");
    let mut components = BTreeMap::new();
    for entry in fields.free_map("components", |text| !text.is_empty()) {
        let what = format!("component `{}` of {}", clipped(&entry.key.value), fields.owner);
        if let Some(text) = resolve(fields.cx, &entry.value, &what) {
            components.insert(entry.key.value.clone(), text.value);
        }
    }
    components
}

/// Reports receivers that fall back to each other in a circle, each circle once.
pub(crate) fn check_fallbacks(cx: &Context<'_>, document: &Document) {
    let mut walked: HashSet<&str> = HashSet::new();
    for entry in document.map("receivers") {
        let mut chain: Vec<&str> = Vec::new();
        let mut next = Some((entry, entry.key.at));
        while let Some((entry, at)) = next {
            let name = entry.key.value.as_str();
            if let Some(start) = chain.iter().position(|known| *known == name) {
                let message = format!("fallbacks go round in a circle: {} → {name}", chain[start..].join(" → "));
                let finding = Finding::error(Code::FallbackCycle, at, message);
                cx.push(finding.help("end the chain with a receiver that has no fallback"));
                break;
            }
            if !walked.insert(name) || chain.len() > 100 {
                break;
            }
            chain.push(name);
            let fallback = entry.value.child("fallback");
            next = fallback.and_then(|node| Some((document.find("receivers", node.scalar()?)?, node.at)));
        }
    }
}

/// Reads the `mail` block.
pub(crate) fn mail(cx: &Context<'_>, entry: &Entry) -> Option<Mail> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, "`mail`")?;
    let smtp = fields.required_text("smtp").and_then(|text| fields.check_url("smtp", text, &["smtp", "smtps"]));
    let user = fields.string("user").filter(|user| !user.is_empty());
    let password = fields.secret("password");
    if let Some(smtp) = &smtp
        && let Ok(url) = url::Url::parse(&smtp.value)
    {
        let encrypted = url.scheme() == "smtps" || url.query().is_some_and(|query| query.contains("tls=required"));
        if (password.is_some() || url.password().is_some()) && !encrypted && !is_loopback(&url) {
            let finding = Finding::warning(Code::PlainHttp, smtp.at, "`mail` may send its password unencrypted");
            cx.push(finding.help("use `smtps://`, or add `?tls=required`"));
        }
    }
    let from = fields.required_text("from");
    if let Some(from) = from.as_ref().filter(|from| from.known && !is_mail_address(&from.value)) {
        let message = format!("`from` of `mail` is no e-mail address: `{}`", clipped(&from.value));
        cx.push(Finding::error(Code::BadAddress, from.at, message));
    }
    fields.close();
    Some(Mail { smtp: smtp?.value, user, password, from: from?.value })
}
