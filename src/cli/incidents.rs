//! `slod incidents`, `incident show`, `ack`, `resolve`, `note`, `status-page`.

use std::{fmt::Write as _, path::Path};

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
    views::{
        incident::{CostView, IncidentView},
        render_table::table,
        render_words::{
            amount, glyph, instant, instant_and_age, of_budget, percent, percent_or_absent, plain, relative,
        },
    },
};

/// `slod incidents`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those in this state
    #[arg(long, value_parser = ["open", "acknowledged", "resolved"])]
    state: Option<String>,
    /// Only this service's
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `slod incident …`.
#[derive(Debug, Subcommand)]
pub enum IncidentVerb {
    /// Show one incident with everything
    #[command(after_help = "Example:\n  slod incident show 7\n  slod incident show 7 -o markdown > post-incident.md")]
    Show(ShowArgs),
}

/// `slod incident show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The incident
    id: String,
    /// Form of the answer
    #[arg(short = 'o', long = "output", value_name = "FORM", default_value = "text")]
    output: ShowForm,
    #[command(flatten)]
    reach: Reach,
}

/// A form of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShowForm {
    /// For people
    Text,
    /// For programs
    Json,
    /// The post-incident document
    Markdown,
}

/// `slod ack`, `slod resolve`.
#[derive(Debug, Args)]
pub struct ActArgs {
    /// The incident
    id: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `slod note`.
#[derive(Debug, Args)]
pub struct NoteArgs {
    /// The incident
    id: String,
    /// What to note
    text: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    reach: Reach,
}

/// `slod status-page …`.
#[derive(Debug, Subcommand)]
pub enum StatusPageVerb {
    /// Post the draft that waits
    #[command(after_help = "Example:\n  slod status-page approve 7 --by ops-lead")]
    Approve(ActArgs),
    /// Drop the draft that waits
    #[command(after_help = "Example:\n  slod status-page discard 7")]
    Discard(ActArgs),
}

#[derive(Deserialize)]
struct List {
    incidents: Vec<IncidentView>,
}

/// Lists incidents.
pub fn list(config: &Path, args: &ListArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let asked = [("state", &args.state), ("service", &args.service)];
    let query: Vec<(&str, &str)> = asked.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect();
    let answer: Value = client.get(&["api", "v1", "incidents"], &query)?;
    if args.form.output == Output::Json {
        output::print_json(&answer)?;
        return Ok(OK);
    }
    let List { incidents } = serde_json::from_value(answer)?;
    if incidents.is_empty() {
        output::progress("no incidents");
        return Ok(OK);
    }
    let now = SystemClock.now();
    let headings = ["id", "priority", "state", "opened", "took", "cost", "title"];
    output::print(&table(&headings, incidents.iter().map(|incident| row(incident, now)), output::width()))?;
    Ok(OK)
}

fn row(incident: &IncidentView, now: DateTime<Utc>) -> Vec<String> {
    let end = incident.resolved_at.unwrap_or(now);
    vec![
        incident.id.clone(),
        incident.priority.to_string(),
        format!("{}{}", stated(&incident.state), if incident.muted.is_some() { ", muted" } else { "" }),
        relative(now, incident.opened_at),
        crate::views::render_words::duration((end - incident.opened_at).num_seconds() as f64),
        cost(&incident.cost),
        incident.title.clone(),
    ]
}

/// `12.3 % of 30d`: of the budget of the SLO's own window.
fn cost(cost: &CostView) -> String {
    let window = cost.window.as_deref().and_then(|window| window.split_whitespace().next());
    match (cost.budget_share, window) {
        (Some(share), Some(window)) => format!("{} of {window}", percent(share)),
        (share, _) => percent_or_absent(share),
    }
}

/// Shows one incident.
pub fn incident(config: &Path, verb: &IncidentVerb) -> anyhow::Result<u8> {
    let IncidentVerb::Show(args) = verb;
    let client = Client::new(config, &args.reach)?;
    let path = ["api", "v1", "incidents", &args.id];
    if args.output == ShowForm::Markdown {
        output::print_raw(client.text(&path, &[("format", "markdown")])?.as_bytes())?;
        return Ok(OK);
    }
    let incident: IncidentView = client.get(&path, &[])?;
    if args.output == ShowForm::Json {
        output::print_json(&incident)?;
    } else {
        output::print(&shown(&incident, SystemClock.now(), output::width()))?;
    }
    Ok(OK)
}

/// Takes an incident.
pub fn acknowledge(config: &Path, args: &ActArgs) -> anyhow::Result<u8> {
    act(config, args, &["acknowledge"], "acknowledged")
}

/// Ends an incident.
pub fn resolve(config: &Path, args: &ActArgs) -> anyhow::Result<u8> {
    act(config, args, &["resolve"], "resolved")
}

/// Posts or drops a draft.
pub fn status_page(config: &Path, verb: &StatusPageVerb) -> anyhow::Result<u8> {
    match verb {
        StatusPageVerb::Approve(args) => act(config, args, &["status-page", "approve"], "draft approved"),
        StatusPageVerb::Discard(args) => act(config, args, &["status-page", "discard"], "draft discarded"),
    }
}

/// Adds a note.
pub fn note(config: &Path, args: &NoteArgs) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let by = args.by.name();
    let path = ["api", "v1", "incidents", &args.id, "note"];
    let incident: IncidentView = client.post(&path, &json!({"by": by, "text": args.text}))?;
    done(&incident, args.form.output, &format!("note by {by} added"))
}

fn act(config: &Path, args: &ActArgs, action: &[&str], what: &str) -> anyhow::Result<u8> {
    let client = Client::new(config, &args.reach)?;
    let by = args.by.name();
    let path = [&["api", "v1", "incidents", &args.id], action].concat();
    let incident: IncidentView = client.post(&path, &json!({"by": by}))?;
    let page = incident.status_page.as_ref().filter(|_| action.contains(&"discard"));
    let then = match page.map(|page| (page.state.as_str(), page.left_to_people)) {
        Some(("none", true)) => "; nothing is posted, and the page is left to people".to_owned(),
        Some((state, true)) => format!("; the page stays at `{state}` and is left to people"),
        Some((state, false)) => format!("; the page stays at `{state}` until `resolved` is proposed"),
        None => String::new(),
    };
    let held = incident.acknowledged_before.as_ref().filter(|_| action == ["acknowledge"]);
    let already = held.map(|held| {
        let at = instant_and_age(SystemClock.now(), held.at);
        format!("; it was acknowledged already by {}, {at}", held.by)
    });
    let already = already.unwrap_or_default();
    done(&incident, args.form.output, &format!("{what} by {by}{already}{then}"))
}

fn done(incident: &IncidentView, form: Output, what: &str) -> anyhow::Result<u8> {
    if form == Output::Json {
        output::print_json(incident)?;
    } else {
        let (id, title) = (plain(&incident.id), plain(&incident.title));
        output::print(&format!("{} incident {id} ({title}): {}\n", stated(&incident.state), plain(what)))?;
    }
    Ok(OK)
}

fn shown(incident: &IncidentView, now: DateTime<Utc>, width: Option<u16>) -> String {
    let mut text = format!("{} {} {}\n", stated(&incident.state), incident.priority, plain(&incident.title));
    let about = match (&incident.service, &incident.slo, &incident.source) {
        (Some(service), Some(slo), _) => format!("{service}/{slo}"),
        (_, _, Some(source)) => format!("source {source}"),
        _ => "—".to_owned(),
    };
    let _ = writeln!(text, "incident {} · {} · key {}", plain(&incident.id), plain(&about), plain(&incident.key));
    let _ = writeln!(text, "opened {}", instant_and_age(now, incident.opened_at));
    if let Some(at) = incident.acknowledged_at {
        let by = incident.acknowledged_by.as_deref().unwrap_or("somebody");
        let _ = writeln!(text, "acknowledged {} by {}", instant_and_age(now, at), plain(by));
        if let Some(held) = &incident.acknowledged_before {
            let _ = writeln!(text, "before that {} by {}", instant_and_age(now, held.at), plain(&held.by));
        }
    }
    for why in incident.muted.iter().flat_map(|muted| &muted.why) {
        let _ = writeln!(text, "muted: {}", plain(why));
    }
    if let Some(at) = incident.resolved_at {
        let by = incident.resolved_by.as_deref().map(|by| format!(" by {}", plain(by))).unwrap_or_default();
        let _ = writeln!(text, "resolved {}{by}", instant_and_age(now, at));
    }
    let share = percent_or_absent(incident.cost.budget_share);
    let _ = writeln!(
        text,
        "cost {} bad, {share} {}",
        amount(incident.cost.bad, incident.cost.in_seconds),
        of_budget(incident.cost.window.as_deref())
    );
    if let Some(status) = &incident.status_page {
        let draft = status.draft.as_deref().map(|draft| format!(", draft `{draft}` waits")).unwrap_or_default();
        let left = if status.left_to_people { ", left to people" } else { "" };
        let _ = writeln!(text, "status page {}{}{left}", plain(&status.state), plain(&draft));
    }
    let mut section = |title: &str, headings: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            let _ = write!(text, "\n{title}\n{}", table(headings, rows, width));
        }
    };
    let alerts = incident.alerts.iter();
    let alerts = alerts.map(|alert| {
        vec![alert.name.clone(), alert.priority.to_string(), stated(&alert.state), instant(alert.fired_at)]
    });
    section("Alerts", &["alert", "priority", "state", "fired"], alerts.collect());
    let steps = incident.steps.iter();
    let steps = steps.map(|step| {
        vec![
            step.after.clone(),
            stated(&step.state),
            relative(now, step.due_at),
            step.notify.join(", "),
            step.policy.clone(),
        ]
    });
    section("Escalation", &["after", "state", "due", "who", "policy"], steps.collect());
    let messages = incident.deliveries.iter().map(|delivery| {
        let outcome = delivery.receipt.clone().or_else(|| delivery.last_error.clone()).unwrap_or_default();
        vec![
            delivery.id.to_string(),
            delivery.receiver.clone(),
            delivery.event.clone(),
            stated(&delivery.state),
            delivery.attempts.to_string(),
            outcome,
        ]
    });
    section("Messages", &["row", "receiver", "event", "state", "attempts", "receipt or failure"], messages.collect());
    let first_look = incident.diagnostics.iter().map(|one| {
        let late = if one.late { " (late)" } else { "" };
        let word = if one.ok { "ok" } else { "not ok" };
        vec![one.name.to_string(), word.to_owned(), one.summary.clone(), format!("{}{late}", instant(one.at))]
    });
    section("First look", &["diagnostic", "verdict", "found", "at"], first_look.collect());
    for one in &incident.diagnostics {
        if let Some(found) = one.table.as_ref().filter(|found| found.rows.len() * found.columns.len() > 1) {
            let rows = found.rows.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect());
            let more = if found.more { " (cut)" } else { "" };
            let title = format!("{}{more}", plain(&one.name));
            let headings: Vec<&str> = found.columns.iter().map(String::as_str).collect();
            section(&title, &headings, rows.collect());
        }
        if let Some(lines) = &one.text {
            section(&plain(&one.name), &["plan"], lines.lines().map(|line| vec![line.to_owned()]).collect());
        }
    }
    let by_hand = incident.manual.iter().map(|step| vec![step.run.clone(), step.needs.clone().unwrap_or_default()]);
    section("By hand", &["run", "needs first"], by_hand.collect());
    let timeline = incident.timeline.iter().map(|line| vec![instant(line.at), line.kind.clone(), line.text.clone()]);
    section("Timeline", &["when", "what", "in words"], timeline.collect());
    text
}

fn stated(state: &str) -> String {
    format!("{} {state}", glyph(state))
}
