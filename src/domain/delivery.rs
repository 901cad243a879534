//! When a delivery is tried again: one pure table.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The wait after the first failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait of our own choosing.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// The longest wait a receiver can ask for.
const LONGEST_ASKED: Duration = Duration::from_mins(10);
/// How long a delivery is tried.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::hours(24);

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It was accepted.
    Sent,
    /// It is tried again then.
    RetryAt(DateTime<Utc>),
    /// It is not tried again.
    Dead,
    /// It is not made: a person has changed what it would follow.
    TakenOver,
}

/// What an attempt came to, as far as the table cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempted {
    /// The receiver took it.
    Accepted,
    /// Not now; perhaps after the wait that the receiver asked for.
    Later(Option<Duration>),
    /// Never.
    Never,
    /// Not at all: a person has changed what it would follow.
    TakenOver,
}

/// The table: exponential from 1 s to 5 min, spread by up to a fifth so that a thousand deliveries do not come back
/// in one instant; a wait that the receiver asked for is kept, up to ten minutes; given up after 24 hours.
///
/// `attempt` counts from 1; `seed` is any number that differs between deliveries.
pub fn next(attempted: Attempted, attempt: u32, decided_at: DateTime<Utc>, now: DateTime<Utc>, seed: u64) -> Next {
    let asked = match attempted {
        Attempted::Accepted => return Next::Sent,
        Attempted::Never => return Next::Dead,
        Attempted::TakenOver => return Next::TakenOver,
        Attempted::Later(asked) => asked,
    };
    if now - decided_at >= GIVE_UP_AFTER {
        return Next::Dead;
    }
    let doubled = FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    let spread = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(attempt)).rotate_left(23) % 1_000;
    let own = doubled.mul_f64(1.0 + spread as f64 / 5_000.0);
    let wait = asked.map_or(own, |asked| asked.min(LONGEST_ASKED).max(FIRST_WAIT));
    Next::RetryAt(now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let wait = |attempted, attempt, hours| match next(attempted, attempt, start, start + TimeDelta::hours(hours), 7)
        {
            Next::RetryAt(at) => Some((at - start - TimeDelta::hours(hours)).num_milliseconds()),
            _ => None,
        };
        let later = |seconds| Attempted::Later(Some(Duration::from_secs(seconds)));
        for (attempt, least, most) in
            [(1, 1_000, 1_200), (2, 2_000, 2_400), (5, 16_000, 19_200), (30, 300_000, 360_000)]
        {
            let got = wait(Attempted::Later(None), attempt, 0).expect("a retry");
            assert!((least..=most).contains(&got), "attempt {attempt}: {got} ms");
        }
        assert_eq!(wait(later(30), 1, 0), Some(30_000));
        assert_eq!(wait(later(0), 9, 0), Some(1_000));
        assert_eq!(wait(later(86_400), 1, 0), Some(600_000));
        assert_eq!(wait(Attempted::Later(None), 3, 24), None, "given up after a day");
        assert_eq!(next(Attempted::Accepted, 1, start, start, 0), Next::Sent);
        assert_eq!(next(Attempted::Never, 1, start, start, 0), Next::Dead);
        assert_eq!(next(Attempted::TakenOver, 1, start, start, 0), Next::TakenOver);
    }
}
