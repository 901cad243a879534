//! What was left on a public page, and whether it is still so.
//!
//! A receipt says what was left: the incident's id there, the newest update's id, and a seal over what both say. If
//! what is seen later differs, a person has changed it.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{answer::Failure, text};

pub use crate::domain::page_news::NOTHING_THERE;

/// Of a vendor's id.
const ID_MAX: usize = 64;

/// What was left, as the receipt of the newest post has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The incident there.
    pub id: String,
    /// The newest update and the seal; none in receipts of older versions.
    update: Option<(String, String)>,
}

/// A public incident as it is seen now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id there.
    pub id: String,
    /// Its state, in the vendor's word.
    pub status: String,
    /// Its newest update.
    pub newest: Option<Update>,
}

/// An update of a public incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Its id there.
    pub id: String,
    /// The state it set.
    pub status: String,
    /// What it says.
    pub text: String,
}

/// How what is seen compares with what was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is as it was left.
    AsLeft,
    /// It already says what is to be said: an earlier attempt has arrived.
    Says,
    /// A person has changed it; what, in words.
    Changed(String),
}

impl Left {
    /// Reads a receipt; none if nothing was left.
    pub fn read(receipt: &str) -> Option<Self> {
        let mut words = receipt.split_ascii_whitespace();
        let id = words.next().filter(|id| *id != NOTHING_THERE && is_id(id))?.to_owned();
        let update = words.next().zip(words.next());
        Some(Self { id, update: update.map(|(update, seal)| (update.to_owned(), seal.to_owned())) })
    }

    /// What a person has changed since, if anything; `seen` is none if the incident is gone.
    pub fn changed(&self, seen: Option<&Seen>) -> Option<String> {
        let Some(seen) = seen else { return Some("somebody has removed the incident there".to_owned()) };
        let (update, seal) = self.update.as_ref()?;
        if seen.seal() == *seal && seen.newest.as_ref().is_some_and(|newest| newest.id == *update) {
            return None;
        }
        let is_same_update = seen.newest.as_ref().is_some_and(|newest| newest.id == *update);
        let words =
            if is_same_update { "somebody has changed what slod said there".to_owned() } else { seen.someone() };
        Some(words)
    }
}

impl Seen {
    /// An incident and its newest update as a vendor shows them; the update's text stands under `text`.
    pub fn read(incident: &Value, newest: Option<&Value>, text: &str) -> Result<Self, Failure> {
        let newest = newest.map(|update| Update {
            id: word(update, "id").to_owned(),
            status: word(update, "status").to_owned(),
            text: word(update, text).to_owned(),
        });
        let id = read_id(word(incident, "id"))?.to_owned();
        Ok(Self { id, status: word(incident, "status").to_owned(), newest })
    }

    /// An incident of which only its id there is known.
    pub fn unread(id: &str) -> Self {
        Self { id: id.to_owned(), status: String::new(), newest: None }
    }

    /// The receipt of a post after which this is seen.
    pub fn receipt(&self) -> String {
        match &self.newest {
            Some(newest) if is_id(&newest.id) => format!("{} {} {}", self.id, newest.id, self.seal()),
            _ => self.id.clone(),
        }
    }

    /// Whether the newest thing that it says is this.
    pub fn says(&self, status: &str, text: &str) -> bool {
        self.status == status
            && self.newest.as_ref().is_some_and(|newest| newest.status == status && newest.text.trim() == text.trim())
    }

    /// What somebody else has done, in words.
    pub fn someone(&self) -> String {
        let status = self.newest.as_ref().map_or(&self.status, |newest| &newest.status);
        format!("somebody has posted \"{}\" there", text::line(&status.to_lowercase(), 40))
    }

    /// A hash of what it says. Short: it is compared with one other.
    fn seal(&self) -> String {
        let mut hash = Sha256::new();
        let newest = self.newest.as_ref().map_or(["", ""], |newest| [&newest.status, &newest.text]);
        for part in [self.status.as_str(), newest[0], newest[1]] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(&hash.finalize()[..8])
    }
}

/// Compares what is seen with what was left, before `status` and `text` are posted. `repeated`: an earlier attempt may
/// have arrived.
pub fn compare(left: &Left, seen: &Seen, status: &str, text: &str, repeated: bool) -> Standing {
    let is_new =
        left.update.as_ref().is_none_or(|(update, _)| seen.newest.as_ref().is_some_and(|newest| newest.id != *update));
    if repeated && is_new && seen.says(status, text) {
        return Standing::Says;
    }
    left.changed(Some(seen)).map_or(Standing::AsLeft, Standing::Changed)
}

/// A text of a vendor's; empty if it is not there.
pub fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A vendor's id, which goes into later addresses and receipts.
pub fn read_id(id: &str) -> Result<&str, Failure> {
    if is_id(id) { Ok(id) } else { Err(Failure::retry("an incident without an id: not the status page's answer")) }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_MAX && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: &str, update: &str, text: &str) -> Seen {
        let newest = Update { id: update.into(), status: status.into(), text: text.into() };
        Seen { id: "i1".into(), status: status.into(), newest: Some(newest) }
    }

    #[test]
    fn what_is_seen_is_compared_with_what_was_left() {
        let left = Left::read(&seen("investigating", "u1", "looking").receipt()).unwrap();
        let changed = |what: &str| Standing::Changed(format!("somebody has {what} there"));
        let posted = |state: &str| changed(&format!("posted \"{state}\""));
        let table = [
            (seen("investigating", "u1", "looking"), false, Standing::AsLeft),
            (seen("investigating", "u1", "looking"), true, Standing::AsLeft),
            (seen("monitoring", "u2", "better"), true, Standing::Says),
            (seen("monitoring", "u2", "better"), false, posted("monitoring")),
            (seen("monitoring", "u2", "other words"), true, posted("monitoring")),
            (seen("IDENTIFIED", "u2", "found"), true, posted("identified")),
            (seen("investigating", "u1", "edited"), false, changed("changed what slod said")),
            (
                Seen { status: "resolved".into(), ..seen("investigating", "u1", "looking") },
                false,
                changed("changed what slod said"),
            ),
        ];
        for (seen, repeated, expected) in table {
            assert_eq!(compare(&left, &seen, "monitoring", "better", repeated), expected, "{seen:?}");
        }
        assert_eq!(left.changed(None).as_deref(), Some("somebody has removed the incident there"));
    }

    #[test]
    fn an_older_receipt_says_less() {
        let left = Left::read("i1").unwrap();
        assert_eq!(compare(&left, &seen("identified", "u9", "x"), "monitoring", "y", false), Standing::AsLeft);
        assert_eq!(compare(&left, &seen("monitoring", "u9", "y"), "monitoring", "y", true), Standing::Says);
        assert_eq!(Left::read(NOTHING_THERE), None);
        assert_eq!(Left::read("a/../b"), None);
        assert_eq!(Seen { newest: None, ..seen("x", "", "") }.receipt(), "i1");
    }
}
