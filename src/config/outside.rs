//! Values from outside: `{from_env: NAME, default: …}`, `{from_file: path}`, `{from_credential: name}`. Secrets.

use std::path::PathBuf;

use super::{
    Mode,
    codes::Code,
    context::Context,
    fields::{Fields, clipped},
    finding::Finding,
    open::{self, Refused},
    secret::Secret,
    tree::{Node, Span, Value},
};

/// Largest file a value is read from.
const VALUE_BYTES_MAX: u64 = 64 << 10;

/// A text, and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The text; empty if it is not known.
    pub value: String,
    /// Where it is written.
    pub at: Span,
    /// It stands in the file itself.
    pub literal: bool,
    /// It could be had. (A variable may be unset while only checking.)
    pub known: bool,
}

impl Fields<'_> {
    /// A text under `key`, literal or from outside.
    pub fn text(&self, key: &'static str) -> Option<Text> {
        let node = self.get(key)?;
        resolve(self.cx, node, &format!("`{key}` of {}", self.owner))
    }

    /// A text under `key`, as a plain string.
    pub fn string(&self, key: &'static str) -> Option<String> {
        self.text(key).map(|text| text.value)
    }

    /// A text under `key` that must be there and say something.
    pub fn required_text(&self, key: &'static str) -> Option<Text> {
        self.require(key);
        let text = self.text(key)?;
        if text.known && text.value.trim().is_empty() {
            let message = format!("`{key}` of {} is empty", self.owner);
            self.cx.push(Finding::error(Code::MissingKey, text.at, message));
            return None;
        }
        Some(text)
    }

    /// A secret under `key`; an empty one is the same as an absent key.
    pub fn secret(&self, key: &'static str) -> Option<Secret> {
        let node = self.get(key)?;
        let text = secret(self.cx, node, &format!("`{key}` of {}", self.owner))?;
        (!text.value.is_empty()).then(|| Secret::new(text.value))
    }

    /// A secret under `key` that must be there; empty only if its variable is not set.
    pub fn required_secret(&self, key: &'static str) -> Option<Secret> {
        self.require(key);
        let node = self.get(key)?;
        let what = format!("`{key}` of {}", self.owner);
        let text = secret(self.cx, node, &what)?;
        if text.known && text.value.is_empty() {
            self.cx.push(absent(self.cx.mode, node.at, format!("{what} is empty")));
        }
        Some(Secret::new(text.value))
    }
}

/// A secret: like a text, with a warning if it stands in the file.
pub(crate) fn secret(cx: &Context<'_>, node: &Node, what: &str) -> Option<Text> {
    if !matches!(node.value, Value::Map(_)) {
        cx.hide(node.at);
        hide_block(cx, node.at);
    }
    let text = resolve(cx, node, what)?;
    let default = node.child("default").filter(|default| default.scalar().is_some_and(|text| !text.is_empty()));
    if let Some(default) = default {
        cx.hide(default.at);
    }
    if text.literal && !text.value.is_empty() || default.is_some() {
        let at = default.map_or(node.at, |default| default.at);
        let message = format!("{what} is a secret, written into the file");
        cx.push(Finding::warning(Code::LiteralSecret, at, message).help("use `{from_env: NAME}`"));
    }
    Some(text)
}

/// A block scalar begins below its key: hides those lines too.
fn hide_block(cx: &Context<'_>, at: Span) {
    let text = &cx.files.get(at.file).text;
    let (line, start) = cx.files.get(at.file).line_at(at.start);
    let own = cx.files.get(at.file).line_text(line);
    if !own.trim_end_matches(['-', '+']).ends_with(['|', '>'])
        && text.as_bytes().get(at.start).is_none_or(|byte| !matches!(byte, b'"' | b'\''))
    {
        return;
    }
    let indent = own.len() - own.trim_start().len();
    let mut from = start + own.len() + 1;
    for more in text.get(from..).unwrap_or_default().split('\n') {
        if !more.trim().is_empty() && more.len() - more.trim_start().len() <= indent {
            break;
        }
        cx.hide(Span { file: at.file, start: from, end: from + more.len() });
        from += more.len() + 1;
    }
}

/// The text of a scalar or of a reference to the outside.
pub(crate) fn resolve(cx: &Context<'_>, node: &Node, what: &str) -> Option<Text> {
    match &node.value {
        Value::Scalar { text, .. } => Some(Text { value: text.clone(), at: node.at, literal: true, known: true }),
        Value::Map(entries) => {
            let at = entries.first().map_or(node.at, |entry| entry.key.at);
            let fields = Fields::over(cx, entries, at, what.to_owned());
            let found = outside(&fields);
            fields.close();
            if let Some(found) = &found {
                // a variable meant for something else may hold a secret: messages name it, not what is in it
                cx.hide_text(found.at, &found.value);
            }
            found
        }
        Value::Null | Value::List(_) => {
            let message = format!("{what} must be a text, not {}", node.word());
            cx.push(Finding::error(Code::WrongType, node.at, message));
            None
        }
    }
}

fn outside(fields: &Fields<'_>) -> Option<Text> {
    let default = fields.get("default");
    let (kind, entry) = fields.kind(&["from_env", "from_file", "from_credential"])?;
    let (cx, node) = (fields.cx, &entry.value);
    let Some(name) = node.scalar().filter(|name| !name.is_empty() && !name.contains('\0')) else {
        let message = format!("`{kind}` in {} must be a name", fields.owner);
        cx.push(Finding::error(Code::BadOutsideValue, node.at, message));
        return None;
    };
    let fallback = match default.map(|default| (default, &default.value)) {
        None => None,
        Some((_, Value::Scalar { text, .. })) => Some(text.clone()),
        Some((_, Value::Null)) => Some(String::new()),
        Some((default, _)) => {
            let message = format!("`default` in {} must be a text, not {}", fields.owner, default.word());
            cx.push(Finding::error(Code::WrongType, default.at, message));
            return None;
        }
    };
    let looked_up = match kind {
        "from_env" => variable(fields, name, node.at)?,
        "from_file" => read(&cx.files.get(node.at.file).folder.join(name)),
        _ => credential(fields, name, node.at)?,
    };
    match (looked_up, fallback) {
        (Ok(value), _) | (Err(_), Some(value)) => Some(Text { value, at: node.at, literal: false, known: true }),
        (Err(why), None) => {
            cx.push(absent(cx.mode, node.at, format!("{}: {why}", fields.owner)));
            Some(Text { value: String::new(), at: node.at, literal: false, known: false })
        }
    }
}

/// What is not there is a warning while checking, an error where it is needed.
fn absent(mode: Mode, at: Span, message: String) -> Finding {
    match mode {
        Mode::Check => Finding::warning(Code::UnsetVariable, at, message),
        Mode::Run => Finding::error(Code::UnsetVariable, at, message).help("set it, or give a `default`"),
    }
}

type LookedUp = Result<String, String>;

fn variable(fields: &Fields<'_>, name: &str, at: Span) -> Option<LookedUp> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.bytes().all(legal) || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        let message = format!("`{}` is no name of a variable", clipped(name));
        fields.cx.push(Finding::error(Code::BadOutsideValue, at, message).help("write the name only, without `$`"));
        return None;
    }
    Some((fields.cx.env)(name).ok_or_else(|| format!("variable `{name}` is not set")))
}

fn credential(fields: &Fields<'_>, name: &str, at: Span) -> Option<LookedUp> {
    if name.contains('/') || name == ".." || name == "." {
        let message = format!("`{}` is no name of a credential", clipped(name));
        fields.cx.push(Finding::error(Code::BadOutsideValue, at, message).help("write the name only, without a path"));
        return None;
    }
    Some(match (fields.cx.env)("CREDENTIALS_DIRECTORY") {
        Some(folder) => read(&PathBuf::from(folder).join(name)),
        None => Err(format!("no credential `{name}`: `$CREDENTIALS_DIRECTORY` is not set")),
    })
}

/// The text of a file, without the line break at its end.
fn read(path: &std::path::Path) -> LookedUp {
    let cannot = |why: String| format!("cannot read `{}`: {why}", path.display());
    let bytes = open::read(path, VALUE_BYTES_MAX).map_err(|refused| match refused {
        Refused::Unreadable(why) => cannot(why),
        Refused::TooLarge => cannot("it is over 64 KiB".to_owned()),
    })?;
    let mut text = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8".to_owned()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
