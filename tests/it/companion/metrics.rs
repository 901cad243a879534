//! The companion's own metrics.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use super::{fake_desk::FakeDesk, get, tcp};

fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn promtool_has_nothing_to_say() {
    let router = tcp(FakeDesk::default());
    for path in ["/", "/inventory/health", "/nothing", "/api/v1/slos?x=1"] {
        get(&router, path).await;
    }
    let answer = get(&router, "/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is needed: install Debian's package `prometheus`");
    promtool.stdin.take().unwrap().write_all(answer.text.as_bytes()).unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && words.trim().is_empty(), "{words}\n{}", answer.text);
}

#[tokio::test]
async fn a_services_pages_have_series_before_the_first_hit() {
    let router = tcp(FakeDesk::default());
    let labels = "handler=\"/api/inventory/health-metrics\",method=\"GET\",status=\"200\"";
    let count = format!("inventory_dashboard_http_duration_seconds_count{{{labels}}}");
    let bucket = format!("inventory_dashboard_http_duration_seconds_bucket{{{labels},le=\"0.8\"}}");
    let before = get(&router, "/metrics").await.text;
    assert_eq!((value(&before, &count), value(&before, &bucket)), (Some(0.0), Some(0.0)), "{before}");
    get(&router, "/api/inventory/health-metrics").await;
    let after = get(&router, "/metrics").await.text;
    assert_eq!((value(&after, &count), value(&after, &bucket)), (Some(1.0), Some(1.0)), "{after}");
    assert!(after.contains("le=\"180\""), "every configured threshold is a bound");
    let own = "slod_http_request_duration_seconds_count{handler=\"/api/{service}/health-metrics\",method=\"GET\",status=\"200\"}";
    assert_eq!(value(&after, own), Some(1.0));
}

#[tokio::test]
async fn paths_nobody_knows_make_no_series() {
    let router = tcp(FakeDesk::default());
    for path in ["/x/health", "/y/health", "/quiet/health", "/random", "/other"] {
        get(&router, path).await;
    }
    let text = get(&router, "/metrics").await.text;
    for word in ["/x/", "/y/", "/quiet/", "/random", "/other"] {
        assert!(!text.contains(word), "{word}");
    }
    let own = "slod_http_request_duration_seconds_count{handler=\"unmatched\",method=\"GET\",status=\"404\"}";
    assert_eq!(value(&text, own), Some(2.0));
}
