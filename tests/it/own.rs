//! A daemon with a configuration of its own, for what the shipped one does not show.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;
use tempfile::TempDir;
use testbed::{clock::eventually, daemon::Slod, ports::free_port};

use crate::live::{PATIENCE, PROGRAM};

/// The daemon, and the folder it lives in.
pub struct Own {
    _folder: TempDir,
    pub slod: Slod,
}

impl Own {
    /// Starts it with the configuration `text` and waits until it listens.
    pub async fn launch(text: &str, env: &[(&str, String)]) -> Self {
        // A second installation is refused, which is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = TempDir::with_prefix("slod-own-").unwrap();
        std::fs::write(folder.path().join("slo.yaml"), text).unwrap();
        let mut env: BTreeMap<String, String> =
            env.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        env.insert("SLOD_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port().unwrap()));
        let slod = Slod::launch(Path::new(PROGRAM), folder.path(), &env).await.unwrap();
        Self { _folder: folder, slod }
    }

    /// All series of all SLOs; none while the daemon does not answer.
    pub async fn slos(&self) -> Vec<Value> {
        let answer = self.slod.api("/api/v1/slos").await.unwrap_or_default();
        answer["slos"].as_array().cloned().unwrap_or_default()
    }

    /// The figures of an SLO; null while the daemon does not answer.
    pub async fn slo(&self, id: &str) -> Value {
        self.slod.api(&format!("/api/v1/slos/{id}")).await.unwrap_or_default()
    }

    /// Slots that are still to be asked about, of all SLOs; none while the daemon does not know.
    pub async fn missing(&self) -> Option<i64> {
        let (_, text) = self.slod.get("/metrics").await.ok()?;
        let lines = text.lines().filter(|line| line.starts_with("slod_backfill_missing_slots{"));
        lines.map(|line| line.rsplit(' ').next()?.parse().ok()).reduce(|sum, next: Option<i64>| Some(sum? + next?))?
    }

    /// Waits until all histories are filled.
    pub async fn until_filled(&self) {
        let filled = eventually(PATIENCE.saturating_mul(3), async || self.missing().await == Some(0)).await;
        assert!(filled, "{:?} {:?}\n{}", self.missing().await, self.slos().await, self.slod.log());
    }
}
