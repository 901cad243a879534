//! What pages are dressed in.

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::{
    http::Companion,
    views::{render_words::tone, slo::SloState},
};

/// The style, in files by subject.
pub const STYLE: &str = concat!(
    include_str!("../assets/palette.css"),
    include_str!("../assets/base.css"),
    include_str!("../assets/shell.css"),
    include_str!("../assets/tables.css"),
    include_str!("../assets/overview.css"),
    include_str!("../assets/slo.css"),
    include_str!("../assets/charts.css"),
    include_str!("../assets/forms.css"),
    include_str!("../assets/media.css"),
);

fn cached(kind: &'static str, how: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, how)]
}

/// The style.
pub async fn style() -> impl IntoResponse {
    (cached("text/css; charset=utf-8", "max-age=300"), STYLE)
}

/// What the page about the API adds to it.
pub async fn reader_style() -> impl IntoResponse {
    (cached("text/css; charset=utf-8", "max-age=300"), include_str!("../assets/reader.css"))
}

/// What keeps pages fresh.
pub async fn script() -> impl IntoResponse {
    (cached("text/javascript; charset=utf-8", "max-age=300"), include_str!("../assets/slod.js"))
}

/// The icon: the worst state of all, as a colour and as a sign.
pub async fn icon(State(companion): State<Companion>) -> Response {
    let worst = companion.desk.glance().iter().map(|glance| glance.view.state).min().unwrap_or(SloState::Empty);
    (cached("image/svg+xml", "max-age=30"), draw(worst).into_string()).into_response()
}

/// A state's colours as images have them: the background, and what is drawn on it.
pub fn colours(state: SloState) -> (&'static str, &'static str) {
    let ground = match tone(state.as_str()) {
        "good" => "#1a6b34",
        "warn" => "#8a5300",
        "bad" => "#b42318",
        _ => "#4d585e",
    };
    (ground, "#ffffff")
}

fn draw(state: SloState) -> Markup {
    let (ground, ink) = colours(state);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" role="img" aria-label={ "slod: " (state.as_str()) } {
            title { "slod: " (state.as_str()) }
            rect width="16" height="16" rx="3.5" fill=(ground) {}
            g fill="none" stroke=(ink) stroke-width="2" stroke-linecap="round" stroke-linejoin="round" { (sign(state)) }
        }
    }
}

/// A tick, a bar, an exclamation, a broken ring, a ring: told apart without their colours.
fn sign(state: SloState) -> Markup {
    html! { @match state {
        SloState::Ok => { path d="M4 8.5L7 11.5L12 5" {} }
        SloState::Burning => { path d="M8 3.5V8.5M8 12V12.1" {} }
        SloState::Exhausted => { path d="M4.5 4.5L11.5 11.5M11.5 4.5L4.5 11.5" {} }
        SloState::Blind => { circle cx="8" cy="8" r="4" stroke-dasharray="3 3.3" {} }
        SloState::Empty => { circle cx="8" cy="8" r="4" {} }
    } }
}
