//! The user's SQL, put into statements of our own. The only place that asserts that SQL text is safe to send:
//! it is the operator's, and the transaction it runs in is read only and always rolled back.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Postgres, postgres::PgArguments, query, query::Query};

use crate::{
    domain::{
        diagnostic::{CELL_MAX, COLUMNS_MAX, ROWS_MAX},
        slot::Span,
    },
    source::SourceError,
};

/// The most that is read of one row.
pub(super) const ROW_BYTES: i32 = 65_536;

/// The most characters of a label's value.
pub(super) const LABEL_CHARACTERS: usize = 256;

const ROW_PREFIX: &str = "select left(to_jsonb(answer.*)::text, $3::int4) as fields from (\n";
const COUNT_PREFIX: &str = "select count(*) as total, \
     count(*) filter (where answer.seconds::float8 <= $3::float8) as good, \
     count(*) filter (where answer.seconds::float8 < 0 or answer.seconds::float8 = 'NaN') as wrong, \
     percentile_disc($4::float8) within group (order by answer.seconds::float8) as shown from (\n";
/// The columns that name the series are taken out of what is bounded: a long name must not cost the numbers.
const SERIES_ROW_PREFIX: &str = "select left((to_jsonb(answer.*) - $4::text[])::text, $3::int4) as fields, \
     grouped.labels, count(*) over () as series from (\n";
const SERIES_COUNT_PREFIX: &str = "select grouped.labels, count(*) over () as series, count(*) as total, \
     count(*) filter (where answer.seconds::float8 <= $3::float8) as good, \
     count(*) filter (where answer.seconds::float8 < 0 or answer.seconds::float8 = 'NaN') as wrong, \
     percentile_disc($4::float8) within group (order by answer.seconds::float8) as shown from (\n";

/// What is read of a statement's answer when somebody looks: one more than is shown says that there are more.
pub(super) const TABLE_ROWS: usize = ROWS_MAX + 1;
/// The most lines that are read of a plan.
pub(super) const PLAN_LINES: usize = 100;

/// A statement ready to run.
pub(super) struct Statement {
    sql: String,
    /// Characters before the user's own text.
    skipped: usize,
    /// Characters of the user's own text.
    own: usize,
    /// It is there to find out whether the user's text is a query.
    wants_query: bool,
}

impl Statement {
    /// Answers at most two rows, each as JSON: enough to see that there is more than one, whatever its columns are.
    /// `$3` is the most characters of a row.
    pub fn rows(sql: &str) -> Self {
        Self::around(ROW_PREFIX, sql, ") as answer limit 2")
    }

    /// Counts rows with `seconds` inside the database. A row whose `seconds` is null counts, and is not good. `$3` is the
    /// threshold, `$4` the percentile as a fraction.
    pub fn counts(sql: &str) -> Self {
        Self::around(COUNT_PREFIX, sql, ") as answer")
    }

    /// Answers rows as JSON, each with the values of the columns `per`, ordered by them. `$3` is the most characters of
    /// a row, `$4` the columns, `$5` the most rows.
    pub fn series_rows(sql: &str, per: &[String]) -> Self {
        let suffix = format!("{} order by grouped.labels limit $5::int8", lateral(per));
        Self::around(SERIES_ROW_PREFIX, sql, &suffix)
    }

    /// Counts rows with `seconds` for each combination of the columns `per`, ordered by them. `$3` is the threshold, `$4`
    /// the percentile as a fraction, `$5` the most combinations.
    pub fn series_counts(sql: &str, per: &[String]) -> Self {
        let suffix = format!("{} group by grouped.labels order by grouped.labels limit $5::int8", lateral(per));
        Self::around(SERIES_COUNT_PREFIX, sql, &suffix)
    }

    /// Answers the first rows, each as the names of its first columns and the beginnings of their values, in their order.
    pub fn table(sql: &str) -> Self {
        let cells = |what: &str| {
            format!(
                "array(select left(cell.{what}, {}) from json_each_text(whole.fields) \
                 with ordinality as cell (name, content, place) order by cell.place limit {})",
                CELL_MAX + 1,
                COLUMNS_MAX + 1
            )
        };
        let prefix = format!(
            "select {} as names, {} as cells from (select row_to_json(answer.*) as fields from (\n",
            cells("name"),
            cells("content")
        );
        Self::around(&prefix, sql, &format!(") as answer limit {TABLE_ROWS}) as whole"))
    }

    /// Asks for none of its rows: fails if it is no query.
    pub fn nothing(sql: &str) -> Self {
        Self { wants_query: true, ..Self::around("select from (\n", sql, ") as answer limit 0") }
    }

    /// Runs it, and answers its plan and what it took.
    pub fn plan(sql: &str) -> Self {
        Self::around("explain (analyze, buffers)\n", sql, "")
    }

    /// The statement as it is, without parameters.
    pub fn unbound(&self) -> Query<'_, Postgres, PgArguments> {
        query(AssertSqlSafe(self.sql.as_str())).persistent(false)
    }

    fn around(prefix: &str, sql: &str, suffix: &str) -> Self {
        let own = body(sql);
        Self {
            sql: format!("{prefix}{own}\n{suffix}"),
            skipped: prefix.chars().count(),
            own: own.chars().count(),
            wants_query: false,
        }
    }

    /// `$1` and `$2` are the slot's bounds. Both are declared timestamptz, whether the statement names them or not.
    /// `again`: it will be run for other slots too, and is worth preparing.
    pub fn bound(&self, span: Span, again: bool) -> Query<'_, Postgres, PgArguments> {
        query(AssertSqlSafe(self.sql.as_str())).persistent(again).bind(instant(span.start)).bind(instant(span.end))
    }

    /// A syntax error where only queries may stand has a reason that the server does not see.
    pub fn explained(&self, error: SourceError) -> SourceError {
        match error {
            SourceError::Refused(why) if self.wants_query && why.contains("syntax error") => {
                SourceError::Refused(format!("{why}: only a query can be explained"))
            }
            other => other,
        }
    }

    /// Where in the user's own text a character of ours lies: line and column, from 1.
    pub fn place(&self, position: usize) -> Option<(usize, usize)> {
        let own = position.checked_sub(self.skipped).filter(|own| (1..=self.own).contains(own))?;
        let before: String = self.sql.chars().skip(self.skipped).take(own - 1).collect();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Some((before.matches('\n').count() + 1, column))
    }
}

/// The values of the columns as one array of texts, in an order that is the same on every server. Null is the empty text.
/// One character more than is allowed shows that there are too many.
fn lateral(per: &[String]) -> String {
    let value = |column: &String| {
        let name = column.replace('"', "\"\"");
        format!("coalesce(left(answer.\"{name}\"::text, {}), '')", LABEL_CHARACTERS + 1)
    };
    let values: Vec<String> = per.iter().map(value).collect();
    format!(
        ") as answer cross join lateral (select array[{}]::text[] collate \"C\" as labels) as grouped",
        values.join(", ")
    )
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

    #[test]
    fn the_users_statement_stands_on_its_own_lines() {
        let statement = Statement::rows("select 1 -- one\n ; ");
        assert!(statement.sql.ends_with("(\nselect 1 -- one\n) as answer limit 2"), "{}", statement.sql);
    }

    #[test]
    fn places_are_the_users() {
        let statement = Statement::series_counts("select\n  nothing", &["re\"gion".to_owned()]);
        let position = statement.sql.find("nothing").unwrap() + 1;
        assert_eq!(statement.place(position), Some((2, 3)));
        assert_eq!(statement.place(statement.skipped + 1), Some((1, 1)));
        let ours = statement.sql.find("answer.\"re\"\"gion\"").unwrap() + 1;
        for place in [0, 3, statement.skipped, ours, usize::MAX] {
            assert_eq!(statement.place(place), None);
        }
    }
}
