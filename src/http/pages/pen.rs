//! What every form of a page carries, and who is given one.

use maud::{Markup, html};

use crate::http::{
    Companion,
    forms::outcome::Outcome,
    here,
    session::{Visit, once},
};

/// Writes the forms of one page for a person who may act.
#[derive(Clone, Debug)]
pub struct Pen {
    csrf: String,
    once: String,
}

impl Pen {
    /// None for whoever may only read.
    pub fn current() -> Option<Self> {
        let person = Visit::current().person.filter(|person| person.may_operate)?;
        Some(Self { csrf: person.key.proof(), once: once() })
    }

    /// The hidden fields of a form.
    pub fn hidden(&self) -> Markup {
        html! {
            input type="hidden" name="csrf" value=(self.csrf);
            input type="hidden" name="once" value=(self.once);
        }
    }

    /// A form of one button, with more hidden fields.
    pub fn button(&self, action: &str, label: &str, more: &[(&str, &str)]) -> Markup {
        html! {
            form.act method="post" action=(action) {
                (self.hidden())
                @for (name, value) in more { input type="hidden" name=(name) value=(value); }
                button type="submit" { (label) }
            }
        }
    }
}

/// Why there are no forms, for whoever has none.
pub fn without(companion: &Companion) -> Markup {
    let visit = Visit::current();
    html! {
        @if let Some(person) = &visit.person { @if !person.may_operate { p.meta { "Your token may only read." } } }
        @else if companion.desk.has_tokens() { p { a.button href=(login(&visit.place)) { "Log in to act" } } }
    }
}

/// Where one logs in, to come back here.
pub fn login(place: &str) -> String {
    if place.starts_with("/login") || place == "/" {
        return "/login".to_owned();
    }
    let place = place.split("?done=").next().unwrap_or_default();
    format!("/login?next={}", here::segment(place))
}

/// The end of the navigation: who is logged in.
pub fn who(companion: &Companion) -> Markup {
    let visit = Visit::current();
    html! {
        @match &visit.person {
            Some(person) => {
                form.who method="post" action="/logout" {
                    input type="hidden" name="csrf" value=(person.key.proof());
                    span { bdi { (person.name) } @if !person.may_operate { " (reads)" } }
                    button type="submit" { "Log out" }
                }
            }
            None => @if companion.desk.has_tokens() { a.who href=(login(&visit.place)) { "Log in" } }
        }
    }
}

/// What became of the form that was sent last.
pub fn result(outcome: Option<Outcome>) -> Markup {
    result_with(outcome, |_| Markup::default())
}

/// The same, with more to say of it.
pub fn result_with(outcome: Option<Outcome>, more: impl FnOnce(Outcome) -> Markup) -> Markup {
    html! {
        @if let Some(outcome) = outcome {
            p #result.result.(if outcome.is_done() { "good" } else { "bad" }) role="status" tabindex="-1" {
                span aria-hidden="true" { @if outcome.is_done() { "● " } @else { "■ " } } (outcome.text()) (more(outcome))
            }
        }
    }
}

/// Said first on a page that is shown again: nothing was done, and where to look.
pub fn not_done(is_faulty: bool, form: &str) -> Markup {
    html! {
        @if is_faulty {
            p #result.result.bad role="alert" tabindex="-1" data-still {
                span aria-hidden="true" { "■ " } "Nothing was done: " a href={ "#" (form) } { "look at the form" } "."
            }
        }
    }
}

/// What is wrong with a field, named so that the field can point at it.
pub fn fault(id: &str, fault: Option<&str>) -> Markup {
    html! { @if let Some(fault) = fault { p.fault id=(id) { span aria-hidden="true" { "■ " } (fault) } } }
}
