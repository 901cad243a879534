//! A form on its way to the desk.

use std::{future::Future, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};

use super::{form::Form, outcome::Outcome};
use crate::{
    http::{
        Companion,
        problem::Problem,
        session::{Hash, Person, Visit},
    },
    views::desk::DeskError,
};

/// How long a person waits to hear that something is written.
pub const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// A form that was let through, and whose it is.
#[derive(Debug)]
pub struct Posted {
    /// Who has sent it.
    pub person: Person,
    /// Its fields.
    pub form: Form,
    path: String,
}

impl<S: Sync> FromRequestParts<S> for Posted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let form = parts.extensions.remove::<Form>();
        match (form, Visit::current().person) {
            (Some(form), Some(person)) => Ok(Self { person, form, path: parts.uri.path().to_owned() }),
            _ => Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "this form was not let through")),
        }
    }
}

/// What became of it.
#[derive(Debug)]
pub enum Sent<T> {
    /// The desk's answer.
    Done(T),
    /// It was sent before, and counts once.
    Again,
}

impl Posted {
    /// Does it, once.
    pub async fn once<T>(
        &self,
        companion: &Companion,
        work: impl Future<Output = Result<T, DeskError>>,
    ) -> Result<Sent<T>, Refusal> {
        let form = self.mark()?;
        if !companion.sessions.is_first(&self.person.key, form) {
            return Ok(Sent::Again);
        }
        let done = within(WRITE_LIMIT, work).await;
        if matches!(done, Err(Refusal::Desk(_))) {
            companion.sessions.forget(&self.person.key, form);
        }
        done.map(Sent::Done)
    }

    /// Names the form among those of its session.
    fn mark(&self) -> Result<Hash, Problem> {
        let once = self.form.get("once");
        if once.is_empty() || once.len() > 64 {
            return Err(Problem::invalid("the form is not whole").help("load its page again, then send it again"));
        }
        Ok(Sha256::new().chain_update(&self.path).chain_update([0]).chain_update(once).finalize().into())
    }
}

/// Waits for the desk, but not for ever.
pub async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, DeskError>>) -> Result<T, Refusal> {
    match tokio::time::timeout(limit, work).await {
        Ok(answer) => answer.map_err(Refusal::Desk),
        Err(_) => Err(Refusal::Form(unwritten(limit))),
    }
}

/// Why it was not done.
#[derive(Debug)]
pub enum Refusal {
    /// The desk says so.
    Desk(DeskError),
    /// The form, or the time it took.
    Form(Problem),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Form(problem)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Desk(error) => error.into(),
            Refusal::Form(problem) => problem,
        }
    }
}

/// It may still be written: whoever asked is told so.
fn unwritten(limit: Duration) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        format!("the store has not taken it within {} s; it may still do so", limit.as_secs()),
    )
    .help("look at the page again before you send it again")
}

/// Back to a page, which then says what became of the form.
pub fn back(place: &str, outcome: Outcome) -> Response {
    go(&format!("{place}?done={}#result", outcome.word()))
}

/// On to another page.
pub fn go(place: &str) -> Response {
    let place = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}
