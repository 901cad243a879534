//! Keeps the values under `gauges:` fresh.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    board::{Board, GaugeValue},
    evaluator::limit_of,
};
use crate::{
    clock::Clock,
    config::model::{Config, Gauge},
    domain::name::Name,
    source::SharedSource,
};

/// Starts one task a gauge; they run until `stop`.
pub fn start(
    config: &Arc<Config>,
    sources: &BTreeMap<Name, SharedSource>,
    board: &Arc<Board>,
    clock: &Arc<dyn Clock>,
    stop: &CancellationToken,
) {
    let known: Vec<&String> = config.services.values().flat_map(|service| service.gauges.keys()).collect();
    board.keep_gauges(|name| known.iter().any(|known| *known == name));
    for (name, gauge) in config.services.values().flat_map(|service| &service.gauges) {
        let source = sources.get(&gauge.query.source).cloned();
        let limit = config.sources.get(&gauge.query.source).map(|source| limit_of(&source.kind));
        if let (Some(source), Some(limit)) = (source, limit) {
            let (board, clock) = (board.clone(), clock.clone());
            tokio::spawn(keep_fresh(name.clone(), gauge.clone(), source, limit, board, clock, stop.clone()));
        }
    }
}

async fn keep_fresh(
    name: String,
    gauge: Gauge,
    source: SharedSource,
    limit: Duration,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        let result = source.number(&gauge.query, clock.now().timestamp(), limit).await;
        if let Err(error) = &result {
            tracing::warn!(gauge = %name, source = %gauge.query.source, %error, "gauge not read; it is not published");
        }
        // A value that is not known is not shown: an old one would look alive.
        let value = result.ok().flatten().filter(|value| value.is_finite());
        board.publish_gauge(&name, GaugeValue { help: gauge.help.clone(), value });
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(u64::from(gauge.every))) => {}
        }
    }
}
