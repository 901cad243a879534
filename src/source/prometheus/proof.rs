//! Proof of no event where a total has no sample: a target that was scraped well, and has no such series.

use std::collections::BTreeMap;

use super::{
    Asked, PrometheusSource, book::Tally, client::Query, counting::is_too_much, counts::Counts, selector::Selector,
};
use crate::{
    domain::name::{Name, Series},
    source::SourceError,
};

/// Seconds that are asked about at once.
const PIECE: i64 = 86_400;

impl PrometheusSource {
    /// Enters a count of 0 in the slots without a total in which every sample of the targets' `up` is 1.
    ///
    /// Needs matchers on `job` or `instance`, which say what the targets are; and no `per`, for there is nothing to say
    /// which series had no events.
    pub(super) async fn prove(
        &self,
        source: &Name,
        selector: Selector<'_>,
        total: &mut Counts,
        asked: Asked<'_>,
    ) -> Result<(), SourceError> {
        let missing: Vec<i64> = asked.slots().filter(|slot| !total.tallies.contains_key(slot)).collect();
        let (Some(first), Some(last)) = (missing.first(), missing.last()) else { return Ok(()) };
        let Some(up) = selector.up().filter(|_| asked.per.is_empty()) else { return Ok(()) };
        let every = i64::from(asked.every);
        let were_up = self.were_up(source, &up, (first * every, (last + 1) * every), asked).await?;
        let proven: Vec<i64> = missing.into_iter().filter(|slot| were_up.get(slot) == Some(&true)).collect();
        for charged in total.charged.values_mut() {
            charged.retain(|slot| proven.binary_search(slot).is_err());
        }
        for slot in proven {
            total.tallies.insert(slot, BTreeMap::from([(Series::new(), Tally::default())]));
        }
        Ok(())
    }

    /// The slots with a sample of `up`, and whether all of them are 1.
    async fn were_up(
        &self,
        source: &Name,
        up: &str,
        (mut from, end): (i64, i64),
        asked: Asked<'_>,
    ) -> Result<BTreeMap<i64, bool>, SourceError> {
        let (client, is_history) = (self.client(source)?, end - from > i64::from(asked.every));
        let mut slots = BTreeMap::new();
        let mut piece = PIECE.max(i64::from(asked.every));
        while from < end {
            let until = end.min(from + piece);
            let text = format!("{up}[{}s]", until - from);
            match client.ask(Query::ranges(&text, until, is_history), asked.limit).await {
                Err(error) if is_too_much(&error) && piece > 1 => piece /= 2,
                Err(error) => return Err(error),
                Ok(answer) => {
                    let samples = answer.series.iter().flat_map(|series| &series.numbers);
                    for (at, value) in samples.filter(|(at, _)| *at > from * 1_000 && *at <= until * 1_000) {
                        let slot = (at - 1).div_euclid(i64::from(asked.every) * 1_000);
                        *slots.entry(slot).or_insert(true) &= *value > 0.5;
                    }
                    from = until;
                }
            }
        }
        Ok(slots)
    }
}
