//! How many live questions each source is being asked: what is asked about the past waits until there are none.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use crate::domain::name::Name;

/// Counts live questions.
#[derive(Debug, Default)]
pub struct Traffic {
    asking: Mutex<BTreeMap<Name, usize>>,
    calm: Notify,
}

/// A live question that is being asked; it is over when this is dropped.
#[derive(Debug)]
pub struct Asking {
    traffic: Arc<Traffic>,
    source: Name,
}

impl Traffic {
    /// A live question to `source` begins.
    pub fn begin(self: &Arc<Self>, source: &Name) -> Asking {
        *self.lock().entry(source.clone()).or_default() += 1;
        Asking { traffic: self.clone(), source: source.clone() }
    }

    /// Waits until no live question is asked of `source`.
    pub async fn calm(&self, source: &Name) {
        loop {
            // Listen first, look then: what ends in between is not missed.
            let changed = self.calm.notified();
            if self.lock().get(source).is_none_or(|count| *count == 0) {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Name, usize>> {
        self.asking.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut asking = self.traffic.lock();
        let left = asking.get_mut(&self.source).map_or(0, |count| {
            *count = count.saturating_sub(1);
            *count
        });
        drop(asking);
        if left == 0 {
            self.traffic.calm.notify_waiters();
        }
    }
}
