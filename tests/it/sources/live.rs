//! The simulated service, scraped by a real Prometheus, read by our sources.

use std::time::Duration;

use slod::{
    config::model::{Indicator, SourceKind},
    domain::slot::{Reading, Span},
};
use testbed::{
    clock::{eventually, now},
    prometheus::Prometheus,
    service::{InventoryService, Traffic},
};

use super::{LIMIT, asking, at_most, main_source, number_query, only, only_reading, prometheus_at};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_inventory_dashboard_is_seen() {
    let service = InventoryService::start().await.unwrap();
    service.set_traffic(Traffic { per_second: 100, slow_share: 0.25, ..Traffic::default() });
    let prometheus = Prometheus::start(&[service.address()], Duration::from_millis(200)).await.unwrap();
    let source = only(SourceKind::Prometheus(prometheus_at(&prometheus.url())));
    let read = async |indicator: &Indicator| {
        let end = now().timestamp();
        source
            .read(asking(indicator, Span { start: end - 2, end }), Span { start: end - 2, end }, LIMIT)
            .await
            .map(|answer| only_reading(&answer).clone())
    };

    let latency = Indicator::LatencyHistogram {
        source: main_source(),
        histogram: r#"inventory_dashboard_http_duration_seconds{handler="/api/inventory/health-metrics"}"#.to_owned(),
        threshold: 0.8,
        percentile: Some(95.0),
    };
    let quarter_slow = eventually(PATIENCE, async || {
        matches!(read(&latency).await, Ok(Reading::Events { good, total, shown: Some(shown) })
            if total > 50.0 && (0.7..0.8).contains(&(good / total)) && shown > 0.8)
    });
    assert!(quarter_slow.await, "{:?}", read(&latency).await);

    let freshness = Indicator::Value {
        query: number_query("time() - inventory_dashboard_last_sync_timestamp"),
        unit: Some("seconds".to_owned()),
        good: at_most(900.0),
    };
    assert!(matches!(read(&freshness).await, Ok(Reading::Events { good, .. }) if good > 0.5));
    service.freeze_sync(Duration::from_secs(1_000));
    let stale =
        eventually(PATIENCE, async || matches!(read(&freshness).await, Ok(Reading::Events { good, .. }) if good < 0.5));
    assert!(stale.await, "{:?}", read(&freshness).await);
    service.resume_sync();
    let fresh =
        eventually(PATIENCE, async || matches!(read(&freshness).await, Ok(Reading::Events { good, .. }) if good > 0.5));
    assert!(fresh.await, "{:?}", read(&freshness).await);
}
