//! PostgREST before one table with a unique `event_id`, as Supabase has it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::request::{Reply, Request};

/// The table, and the columns of it that must be written.
const TABLE: &str = "decision_log";
const REQUIRED: [&str; 9] =
    ["event_id", "action", "incident", "epoch", "service", "slo", "priority", "opened_at", "resolved_at"];
/// The columns that may be.
const OTHERS: [&str; 12] = [
    "series",
    "title",
    "acknowledged_at",
    "bad",
    "budget_share",
    "status_page",
    "acknowledgements",
    "timeline",
    "deliveries",
    "diagnostics",
    "root_cause",
    "follow_ups",
];

/// The table's rows, by `event_id`.
#[derive(Debug, Default)]
pub(super) struct Postgrest {
    pub rows: BTreeMap<String, Value>,
}

impl Postgrest {
    pub fn take(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        if let Err(reply) = admit(request, problems) {
            return reply;
        }
        let table = request.path.strip_prefix("/supabase/rest/v1/").unwrap_or_default();
        if table != TABLE {
            let message = format!("Could not find the table 'public.{table}' in the schema cache");
            return refuse(404, "PGRST205", &message, None);
        }
        match request.method.as_str() {
            "GET" => select(request),
            "POST" => self.insert(request, problems),
            _ => refuse(405, "PGRST117", "Unsupported HTTP method", None),
        }
    }

    fn insert(&mut self, request: &Request, problems: &mut Vec<String>) -> Reply {
        let row: Map<String, Value> = match request.parse() {
            Ok(row) => row,
            Err(error) => {
                problems.push(error);
                return refuse(400, "PGRST102", "Empty or invalid json", None);
            }
        };
        if let Some(unknown) = row.keys().find(|key| !is_column(key)) {
            let message = format!("Could not find the '{unknown}' column of '{TABLE}' in the schema cache");
            problems.push(message.clone());
            return refuse(400, "PGRST204", &message, None);
        }
        for column in REQUIRED {
            if row.get(column).and_then(Value::as_str).is_none_or(str::is_empty) {
                let message = format!("null value in column \"{column}\" violates not-null constraint");
                problems.push(message.clone());
                return refuse(400, "23502", &message, None);
            }
        }
        if request.raw.windows(6).any(|bytes| bytes == b"\\u0000") {
            problems.push("NUL within a text".to_owned());
            return refuse(400, "22P05", "unsupported Unicode escape sequence", None);
        }
        let prefer = request.header("prefer");
        let wanted = ["resolution=ignore-duplicates", "return=minimal"];
        if !wanted.iter().all(|part| prefer.split(',').any(|said| said.trim() == *part)) {
            problems.push(format!("`Prefer: {prefer}`: what if the row is there already?"));
        }
        if request.query.get("on_conflict").map(String::as_str) != Some("event_id") {
            problems.push("no `on_conflict=event_id`".to_owned());
        }
        let id = row["event_id"].as_str().unwrap_or_default().to_owned();
        let about = format!("{} {} ({})", text(&row, "action"), text(&row, "title"), text(&row, "priority"));
        if self.rows.contains_key(&id) {
            if prefer.contains("resolution=ignore-duplicates") {
                return Reply::text(200, "").about(format!("there already: {about}"));
            }
            let details = format!("Key (event_id)=({id}) already exists.");
            return refuse(409, "23505", "duplicate key value violates unique constraint", Some(&details));
        }
        self.rows.insert(id, row.into());
        Reply::text(201, "").about(about)
    }
}

/// The gateway: no key, no entrance. A key of the new kind is no JWT, and a browser must not have a secret one.
fn admit(request: &Request, problems: &mut Vec<String>) -> Result<(), Reply> {
    let key = request.header("apikey");
    let mut refuse = |status, problem: &str, message: &str| {
        problems.push(problem.to_owned());
        Err(Reply::json(status, &json!({"message": message, "hint": "Double check your API key."})))
    };
    if key.is_empty() {
        return refuse(401, "no API key", "No API key found in request");
    }
    let bearer = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    if key.starts_with("eyJ") && bearer != key {
        return refuse(401, "a JWT is a bearer token as well", "Invalid API key");
    }
    if !key.starts_with("eyJ") && !bearer.is_empty() {
        return refuse(401, "a key that is no JWT is no bearer token", "Expected 3 parts in JWT; got 1");
    }
    if key.starts_with("sb_secret_") && request.header("user-agent").contains("Mozilla") {
        return refuse(401, "a browser has a secret key", "Forbidden use of secret API key in browser");
    }
    Ok(())
}

fn select(request: &Request) -> Reply {
    let wanted = request.query.get("select").map_or("", String::as_str);
    match wanted.split(',').find(|column| !is_column(column)) {
        Some(unknown) => refuse(400, "42703", &format!("column {TABLE}.{unknown} does not exist"), None),
        None => Reply::json(200, &json!([])),
    }
}

fn is_column(name: &str) -> bool {
    REQUIRED.contains(&name) || OTHERS.contains(&name)
}

fn text<'r>(row: &'r Map<String, Value>, column: &str) -> &'r str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

fn refuse(status: u16, code: &str, message: &str, details: Option<&str>) -> Reply {
    Reply::json(status, &json!({"code": code, "message": message, "details": details, "hint": null}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Value {
        let mut row: Map<String, Value> = REQUIRED.iter().map(|name| ((*name).to_owned(), json!("x"))).collect();
        row.insert("timeline".to_owned(), json!([]));
        row.into()
    }

    fn request(method: &str, path: &str, body: &Value, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::test(method, path, "", body);
        request.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        request
    }

    fn send(table: &mut Postgrest, body: &Value, headers: &[(&str, &str)]) -> (u16, usize) {
        let mut problems = Vec::new();
        let path = "/supabase/rest/v1/decision_log?on_conflict=event_id";
        (table.take(&request("POST", path, body, headers), &mut problems).status, problems.len())
    }

    const KEY: (&str, &str) = ("apikey", "sb_secret_x");
    const PREFER: (&str, &str) = ("prefer", "resolution=ignore-duplicates,return=minimal");

    #[test]
    fn a_row_is_there_once() {
        let mut table = Postgrest::default();
        assert_eq!(send(&mut table, &row(), &[KEY, PREFER]), (201, 0));
        assert_eq!(send(&mut table, &row(), &[KEY, PREFER]), (200, 0));
        assert_eq!(send(&mut table, &row(), &[KEY]), (409, 1));
        assert_eq!(table.rows.len(), 1);
    }

    #[test]
    fn each_broken_rule_is_a_problem() {
        let mut strange = row();
        strange["colour"] = json!("red");
        let mut nul = row();
        nul["title"] = json!("a\0b");
        let jwt = ("apikey", "eyJh.e.s");
        let table = [
            (&row(), vec![PREFER], 401),
            (&row(), vec![KEY, PREFER, ("authorization", "Bearer sb_secret_x")], 401),
            (&row(), vec![jwt, PREFER], 401),
            (&row(), vec![KEY, PREFER, ("user-agent", "Mozilla/5.0")], 401),
            (&strange, vec![KEY, PREFER], 400),
            (&nul, vec![KEY, PREFER], 400),
            (&json!({"event_id": "k"}), vec![KEY, PREFER], 400),
            (&json!([1]), vec![KEY, PREFER], 400),
        ];
        for (body, headers, status) in table {
            assert_eq!(send(&mut Postgrest::default(), body, &headers), (status, 1), "{body} {headers:?}");
        }
        assert_eq!(
            send(&mut Postgrest::default(), &row(), &[jwt, PREFER, ("authorization", "Bearer eyJh.e.s")]),
            (201, 0)
        );
    }

    #[test]
    fn columns_can_be_asked_for() {
        let ask =
            |path: &str| Postgrest::default().take(&request("GET", path, &Value::Null, &[KEY]), &mut Vec::new()).status;
        assert_eq!(ask("/supabase/rest/v1/decision_log?select=event_id,timeline&limit=0"), 200);
        assert_eq!(ask("/supabase/rest/v1/decision_log?select=colour"), 400);
        assert_eq!(ask("/supabase/rest/v1/elsewhere?select=event_id"), 404);
    }
}
