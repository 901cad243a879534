//! Cron expressions and time zones.

use super::{
    codes::Code,
    fields::{Fields, clipped},
    finding::Finding,
};
use crate::schedule::Recurrence;

impl Fields<'_> {
    /// A cron expression of five fields.
    pub fn cron(&self, key: &'static str) -> Option<String> {
        let found = self.word(key, "a cron expression such as `\"0 9 1 * *\"`")?;
        if let Err(why) = cron_problem(&found.value) {
            let message = format!("`{key}` of {} is no cron expression: {why}", self.owner);
            let help = "five fields: minute, hour, day of month, month, day of week";
            self.cx.push(Finding::error(Code::Cron, found.at, message).help(help));
            return None;
        }
        if never_comes(&found.value) {
            let message = format!("`{key}` of {} names a time that never comes", self.owner);
            let help = "write a day that the month has";
            self.cx.push(Finding::error(Code::NeverComes, found.at, message).help(help));
            return None;
        }
        Some(found.value)
    }

    /// An IANA time zone.
    pub fn timezone(&self, key: &'static str) -> Option<String> {
        let found = self.word(key, "a time zone such as `Europe/Paris`")?;
        if !is_timezone(&found.value) {
            let message = format!("there is no time zone `{}`", clipped(&found.value));
            let help = "write an IANA name such as `Europe/Paris` or `UTC`";
            self.cx.push(Finding::error(Code::Timezone, found.at, message).help(help));
            return None;
        }
        Some(found.value)
    }

    /// A time such as `2026-01-05T00:00:00Z`.
    pub fn instant(&self, key: &'static str) -> Option<chrono::DateTime<chrono::Utc>> {
        let found = self.word(key, "a time such as `2026-01-05T00:00:00Z`")?;
        let instant = chrono::DateTime::parse_from_rfc3339(&found.value).ok();
        if instant.is_none() {
            self.reject(Code::WrongType, key, &found, "a time such as `2026-01-05T00:00:00Z`");
        }
        instant.map(|instant| instant.to_utc())
    }
}

fn cron_problem(text: &str) -> Result<(), String> {
    if text.len() > 200 {
        return Err("it is too long".to_owned());
    }
    if !text.starts_with('@') && text.split_whitespace().count() != 5 {
        return Err(format!("it has {} fields", text.split_whitespace().count()));
    }
    let parser = cron::parser::CronParser::builder()
        .seconds(cron::parser::Seconds::Disallowed)
        .year(cron::parser::Year::Disallowed)
        .build();
    parser.parse(text).map(|_| ()).map_err(|error| error.to_string())
}

/// Whether the calendar has no such time. That does not depend on the year: a leap day comes again.
fn never_comes(cron: &str) -> bool {
    Recurrence::new(cron, "UTC", 0).is_ok_and(|recurrence| recurrence.next(0).is_none())
}

/// Whether the zone exists.
pub(crate) fn is_timezone(name: &str) -> bool {
    name.len() <= 64 && jiff::tz::TimeZone::get(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crons() {
        for fine in ["0 9 1 * *", "0 9 1 1,4,7,10 *", "*/5 * * * mon-fri", "0 0 * * 7"] {
            assert_eq!(cron_problem(fine), Ok(()), "{fine}");
        }
        for bad in ["", "0 9 1 *", "0 0 9 1 * *", "61 * * * *", "a b c d e", "0 9 32 * *", "* * * * 8"] {
            assert!(cron_problem(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn timezones() {
        assert!(is_timezone("UTC") && is_timezone("America/New_York"));
        assert!(!is_timezone("Europe/Pariss") && !is_timezone("") && !is_timezone("../etc/passwd"));
    }
}
