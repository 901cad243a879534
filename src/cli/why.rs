//! `slod why`.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::{
    OK,
    client::Client,
    explain::slo_id,
    flags::{Form, Output, Reach},
    output,
};
use crate::{domain::name::SloId, views::render_why};

/// `slod why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The incident: everything that was decided and sent
    #[arg(value_name = "INCIDENT", required_unless_present = "not_paged")]
    incident: Option<String>,
    /// Instead, why nobody was paged for an SLO at a moment
    #[arg(long, value_name = "SERVICE/SLO", conflicts_with = "incident", value_parser = slo_id)]
    not_paged: Option<SloId>,
    /// The moment, like 2026-10-25T12:00:00Z; now without it
    #[arg(long, value_name = "TIME", requires = "not_paged", conflicts_with = "incident")]
    at: Option<String>,
    /// Only this policy
    #[arg(long, value_name = "POLICY", requires = "not_paged", conflicts_with = "incident")]
    policy: Option<String>,
    /// A label of the series, for an SLO with `per`; once for each label. Without it, the worst series
    #[arg(long, value_name = "LABEL=VALUE", requires = "not_paged", conflicts_with = "incident", value_parser = super::correct::label)]
    series: Vec<(String, String)>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// Shows the proof of what was sent, or of what was not.
pub fn run(config: &Path, args: &WhyArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let answer: Value = match (&args.not_paged, &args.incident) {
        (Some(slo), _) => {
            let mut query: Vec<(&str, &str)> =
                args.series.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
            query.extend(args.at.as_deref().map(|at| ("at", at)));
            query.extend(args.policy.as_deref().map(|policy| ("policy", policy)));
            client.get(&["api", "v1", "slos", slo.service.as_str(), slo.slo.as_str(), "why"], &query)?
        }
        (None, incident) => {
            let incident = incident.as_deref().unwrap_or_default();
            client.get(&["api", "v1", "incidents", incident, "why"], &[])?
        }
    };
    if args.form.output == Output::Json {
        output::print_json(&answer)?;
    } else if args.not_paged.is_some() {
        output::print(&render_why::not_paged(&serde_json::from_value(answer)?))?;
    } else {
        output::print(&render_why::incident(&serde_json::from_value(answer)?, output::width()))?;
    }
    Ok(OK)
}
