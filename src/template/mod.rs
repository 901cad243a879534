//! Texts that people write for slod to say: policies' first lines, and documents.
//!
//! [`Templates`] compiles them once and renders them within bounds: of the source, of steps, of depth, of the text that
//! comes out. They see only what they are given; there are no files, no environment, no clock. Nothing is escaped here but
//! in Markdown: every other sink escapes what it is handed. A template that fails answers a [`Fault`], and whoever asked
//! uses the built-in words.

mod filters;
mod growth;
pub mod markdown;
pub mod post_incident;
mod scan;
pub mod summary;

pub use self::scan::includes;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error as _,
    fmt, io,
    ops::Range,
};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use serde::Serialize;

use crate::domain::name::Name;

/// Largest source of one template, in bytes.
pub const SOURCE_MAX: usize = 16 << 10;
/// The name whose template replaces the built-in post-incident document.
pub const POST_INCIDENT: &str = "post-incident";
/// The names that replace something built in.
pub const RESERVED: [&str; 1] = [POST_INCIDENT];

/// Most steps of one rendering. The engine counts texts and lists as well, 64 bytes a step: that many steps are 6.4 MB.
const STEPS_MAX: u64 = 100_000;
/// Deepest nesting of loops, conditions and included templates; an included one counts ten.
const DEPTH_MAX: usize = 60;
/// Longest document, in bytes.
const DOCUMENT_MAX: usize = 2 << 20;
/// Longest text that becomes a first line, in bytes, before it is cut.
const SUMMARY_MAX: usize = 8 << 10;
/// Most characters of a first line.
const LINE_MAX: usize = 200;
/// Policies' own templates stand beside the named ones under a name that none of those can have.
const SUMMARY: &str = "summary:";
/// The built-in document.
const BUILT_IN: &str = include_str!("post-incident.md");
const BUILT_IN_NAME: &str = "built-in:post-incident";
/// The way of escaping, as the engine calls it.
const MARKDOWN: &str = "markdown";

/// Why a template cannot be used, or has failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Fault {
    /// Where it failed: the template's name, `summary:POLICY` for a policy's own.
    pub template: String,
    /// The bytes of that template that are meant, if they are known.
    pub range: Option<Range<usize>>,
    /// The line of that template, from 1, if it is known.
    pub line: Option<usize>,
    /// In words.
    pub why: String,
    /// It takes in a template that is not there.
    pub is_missing: bool,
}

impl Fault {
    fn new(template: &str, why: String) -> Self {
        Self { template: template.to_owned(), range: None, line: None, why, is_missing: false }
    }
}

/// All templates of a configuration, compiled.
#[derive(Clone)]
pub struct Templates {
    plain: Environment<'static>,
    markdown: Environment<'static>,
    names: BTreeSet<String>,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new(&BTreeMap::new(), &BTreeMap::new()).0
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Templates").field(&self.names).finish()
    }
}

impl Templates {
    /// Compiles named templates and policies' own. Those that cannot be are left out and told of.
    pub fn new(named: &BTreeMap<Name, String>, summaries: &BTreeMap<Name, String>) -> (Self, Vec<Fault>) {
        let mut all = Self {
            plain: environment(AutoEscape::None),
            markdown: environment(AutoEscape::Custom(MARKDOWN.into())),
            names: BTreeSet::new(),
        };
        let mut faults = Vec::new();
        let summaries = summaries.iter().map(|(policy, source)| (summary_name(policy), source));
        let named = named.iter().map(|(name, source)| (name.to_string(), source));
        for (name, source) in named.chain(summaries) {
            match all.add(&name, source) {
                Ok(()) => drop(all.names.insert(name)),
                Err(fault) => faults.push(fault),
            }
        }
        if let Err(fault) = all.add(BUILT_IN_NAME, BUILT_IN) {
            faults.push(fault);
        }
        (all, faults)
    }

    fn add(&mut self, name: &str, source: &str) -> Result<(), Fault> {
        if source.len() > SOURCE_MAX {
            let why = format!("it is over {} KiB", SOURCE_MAX >> 10);
            return Err(Fault::new(name, why));
        }
        if let Some(refusal) = scan::refusal(source) {
            return Err(Fault { range: Some(refusal.range), ..Fault::new(name, refusal.why.to_owned()) });
        }
        for environment in [&mut self.plain, &mut self.markdown] {
            environment.add_template_owned(name.to_owned(), source.to_owned()).map_err(|error| said(&error, name))?;
        }
        Ok(())
    }

    /// Whether a policy has a first line of its own.
    pub fn has_summary(&self, policy: &str) -> bool {
        self.names.contains(&summary_name(policy))
    }

    /// The first line of a policy's message.
    pub fn summary(&self, policy: &str, context: &impl Serialize) -> Result<String, Fault> {
        let name = summary_name(policy);
        let text = render(&self.plain, &name, context, SUMMARY_MAX)?;
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(crate::domain::message::cut(&line, LINE_MAX))
    }

    /// Any named template, as plain text.
    pub fn named(&self, name: &str, context: &impl Serialize) -> Result<String, Fault> {
        render(&self.plain, name, context, DOCUMENT_MAX)
    }

    /// Whether `name` was compiled.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The document about an incident, as Markdown: by the template of that name, or the built-in one if there is none, or
    /// it fails. Then the fault comes with it.
    pub fn post_incident(&self, context: &post_incident::PostIncident) -> (String, Option<Fault>) {
        let mut failed = None;
        if self.names.contains(POST_INCIDENT) {
            match self.own_post_incident(context) {
                Ok(text) => return (text, None),
                Err(fault) => failed = Some(fault),
            }
        }
        let built_in = render(&self.markdown, BUILT_IN_NAME, context, DOCUMENT_MAX);
        // It renders whatever it is given; if not, there is still the headline.
        let text = built_in.unwrap_or_else(|fault| {
            format!("# {}\n\n{}\n", markdown::line(&context.title), markdown::line(&fault.why))
        });
        (text, failed)
    }

    /// The document by the template of that name only.
    pub fn own_post_incident(&self, context: &post_incident::PostIncident) -> Result<String, Fault> {
        render(&self.markdown, POST_INCIDENT, context, DOCUMENT_MAX)
    }
}

/// What a policy's own template is called.
pub fn summary_name(policy: &str) -> String {
    format!("{SUMMARY}{policy}")
}

fn environment(escape: AutoEscape) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(STEPS_MAX));
    environment.set_recursion_limit(DEPTH_MAX);
    environment.set_debug(true);
    environment.set_syntax(syntax());
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment.set_formatter(|out, state, value| {
        let text = filters::shown(value)?;
        let plain = value.is_safe() || *state.auto_escape() == AutoEscape::None;
        let text = if plain { text } else { markdown::line(&text) };
        out.write_str(&text).map_err(|_| Error::from(ErrorKind::WriteFailure))
    });
    filters::add(&mut environment);
    environment
}

/// The way of writing, for compiling and for reading.
fn syntax() -> SyntaxConfig {
    // A line with nothing but a statement leaves no line behind.
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().unwrap_or_default()
}

fn render(
    environment: &Environment<'static>,
    name: &str,
    context: &impl Serialize,
    most: usize,
) -> Result<String, Fault> {
    let fault = |why: String| Fault::new(name, why);
    let template = environment.get_template(name).map_err(|error| said(&error, name))?;
    let mut out = Bounded { bytes: Vec::new(), most, over: false };
    let done = template.render_captured_to(Value::from(Serde(context)), &mut out).map(drop);
    if out.over {
        return Err(fault(format!("it says more than {most} bytes")));
    }
    done.map_err(|error| said(&error, name))?;
    let text = String::from_utf8(out.bytes).map_err(|_| fault("it says what is no text".to_owned()))?;
    if text.trim().is_empty() {
        return Err(fault("it says nothing".to_owned()));
    }
    Ok(text)
}

/// A sink of so many bytes.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    over: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.over = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The engine's error in few words: the innermost, which is where it began.
fn said(error: &Error, name: &str) -> Fault {
    let mut error = error;
    while let Some(inner) = error.source().and_then(|inner| inner.downcast_ref::<Error>()) {
        error = inner;
    }
    let range = error.range().filter(|range| !range.is_empty());
    let meant = error.template_source().zip(range.clone()).and_then(|(source, range)| source.get(range));
    let meant = meant.filter(|meant| meant.len() <= 60 && !meant.contains('\n'));
    let why = match (error.kind(), meant, error.detail()) {
        (ErrorKind::OutOfFuel, ..) => format!("it takes over {STEPS_MAX} steps"),
        (ErrorKind::UndefinedError, Some(meant), _) => format!("`{meant}` is not defined"),
        (kind, _, Some(detail)) => format!("{kind}: {detail}"),
        (kind, ..) => kind.to_string(),
    };
    let is_missing = error.kind() == ErrorKind::TemplateNotFound;
    Fault { template: error.name().unwrap_or(name).to_owned(), range, line: error.line(), why, is_missing }
}

#[cfg(test)]
mod tests;
