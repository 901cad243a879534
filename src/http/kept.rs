//! Answers that are the same for everybody are written once a second, however many ask.
//!
//! A wall of screens and a team that reloads during an incident ask for the same page; to write and compress it for
//! each of them would take the processor from the evaluation. Only whoever has no session and no token is given a kept
//! answer, and whatever somebody changes through this companion is seen by the next who asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, Method, StatusCode, header, response::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::sync::OnceCell;

use super::{Surface, guard::Front, problem::Problem, routes};
use crate::clock::Stopwatch;

/// How old a kept answer may be.
const FOR: Duration = Duration::from_secs(1);
/// Most answers kept at once, and most bytes of them together.
const ANSWERS_MAX: usize = 64;
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// The longest question that an answer is kept for, in bytes.
const QUESTION_MAX: usize = 1_000;
/// Everything that an answer depends on beside its address.
const DEPENDS_ON: [HeaderName; 3] = [header::HOST, header::ACCEPT, header::ACCEPT_ENCODING];

/// What was asked, and where.
type Question = (Surface, String);

#[derive(Debug)]
struct Slot {
    /// When it was asked for first, since the answers began to be kept.
    asked: Duration,
    /// None inside: this answer is for whoever asked.
    answer: OnceCell<Option<Kept>>,
}

/// One answer as it is sent.
#[derive(Clone, Debug)]
struct Kept {
    head: Parts,
    body: Bytes,
}

impl IntoResponse for Kept {
    fn into_response(self) -> Response {
        Response::from_parts(self.head, Body::from(self.body))
    }
}

/// The answers that are kept.
#[derive(Debug)]
pub struct Answers {
    since: Stopwatch,
    slots: Mutex<HashMap<Question, Arc<Slot>>>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { since: Stopwatch::start(), slots: Mutex::default() }
    }
}

impl Answers {
    /// The place of an answer that is young enough at `now`, or a new one.
    fn slot(&self, question: Question, now: Duration) -> Arc<Slot> {
        let is_young = |slot: &Slot| now.saturating_sub(slot.asked) < FOR;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&question).filter(|slot| is_young(slot)) {
            return slot.clone();
        }
        slots.retain(|_, slot| is_young(slot));
        let slot = Arc::new(Slot { asked: now, answer: OnceCell::new() });
        let bytes: usize = slots.values().map(|slot| slot.bytes()).sum();
        if slots.len() < ANSWERS_MAX && bytes < BYTES_MAX {
            slots.insert(question, slot.clone());
        }
        slot
    }

    fn forget(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Slot {
    fn bytes(&self) -> usize {
        self.answer.get().and_then(Option::as_ref).map_or(0, |kept| kept.body.len())
    }
}

/// Gives an answer that is kept, or lets it be made.
pub async fn keep(State(front): State<Front>, request: Request, next: Next) -> Response {
    let answers = front.companion.answers.clone();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let response = next.run(request).await;
        if !response.status().is_client_error() {
            answers.forget();
        }
        return response;
    }
    let Some(question) = question(front.surface, &request) else { return next.run(request).await };
    let slot = answers.slot(question, answers.since.elapsed());
    let mut request = Some(request);
    let mut own = None;
    let make = async {
        let request = request.take()?;
        match made(next.clone().run(request).await).await {
            Ok(kept) => Some(kept),
            Err(response) => {
                own = Some(response);
                None
            }
        }
    };
    let kept = slot.answer.get_or_init(|| make).await.clone();
    match (kept, own, request) {
        (Some(kept), _, _) => kept.into_response(),
        (None, Some(response), _) => response,
        (None, None, Some(request)) => next.run(request).await,
        (None, None, None) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "no answer was made").into_response()
        }
    }
}

/// What an answer may be kept for; none for a question that is answered for one person only.
fn question(surface: Surface, request: &Request) -> Option<Question> {
    let path = request.extensions().get::<MatchedPath>()?;
    let headers = request.headers();
    let is_personal = headers.contains_key(header::COOKIE) || headers.contains_key(header::AUTHORIZATION);
    if is_personal || *request.method() != Method::GET || !routes::is_kept(path.as_str()) {
        return None;
    }
    let mut words = request.uri().to_string();
    for name in &DEPENDS_ON {
        words.push('\n');
        for value in headers.get_all(name) {
            words.push_str(value.to_str().ok()?);
            words.push(',');
        }
    }
    (words.len() <= QUESTION_MAX).then_some((surface, words))
}

/// The answer with all of its body, if it is for everybody.
async fn made(response: Response) -> Result<Kept, Response> {
    if response.status() != StatusCode::OK || response.headers().contains_key(header::SET_COOKIE) {
        return Err(response);
    }
    let (head, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => Ok(Kept { head, body }),
        Err(error) => {
            tracing::warn!(%error, "a page could not be written");
            let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the page could not be written");
            Err(problem.into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(answers: &Answers, words: &str, now: u64) -> Arc<Slot> {
        answers.slot((Surface::Tcp, words.to_owned()), Duration::from_millis(now))
    }

    #[test]
    fn a_place_is_kept_for_a_second_and_until_something_changes() {
        let answers = Answers::default();
        let first = ask(&answers, "/", 100);
        assert!(Arc::ptr_eq(&first, &ask(&answers, "/", 1_099)));
        assert!(!Arc::ptr_eq(&first, &ask(&answers, "/?embed=1", 200)));
        assert!(!Arc::ptr_eq(&first, &answers.slot((Surface::Socket, "/".into()), Duration::from_millis(200))));
        let second = ask(&answers, "/", 1_100);
        assert!(!Arc::ptr_eq(&first, &second));
        answers.forget();
        assert!(!Arc::ptr_eq(&second, &ask(&answers, "/", 1_101)));
    }

    #[test]
    fn what_is_kept_has_bounds() {
        let answers = Answers::default();
        for number in 0..10 * ANSWERS_MAX {
            ask(&answers, &format!("/?q={number}"), 5);
        }
        assert_eq!(answers.slots.lock().unwrap().len(), ANSWERS_MAX);
        ask(&answers, "/", 2_000);
        assert_eq!(answers.slots.lock().unwrap().len(), 1, "what is old makes room");
        let large = ask(&answers, "/?q=large", 2_000);
        let (head, ()) = Response::new(()).into_parts();
        large.answer.set(Some(Kept { head, body: vec![0; BYTES_MAX].into() })).unwrap();
        ask(&answers, "/?q=more", 2_001);
        assert_eq!(answers.slots.lock().unwrap().len(), 2);
    }
}
