//! A problem while the files are still at hand: it knows a span. Becomes a [`Diagnostic`] when all are collected.
//!
//! [`Diagnostic`]: super::diagnostics::Diagnostic

use super::{codes::Code, diagnostics::Severity, tree::Span};

/// One problem.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Which kind.
    pub code: Code,
    /// In words.
    pub message: String,
    /// Where.
    pub at: Option<Span>,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub related: Vec<(Span, String)>,
}

impl Finding {
    fn new(severity: Severity, code: Code, at: Option<Span>, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), at, help: None, related: Vec::new() }
    }

    /// Stops the configuration from being used.
    pub fn error(code: Code, at: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, at.into(), message)
    }

    /// Ought to be looked at.
    pub fn warning(code: Code, at: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, at.into(), message)
    }

    /// Good to know.
    pub fn note(code: Code, at: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, at.into(), message)
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place.
    pub fn related(mut self, at: Span, text: impl Into<String>) -> Self {
        self.related.push((at, text.into()));
        self
    }
}
