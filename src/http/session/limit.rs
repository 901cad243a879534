//! How often anybody may try to log in.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};

/// Attempts a minute from one address.
pub const ATTEMPTS: u32 = 20;
/// Attempts a minute of everybody together. Whoever guesses from one address keeps nobody else out.
pub const ATTEMPTS_OF_ALL: u32 = 300;
/// Most addresses that are counted one by one; all further ones count as one.
const ADDRESSES_MAX: usize = 4_096;

type Counted<C> = NoOpMiddleware<<C as Clock>::Instant>;

/// Counts attempts, in bounded memory.
#[derive(Debug)]
pub struct Attempts<C: Clock = MonotonicClock> {
    each: RateLimiter<Option<IpAddr>, HashMapStateStore<Option<IpAddr>>, C, Counted<C>>,
    all: RateLimiter<NotKeyed, InMemoryState, C, Counted<C>>,
    told: RateLimiter<NotKeyed, InMemoryState, C, Counted<C>>,
    clock: C,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::timed_by(MonotonicClock)
    }
}

impl<C: Clock + Clone> Attempts<C> {
    fn timed_by(clock: C) -> Self {
        let quota = |often: u32| Quota::per_minute(NonZeroU32::new(often).unwrap_or(NonZeroU32::MIN));
        Self {
            each: RateLimiter::hashmap_with_clock(quota(ATTEMPTS), clock.clone()),
            all: RateLimiter::direct_with_clock(quota(ATTEMPTS_OF_ALL), clock.clone()),
            told: RateLimiter::direct_with_clock(quota(1), clock.clone()),
            clock,
        }
    }

    /// Counts one that comes from an address, or says how long to wait. What an address may not do any more does not count
    /// for the others.
    pub fn take(&self, from: Option<IpAddr>) -> Result<(), Duration> {
        if self.each.len() >= ADDRESSES_MAX {
            self.each.retain_recent();
        }
        let from = if self.each.len() < ADDRESSES_MAX { from } else { None };
        let now = self.clock.now();
        self.each.check_key(&from).map_err(|refused| refused.wait_time_from(now))?;
        self.all.check().map_err(|refused| refused.wait_time_from(now))
    }

    /// Whether the log is told of one that was turned away: a line a minute, however many there are.
    pub fn is_news(&self) -> bool {
        self.told.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn one_address_keeps_no_other_out() {
        let clock = FakeRelativeClock::default();
        let attempts = Attempts::timed_by(clock.clone());
        let taken = (0..1_000).filter(|_| attempts.take(Some(address(1))).is_ok()).count();
        assert_eq!(taken, ATTEMPTS as usize);
        assert_eq!(attempts.take(Some(address(1))), Err(Duration::from_secs(3)));
        assert_eq!(attempts.take(Some(address(2))), Ok(()));
        assert_eq!(attempts.take(None), Ok(()));
        clock.advance(Duration::from_secs(3));
        assert_eq!((attempts.take(Some(address(1))), attempts.take(Some(address(1))).is_ok()), (Ok(()), false));
    }

    #[test]
    fn everybody_together_has_a_bound_and_so_has_the_table() {
        let clock = FakeRelativeClock::default();
        let attempts = Attempts::timed_by(clock.clone());
        let taken = (0..10_000).filter(|number| attempts.take(Some(address(*number))).is_ok()).count();
        assert_eq!(taken, ATTEMPTS_OF_ALL as usize);
        assert_eq!(attempts.each.len(), ADDRESSES_MAX + 1, "the last stands for all others");
        clock.advance(Duration::from_mins(2));
        assert_eq!(attempts.take(Some(address(7))), Ok(()));
        assert_eq!(attempts.each.len(), 1, "what is old makes room");
    }

    #[test]
    fn the_log_is_told_once_a_minute() {
        let clock = FakeRelativeClock::default();
        let attempts = Attempts::timed_by(clock.clone());
        assert_eq!((0..100).filter(|_| attempts.is_news()).count(), 1);
        clock.advance(Duration::from_mins(1));
        assert!(attempts.is_news());
    }
}
