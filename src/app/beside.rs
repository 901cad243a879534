//! What runs beside the deliverers: those that tell again what lasts, the watch over public pages, the heartbeat.

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::{
    channel::{Pulse, SharedChannel},
    config::model::{Config, ReceiverKind},
    domain::name::Name,
    engine::{deliverer::Pace, heartbeat::Heartbeat, keeper::Keeper, page_watch::PageWatch},
};

/// A receiver's `max_rate`, if it has one.
pub(super) fn pace(config: &Config, receiver: &Name) -> Option<Pace> {
    let receiver = config.receivers.get(receiver)?;
    let is_pager = matches!(receiver.kind, ReceiverKind::Pagerduty { .. });
    Some(Pace { rate: receiver.max_rate?, is_pager })
}

/// Starts what the configuration asks for.
pub(super) fn start(
    app: &App,
    config: &Arc<Config>,
    channels: &BTreeMap<Name, SharedChannel>,
    pulse: Option<Pulse>,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    for (receiver, channel) in channels {
        if let Some(every) = channel.repeats() {
            let (receiver, channel) = (receiver.clone(), channel.clone());
            let keeper = Keeper { receiver, channel, every, store: app.store.clone(), clock: app.clock.clone() };
            tasks.push(tokio::spawn(keeper.run(stop.clone())));
        }
    }
    let is_page = |name: &Name| {
        let kind = config.receivers.get(name).map(|receiver| &receiver.kind);
        matches!(kind, Some(ReceiverKind::Statuspage { .. } | ReceiverKind::Instatus { .. }))
    };
    let pages: BTreeMap<_, _> =
        channels.iter().filter(|(name, _)| is_page(name)).map(|(name, page)| (name.clone(), page.clone())).collect();
    if !pages.is_empty() {
        let watch = PageWatch { pages, store: app.store.clone(), orders: app.orders.clone() };
        tasks.push(tokio::spawn(watch.run(stop.clone())));
    }
    if let Some((pulse, beat)) = pulse.zip(config.daemon.heartbeat.as_ref()) {
        let heartbeat = Heartbeat {
            pulse,
            every: beat.every,
            config: config.clone(),
            board: app.board.clone(),
            store: app.store.clone(),
            clock: app.clock.clone(),
            since: app.clock.now(),
        };
        tasks.push(tokio::spawn(heartbeat.run(stop.clone())));
    }
    tasks
}
