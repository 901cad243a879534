//! Both ends of the way: the sources that are asked and the receivers that are told.

use super::{LiveDesk, unavailable};
use crate::{
    domain::name::Name,
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

    pub(super) async fn told(&self) -> Result<Vec<ReceiverView>, DeskError> {
        let queues = self.store.queues().await.map_err(unavailable)?;
        let config = self.config.load();
        let view = |(name, receiver): (&Name, &crate::config::model::Receiver)| {
            let queue = queues.iter().find(|queue| queue.receiver == *name);
            let failure = queue.and_then(|queue| queue.last_failure.clone());
            ReceiverView {
                name: name.to_string(),
                kind: receiver.kind.word().to_owned(),
                pending: queue.map_or(0, |queue| queue.pending),
                joined: queue.map_or(0, |queue| queue.joined),
                max_rate: receiver.max_rate.map(|rate| rate.to_string()),
                last_sent: queue.and_then(|queue| queue.last_sent),
                last_failure: failure.as_ref().map(|(at, _)| *at),
                last_error: failure.map(|(_, text)| text),
            }
        };
        Ok(config.receivers.iter().map(view).collect())
    }
}
