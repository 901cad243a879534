//! Where the configuration comes from, and how it is read without waiting for ever.

use std::{path::PathBuf, time::Duration};

use crate::config::{self, Mode, Overrides, diagnostics::Severity, model::Config, render};

/// How long the files may take: a file system that has gone away answers never.
const READING: Duration = Duration::from_secs(10);

/// Where the configuration comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// File or folder.
    pub path: PathBuf,
    /// What wins over it.
    pub overrides: Overrides,
}

/// Why a configuration is not used.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// All problems as `slod check` shows them, for who asked and for the log.
    pub text: String,
    /// The problems and their places without a line of the files, for everybody.
    pub brief: String,
}

impl Refusal {
    /// One that shows nothing of the files.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { brief: text.clone(), text }
    }
}

impl Origin {
    /// Reads it: the configuration, and the text of what else was noticed.
    pub fn load(&self) -> Result<(Config, String), Refusal> {
        let loaded = config::load(&self.path, Mode::Run, &|name| std::env::var(name).ok(), &self.overrides);
        let text = render::text(&loaded.diagnostics, false);
        let failed = loaded.count(Severity::Error) > 0;
        match loaded.config.filter(|_| !failed) {
            Some(config) => Ok((config, text)),
            None => Err(Refusal { text, brief: render::lines(&loaded.diagnostics) }),
        }
    }

    /// Reads it beside everything else, and gives up after a while.
    pub async fn read(&self) -> Result<Config, Refusal> {
        let origin = self.clone();
        within(READING, move || origin.load().map(|(config, _)| config)).await
    }
}

/// Runs what may hang on a thread of its own. One that hangs is left behind.
async fn within<T: Send + 'static>(
    limit: Duration,
    load: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(load)).await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(_)) => Err(Refusal::plain("reading the configuration broke off")),
        Err(_) => Err(Refusal::plain(format!("the configuration could not be read within {} s", limit.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_hangs_is_given_up() {
        let (release, hang) = mpsc::channel::<()>();
        let load = move || {
            let _ = hang.recv();
            Ok(())
        };
        let refused = within(Duration::from_millis(20), load).await;
        assert!(refused.is_err_and(|refusal| refusal.text.contains("could not be read within")));
        drop(release);
        assert!(within(READING, || Ok(())).await.is_ok());
    }
}
