//! What runs under one configuration: the evaluator, the backfill, the diagnostics, the agenda, the deliverers, and what is
//! beside them.

use std::time::Duration;

use futures_util::future::{join_all, select_all};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long deliveries in flight may take at the end.
const LAST_SENDS: Duration = Duration::from_secs(5);

/// What runs under one configuration, and is replaced by a reload.
pub(super) struct Generation {
    pub stop: CancellationToken,
    pub evaluator: JoinHandle<()>,
    pub backfill: JoinHandle<()>,
    pub diagnostics: JoinHandle<()>,
    pub agenda: JoinHandle<()>,
    pub deliverers: Vec<JoinHandle<()>>,
    /// The heartbeat, the watch over public pages, and those that tell again what lasts.
    pub beside: Vec<JoinHandle<()>>,
}

impl Generation {
    /// Ends it; deliveries in flight may finish.
    pub async fn end(self) {
        self.stop.cancel();
        let flying = self.deliverers.into_iter().filter(|deliverer| !deliverer.is_finished());
        if tokio::time::timeout(LAST_SENDS, join_all(flying)).await.is_err() {
            tracing::warn!("some deliveries were still in flight; they are sent again after the next start");
        }
    }

    /// Waits for the first part that ends although nobody told it to.
    pub async fn broken(&mut self) -> &'static str {
        tokio::select! {
            _ = &mut self.evaluator => "the evaluator",
            _ = &mut self.backfill => "the backfill",
            _ = &mut self.diagnostics => "the diagnostics",
            _ = &mut self.agenda => "the agenda",
            () = first(&mut self.deliverers) => "a deliverer",
            () = first(&mut self.beside) => "a task beside the deliverers",
        }
    }
}

/// Waits for the first that ends. Where there are none there is nobody to wait for.
async fn first(tasks: &mut [JoinHandle<()>]) {
    if tasks.is_empty() {
        std::future::pending::<()>().await;
    }
    drop(select_all(tasks.iter_mut()).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_noticed() {
        let run = || tokio::spawn(std::future::pending());
        let stop = CancellationToken::new();
        let over = tokio::spawn(async {});
        let (deliverers, beside) = (vec![run(), over], Vec::new());
        let mut generation = Generation {
            stop,
            evaluator: run(),
            backfill: run(),
            diagnostics: run(),
            agenda: run(),
            deliverers,
            beside,
        };
        assert_eq!(generation.broken().await, "a deliverer");
        generation.evaluator.abort();
        generation.deliverers.truncate(1);
        assert_eq!(generation.broken().await, "the evaluator");
    }
}
