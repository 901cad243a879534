//! Finds the values that must not be shown: whatever stands where secrets are at home, unless it is known harmless.
//!
//! It goes by the place, not by the key's spelling: a key that is misspelled, or not known at all, hides its value too.

use super::{
    address::is_mail_address,
    context::Context,
    files::File,
    looks,
    tree::{Node, Span, Value},
    units,
};

/// Top-level keys below which nothing is secret but for [`PLACES`].
const OPEN: [&str; 9] =
    ["version", "include", "services", "policies", "escalations", "reports", "reminders", "maintenance", "templates"];
/// Keys of `daemon` whose values may be seen.
const OPEN_IN_DAEMON: [&str; 11] = [
    "listen",
    "external_url",
    "store",
    "timezone",
    "tls",
    "retention",
    "max_series_per_slo",
    "socket",
    "log",
    "level",
    "format",
];
/// Keys below which secrets are at home, wherever they stand.
const PLACES: [&str; 3] = ["headers", "heartbeat", "decision_log"];
/// Keys whose values are names of something else.
const REFERENCES: [&str; 5] = ["fallback", "notify", "escalation", "source", "receiver"];
/// Parts of keys whose values are secrets, even numbers.
const SECRETIVE: [&str; 9] =
    ["pass", "secret", "token", "bearer", "auth", "cookie", "credential", "api_key", "routing_key"];
/// Schemes of addresses whose host may be seen.
const HOSTED: [&str; 6] = ["http", "https", "smtp", "smtps", "postgres", "postgresql"];
/// Words of the language that are values.
const WORDS: [&str; 24] = [
    "true", "false", "True", "False", "TRUE", "FALSE", "read", "operate", "admin", "P1", "P2", "P3", "P4", "P5",
    "online", "required", "approve", "auto", "insert", "update", "json", "logfmt", "info", "debug",
];

/// Hides what must not be shown of all files.
pub(crate) fn hide(cx: &Context<'_>) {
    for file in cx.files.iter() {
        for node in file.root.iter().chain(&file.dropped) {
            let Value::Map(entries) = &node.value else {
                Walk { cx, inside: true, strict: false }.node("", node);
                continue;
            };
            let is_root = file.root.as_ref().is_some_and(|root| std::ptr::eq(root, node));
            for entry in entries {
                let key = entry.key.value.as_str();
                let open = OPEN.contains(&key) || key.starts_with("x-");
                let walk = Walk { cx, inside: !is_root || !open, strict: false };
                match &entry.value.value {
                    Value::Map(settings) if key == "daemon" => {
                        for setting in settings {
                            let inside = !OPEN_IN_DAEMON.contains(&setting.key.value.as_str());
                            Walk { inside, ..walk }.entry(&setting.key.value, &setting.value);
                        }
                    }
                    _ => walk.entry(key, &entry.value),
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Walk<'w, 'c> {
    cx: &'w Context<'c>,
    /// Whether this is where secrets are at home.
    inside: bool,
    /// Whether not even a number is harmless.
    strict: bool,
}

impl Walk<'_, '_> {
    fn entry(self, key: &str, value: &Node) {
        let secretive = is_secretive(key);
        let single = !matches!(value.value, Value::Map(_));
        let inside = self.inside || PLACES.contains(&key) || secretive && single;
        Walk { inside, strict: inside && (self.strict || secretive), ..self }.node(key, value);
    }

    fn node(self, key: &str, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.node(key, item)),
            Value::Map(entries) => entries.iter().for_each(|entry| self.entry(&entry.key.value, &entry.value)),
            Value::Scalar { text, .. } if self.inside => self.scalar(key, text, node.at),
            Value::Null | Value::Scalar { .. } => {}
        }
    }

    fn scalar(self, key: &str, text: &str, at: Span) {
        let exists = || self.cx.known.values().any(|names| names.contains_key(text));
        if is_harmless(key, text, self.strict) || !self.strict && exists() {
            return;
        }
        let whole = self.cx.files.get(at.file).text.get(at.start..at.end).unwrap_or_default();
        let shown = if self.strict { None } else { host_end(text) };
        match (whole.find(text), shown) {
            (Some(from), Some(end)) if !text.is_empty() => {
                self.cx.hide(Span { start: at.start + from + end, end: at.start + from + text.len(), ..at });
            }
            _ => self.cx.hide(at),
        }
        self.cx.hide_text(at, text);
    }
}

/// Where the part of an address ends that may be seen: scheme, host and port. None if it has to be hidden as a whole.
fn host_end(text: &str) -> Option<usize> {
    let start = text.find("://").filter(|at| HOSTED.contains(&&text[..*at]))? + 3;
    let rest = &text[start..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = &rest[..end];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let end = if rest[end..].starts_with('/') { end + 1 } else { end };
    (!host.is_empty() && host.bytes().all(plain) && !looks::is_secret(host)).then_some(start + end)
}

fn is_secretive(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key == "key" || SECRETIVE.iter().any(|part| key.contains(part))
}

/// Whether a value says nothing that is secret.
fn is_harmless(key: &str, text: &str, strict: bool) -> bool {
    let made_of = |legal: fn(u8) -> bool, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(legal) && !looks::is_secret(text)
    };
    if text.is_empty() {
        return true;
    }
    let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    match key {
        "from_env" => {
            let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            made_of(legal, 64) && !text.starts_with(|letter: char| letter.is_ascii_digit())
        }
        "from_file" => made_of(in_path, 200) && text.contains(['/', '.']),
        "from_credential" => made_of(|byte| byte.is_ascii_lowercase() || b"._-".contains(&byte), 64),
        "can" => WORDS.contains(&text),
        "table" if !strict => made_of(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte), 100),
        "channel" | "allow" if !strict => {
            let legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            text.starts_with(['C', 'G', 'U', 'W']) && made_of(legal, 16)
        }
        "email" | "to" | "cc" | "from" if !strict => is_mail_address(text) && !looks::is_secret(text),
        _ if strict => false,
        _ if REFERENCES.contains(&key) => {
            made_of(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-', 40)
        }
        _ => WORDS.contains(&text) || is_quantity(text),
    }
}

/// A number, percentage, duration, size, rate or range.
fn is_quantity(text: &str) -> bool {
    let one = |text: &str| {
        let text = text.trim();
        let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '%');
        let unit = &text[number.len()..];
        let units = ["", "%", "ms", "s", "m", "h", "d", "w", "B", "KiB", "MiB", "GiB", "KB", "MB"];
        units::duration(text).is_ok()
            || units.contains(&unit)
                && number.bytes().any(|byte| byte.is_ascii_digit())
                && number.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte))
    };
    text.len() <= 12 && text.split(['/', '-']).all(one)
}

/// What must not be shown of a line in a file that does not parse: goes by indentation, and hides too much if in doubt.
pub(crate) fn of_unparsed(file: &File, line: usize) -> Vec<std::ops::Range<usize>> {
    let text = file.line_text(line);
    if !is_in_place(file, line) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let (mut from, mut quote, mut key) = (0, None, None);
    let mut value = |key: Option<&str>, from: usize, to: usize| {
        let word = text[from..to].trim();
        let word = word.strip_prefix("- ").unwrap_or(word).trim();
        let bare = word.trim_matches(['"', '\'']);
        if !["-", "?", "---", "..."].contains(&bare)
            && !is_harmless(key.unwrap_or_default(), bare, key.is_some_and(is_secretive))
        {
            let start = from + text[from..to].find(word).unwrap_or_default();
            found.push(start..start + word.len());
        }
    };
    for (at, letter) in text.char_indices() {
        let after = text[at + letter.len_utf8()..].chars().next();
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') if text[from..at].trim().trim_start_matches("- ").is_empty() => quote = Some(letter),
            (None, '{' | '}' | '[' | ']' | ',') => {
                value(key, from, at);
                (from, key) = (at + 1, None);
            }
            (None, ':') if key.is_none() && after.is_none_or(|letter| matches!(letter, ' ' | '{' | '[')) => {
                key = Some(text[from..at].trim().trim_start_matches("- ").trim_matches(['"', '\'', ' ']));
                from = at + 1;
            }
            _ => {}
        }
    }
    value(key, from, text.len());
    found
}

/// Whether a line of a file that does not parse lies where secrets are at home.
fn is_in_place(file: &File, line: usize) -> bool {
    let mut indent = usize::MAX;
    for line in (1..=line).rev() {
        let text = file.line_text(line);
        let own = text.len() - text.trim_start().len();
        let bare = text.trim_start();
        if bare.is_empty() || bare.starts_with('#') || own >= indent {
            continue;
        }
        indent = own;
        if PLACES.iter().any(|place| text.contains(place)) || SECRETIVE.iter().any(|part| text.contains(part)) {
            return true;
        }
        if own == 0 {
            let key = bare.split(':').next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
            return !OPEN.contains(&key);
        }
    }
    true
}
