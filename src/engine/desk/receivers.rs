//! Receivers and decision logs: how each one's queue stands.

use super::LiveDesk;
use crate::{
    domain::record::receiver_of,
    store::{StoreError, outbox::QueueState},
    views::desk::ReceiverView,
};

impl LiveDesk {
    /// Receivers in order of name, then the services' decision logs.
    pub(super) async fn receiver_views(&self) -> Result<Vec<ReceiverView>, StoreError> {
        let queues = self.store.queues().await?;
        let config = self.config.load();
        let receivers = config.receivers.iter().map(|(name, receiver)| view(name, receiver.kind.word(), &queues));
        let logs = config.services.iter().filter_map(|(name, service)| {
            let log = service.decision_log.as_ref()?;
            Some(view(&receiver_of(name), log.target.word(), &queues))
        });
        Ok(receivers.chain(logs).collect())
    }
}

fn view(name: &str, kind: &str, queues: &[QueueState]) -> ReceiverView {
    let queue = queues.iter().find(|queue| queue.receiver.as_str() == name);
    let failure = queue.and_then(|queue| queue.last_failure.clone());
    ReceiverView {
        name: name.to_owned(),
        kind: kind.to_owned(),
        pending: queue.map_or(0, |queue| queue.pending),
        last_sent: queue.and_then(|queue| queue.last_sent),
        last_failure: failure.as_ref().map(|(at, _)| *at),
        last_error: failure.map(|(_, text)| text),
    }
}
