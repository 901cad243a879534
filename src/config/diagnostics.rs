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
    let text = Some(file.line_text(line)).filter(|text| text.len() <= LINE_BYTES_MAX).unwrap_or_default();
    let column = file.text.get(start..span.start).map_or(0, |before| before.chars().count()) + 1;
    let mut hidden: Vec<_> = if file.is_parsed() {
        hidden.in_line(span.file, start, text.len()).collect()
    } else {
        veil::of_unparsed(file, line)
    };
    // a comment beside a secret often tells of it
    if let Some(last) = hidden.iter().map(|piece| piece.end).max()
        && let Some(comment) = text.get(last..).and_then(|rest| rest.find(" #"))
    {
        hidden.push(last + comment + 2..text.len());
    }
    let range = (span.start - start).min(text.len())..(span.end.max(span.start) - start).min(text.len());
    let Masked { text, range } = mask_line(text, &hidden, range);
    Place { file: file.shown.clone(), line, column, text, range }
}
