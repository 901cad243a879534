//! The configuration: YAML files in, one checked [`model::Config`] out, or all problems at once.
//!
//! `files` reads, `yaml` gives each file a tree with places, `document` joins the trees, one module per element of
//! the language decodes its part and collects what is wrong, `compile` joins the parts. Nothing here panics on any input.

mod address;
mod agenda;
mod calendar;
mod codes;
mod compile;
mod conditions;
pub(crate) mod context;
mod daemon;
mod decision_log;
pub mod diagnostics;
mod document;
mod escalations;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod finding;
mod fit;
mod indicators;
mod later;
mod looks;
mod maintenance;
mod mask;
pub mod model;
pub(crate) mod open;
mod outside;
mod overrides;
mod pattern;
mod policies;
mod promql;
mod queries;
mod rate;
mod receivers;
mod receivers_more;
pub mod render;
mod runbook;
pub mod secret;
mod services;
mod slos;
mod sources;
mod sql;
mod templates;
pub(crate) mod tree;
pub(crate) mod units;
pub(crate) mod values;
mod veil;
mod yaml;

use std::path::Path;

pub use codes::Code;
pub use overrides::Overrides;

use diagnostics::{Diagnostic, Severity};

/// The language as a JSON Schema (draft-07), for editors.
pub const SCHEMA: &str = include_str!("../../schema/slo.schema.json");

/// What the configuration is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To look at it: a variable that is not set is a warning.
    Check,
    /// To use it (`run`, `check --online`): a variable that is not set is an error.
    Run,
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration, if there is no error.
    pub config: Option<model::Config>,
    /// Everything noticed, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// How many there are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }
}

/// Loads the configuration at `path`: a file, or a folder with `slo.yaml`.
///
/// `env` looks up variables; `overrides` win over `daemon` of the file.
pub fn load(path: &Path, mode: Mode, env: &dyn Fn(&str) -> Option<String>, overrides: &Overrides) -> Loaded {
    let (files, findings) = files::read_all(path);
    compile::compile(&files, findings, mode, env, overrides)
}
