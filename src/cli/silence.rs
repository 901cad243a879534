//! `slod silence add`, `list`, `expire`.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    OK, USAGE,
    client::Client,
    correct::label,
    flags::{By, Form, Output, Reach},
    output,
};
use crate::{
    clock::{Clock, SystemClock},
    config::units,
    domain::silence::Matcher,
    views::{
        render_table::table,
        render_words::{instant, labels, plain, relative},
        silence::{CoverView, SilenceView},
    },
};

/// Most silences that `slod status` tells.
const TOLD_MAX: usize = 20;
/// Most names on one line.
const NAMED_MAX: usize = 10;

/// `slod silence …`.
#[derive(Debug, Subcommand)]
pub enum SilenceVerb {
    /// Mute new messages about a service, or a part of it, for a while
    #[command(
        after_help = "Example:\n  slod silence add --service shop --slo checkout --for 1h --reason 'database move'\n  \
                      slod silence add --service shop --policy fast-burn --until 2026-10-25T18:00:00Z --reason 'load test' --dry-run"
    )]
    Add(AddArgs),
    /// List silences, the newest first
    #[command(after_help = "Example:\n  slod silence list\n  slod silence list --all")]
    List(ListArgs),
    /// End a silence early: what is still open and due is sent
    #[command(after_help = "Example:\n  slod silence expire 3f9c01ab22d4")]
    Expire(ExpireArgs),
}

/// `slod silence add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Which service
    #[arg(long, value_name = "SERVICE")]
    service: String,
    /// Only this SLO of it
    #[arg(long, value_name = "SLO")]
    slo: Option<String>,
    /// Only what this policy's alerts would say
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Only series with this label; once for each label
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// For how long, at most 7d: 1h, 30m
    #[arg(long = "for", value_name = "DURATION", value_parser = lasting, required_unless_present = "until", conflicts_with = "until")]
    lasting: Option<TimeDelta>,
    /// Until when: 2026-10-25T18:00:00Z
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Only show what it would mute
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `slod silence list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Those that are over, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `slod silence expire`.
#[derive(Debug, Args)]
pub struct ExpireArgs {
    /// The silence
    id: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct List {
    silences: Vec<SilenceView>,
}

fn lasting(text: &str) -> Result<TimeDelta, String> {
    let found = units::duration(text).map_err(|_| "write a duration such as 1h or 30m".to_owned())?;
    TimeDelta::from_std(found).map_err(|_| "that is too long".to_owned())
}

/// Does it.
pub fn run(config: &Path, verb: &SilenceVerb) -> anyhow::Result<u8> {
    match verb {
        SilenceVerb::Add(args) => add(config, args),
        SilenceVerb::List(args) => list(config, args),
        SilenceVerb::Expire(args) => expire(config, args),
    }
}

fn add(config: &Path, args: &AddArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let ends_at = match (&args.until, args.lasting) {
        (Some(until), _) => until.clone(),
        (None, Some(lasting)) => {
            let end = SystemClock.now().checked_add_signed(lasting).context("--for is too long")?;
            end.to_rfc3339_opts(SecondsFormat::Millis, true)
        }
        (None, None) => anyhow::bail!("say how long: --for or --until"),
    };
    let labels: BTreeMap<_, _> = args.label.iter().cloned().collect();
    let body = json!({
        "match": {"service": args.service, "slo": args.slo, "policy": args.policy, "labels": labels},
        "ends_at": ends_at, "by": args.by.name(), "reason": args.reason, "preview": args.dry_run,
    });
    let made: SilenceView = client.post(&["api", "v1", "silences"], &body)?;
    if args.form.output == Output::Json {
        output::print_json(&made)?;
        return Ok(OK);
    }
    let (what, until) = (plain(&matched(&made.matcher)), instant(made.ends_at));
    let mut text = match &made.id {
        Some(id) => format!("silence {}: {what} is silent until {until}\n", plain(id)),
        None => format!("nothing was done: {what} would be silent until {until}\n"),
    };
    if let Some(covers) = &made.covers {
        covering(covers, &mut text);
    }
    output::print(&text)?;
    Ok(OK)
}

fn covering(covers: &CoverView, text: &mut String) {
    let _ = writeln!(text, "  {} of {} SLOs: {}", covers.slos, covers.of, listed(&covers.names));
    let _ = writeln!(text, "  policies: {}", listed(&covers.policies));
    let _ = writeln!(text, "  open incidents: {}", listed(&covers.incidents));
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED_MAX).map(|name| plain(name)).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 if shown.is_empty() => "none".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn list(config: &Path, args: &ListArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let query: &[(&str, &str)] = if args.all { &[] } else { &[("state", "active")] };
    let answer: Value = client.get(&["api", "v1", "silences"], query)?;
    if args.form.output == Output::Json {
        output::print_json(&answer)?;
        return Ok(OK);
    }
    let List { silences } = serde_json::from_value(answer)?;
    if silences.is_empty() {
        output::progress("no silences");
        return Ok(OK);
    }
    let now = SystemClock.now();
    let headings = ["id", "what", "state", "made", "ends", "by", "reason"];
    output::print(&table(&headings, silences.iter().map(|silence| row(silence, now)), output::width()))?;
    Ok(OK)
}

fn row(silence: &SilenceView, now: DateTime<Utc>) -> Vec<String> {
    vec![
        silence.id.clone().unwrap_or_default(),
        matched(&silence.matcher),
        silence.state.clone(),
        relative(now, silence.starts_at),
        relative(now, silence.expired_at.unwrap_or(silence.ends_at)),
        silence.by.clone(),
        silence.reason.clone(),
    ]
}

fn expire(config: &Path, args: &ExpireArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    if args.id.trim().is_empty() {
        let active = told(&client).unwrap_or_else(|| "\nnone is active\n".to_owned());
        output::progress(&format!("say which silence: `slod silence expire ID`\n{}", active.trim_end()));
        return Ok(USAGE);
    }
    let ended: SilenceView = client.delete(&["api", "v1", "silences", &args.id], &json!({"by": args.by.name()}))?;
    if args.form.output == Output::Json {
        output::print_json(&ended)?;
    } else {
        let (id, what) = (plain(ended.id.as_deref().unwrap_or_default()), plain(&matched(&ended.matcher)));
        output::print(&format!("silence {id} has ended: {what} is heard again\n"))?;
    }
    Ok(OK)
}

/// The active silences in lines for `slod status`; none if the daemon does not know of any.
pub(super) fn told(client: &Client) -> Option<String> {
    let List { silences } = client.get(&["api", "v1", "silences"], &[("state", "active")]).ok()?;
    let mut text = String::new();
    for silence in silences.iter().take(TOLD_MAX) {
        let (what, until) = (plain(&matched(&silence.matcher)), instant(silence.ends_at));
        let _ = writeln!(
            text,
            "silenced until {until} by {}: {what}: {}{}",
            plain(&silence.by),
            plain(&silence.reason),
            silence.id.as_ref().map(|id| format!(" ({})", plain(id))).unwrap_or_default()
        );
    }
    if silences.len() > TOLD_MAX {
        let _ = writeln!(text, "and {} more: `slod silence list`", silences.len() - TOLD_MAX);
    }
    Some(format!("\n{text}")).filter(|_| !silences.is_empty())
}

/// `shop/front, policy down, {region=eu}`.
fn matched(matcher: &Matcher) -> String {
    let slo = matcher.slo.as_deref().map_or_else(|| "/*".to_owned(), |slo| format!("/{slo}"));
    let policy = matcher.policy.as_deref().map(|policy| format!(", policy {policy}")).unwrap_or_default();
    let series = if matcher.labels.is_empty() { String::new() } else { format!(", {}", labels(&matcher.labels)) };
    format!("{}{slo}{policy}{series}", matcher.service)
}
