//! Reads one map key by key. Keys nobody asked for are unknown: reported on [`Fields::close`].

use std::cell::RefCell;

use super::{
    codes::Code,
    context::{Context, nearest},
    finding::Finding,
    mask::SECRET_KEYS,
    tree::{Entry, Key, Node, Span, Spanned, Value},
};

/// A map that is being read.
pub(crate) struct Fields<'a> {
    /// Surroundings.
    pub cx: &'a Context<'a>,
    /// Whose keys these are: "SLO `warehouse/api`".
    pub owner: String,
    /// Where it begins: the key it stands under.
    pub at: Span,
    entries: &'a [Entry],
    asked: RefCell<Vec<&'static str>>,
    missing: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// Opens a map; reports anything else.
    pub fn open(cx: &'a Context<'a>, node: &'a Node, at: Span, owner: impl Into<String>) -> Option<Self> {
        let owner = owner.into();
        let Value::Map(entries) = &node.value else {
            if let Value::Null = node.value {
                return Some(Self::over(cx, &[], at, owner));
            }
            let message = format!("{owner} must be a map of keys, not {}", node.word());
            cx.push(Finding::error(Code::WrongType, node.at, message));
            return None;
        };
        Some(Self::over(cx, entries, at, owner))
    }

    /// Reads these entries.
    pub fn over(cx: &'a Context<'a>, entries: &'a [Entry], at: Span, owner: String) -> Self {
        Self { cx, owner, at, entries, asked: RefCell::default(), missing: RefCell::default() }
    }

    /// The entry under `key`.
    pub fn entry(&self, key: &'static str) -> Option<&'a Entry> {
        self.asked.borrow_mut().push(key);
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    /// The value under `key`.
    pub fn get(&self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Whether `key` is written, without asking for it.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.value == key)
    }

    /// Notes that `key` must be there.
    pub fn require(&self, key: &'static str) {
        if !self.has(key) {
            self.missing.borrow_mut().push(key);
        }
    }

    /// The place of `key`, or of the whole map.
    pub fn key_at(&self, key: &str) -> Span {
        self.entries.iter().find(|entry| entry.key.value == key).map_or(self.at, |entry| entry.key.at)
    }

    /// The one entry whose key is among `kinds`. None or several are reported.
    pub fn kind(&self, kinds: &[&'static str]) -> Option<(&'static str, &'a Entry)> {
        let found: Vec<_> = kinds.iter().filter_map(|kind| self.entry(kind).map(|entry| (*kind, entry))).collect();
        match found.as_slice() {
            [one] => Some(*one),
            [] => {
                if self.unknown().next().is_none() {
                    let message = format!("{} says nothing of its kind", self.owner);
                    let help = format!("write one of {}", quoted(kinds));
                    self.cx.push(Finding::error(Code::Exclusive, self.at, message).help(help));
                }
                None
            }
            [(first, entry), (second, other), ..] => {
                let message = format!("{} has both `{first}` and `{second}`", self.owner);
                let finding = Finding::error(Code::Exclusive, other.key.at, message).help("keep one of them");
                self.cx.push(finding.related(entry.key.at, "the other one"));
                None
            }
        }
    }

    /// The one entry of two that exclude each other, if any is there.
    pub fn either(&self, keys: &[&'static str]) -> Option<(&'static str, &'a Entry)> {
        if keys.iter().any(|key| self.has(key)) {
            return self.kind(keys);
        }
        for key in keys {
            self.asked.borrow_mut().push(key);
        }
        None
    }

    fn unknown(&self) -> impl Iterator<Item = &'a Entry> {
        let asked = self.asked.borrow().clone();
        self.entries
            .iter()
            .filter(move |entry| !asked.contains(&entry.key.value.as_str()) && !entry.key.value.starts_with("x-"))
    }

    /// Reports unknown keys, then missing ones.
    pub fn close(self) {
        let asked = self.asked.borrow().clone();
        let mut meant = Vec::new();
        for entry in self.unknown() {
            let key = &entry.key;
            let crowded = self.cx.is_crowded();
            let near = if crowded {
                None
            } else {
                nearest(&key.value, asked.iter().copied().filter(|known| !self.has(known)))
                    .or_else(|| nearest(&key.value, asked.iter().copied()))
            };
            if crowded || nearest(&key.value, SECRET_KEYS.iter().copied()).is_some() {
                self.cx.hide(entry.value.at);
            }
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if asked.is_empty() => "there are no keys here".to_owned(),
                None => format!("known keys: {}", listed(&asked)),
            };
            meant.extend(near);
            let message = format!("unknown key `{}` in {}", clipped(&key.value), self.owner);
            self.cx.push(Finding::error(Code::UnknownKey, key.at, message).help(help));
        }
        for key in self.missing.borrow().iter().filter(|key| !meant.contains(key)) {
            let message = format!("{} has no `{key}`", self.owner);
            self.cx.push(Finding::error(Code::MissingKey, self.at, message).help(format!("add `{key}: …`")));
        }
    }

    /// The named entries of the map under `key`, names checked; `x-` keys left out.
    pub fn named(&self, key: &'static str, what: &str) -> Vec<&'a Entry> {
        self.get(key).map_or_else(Vec::new, |node| named(self.cx, node, &format!("`{key}` of {}", self.owner), what))
    }

    /// The entries of the map under `key`, whose keys have rules of their own.
    pub fn free_map(&self, key: &'static str, legal: fn(&str) -> bool) -> Vec<&'a Entry> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Some(entries) = node.entries() else {
            let message = format!("`{key}` of {} must be a map, not {}", self.owner, node.word());
            self.cx.push(Finding::error(Code::WrongType, node.at, message));
            return Vec::new();
        };
        let (fine, bad): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| legal(&entry.key.value));
        for entry in bad {
            let message = format!("`{}` cannot be a key of `{key}`", clipped(&entry.key.value));
            self.cx.push(Finding::error(Code::BadName, entry.key.at, message));
        }
        fine
    }

    /// The items of the list under `key`; a single value is a list of one.
    pub fn list(&self, key: &'static str) -> &'a [Node] {
        match self.get(key) {
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => std::slice::from_ref(node),
            None => &[],
        }
    }

    /// The scalars of the list under `key`.
    pub fn words(&self, key: &'static str) -> Vec<Key> {
        let mut words = Vec::new();
        for node in self.list(key) {
            if let Some(text) = node.scalar() {
                words.push(Spanned { value: text.to_owned(), at: node.at });
            } else {
                let message = format!("`{key}` of {} is a list of words, not of {}", self.owner, node.word());
                self.cx.push(Finding::error(Code::WrongType, node.at, message));
            }
        }
        words
    }
}

/// The named entries of a map, names checked.
pub(crate) fn named<'a>(cx: &Context<'_>, node: &'a Node, owner: &str, what: &str) -> Vec<&'a Entry> {
    let Some(entries) = node.entries() else {
        let message = format!("{owner} must be a map of names, not {}", node.word());
        cx.push(Finding::error(Code::WrongType, node.at, message));
        return Vec::new();
    };
    entries
        .iter()
        .filter(|entry| !entry.key.value.starts_with("x-"))
        .inspect(|entry| check_name(cx, &entry.key, what))
        .collect()
}

fn check_name(cx: &Context<'_>, key: &Key, what: &str) {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let legal = key.value.bytes().next().is_some_and(fine)
        && key.value.bytes().all(|byte| fine(byte) || byte == b'-')
        && key.value.len() <= 63;
    if !legal {
        let message = format!("`{}` is no name for {what}", clipped(&key.value));
        let help = "names are made of a–z, 0–9 and `-`, at most 63";
        cx.push(Finding::error(Code::BadName, key.at, message).help(help));
    }
}

/// Something long, cut for a message.
pub(crate) fn clipped(text: &str) -> String {
    let (line, rest) = text.split_once(['\n', '\r']).unwrap_or((text, ""));
    if line.chars().count() > 60 || !rest.is_empty() {
        line.chars().take(60).chain(['…']).collect()
    } else {
        line.to_owned()
    }
}

/// `` `a`, `b` ``
pub(crate) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn listed(words: &[&str]) -> String {
    let mut words = words.to_vec();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}
