//! `slod annotate`, `slod annotation list`, `remove`.

use std::path::Path;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    OK,
    client::Client,
    flags::{By, Form, Output, Reach},
    output,
};
use crate::{
    clock::{Clock, SystemClock},
    domain::annotation,
    views::{
        annotation::{AnnotationView, mark},
        render_table::table,
        render_words::{instant, instant_and_age, plain},
    },
};

/// `slod annotate`.
#[derive(Debug, Args)]
pub struct AnnotateArgs {
    /// What happened, in one line of at most 200 characters
    text: String,
    /// Only of this service; of all if unsaid
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// What it is
    #[arg(long, value_name = "KIND", default_value = "note")]
    kind: Kind,
    /// When it was: 2026-10-25T12:00:00Z; now if unsaid
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Where to read on: an http or https address
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// What an annotation tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Something new runs
    Deploy,
    /// Anything else worth knowing beside a chart
    Note,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => annotation::Kind::Deploy.as_str(),
            Self::Note => annotation::Kind::Note.as_str(),
        }
    }
}

/// `slod annotation …`.
#[derive(Debug, Subcommand)]
pub enum AnnotationVerb {
    /// List annotations, the newest first
    #[command(
        after_help = "Example:\n  slod annotation list --service shop --from 2026-10-25T00:00:00Z\n  slod annotation list --limit 5"
    )]
    List(ListArgs),
    /// Take an annotation away
    #[command(after_help = "Example:\n  slod annotation remove 12")]
    Remove(RemoveArgs),
}

/// `slod annotation list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those that concern this service
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// Only those of this time and later: 2026-10-25T12:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only those of times before this
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50")]
    limit: usize,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `slod annotation remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Its number
    id: i64,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Deserialize)]
struct List {
    annotations: Vec<AnnotationView>,
}

/// Takes an annotation down.
pub fn add(config: &Path, args: &AnnotateArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let body = json!({
        "kind": args.kind.as_str(), "at": args.at, "text": args.text, "url": args.url, "service": args.service,
        "by": args.by.name(),
    });
    let made: AnnotationView = client.post(&["api", "v1", "annotations"], &body)?;
    if args.form.output == Output::Json {
        output::print_json(&made)?;
    } else {
        output::print(&format!("{} is on record\n", said(&made)))?;
    }
    Ok(OK)
}

/// Lists them, or takes one away.
pub fn run(config: &Path, verb: &AnnotationVerb) -> anyhow::Result<u8> {
    match verb {
        AnnotationVerb::List(args) => list(config, args),
        AnnotationVerb::Remove(args) => remove(config, args),
    }
}

fn list(config: &Path, args: &ListArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let limit = args.limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    for (key, value) in [("service", &args.service), ("from", &args.from), ("to", &args.to)] {
        query.extend(value.as_deref().map(|value| (key, value)));
    }
    let answer: Value = client.get(&["api", "v1", "annotations"], &query)?;
    if args.form.output == Output::Json {
        output::print_json(&answer)?;
        return Ok(OK);
    }
    let List { annotations } = serde_json::from_value(answer)?;
    if annotations.is_empty() {
        output::progress("no annotations");
        return Ok(OK);
    }
    let now = SystemClock.now();
    let headings = ["number", "when", "what", "service", "text", "by", "more"];
    output::print(&table(&headings, annotations.iter().map(|one| row(one, now)), output::width()))?;
    Ok(OK)
}

fn row(one: &AnnotationView, now: DateTime<Utc>) -> Vec<String> {
    vec![
        one.id.to_string(),
        instant_and_age(now, one.at),
        one.kind.clone(),
        one.service.clone().unwrap_or_else(|| "all".to_owned()),
        one.text.clone(),
        one.by.clone(),
        one.url.clone().unwrap_or_default(),
    ]
}

fn remove(config: &Path, args: &RemoveArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let id = args.id.to_string();
    let gone: AnnotationView = client.delete(&["api", "v1", "annotations", &id], &json!({"by": args.by.name()}))?;
    if args.form.output == Output::Json {
        output::print_json(&gone)?;
    } else {
        output::print(&format!("{} is taken away\n", said(&gone)))?;
    }
    Ok(OK)
}

/// `12 ▼ deploy of shop at 2026-10-25 12:00:00 UTC: checkout 4.2.1, by ci`
fn said(one: &AnnotationView) -> String {
    let service = plain(one.service.as_deref().unwrap_or("all services"));
    let (at, text, by) = (instant(one.at), plain(&one.text), plain(&one.by));
    format!("{} {} {} of {service} at {at}: {text}, by {by}", one.id, mark(&one.kind), plain(&one.kind))
}
