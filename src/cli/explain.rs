//! `slod explain`.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::{
    OK,
    client::Client,
    flags::{Form, Output, Reach},
    output,
};
use crate::{
    domain::name::SloId,
    views::{explain::Explanation, render_explain},
};

/// `slod explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Which SLO: `service/slo`
    #[arg(value_name = "SERVICE/SLO", value_parser = slo_id)]
    slo: SloId,
    /// The slot to explain: a time within it, like 2026-10-25T12:00:00Z; the newest without it
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A label of the series, for an SLO with `per`; once for each label. Without it, the worst series
    #[arg(long, value_name = "LABEL=VALUE", value_parser = super::correct::label)]
    series: Vec<(String, String)>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `service/slo`.
pub(super) fn slo_id(text: &str) -> Result<SloId, String> {
    SloId::try_from(text.to_owned())
}

/// Shows how the figures follow from slots.
pub fn run(config: &Path, args: &ExplainArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let path = ["api", "v1", "slos", args.slo.service.as_str(), args.slo.slo.as_str(), "explain"];
    let mut query: Vec<(&str, &str)> =
        args.series.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
    query.extend(args.at.as_deref().map(|at| ("at", at)));
    let answer: Value = client.get(&path, &query)?;
    if args.form.output == Output::Json {
        output::print_json(&answer)?;
        return Ok(OK);
    }
    let explanation: Explanation = serde_json::from_value(answer)?;
    output::print(&render_explain::text(&explanation, output::width()))?;
    Ok(OK)
}
