//! Calendars: months, periods, zones and crontabs. Zone rules come from jiff; everything else of the program counts in UTC.

pub mod course;
mod recurrence;

use chrono::{DateTime, Utc};
use jiff::{Timestamp, civil, tz::TimeZone};

pub use self::recurrence::Recurrence;
use crate::domain::window::{Calendar, Period};

/// The years whose periods are known, both included.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;

/// Why a month, or what comes again and again, cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Not `YYYY-MM`.
    #[error("`{0}` is not a month: write it like 2026-10")]
    Month(String),
    /// Not a zone.
    #[error("`{0}` is not a time zone: write its IANA name, like Europe/Paris")]
    Zone(String),
    /// Not a crontab.
    #[error("no cron expression: {0}")]
    Cron(String),
}

/// One calendar month in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// `2026-10`.
    pub name: String,
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

/// The month called `name` (`2026-10`) in `zone`.
pub fn month(name: &str, zone: &str) -> Result<Month, CalendarError> {
    let wrong = || CalendarError::Month(name.to_owned());
    let (year, number) =
        name.split_once('-').filter(|(year, number)| year.len() == 4 && number.len() == 2).ok_or_else(wrong)?;
    let year: i16 = year.parse().ok().filter(|year| (1970..=9000).contains(year)).ok_or_else(wrong)?;
    let first = civil::Date::new(year, number.parse().map_err(|_| wrong())?, 1).map_err(|_| wrong())?;
    cut(first, &time_zone(zone)?).ok_or_else(wrong)
}

/// The month that `now` is in, in `zone`.
pub fn running_month(now: DateTime<Utc>, zone: &str) -> Result<Month, CalendarError> {
    let zone_rules = time_zone(zone)?;
    let stamp = Timestamp::from_second(now.timestamp()).map_err(|_| CalendarError::Month(now.to_rfc3339()))?;
    let first = stamp.to_zoned(zone_rules.clone()).date().first_of_month();
    cut(first, &zone_rules).ok_or_else(|| CalendarError::Month(now.to_rfc3339()))
}

/// The month before the one that `at` is in by `zone`, as its name: `2026-09` for all of October 2026.
pub fn month_before(at: DateTime<Utc>, zone: &str) -> Result<String, CalendarError> {
    let running = running_month(at, zone)?;
    running_month(running.start - chrono::TimeDelta::seconds(1), zone).map(|month| month.name)
}

/// All periods of a kind that begin in the years 1970 to 2100, in `zone`: each from its first midnight on, or from the
/// first moment after a midnight that the zone skips.
pub fn calendar(period: Period, zone: &str) -> Result<Calendar, CalendarError> {
    let rules = time_zone(zone)?;
    let unknown = || CalendarError::Zone(zone.to_owned());
    let mut day = civil::date(*YEARS.start(), 1, 1);
    if period == Period::Week {
        let since_monday = day.weekday().to_monday_zero_offset();
        day = day.checked_sub(jiff::Span::new().days(since_monday)).map_err(|_| unknown())?;
    }
    let step = match period {
        Period::Week => jiff::Span::new().weeks(1),
        Period::Month => jiff::Span::new().months(1),
        Period::Quarter => jiff::Span::new().months(3),
        Period::Year => jiff::Span::new().years(1),
    };
    let mut starts = Vec::new();
    while day.year() <= YEARS.end() + 1 {
        starts.push(day.to_zoned(rules.clone()).map_err(|_| unknown())?.timestamp().as_second());
        day = day.checked_add(step).map_err(|_| unknown())?;
    }
    Calendar::new(period, zone.to_owned(), starts.into()).ok_or_else(unknown)
}

fn time_zone(name: &str) -> Result<TimeZone, CalendarError> {
    TimeZone::get(name).map_err(|_| CalendarError::Zone(name.to_owned()))
}

fn cut(first: civil::Date, zone: &TimeZone) -> Option<Month> {
    let next = first.checked_add(jiff::Span::new().months(1)).ok()?;
    let instant = |date: civil::Date| {
        let second = date.to_zoned(zone.clone()).ok()?.timestamp().as_second();
        DateTime::from_timestamp(second, 0)
    };
    Some(Month {
        name: format!("{:04}-{:02}", first.year(), first.month()),
        start: instant(first)?,
        end: instant(next)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_their_zone() {
        for (name, zone, start, hours) in [
            ("2026-10", "UTC", "2026-10-01T00:00:00Z", 744),
            ("2026-10", "Europe/Paris", "2026-09-30T22:00:00Z", 745), // one hour twice
            ("2026-03", "America/New_York", "2026-03-01T05:00:00Z", 743), // one hour never
            ("2028-02", "UTC", "2028-02-01T00:00:00Z", 696),
        ] {
            let month = month(name, zone).expect("a month");
            assert_eq!(month.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), start);
            assert_eq!((month.end - month.start).num_hours(), hours, "{name} {zone}");
        }
        for wrong in ["2026", "2026-13", "2026-1", "26-10", "2026-10-01", "", "abcd-ef"] {
            assert!(month(wrong, "UTC").is_err(), "{wrong}");
        }
        assert!(month("2026-10", "Mars/Olympus").is_err());
    }

    #[test]
    fn the_month_before_is_the_zones_own() {
        for (at, zone, name) in [
            ("2026-11-01T14:00:00Z", "America/New_York", "2026-10"),
            ("2026-11-01T02:00:00Z", "America/New_York", "2026-09"),
            ("2026-10-31T15:00:00Z", "Asia/Tokyo", "2026-10"),
            ("2026-10-31T14:59:59Z", "Asia/Tokyo", "2026-09"),
            ("2026-01-15T00:00:00Z", "UTC", "2025-12"),
        ] {
            let at = at.parse().expect("a time");
            assert_eq!(month_before(at, zone).expect("a month"), name, "{at} {zone}");
        }
    }
}
