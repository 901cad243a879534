//! `slod report`.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::{OK, client::Client, flags::Reach, output};
use crate::views::{render_csv::csv, render_html::html, render_markdown::markdown, render_text, report::BudgetReport};

/// `slod report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which month; the running one if unsaid
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<String>,
    /// Only this service
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Form of the report
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    output: ReportForm,
    #[command(flatten)]
    reach: Reach,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportForm {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For review documents
    Markdown,
    /// One file for browsers and printers
    Html,
}

/// Shows the report.
pub fn run(config: &Path, args: &ReportArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let asked = [("month", &args.month), ("service", &args.service)];
    let query: Vec<(&str, &str)> = asked.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
    let report: BudgetReport = client.get(&["api", "v1", "budget"], &query)?;
    match args.output {
        ReportForm::Text => output::print(&render_text::text(&report, output::width()))?,
        ReportForm::Json => output::print_json(&report)?,
        ReportForm::Csv => output::print_raw(csv(&report).as_bytes())?,
        ReportForm::Html => output::print_raw(html(&report).as_bytes())?,
        ReportForm::Markdown => output::print_raw(markdown(&report).as_bytes())?,
    }
    Ok(OK)
}

fn month(text: &str) -> Result<String, String> {
    let valid = text.len() == 7 && chrono::NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").is_ok();
    valid.then(|| text.to_owned()).ok_or_else(|| "write it like 2026-10".to_owned())
}
