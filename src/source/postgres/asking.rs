//! One question as a statement: what is bound to it, and what its rows mean.

use futures_util::TryStreamExt as _;
use sqlx::{Postgres, postgres::PgArguments, query::Query};

use super::{
    connections::Lease,
    series::{Content, Gathering, Raw, fields},
    statement::{ROW_BYTES, Statement},
};
use crate::{
    config::model::Indicator,
    domain::{
        slo::Comparison,
        slot::{Gap, Reading, Span},
    },
    source::{Question, SourceError},
};

/// What the rows are taken for.
enum Meaning<'a> {
    Ratio,
    Latency { threshold: f64, fraction: Option<f64> },
    Value(&'a Comparison),
}

/// A question, ready to be asked for any slot.
pub(super) struct Asking<'a> {
    /// What is sent.
    pub statement: Statement,
    /// The most series that are answered for a slot.
    pub most: usize,
    question: Question<'a>,
    meaning: Meaning<'a>,
}

impl<'a> Asking<'a> {
    /// Refuses an indicator that is no SQL.
    pub fn new(question: Question<'a>, max_rows: usize) -> Result<Self, SourceError> {
        let (sql, meaning) = match question.indicator {
            Indicator::RatioSql { sql, .. } => (sql, Meaning::Ratio),
            Indicator::LatencySql { sql, threshold, percentile, .. } => {
                let fraction = percentile.map(|percent| percent / 100.0);
                (sql, Meaning::Latency { threshold: *threshold, fraction })
            }
            Indicator::Value { query, good, .. } => (&query.query, Meaning::Value(good)),
            _ => return Err(SourceError::Refused("a postgres source cannot be asked for this indicator".to_owned())),
        };
        let statement = match (&meaning, question.per) {
            (Meaning::Latency { .. }, []) => Statement::counts(sql),
            (Meaning::Latency { .. }, per) => Statement::series_counts(sql, per),
            (_, []) => Statement::rows(sql),
            (_, per) => Statement::series_rows(sql, per),
        };
        Ok(Self { statement, most: question.max_series.min(max_rows).max(1), question, meaning })
    }

    /// The statement for one slot.
    pub fn bound(&self, span: Span, again: bool) -> Query<'_, Postgres, PgArguments> {
        let query = self.statement.bound(span, again);
        let query = match &self.meaning {
            Meaning::Latency { threshold, fraction } => query.bind(*threshold).bind(*fraction),
            _ if self.question.per.is_empty() => return query.bind(ROW_BYTES),
            _ => query.bind(ROW_BYTES).bind(self.question.per),
        };
        if self.question.per.is_empty() {
            return query;
        }
        query.bind(i64::try_from(self.most).unwrap_or(i64::MAX).saturating_add(1))
    }

    /// Runs it for one slot and keeps what it answers. The inner error is the rows' own fault.
    pub async fn slot(
        &self,
        lease: &mut Lease<'_>,
        query: Query<'_, Postgres, PgArguments>,
        slot: i64,
        gathering: &mut Gathering<'_>,
    ) -> Result<Result<(), SourceError>, sqlx::Error> {
        let is_counted = matches!(self.meaning, Meaning::Latency { .. });
        let mut stream = query.fetch(&mut lease.connection);
        let (mut rows, mut fault) = (Vec::new(), None);
        while let Some(row) = stream.try_next().await? {
            let raw = Raw::read(&row, &self.question, is_counted)?;
            // the rest is read to its end: the connection goes on
            fault = fault.or(gathering.weigh(&raw).err());
            if fault.is_none() {
                rows.push(raw);
            }
        }
        Ok(match fault {
            Some(fault) => Err(fault),
            None => gathering.add(slot, rows, |content| self.judge(content)),
        })
    }

    /// What holds for a series that is known and has no row: no row is no event, but not a value.
    pub fn absent(&self) -> Reading {
        match self.meaning {
            Meaning::Value(_) => Reading::Unmeasured(Gap::NoData),
            _ => Reading::Empty,
        }
    }

    fn judge(&self, content: &Content) -> Result<Reading, SourceError> {
        match (&self.meaning, content) {
            (_, Content::Counts { wrong, .. }) if *wrong > 0 => {
                let fault = format!("`seconds` of {wrong} rows are negative or no number");
                Ok(Reading::Unmeasured(Gap::DataFault(fault)))
            }
            (_, Content::Counts { good, total, shown, .. }) => Ok(Reading::events(*good as f64, *total as f64, *shown)),
            (Meaning::Value(good), _) => {
                let number = fields(content)?.value()?;
                Ok(number.map_or(Reading::Unmeasured(Gap::NoData), |number| Reading::value(number, good)))
            }
            _ => fields(content)?.ratio(),
        }
    }
}
