//! Why time of a month was not measured: from what the store says of its sources and of what is still to be asked about.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::{
    config::model::{Config, Indicator, Slo},
    domain::{
        decide::time,
        gaps::Unknown,
        history::History,
        incident::Subject,
        name::{Name, Series, SloId},
        slot::Span,
    },
    schedule::Month,
    store::{Store, StoreError},
    views::gaps::GapView,
};

/// Stretches that are listed of one SLO, the longest.
pub const LISTED_MAX: usize = 20;
/// Outages of sources that are looked at, the oldest of the month.
const OUTAGES_MAX: i64 = 1_000;

/// A time in which a source did not answer.
struct Outage {
    source: Name,
    span: Span,
    incident: String,
}

/// What is known of a month beside its slots.
pub struct Causes {
    outages: Vec<Outage>,
    histories: BTreeMap<SloId, History>,
}

/// Whose gap it is.
#[derive(Clone, Copy)]
pub struct Whose<'a> {
    /// The SLO.
    pub slo: &'a Slo,
    /// Its series.
    pub series: &'a Series,
    /// When it was first watched, in Unix seconds; none if it never was.
    pub since: Option<i64>,
}

impl Causes {
    /// Of the month: two questions to the store, however many SLOs there are.
    pub async fn of(store: &Store, config: &Config, month: &Month, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let told = store.outages_within(month.start, month.end, OUTAGES_MAX).await?;
        let outages = told.into_iter().filter_map(|incident| {
            let Subject::Source(source) = incident.subject else { return None };
            // It was silent for so long before anybody was told.
            let before = config.sources.get(&source).map_or(0, |known| known.blind_after.as_secs());
            let start = incident.opened_at.timestamp() - i64::try_from(before).unwrap_or_default();
            let end = incident.resolved.as_ref().map_or(now, |end| end.at).timestamp();
            Some(Outage { source, span: Span { start, end }, incident: incident.id })
        });
        Ok(Self { outages: outages.collect(), histories: store.histories().await? })
    }

    /// A stretch with its reasons.
    pub fn explain(&self, whose: Whose<'_>, gap: &Unknown) -> GapView {
        let Unknown { span, asked_seconds, unasked } = *gap;
        let outage = whose.slo.indicator.source().filter(|_| asked_seconds > 0).and_then(|source| {
            let during = |outage: &&Outage| {
                outage.source == *source && outage.span.start < span.end && outage.span.end > span.start
            };
            self.outages.iter().find(during)
        });
        let history = self.histories.get(&whose.slo.spec.id);
        let is_open = |span: Span| history.is_some_and(|history| history.is_missing_within(span.start, span.end));
        let mut why: Vec<String> = Vec::new();
        if let Some(part) = unasked {
            why.extend(not_asked(whose, part, is_open(part)).map(str::to_owned));
        }
        if asked_seconds > 0 {
            why.push(match outage {
                Some(outage) => format!("source `{}` did not answer", outage.source),
                None if matches!(whose.slo.indicator, Indicator::Probe(_)) => {
                    "our own network failed: the probe's witnesses did not answer either".to_owned()
                }
                None if is_open(span) => "no answer yet: it is asked again".to_owned(),
                None => "the answer held no data, or none that can be used".to_owned(),
            });
        }
        GapView {
            series: whose.series.clone(),
            from: time(span.start),
            to: time(span.end),
            seconds: span.seconds(),
            why: why.join("; "),
            incident: outage.map(|outage| outage.incident.clone()),
        }
    }
}

/// Why nobody was asked about time from `span.start` to `span.end`.
fn not_asked(whose: Whose<'_>, span: Span, is_open: bool) -> impl Iterator<Item = &'static str> {
    // The first slot that is asked about begins after the start.
    let first = whose.since.map_or(i64::MAX, |since| since.saturating_add(2 * i64::from(whose.slo.spec.every)));
    let before = (span.start < whose.since.unwrap_or(i64::MAX)).then_some("before it was watched");
    let later = (span.end > first).then_some(if is_open { "not asked about yet" } else { "slod was not running" });
    // It began with the first slot, and nothing of it is known yet.
    let neither = (before.is_none() && later.is_none()).then_some("not asked about yet");
    before.into_iter().chain(later).chain(neither)
}
