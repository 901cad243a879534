//! `/login`: who one is, and by which token.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use maud::{Markup, html};
use serde::Serialize;

use super::{cell, page, pen};
use crate::http::{Companion, ask::Ask, session::Visit};

/// The data of the page.
#[derive(Serialize)]
pub struct LoginPage {
    /// Somebody can log in.
    tokens_configured: bool,
    /// Who is logged in.
    name: Option<String>,
    /// Whether that person may act.
    may_operate: bool,
    /// Where to go on.
    next: Option<String>,
}

/// What was tried, and what is wrong with it. The token is never given back.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The name that was given.
    pub name: String,
    /// What is wrong with it.
    pub name_fault: Option<String>,
    /// What is wrong with the token.
    pub token_fault: Option<String>,
}

impl Attempt {
    /// Something is wrong.
    pub fn is_faulty(&self) -> bool {
        self.name_fault.is_some() || self.token_fault.is_some()
    }
}

impl LoginPage {
    /// As it stands for whoever asks.
    pub fn of(companion: &Companion, next: Option<String>) -> Self {
        let person = Visit::current().person;
        Self {
            tokens_configured: companion.desk.has_tokens(),
            may_operate: person.as_ref().is_some_and(|person| person.may_operate),
            name: person.map(|person| person.name),
            next,
        }
    }
}

/// The page again, with what is wrong.
pub fn refused(
    companion: &Companion,
    ask: &Ask,
    status: StatusCode,
    next: Option<String>,
    attempt: &Attempt,
) -> Response {
    if ask.wants_json() {
        let message = attempt.name_fault.as_ref().or(attempt.token_fault.as_ref());
        let error = serde_json::json!({"error": {"code": "not_logged_in", "message": message, "help": null}});
        return (status, Json(error)).into_response();
    }
    (status, show_page(companion, &LoginPage::of(companion, next), attempt)).into_response()
}

/// The page.
pub fn show_page(companion: &Companion, data: &LoginPage, attempt: &Attempt) -> Markup {
    let main = html! {
        @if let Some(name) = &data.name {
            p { "Logged in as " strong { (cell::text("name", name)) } ". May act: " (cell::flag("may_operate", Some(data.may_operate))) "." }
        }
        @if data.name.is_some() && !attempt.is_faulty() { (leaving(data)) }
        @else if data.tokens_configured { (form(data, attempt)) } @else {
            p.lead { "Nobody can log in: the configuration names no token, so the pages are for reading." }
            p { "On the host: " code { "slod ack ID" } " · " code { "slod resolve ID" } " · " code { "slod note ID TEXT" } ". Or add "
                code { "daemon.tokens" } " with " code { "can: [operate]" } "." }
        }
    };
    page(companion, "Log in", None, &main)
}

/// For whoever is logged in: on to the page, or out.
fn leaving(data: &LoginPage) -> Markup {
    html! {
        div.acts {
            @if let Some(next) = &data.next { a.button href=(next) { "Go on" } }
            @if let Some(person) = Visit::current().person {
                form.act method="post" action="/logout" {
                    input type="hidden" name="csrf" value=(person.key.proof());
                    button type="submit" { "Log out" }
                }
            }
        }
        p.meta { "To log in with another name or token, log out first." }
    }
}

fn form(data: &LoginPage, attempt: &Attempt) -> Markup {
    let faults = [("name", &attempt.name_fault), ("token", &attempt.token_fault)];
    html! {
        @if attempt.is_faulty() {
            p #result.result.bad role="alert" tabindex="-1" data-still { span aria-hidden="true" { "■ " } "You are not logged in: "
                @for (place, (field, fault)) in faults.iter().filter(|(_, fault)| fault.is_some()).enumerate() {
                    @if place > 0 { " " } a href={ "#" (field) } { (fault.as_deref().unwrap_or_default()) }
                }
            }
        }
        form.fields method="post" action="/login" {
            @if let Some(next) = &data.next { input type="hidden" name="next" value=(next); }
            div.field {
                label for="name" { "Your name" }
                p.hint #name-hint { "Stands beside what you do, for everybody to see." }
                input #name type="text" name="name" required maxlength="200" autocomplete="username" autocapitalize="none" spellcheck="false"
                    value=(attempt.name) aria-invalid=[attempt.name_fault.as_ref().map(|_| "true")]
                    aria-describedby=(described("name", attempt.name_fault.is_some()));
                (pen::fault("name-fault", attempt.name_fault.as_deref()))
            }
            div.field {
                label for="token" { "Token" }
                p.hint #token-hint { "One of " code { "daemon.tokens" } ". To act it needs " code { "can: [operate]" } "." }
                input #token type="password" name="token" required maxlength="4096" autocomplete="current-password"
                    aria-invalid=[attempt.token_fault.as_ref().map(|_| "true")]
                    aria-describedby=(described("token", attempt.token_fault.is_some()));
                (pen::fault("token-fault", attempt.token_fault.as_deref()))
            }
            button type="submit" { "Log in" }
        }
        p.meta { "For 12 hours, or until you log out, the daemon restarts or the token is taken away. Reading needs no log-in." }
    }
}

fn described(field: &str, faulty: bool) -> String {
    if faulty { format!("{field}-hint {field}-fault") } else { format!("{field}-hint") }
}
