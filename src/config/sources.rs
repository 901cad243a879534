//! `sources:`

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    codes::Code,
    context::{Context, Thing},
    document::SOURCE_KINDS,
    fields::Fields,
    finding::Finding,
    model::{Blind, Postgres, Prometheus, Source, SourceKind, Tls},
    outside::{Text, secret},
    secret::Secret,
    tree::Entry,
    values::{ANY, FROM_SECOND},
};
use crate::domain::policy::Priority;

/// Pingdom's API.
const PINGDOM_URL: &str = "https://api.pingdom.com";

/// Reads one source.
pub(crate) fn decode(cx: &Context<'_>, entry: &Entry) -> Option<Source> {
    let fields = Fields::open(cx, &entry.value, entry.key.at, format!("source `{}`", entry.key.value))?;
    let blind_after = fields.duration("blind_after", FROM_SECOND).unwrap_or(Duration::from_mins(5));
    let blind = fields.entry("blind").and_then(|entry| blind(&fields, entry));
    let kind = fields.kind(&SOURCE_KINDS);
    let owner = fields.owner.clone();
    fields.close();
    let (word, entry) = kind?;
    let inner = Fields::open(cx, &entry.value, entry.key.at, owner)?;
    let kind = match word {
        "prometheus" => Some(SourceKind::Prometheus(prometheus(&inner))),
        "postgres" => Some(SourceKind::Postgres(postgres(&inner))),
        _ => pingdom(&inner),
    };
    inner.close();
    Some(Source { kind: kind?, blind_after, blind })
}

fn blind(fields: &Fields<'_>, entry: &Entry) -> Option<Blind> {
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, format!("`blind` of {}", fields.owner))?;
    let blind = Blind {
        priority: inner.priority("priority").unwrap_or(Priority::P3),
        notify: inner.receivers("notify").unwrap_or_default(),
        escalation: inner.reference("escalation", Thing::Escalation).map(|name| name.value),
    };
    inner.close();
    Some(blind)
}

fn prometheus(fields: &Fields<'_>) -> Prometheus {
    let url = fields.required_http_url("url");
    let headers = headers(fields, "headers");
    let bearer = fields.secret("bearer");
    let basic = fields.entry("basic").and_then(|entry| basic(fields, entry));
    if let Some(url) = &url
        && (bearer.is_some() || basic.is_some() || headers.keys().any(|name| is_confidential(name)))
    {
        fields.warn_plain_http(&url.value, url.at);
    }
    if bearer.is_some() && basic.is_some() {
        let message = format!("{} has both `bearer` and `basic`", fields.owner);
        fields.cx.push(Finding::error(Code::Exclusive, fields.key_at("basic"), message).help("keep one of them"));
    }
    Prometheus {
        url: url.map(|url| url.value).unwrap_or_default(),
        timeout: fields.duration("timeout", FROM_SECOND).unwrap_or(Duration::from_secs(10)),
        headers,
        bearer,
        basic,
        tls: tls(fields),
        tenant: fields.string("tenant"),
        max_concurrency: fields.integer("max_concurrency", 1..=64).unwrap_or(4) as usize,
        lookback: fields.duration("lookback", FROM_SECOND).unwrap_or(Duration::from_mins(5)),
        settle: fields.duration("settle", ANY).unwrap_or(Duration::from_secs(15)),
    }
}

fn basic(fields: &Fields<'_>, entry: &Entry) -> Option<(String, Secret)> {
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, format!("`basic` of {}", fields.owner))?;
    let user = inner.required_text("user");
    let password = inner.required_secret("password");
    inner.close();
    Some((user?.value, password?))
}

/// Whether a header of this name carries a secret.
pub(crate) fn is_confidential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie", "key", "token", "secret"].iter().any(|word| name.contains(word))
}

/// Request headers; their values may be secrets.
pub(crate) fn headers(fields: &Fields<'_>, key: &'static str) -> BTreeMap<String, Secret> {
    let legal = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let mut headers = BTreeMap::new();
    for entry in fields.free_map(key, legal) {
        let what = format!("header `{}` of {}", entry.key.value, fields.owner);
        let text = if is_confidential(&entry.key.value) {
            secret(fields.cx, &entry.value, &what)
        } else {
            super::outside::resolve(fields.cx, &entry.value, &what)
        };
        let Some(text) = text else { continue };
        if text.value.chars().any(char::is_control) {
            fields.cx.push(Finding::error(Code::OutOfRange, text.at, format!("{what} contains control characters")));
        }
        headers.insert(entry.key.value.clone(), Secret::new(text.value));
    }
    headers
}

fn tls(fields: &Fields<'_>) -> Tls {
    let open = |entry: &'_ Entry| {
        let inner = Fields::over(
            fields.cx,
            entry.value.entries().unwrap_or_default(),
            entry.key.at,
            format!("`tls` of {}", fields.owner),
        );
        let path = |key| inner.string(key).map(PathBuf::from);
        let tls = Tls { ca: path("ca"), cert: path("cert"), key: path("key") };
        if tls.cert.is_some() != tls.key.is_some() {
            let message = format!("{} needs both `cert` and `key`", inner.owner);
            fields.cx.push(Finding::error(Code::MissingKey, entry.key.at, message));
        }
        inner.close();
        tls
    };
    match fields.entry("tls") {
        Some(entry) if entry.value.entries().is_none() => {
            let message = format!("`tls` of {} must be a map, not {}", fields.owner, entry.value.word());
            fields.cx.push(Finding::error(Code::WrongType, entry.value.at, message));
            Tls::default()
        }
        Some(entry) => open(entry),
        None => Tls::default(),
    }
}

fn postgres(fields: &Fields<'_>) -> Postgres {
    let url = fields.required_text("url").and_then(|url| postgres_url(fields, url));
    Postgres {
        url: Secret::new(url.unwrap_or_default()),
        statement_timeout: fields.duration("statement_timeout", FROM_SECOND).unwrap_or(Duration::from_secs(5)),
        connections: fields.integer("connections", 1..=64).unwrap_or(2) as u32,
        max_rows: fields.integer("max_rows", 1..=10_000_000).unwrap_or(100_000) as usize,
        tls: tls(fields),
    }
}

/// An address without a password is no secret: only one with a password ought to come from outside.
fn postgres_url(fields: &Fields<'_>, text: Text) -> Option<String> {
    if !text.known {
        return Some(text.value);
    }
    let url = match url::Url::parse(&text.value) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => url,
        _ => {
            fields.cx.hide(text.at);
            let message = format!("`url` of {} is no address of a Postgres server", fields.owner);
            let help = "write `postgres://user@host/database`";
            fields.cx.push(Finding::error(Code::BadAddress, text.at, message).help(help));
            return None;
        }
    };
    if text.literal && url.password().is_some() {
        fields.cx.hide(text.at);
        let message = format!("`url` of {} holds a password, written into the file", fields.owner);
        fields.cx.push(Finding::warning(Code::LiteralSecret, text.at, message).help("use `{from_env: NAME}`"));
    }
    Some(text.value)
}

fn pingdom(fields: &Fields<'_>) -> Option<SourceKind> {
    let token = fields.required_secret("token");
    let url = fields.http_url("url");
    if let Some(url) = &url {
        fields.warn_plain_http(&url.value, url.at);
    }
    let url = url.map_or_else(|| PINGDOM_URL.to_owned(), |url| url.value);
    Some(SourceKind::Pingdom { token: token?, url })
}
