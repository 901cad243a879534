//! What a budget is counted over: a rolling window, or a period of the calendar.
//!
//! Calendars have rules of their own (months, time zones, daylight saving); they are compiled into the starts of all
//! periods when the configuration is read, so that counting knows nothing but Unix seconds.

use std::{fmt, sync::Arc};

use super::slot::Span;

/// The period a budget is counted over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many seconds before the watermark.
    Rolling(u32),
    /// A calendar period in a time zone.
    Calendar(Calendar),
}

/// A calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months from January, April, July or October.
    Quarter,
    /// A calendar year.
    Year,
}

impl Period {
    /// The word in configurations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// All periods of one kind in one time zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Calendar {
    period: Period,
    timezone: String,
    starts: Arc<[i64]>,
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Thousands of starts say nothing that the two others do not.
        f.debug_struct("Calendar")
            .field("period", &self.period)
            .field("timezone", &self.timezone)
            .finish_non_exhaustive()
    }
}

impl Calendar {
    /// The periods that begin at `starts` (Unix seconds), in order; the last start ends the last period. `None` if
    /// that is not one period at least, or they are not in order.
    pub fn new(period: Period, timezone: String, starts: Arc<[i64]>) -> Option<Self> {
        let in_order = starts.windows(2).all(|pair| pair[0] < pair[1]);
        (starts.len() > 1 && in_order).then_some(Self { period, timezone, starts })
    }

    /// Which periods.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The zone they are cut in, by its IANA name.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }

    /// The period that holds the second `at`; the first or the last one for times outside of all.
    pub fn at(&self, at: i64) -> Span {
        let after = self.starts.partition_point(|start| *start <= at).clamp(1, self.starts.len() - 1);
        Span { start: self.starts[after - 1], end: self.starts[after] }
    }

    fn lengths(&self) -> impl Iterator<Item = u32> + '_ {
        self.starts.windows(2).map(|pair| u32::try_from(pair[1] - pair[0]).unwrap_or(u32::MAX))
    }
}

impl Window {
    /// Its length in seconds when the slot that begins at `at` is its newest: a calendar period's own, 28 to 31 days
    /// for a month.
    pub fn seconds_at(&self, at: i64) -> u32 {
        match self {
            Self::Rolling(seconds) => *seconds,
            Self::Calendar(calendar) => u32::try_from(calendar.at(at).seconds()).unwrap_or(u32::MAX),
        }
    }

    /// The calendar period that holds the second `at`; none of a rolling window.
    pub fn period_at(&self, at: i64) -> Option<Span> {
        match self {
            Self::Rolling(_) => None,
            Self::Calendar(calendar) => Some(calendar.at(at)),
        }
    }

    /// Its length in seconds where it is shortest: February's, for months.
    pub fn shortest_seconds(&self) -> u32 {
        match self {
            Self::Rolling(seconds) => *seconds,
            Self::Calendar(calendar) => calendar.lengths().min().unwrap_or_default(),
        }
    }

    /// Its length in seconds where it is longest.
    pub fn longest_seconds(&self) -> u32 {
        match self {
            Self::Rolling(seconds) => *seconds,
            Self::Calendar(calendar) => calendar.lengths().max().unwrap_or_default(),
        }
    }
}
