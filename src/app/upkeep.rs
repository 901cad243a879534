//! What the daemon does for its store now and then.

use chrono::TimeDelta;

use super::{App, CLOSING};

impl App {
    /// Notes that slod is alive.
    pub(super) async fn live_on(&self) {
        if let Some(why) = self.store.displaced() {
            tracing::error!("{why}");
        }
        // If it cannot be written, the decider says so.
        let _ = tokio::time::timeout(CLOSING, self.store.live_on(self.clock.now())).await;
    }

    pub(super) async fn prune(&self) {
        let retention = TimeDelta::from_std(self.config.load().daemon.retention).unwrap_or(TimeDelta::days(400));
        match self.store.prune(self.clock.now() - retention).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "removed what is older than the retention"),
            Err(error) => tracing::error!(error = %error.text(), "old rows cannot be removed"),
        }
    }
}
