//! Rows of many series, slot by slot, on their way into an answer: bounded in bytes and in number.

use sqlx::{Row as _, postgres::PgRow};

use super::{SEVERAL, row::Row, statement::LABEL_CHARACTERS};
use crate::{
    domain::{
        name::Series,
        slot::{Gap, Reading, SlotAnswer},
    },
    source::{Answer, Question, SourceError},
};

/// The most that is read of all rows of one question.
const ANSWER_BYTES: usize = 16 << 20;

/// One row as it came.
pub(super) struct Raw {
    /// Values of the columns that name the series, in their order; empty without `per`.
    pub labels: Vec<String>,
    /// How many series there are in all; 0 without `per`.
    pub series: i64,
    /// What was counted.
    pub content: Content,
}

/// What a row says.
pub(super) enum Content {
    /// The user's columns, as JSON.
    Fields(String),
    /// What the server counted.
    Counts {
        /// Rows at most the threshold.
        good: i64,
        /// All rows.
        total: i64,
        /// Rows whose seconds are negative or no number.
        wrong: i64,
        /// The percentile.
        shown: Option<f64>,
    },
}

impl Raw {
    /// Takes a row of one of our statements apart.
    pub fn read(row: &PgRow, question: &Question<'_>, is_counted: bool) -> Result<Self, sqlx::Error> {
        let named = !question.per.is_empty();
        let content = if is_counted {
            let (good, total, wrong) = (row.try_get("good")?, row.try_get("total")?, row.try_get("wrong")?);
            Content::Counts { good, total, wrong, shown: row.try_get("shown")? }
        } else {
            Content::Fields(row.try_get("fields")?)
        };
        Ok(Self {
            labels: if named { row.try_get("labels")? } else { Vec::new() },
            series: if named { row.try_get("series")? } else { 0 },
            content,
        })
    }

    fn bytes(&self) -> usize {
        let content = if let Content::Fields(text) = &self.content { text.len() } else { 0 };
        content + self.labels.iter().map(String::len).sum::<usize>()
    }
}

/// The rows of a question, on their way into its answer.
pub(super) struct Gathering<'a> {
    question: Question<'a>,
    most: usize,
    bytes: usize,
    slots: Vec<SlotAnswer>,
    over: i64,
    too_long: Option<&'a str>,
}

impl<'a> Gathering<'a> {
    /// Begins an answer of at most `most` series.
    pub fn new(question: Question<'a>, most: usize) -> Self {
        Self { question, most, bytes: 0, slots: Vec::new(), over: 0, too_long: None }
    }

    /// Counts a row's bytes, before it is kept anywhere.
    pub fn weigh(&mut self, raw: &Raw) -> Result<(), SourceError> {
        self.bytes += raw.bytes();
        if self.bytes > ANSWER_BYTES { Err(SourceError::TooLarge(ANSWER_BYTES)) } else { Ok(()) }
    }

    /// Adds the rows of one slot, in their order.
    pub fn add(
        &mut self,
        slot: i64,
        rows: Vec<Raw>,
        judge: impl Fn(&Content) -> Result<Reading, SourceError>,
    ) -> Result<(), SourceError> {
        let first = self.slots.len();
        if self.question.per.is_empty() && rows.is_empty() {
            self.slots.extend(Answer::one(slot, Reading::Unmeasured(Gap::NoData)).slots);
        }
        for raw in rows {
            let Some(series) = self.series(&raw.labels) else { continue };
            let reading = judge(&raw.content)?;
            // rows of one series follow each other
            if let Some(same) = self.slots[first..].last_mut().filter(|answer| answer.series == series) {
                same.reading = several();
            } else if self.slots.len() - first < self.most {
                self.slots.push(SlotAnswer { slot, series, reading });
            }
            let most = i64::try_from(self.most).unwrap_or(i64::MAX);
            self.over = self.over.max(raw.series.saturating_sub(most));
        }
        Ok(())
    }

    /// The series of a row; none if a value is too long to name one.
    fn series(&mut self, labels: &[String]) -> Option<Series> {
        for (name, value) in self.question.per.iter().zip(labels) {
            if value.chars().count() > LABEL_CHARACTERS {
                self.too_long = Some(name);
                return None;
            }
        }
        Some(self.question.per.iter().cloned().zip(labels.iter().cloned()).collect())
    }

    /// The answer. A series that is known and has no row had no events (`absent`) – unless rows were left out, which may
    /// have been its own.
    pub fn answer(self, absent: Reading) -> Answer {
        let mut said = Vec::new();
        if self.over > 0 {
            said.push(format!("{} series more than the {} that are counted", self.over, self.most));
        }
        if let Some(column) = self.too_long {
            said.push(format!("rows are left out: `{column}` is over {LABEL_CHARACTERS} characters"));
        }
        let cut = Reading::Unmeasured(Gap::DataFault("more series than are counted".to_owned()));
        Answer {
            slots: self.slots,
            absent: if self.over > 0 { cut } else { absent },
            degraded: (!said.is_empty()).then(|| said.join("; ")),
        }
    }
}

/// What a row says of its series.
pub(super) fn fields(content: &Content) -> Result<Row, SourceError> {
    match content {
        Content::Fields(text) => Row::parse(text),
        Content::Counts { .. } => Err(SourceError::Unreadable("counts where columns are expected".to_owned())),
    }
}

fn several() -> Reading {
    Reading::Unmeasured(Gap::DataFault(SEVERAL.to_owned()))
}
