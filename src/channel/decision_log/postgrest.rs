//! A decision log behind PostgREST, as Supabase has it.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::{RequestBuilder, Url};
use serde_json::Value;

use super::{
    super::{
        Channel, Delivery, Outcome,
        answer::{Answer, Failure, Http, attempt, inquire},
        text,
    },
    record, row,
};
use crate::config::{model::LogTable, secret::Secret};

/// Largest body that is sent.
const BODY_MAX: usize = 900_000;
/// What is left out first when the body is too large.
const LARGEST_FIRST: [&str; 3] = ["diagnostics", "timeline", "deliveries"];

/// One table of one project.
pub struct PostgrestLog {
    http: Http,
    limit: Duration,
    url: String,
    key: Secret,
    table: LogTable,
}

impl PostgrestLog {
    /// Rows go to `url` and `/rest/v1/TABLE`.
    pub fn new(http: Http, limit: Duration, url: &str, key: Secret, table: LogTable) -> Self {
        Self { http, limit, url: url.trim_end_matches('/').to_owned(), key, table }
    }

    fn address(&self, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let url = format!("{}/rest/v1/{}", self.url, self.table.name);
        let mut url = Url::parse(&url).map_err(|_| Failure::dead("the decision log's `url` is not an address"))?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }

    /// The key goes into `apikey`. Only a key that is a JWT is a bearer token as well: to any other a plain PostgREST
    /// would say no.
    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header("apikey", self.key.expose());
        if is_jwt(self.key.expose()) { request.bearer_auth(self.key.expose()) } else { request }
    }

    fn usable(&self) -> Result<(), Failure> {
        if self.url.is_empty() || self.key.is_empty() {
            return Err(Failure::dead("the decision log's `url` or `key` is empty"));
        }
        Ok(())
    }

    async fn send(&self, delivery: &Delivery) -> Result<String, Failure> {
        let record = record(delivery)?;
        self.usable()?;
        let request = self.http.client().post(self.address(&[("on_conflict", "event_id")])?);
        let request = self.signed(request).header("Prefer", "resolution=ignore-duplicates,return=minimal");
        let request = match &self.table.schema {
            Some(schema) => request.header("Content-Profile", schema),
            None => request,
        };
        let answer = self.http.send(request.json(&fit(row::body(record)))).await?;
        judge(&answer)?;
        Ok(record.event_id.clone())
    }

    /// Asks for the columns of no row at all.
    async fn look(&self) -> Result<String, Failure> {
        self.usable()?;
        let request = self.signed(self.http.client().get(self.address(&[("select", &row::names()), ("limit", "0")])?));
        let request = match &self.table.schema {
            Some(schema) => request.header("Accept-Profile", schema),
            None => request,
        };
        let answer = self.http.send(request).await?;
        let json = answer.json();
        match answer.status {
            200 if json.is_array() => Ok(format!("table `{}` answers and has the columns", self.table)),
            200 => Err(Failure::retry("answered, but not with what was asked for: not PostgREST's answer")),
            // A key that may only insert is as it should be.
            401 | 403 if json["code"] == "42501" => {
                Ok(format!("table `{}` is there; the key may not read it, so its columns cannot be asked", self.table))
            }
            _ => Err(failure(&answer)),
        }
    }
}

/// Three parts of base64url, the first of which begins a JSON object.
fn is_jwt(key: &str) -> bool {
    let parts: Vec<_> = key.split('.').collect();
    let legal = |part: &&str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    parts.len() == 3 && parts.iter().all(legal) && key.starts_with("eyJ")
}

/// Created, or there already.
fn judge(answer: &Answer) -> Result<(), Failure> {
    let json = answer.json();
    match answer.status {
        201 => Ok(()),
        200 | 204 if answer.body.trim().is_empty() => Ok(()),
        200..=299 => Err(Failure::retry("answered, but not with what was asked for: not PostgREST's answer")),
        409 if is_our_row(&json) => Ok(()),
        _ => Err(failure(answer)),
    }
}

/// Whether a conflict is about our own row, and not about another constraint.
fn is_our_row(json: &Value) -> bool {
    let word = |key: &str| json[key].as_str().unwrap_or_default();
    let about_another = word("details").starts_with("Key (") && !word("details").starts_with("Key (event_id)");
    matches!(word("code"), "" | "23505") && !about_another
}

/// PostgREST's code and words; the gateway before it has words only.
fn failure(answer: &Answer) -> Failure {
    let json = answer.json();
    let word = |key: &str| json[key].as_str().filter(|word| !word.is_empty());
    let Some(code) = word("code") else { return answer.failure() };
    let parts = [Some(code), word("message"), word("details"), word("hint")];
    let said = text::line(&parts.into_iter().flatten().collect::<Vec<_>>().join(": "), 300);
    let reason = format!("{} {said}", answer.status);
    match answer.failure() {
        Failure::Retry { after, .. } => Failure::Retry { reason, after },
        Failure::Dead { .. } | Failure::TakenOver { .. } => Failure::Dead { reason },
    }
}

/// Leaves out the largest parts until the body fits, and says so.
fn fit(mut body: Value) -> Value {
    for part in LARGEST_FIRST {
        if serde_json::to_vec(&body).map_or(0, |bytes| bytes.len()) <= BODY_MAX {
            break;
        }
        body[part] = serde_json::json!([{"left_out": "too large to be sent"}]);
    }
    body
}

impl Channel for PostgrestLog {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, Outcome> {
        async { attempt(self.limit, &[&self.key], self.send(delivery)).await }.boxed()
    }

    fn verify(&self) -> BoxFuture<'_, Result<String, String>> {
        async { inquire(self.limit, &[&self.key], self.look()).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_jwt_is_a_bearer() {
        let cases = [
            ("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln", true),
            ("sb_secret_abcdefghijkl", false),
            ("sb_publishable_abc", false),
            ("eyJh.x", false),
            ("eyJh.x y.z", false),
            ("eyJh..z", false),
            ("a.b.c", false),
            ("", false),
        ];
        for (key, expected) in cases {
            assert_eq!(is_jwt(key), expected, "{key}");
        }
    }

    #[test]
    fn answers_are_judged() {
        let table = [
            (201, "", "ok"),
            (200, "", "ok"),
            (204, "", "ok"),
            (200, "<html>", "retry answered, but not with what was asked for: not PostgREST's answer"),
            (409, r#"{"code":"23505","message":"duplicate key","details":"Key (event_id)=(k) already exists."}"#, "ok"),
            (409, "", "ok"),
            (
                409,
                r#"{"code":"23505","message":"duplicate key","details":"Key (title)=(k) already exists."}"#,
                "dead 409 23505: duplicate key: Key (title)=(k) already exists.",
            ),
            (
                409,
                r#"{"code":"23503","message":"violates foreign key","details":null}"#,
                "dead 409 23503: violates foreign key",
            ),
            (400, r#"{"code":"PGRST204","message":"no column slo"}"#, "dead 400 PGRST204: no column slo"),
            (
                404,
                r#"{"code":"PGRST205","message":"no table","hint":"NOTIFY pgrst"}"#,
                "dead 404 PGRST205: no table: NOTIFY pgrst",
            ),
            (401, r#"{"message":"No API key found in request"}"#, "dead 401 No API key found in request"),
            (403, r#"{"code":"42501","message":"row-level security"}"#, "dead 403 42501: row-level security"),
            (500, r#"{"code":"57014","message":"statement timeout"}"#, "retry 500 57014: statement timeout"),
            (503, r#"{"code":"PGRST002","message":"schema cache"}"#, "retry 503 PGRST002: schema cache"),
            (504, r#"{"code":"PGRST003","message":"pool timeout"}"#, "retry 504 PGRST003: pool timeout"),
            (429, "", "retry 429 Too Many Requests"),
        ];
        for (status, body, expected) in table {
            let said = match judge(&Answer { status, retry_after: None, body: body.into() }) {
                Ok(()) => "ok".to_owned(),
                Err(Failure::Retry { reason, .. }) => format!("retry {reason}"),
                Err(Failure::Dead { reason } | Failure::TakenOver { what: reason }) => format!("dead {reason}"),
            };
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_body_that_is_too_large_loses_its_largest_parts() {
        let long = |count: usize| Value::from(vec!["x".repeat(1_000); count]);
        let body = fit(
            serde_json::json!({"event_id": "k", "timeline": long(1_000), "deliveries": long(10), "diagnostics": []}),
        );
        assert_eq!(body["timeline"][0]["left_out"], "too large to be sent");
        assert_eq!(body["deliveries"].as_array().map(Vec::len), Some(10));
        assert_eq!(body["event_id"], "k");
    }
}
