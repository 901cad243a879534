//! The whole daemon within the test, on a clock that the test moves: daylight saving both ways, steps forward and back.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Utc};
use slod::{
    app::{App, Origin},
    clock::Clock,
    config::Overrides,
};
use testbed::{
    clock::eventually,
    inbox::{Inbox, Peer},
};
use tokio_util::sync::CancellationToken;

use crate::live::PATIENCE;

/// Shows what it is set to.
#[derive(Default)]
struct SetClock(AtomicI64);

impl SetClock {
    fn set(&self, text: &str) {
        let at: DateTime<Utc> = text.parse().unwrap();
        self.0.store(at.timestamp_millis(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Sets the clock to each of these times, and answers how often the reminder has been told after each. `restarts`: the
/// daemon is stopped and started at each.
async fn told_after(cron: &str, zone: &str, times: &[&str], restarts: bool) -> Vec<usize> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let (inbox, folder) = (Inbox::start().await, tempfile::tempdir().unwrap());
    let hook = inbox.url("/slack/services/T000/B000/x");
    let text = format!(
        "version: 1
daemon: {{store: \"sqlite:{}\"}}
receivers: {{team: {{slack: {{webhook: \"{hook}\"}}}}}}
reminders: {{tea: {{text: Make tea., cron: \"{cron}\", timezone: {zone}, notify: [team]}}}}
",
        folder.path().join("slod.db").display()
    );
    std::fs::write(folder.path().join("slo.yaml"), text).unwrap();
    let clock = Arc::new(SetClock::default());
    let origin = Origin { path: folder.path().join("slo.yaml"), overrides: Overrides::default() };
    let mut told = Vec::new();
    let mut running: Option<(CancellationToken, tokio::task::JoinHandle<_>)> = None;
    for time in times {
        if restarts && let Some((stop, run)) = running.take() {
            stop.cancel();
            drop(run.await);
        }
        clock.set(time);
        if running.is_none() {
            let (config, _) = origin.load().map_err(|refusal| refusal.text).unwrap();
            let app = App::start(origin.clone(), config, clock.clone()).await.unwrap();
            let stop = CancellationToken::new();
            running = Some((stop.clone(), tokio::spawn(app.run(stop))));
        }
        // Two looks at the clock, or a message.
        let before = told.last().copied().unwrap_or_default();
        let posts = || inbox.received().iter().filter(|entry| entry.peer == Peer::Slack).count();
        let waited = std::time::Duration::from_millis(2_200);
        eventually(waited.min(PATIENCE), async || posts() > before).await;
        told.push(posts());
    }
    if let Some((stop, run)) = running {
        stop.cancel();
        drop(run.await);
    }
    told
}

#[tokio::test]
async fn summer_time_begins_and_ends() {
    // 02:30 is skipped in the spring night: it runs at 03:00. In the autumn night it is there twice: it runs the first time.
    let spring = ["2026-03-29T00:30:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"];
    let autumn = ["2026-10-25T00:00:00Z", "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"];
    let (spring, autumn) = tokio::join!(
        told_after("30 2 * * *", "Europe/Berlin", &spring, false),
        told_after("30 2 * * *", "Europe/Berlin", &autumn, false)
    );
    assert_eq!((spring, autumn), (vec![0, 0, 1, 1], vec![0, 0, 1, 1]));
}

#[tokio::test]
async fn a_clock_that_is_set_repeats_nothing() {
    let times = [
        "2026-06-01T11:50:00Z",
        "2026-06-01T12:00:00Z",
        // Back, and through the same time again.
        "2026-06-01T11:30:00Z",
        "2026-06-01T12:00:30Z",
        // Years ahead: what was missed runs once. Back: the next time comes as ever.
        "2029-06-01T12:00:30Z",
        "2026-06-01T12:30:00Z",
        "2026-06-01T13:00:00Z",
    ];
    let (running, restarted) =
        tokio::join!(told_after("0 * * * *", "UTC", &times, false), told_after("0 * * * *", "UTC", &times, true));
    assert_eq!(running, [0, 1, 1, 1, 2, 2, 3]);
    assert_eq!(restarted, running);
}
