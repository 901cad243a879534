//! An explanation for a terminal.

use std::fmt::Write as _;

use super::{
    explain::{Explanation, Stretch},
    render_table::table,
    render_words::{correction, count, instant, number, of, plain},
    slo::SlotView,
};

/// The whole explanation. `width` bounds its lines: `None` when nobody looks (a pipe).
pub fn text(explanation: &Explanation, width: Option<u16>) -> String {
    let mut page = format!(
        "{}{}: {}\n{}, in slots of {} s, as written in {}\nas of the slot that ends {}\n\nasked about each slot\n",
        plain(&explanation.id.to_string()),
        plain(&of(&explanation.series)),
        plain(&explanation.title),
        plain(&explanation.promise),
        explanation.every_seconds,
        plain(&explanation.location),
        instant(explanation.at),
    );
    for asked in &explanation.asked {
        let source = asked.source.as_deref().map(|source| format!(" of {}", plain(source))).unwrap_or_default();
        let _ = writeln!(page, "  {}{source}: {}", plain(&asked.what), plain(&asked.query));
    }
    page.push_str("\ncounted\n");
    let headings = ["window", "from", "known", "unmeasured", "excluded", "good", "bad", "total", "burn rate"];
    page.push_str(&table(&headings, explanation.windows.iter().map(stretch), width));
    page.push_str("\nfigures\n");
    for figure in &explanation.figures {
        let value = figure.value.map_or_else(|| "—".to_owned(), |value| count_or_share(&figure.name, value));
        let _ = writeln!(page, "  {} = {} = {} = {value}", figure.name, figure.formula, plain(&figure.with));
    }
    if !explanation.corrections.is_empty() {
        page.push_str("\ncorrected\n");
    }
    for made in &explanation.corrections {
        let _ = writeln!(page, "  {}", plain(&correction(made)));
    }
    slots(&mut page, "newest slots", &explanation.newest, width);
    slots(&mut page, "worst slots of the window", &explanation.worst, width);
    page
}

fn count_or_share(name: &str, value: f64) -> String {
    if matches!(name, "budget.allowed_bad" | "seconds to exhaustion") { count(value) } else { sixth(value) }
}

/// Six digits after the point: enough to see that two figures are the same.
fn sixth(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}

fn stretch(stretch: &Stretch) -> Vec<String> {
    let seconds = |seconds: i64| format!("{} s", count(seconds as f64));
    vec![
        stretch.name.clone(),
        instant(stretch.from),
        seconds(stretch.known_seconds),
        seconds(stretch.unmeasured_seconds),
        seconds(stretch.excluded_seconds),
        count(stretch.good),
        count(stretch.bad),
        count(stretch.total),
        stretch.burn_rate.map_or_else(|| "—".to_owned(), number),
    ]
}

fn slots(page: &mut String, title: &str, slots: &[SlotView], width: Option<u16>) {
    if slots.is_empty() {
        return;
    }
    let _ = write!(page, "\n{title}\n");
    let row = |slot: &SlotView| {
        vec![
            instant(slot.start),
            format!("{:?}", slot.state).to_lowercase(),
            count(slot.good),
            count(slot.total - slot.good),
            count(slot.total),
            slot.reading.map_or_else(|| "—".to_owned(), number),
        ]
    };
    page.push_str(&table(&["start", "state", "good", "bad", "total", "reading"], slots.iter().map(row), width));
}
