//! Who is logged in: in memory, by a hash of what the browser has, bounded in number and in time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::key::{Hash, Key};

/// Most sessions at a time; the oldest makes way for a new one.
pub const SESSIONS_MAX: usize = 1_000;
/// How long a session lasts.
pub const LIFE: TimeDelta = TimeDelta::hours(12);
/// How far the clock may have been set back under a session.
const BACK: TimeDelta = TimeDelta::minutes(5);
/// Forms of a session that are remembered as sent.
const SENT_MAX: usize = 256;

/// All sessions. A restart of the daemon ends them.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    sessions: HashMap<Hash, Session>,
    /// The oldest first; may name sessions that were closed.
    order: VecDeque<Hash>,
}

#[derive(Debug)]
struct Session {
    name: String,
    token: Hash,
    opened_at: DateTime<Utc>,
    sent: VecDeque<Hash>,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// As the person has named itself.
    pub name: String,
    /// A hash of the token it was opened with.
    pub token: Hash,
}

impl Sessions {
    /// Opens one. None if the system has no randomness.
    pub fn open(&self, holder: Holder, now: DateTime<Utc>) -> Option<Key> {
        let key = Key::random()?;
        let mut book = self.book();
        while book.sessions.len() >= SESSIONS_MAX {
            let Some(oldest) = book.order.pop_front() else { break };
            book.sessions.remove(&oldest);
        }
        let session = Session { name: holder.name, token: holder.token, opened_at: now, sent: VecDeque::new() };
        book.sessions.insert(key.hash(), session);
        book.order.push_back(key.hash());
        Some(key)
    }

    /// Whose it is, while it lasts.
    pub fn holder(&self, key: &Key, now: DateTime<Utc>) -> Option<Holder> {
        let mut book = self.book();
        let session = book.sessions.get(&key.hash())?;
        let age = now - session.opened_at;
        if age >= LIFE || age < -BACK {
            book.close(&key.hash());
            return None;
        }
        Some(Holder { name: session.name.clone(), token: session.token })
    }

    /// Ends it.
    pub fn close(&self, key: &Key) {
        self.book().close(&key.hash());
    }

    /// Notes that a form was sent. False if it was before, or if there is no such session.
    pub fn is_first(&self, key: &Key, form: Hash) -> bool {
        let mut book = self.book();
        let Some(session) = book.sessions.get_mut(&key.hash()) else { return false };
        if session.sent.contains(&form) {
            return false;
        }
        if session.sent.len() >= SENT_MAX {
            session.sent.pop_front();
        }
        session.sent.push_back(form);
        true
    }

    /// Forgets that a form was sent: it did nothing, and may be sent again.
    pub fn forget(&self, key: &Key, form: Hash) {
        if let Some(session) = self.book().sessions.get_mut(&key.hash()) {
            session.sent.retain(|sent| *sent != form);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn close(&mut self, hash: &Hash) {
        self.sessions.remove(hash);
        self.order.retain(|one| one != hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
    }

    fn holder(name: &str) -> Holder {
        Holder { name: name.to_owned(), token: [7; 32] }
    }

    #[test]
    fn ten_thousand_sessions_leave_the_newest_thousand() {
        let sessions = Sessions::default();
        let keys: Vec<Key> =
            (0..10_000).map(|number| sessions.open(holder(&number.to_string()), at(0)).unwrap()).collect();
        let kept = || {
            let book = sessions.book();
            (book.sessions.len(), book.order.len())
        };
        assert_eq!(kept(), (SESSIONS_MAX, SESSIONS_MAX));
        assert_eq!(sessions.holder(&keys[8_999], at(1)), None);
        assert_eq!(sessions.holder(&keys[9_000], at(1)), Some(holder("9000")));
        for key in &keys {
            sessions.close(key);
        }
        assert_eq!(kept(), (0, 0));
    }

    #[test]
    fn a_session_lasts_twelve_hours_and_no_moved_clock_stretches_it() {
        for (minutes, lives) in [(0, true), (719, true), (720, false), (-4, true), (-6, false), (100_000, false)] {
            let sessions = Sessions::default();
            let key = sessions.open(holder("ann"), at(0)).unwrap();
            assert_eq!(sessions.holder(&key, at(minutes)).is_some(), lives, "{minutes}");
            // What has ended stays ended.
            assert_eq!(sessions.holder(&key, at(0)).is_some(), lives, "{minutes}");
        }
    }

    #[test]
    fn a_form_counts_once_in_its_session() {
        let sessions = Sessions::default();
        let (ann, bob) = (sessions.open(holder("ann"), at(0)).unwrap(), sessions.open(holder("bob"), at(0)).unwrap());
        assert!(sessions.is_first(&ann, [1; 32]) && sessions.is_first(&bob, [1; 32]));
        assert!(!sessions.is_first(&ann, [1; 32]));
        sessions.forget(&ann, [1; 32]);
        assert!(sessions.is_first(&ann, [1; 32]) && !sessions.is_first(&bob, [1; 32]));
        for number in 0..=SENT_MAX {
            let mut form = [0; 32];
            form[..8].copy_from_slice(&number.to_le_bytes());
            assert!(sessions.is_first(&bob, form));
        }
        assert_eq!(sessions.book().sessions[&bob.hash()].sent.len(), SENT_MAX);
        sessions.close(&ann);
        assert!(!sessions.is_first(&ann, [2; 32]));
    }
}
