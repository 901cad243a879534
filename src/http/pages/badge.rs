//! `/badge/{service}/{slo}.svg`: an SLO's state as an image.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use super::assets::colours;
use crate::{
    domain::name::{Series, SloId},
    http::{Companion, problem::Problem},
    views::{
        render_words::{glyph, percent, percent_or_absent},
        slo::SloView,
    },
};

/// Most characters of a name.
const NAME_MAX: usize = 60;

/// The image.
pub async fn show(
    State(companion): State<Companion>,
    Path((service, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let Some(slo) = file.strip_suffix(".svg") else {
        return Err(Problem::not_found(format!("there is no badge `{file}`")).help("badges end in `.svg`"));
    };
    let slo = companion.desk.slo(&SloId::new(service, slo), &Series::new())?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], draw(&slo).into_string()).into_response())
}

fn draw(slo: &SloView) -> Markup {
    let name: String = slo.id.to_string().chars().take(NAME_MAX).collect();
    let left = percent_or_absent(slo.budget.remaining.map(rounded));
    let state = format!("{} {} · {left} left", glyph(slo.state.as_str()), slo.state.as_str());
    let says = format!(
        "{name}: {}, {} of the error budget left, objective {} in {}",
        slo.state.as_str(),
        percent_or_absent(slo.budget.remaining),
        percent(slo.objective),
        slo.window
    );
    let (ground, ink) = colours(slo.state);
    let (one, other) = (width(&name), width(&state));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(one + other) height="20" viewBox={ "0 0 " (one + other) " 20" } role="img" aria-label=(says) {
            title { (says) }
            clipPath id="round" { rect width=(one + other) height="20" rx="4" {} }
            g clip-path="url(#round)" {
                rect width=(one) height="20" fill="#3c454a" {}
                rect x=(one) width=(other) height="20" fill=(ground) {}
            }
            g fill=(ink) font-family="Verdana, DejaVu Sans, sans-serif" font-size="11" {
                text x="8" y="14" textLength=(one - 16) lengthAdjust="spacingAndGlyphs" { (name) }
                text x=(one + 8) y="14" textLength=(other - 16) lengthAdjust="spacingAndGlyphs" { (state) }
            }
        }
    }
}

/// Whole percents are enough for a small image, unless that would say all or nothing.
fn rounded(left: f64) -> f64 {
    let whole = (left * 100.0).round() / 100.0;
    if (whole - 1.0).abs() < 1e-9 || whole.abs() < 1e-9 { left } else { whole }
}

/// Room for a text in that type, with margins: about what each letter takes in Verdana at 11 px.
fn width(text: &str) -> u32 {
    let letter = |letter: char| match letter {
        'i' | 'l' | 'j' | 'f' | 't' | '.' | ',' | ' ' | '·' | '/' | '-' | '|' | '\'' => 45,
        'm' | 'w' | 'W' | 'M' | '%' => 105,
        letter if letter.is_ascii_uppercase() => 77,
        letter if letter.is_ascii() => 69,
        _ => 90,
    };
    text.chars().map(letter).sum::<u32>().div_ceil(10) + 16
}
