//! `slod correct`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::{
    OK,
    client::Client,
    flags::{By, Form, Output, Reach},
    output,
};
use crate::views::{
    render_words::{count, instant, plain},
    report::CorrectionView,
};

/// `slod correct`.
#[derive(Debug, Args)]
pub struct CorrectArgs {
    /// Which SLO: service/slo
    slo: String,
    /// The time it is about: 2026-10-25T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: String,
    /// Bad events to add; negative to take away
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    bad: f64,
    /// Events to add, the bad ones among them; negative to take away
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    total: f64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// A label of the series, for an SLO with `per`; once for each label
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    series: Vec<(String, String)>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "write it as key=value".to_owned())
}

/// Adds a correction.
pub fn run(config: &Path, args: &CorrectArgs) -> anyhow::Result<u8> {
    anyhow::ensure!(args.bad.is_finite() && args.total.is_finite(), "--bad and --total must be numbers");
    let client = Client::new(config, &args.reach)?;
    let series: std::collections::BTreeMap<_, _> = args.series.iter().cloned().collect();
    let body = json!({
        "slo": args.slo, "at": args.at, "bad": args.bad, "total": args.total, "reason": args.reason,
        "by": args.by.name(), "series": series,
    });
    let made: CorrectionView = client.post(&["api", "v1", "corrections"], &body)?;
    if args.form.output == Output::Json {
        output::print_json(&made)?;
    } else {
        let (bad, total) = (count(made.bad), count(made.total));
        let (slo, at, by) = (plain(&args.slo), instant(made.at), plain(&made.by));
        output::print(&format!("● {slo} corrected at {at}: {bad} bad, {total} in all, by {by}\n"))?;
    }
    Ok(OK)
}
