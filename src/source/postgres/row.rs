//! One row of the user's statement, as JSON: columns by name, numbers of any SQL type.

use serde_json::{Map, Value};

use super::statement::ROW_BYTES;
use crate::{
    domain::slot::{Gap, Reading},
    source::SourceError,
};

/// A row's columns.
#[derive(Debug)]
pub(super) struct Row(Map<String, Value>);

impl Row {
    /// Reads a row's JSON.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.chars().count() >= ROW_BYTES as usize {
            return Err(SourceError::TooLarge(ROW_BYTES as usize));
        }
        serde_json::from_str(text).map(Self).map_err(|error| SourceError::Unreadable(error.to_string()))
    }

    /// Judges `good` or `bad`, and `total`. A null `good` or `bad` counts 0: that is what `sum()` answers over no row.
    pub fn ratio(&self) -> Result<Reading, SourceError> {
        let total = self.number("total")?;
        let (events, events_are_bad) = match (self.0.contains_key("good"), self.0.contains_key("bad")) {
            (true, false) => (self.number("good")?, false),
            (false, true) => (self.number("bad")?, true),
            (true, true) => return Err(refused("the statement answers both `good` and `bad`: leave one out")),
            (false, false) => return Err(self.without("good` or `bad")),
        };
        let Some(total) = total else { return Ok(Reading::Unmeasured(Gap::NoData)) };
        let events = events.unwrap_or(0.0);
        if events_are_bad && events > total {
            let fault = format!("bad ({events}) is more than total ({total})");
            return Ok(Reading::Unmeasured(Gap::DataFault(fault)));
        }
        if events_are_bad && events < 0.0 {
            return Ok(Reading::Unmeasured(Gap::DataFault(format!("negative count: bad is {events}"))));
        }
        Ok(Reading::events(if events_are_bad { total - events } else { events }, total, None))
    }

    /// The only column's number, or that of the column `value`.
    pub fn value(&self) -> Result<Option<f64>, SourceError> {
        match (self.0.len(), self.0.keys().next()) {
            (1, Some(only)) => self.number(only),
            _ if self.0.contains_key("value") => self.number("value"),
            _ => Err(refused("the statement answers several columns: call the one that is meant `value`")),
        }
    }

    fn number(&self, column: &str) -> Result<Option<f64>, SourceError> {
        let no_number = |hint: &str| refused(&format!("column `{column}` is no number{hint}"));
        match self.0.get(column) {
            None => Err(self.without(column)),
            Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_f64().map(Some).ok_or_else(|| no_number("")),
            // NaN and infinities come as text, and so do numbers cast to text.
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| {
                no_number(if text.contains(':') { ": write extract(epoch from …) for seconds" } else { "" })
            }),
            Some(_) => Err(no_number("")),
        }
    }

    fn without(&self, column: &str) -> SourceError {
        let there: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        refused(&format!("the statement answers no column `{column}`, only {}", there.join(", ")))
    }
}

fn refused(why: &str) -> SourceError {
    SourceError::Refused(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(json: &str) -> Result<Reading, String> {
        Row::parse(json).and_then(|row| row.ratio()).map_err(|error| error.to_string())
    }

    #[test]
    fn ratios_are_judged_by_column_name() {
        let nine = Reading::Events { good: 9.0, total: 10.0, shown: None };
        for json in [
            r#"{"good":9,"total":10}"#,
            r#"{"total":10,"bad":1}"#,
            r#"{"bad":"1","total":1e1,"x":null}"#,
            r#"{"bad":1.0,"total":10.00000000000000000000}"#,
        ] {
            assert_eq!(ratio(json), Ok(nine.clone()), "{json}");
        }
        assert_eq!(ratio(r#"{"good":null,"total":0}"#), Ok(Reading::Empty));
        assert_eq!(ratio(r#"{"bad":null,"total":2}"#), Ok(Reading::Events { good: 2.0, total: 2.0, shown: None }));
        assert_eq!(ratio(r#"{"good":1,"total":null}"#), Ok(Reading::Unmeasured(Gap::NoData)));
    }

    #[test]
    fn contradictions_are_data_faults() {
        for json in [
            r#"{"good":11,"total":10}"#,
            r#"{"bad":11,"total":10}"#,
            r#"{"bad":-1,"total":10}"#,
            r#"{"good":-1,"total":10}"#,
            r#"{"good":"NaN","total":10}"#,
            r#"{"bad":"NaN","total":10}"#,
            r#"{"bad":1,"total":"Infinity"}"#,
        ] {
            assert!(matches!(ratio(json), Ok(Reading::Unmeasured(Gap::DataFault(_)))), "{json}");
        }
    }

    #[test]
    fn wrong_columns_are_refused_in_words() {
        for (json, said) in [
            (r#"{"good":1}"#, "the statement answers no column `total`, only `good`"),
            (r#"{"total":1}"#, "the statement answers no column `good` or `bad`, only `total`"),
            (r#"{"total":1,"good":1,"bad":0}"#, "the statement answers both `good` and `bad`: leave one out"),
            (r#"{"total":true,"good":1}"#, "column `total` is no number"),
            (
                r#"{"total":"00:05:00","good":1}"#,
                "column `total` is no number: write extract(epoch from …) for seconds",
            ),
        ] {
            assert_eq!(ratio(json), Err(said.to_owned()));
        }
    }

    #[test]
    fn one_value() {
        let value = |json: &str| Row::parse(json).and_then(|row| row.value());
        assert_eq!(value(r#"{"count":5}"#), Ok(Some(5.0)));
        assert_eq!(value(r#"{"value":5,"note":"x"}"#), Ok(Some(5.0)));
        assert_eq!(value(r#"{"max":null}"#), Ok(None));
        assert!(value(r#"{"a":5,"b":6}"#).is_err());
        assert!(value("{}").is_err());
    }
}
