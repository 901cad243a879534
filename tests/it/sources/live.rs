//! The simulated service, scraped by a real Prometheus, read by our sources.

use std::time::Duration;

use slod::{
    config::model::{Indicator, SourceKind},
    domain::slot::{Reading, Slot, Span},
    source::SharedSource,
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

/// What Prometheus itself says that a counter grew by is the sum of its slots, though Prometheus was away in between.
#[tokio::test]
async fn a_restart_of_prometheus_loses_nothing() {
    let service = InventoryService::start().await.unwrap();
    service.set_traffic(Traffic { per_second: 200, slow_share: 0.25, ..Traffic::default() });
    let mut prometheus = Prometheus::start(&[service.address()], Duration::from_millis(200)).await.unwrap();
    let url = prometheus.url();
    let new_source = || only(SourceKind::Prometheus(prometheus_at(&url)));
    let source = new_source();
    let counter = r#"inventory_dashboard_http_duration_seconds_count{handler="/api/inventory/health-metrics"}"#;
    let number = async |at: i64| new_source().number(&number_query(counter), at, LIMIT).await.ok().flatten();
    // A scrape that began in this second may still be under way.
    let settled = || now().timestamp() - 1;
    let grown = async |from: f64| eventually(PATIENCE, async || number(settled()).await > Some(from)).await;
    assert!(grown(0.0).await);
    let start = settled();
    assert!(grown(number(start).await.unwrap() + 300.0).await);

    let ratio = Indicator::RatioPromql {
        source: main_source(),
        total_source: None,
        events: "errors_total".to_owned(),
        events_are_bad: true,
        total: counter.to_owned(),
    };
    let total = async |source: &SharedSource, slots: std::ops::Range<i64>| {
        let mut total = 0.0;
        for slot in slots {
            let span = Span { start: slot, end: slot + 1 };
            let answer = source.read(asking(&ratio, span), span, LIMIT).await.unwrap();
            total += answer.slots.iter().map(|answer| Slot::settled(slot, &answer.reading).total).sum::<f64>();
        }
        total as i64
    };
    let middle = settled();
    let before = total(&source, start..middle).await;
    let known = number(middle).await.unwrap();
    prometheus.restart().await.unwrap();
    assert!(grown(known + 600.0).await);
    let end = settled();

    let (first, last) = (number(start).await.unwrap(), number(end).await.unwrap());
    assert!(before > 0 && last > first + 600.0);
    let grown = (last - first) as i64;
    let after = total(&source, middle..end).await;
    assert_eq!(before + after, grown, "by one that saw it all");
    assert_eq!(total(&new_source(), start..end).await, grown, "by one that just started");
}
