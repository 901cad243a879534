//! How verbs write: data to stdout, colour only on a terminal, a closed pipe is no error.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use serde::Serialize;

use crate::views::{
    render_columns::ascii,
    render_words::{glyph, tone},
};

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
    written(anstream::stdout().write_all(dressed(text).as_bytes()))
}

/// With colours where somebody sees them and wants them, and in letters that the terminal has.
pub fn dressed(text: &str) -> String {
    let text = if is_coloured() { coloured(text) } else { text.to_owned() };
    if is_seen() && !speaks_unicode(&|name| std::env::var(name).ok()) { ascii(&text) } else { text }
}

/// Whether stdout shows colours: a terminal, and no `NO_COLOR`.
fn is_coloured() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Whether stdout is a terminal.
pub fn is_seen() -> bool {
    io::stdout().is_terminal()
}

/// Whether a terminal shows more than ASCII, by its environment. What is in a pipe is UTF-8 always.
fn speaks_unicode(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let said = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said).unwrap_or_default().to_ascii_lowercase();
    said("TERM").as_deref() != Some("dumb") && (locale.contains("utf-8") || locale.contains("utf8"))
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
    if !is_seen() {
        return None;
    }
    told_width().or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0)).filter(|width| *width >= 20)
}

/// Columns as `COLUMNS` has them, terminal or not.
pub fn told_width() -> Option<u16> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.filter(|width| *width >= 20)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_the_locale() {
        let cases: [(&[(&str, &str)], bool); 7] = [
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "de_DE.utf8"), ("TERM", "xterm-256color")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "dumb")], false),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")], false),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "")], true),
            (&[("LC_CTYPE", "en_US.ISO-8859-1"), ("LANG", "C.UTF-8")], false),
            (&[], false),
        ];
        for (set, speaks) in cases {
            let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(speaks_unicode(&variable), speaks, "{set:?}");
        }
    }

    #[test]
    fn colours_stand_around_states_alone() {
        assert_eq!(ascii(&coloured("x ▲ burning y")), "x \u{1b}[33m! burning\u{1b}[0m y");
        assert_eq!(coloured("burning"), "burning");
    }
}
