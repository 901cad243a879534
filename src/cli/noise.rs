//! `slod noise`.

use std::path::Path;

use clap::Args;

use super::{
    OK,
    client::Client,
    flags::{Form, Output, Reach},
    output,
};
use crate::views::{
    noise::NoiseReport,
    render_table::table,
    render_words::{instant, percent_or_absent},
};

/// `slod noise`.
#[derive(Debug, Args)]
pub struct NoiseArgs {
    /// How many days back
    #[arg(long, default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Only this service's
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// Shows how often each policy has woken somebody, the loudest first.
pub fn run(config: &Path, args: &NoiseArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let days = args.days.to_string();
    let mut query = vec![("days", days.as_str())];
    query.extend(args.service.as_deref().map(|service| ("service", service)));
    let report: NoiseReport = client.get(&["api", "v1", "noise"], &query)?;
    if args.form.output == Output::Json {
        output::print_json(&report)?;
        return Ok(OK);
    }
    let more = if report.truncated { " (the newest; there are more)" } else { "" };
    let (from, to) = (instant(report.from), instant(report.to));
    output::print(&format!("{} incidents{more} from {from} to {to}\n", report.incidents))?;
    let headings = ["policy", "on", "incidents", "pages", "acknowledged", "ended alone", "budget spent", "for a page"];
    let rows = report.policies.iter().map(|row| {
        let numbers = [row.incidents, row.pages, row.acknowledged, row.ended_alone].map(|number| number.to_string());
        let mut cells = vec![row.policy.clone(), row.about.clone()];
        cells.extend(numbers);
        cells.extend([percent_or_absent(row.budget_spent), percent_or_absent(row.budget_per_page)]);
        cells
    });
    output::print(&table(&headings, rows, output::width()))?;
    Ok(OK)
}
