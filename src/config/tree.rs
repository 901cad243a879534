//! What a YAML file says, with the place of every key and value.

/// A stretch of bytes in one of the files read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// Index of the file.
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub at: Span,
}

/// A key of a map.
pub(crate) type Key = Spanned<String>;

/// A value of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its place; for maps and lists the first line of it.
    pub at: Span,
    /// What it is.
    pub value: Value,
}

/// One `key: value`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// `~`, `null`, or nothing.
    Null,
    /// Any other scalar, as written; what it means is decided by the key it stands under.
    Scalar {
        /// After escapes.
        text: String,
        /// Written without quotes.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping. No key stands twice.
    Map(Vec<Entry>),
}

impl Node {
    /// What the node is, for messages.
    pub fn word(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The text of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The entries of a map; a map with nothing in it may be written as nothing.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null => Some(&[]),
            _ => None,
        }
    }

    /// The value under `key`, if this is a map that has it.
    pub fn child(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
    }
}
