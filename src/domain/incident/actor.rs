//! Who did something to an incident, and how it reached us: the one shape that every source's words are brought into.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::name::Name;

/// How an act reached us.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The command line, over the socket.
    Cli,
    /// The API, with a token.
    Api,
    /// A receiver: a button in a chat, a pager's own page.
    Receiver(Name),
}

impl Via {
    /// Names it: `cli`, `api`, `receiver:ops-pager`.
    pub fn word(&self) -> String {
        match self {
            Self::Cli => "cli".to_owned(),
            Self::Api => "api".to_owned(),
            Self::Receiver(name) => format!("receiver:{name}"),
        }
    }
}

/// A person, an act of whom reached us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who, in words.
    pub name: String,
    /// How it reached us.
    pub via: Via,
    /// The source's name for this very event: one that comes again changes nothing. None where nothing comes twice.
    pub event: Option<String>,
    /// The opening it is about; none for whatever is current.
    pub opening: Option<u32>,
    /// Who need not be told, because it came from there. None if that is not known for sure.
    pub knows: Option<Name>,
    /// What it says was so then; none for now. What changed here since is newer.
    pub as_of: Option<DateTime<Utc>>,
}

impl Actor {
    /// Somebody on the command line.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), via: Via::Cli, event: None, opening: None, knows: None, as_of: None }
    }

    /// Whether it came from where messages go to, and may be an echo of one.
    pub fn is_receiver(&self) -> bool {
        matches!(self.via, Via::Receiver(_))
    }
}

impl From<&str> for Actor {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// `ann`, `ann (api)`, `Ann Example (ops-pager)`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.via {
            Via::Cli => f.write_str(&self.name),
            Via::Api => write!(f, "{} (api)", self.name),
            Via::Receiver(receiver) => write!(f, "{} ({receiver})", self.name),
        }
    }
}
