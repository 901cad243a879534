//! What an entry on a crontab does when: each time once, whatever becomes of the clock and of the process.
//!
//! Two things are remembered where a restart finds them: up to when the entry has been looked after (`since`), and every time
//! that it ran. A new entry begins from now on. After a gap the newest time that was missed is due, once, and knows how many
//! were missed before it. A clock that is set back moves `since` back with it; what ran already is known by its time, and is
//! not run again.

use super::Recurrence;

/// Done this much later than it was due, in seconds, it is late.
const LATE_AFTER: i64 = 60;
/// More missed times than this are not counted.
pub const MISSED_MAX: usize = 10_000;

/// A time that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When, in Unix seconds.
    pub at: i64,
    /// How many times before it were missed; at most [`MISSED_MAX`].
    pub missed: usize,
    /// Well after its time.
    pub late: bool,
}

/// One entry's way through time.
#[derive(Clone, Debug)]
pub struct Course {
    recurrence: Recurrence,
    since: i64,
    next: Option<i64>,
}

impl Course {
    /// Looked after up to `since`, in Unix seconds.
    pub fn new(recurrence: Recurrence, since: i64) -> Self {
        let next = recurrence.next(since);
        Self { recurrence, since, next }
    }

    /// When it is due next, as far as is known.
    pub fn next(&self) -> Option<i64> {
        self.next
    }

    /// What is due at `now`.
    pub fn look(&mut self, now: i64) -> Option<Due> {
        if now < self.since {
            self.move_to(now);
            return None;
        }
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        let at = self.recurrence.newest(self.since, now)?;
        let missed = self.recurrence.count(self.since, at, MISSED_MAX);
        Some(Due { at, missed, late: now - at > LATE_AFTER })
    }

    /// The time `at` has been run, or was before.
    pub fn done(&mut self, at: i64) {
        self.move_to(at);
    }

    fn move_to(&mut self, since: i64) {
        self.since = since;
        self.next = self.recurrence.next(since);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// 2026-01-01.
    const START: i64 = 1_767_225_600;

    /// What is on the disk.
    #[derive(Default)]
    struct Disk {
        since: i64,
        ran: BTreeSet<i64>,
    }

    /// A daemon that is started, looks, and is killed.
    struct Daemon {
        disk: Disk,
        course: Course,
        cron: Recurrence,
        runs: Vec<Due>,
    }

    impl Daemon {
        fn new(cron: &str, zone: &str, now: i64) -> Self {
            let cron = Recurrence::new(cron, zone, 0).unwrap();
            let course = Course::new(cron.clone(), now);
            Self { disk: Disk { since: now, ran: BTreeSet::new() }, course, cron, runs: Vec::new() }
        }

        fn restart(&mut self, now: i64) {
            self.disk.since = self.disk.since.min(now);
            self.course = Course::new(self.cron.clone(), self.disk.since);
        }

        /// Looks once. `killed`: before what it decided is on the disk.
        fn look(&mut self, now: i64, killed: bool) {
            if let Some(due) = self.course.look(now).filter(|_| !killed) {
                if self.disk.ran.insert(due.at) {
                    self.runs.push(due);
                }
                self.disk.since = due.at;
                self.course.done(due.at);
            }
        }
    }

    #[test]
    fn what_was_missed_is_done_once_and_counted() {
        let mut daemon = Daemon::new("0 * * * *", "UTC", START + 10);
        daemon.look(START + 3_599, false);
        assert!(daemon.runs.is_empty(), "nothing from before it existed");
        daemon.look(START + 3_600, false);
        daemon.look(START + 3_600, false);
        assert_eq!(daemon.runs.pop(), Some(Due { at: START + 3_600, missed: 0, late: false }));
        daemon.restart(START + 5 * 3_600 + 120);
        daemon.look(START + 5 * 3_600 + 120, true);
        daemon.restart(START + 5 * 3_600 + 130);
        daemon.look(START + 5 * 3_600 + 130, false);
        daemon.look(START + 5 * 3_600 + 140, false);
        assert_eq!(daemon.runs, [Due { at: START + 5 * 3_600, missed: 3, late: true }]);
    }

    #[test]
    fn a_clock_set_back_repeats_nothing_and_one_that_was_ahead_loses_nothing() {
        let mut daemon = Daemon::new("0 * * * *", "UTC", START);
        daemon.look(START + 3_600, false);
        for now in (START..START + 7_300).step_by(50) {
            daemon.look(now, false);
        }
        let at: Vec<_> = daemon.runs.iter().map(|due| due.at - START).collect();
        assert_eq!(at, [3_600, 7_200]);
        // Years ahead for a moment, then right again.
        daemon.look(START + 900 * 86_400, false);
        assert_eq!(daemon.runs.pop().map(|due| (due.at, due.late)), Some((START + 900 * 86_400, false)));
        daemon.restart(START + 7_400);
        for now in (START + 7_400..START + 10_900).step_by(50) {
            daemon.look(now, false);
        }
        assert_eq!(daemon.runs.pop(), Some(Due { at: START + 10_800, missed: 0, late: false }));
    }

    #[derive(Clone, Debug)]
    enum Happens {
        /// Time passes, with a look at its end.
        Pass(i64),
        /// The clock is set, forward or back.
        Set(i64),
        /// Killed, perhaps with a decision on its way, and back so much later.
        Killed(bool, i64),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            4 => (1..4_000_i64).prop_map(Happens::Pass),
            1 => (-200_000..200_000_i64).prop_map(Happens::Set),
            2 => (any::<bool>(), 0..90_000_i64).prop_map(|(deciding, away)| Happens::Killed(deciding, away)),
        ]
    }

    proptest! {
        /// Whatever happens, no time is run twice, none from before the entry existed or from the future is run, and the
        /// next one always is.
        #[test]
        fn each_time_once(
            (cron, zone) in (0..5_usize, 0..3_usize), begin in 0..400 * 86_400_i64,
            story in proptest::collection::vec(happens(), 1..60),
        ) {
            let cron = ["*/20 * * * *", "30 2 * * *", "0 */6 * * *", "0 9 1 * *", "15 1-3 * * sun"][cron];
            let zone = ["Europe/Berlin", "America/New_York", "UTC"][zone];
            let mut now = START + begin;
            let mut earliest = now;
            let mut daemon = Daemon::new(cron, zone, now);
            for event in story {
                let before = daemon.runs.len();
                match event {
                    Happens::Pass(seconds) | Happens::Set(seconds) => now += seconds,
                    Happens::Killed(deciding, away) => {
                        daemon.look(now, deciding);
                        now += away;
                        daemon.restart(now);
                    }
                }
                earliest = earliest.min(now);
                daemon.look(now, false);
                for due in &daemon.runs[before..] {
                    prop_assert!(due.at <= now && due.at > earliest - 200_000, "{due:?} at {now}");
                }
            }
            let ran: BTreeSet<i64> = daemon.runs.iter().map(|due| due.at).collect();
            prop_assert_eq!(ran.len(), daemon.runs.len(), "each once");
            // From here on time simply passes: the next that has not been run is.
            daemon.look(now, false);
            let waiting = std::iter::successors(daemon.cron.next(now), |at| daemon.cron.next(*at)).find(|at| !ran.contains(at));
            let mut at = now;
            while let Some(waiting) = waiting.filter(|waiting| at < *waiting) {
                at = daemon.cron.next(at).unwrap_or(waiting);
                daemon.look(at, false);
            }
            prop_assert_eq!(daemon.runs.last().map(|due| (due.at, due.missed, due.late)), waiting.map(|at| (at, 0, false)));
        }

        /// Without a clock that is set, every time since the entry exists is either run or counted as missed.
        #[test]
        fn nothing_is_forgotten(passes in proptest::collection::vec((1..200_000_i64, any::<bool>()), 1..40)) {
            let mut now = START + 77;
            let mut daemon = Daemon::new("*/30 * * * *", "Europe/Berlin", now);
            for (seconds, restarts) in passes {
                now += seconds;
                if restarts {
                    daemon.restart(now);
                }
                daemon.look(now, false);
            }
            let told: usize = daemon.runs.iter().map(|due| due.missed + 1).sum();
            prop_assert_eq!(told, daemon.cron.count(START + 77, now + 1, 1_000_000));
        }
    }
}
