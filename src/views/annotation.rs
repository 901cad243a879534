//! Annotations as the API shows them, and what had changed around an incident.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{desk::DeskError, render_words::duration};
use crate::domain::annotation::{Annotation, Kind, Wanted};

/// How long before an incident opened a change may have to do with it.
pub const BEFORE: TimeDelta = TimeDelta::hours(2);
/// Most changes that are told of an incident, before it opened and after that: the nearest.
pub const NEAREST: usize = 5;

/// What somebody said of a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnnotationView {
    /// As `slod annotation remove` takes it.
    pub id: i64,
    /// When it was, to the millisecond.
    pub at: DateTime<Utc>,
    /// deploy, note.
    pub kind: String,
    /// One line.
    pub text: String,
    /// Where to read on: an http or https address.
    pub url: Option<String>,
    /// Whom it concerns; null: all services.
    pub service: Option<String>,
    /// Who said it.
    pub by: String,
    /// When it was said.
    pub created_at: DateTime<Utc>,
}

impl AnnotationView {
    /// As it is kept under `id`.
    pub fn new(id: i64, annotation: &Annotation) -> Self {
        Self {
            id,
            at: annotation.at,
            kind: annotation.kind.as_str().to_owned(),
            text: annotation.text.clone(),
            url: annotation.url.clone(),
            service: annotation.service.as_ref().map(ToString::to_string),
            by: annotation.by.clone(),
            created_at: annotation.created_at,
        }
    }

    /// Where to read on, if it may be followed.
    pub fn link(&self) -> Option<&str> {
        self.url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
    }

    /// `4 min before it opened`, for something that opened at `opened`.
    pub fn beside(&self, opened: DateTime<Utc>) -> String {
        let seconds = (self.at - opened).num_seconds();
        // Whole minutes, from one on: a deploy takes a while.
        let far = seconds.abs();
        let words = duration(if far < 60 { far } else { far - far % 60 } as f64);
        match seconds {
            0 => "as it opened".to_owned(),
            ..0 => format!("{words} before it opened"),
            _ => format!("{words} after it opened"),
        }
    }
}

/// The glyph that stands for a kind of annotation, in charts and before its word.
pub fn mark(kind: &str) -> &'static str {
    if Kind::of(kind) == Some(Kind::Deploy) { "▼" } else { "●" }
}

/// Which annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnnotationFilter {
    /// This service's and those of all services. None: everything.
    pub service: Option<String>,
    /// Of this time and later.
    pub from: Option<DateTime<Utc>>,
    /// Of times before this.
    pub to: Option<DateTime<Utc>>,
    /// At most so many, the newest first.
    pub limit: usize,
}

/// What had changed around an incident, in order: deploys before notes, its own before those of all services, the nearest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Before it opened, and as it did; the oldest first.
    pub before: Vec<AnnotationView>,
    /// While it was open; the oldest first.
    pub after: Vec<AnnotationView>,
    /// How many more there were.
    pub more: usize,
}

impl Changes {
    /// All that are told.
    pub fn told(&self) -> impl Iterator<Item = &AnnotationView> {
        self.before.iter().chain(&self.after)
    }
}

/// An incident's span, and whom it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affair<'a> {
    /// Its service. None: a source's own, which may concern every service.
    pub service: Option<&'a str>,
    /// When it opened.
    pub opened_at: DateTime<Utc>,
    /// When it ended; none while it goes on.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Takes them down, tells them, takes them away. Part of [`super::desk::Desk`].
pub trait Annotations: Send + Sync {
    /// Takes an annotation down; the same said twice stands once. Answers when it is committed.
    fn annotate(&self, wanted: Wanted) -> BoxFuture<'_, Result<AnnotationView, DeskError>>;
    /// Annotations, the newest first.
    fn annotations(&self, filter: AnnotationFilter) -> BoxFuture<'_, Result<Vec<AnnotationView>, DeskError>>;
    /// What had changed around an incident, from [`BEFORE`] its opening to its end.
    fn changes<'a>(&'a self, affair: Affair<'a>) -> BoxFuture<'a, Result<Changes, DeskError>>;
    /// Takes one away, and answers what it was. Answers when that is committed.
    fn unannotate<'a>(&'a self, id: i64, by: &'a str) -> BoxFuture<'a, Result<AnnotationView, DeskError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default()
    }

    fn one(seconds: i64) -> AnnotationView {
        AnnotationView {
            id: seconds,
            at: at(seconds),
            kind: "deploy".to_owned(),
            text: "shop 4.2.1".to_owned(),
            url: None,
            service: None,
            by: "ci".to_owned(),
            created_at: at(seconds),
        }
    }

    #[test]
    fn beside_an_opening() {
        for (seconds, words) in [
            (-240, "4 min before it opened"),
            (-7_199, "1 h 59 min before it opened"),
            (0, "as it opened"),
            (-30, "30 s before it opened"),
            (-299, "4 min before it opened"),
            (90, "1 min after it opened"),
        ] {
            assert_eq!(one(seconds).beside(at(0)), words);
        }
    }

    #[test]
    fn only_addresses_of_pages_are_followed() {
        let link = |url: &str| AnnotationView { url: Some(url.to_owned()), ..one(0) }.link().map(str::to_owned);
        for url in ["https://ci.example/7", "http://ci.example/7"] {
            assert_eq!(link(url), Some(url.to_owned()));
        }
        for url in ["javascript:alert(1)", "data:text/html,x", "//ci.example", " https://ci.example", ""] {
            assert_eq!(link(url), None, "{url}");
        }
    }
}
