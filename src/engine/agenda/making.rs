//! What a time of an entry says: the review of the month before it, or the reminder and what its check found.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Agenda, Item};
use crate::{
    config::model::{Reminder, Report},
    domain::{
        bulletin::{Bulletin, BulletinKind},
        decide::time,
        name::Name,
        notification::Message,
    },
    engine::{
        noise,
        online::{Answer, Online},
        report,
    },
    schedule::{self, course::Due},
    store::{Posting, StoreError},
    views::{
        reminder::{Check, Finding, reminder},
        report::BudgetReport,
        review::{Review, review},
        when::When,
    },
};

/// How long all questions of a check may take.
const CHECK_LIMIT: Duration = Duration::from_mins(10);

impl Agenda {
    /// The messages of one time, one for each receiver.
    pub(super) async fn make(&self, item: &Item, due: Due) -> Result<Vec<Posting>, StoreError> {
        let entry = item.entry();
        let made = match item.kind {
            BulletinKind::Report => match self.config.reports.get(&item.name) {
                Some(report) => Some((self.review(item, report, due).await?, &report.notify)),
                None => None,
            },
            BulletinKind::Reminder => match self.config.reminders.get(&item.name) {
                Some(reminder) => Some((self.reminder(item, reminder, due).await, &reminder.notify)),
                None => None,
            },
            BulletinKind::Restart | BulletinKind::Undelivered => None,
        };
        let Some((bulletin, notify)) = made else { return Ok(Vec::new()) };
        Ok(postings(&bulletin, notify, &entry))
    }

    /// The month is named by the entry's own zone and cut in the daemon's, like every other report of it.
    async fn review(&self, item: &Item, report: &Report, due: Due) -> Result<Bulletin, StoreError> {
        let now = self.clock.now();
        let unreadable =
            |error: schedule::CalendarError| StoreError::Unreadable { what: item.entry(), why: error.to_string() };
        let zone = &self.config.daemon.timezone;
        let name = schedule::month_before(time(due.at), &report.when.timezone).map_err(unreadable)?;
        let month = schedule::month(&name, zone).map_err(unreadable)?;
        let whole = self.budgets(&report.services, &month, now).await?;
        let time = (month.start, month.end.min(now));
        let noise = noise::ledger(&self.store, &self.config, &self.board, time, None, now).await?;
        let when = Self::when(item, due, now);
        let (name, external_url) = (item.name.as_str(), self.config.daemon.external_url.as_str());
        Ok(review(&Review { name, report: &whole, noise: &noise, is_over: month.end <= now, when, external_url }))
    }

    /// The budgets of these services, or of all.
    async fn budgets(
        &self,
        services: &[Name],
        month: &schedule::Month,
        now: DateTime<Utc>,
    ) -> Result<BudgetReport, StoreError> {
        let made = |service| report::budget_report(&self.store, &self.config, month, service, now);
        let Some((first, others)) = services.split_first() else { return made(None).await };
        let mut whole = made(Some(first)).await?;
        for service in others {
            whole.services.extend(made(Some(service)).await?.services);
        }
        Ok(whole)
    }

    async fn reminder(&self, item: &Item, configured: &Reminder, due: Due) -> Bulletin {
        let check = if configured.online { Some(self.check().await) } else { None };
        let when = Self::when(item, due, self.clock.now());
        reminder(&item.name, &configured.text, check.as_ref(), when, &self.config.daemon.external_url)
    }

    /// Asks everybody what `slod check --online` asks.
    async fn check(&self) -> Check {
        let started = self.clock.now();
        let online = Online {
            config: &self.config,
            sources: &self.sources,
            channels: &self.channels,
            prober: &self.prober,
            diagnoser: &self.diagnoser,
            only: None,
            limit: CHECK_LIMIT,
        };
        let finding = |answer: Answer| Finding {
            ok: answer.ok,
            word: answer.word().to_owned(),
            name: answer.name,
            text: answer.text,
        };
        let findings = online.ask(started.timestamp()).await.into_iter().map(finding).collect();
        let took = (self.clock.now() - started).max(TimeDelta::zero());
        Check { findings, took, config_hash: self.config.hash.clone() }
    }

    fn when(item: &Item, due: Due, now: DateTime<Utc>) -> When {
        When {
            key: format!("{}@{}", item.entry(), due.at),
            due_at: time(due.at),
            decided_at: now,
            late: due.late,
            missed: due.missed,
        }
    }
}

/// The same for each receiver. What one entry says reaches it in order.
fn postings(bulletin: &Bulletin, notify: &[Name], entry: &str) -> Vec<Posting> {
    let posting = |receiver: &Name| Posting {
        receiver: receiver.clone(),
        event: bulletin.kind.event(),
        key: entry.to_owned(),
        message: Message::Bulletin(Box::new(bulletin.clone())),
    };
    notify.iter().map(posting).collect()
}
