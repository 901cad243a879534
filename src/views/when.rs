//! When something on a crontab was due, and when it was done.

use chrono::{DateTime, Utc};

use super::render_words::instant;

/// One time of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// Names it among all times of all entries.
    pub key: String,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// When it was done.
    pub decided_at: DateTime<Utc>,
    /// Well after it was due.
    pub late: bool,
    /// How many times before it were missed and are not made up for.
    pub missed: usize,
}

impl When {
    /// What is said of a time that is late; nothing of one that is not.
    pub fn words(&self) -> Option<String> {
        let missed = match self.missed {
            0 => String::new(),
            1 => "; one time before it was missed and is left out".to_owned(),
            most if most >= 10_000 => format!("; {most} times or more before it were missed and are left out"),
            more => format!("; {more} times before it were missed and are left out"),
        };
        let due = instant(self.due_at);
        if self.late {
            return Some(format!("Late: it was due at {due}, while slod was away or busy{missed}."));
        }
        (self.missed > 0).then(|| format!("Due at {due}{missed}."))
    }
}
