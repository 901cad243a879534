//! The user's SQL, put into statements of our own. The only place that asserts that SQL text is safe to send:
//! it is the operator's, and the transaction it runs in is read only and always rolled back.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Postgres, postgres::PgArguments, query, query::Query};

use crate::domain::slot::Span;

/// The most that is read of one row.
pub(super) const ROW_BYTES: i32 = 65_536;

const ROW_PREFIX: &str = "select left(to_jsonb(answer)::text, $3::int4) from (\n";
const COUNT_PREFIX: &str = "select count(*) as total, \
     count(*) filter (where answer.seconds::float8 <= $3::float8) as good, \
     percentile_disc($4::float8) within group (order by answer.seconds::float8) as shown from (\n";

/// A statement ready to run.
pub(super) struct Statement {
    prefix: &'static str,
    sql: String,
    span: Span,
}

impl Statement {
    /// Answers at most two rows, each as JSON: enough to see that there is more than one, whatever its columns are.
    pub fn rows(sql: &str, span: Span) -> Self {
        Self { prefix: ROW_PREFIX, sql: format!("{ROW_PREFIX}{}\n) as answer limit 2", body(sql)), span }
    }

    /// Counts rows with `seconds` inside the database. A row whose `seconds` is null counts, and is not good.
    pub fn counts(sql: &str, span: Span) -> Self {
        Self { prefix: COUNT_PREFIX, sql: format!("{COUNT_PREFIX}{}\n) as answer", body(sql)), span }
    }

    /// `$1` and `$2` are the slot's bounds. Both are declared timestamptz, whether the statement names them or not.
    pub fn bound(&self) -> Query<'_, Postgres, PgArguments> {
        query(AssertSqlSafe(self.sql.as_str()))
            .persistent(false)
            .bind(instant(self.span.start))
            .bind(instant(self.span.end))
    }

    /// Where in the user's own text a character of ours lies: line and column, from 1.
    pub fn place(&self, position: usize) -> Option<(usize, usize)> {
        let skipped = self.prefix.chars().count();
        let before: String = self.sql.chars().take(position.checked_sub(1)?).skip(skipped).collect();
        if position <= skipped {
            return None;
        }
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Some((before.matches('\n').count() + 1, column))
    }
}

/// Opens the transaction everything runs in.
pub(super) fn begin(statement_timeout_ms: u128) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "begin isolation level repeatable read read only; set local statement_timeout = {}",
        statement_timeout_ms.clamp(1, i32::MAX as u128)
    ))
}

/// The statement without the semicolon it may end with.
fn body(sql: &str) -> &str {
    sql.trim_end_matches(|character: char| character.is_whitespace() || character == ';')
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { start: 60, end: 120 };

    #[test]
    fn the_users_statement_stands_on_its_own_lines() {
        let statement = Statement::rows("select 1 -- one\n ; ", SPAN);
        assert!(statement.sql.ends_with("(\nselect 1 -- one\n) as answer limit 2"), "{}", statement.sql);
    }

    #[test]
    fn places_are_the_users() {
        let statement = Statement::counts("select\n  nothing", SPAN);
        let position = statement.sql.find("nothing").unwrap() + 1;
        assert_eq!(statement.place(position), Some((2, 3)));
        assert_eq!(statement.place(statement.prefix.len() + 1), Some((1, 1)));
        assert_eq!(statement.place(3), None);
        assert_eq!(statement.place(0), None);
    }
}
