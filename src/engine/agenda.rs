//! Does what is due on crontabs: reports and reminders, each time once.
//!
//! What a time means is made first, then written together with its messages; killed in between, it is made again at the next
//! start, and marked late if it is. Each entry goes its own way: a check that takes minutes holds up no report.

mod making;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::{
    channel::SharedChannel,
    clock::Clock,
    config::model::{Config, Crontab},
    domain::{bulletin::BulletinKind, decide::time, name::Name},
    schedule::{
        Recurrence,
        course::{Course, Due},
    },
    source::{Diagnoser, SharedSource, probe::Prober},
    store::{
        Store, StoreError,
        agenda::{Entry, Occurrence},
    },
};

/// Looks around at least this often, so that a jump of the clock is noticed.
const ROUND: Duration = Duration::from_secs(1);
/// The wait after something could not be made or written.
const TROUBLE: Duration = Duration::from_secs(5);

/// Does what is due until it is told to stop.
pub struct Agenda {
    /// What is due when, and what it says.
    pub config: Arc<Config>,
    /// For checks: whom to ask.
    pub sources: BTreeMap<Name, SharedSource>,
    /// For checks: who is told.
    pub channels: BTreeMap<Name, SharedChannel>,
    /// For checks: slod's own.
    pub prober: Arc<Prober>,
    /// For checks: what looks around at a breach.
    pub diagnoser: Arc<Diagnoser>,
    /// Where figures are read and messages are written.
    pub store: Store,
    /// Where it says that it moves.
    pub board: Arc<Board>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Wakes the deliverers.
    pub nudge: Arc<Notify>,
}

/// One entry of the configuration.
#[derive(Clone, Debug)]
pub struct Item {
    /// Report or reminder.
    pub kind: BulletinKind,
    /// Its name in the configuration.
    pub name: Name,
    /// When.
    pub when: Crontab,
}

impl Item {
    /// `report/monthly`: names it among all.
    pub fn entry(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.name)
    }

    /// Its crontab and zone in one line.
    pub fn schedule(&self) -> String {
        format!("{} {}", self.when.cron, self.when.timezone)
    }

    fn recurrence(&self) -> Option<Recurrence> {
        match Recurrence::new(&self.when.cron, &self.when.timezone, 0) {
            Ok(recurrence) => Some(recurrence),
            // both were checked when the configuration was read
            Err(error) => {
                tracing::error!(entry = self.entry(), %error, "an entry on a crontab is not kept");
                None
            }
        }
    }
}

/// All entries of a configuration.
pub fn items(config: &Config) -> Vec<Item> {
    let item = |kind, name: &Name, when: &Crontab| Item { kind, name: name.clone(), when: when.clone() };
    let reports = config.reports.iter().map(|(name, report)| item(BulletinKind::Report, name, &report.when));
    let reminders = config.reminders.iter().map(|(name, reminder)| item(BulletinKind::Reminder, name, &reminder.when));
    reports.chain(reminders).collect()
}

/// When an entry is due next after `now`.
pub fn next(item: &Item, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    item.recurrence()?.next(now.timestamp()).map(time)
}

/// An entry on its way.
struct Going {
    item: Item,
    course: Course,
    /// It is being made.
    busy: bool,
    /// Nothing is tried before.
    not_before: DateTime<Utc>,
}

impl Agenda {
    /// Runs until `stop`; what is being made then is made at the next start.
    pub async fn run(self, stop: CancellationToken) {
        let ran = async {
            if items(&self.config).is_empty() {
                // Nothing to do; but what was taken out of the configuration begins anew when it comes back.
                drop(self.enrol().await);
                std::future::pending::<()>().await;
            }
            self.go_on().await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = ran => {}
        }
    }

    async fn go_on(&self) {
        let mut going = self.enrol().await;
        let mut making = FuturesUnordered::new();
        let mut before = self.clock.now();
        loop {
            let now = self.clock.now();
            if now < before {
                // The clock was set back: what a clock ahead had looked after is looked after again.
                self.rewind(&mut going).await;
            }
            before = now;
            for (place, one) in going.iter_mut().enumerate().filter(|(_, one)| !one.busy && one.not_before <= now) {
                if let Some(due) = one.course.look(now.timestamp()) {
                    one.busy = true;
                    making.push(self.make_and_keep(place, one.item.clone(), due));
                }
            }
            tokio::select! {
                Some((place, due, done)) = making.next() => {
                    if let Some(one) = going.get_mut(place) {
                        one.busy = false;
                        if done { one.course.done(due.at) } else { one.not_before = self.clock.now() + TROUBLE }
                    }
                }
                () = tokio::time::sleep(wait(&going, now)) => {}
            }
        }
    }

    /// Puts all entries on the agenda in the store, however long it takes.
    async fn enrol(&self) -> Vec<Going> {
        let items = items(&self.config);
        let entries = || items.iter().map(|item| Entry { name: item.entry(), schedule: item.schedule() }).collect();
        let since = loop {
            match self.store.enrol_agenda(entries(), self.clock.now()).await {
                Ok(since) => break since,
                Err(StoreError::Closed) => std::future::pending().await,
                Err(error) => {
                    tracing::error!(error = %error.text(), "reports and reminders wait for the store");
                    tokio::time::sleep(TROUBLE).await;
                }
            }
        };
        let going = |item: Item| {
            let since = since.get(&item.entry())?.timestamp();
            let course = Course::new(item.recurrence()?, since);
            Some(Going { item, course, busy: false, not_before: DateTime::<Utc>::MIN_UTC })
        };
        items.clone().into_iter().filter_map(going).collect()
    }

    /// What is being made goes on; its time is known by its row.
    async fn rewind(&self, going: &mut [Going]) {
        for fresh in self.enrol().await {
            if let Some(one) = going.iter_mut().find(|one| one.item.entry() == fresh.item.entry()) {
                (one.course, one.not_before) = (fresh.course, fresh.not_before);
            }
        }
    }

    /// Makes what is due and writes it. False if it is to be tried again.
    async fn make_and_keep(&self, place: usize, item: Item, due: Due) -> (usize, Due, bool) {
        let entry = item.entry();
        let done = match self.make(&item, due).await {
            Ok(postings) => {
                let occurrence = Occurrence { entry: entry.clone(), at: time(due.at), missed: due.missed };
                let kept = self.store.keep_occurrence(occurrence, postings, self.clock.now()).await;
                if let Ok(true) = kept {
                    tracing::info!(entry, due = %time(due.at), late = due.late, missed = due.missed, "queued");
                    self.nudge.notify_waiters();
                }
                kept.map(|_| ())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &done {
            tracing::error!(entry, error = %error.text(), "not made yet; it is tried again");
        }
        (place, due, done.is_ok())
    }
}

/// Until the next is due, at most a round.
fn wait(going: &[Going], now: DateTime<Utc>) -> Duration {
    let next = going.iter().filter(|one| !one.busy).filter_map(|one| one.course.next()).min();
    let wait = next.map_or(ROUND, |next| (time(next) - now).to_std().unwrap_or_default());
    // What is due and waits for its next try is no reason to spin.
    wait.clamp(Duration::from_millis(20), ROUND)
}
