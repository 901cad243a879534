//! Logging in and out.

use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use sha2::{Digest as _, Sha256};

use super::{
    form::Form,
    posted::{Posted, go},
};
use crate::{
    http::{
        Companion,
        ask::{Ask, BY_MAX},
        here,
        pages::login::{Attempt, LoginPage, refused, show_page},
        problem::Problem,
        session::{Hash, Holder, Remote, Visit, is_secure, set_cookie, unset_cookie},
    },
    views::render_words::plain,
};

/// Most bytes of a token.
const TOKEN_MAX: usize = 4_096;

/// `GET /login`
pub async fn show(State(companion): State<Companion>, ask: Ask) -> Response {
    let next = ask.get("next").and_then(here::readable);
    let data = LoginPage::of(&companion, next);
    ask.answer(&data, |data| show_page(&companion, data, &Attempt::default()))
}

/// The form of somebody who is about to log in.
pub struct Arriving(Form);

impl<S: Sync> FromRequestParts<S> for Arriving {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let form = parts.extensions.remove::<Form>();
        form.map(Self).ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, "forbidden", "this form was not let through"))
    }
}

/// `POST /login`
pub async fn log_in(
    State(companion): State<Companion>,
    Arriving(form): Arriving,
    Remote(from): Remote,
    ask: Ask,
) -> Response {
    let (name, token) = (form.get("name"), form.get("token"));
    let next = here::readable(form.get("next"));
    let mut attempt = Attempt { name: name.to_owned(), ..Attempt::default() };
    attempt.name_fault = name_fault(name);
    if token.is_empty() {
        attempt.token_fault = Some("Give the token.".to_owned());
    }
    if attempt.is_faulty() {
        return refused(&companion, &ask, StatusCode::BAD_REQUEST, next, &attempt);
    }
    if let Err(wait) = companion.attempts.take(from) {
        let seconds = wait.as_secs() + 1;
        if companion.attempts.is_news() {
            let from = from.map_or_else(|| "an unknown address".to_owned(), |from| from.to_string());
            tracing::warn!(from, "too many attempts to log in: they are turned away, and told of once a minute");
        }
        attempt.token_fault = Some(format!(
            "There were too many attempts to log in. Try again in {seconds} s, or use the command line on the host."
        ));
        let mut response = refused(&companion, &ask, StatusCode::TOO_MANY_REQUESTS, next, &attempt);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    let hash: Hash = Sha256::digest(token.as_bytes()).into();
    if token.len() > TOKEN_MAX || companion.desk.rights_of(&hash).is_none() {
        tracing::warn!(by = name, "a log-in was refused: the token is not known");
        attempt.token_fault = Some("This token is not known.".to_owned());
        return refused(&companion, &ask, StatusCode::UNAUTHORIZED, next, &attempt);
    }
    let holder = Holder { name: name.to_owned(), token: hash };
    let Some(key) = companion.sessions.open(holder, companion.now()) else {
        return Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_randomness",
            "the system gives no random numbers now",
        )
        .into_response();
    };
    // Whatever session the browser came with is not gone on with.
    if let Some(before) = Visit::current().person {
        companion.sessions.close(&before.key);
    }
    tracing::info!(by = name, "logged in");
    let mut response = go(&next.unwrap_or_else(|| "/".to_owned()));
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(&key, is_https(&companion)));
    response
}

/// `POST /logout`
pub async fn log_out(State(companion): State<Companion>, posted: Posted) -> Response {
    companion.sessions.close(&posted.person.key);
    tracing::info!(by = posted.person.name, "logged out");
    let mut response = go("/login");
    response.headers_mut().insert(header::SET_COOKIE, unset_cookie(is_https(&companion)));
    response
}

fn is_https(companion: &Companion) -> bool {
    is_secure(&companion.desk.external_url())
}

fn name_fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("Say who you are: your name stands beside what you do.".to_owned());
    }
    if name.chars().count() > BY_MAX {
        return Some(format!("Use at most {BY_MAX} characters."));
    }
    if name.contains(['(', ')']) {
        return Some("Leave out brackets: what stands in them says by which way somebody acts.".to_owned());
    }
    (plain(name) != name).then(|| "Use letters that can be seen.".to_owned())
}
