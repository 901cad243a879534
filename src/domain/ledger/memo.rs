//! What reads remember for the next one. Never contended: a ledger has one owner.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A value that is changed by reads.
#[derive(Debug, Default)]
pub(super) struct Memo<T>(Mutex<T>);

impl<T> Memo<T> {
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}
