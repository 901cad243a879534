//! Lets a form through to its handler: sent from our own pages, by a person who has logged in and may do it.

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::form::Form;
use crate::http::{
    guard::{Front, read_only},
    here,
    problem::Problem,
    session::{Visit, is_secure, origin},
};

/// The daemon forgets log-ins and forms when it starts anew; what it had written by then, it knows.
const SENT_BEFORE: &str = "if you had sent it before, that may have counted: look at its page before you send it again";

/// Lets it through with its fields, or says why not. Nothing is done before all of it holds.
pub async fn admit(front: &Front, route: &'static str, request: Request, next: Next) -> Response {
    match checked(front, route, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn checked(front: &Front, route: &'static str, request: Request) -> Result<Request, Problem> {
    if !front.companion.desk.has_tokens() {
        return Err(read_only());
    }
    let external_url = front.companion.desk.external_url();
    let (mut parts, body) = request.into_parts();
    if !origin::is_ours(&parts.headers, &external_url) {
        tracing::warn!(route, secure = is_secure(&external_url), "a form from elsewhere was turned away");
        return Err(forbidden("other_site", "the form was not sent from a page of slod").help(
            "open the page here and send it again; behind a proxy set `daemon.external_url` to the address people use",
        ));
    }
    let form = Form::read(&parts.headers, body).await?;
    if route != "/login" {
        permitted(route, &form).map_err(|problem| problem.look(here::page_of(parts.uri.path())))?;
    }
    if route != "/login" && route != "/logout" {
        writable(front.companion.desk.health().store_trouble)?;
    }
    parts.extensions.insert(form);
    Ok(Request::from_parts(parts, axum::body::Body::empty()))
}

fn permitted(route: &str, form: &Form) -> Result<(), Problem> {
    let Some(person) = Visit::current().person else {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "not_logged_in",
            "you are not logged in, or no longer: this time nothing was done",
        )
        .help(format!("{SENT_BEFORE}; programs use the API with a bearer token")));
    };
    if !person.key.is_proven_by(form.get("csrf")) {
        return Err(forbidden("stale_form", "the form does not belong to your log-in: this time nothing was done")
            .help(SENT_BEFORE));
    }
    if route != "/logout" && !person.may_operate {
        return Err(forbidden("forbidden", "your token may not operate: nothing was done")
            .help("log in with a token that has `can: [operate]`"));
    }
    Ok(())
}

/// What cannot be written is not begun.
fn writable(trouble: Option<String>) -> Result<(), Problem> {
    let Some(why) = trouble else { return Ok(()) };
    Err(Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        format!("nothing was done: the store cannot be written ({why})"),
    )
    .help("try again once the banner is gone; /-/ready says when"))
}

fn forbidden(code: &'static str, message: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, code, message)
}
