//! The proof of what was sent and what was not, for a terminal.

use std::fmt::Write as _;

use super::{
    render_table::table,
    render_words::{ABSENT, count, instant, number, of, plain},
    why::{AlertAt, NotPagedView, WhyView},
};

/// The story of an incident, a line an event. `width` bounds its tables: `None` when nobody looks (a pipe).
pub fn incident(why: &WhyView, width: Option<u16>) -> String {
    let mut page = format!(
        "incident {}: {}\n{}{}, {} {}, opened {}",
        plain(&why.id),
        plain(&why.title),
        plain(&why.subject),
        plain(&of(&why.series)),
        why.priority,
        plain(&why.state),
        instant(why.opened_at),
    );
    if let Some(at) = why.resolved_at {
        let _ = write!(page, ", resolved {}", instant(at));
    }
    page.push_str("\n\n");
    for event in &why.events {
        let at = event.at.format("%Y-%m-%d %H:%M:%S%.3f");
        let row = event.delivery.map(|row| format!("#{row} ")).unwrap_or_default();
        let _ = writeln!(page, "{at}  {:<12} {row}{}", plain(&event.kind), plain(&event.text));
    }
    if why.events_left_out > 0 {
        let _ = writeln!(page, "({} events in the middle are left out)", why.events_left_out);
    }
    let messages = why.deliveries.iter().map(|proof| {
        let (row, lost) = (&proof.delivery, proof.tries_without_record);
        let lost = if lost > 0 { format!(" ({lost} without a record)") } else { String::new() };
        let outcome = row.receipt.clone().or_else(|| row.last_error.clone()).unwrap_or_default();
        let state = row.state.clone();
        vec![
            format!("#{}", row.id),
            row.receiver.clone(),
            row.event.clone(),
            state,
            format!("{}{lost}", row.attempts),
            outcome,
        ]
    });
    if !why.deliveries.is_empty() {
        let headings = ["row", "receiver", "event", "state", "attempts", "receipt or failure"];
        let _ = write!(page, "\nMessages\n{}", table(&headings, messages, width));
    }
    if !why.steps.is_empty() {
        page.push_str("\nSteps that have not run\n");
    }
    for step in &why.steps {
        let (policy, who) = (plain(&step.policy), plain(&step.notify.join(", ")));
        let _ = writeln!(
            page,
            "  {}  step {} of {policy} ({who}): {}",
            instant(step.due_at),
            step.number,
            plain(&step.why)
        );
    }
    page
}

/// What stood in the way of a page.
pub fn not_paged(why: &NotPagedView) -> String {
    let mut page = format!(
        "{}{}: {}\nat {}",
        plain(&why.id.to_string()),
        plain(&of(&why.series)),
        plain(&why.title),
        instant(why.at)
    );
    match &why.slot {
        Some(slot) => {
            let end = slot.start + chrono::TimeDelta::seconds(i64::from(slot.seconds));
            let reading = slot.reading.map_or_else(|| ABSENT.to_owned(), number);
            let _ = writeln!(
                page,
                ", judged by the slot {} to {}: {}, {} bad of {}, reading {reading}{}",
                instant(slot.start),
                end.format("%H:%M:%S"),
                format!("{:?}", slot.state).to_lowercase(),
                count(slot.total - slot.good),
                count(slot.total),
                if why.blind { "; blind" } else { "" },
            );
        }
        None => page.push('\n'),
    }
    for alert in &why.alerts {
        push_alert(&mut page, alert);
    }
    for incident in &why.incidents {
        let (id, title, state) = (plain(&incident.id), plain(&incident.title), plain(&incident.state));
        let _ = writeln!(page, "\nincident {id} ({title}), {state} then, opened {}", instant(incident.opened_at));
        for line in &incident.timeline {
            let _ = writeln!(page, "  {}  {:<12} {}", instant(line.at), plain(&line.kind), plain(&line.text));
        }
    }
    if why.incidents.is_empty() {
        page.push_str("\nno incident was open then\n");
    }
    page.push('\n');
    for note in &why.notes {
        let _ = writeln!(page, "{}", plain(note));
    }
    page
}

fn push_alert(page: &mut String, alert: &AlertAt) {
    let since = alert.since.map(|since| format!(" since the slot up to {}", instant(since))).unwrap_or_default();
    let (name, state) = (plain(&alert.name), plain(&alert.state));
    let _ = writeln!(page, "\n{name} ({}): {state}{since}\n  {}", alert.priority, plain(&alert.why));
    for part in &alert.parts {
        let _ = writeln!(page, "  {:<8} {}", part.holds, plain(&part.text));
    }
}
