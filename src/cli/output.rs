//! How verbs write: data to stdout, colour only on a terminal, a closed pipe is no error.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use serde::Serialize;

use crate::views::render_words::{glyph, tone};

/// The words that are coloured where they stand behind their glyph.
const STATES: [&str; 21] = [
    "ok",
    "burning",
    "exhausted",
    "blind",
    "empty",
    "open",
    "acknowledged",
    "resolved",
    "firing",
    "pending",
    "clearing",
    "queued",
    "sending",
    "retry",
    "sent",
    "dead",
    "dropped",
    "waiting",
    "done",
    "met",
    "missed",
];

/// Writes text to stdout; states are coloured if somebody looks.
pub fn print(text: &str) -> anyhow::Result<()> {
    written(anstream::stdout().write_all(coloured(text).as_bytes()))
}

/// Writes bytes to stdout as they are.
pub fn print_raw(bytes: &[u8]) -> anyhow::Result<()> {
    written(io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()))
}

/// Writes JSON to stdout.
pub fn print_json(data: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(data).context("cannot write JSON")?;
    text.push('\n');
    print_raw(text.as_bytes())
}

/// Says how it goes, on stderr.
pub fn progress(text: &str) {
    // Nobody reads it: nobody is told.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Columns of the terminal; `None` if stdout is not one.
pub fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0)).filter(|width| *width >= 20)
}

fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to stdout"),
    }
}

/// `● ok` in green, and so on. The colours are taken off again where stdout is not a terminal.
fn coloured(text: &str) -> String {
    let mut text = text.to_owned();
    for state in STATES {
        let style = match tone(state) {
            "good" => anstyle::AnsiColor::Green,
            "warn" => anstyle::AnsiColor::Yellow,
            "bad" => anstyle::AnsiColor::Red,
            _ => anstyle::AnsiColor::BrightBlack,
        };
        let style = style.on_default();
        let plain = format!("{} {state}", glyph(state));
        text = text.replace(&plain, &format!("{style}{plain}{style:#}"));
    }
    text
}
