//! Shows diagnostics: as text for people, as JSON for programs, as annotations for GitHub.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::json;

use super::diagnostics::{Diagnostic, Place, Severity};

/// Help that is at most this long stands beside the caret.
const HELP_BESIDE_MAX: usize = 72;

/// Text with the line and a caret under it, as rustc does it.
pub fn text(diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out += &one(&renderer, diagnostic);
        out += "\n\n";
    }
    out
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(printable(&diagnostic.message)).id(diagnostic.code.id());
    let help = diagnostic.help.as_deref().map(printable);
    let Some(place) = &diagnostic.place else {
        let help = help.map(|help| Level::HELP.message(help));
        return match help {
            Some(help) => renderer.render(&[title.element(help)]),
            None => renderer.render(&[annotate_snippets::Group::with_title(title)]),
        };
    };
    let beside = help.as_deref().filter(|help| help.chars().count() <= HELP_BESIDE_MAX);
    let label = beside.map(|help| format!("help: {help}"));
    let below = help.as_deref().filter(|_| beside.is_none());
    let mut group = title.element(snippet(place, AnnotationKind::Primary, label));
    for (place, text) in &diagnostic.related {
        group = group.element(snippet(place, AnnotationKind::Context, Some(text.clone())));
    }
    if let Some(help) = below {
        group = group.element(Level::HELP.message(help));
    }
    let text = renderer.render(&[group]);
    // the column is counted in what is shown, secrets masked: it has to be the file's
    let shown = place.text.get(..place.range.start).map_or(0, |before| before.chars().count()) + 1;
    let at = |column| format!("{}:{}:{column}", place.file, place.line);
    if shown == place.column { text } else { text.replacen(&at(shown), &at(place.column), 1) }
}

fn snippet(
    place: &Place,
    kind: AnnotationKind,
    label: Option<String>,
) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let annotation = kind.span(place.range.clone());
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    Snippet::source(place.text.clone()).line_start(place.line).path(place.file.clone()).annotation(annotation)
}

/// One line for each error: what, and where; nothing of what the files hold.
pub fn lines(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error) {
        let _ = write!(out, "error[{}]: {}", diagnostic.code.id(), printable(&diagnostic.message));
        if let Some(place) = &diagnostic.place {
            let _ = write!(out, " --> {}:{}:{}", printable(&place.file), place.line, place.column);
        }
        out.push('\n');
    }
    out
}

/// Control characters cannot reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// One JSON document.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let place = |place: &Place| {
        json!({
            "file": place.file,
            "line": place.line,
            "column": place.column,
            "end_column": place.column + place.text.get(place.range.clone()).map_or(0, |text| text.chars().count()),
        })
    };
    let list: Vec<_> = diagnostics
        .iter()
        .map(|diagnostic| {
            json!({
                "severity": diagnostic.severity,
                "code": diagnostic.code.id(),
                "message": diagnostic.message,
                "place": diagnostic.place.as_ref().map(place),
                "help": diagnostic.help,
                "related": diagnostic.related.iter()
                    .map(|(at, text)| json!({"place": place(at), "text": text}))
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    let document = json!({ "diagnostics": list });
    format!("{document:#}\n")
}

/// One annotation a line: `::error file=…,line=…,col=…,title=E0101::…`.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = String::new();
        if let Some(place) = &diagnostic.place {
            let file = escape(&place.file, true);
            let _ = write!(properties, "file={file},line={},col={},", place.line, place.column);
        }
        let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!(" (help: {help})"));
        let message = escape(&format!("{}{help}", diagnostic.message), false);
        let _ = writeln!(out, "::{level} {properties}title={}::{message}", diagnostic.code.id());
    }
    out
}

/// GitHub's escapes: of messages, and of properties too.
fn escape(text: &str, property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}
