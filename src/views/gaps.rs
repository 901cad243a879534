//! What was not measured of a month.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::render_words::{duration, instant, of};
use crate::domain::name::Series;

/// The unmeasured time of an SLO: all of it as a sum, the longest stretches one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapsView {
    /// How many stretches there are.
    pub count: usize,
    /// How long they are together. With `per`, added up over the series.
    pub seconds: i64,
    /// The longest, in order of time.
    pub longest: Vec<GapView>,
}

/// Time without a gap between, of which nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapView {
    /// Of which series; empty without `per`.
    #[serde(default, skip_serializing_if = "Series::is_empty")]
    pub series: Series,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ended, or how far it has come.
    pub to: DateTime<Utc>,
    /// How long it is.
    pub seconds: i64,
    /// Why nothing is known, as far as that is known itself.
    pub why: String,
    /// The incident of the source that did not answer. Left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

impl GapsView {
    /// Of these stretches, the `most` longest.
    pub fn of(mut all: Vec<GapView>, most: usize) -> Self {
        let (count, seconds) = (all.len(), all.iter().map(|gap| gap.seconds).sum());
        all.sort_by(|one, other| other.seconds.cmp(&one.seconds).then(one.from.cmp(&other.from)));
        all.truncate(most);
        all.sort_by(|one, other| one.from.cmp(&other.from).then_with(|| one.series.cmp(&other.series)));
        Self { count, seconds, longest: all }
    }

    /// `3 stretches, 2 h 5 min together`; none if there are none.
    pub fn sum(&self) -> Option<String> {
        let stretches = if self.count == 1 { "stretch" } else { "stretches" };
        let together = if self.count == 1 { "" } else { " together" };
        (self.count > 0).then(|| format!("{} {stretches}, {}{together}", self.count, duration(self.seconds as f64)))
    }

    /// `and 5 more, 3 min together`; none if all are listed.
    pub fn rest(&self) -> Option<String> {
        let more = self.count.saturating_sub(self.longest.len());
        let seconds = self.seconds - self.longest.iter().map(|gap| gap.seconds).sum::<i64>();
        let together = if more == 1 { "" } else { " together" };
        (more > 0).then(|| format!("and {more} more, {}{together}", duration(seconds as f64)))
    }
}

impl GapView {
    /// In one line. Not escaped.
    pub fn line(&self) -> String {
        let (from, to, long) = (instant(self.from), instant(self.to), duration(self.seconds as f64));
        let incident = self.incident.as_ref().map(|id| format!(" (incident {id})")).unwrap_or_default();
        format!("{from} to {to}, {long}{}: {}{incident}", of(&self.series), self.why)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gap(from: i64, seconds: i64) -> GapView {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap_or_default();
        let (series, why, incident) = (Series::new(), "no usable answer".to_owned(), None);
        GapView { series, from: at(from), to: at(from + seconds), seconds, why, incident }
    }

    #[test]
    fn in_words() {
        let gaps = GapsView::of(vec![gap(0, 60), gap(600, 7_500), gap(9_000, 120), gap(10_000, 30)], 2);
        assert_eq!(gaps.sum().as_deref(), Some("4 stretches, 2 h 8 min together"));
        assert_eq!(gaps.rest().as_deref(), Some("and 2 more, 1 min 30 s together"));
        assert_eq!(gaps.longest.iter().map(|gap| gap.seconds).collect::<Vec<_>>(), [7_500, 120]);
        assert_eq!(gap(0, 60).line(), "1970-01-01 00:00:00 UTC to 1970-01-01 00:01:00 UTC, 1 min: no usable answer");
        let one = GapsView::of(vec![gap(0, 60), gap(100, 60)], 1);
        assert_eq!(one.rest().as_deref(), Some("and 1 more, 1 min"));
        assert_eq!((GapsView::default().sum(), GapsView::default().rest()), (None, None));
    }

    proptest! {
        /// However few are listed, nothing of the sum is lost.
        #[test]
        fn the_rest_is_counted(lengths in prop::collection::vec(1_i64..9_999, 0..60), most in 0_usize..30) {
            let all: Vec<_> = lengths.iter().enumerate().map(|(at, long)| gap(at as i64 * 10_000, *long)).collect();
            let gaps = GapsView::of(all, most);
            prop_assert!(gaps.longest.len() <= most && gaps.count == lengths.len());
            prop_assert_eq!(gaps.seconds, lengths.iter().sum::<i64>());
            prop_assert!(gaps.longest.windows(2).all(|pair| pair[0].from < pair[1].from));
            let shortest = gaps.longest.iter().map(|gap| gap.seconds).min().unwrap_or(i64::MAX);
            prop_assert_eq!(lengths.iter().filter(|long| **long > shortest).count() < most.max(1), true);
            prop_assert_eq!(gaps.rest().is_some(), lengths.len() > most);
        }
    }
}
