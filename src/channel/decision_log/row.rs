//! What a record looks like as a row.

use serde_json::{Value, json};

use crate::{config::model::LogTable, domain::record::IncidentRecord};

/// All columns that are written, with their types in Postgres.
pub const COLUMNS: [(&str, &str); 21] = [
    ("event_id", "text"),
    ("action", "text"),
    ("incident", "text"),
    ("epoch", "timestamptz"),
    ("service", "text"),
    ("slo", "text"),
    ("series", "jsonb"),
    ("title", "text"),
    ("priority", "text"),
    ("opened_at", "timestamptz"),
    ("acknowledged_at", "timestamptz"),
    ("resolved_at", "timestamptz"),
    ("bad", "double precision"),
    ("budget_share", "double precision"),
    ("status_page", "jsonb"),
    ("acknowledgements", "jsonb"),
    ("timeline", "jsonb"),
    ("deliveries", "jsonb"),
    ("diagnostics", "jsonb"),
    ("root_cause", "text"),
    ("follow_ups", "jsonb"),
];

/// The names of all columns, with commas between them.
pub fn names() -> String {
    COLUMNS.map(|(name, _)| name).join(",")
}

/// The row as one JSON object: a key for each column.
pub fn body(record: &IncidentRecord) -> Value {
    json!({
        "event_id": record.event_id,
        "action": record.action,
        "incident": record.incident,
        "epoch": record.epoch,
        "service": record.service,
        "slo": record.slo,
        "series": record.series,
        "title": record.title,
        "priority": record.priority.as_str(),
        "opened_at": record.opened_at,
        "acknowledged_at": record.acknowledged_at,
        "resolved_at": record.resolved_at,
        "bad": record.cost.bad,
        "budget_share": record.cost.budget_share.filter(|share| share.is_finite()),
        "status_page": record.status_page,
        "acknowledgements": record.acknowledgements,
        "timeline": record.timeline,
        "deliveries": record.deliveries,
        "diagnostics": record.diagnostics,
        "root_cause": "",
        "follow_ups": [],
    })
}

/// The statement that inserts a row given as one JSON object, unless it is there. Identifiers were checked when the
/// configuration was read, and are quoted all the same.
pub fn insert(table: &LogTable) -> String {
    let columns: Vec<_> = COLUMNS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let values: Vec<_> = COLUMNS.iter().map(|(name, kind)| format!("r.\"{name}\"::{kind}")).collect();
    let fields: Vec<_> = COLUMNS.iter().map(|(name, kind)| format!("\"{name}\" {kind}")).collect();
    format!(
        "insert into {} ({}) select {} from jsonb_to_record($1::jsonb) as r({}) on conflict (\"event_id\") do nothing",
        quoted(table),
        columns.join(", "),
        values.join(", "),
        fields.join(", ")
    )
}

fn quoted(table: &LogTable) -> String {
    let name = format!("\"{}\"", table.name);
    table.schema.as_ref().map_or(name.clone(), |schema| format!("\"{schema}\".{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;

    #[test]
    fn a_row_has_a_key_for_each_column() {
        let body = body(&samples::record());
        let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        let mut columns: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        keys.sort_unstable();
        columns.sort_unstable();
        assert_eq!(keys, columns);
        insta::assert_json_snapshot!(body);
    }

    #[test]
    fn a_statement_names_its_table_in_quotes() {
        let table = LogTable { schema: Some("ops".into()), name: "decision_log".into() };
        insta::assert_snapshot!(insert(&table));
    }

    /// The page for people has the table as it is needed.
    #[test]
    fn the_table_is_documented() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/decision-log.md")).unwrap();
        for (name, kind) in COLUMNS {
            let line = page.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
            assert!(line.is_some_and(|line| line.contains(kind)), "{name} {kind}");
        }
    }
}
