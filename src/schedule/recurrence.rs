//! Times that come again and again by a crontab, each for a while.
//!
//! The crontab is read on the zone's own clock. A time that the zone skips runs at the first moment after; one that
//! occurs twice runs once, the first time. How long it lasts is real time.

use chrono::{DateTime, Utc};
use cron::{
    Cron, Direction,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone},
};

use super::{CalendarError, time_zone};
use crate::domain::slot::Span;

/// How far back the newest start is looked for, in seconds, one after the other. A leap day may be eight years away.
const REACH: [i64; 5] = [3_600, 86_400, 40 * 86_400, 400 * 86_400, 3_000 * 86_400];

/// A crontab of five fields in a time zone, and how long each time lasts.
#[derive(Clone, Debug)]
pub struct Recurrence {
    cron: Cron,
    zone: TimeZone,
    seconds: i64,
}

impl Recurrence {
    /// Reads a crontab of five fields and the IANA name of a zone. Each time lasts `seconds`.
    pub fn new(cron: &str, zone: &str, seconds: i64) -> Result<Self, CalendarError> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(cron).map_err(|error| CalendarError::Cron(error.to_string()))?;
        Ok(Self { cron, zone: time_zone(zone)?, seconds })
    }

    /// When it is on within `span`: in order, apart from each other, perhaps beginning before and ending after it.
    pub fn within(&self, span: Span) -> Vec<Span> {
        let mut found: Vec<Span> = Vec::new();
        let starts = self.starts(span.start.saturating_sub(self.seconds)).take_while(|start| *start < span.end);
        for start in starts {
            let end = start + self.seconds;
            match found.last_mut() {
                Some(last) if start <= last.end => last.end = end,
                _ if end > span.start && end > start => found.push(Span { start, end }),
                _ => {}
            }
        }
        found
    }

    /// The first start after the Unix second `after`.
    pub fn next(&self, after: i64) -> Option<i64> {
        self.starts(after).find(|start| *start > after)
    }

    /// The newest start in `(after, upto]`.
    pub fn newest(&self, after: i64, upto: i64) -> Option<i64> {
        // From close by to far: a crontab of every minute is not walked through a year.
        REACH.into_iter().find_map(|reach| {
            let from = after.max(upto.saturating_sub(reach));
            self.starts(from).take_while(|start| *start <= upto).filter(|start| *start > after).last()
        })
    }

    /// How many starts there are in `(after, before)`, at most `most`.
    pub fn count(&self, after: i64, before: i64, most: usize) -> usize {
        let starts = self.starts(after).take_while(|start| *start < before);
        starts.filter(|start| *start > after).take(most).count()
    }

    /// Every start from about the Unix second `from` on, in order. Each once.
    fn starts(&self, from: i64) -> impl Iterator<Item = i64> {
        // The zone's clock is walked as if it was UTC's: no hour of it is missing, none is there twice.
        let clock = Timestamp::from_second(from).ok().and_then(|from| {
            let shown = from.to_zoned(self.zone.clone()).datetime();
            let second = shown.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
            DateTime::<Utc>::from_timestamp(second, 0)
        });
        let times = clock.into_iter().flat_map(|clock| self.cron.iter_from(clock, Direction::Forward));
        let mut last = None;
        times.map_while(|time| self.instant(time)).filter(move |start| last.replace(*start) != Some(*start))
    }

    /// When the zone's clock shows `shown`.
    fn instant(&self, shown: DateTime<Utc>) -> Option<i64> {
        let shown = Timestamp::from_second(shown.timestamp()).ok()?.to_zoned(TimeZone::UTC).datetime();
        Some(first_moment(&self.zone, shown)?.as_second())
    }
}

fn first_moment(zone: &TimeZone, shown: civil::DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    match ambiguous.offset() {
        // By the clock of after the leap it is a moment before the leap.
        AmbiguousOffset::Gap { after, .. } => {
            let before_leap = after.to_timestamp(shown).ok()?;
            zone.following(before_leap).next().map(|leap| leap.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    /// The starts between two instants, as UTC.
    fn starts(cron: &str, zone: &str, from: &str, to: &str) -> Vec<String> {
        let recurrence = Recurrence::new(cron, zone, 60).unwrap();
        let (from, to) = (second(from), second(to));
        let within = recurrence.starts(from).take_while(|start| *start < to);
        within.map(|start| Timestamp::from_second(start).unwrap().strftime("%m-%d %H:%M").to_string()).collect()
    }

    #[test]
    fn the_zones_own_clock_decides() {
        #[rustfmt::skip]
        let cases = [
            // Sunday 7 or 0, names, steps; a plain month.
            ("0 3 * * 7", "UTC", "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z", "11-01 03:00, 11-08 03:00, 11-15 03:00"),
            ("0 3 * * sun", "UTC", "2026-11-02T00:00:00Z", "2026-11-10T00:00:00Z", "11-08 03:00"),
            ("*/20 5 3 * *", "Asia/Tokyo", "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z", "11-02 20:00, 11-02 20:20, 11-02 20:40"),
            // Day of month or day of week: either.
            ("0 0 13 * fri", "UTC", "2026-11-01T00:00:00Z", "2026-11-15T00:00:00Z", "11-06 00:00, 11-13 00:00"),
            // Summer time begins: 02:30 does not exist on the 29th, and runs at 03:00 of the new time.
            ("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z", "03-28 01:30, 03-29 01:00, 03-30 00:30"),
            ("*/15 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", "03-29 01:00"),
            ("0 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", "03-29 01:00"),
            ("30 2 * * *", "America/New_York", "2027-03-14T00:00:00Z", "2027-03-15T00:00:00Z", "03-14 07:00"),
            // It ends: 02:30 is there twice, and runs the first time.
            ("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z", "10-24 00:30, 10-25 00:30, 10-26 01:30"),
            ("*/30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z", "10-25 00:00, 10-25 00:30"),
            ("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", "2026-10-25T03:00:00Z", "10-25 00:00, 10-25 02:00"),
            // A leap of half an hour, and a whole day that was skipped.
            ("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-04T20:00:00Z", "10-03 15:30, 10-04 15:10"),
            ("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2012-02-01T00:00:00Z", "12-30 10:00"),
            // Across the end of the year, far ahead, and never.
            ("0 0 1 1 *", "America/New_York", "2026-06-01T00:00:00Z", "2028-06-01T00:00:00Z", "01-01 05:00, 01-01 05:00"),
            ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2033-01-01T00:00:00Z", "02-29 00:00, 02-29 00:00"),
            ("30 2 * * *", "Europe/Berlin", "2126-03-30T20:00:00Z", "2126-03-31T20:00:00Z", "03-31 01:00"),
            ("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", "2400-01-01T00:00:00Z", ""),
        ];
        for (cron, zone, from, to, expected) in cases {
            assert_eq!(starts(cron, zone, from, to).join(", "), expected, "{cron} {zone} from {from}");
        }
    }

    #[test]
    fn what_overlaps_is_joined() {
        let on = |cron: &str, seconds, from: &str, to: &str| {
            let recurrence = Recurrence::new(cron, "Europe/Berlin", seconds).unwrap();
            let span = Span { start: second(from), end: second(to) };
            let hours = |span: Span| (span.start - second("2026-10-24T00:00:00Z"), span.seconds());
            recurrence.within(span).into_iter().map(hours).collect::<Vec<_>>()
        };
        // 02:00 to 04:00: over the hour that comes twice it lasts two hours all the same.
        assert_eq!(
            on("0 2 * * *", 7_200, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
            [(86_400, 7_200), (176_400, 7_200)]
        );
        // It began before what is asked about, and ends after it.
        assert_eq!(on("0 2 * * *", 7_200, "2026-10-24T01:30:00Z", "2026-10-24T01:31:00Z"), [(0, 7_200)]);
        // Its end is not in it, nor is its start in what ends there.
        assert_eq!(on("0 2 * * *", 7_200, "2026-10-24T02:00:00Z", "2026-10-24T03:00:00Z"), []);
        assert_eq!(on("0 2 * * *", 7_200, "2026-10-23T12:00:00Z", "2026-10-24T00:00:00Z"), []);
        assert_eq!(on("0 2 * * *", 7_200, "2026-10-23T12:00:00Z", "2026-10-24T00:00:01Z"), [(0, 7_200)]);
        // Longer than until the next: one.
        assert_eq!(on("0 * * * *", 3_600, "2026-10-23T23:00:00Z", "2026-10-24T03:00:00Z"), [(-3_600, 4 * 3_600)]);
        assert_eq!(on("0 0 * * *", 7 * 86_400, "2026-10-20T12:00:00Z", "2026-10-20T12:01:00Z").len(), 1);
        assert_eq!(on("0 0 * * *", 0, "2026-10-20T12:00:00Z", "2026-10-23T12:01:00Z"), []);
    }

    #[test]
    fn the_next_and_the_newest() {
        #[rustfmt::skip]
        let cases = [
            // After, up to: the newest in between, how many before it, the first after the first instant.
            ("0 9 1 * *", "UTC", "2026-10-01T09:00:00Z", "2026-11-01T08:59:59Z", "-", 0, "2026-11-01T09:00:00Z"),
            ("0 9 1 * *", "UTC", "2026-10-01T09:00:00Z", "2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z", 0, "2026-11-01T09:00:00Z"),
            ("0 9 1 * *", "UTC", "2026-10-01T08:59:59Z", "2027-03-15T00:00:00Z", "2027-03-01T09:00:00Z", 5, "2026-10-01T09:00:00Z"),
            ("* * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-12-31T00:00:30Z", "2026-12-31T00:00:00Z", 100, "2026-01-01T00:01:00Z"),
            ("0 0 29 2 *", "UTC", "2024-02-29T00:00:00Z", "2028-03-01T00:00:00Z", "2028-02-29T00:00:00Z", 0, "2028-02-29T00:00:00Z"),
            ("0 0 30 2 *", "UTC", "2024-02-29T00:00:00Z", "2028-03-01T00:00:00Z", "-", 0, "-"),
            // Skipped: the first moment after. Twice: once, and nothing is left of it in the second hour.
            ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", 0, "2026-03-29T01:00:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "-", 0, "2026-10-26T01:30:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-25T02:00:00Z", "-", 0, "2026-10-26T01:30:00Z"),
        ];
        let shown = |second: Option<i64>| {
            second.map_or_else(|| "-".to_owned(), |second| Timestamp::from_second(second).unwrap().to_string())
        };
        for (cron, zone, after, upto, newest, before, next) in cases {
            let recurrence = Recurrence::new(cron, zone, 60).unwrap();
            let (after, upto) = (second(after), second(upto));
            let found = recurrence.newest(after, upto);
            assert_eq!(shown(found), newest, "{cron} {zone} {after}");
            assert_eq!(found.map_or(0, |found| recurrence.count(after, found, 100)), before, "{cron} {zone} {after}");
            assert_eq!(shown(recurrence.next(after)), next, "{cron} {zone} {after}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for (cron, zone) in [("0 3 * *", "UTC"), ("0 0 3 * * *", "UTC"), ("x", "UTC"), ("0 3 * * *", "Mars/Olympus")] {
            assert!(Recurrence::new(cron, zone, 60).is_err(), "{cron} {zone}");
        }
        let recurrence = Recurrence::new("* * * * *", "UTC", 60).unwrap();
        for (start, end) in [(i64::MIN, i64::MIN + 60), (i64::MAX - 60, i64::MAX), (60, 0)] {
            assert_eq!(recurrence.within(Span { start, end }), []);
        }
    }

    proptest::proptest! {
        /// A part of the time is answered as the whole is.
        #[test]
        fn parts_agree_with_the_whole(
            (zone, cron) in (0..4_usize, 0..6_usize), day in 0..800_i64, offset in 0..86_400_i64, length in 1..50_000_i64,
            seconds in 1..100_000_i64,
        ) {
            let zone = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"][zone];
            let cron = ["30 2 * * *", "*/15 * * * *", "0 2,3 * * sun", "15 1 1 * *", "59 23 * * *", "30 1-3 * 3,10 *"][cron];
            let recurrence = Recurrence::new(cron, zone, seconds).unwrap();
            let start = second("2026-01-01T00:00:00Z") + day * 86_400 + offset;
            let part = Span { start, end: start + length };
            let whole = recurrence.within(Span { start: start - 200_000, end: start + length + 200_000 });
            let seen = |spans: &[Span]| {
                let cut = |span: &Span| Span { start: span.start.max(part.start), end: span.end.min(part.end) };
                spans.iter().map(cut).filter(|span| span.start < span.end).collect::<Vec<_>>()
            };
            proptest::prop_assert_eq!(seen(&recurrence.within(part)), seen(&whole));
        }
    }
}
