//! An SLO over its window, drawn.

use maud::{Markup, html};

use crate::{
    http::chart::{Band, BurnDown, band, burn_down, happened},
    views::{
        course::Stretch,
        dashboard::Scene,
        render_words::{duration, number, percent},
        slo::SloView,
    },
};

/// All charts, and in words what happened meanwhile.
pub fn charts(slo: &SloView, scene: &Scene) -> Markup {
    let budget = BurnDown {
        allowed: scene.period.map_or(slo.budget.allowed_bad, |period| period.allowed),
        in_seconds: slo.in_seconds,
        spent_at: slo.budget.exhausts_at,
        period: scene.period,
    };
    html! {
        section aria-labelledby="over-time" {
            h2 #over-time { "Over the window" }
            div.charts {
                (burn_down(&scene.course, &budget, &scene.marks))
                (achieved(slo, scene))
                (readings(slo, scene))
                div.chart.all { (happened(scene)) }
            }
        }
    }
}

fn achieved(slo: &SloView, scene: &Scene) -> Markup {
    let parts = &scene.course.stretches;
    let worst = parts.iter().filter_map(|part| part.worst).reduce(f64::min);
    let spread = |part: &Stretch| Some((part.worst?, part.share()?.clamp(part.worst?, part.best?), part.best?));
    let wanted = Band {
        id: "share",
        title: "SLI",
        summary: match worst {
            Some(worst) => format!("The share of good events; in the worst slot it was {}.", percent(worst)),
            None => "There were no events.".to_owned(),
        },
        values: parts.iter().map(spread).collect(),
        limit: Some((slo.objective, "objective")),
        middle: "good events",
        tick: percent,
        unit: "percent",
    };
    band(&scene.course, wanted, &scene.marks)
}

/// What a slot showed beside its counts: a percentile, a value, how long a check took.
fn readings(slo: &SloView, scene: &Scene) -> Markup {
    let parts = &scene.course.stretches;
    let Some(highest) = parts.iter().filter_map(|part| part.highest).reduce(f64::max) else { return html! {} };
    let value = slo.value.as_ref();
    let in_seconds = value.is_none_or(|value| value.number.is_none());
    let tick: fn(f64) -> String = if in_seconds { duration } else { number };
    let percentile = value.and_then(|value| value.percentile);
    let title =
        percentile.map_or_else(|| "Value".to_owned(), |percentile| format!("p{} of a slot", number(percentile)));
    let wanted = Band {
        id: "reading",
        title: &title,
        summary: format!("The highest was {}.", tick(highest)),
        values: parts.iter().map(|part| Some((part.lowest?, part.mean()?, part.highest?))).collect(),
        limit: scene.limit.map(|limit| (limit, "threshold")),
        middle: "mean of the slots",
        tick,
        unit: if in_seconds { "seconds" } else { "number" },
    };
    band(&scene.course, wanted, &scene.marks)
}
