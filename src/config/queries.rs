//! Queries: which source, which language, and whether they can be what they must be.

use super::{
    codes::Code,
    context::Thing,
    fields::{Fields, quoted},
    finding::Finding,
    promql::{self, Problem, Shape},
    sql,
    tree::{Key, Span},
};
use crate::domain::name::Name;

impl Fields<'_> {
    /// The source under `key`, which must be of one of these kinds.
    pub fn source(&self, key: &'static str, kinds: &[&'static str]) -> Option<Name> {
        self.require(key);
        let found = self.word(key, "the name of a source")?;
        let known = self.cx.refer(Thing::Source, &found, &self.owner);
        if let Some(kind) = known.and_then(|known| known.kind)
            && !kinds.contains(&kind)
        {
            let message = format!("{} cannot ask `{}`, which is a `{kind}` source", self.owner, found.value);
            let help = format!("name a source of kind {}", quoted(kinds));
            self.cx.push(Finding::error(Code::WrongKind, found.at, message).help(help));
        }
        Some(Name::from(found.value))
    }

    /// A query's text under `key`.
    pub fn query(&self, key: &'static str) -> Option<Key> {
        let found = self.word(key, "a query")?;
        if found.value.trim().is_empty() {
            let message = format!("`{key}` of {} is empty", self.owner);
            self.cx.push(Finding::error(Code::MissingKey, found.at, message));
            return None;
        }
        Some(found)
    }

    /// Whether the offline check of the queries here is switched off.
    pub fn unchecked(&self) -> bool {
        self.boolean("unchecked").unwrap_or(false)
    }

    /// Checks a PromQL query.
    pub fn check_promql(&self, key: &str, query: &str, at: Span, shape: Shape<'_>) {
        let (code, message, help) = match promql::check(query, shape) {
            Ok(()) => return,
            Err(Problem::Syntax(why)) => {
                (Code::Promql, why, "if the server understands it, add `unchecked: true`".to_owned())
            }
            Err(Problem::Shape(why, help)) => (Code::PromqlShape, why, help),
        };
        let message = format!("`{key}` of {}: {message}", self.owner);
        self.cx.push(Finding::error(code, at, message).help(help));
    }

    /// Checks an SQL query.
    pub fn check_sql(&self, key: &str, query: &str, at: Span, slot_bounds: bool) {
        if let Some(why) = sql::problem(query, slot_bounds) {
            let message = format!("`{key}` of {}: {why}", self.owner);
            self.cx.push(Finding::error(Code::Sql, at, message));
        }
    }
}
