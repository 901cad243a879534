//! Whether a target was restarted while one of its series was silent.
//!
//! A process that starts anew forgets its rare series: `code="503"` stood at 1, is not there after the restart, and stands
//! at 1 again with the next error. Its own samples do not show that. Those of its target's other series do: they fell in
//! between. Where nothing fell the series was only left out for a while, and goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    answer::{Labels, Series},
    client::Query,
    counter::Point,
    counting::is_too_much,
    look::{Look, batches},
    memory::{Key, key},
    selector::{TARGET, hull, plain_names},
};
use crate::source::SourceError;

/// The most silences of targets that are looked into for one question. Where there are more, Prometheus itself was away, or
/// scrapes are so irregular that silence says nothing.
const SILENCES_MAX: usize = 256;
/// How far back a series' last sample is dated: seconds.
const DATED: [i64; 4] = [3_600, 86_400, 604_800, 35 * 86_400];

/// A series that was silent between two samples, and came back with no less than before.
#[derive(Clone, Debug)]
pub(super) struct Silence {
    /// Its name.
    pub key: Key,
    /// Its labels.
    pub labels: Labels,
    /// Its last sample before, in Unix milliseconds; `i64::MIN` if that is not known.
    pub from: i64,
    /// Its first sample after.
    pub to: i64,
}

impl Look<'_> {
    /// Those that are series of a process that began anew in between: by name, and the moment of the sample after.
    pub async fn restarted(&self, silences: &[Silence]) -> Result<HashSet<(Key, i64)>, SourceError> {
        let dated = self.dated(silences).await?;
        // Series of one target are silent together: that is one question.
        let mut by_target: BTreeMap<(String, i64, i64), Vec<Key>> = BTreeMap::new();
        for silence in silences {
            let from = if silence.from == i64::MIN { dated.get(&silence.key).copied() } else { Some(silence.from) };
            let has_target = TARGET.iter().any(|name| silence.labels.contains_key(*name));
            if let Some(from) = from.filter(|from| has_target && *from < silence.to) {
                let target = hull(&[&silence.labels], &BTreeSet::from(TARGET));
                by_target.entry((target, from, silence.to)).or_default().push(silence.key);
            }
        }
        let mut found = HashSet::new();
        if by_target.len() > SILENCES_MAX {
            return Ok(found);
        }
        for ((target, from, to), keys) in by_target {
            if self.fell(&target, from, to).await? {
                found.extend(keys.into_iter().map(|key| (key, to)));
            }
        }
        Ok(found)
    }

    /// Whether any series of a target, of all that is counted, fell after the moment `from` and up to `to`.
    async fn fell(&self, target: &str, from: i64, to: i64) -> Result<bool, SourceError> {
        for sibling in self.siblings {
            // Ranges of Prometheus 3 are open at their beginning: one more holds the sample there.
            let query = format!("max(resets({}[{}ms]))", sibling.narrowed(target), to - from + 1);
            let answer = self.values(&query, to).await?;
            if answer.series.iter().any(|series| series.numbers.first().is_some_and(|(_, resets)| *resets > 0.0)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// When those were seen last of which that is not known.
    async fn dated(&self, silences: &[Silence]) -> Result<HashMap<Key, i64>, SourceError> {
        let mut found = HashMap::new();
        for depth in DATED {
            let undated: Vec<&Labels> = silences
                .iter()
                .filter(|silence| silence.from == i64::MIN && !found.contains_key(&silence.key))
                .map(|silence| &silence.labels)
                .collect();
            for batch in batches(&undated) {
                let names = plain_names(batch, self.selector.fixed_name());
                let text = format!("{}[{depth}s]", self.selector.narrowed(&hull(batch, &names)));
                match self.client.ask(Query::ranges(&text, self.from, true), self.limit).await {
                    Ok(answer) => {
                        for Series { labels, numbers, natives, .. } in answer.series {
                            let last = numbers.last().map(|(at, _)| *at).max(natives.last().map(|(at, _)| *at));
                            found.extend(last.map(|at| (key(&labels, self.selector.fixed_name()), at)));
                        }
                    }
                    // More than the server gives at once: the silence keeps no beginning, and is no restart.
                    Err(error) if is_too_much(&error) => return Ok(found),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }
}

/// The silences of one series: `points` are its samples in order, `before` the last one before them. Only what is longer
/// than `longest` milliseconds is one.
pub(super) fn silences(
    (key, labels): (Key, &Labels),
    before: Option<Point>,
    points: &[Point],
    longest: i64,
) -> Vec<Silence> {
    let mut found = Vec::new();
    let mut last = before;
    for point in points {
        if let Some(last) = last.filter(|last| last.fault().is_none() && point.fault().is_none())
            && point.at.saturating_sub(last.at) > longest
            && point.value >= last.value
        {
            found.push(Silence { key, labels: labels.clone(), from: last.at, to: point.at });
        }
        last = Some(*point);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_silence() {
        let point = |(at, value): &(i64, f64)| Point { at: *at, value: *value, part: 0.0 };
        for (before, samples, found) in [
            (None, vec![(1_000, 1.0), (2_000, 1.0)], vec![]),
            (Some((1_000, 1.0)), vec![(200_000, 1.0)], vec![(1_000, 200_000)]),
            (Some((1_000, 1.0)), vec![(121_000, 1.0)], vec![]),
            (Some((1_000, 2.0)), vec![(200_000, 1.0)], vec![]),
            (Some((i64::MIN, 1.0)), vec![(200_000, 1.0)], vec![(i64::MIN, 200_000)]),
            (None, vec![(1_000, 1.0), (300_000, 4.0), (301_000, 4.0)], vec![(1_000, 300_000)]),
            (Some((1_000, f64::NAN)), vec![(200_000, 1.0)], vec![]),
        ] {
            let points: Vec<Point> = samples.iter().map(point).collect();
            let got = silences((Key::default(), &Labels::new()), before.as_ref().map(point), &points, 120_000);
            assert_eq!(got.iter().map(|silence| (silence.from, silence.to)).collect::<Vec<_>>(), found);
        }
    }
}
