//! What became of a form, as a fixed word: the address of a page carries no text of anybody's.

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody has the incident.
    Acknowledged,
    /// Somebody else had the incident already.
    TakenOver,
    /// The incident was ended.
    Resolved,
    /// A note was added.
    Noted,
    /// A silence was made.
    Silenced,
    /// A silence was ended.
    Expired,
    /// The draft is on its way to the public page.
    Approved,
    /// The draft was dropped.
    Discarded,
    /// A message is tried again.
    Retried,
    /// Sent twice.
    Again,
    /// The incident was over.
    Over,
    /// There was no draft.
    NoDraft,
    /// The message was in no state for that.
    NotWaiting,
    /// There was no such silence any more.
    NotActive,
}

use Outcome::{
    Acknowledged, Again, Approved, Discarded, Expired, NoDraft, NotActive, NotWaiting, Noted, Over, Resolved, Retried,
    Silenced, TakenOver,
};

/// All of them: word, in words, and whether something was done.
const ALL: [(Outcome, &str, &str, bool); 14] = [
    (Acknowledged, "acknowledged", "Your acknowledgement is written. Steps that were to come wait.", true),
    (
        TakenOver,
        "also-acknowledged",
        "It was acknowledged already. Yours is written beside that: it is yours now, and nobody was told twice.",
        true,
    ),
    (
        Resolved,
        "resolved",
        "The incident is resolved. Alerts that still fire stay silent until each has cleared.",
        true,
    ),
    (Noted, "noted", "Your note stands in the timeline.", true),
    (Silenced, "silenced", "The silence is on. What it mutes is judged and written all the same.", true),
    (Expired, "expired", "The silence is over: what it muted is heard again.", true),
    (Approved, "approved", "The draft is approved and on its way to the public page.", true),
    (Discarded, "discarded", "The draft is dropped. The public page is left to people.", true),
    (Retried, "retried", "The message is tried again at once.", true),
    (Again, "again", "That form was sent before: it counts once. This page shows what became of it.", true),
    (Over, "over", "Nothing was done: the incident was over already.", false),
    (NoDraft, "no-draft", "Nothing was done: no draft waits for approval.", false),
    (NotWaiting, "not-waiting", "Nothing was done: only a message that waits or is dead can be tried again.", false),
    (NotActive, "not-active", "Nothing was done: that silence is over already.", false),
];

/// The words that a page takes.
pub fn words() -> Vec<&'static str> {
    ALL.iter().map(|(_, word, ..)| *word).collect()
}

impl Outcome {
    /// As it stands in an address.
    pub fn word(self) -> &'static str {
        self.row().1
    }

    /// For people.
    pub fn text(self) -> &'static str {
        self.row().2
    }

    /// Whether what was asked for is so.
    pub fn is_done(self) -> bool {
        self.row().3
    }

    /// The one of that word.
    pub fn of(word: &str) -> Option<Self> {
        ALL.iter().find(|row| row.1 == word).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, bool) {
        // Every one stands in the table: a test counts them.
        ALL.iter().find(|row| row.0 == self).unwrap_or(&ALL[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_one_outcome() {
        for (outcome, word, ..) in ALL {
            assert_eq!((Outcome::of(word), outcome.word()), (Some(outcome), word));
        }
        assert_eq!(ALL.len(), NotActive as usize + 1);
        assert_eq!(Outcome::of("<script>"), None);
    }
}
