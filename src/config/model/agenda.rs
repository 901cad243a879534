//! `reports:` and `reminders:`, after all checks.

use crate::domain::name::Name;

/// One entry of `reports:`: the review of the month before each time, sent by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The services it tells of; all if empty.
    pub services: Vec<Name>,
    /// When.
    pub when: Crontab,
    /// To whom. No pager, no public page.
    pub notify: Vec<Name>,
}

/// One entry of `reminders:`: a text that is sent again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// What is to be done.
    pub text: String,
    /// When.
    pub when: Crontab,
    /// Whether every source and receiver is asked first, and the result is sent with the text.
    pub online: bool,
    /// To whom. No pager, no public page.
    pub notify: Vec<Name>,
}

/// Times that come again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crontab {
    /// Five fields, checked.
    pub cron: String,
    /// An IANA zone, checked.
    pub timezone: String,
}
