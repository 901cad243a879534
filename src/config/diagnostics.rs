//! What is wrong with a configuration, for people: where, what, and how to mend it.

use serde::Serialize;

use super::{
    codes::Code,
    files::Files,
    finding::Finding,
    mask::{Hidden, Masked, mask_line},
    tree::Span,
    veil,
};

/// Longest line that is shown: of a longer one only the place is told.
const LINE_BYTES_MAX: usize = 1_000;
/// Stands where a line goes on.
const CUT: &str = "…";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but ought to be looked at.
    Warning,
    /// Good to know.
    Note,
}

/// One problem, complete in itself. Never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where; none for flags, variables and files that are not there.
    pub place: Option<Place>,
    /// How to mend it.
    pub help: Option<String>,
    /// Other places that belong to it, each with what it is.
    pub related: Vec<(Place, String)>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user would name it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line's text, secrets masked.
    pub text: String,
    /// The bytes of `text` that are meant.
    pub range: std::ops::Range<usize>,
}

impl Diagnostic {
    /// Resolves a finding's spans, masking what is `hidden`.
    pub(crate) fn new(finding: Finding, files: &Files, hidden: &Hidden) -> Self {
        let place = |span: Span| place(span, files, hidden);
        let at = finding.at;
        Self {
            severity: finding.severity,
            code: finding.code,
            message: hidden.mask_message(finding.message, at),
            place: finding.at.map(place),
            help: finding.help.map(|help| hidden.mask_message(help, at)),
            related: finding.related.into_iter().map(|(span, text)| (place(span), text)).collect(),
        }
    }
}

fn place(span: Span, files: &Files, hidden: &Hidden) -> Place {
    let file = files.get(span.file);
    let (line, start) = file.line_at(span.start);
    let whole = file.line_text(line);
    let column = file.text.get(start..span.start).map_or(0, |before| before.chars().count()) + 1;
    let part = part(whole, span.start - start, file.is_parsed());
    let text = whole.get(part.clone()).unwrap_or_default();
    let within = |at: usize| at.saturating_sub(part.start).min(text.len());
    let mut hidden: Vec<_> = if file.is_parsed() {
        let pieces = hidden.in_line(span.file, start, part.end);
        pieces.map(|piece| within(piece.start)..within(piece.end)).collect()
    } else {
        veil::of_unparsed(file, line)
    };
    // a comment beside a secret often tells of it
    if let Some(last) = hidden.iter().map(|piece| piece.end).max()
        && let Some(comment) = text.get(last..).and_then(|rest| rest.find(" #"))
    {
        hidden.push(last + comment + 2..text.len());
    }
    let range = within(span.start - start)..within(span.end.max(span.start) - start);
    let Masked { mut text, mut range } = mask_line(text, &hidden, range);
    if part.start > 0 {
        text.insert_str(0, CUT);
        range = range.start + CUT.len()..range.end + CUT.len();
    }
    if part.end < whole.len() && !text.is_empty() {
        text.push_str(CUT);
    }
    Place { file: file.shown.clone(), line, column, text, range }
}

/// What is shown of a line: all of it, or, of one that is too long, the part around the byte `at`. It begins and ends
/// between words, so that no secret is shown by halves that would be known as one by its whole. Of a line that does not
/// parse nothing is shown then.
fn part(line: &str, at: usize, is_parsed: bool) -> std::ops::Range<usize> {
    if line.len() <= LINE_BYTES_MAX {
        return 0..line.len();
    }
    if !is_parsed || at > line.len() {
        return 0..0;
    }
    let between = [' ', ','];
    let from = line.floor_char_boundary(at.saturating_sub(LINE_BYTES_MAX / 4));
    let to = line.ceil_char_boundary((at + LINE_BYTES_MAX / 2).min(line.len()));
    let start = if from == 0 { 0 } else { line[from..at].find(between).map_or(at, |place| from + place + 1) };
    let end = if to == line.len() { to } else { line[at..to].rfind(between).map_or(to, |place| at + place + 1) };
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_the_part_that_is_meant_is_shown() {
        let words = "word ".repeat(400);
        let line = format!("{words}MEANT: é{words}");
        let at = words.len();
        let shown = &line[part(&line, at, true)];
        assert!(shown.contains(" MEANT: éword word ") && shown.len() < LINE_BYTES_MAX, "{shown}");
        assert!(shown.starts_with("word ") && shown.ends_with(' '), "{shown}");
        assert_eq!(part(&line, at, false), 0..0);
        assert_eq!(part("short", 2, false), 0..5);
        assert_eq!(part(&"é".repeat(1_000), 0, true), 0..500);
        assert_eq!(part(&line, line.len() + 7, true), 0..0);
    }
}
