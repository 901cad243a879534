//! The only place of the testbed that reads a clock.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Now.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A moment after which waiting is pointless.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// Whether it has passed.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn passed(self) -> bool {
        Instant::now() >= self.0
    }
}

/// Time since a start.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Asks `condition` until it holds, at most for `longest`. The answer is whether it ever did.
pub async fn eventually(longest: Duration, mut condition: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Deadline::after(longest);
    loop {
        if condition().await {
            return true;
        }
        if deadline.passed() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
