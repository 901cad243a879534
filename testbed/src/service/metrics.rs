//! What the service says of itself, in Prometheus' text format.

use chrono::{DateTime, Utc};

/// Upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 9] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, f64::INFINITY];

/// A cumulative histogram of seconds.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [u64; BOUNDS.len()],
    sum: f64,
}

impl Histogram {
    /// `count` events of `seconds` each.
    pub fn observe(&mut self, seconds: f64, count: u64) {
        for (bucket, bound) in self.buckets.iter_mut().zip(BOUNDS) {
            *bucket += if seconds <= bound { count } else { 0 };
        }
        self.sum += seconds * count as f64;
    }
}

/// The whole page.
pub(super) fn exposition(latency: &Histogram, synced: DateTime<Utc>, pending: f64) -> String {
    const LATENCY: &str = "inventory_dashboard_http_duration_seconds";
    const HANDLER: &str = r#"handler="/api/inventory/health-metrics""#;
    let mut page = format!("# HELP {LATENCY} Seconds to answer.\n# TYPE {LATENCY} histogram\n");
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    for (bucket, bound) in latency.buckets.iter().zip(BOUNDS) {
        let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
        line(format!("{LATENCY}_bucket{{{HANDLER},le=\"{bound}\"}} {bucket}"));
    }
    let count = latency.buckets[BOUNDS.len() - 1];
    line(format!("{LATENCY}_sum{{{HANDLER}}} {}", latency.sum));
    line(format!("{LATENCY}_count{{{HANDLER}}} {count}"));
    for (name, help, value) in [
        (
            "inventory_dashboard_last_sync_timestamp",
            "When the ROP snapshot was made, in Unix seconds.",
            synced.timestamp_millis() as f64 / 1000.0,
        ),
        ("inventory_action_queue_pending_total", "Actions queued and not yet seen by the CEO.", pending),
    ] {
        line(format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}"));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let mut latency = Histogram::default();
        latency.observe(0.1, 2);
        latency.observe(9.0, 1);
        let page = exposition(&latency, DateTime::UNIX_EPOCH, 3.0);
        for line in [
            r#"inventory_dashboard_http_duration_seconds_bucket{handler="/api/inventory/health-metrics",le="0.05"} 0"#,
            r#"inventory_dashboard_http_duration_seconds_bucket{handler="/api/inventory/health-metrics",le="0.8"} 2"#,
            r#"inventory_dashboard_http_duration_seconds_bucket{handler="/api/inventory/health-metrics",le="+Inf"} 3"#,
            r#"inventory_dashboard_http_duration_seconds_count{handler="/api/inventory/health-metrics"} 3"#,
            "inventory_dashboard_last_sync_timestamp 0",
            "inventory_action_queue_pending_total 3",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }
}
