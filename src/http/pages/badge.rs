//! `/badge/{service}/{slo}.svg`: an SLO's state as an image.

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::{
    domain::name::{Series, SloId},
    http::{Companion, problem::Problem},
    views::{
        render_words::{percent_or_absent, tone},
        slo::SloView,
    },
};

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
    let name: String = slo.id.to_string().chars().take(60).collect();
    let state = format!("{} · {} left", slo.state.as_str(), percent_or_absent(slo.budget.remaining));
    let colour = match tone(slo.state.as_str()) {
        "good" => "#1a7f37",
        "warn" => "#9a6700",
        "bad" => "#b42318",
        _ => "#57606a",
    };
    let (left, right) = (width(&name), width(&state));
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(left + right) height="20" role="img" aria-label={ (name) ": " (state) } {
            title { (name) ": " (state) }
            rect width=(left) height="20" fill="#444c56" {}
            rect x=(left) width=(right) height="20" fill=(colour) {}
            g fill="#ffffff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11" {
                text x="7" y="14" textLength=(left - 14) lengthAdjust="spacingAndGlyphs" { (name) }
                text x=(left + 7) y="14" textLength=(right - 14) lengthAdjust="spacingAndGlyphs" { (state) }
            }
        }
    }
}

/// Room for a text, with margins.
fn width(text: &str) -> usize {
    text.chars().count() * 7 + 14
}
