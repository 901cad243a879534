//! `slod status`.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::{
    OK,
    client::Client,
    flags::{Form, Output, Reach},
    output, silence,
};
use crate::{
    clock::{Clock, SystemClock},
    views::{
        desk::DaemonView,
        render_table::table,
        render_top::{board, key},
        render_words::{ago, glyph, instant, number, of, percent, percent_or_absent, plain},
        slo::{SloView, SlotView},
        trend::Spent,
    },
};

/// Most objectives of which the newest hours are told.
const TRENDS_MAX: usize = 40;
/// Cells of the bar that shows how far histories are filled.
const BAR_CELLS: usize = 24;
/// Most objectives whose waiting fill is explained.
const WAITING_SHOWN: usize = 10;
/// Most times to come that are told.
const TO_COME_SHOWN: usize = 20;
/// Most objectives whose fault is told.
const FAULTS_SHOWN: usize = 50;

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
struct Slots {
    slots: Vec<SlotView>,
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
    let daemon: DaemonView = client.get(&["api", "v1", "status"], &[])?;
    if args.form.output == Output::Json {
        answer["daemon"] = serde_json::to_value(&daemon)?;
        output::print_json(&answer)?;
        return Ok(OK);
    }
    if let Some(banner) = banner(&daemon) {
        output::print(&banner)?;
    }
    let List { mut slos } = serde_json::from_value(answer)?;
    slos.sort_by(|one, other| (one.state, &one.id).cmp(&(other.state, &other.id)));
    let now = SystemClock.now();
    if let Some(width) = output::width() {
        slos.sort_by(SloView::worst_first);
        let trends = trends_of(&client, &slos, &mut BTreeMap::new());
        let all: Vec<&SloView> = slos.iter().collect();
        output::print(&board(&all, &trends, now, usize::from(width)))?;
    } else {
        output::print(&whole(&slos, now))?;
    }
    if let Some(lines) = filling(&slos) {
        output::print(&lines)?;
    }
    if let Some(lines) = silence::told(&client) {
        output::print(&lines)?;
    }
    if let Some(lines) = to_come(&daemon, now) {
        output::print(&lines)?;
    }
    for line in faults(&slos).chain(refusals(&daemon)) {
        output::print(&line)?;
    }
    let health = client.health()?;
    for notice in health["notices"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        output::print(&format!("\n■ {}\n", plain(notice)))?;
    }
    Ok(OK)
}

/// Every column, as wide as it takes: for pipes.
fn whole(slos: &[SloView], now: DateTime<Utc>) -> String {
    let headings =
        ["objective", "state", "promised", "achieved", "budget left", "burn 1h", "coverage", "newest slot", "if good"];
    table(&headings, slos.iter().map(|slo| row(slo, now)), None)
}

/// What was left of the budgets of the first objectives over the newest hours; nothing of one whose slots are not answered.
pub(super) fn trends_of(
    client: &Client,
    slos: &[SloView],
    spent: &mut BTreeMap<String, Spent>,
) -> BTreeMap<String, Vec<Option<f64>>> {
    let now = SystemClock.now();
    let mut trends = BTreeMap::new();
    for slo in slos.iter().take(TRENDS_MAX) {
        let so_far = spent.entry(key(slo)).or_default();
        let from = so_far.from(now).to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let mut query = vec![("from", from.as_str())];
        query.extend(slo.series.iter().map(|(label, value)| (label.as_str(), value.as_str())));
        let path = ["api", "v1", "slos", &slo.service, &slo.name, "slots"];
        let Ok(Slots { slots }) = client.get(&path, &query) else { continue };
        so_far.count(&slots, now);
        trends.insert(key(slo), so_far.left(slo, now));
    }
    spent.retain(|name, _| trends.contains_key(name));
    trends
}

/// What comes before all figures: they may be old, and nobody hears of anything new.
fn banner(daemon: &DaemonView) -> Option<String> {
    let why = daemon.store_trouble.as_deref()?;
    Some(format!("■ the store cannot be written; nothing new is sent until it can: {}\n\n", plain(why)))
}

/// Receivers that do not take what they are sent, and what they say.
fn refusals(daemon: &DaemonView) -> impl Iterator<Item = String> + '_ {
    daemon.receivers.iter().filter(|receiver| receiver.is_in_trouble()).map(|receiver| {
        let waiting =
            if receiver.pending > 0 { format!("{} not yet accepted, ", receiver.pending) } else { String::new() };
        let why = plain(receiver.last_error.as_deref().unwrap_or_default());
        format!("receiver {}: {waiting}the newest failure: {why}\n", plain(&receiver.name))
    })
}

/// What runs on crontabs and what work is planned, the next first.
fn to_come(daemon: &DaemonView, now: DateTime<Utc>) -> Option<String> {
    let entries = daemon.agenda.iter().filter_map(|entry| {
        let (kind, name, to) = (plain(&entry.kind), plain(&entry.name), plain(&entry.notify.join(", ")));
        Some((entry.next_at?, format!("{kind} {name} to {to}")))
    });
    let works = daemon.maintenance.iter().map(|work| {
        let until = if work.starts_at <= now { "now, until" } else { "until" };
        let reason = work.reason.as_ref().map(|reason| format!(": {}", plain(reason))).unwrap_or_default();
        (work.starts_at, format!("maintenance {} {until} {}{reason}", plain(&work.name), instant(work.ends_at)))
    });
    let mut all: Vec<_> = entries.chain(works).collect();
    all.sort();
    let mut text = String::new();
    for (at, what) in all.iter().take(TO_COME_SHOWN) {
        let _ = writeln!(text, "{}  {what}", instant(*at));
    }
    if all.len() > TO_COME_SHOWN {
        let _ = writeln!(text, "and {} more", all.len() - TO_COME_SHOWN);
    }
    Some(format!("\nnext\n{text}")).filter(|_| !all.is_empty())
}

/// How far the histories are filled, if they are not.
fn filling(slos: &[SloView]) -> Option<String> {
    let open: Vec<_> = slos.iter().filter_map(|slo| Some((slo, slo.backfill.as_ref()?))).collect();
    let (slo, _) = *open.first()?;
    let missing: i64 = open.iter().map(|(_, fill)| fill.missing_slots).sum();
    let all: i64 = slos.iter().map(|slo| slo.backfill.as_ref().map_or(0, |fill| fill.window_slots)).sum();
    let done = (all - missing).max(0) as f64 / all.max(1) as f64;
    let names = if open.len() == 1 { slo.id.to_string() } else { format!("{} objectives", open.len()) };
    let mut text =
        format!("\nhistory of {names}: {} {} asked about, {missing} slots to go\n", bar(done), percent(done));
    for (slo, fill) in open.iter().filter(|(_, fill)| fill.waiting.is_some()).take(WAITING_SHOWN) {
        let why = fill.waiting.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {} waits: {}", plain(&slo.id.to_string()), plain(why));
    }
    Some(text)
}

/// What is wrong with newest answers.
fn faults(slos: &[SloView]) -> impl Iterator<Item = String> + '_ {
    let fault = |slo: &SloView| Some(format!("{}: {}\n", plain(&name(slo)), plain(slo.fault.as_deref()?)));
    slos.iter().filter_map(fault).take(FAULTS_SHOWN)
}

fn bar(done: f64) -> String {
    let full = (done.clamp(0.0, 1.0) * BAR_CELLS as f64).floor() as usize;
    format!("{}{}", "█".repeat(full), "░".repeat(BAR_CELLS - full))
}

fn name(slo: &SloView) -> String {
    format!("{}{}", slo.id, of(&slo.series))
}

fn row(slo: &SloView, now: DateTime<Utc>) -> Vec<String> {
    vec![
        name(slo),
        format!("{} {}", glyph(slo.state.as_str()), slo.state.as_str()),
        format!("{} in {}", percent(slo.objective), slo.window),
        percent_or_absent(slo.sli),
        percent_or_absent(slo.budget.remaining),
        slo.burn_rate.get("1h").copied().flatten().map_or_else(|| "—".to_owned(), number),
        percent(slo.budget.coverage),
        slo.watermark.map_or_else(|| "—".to_owned(), |at| ago(now, at)),
        percent_or_absent(slo.budget.remaining_if_good),
    ]
}
