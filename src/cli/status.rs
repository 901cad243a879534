//! `slod status`.

use std::path::Path;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::{
    OK,
    client::Client,
    flags::{Form, Output, Reach},
    output,
};
use crate::{
    clock::{Clock, SystemClock},
    views::{
        render_text::table,
        render_words::{glyph, number, percent, percent_or_absent, relative},
        slo::SloView,
    },
};

/// `slod status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only this service's
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct List {
    slos: Vec<SloView>,
}

/// Shows every objective, the worst first.
pub fn run(config: &Path, args: &StatusArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let mut answer: Value = client.get(&["api", "v1", "slos"], &[])?;
    if let (Some(service), Some(slos)) = (&args.service, answer["slos"].as_array_mut()) {
        slos.retain(|slo| slo["service"] == service.as_str());
        anyhow::ensure!(!slos.is_empty(), "there is no service `{service}`");
    }
    if args.form.output == Output::Json {
        output::print_json(&answer)?;
        return Ok(OK);
    }
    let List { mut slos } = serde_json::from_value(answer)?;
    slos.sort_by(|one, other| (one.state, &one.id).cmp(&(other.state, &other.id)));
    let headings = ["objective", "state", "promised", "achieved", "budget left", "burn 1h", "coverage", "newest slot"];
    let now = SystemClock.now();
    let rows = slos.iter().map(|slo| row(slo, now));
    output::print(&table(&headings, rows, output::width()))?;
    Ok(OK)
}

fn row(slo: &SloView, now: chrono::DateTime<chrono::Utc>) -> Vec<String> {
    let series: Vec<String> = slo.series.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let name = if series.is_empty() { slo.id.to_string() } else { format!("{} {{{}}}", slo.id, series.join(",")) };
    vec![
        name,
        format!("{} {}", glyph(slo.state.as_str()), slo.state.as_str()),
        format!("{} in {}", percent(slo.objective), slo.window),
        percent_or_absent(slo.sli),
        percent_or_absent(slo.budget.remaining),
        slo.burn_rate.get("1h").copied().flatten().map_or_else(|| "—".to_owned(), number),
        percent(slo.budget.coverage),
        slo.watermark.map_or_else(|| "—".to_owned(), |at| relative(now, at)),
    ]
}
