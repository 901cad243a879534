//! What `slod top` shows, as text of a given width: worst first, with what is open and who hears next.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::{DateTime, Utc};

use super::{
    desk::DaemonView,
    incident::IncidentView,
    render_columns::{Column, columns, cut_to},
    render_words::{ago, glyph, number, of, percent, percent_or_absent, plain, relative},
    slo::SloView,
    trend::spark,
};

/// Everything that is shown of one moment.
#[derive(Clone, Debug)]
pub struct Glance {
    /// When it was asked.
    pub at: DateTime<Utc>,
    /// In any order.
    pub slos: Vec<SloView>,
    /// Those that are not over.
    pub incidents: Vec<IncidentView>,
    /// slod itself.
    pub daemon: DaemonView,
    /// What was left of budgets, by [`key`], the oldest first.
    pub trends: BTreeMap<String, Vec<Option<f64>>>,
}

/// The room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Columns.
    pub width: usize,
    /// Lines; what does not fit is counted. None: as many as it takes.
    pub height: Option<usize>,
}

/// The place of the kind reading among the columns.
const IF_GOOD: usize = 3;

/// Names an SLO's series: `service/slo {label=value}`.
pub fn key(slo: &SloView) -> String {
    format!("{}{}", slo.id, of(&slo.series))
}

/// One frame. `silent` is why the daemon does not answer, if it does not.
pub fn top(glance: &Glance, silent: Option<&str>, now: DateTime<Utc>, room: Room) -> String {
    let mut slos: Vec<&SloView> = glance.slos.iter().collect();
    slos.sort_by(|one, other| SloView::worst_first(one, other));
    let mut text = head(glance, silent, now, room.width);
    let open = incidents(glance, now, room.width);
    let taken = text.lines().count() + open.lines().count() + 2;
    let most = room.height.map_or(usize::MAX, |height| height.saturating_sub(taken + 2).max(1));
    text.push('\n');
    text.push_str(&board(&slos[..slos.len().min(most)], &glance.trends, now, room.width));
    if slos.len() > most {
        let _ = writeln!(text, "{} more objectives are better off", slos.len() - most);
    }
    text.push_str(&open);
    text
}

fn head(glance: &Glance, silent: Option<&str>, now: DateTime<Utc>, width: usize) -> String {
    let mut text = String::new();
    let mut line = |said: String| {
        let _ = writeln!(text, "{}", cut_to(&said, width));
    };
    let many = |state: &str| glance.slos.iter().filter(|slo| slo.state.as_str() == state).count();
    let states = ["blind", "exhausted", "burning", "empty", "ok"];
    let counts = states.iter().map(|state| (*state, many(state))).filter(|(_, many)| *many > 0);
    let counts: Vec<String> = counts.map(|(state, many)| format!("{many} {} {state}", glyph(state))).collect();
    let counts = if counts.is_empty() { "no objectives".to_owned() } else { counts.join(" · ") };
    line(format!("slod top  {}  {counts}", now.format("%H:%M:%S UTC")));
    if let Some(why) = silent {
        let since = glance.at.format("%H:%M:%S UTC");
        line(format!("■ no answer since {since} ({}): {}", relative(now, glance.at), plain(why)));
    }
    if let Some(trouble) = &glance.daemon.store_trouble {
        line(format!("■ the store cannot be written; nothing new is sent until it can: {}", plain(trouble)));
    }
    if !glance.daemon.ready && !glance.daemon.reasons.is_empty() {
        line(format!("◌ not ready: {}", plain(&glance.daemon.reasons.join("; "))));
    }
    for receiver in glance.daemon.receivers.iter().filter(|receiver| receiver.is_in_trouble()) {
        let why = plain(receiver.last_error.as_deref().unwrap_or_default());
        line(format!("■ receiver {}: {} not yet accepted: {why}", plain(&receiver.name), receiver.pending));
    }
    text
}

/// The objectives as a table, in the order in which they are given; the trend's cells follow from the width.
pub fn board(
    slos: &[&SloView],
    trends: &BTreeMap<String, Vec<Option<f64>>>,
    now: DateTime<Utc>,
    width: usize,
) -> String {
    // Pages are decided by the kind reading. Where it is the same everywhere, there is nothing to say.
    let is_apart = slos.iter().any(|slo| slo.budget.if_good_apart().is_some());
    let (name, cells) = match (width, is_apart) {
        (..72, _) => (18, 8),
        (72..88, true) => (21, 12),
        (72..110, _) => (30, 12),
        _ => (48, 24),
    };
    let mut all = vec![
        Column::text("objective", 0, name),
        Column::whole("state", 0),
        Column::figure("budget left", 0),
        Column::figure("if good", 1),
        Column::whole("24 h", 2),
        Column::figure("burn 1h", 1),
        Column::figure("achieved", 4),
        Column::figure("promised", 5),
        Column::figure("coverage", 6),
        Column::figure("newest slot", 3),
    ];
    let mut rows: Vec<Vec<String>> = slos
        .iter()
        .map(|slo| {
            let trend = trends.get(&key(slo)).map(|left| spark(left, cells)).unwrap_or_default();
            vec![
                key(slo),
                format!("{} {}", glyph(slo.state.as_str()), slo.state.as_str()),
                percent_or_absent(slo.budget.remaining),
                slo.budget.if_good_apart().unwrap_or_default(),
                trend,
                slo.burn_rate.get("1h").copied().flatten().map_or_else(|| "—".to_owned(), number),
                percent_or_absent(slo.sli),
                format!("{} in {}", percent(slo.objective), slo.window),
                percent(slo.budget.coverage),
                slo.watermark.map_or_else(|| "—".to_owned(), |at| ago(now, at)),
            ]
        })
        .collect();
    if !is_apart {
        all.remove(IF_GOOD);
        for row in &mut rows {
            row.remove(IF_GOOD);
        }
    }
    columns(&all, &rows, width)
}

/// What is open, the newest first, and who hears of each next.
fn incidents(glance: &Glance, now: DateTime<Utc>, width: usize) -> String {
    if glance.incidents.is_empty() {
        return "\nno open incidents\n".to_owned();
    }
    let all = [
        Column::whole("incident", 0),
        Column::whole("", 0),
        Column::whole("state", 1),
        Column::figure("since", 3),
        Column::text("next", 2, 16),
        Column::text("what", 0, 12),
    ];
    let rows: Vec<Vec<String>> = glance
        .incidents
        .iter()
        .map(|incident| {
            vec![
                incident.id.clone(),
                incident.priority.to_string(),
                format!("{} {}", glyph(&incident.state), incident.state),
                relative(now, incident.opened_at),
                next(incident, now),
                incident.title.clone(),
            ]
        })
        .collect();
    format!("\n{}", columns(&all, &rows, width))
}

/// `platform-pager in 12 min`: the next escalation step, or why there is none.
fn next(incident: &IncidentView, now: DateTime<Utc>) -> String {
    if incident.muted.is_some() {
        return "muted".to_owned();
    }
    let waiting = incident.steps.iter().filter(|step| step.state == "waiting").min_by_key(|step| step.due_at);
    let Some(step) = waiting else { return "nobody more".to_owned() };
    let when = relative(now, step.due_at);
    format!("{} {}", step.notify.join(", "), if step.due_at <= now { "now".to_owned() } else { when })
}
