//! Expressions, evaluated as they are written at the end of every slot: one instant query for one slot, one range query
//! for many. All parts of a question are joined into one, each marked by a label, so that all are of the same moment.

use std::{collections::BTreeMap, time::Duration};

use super::{
    answer::{Answered, Labels, Wanted},
    book::{Tallies, Tally},
    client::{Client, Query, When},
    counting::{apart, is_too_much},
    counts::Counts,
};
use crate::{domain::slot::Span, source::SourceError};

/// The label that says which part of a question a sample answers.
const PART: &str = "slod_part";

/// An expression with the slot's length written into it.
pub(super) fn windowed(query: &str, seconds: u32) -> String {
    query.trim().replace("$window", &format!("{seconds}s"))
}

/// Expressions to evaluate.
pub(super) struct Evaluation<'a> {
    /// Whom to ask.
    pub client: &'a Client,
    /// What to call each in the errors, and its text.
    pub parts: &'a [(&'static str, String)],
    /// Labels that are told apart.
    pub per: &'a [String],
    /// Seconds of a slot.
    pub every: u32,
    /// Of the whole question.
    pub limit: Duration,
}

impl Evaluation<'_> {
    /// What each part is at the end of every slot of `span`.
    pub async fn values(&self, span: Span) -> Result<BTreeMap<&'static str, Counts>, SourceError> {
        let every = i64::from(self.every);
        let mut counts: BTreeMap<_, _> = self.parts.iter().map(|(name, _)| (*name, Counts::default())).collect();
        if self.parts.is_empty() {
            return Ok(counts);
        }
        let text = self.text();
        let (mut start, mut slots) = (span.start, span.seconds() / every);
        while start < span.end {
            let piece = Span { start, end: span.end.min(start + slots * every) };
            match self.piece(&text, piece, span.seconds() > every).await {
                Err(error) if is_too_much(&error) && slots > 1 => slots = (slots + 1) / 2,
                Err(error) => return Err(error),
                Ok(mut answer) => {
                    // One moment was asked about, whatever the answer calls it.
                    if span.seconds() <= every {
                        let samples = answer.series.iter_mut().flat_map(|series| &mut series.numbers);
                        samples.for_each(|(at, _)| *at = span.end * 1_000);
                    }
                    self.enter(answer, &mut counts)?;
                    start = piece.end;
                }
            }
        }
        Ok(counts)
    }

    fn text(&self) -> String {
        // The line break ends a comment the expression may end with.
        match self.parts {
            [(_, query)] => query.clone(),
            several => {
                let mark = |(name, query): &(&str, String)| {
                    format!(r#"label_replace(({query}{}), "{PART}", "{name}", "", "")"#, "\n")
                };
                several.iter().map(mark).collect::<Vec<_>>().join(" or ")
            }
        }
    }

    async fn piece(&self, text: &str, piece: Span, is_history: bool) -> Result<Answered, SourceError> {
        let query = if is_history {
            let step = i64::from(self.every);
            let when = When::Every { first: piece.start + step, last: piece.end, step };
            Query { text, when, wanted: Wanted::Ranges, is_history }
        } else {
            Query::values(text, piece.end)
        };
        self.client.ask(query, self.limit).await
    }

    fn enter(&self, answer: Answered, counts: &mut BTreeMap<&'static str, Counts>) -> Result<(), SourceError> {
        for series in answer.series {
            if !series.natives.is_empty() {
                return Err(SourceError::Refused(
                    "the query answers a native histogram: take histogram_count() or histogram_fraction()".to_owned(),
                ));
            }
            let part = match self.parts {
                [(only, _)] => Some(*only),
                several => {
                    let named = series.labels.get(PART).map(String::as_str);
                    several.iter().map(|(name, _)| *name).find(|name| Some(*name) == named)
                }
            };
            let Some((name, counts)) = part.and_then(|part| Some((part, counts.get_mut(part)?))) else { continue };
            self.note(name, &series.labels, &series.numbers, &mut counts.tallies);
        }
        for counts in counts.values_mut() {
            counts.degraded = counts.degraded.take().or(answer.degraded.clone());
        }
        Ok(())
    }

    /// Several values of one slot are a contradiction: which one is meant?
    fn note(&self, name: &str, labels: &Labels, numbers: &[(i64, f64)], tallies: &mut Tallies) {
        let apart = apart(labels, self.per);
        for (at, value) in numbers {
            let slot = at.div_euclid(i64::from(self.every) * 1_000) - 1;
            let tally: &mut Tally = tallies.entry(slot).or_default().entry(apart.clone()).or_default();
            tally.value = *value;
            tally.values += 1;
            if tally.values > 1 {
                let help = "put sum() or max() around it";
                tally.fault = Some(format!("{name} answered {} series where one is expected: {help}", tally.values));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_slot() {
        assert_eq!(windowed(" sum(rate(x[$window])) * 60 ", 60), "sum(rate(x[60s])) * 60");
    }
}
