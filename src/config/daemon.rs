//! `daemon:`, and what flags and variables say instead.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    address::is_exposed,
    calendar::is_timezone,
    codes::Code,
    context::Context,
    fields::{Fields, clipped},
    finding::Finding,
    model::{Daemon, Heartbeat, LogFormat, Right, StoreUrl, Token},
    outside::secret,
    overrides::Overrides,
    secret::Secret,
    tree::{Entry, Span},
    units,
    values::FROM_SECOND,
};

/// One scalar setting: its text, and who says so.
struct Setting {
    text: String,
    who: String,
    at: Option<Span>,
}

/// Reads the block; without one everything has its default.
pub(crate) fn decode(cx: &Context<'_>, entry: Option<&Entry>, overrides: &Overrides) -> Option<Daemon> {
    let nothing = Span { file: 0, start: 0, end: 0 };
    let fields = match entry {
        Some(entry) => Fields::open(cx, &entry.value, entry.key.at, "`daemon`")?,
        None => Fields::over(cx, &[], nothing, "`daemon`".to_owned()),
    };
    let listen = listen(&fields, overrides);
    let external_url = external_url(&fields, overrides, listen);
    let store = store(&fields, overrides);
    let timezone = timezone(&fields, overrides);
    let retention = retention(&fields, overrides);
    let max_series_per_slo =
        setting(&fields, "max_series_per_slo", "--max-series-per-slo", overrides.max_series_per_slo.as_ref()).and_then(
            |setting| match setting.text.parse::<usize>() {
                Ok(number @ 1..=1_000_000) => Some(number),
                _ => refuse(cx, &setting, Code::OutOfRange, "a whole number between 1 and 1000000"),
            },
        );
    let socket =
        setting(&fields, "socket", "--socket", overrides.socket.as_ref()).map(|setting| PathBuf::from(setting.text));
    let (log_level, log_format) = log(&fields, overrides);
    let tokens = tokens(&fields);
    not_built_yet(&fields);
    let heartbeat = heartbeat(&fields);
    fields.close();
    Some(Daemon {
        listen,
        external_url,
        store: store?,
        timezone,
        tokens,
        retention,
        max_series_per_slo: max_series_per_slo.unwrap_or(1000),
        socket,
        heartbeat,
        log_level,
        log_format,
    })
}

fn setting(fields: &Fields<'_>, key: &'static str, flag: &str, over: Option<&String>) -> Option<Setting> {
    let text = fields.text(key);
    // a variable set to nothing says nothing
    if let Some(over) = over.filter(|over| !over.is_empty()) {
        return Some(Setting { text: over.clone(), who: format!("`{flag}`"), at: None });
    }
    let text = text.filter(|text| text.known)?;
    Some(Setting { text: text.value, who: format!("`{key}` of {}", fields.owner), at: Some(text.at) })
}

fn refuse<T>(cx: &Context<'_>, setting: &Setting, code: Code, shape: &str) -> Option<T> {
    let message = format!("{} must be {shape}, not `{}`", setting.who, clipped(&setting.text));
    cx.push(Finding::error(code, setting.at, message));
    None
}

fn listen(fields: &Fields<'_>, overrides: &Overrides) -> SocketAddr {
    let default = SocketAddr::from(([127, 0, 0, 1], 9720));
    setting(fields, "listen", "--listen", overrides.listen.as_ref())
        .and_then(|setting| match socket_address(&setting.text) {
            Some(address) => Some(address),
            None => refuse(fields.cx, &setting, Code::BadAddress, "an address and port such as `127.0.0.1:9720`"),
        })
        .unwrap_or(default)
}

fn socket_address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?))),
        None => text.parse().ok(),
    }
}

fn external_url(fields: &Fields<'_>, overrides: &Overrides, listen: SocketAddr) -> String {
    setting(fields, "external_url", "--external-url", overrides.external_url.as_ref())
        .and_then(|setting| match url::Url::parse(&setting.text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
                Some(setting.text.trim_end_matches('/').to_owned())
            }
            _ => refuse(fields.cx, &setting, Code::BadAddress, "a URL such as `https://slod.example.com`"),
        })
        .unwrap_or_else(|| format!("http://{listen}"))
}

fn timezone(fields: &Fields<'_>, overrides: &Overrides) -> String {
    setting(fields, "timezone", "--timezone", overrides.timezone.as_ref())
        .and_then(|setting| {
            if is_timezone(&setting.text) {
                return Some(setting.text);
            }
            refuse(fields.cx, &setting, Code::Timezone, "an IANA time zone such as `Europe/Paris`")
        })
        .unwrap_or_else(|| "UTC".to_owned())
}

fn retention(fields: &Fields<'_>, overrides: &Overrides) -> Duration {
    setting(fields, "retention", "--retention", overrides.retention.as_ref())
        .and_then(|setting| match units::duration(&setting.text) {
            Ok(retention) if retention >= Duration::from_hours(24) => Some(retention),
            Ok(_) => refuse(fields.cx, &setting, Code::OutOfRange, "at least a day"),
            Err(_) => refuse(fields.cx, &setting, Code::NoUnit, "a duration such as `400d`"),
        })
        .unwrap_or(Duration::from_hours(400 * 24))
}

fn store(fields: &Fields<'_>, overrides: &Overrides) -> Option<StoreUrl> {
    let cx = fields.cx;
    let Some(setting) = setting(fields, "store", "--store", overrides.store.as_ref()) else {
        return Some(StoreUrl::Sqlite(in_state_directory(cx, "slod.db")));
    };
    if let Some(path) = setting.text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains([':', '?', '\0']) {
            return refuse(cx, &setting, Code::BadAddress, "`sqlite:` and the path of a file");
        }
        return Some(StoreUrl::Sqlite(in_state_directory(cx, path)));
    }
    if setting.text.starts_with("postgres://") || setting.text.starts_with("postgresql://") {
        let Ok(url) = url::Url::parse(&setting.text) else {
            let message = format!("{} is no address of a server", setting.who);
            cx.push(Finding::error(Code::BadAddress, setting.at, message));
            return None;
        };
        let literal = fields.get("store").is_some_and(|node| node.scalar().is_some());
        if let Some(at) = setting.at
            && literal
            && url.password().is_some()
        {
            let message = format!("{} holds a password, written into the file", setting.who);
            cx.push(Finding::warning(Code::LiteralSecret, at, message).help("use `{from_env: NAME}`"));
        }
        cx.not_yet("`store` in Postgres", setting.at.unwrap_or(fields.at));
        return Some(StoreUrl::Postgres(Secret::new(setting.text)));
    }
    cx.push(
        Finding::error(Code::BadAddress, setting.at, format!("{} names no kind of store that is known", setting.who))
            .help("write `sqlite:slod.db` or `postgres://host/database`"),
    );
    None
}

/// A relative path lies in `$STATE_DIRECTORY` if set, else in the working folder.
fn in_state_directory(cx: &Context<'_>, path: &str) -> PathBuf {
    let folder = (cx.env)("STATE_DIRECTORY").unwrap_or_default();
    // systemd separates several folders by colons; the first is ours
    let folder = folder.split(':').next().unwrap_or_default();
    PathBuf::from(folder).join(path)
}

fn log(fields: &Fields<'_>, overrides: &Overrides) -> (String, LogFormat) {
    let inner = match fields.entry("log") {
        Some(entry) => Fields::open(fields.cx, &entry.value, entry.key.at, "`log` of `daemon`"),
        None => None,
    };
    let inner = inner.unwrap_or_else(|| Fields::over(fields.cx, &[], fields.at, "`log` of `daemon`".to_owned()));
    let level = setting(&inner, "level", "--log-level", overrides.log_level.as_ref()).and_then(|setting| {
        if is_log_filter(&setting.text) {
            return Some(setting.text);
        }
        refuse(fields.cx, &setting, Code::UnknownChoice, "`error`, `warn`, `info`, `debug`, `trace` or a filter")
    });
    let format = setting(&inner, "format", "--log-format", overrides.log_format.as_ref()).and_then(|setting| {
        match setting.text.as_str() {
            "logfmt" => Some(LogFormat::Logfmt),
            "json" => Some(LogFormat::Json),
            _ => refuse(fields.cx, &setting, Code::UnknownChoice, "`logfmt` or `json`"),
        }
    });
    inner.close();
    (level.unwrap_or_else(|| "info".to_owned()), format.unwrap_or(LogFormat::Logfmt))
}

/// `info`, or `warn,slod::engine=debug`.
fn is_log_filter(text: &str) -> bool {
    let level = |word: &str| matches!(word, "error" | "warn" | "info" | "debug" | "trace" | "off");
    !text.is_empty()
        && text.split(',').all(|part| match part.split_once('=') {
            Some((target, word)) => !target.is_empty() && level(word),
            None => level(part),
        })
}

fn tokens(fields: &Fields<'_>) -> BTreeMap<String, Token> {
    let mut tokens = BTreeMap::new();
    for entry in fields.named("tokens", "a token") {
        let owner = format!("token `{}`", entry.key.value);
        let Some(inner) = Fields::open(fields.cx, &entry.value, entry.key.at, owner) else { continue };
        let secret = inner.required_secret("secret");
        inner.require("can");
        let mut can = Vec::new();
        for word in inner.words("can") {
            match word.value.as_str() {
                "read" => can.push(Right::Read),
                "operate" => can.push(Right::Operate),
                "admin" => can.push(Right::Admin),
                _ => inner.reject(Code::UnknownChoice, "can", &word, "`read`, `operate` or `admin`"),
            }
        }
        if inner.has("can") && inner.list("can").is_empty() {
            let message = format!("{} may do nothing", inner.owner);
            let finding = Finding::error(Code::MissingKey, inner.key_at("can"), message);
            inner.cx.push(finding.help("name `read`, `operate` or `admin`, or remove the token"));
        }
        inner.close();
        if let Some(secret) = secret {
            tokens.insert(entry.key.value.clone(), Token { secret, can });
        }
    }
    tokens
}

fn not_built_yet(fields: &Fields<'_>) {
    let cx = fields.cx;
    if let Some(entry) = fields.entry("tls") {
        cx.not_yet("`tls` of `daemon`", entry.key.at);
        if let Some(inner) = Fields::open(cx, &entry.value, entry.key.at, "`tls` of `daemon`") {
            inner.required_text("cert");
            inner.required_text("key");
            inner.close();
        }
    }
}

fn heartbeat(fields: &Fields<'_>) -> Option<Heartbeat> {
    let (cx, entry) = (fields.cx, fields.entry("heartbeat")?);
    let inner = Fields::open(cx, &entry.value, entry.key.at, "`heartbeat` of `daemon`")?;
    inner.require("url");
    let url = inner.get("url").and_then(|node| secret(cx, node, "`url` of `heartbeat`"));
    let every = inner.duration("every", FROM_SECOND).unwrap_or(Duration::from_mins(1));
    // It is called as it stands.
    let whole = url.as_ref().map(|url| Secret::new(&url.value));
    if let Some(url) = url.filter(|url| url.known && !url.value.is_empty()) {
        if !url.literal && is_exposed(&url.value) {
            inner.warn_plain_http(&url.value, url.at);
        }
        inner.check_url("url", url, &["http", "https"]);
    }
    inner.close();
    Some(Heartbeat { url: whole.filter(|url| !url.is_empty())?, every })
}
