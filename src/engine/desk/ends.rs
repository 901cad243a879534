//! Both ends of the way: the sources that are asked and the receivers that are told.

use super::{LiveDesk, unavailable};
use crate::{
    domain::{name::Name, record::receiver_of},
    store::outbox::QueueState,
    views::desk::{DeskError, ReceiverView, SourceView},
};

impl LiveDesk {
    pub(super) fn asked(&self) -> Vec<SourceView> {
        let config = self.config.load();
        let states = self.board.sources();
        let view = |(name, source): (&Name, &crate::config::model::Source)| {
            let state = states.get(name).cloned().unwrap_or_default();
            SourceView {
                name: name.to_string(),
                kind: match &source.kind {
                    crate::config::model::SourceKind::Prometheus(_) => "prometheus",
                    crate::config::model::SourceKind::Postgres(_) => "postgres",
                    crate::config::model::SourceKind::Pingdom { .. } => "pingdom",
                }
                .to_owned(),
                blind: state.blind,
                last_success: state.last_success,
                last_failure: state.last_failure,
                last_error: state.last_error,
                latency_seconds: self.board.latency(name),
            }
        };
        config.sources.iter().map(view).collect()
    }

    /// Receivers in order of name, then the services' decision logs.
    pub(super) async fn told(&self) -> Result<Vec<ReceiverView>, DeskError> {
        let queues = self.store.queues().await.map_err(unavailable)?;
        let config = self.config.load();
        let receivers = config.receivers.iter().map(|(name, receiver)| {
            let max_rate = receiver.max_rate.map(|rate| rate.to_string());
            ReceiverView { max_rate, ..view(name, receiver.kind.word(), &queues) }
        });
        let logs = config.services.iter().filter_map(|(name, service)| {
            let log = service.decision_log.as_ref()?;
            Some(view(&receiver_of(name), log.target.word(), &queues))
        });
        Ok(receivers.chain(logs).collect())
    }
}

fn view(name: &Name, kind: &str, queues: &[QueueState]) -> ReceiverView {
    let queue = queues.iter().find(|queue| queue.receiver == *name);
    let failure = queue.and_then(|queue| queue.last_failure.clone());
    ReceiverView {
        name: name.to_string(),
        kind: kind.to_owned(),
        pending: queue.map_or(0, |queue| queue.pending),
        dead: queue.map_or(0, |queue| queue.dead),
        joined: queue.map_or(0, |queue| queue.joined),
        max_rate: None,
        last_sent: queue.and_then(|queue| queue.last_sent),
        last_failure: failure.as_ref().map(|(at, _)| *at),
        last_error: failure.map(|(_, text)| text),
    }
}
