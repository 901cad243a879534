//! Points at which a test may kill the process, as `kill -9` would: no unwinding, nothing flushed.
//!
//! A debug build reads `SLOD_FAILPOINT=name` or `name:n` and aborts when that point is reached for the n-th time. A
//! release build has none of this: neither the names nor the variable.

/// Where the process can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// What a dead daemon had leased is free again.
    StartReleased,
    /// What is stored has been read; nothing is decided yet.
    StartRead,
    /// Orders are taken out of the mailbox; nothing is decided yet.
    EscalateTaken,
    /// What came in and what is due is decided, in memory only, and somebody is to hear of it.
    EscalateDecided,
    /// Who hears of what could not be delivered is decided too.
    EscalateFallbacks,
    /// New series have their numbers.
    CommitEnrolled,
    /// What is over is put on record, in memory only.
    CommitRecorded,
    /// Within the transaction: slots and sums are written.
    CommitSlots,
    /// Within the transaction: alerts are written.
    CommitAlerts,
    /// Within the transaction: incidents are written.
    CommitIncidents,
    /// Within the transaction: timelines are written.
    CommitLines,
    /// Within the transaction: one message is queued.
    CommitQueued,
    /// Within the transaction: deliveries whose fallback hears of them are marked.
    CommitTold,
    /// The decider knows that its decision is on the disk.
    CommitAnswered,
    /// Figures are published; nobody who waits for an answer has it.
    CommitPublished,
    /// The deliverers are woken.
    CommitNudged,
    /// The person who acted has the answer.
    CommitReplied,
    /// Any transaction has begun.
    WriteBegun,
    /// All statements of any transaction are run; it is not committed.
    WriteRan,
    /// Any transaction is on the disk; nobody knows.
    WriteCommitted,
    /// Within the transaction: messages are leased.
    LeaseMarked,
    /// The deliverer has its leases.
    LeaseAnswered,
    /// The deliverer knows when to look again.
    LeaseLooked,
    /// An attempt begins.
    SendBegun,
    /// A receiver has answered over HTTP; its answer is not read.
    SendAnswered,
    /// The mail server has taken a mail.
    SendMailed,
    /// An attempt is over; what came of it is known.
    SendEnded,
    /// Within the transaction: what came of it is written.
    FinishMarked,
    /// The deliverer knows that it is on the disk.
    FinishAnswered,
}

/// A release build cannot be killed.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn reach(_: Point) {}

/// A release build has none.
#[cfg(not(debug_assertions))]
pub const POINTS: &[(Point, &str)] = &[];

#[cfg(debug_assertions)]
pub use armed::{POINTS, reach};

#[cfg(debug_assertions)]
mod armed {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };

    use super::Point;

    /// All points, by the names they are armed with.
    pub const POINTS: &[(Point, &str)] = &[
        (Point::StartReleased, "start.released"),
        (Point::StartRead, "start.read"),
        (Point::EscalateTaken, "escalate.taken"),
        (Point::EscalateDecided, "escalate.decided"),
        (Point::EscalateFallbacks, "escalate.fallbacks"),
        (Point::CommitEnrolled, "commit.enrolled"),
        (Point::CommitRecorded, "commit.recorded"),
        (Point::CommitSlots, "commit.slots"),
        (Point::CommitAlerts, "commit.alerts"),
        (Point::CommitIncidents, "commit.incidents"),
        (Point::CommitLines, "commit.lines"),
        (Point::CommitQueued, "commit.queued"),
        (Point::CommitTold, "commit.told"),
        (Point::CommitAnswered, "commit.answered"),
        (Point::CommitPublished, "commit.published"),
        (Point::CommitNudged, "commit.nudged"),
        (Point::CommitReplied, "commit.replied"),
        (Point::WriteBegun, "write.begun"),
        (Point::WriteRan, "write.ran"),
        (Point::WriteCommitted, "write.committed"),
        (Point::LeaseMarked, "lease.marked"),
        (Point::LeaseAnswered, "lease.answered"),
        (Point::LeaseLooked, "lease.looked"),
        (Point::SendBegun, "send.begun"),
        (Point::SendAnswered, "send.answered"),
        (Point::SendMailed, "send.mailed"),
        (Point::SendEnded, "send.ended"),
        (Point::FinishMarked, "finish.marked"),
        (Point::FinishAnswered, "finish.answered"),
    ];

    /// What is armed: the point, and at which hit of it the process dies.
    static ARMED: LazyLock<Option<(Point, u32)>> =
        LazyLock::new(|| std::env::var("SLOD_FAILPOINT").ok().as_deref().and_then(armed));
    static HITS: AtomicU32 = AtomicU32::new(0);

    /// Kills the process if this point is armed and its turn has come.
    pub fn reach(point: Point) {
        let Some((armed, hit)) = *ARMED else { return };
        if armed == point && HITS.fetch_add(1, Ordering::SeqCst) + 1 == hit {
            std::process::abort();
        }
    }

    /// `name` or `name:n`; none for a point that is not there.
    pub(super) fn armed(text: &str) -> Option<(Point, u32)> {
        let (name, hit) = text.split_once(':').unwrap_or((text, "1"));
        let (point, _) = POINTS.iter().find(|(_, known)| *known == name)?;
        Some((*point, hit.parse().ok()?))
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    #[test]
    fn points_are_armed_by_name_and_hit() {
        assert_eq!(armed::armed("send.begun"), Some((Point::SendBegun, 1)));
        assert_eq!(armed::armed("commit.queued:7"), Some((Point::CommitQueued, 7)));
        assert_eq!(armed::armed("commit.queued:x"), None);
        assert_eq!(armed::armed("nothing"), None);
        reach(Point::SendBegun);
    }
}
