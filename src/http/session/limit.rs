//! How often anybody may try to log in.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, MonotonicClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

/// Attempts a minute, of everybody together: behind a proxy all come from one address.
pub const ATTEMPTS: u32 = 20;

/// Counts attempts. Needs no more memory for a million of them.
#[derive(Debug)]
pub struct Attempts(RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>);

impl Default for Attempts {
    fn default() -> Self {
        let often = NonZeroU32::new(ATTEMPTS).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::direct_with_clock(Quota::per_minute(often), MonotonicClock))
    }
}

impl Attempts {
    /// Counts one, or says how long to wait.
    pub fn take(&self) -> Result<(), Duration> {
        self.0.check().map_err(|refused| refused.wait_time_from(MonotonicClock.now()))
    }
}
