//! `decision_log:` of a service, after all checks.

use std::fmt;

use crate::{
    config::secret::Secret,
    domain::{name::Name, policy::Priority},
};

/// Where a service's incidents are recorded when they are over.
#[derive(Clone, Debug)]
pub struct DecisionLog {
    /// The table.
    pub target: LogTarget,
    /// What the rows say in their column `action`.
    pub action: String,
    /// Only incidents at least as urgent.
    pub min_priority: Priority,
}

/// The table of a decision log.
#[derive(Clone, Debug)]
pub enum LogTarget {
    /// Behind PostgREST.
    Supabase {
        /// Base address (`…/rest/v1/TABLE` is appended).
        url: String,
        /// A key that may insert.
        key: Secret,
        /// The table.
        table: LogTable,
    },
    /// In a database that is a source as well.
    Postgres {
        /// The source.
        source: Name,
        /// The table.
        table: LogTable,
    },
}

impl LogTarget {
    /// The kind's word in the configuration.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Supabase { .. } => "supabase",
            Self::Postgres { .. } => "postgres",
        }
    }
}

/// A table's name, made of letters, digits and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTable {
    /// Its schema, if it is not found without.
    pub schema: Option<String>,
    /// Its own name.
    pub name: String,
}

impl LogTable {
    /// Reads `table` or `schema.table`. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema), name),
            None => (None, text),
        };
        let legal = |part: &str| {
            let in_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            !part.is_empty()
                && part.len() <= 63
                && part.chars().all(in_name)
                && !part.starts_with(|letter: char| letter.is_ascii_digit())
        };
        let fine = legal(name) && schema.is_none_or(legal);
        fine.then(|| Self { schema: schema.map(str::to_owned), name: name.to_owned() })
    }
}

impl fmt::Display for LogTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{schema}.")?;
        }
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::LogTable;

    #[test]
    fn only_names_are_tables() {
        for (text, schema, name) in
            [("decision_log", None, "decision_log"), ("ops.Log2", Some("ops"), "Log2"), ("_a._b", Some("_a"), "_b")]
        {
            let table = LogTable::parse(text).unwrap();
            assert_eq!(
                (table.schema.as_deref(), table.name.as_str(), table.to_string().as_str()),
                (schema, name, text)
            );
        }
        let long = "t".repeat(64);
        for text in ["", ".", "a.", ".a", "a.b.c", "1a", "a-b", "a b", "a\"b", "a;drop table b", "ä", "a?b=c", &long] {
            assert_eq!(LogTable::parse(text), None, "{text}");
        }
    }
}
