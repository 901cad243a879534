//! What is asked: form of the answer, query keys, body.

use std::convert::Infallible;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use maud::Markup;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Surface, problem::Problem, session::Visit};
use crate::{
    domain::name::Series,
    views::{desk::Way, render_words::steers},
};

/// Most bytes of a body.
pub const BODY_MAX: usize = 1024 * 1024;
/// Most characters of a name a person signs with.
pub const BY_MAX: usize = 200;
/// Most characters of a note.
pub const TEXT_MAX: usize = 10_000;

/// A request's wishes.
#[derive(Clone, Debug)]
pub struct Ask {
    json: bool,
    query: Vec<(String, String)>,
}

impl<S: Sync> FromRequestParts<S> for Ask {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { json: prefers(&parts.headers, "application/json", "text/html"), query: pairs(&parts.uri) })
    }
}

impl Ask {
    /// The value of a query key. An empty one is the same as an absent one.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str()).filter(|text| !text.is_empty())
    }

    /// Everything that is asked for beside `known`: labels of a series.
    pub fn labels(&self, known: &[&str]) -> Series {
        self.query.iter().filter(|(name, _)| !known.contains(&name.as_str())).cloned().collect()
    }

    /// The value of a query key, if it is one of `words`.
    pub fn word<'a>(&'a self, key: &str, words: &[&str]) -> Result<Option<&'a str>, Problem> {
        match self.get(key) {
            Some(value) if !words.contains(&value) => {
                Err(Problem::invalid(format!("`{key}={value}` is not known")).help(format!("use {}", words.join(", "))))
            }
            value => Ok(value),
        }
    }

    /// A month, `2026-10`.
    pub fn month(&self) -> Result<Option<&str>, Problem> {
        let Some(month) = self.get("month") else { return Ok(None) };
        let valid = month.len() == 7 && chrono::NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").is_ok();
        if valid {
            Ok(Some(month))
        } else {
            Err(Problem::invalid(format!("`{month}` is not a month")).help("write it like `month=2026-10`"))
        }
    }

    /// A moment, RFC 3339.
    pub fn moment(&self, key: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.get(key) else { return Ok(None) };
        // An unescaped `+00:00` arrives as a space.
        let parsed = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
        parsed.map(|at| Some(at.to_utc())).map_err(|_| {
            Problem::invalid(format!("`{key}={text}` is not a time")).help("write it like `2026-10-25T12:00:00Z`")
        })
    }

    /// How many at most.
    pub fn limit(&self, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else { return Ok(most) };
        text.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
            Problem::invalid(format!("`limit={text}` is not possible")).help(format!("use a number from 1 to {most}"))
        })
    }

    /// JSON is wanted, not a page.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// The same data as a page or as JSON.
    pub fn answer<T: Serialize>(&self, data: &T, page: impl FnOnce(&T) -> Markup) -> Response {
        if self.json { Json(data).into_response() } else { page(data).into_response() }
    }
}

/// The decoded query.
pub fn pairs(uri: &Uri) -> Vec<(String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Whether `one` is wanted, and more than `other`.
pub fn prefers(headers: &HeaderMap, one: &str, other: &str) -> bool {
    weight(headers, one) > weight(headers, other)
}

/// The weight (in thousandths) that an `Accept` header gives a type by name; ranges with `*` do not name it.
fn weight(headers: &HeaderMap, wanted: &str) -> u16 {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).filter_map(|item| range_weight(item, wanted)).max().unwrap_or(0)
}

fn range_weight(item: &str, wanted: &str) -> Option<u16> {
    let mut parts = item.split(';').map(str::trim);
    let named = parts.next()?.eq_ignore_ascii_case(wanted);
    let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
    named.then_some((quality.clamp(0.0, 1.0) * 1000.0) as u16)
}

impl<S: Sync> FromRequestParts<S> for Way {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let is_local = parts.extensions.get::<Surface>() == Some(&Surface::Socket);
        Ok(if is_local { Self::Cli } else { Self::Api })
    }
}

/// `{by, text}`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Who does it.
    #[schemars(with = "String", length(min = 1, max = BY_MAX), regex(pattern = r"\S"))]
    by: Option<String>,
    /// What is said.
    #[schemars(with = "String", length(min = 1, max = TEXT_MAX), regex(pattern = r"\S"))]
    text: Option<String>,
}

impl Signed {
    /// Signed so, with nothing said. Whoever has logged in acts under the name of the session.
    pub fn of(by: Option<String>) -> Self {
        let by = Visit::current().person.map(|person| person.name).or(by);
        Self { by, text: None }
    }

    /// Reads a body. An empty one signs nothing.
    pub async fn read(body: Body) -> Result<Self, Problem> {
        let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| too_large())?;
        if bytes.is_empty() {
            return Ok(Self::of(None));
        }
        let signed: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::invalid(format!("the body is not what is expected: {error}"))
                .help(r#"send JSON like {"by": "ops-lead", "text": "…"}"#)
        })?;
        Ok(Self { text: signed.text, ..Self::of(signed.by) })
    }

    /// Who it is; must be said.
    pub fn by(&self) -> Result<&str, Problem> {
        match self.by.as_deref().map(str::trim) {
            None | Some("") => Err(Problem::invalid("`by` is missing").help(r#"say who you are: {"by": "ops-lead"}"#)),
            Some(by) if by.chars().count() > BY_MAX => {
                Err(Problem::invalid(format!("`by` is longer than {BY_MAX} characters")))
            }
            Some(by) if by.chars().any(steers) => {
                Err(Problem::invalid("`by` holds a control character, or one that turns the direction of writing"))
            }
            Some(by) => Ok(by),
        }
    }

    /// Who it is, or a word for nobody in particular.
    pub fn by_or_api(&self) -> Result<&str, Problem> {
        if self.by.is_none() { Ok("api") } else { self.by() }
    }

    /// What is said; must not be empty.
    pub fn text(&self) -> Result<&str, Problem> {
        match self.text.as_deref().map(str::trim) {
            None | Some("") => {
                Err(Problem::invalid("`text` is missing").help(r#"send {"by": "ops-lead", "text": "…"}"#))
            }
            Some(text) if text.chars().count() > TEXT_MAX => {
                Err(Problem::invalid(format!("`text` is longer than {TEXT_MAX} characters")))
            }
            Some(text) => Ok(text),
        }
    }
}

/// 413.
pub fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 1 MiB")
}
