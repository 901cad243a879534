//! `decision_log:` of a service.

use super::{
    codes::Code,
    fields::Fields,
    model::{DecisionLog, LogTable, LogTarget},
    tree::{Entry, Spanned},
};
use crate::domain::policy::Priority;

/// What a row is called if nothing else is written.
const ACTION: &str = "incident";

/// Reads it.
pub(crate) fn decode(fields: &Fields<'_>, entry: &Entry) -> Option<DecisionLog> {
    let owner = format!("`decision_log` of {}", fields.owner);
    let inner = Fields::open(fields.cx, &entry.value, entry.key.at, owner)?;
    let action = inner.string("action").filter(|action| !action.is_empty()).unwrap_or_else(|| ACTION.to_owned());
    let min_priority = inner.priority("min_priority").unwrap_or(Priority::P5);
    let target = inner.kind(&["supabase", "postgres"]).and_then(|(word, entry)| target(&inner, word, entry));
    inner.close();
    Some(DecisionLog { target: target?, action, min_priority })
}

fn target(log: &Fields<'_>, word: &str, entry: &Entry) -> Option<LogTarget> {
    let fields = Fields::open(log.cx, &entry.value, entry.key.at, log.owner.clone())?;
    let table = table(&fields);
    let target = if word == "supabase" {
        let url = fields.required_http_url("url");
        let key = fields.required_secret("key");
        if let Some(url) = &url {
            fields.warn_plain_http(&url.value, url.at);
        }
        url.zip(key).zip(table).map(|((url, key), table)| LogTarget::Supabase { url: url.value, key, table })
    } else {
        fields.source("source", &["postgres"]).zip(table).map(|(source, table)| LogTarget::Postgres { source, table })
    };
    fields.close();
    target
}

fn table(fields: &Fields<'_>) -> Option<LogTable> {
    let text = fields.required_text("table")?;
    let found = LogTable::parse(&text.value);
    if found.is_none() && text.known {
        let found = Spanned { value: text.value.clone(), at: text.at };
        fields.reject(Code::BadName, "table", &found, "`table` or `schema.table`, made of letters, digits and `_`");
    }
    // Not known yet: a variable that is not set while only looking.
    found.or_else(|| (!text.known).then(|| LogTable { schema: None, name: String::new() }))
}
