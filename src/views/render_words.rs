//! Figures in words: the same for pages and command line, so that no figure reads differently between them.

use chrono::{DateTime, Utc};

use super::report::{CorrectionView, IncidentCost};
use crate::domain::name::Series;

/// What stands where there is no figure.
pub const ABSENT: &str = "—";

/// `0.9731` → `97.31 %`. Never rounds a share that is not whole up to `100 %`, nor one that is not nothing to `0 %`.
pub fn percent(ratio: f64) -> String {
    // Beside thousands, thousandths are noise.
    let least = if ratio.abs() < 10.0 { 3 } else { 0 };
    let shown = (least..=9).map(|digits| trimmed(ratio * 100.0, digits)).find(|text| {
        let whole = matches!(text.as_str(), "0" | "100");
        !whole || ratio.abs() < 1e-12 || (ratio - 1.0).abs() < 1e-12
    });
    format!("{} %", grouped(&shown.unwrap_or_else(|| trimmed(ratio * 100.0, 9))))
}

/// `percent`, or a dash.
pub fn percent_or_absent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| ABSENT.to_owned(), percent)
}

/// A count with thousands apart: `1,000,000`; fractions to two digits.
pub fn count(number: f64) -> String {
    grouped(&trimmed(number, 2))
}

/// A written number with thousands apart.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

/// What is counted, in words, where that is not events: ` slots`.
pub fn counted(budgeting: &str) -> &'static str {
    if budgeting == "timeslices" { " slots" } else { "" }
}

/// Labels as they are written in queries: `{route=/a, tenant=b}`; nothing for one whole. Not escaped.
pub fn labels(series: &Series) -> String {
    let pairs: Vec<String> = series.iter().map(|(label, value)| format!("{label}={value}")).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(", ")) }
}

/// The same behind a name: ` {route=/a}`; nothing for one whole. Not escaped.
pub fn of(series: &Series) -> String {
    let labels = labels(series);
    if labels.is_empty() { labels } else { format!(" {labels}") }
}

/// A difference in counts: `+12`, `-1`, `0`.
pub fn signed(number: f64) -> String {
    if number > 0.0 { format!("+{}", count(number)) } else { count(number) }
}

/// `in the ` for a period as `month (UTC)`, `in ` for a length as `30d`.
pub fn within(window: &str) -> &'static str {
    if window.starts_with(|first: char| first.is_ascii_digit()) { "in " } else { "in the " }
}

/// A correction in one line. Not escaped.
pub fn correction(made: &CorrectionView) -> String {
    let series = of(&made.series);
    let (bad, total) = (signed(made.bad), signed(made.total));
    let (at, made_at) = (instant(made.at), instant(made.made_at));
    format!("at {at}{series}: {bad} bad, {total} in all, by {} on {made_at}: {}", made.by, made.reason)
}

/// A number with at most three digits after the point: burn rates, values.
pub fn number(number: f64) -> String {
    trimmed(number, 3).replace('-', "−")
}

/// What was counted: events, or seconds.
pub fn amount(number: f64, in_seconds: bool) -> String {
    if in_seconds { duration(number) } else { count(number) }
}

/// Seconds in the two largest units that are not zero: `3 h 36 min`, `620 ms`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return ABSENT.to_owned();
    }
    let sign = if seconds < 0.0 { "−" } else { "" };
    let seconds = seconds.abs();
    if seconds > 0.0 && seconds < 1.0 {
        return format!("{sign}{} ms", trimmed(seconds * 1000.0, 1));
    }
    if seconds < 60.0 {
        return format!("{sign}{} s", trimmed(seconds, 2));
    }
    let mut rest = seconds.round() as u64;
    let mut parts = Vec::new();
    for (length, unit) in [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")] {
        let many = rest / length;
        rest %= length;
        if many > 0 {
            parts.push(format!("{many} {unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    format!("{sign}{}", parts.join(" "))
}

/// `12 s ago`, `in 3 min`, `now`.
pub fn relative(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("{} ago", duration(seconds as f64)),
        _ => format!("in {}", duration(-seconds as f64)),
    }
}

/// `12 s ago`, or `now`: of what is known. A slot may be settled before its time has passed.
pub fn ago(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    relative(now, at.min(now))
}

/// `2026-10-25 12:00:00 UTC`.
pub fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `2026-10-25 12:00:00 UTC (12 s ago)`.
pub fn instant_and_age(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    format!("{} ({})", instant(at), relative(now, at))
}

/// `, public 9 min late`: of an incident whose public page was not told in time.
pub fn public_delay(incident: &IncidentCost) -> String {
    let Some(page) = &incident.status_page else { return String::new() };
    match page.late_seconds.map(|late| duration(late as f64)) {
        Some(late) if page.posted_at.is_some() => format!(", public {late} late"),
        Some(late) => format!(", not public {late} after that was due"),
        None => String::new(),
    }
}

/// Of which budget a share is: `of the 30 d budget`, `of the calendar month's budget`. `window` is as configured.
pub fn of_budget(window: Option<&str>) -> String {
    let Some(window) = window else { return "of the budget".to_owned() };
    if window.starts_with(|letter: char| letter.is_ascii_digit()) {
        let mut apart = String::new();
        for (place, letter) in window.char_indices() {
            let before = window[..place].chars().next_back();
            if before.is_some_and(|before| before.is_ascii_digit() != letter.is_ascii_digit()) {
                apart.push(' ');
            }
            apart.push(letter);
        }
        return format!("of the {apart} budget");
    }
    let period = window.split_whitespace().next().unwrap_or(window);
    format!("of the calendar {period}'s budget")
}

/// The glyph that stands before a state's word, for SLOs, alerts, incidents, steps and deliveries.
pub fn glyph(state: &str) -> &'static str {
    match state {
        "ok" | "resolved" | "sent" | "done" | "met" | "ready" => "●",
        "burning" | "firing" | "retry" | "open" => "▲",
        "exhausted" | "dead" | "missed" => "■",
        "blind" => "◌",
        "pending" | "acknowledged" | "clearing" | "sending" | "queued" | "waiting" => "◐",
        _ => "○",
    }
}

/// How grave a state is: picks the colour.
pub fn tone(state: &str) -> &'static str {
    match state {
        "ok" | "resolved" | "sent" | "done" | "met" | "ready" => "good",
        "exhausted" | "dead" | "missed" | "firing" | "open" => "bad",
        "burning" | "blind" | "retry" | "pending" | "acknowledged" | "clearing" => "warn",
        _ => "mute",
    }
}

/// A text from outside for a terminal: control characters cannot steer it.
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if steers(letter) { '\u{fffd}' } else { letter }).collect()
}

/// Controls, and the marks that turn the direction of writing.
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn trimmed(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return ABSENT.to_owned();
    }
    let text = format!("{number:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_not_rounded_to_a_whole() {
        let cases = [
            (0.9731, "97.31 %"),
            (0.462, "46.2 %"),
            (-0.13, "−13 %"),
            (-199.0, "−19,900 %"),
            (-359.002_11, "−35,900 %"),
            (1.0, "100 %"),
            (0.0, "0 %"),
            (0.999_999_6, "99.99996 %"),
            (0.000_000_1, "0.00001 %"),
            (f64::NAN, "— %"),
        ];
        for (ratio, shown) in cases {
            assert_eq!(percent(ratio), shown, "{ratio}");
        }
    }

    #[test]
    fn durations_have_two_units() {
        let cases = [
            (0.62, "620 ms"),
            (12.0, "12 s"),
            (1500.0, "25 min"),
            (12_960.0, "3 h 36 min"),
            (129_600.0, "1 d 12 h"),
            (86_460.0, "1 d"),
            (0.0, "0 s"),
            (-300.0, "−5 min"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(duration(seconds), shown, "{seconds}");
        }
    }

    #[test]
    fn budgets_have_their_windows_name() {
        let cases = [
            (Some("30d"), "of the 30 d budget"),
            (Some("1d12h"), "of the 1 d 12 h budget"),
            (Some("month (Europe/Paris)"), "of the calendar month's budget"),
            (None, "of the budget"),
        ];
        for (window, words) in cases {
            assert_eq!(of_budget(window), words);
        }
    }

    #[test]
    fn counts_are_grouped() {
        let cases = [(1_000_000.0, "1,000,000"), (26_900.0, "26,900"), (7.5, "7.5"), (-1234.0, "−1,234"), (0.0, "0")];
        for (number, shown) in cases {
            assert_eq!(count(number), shown);
        }
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c"), "a\u{fffd}[31mb\u{fffd}c");
    }
}
