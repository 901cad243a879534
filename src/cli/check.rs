//! `slod check`: all problems of the configuration.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::ValueEnum;

use crate::config::{self, Loaded, Mode, Overrides, diagnostics::Severity, model::Config, render};

/// What `slod check` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ask every source, and every receiver for its credentials; sends no message
    #[arg(long)]
    pub online: bool,
    /// Ask only this source or receiver
    #[arg(long, value_name = "NAME", requires = "online")]
    pub only: Option<String>,
    /// Ask the running daemon what a reload with this configuration would do to it and to its open incidents
    #[arg(long)]
    pub against_running: bool,
    /// The daemon over HTTP instead of its socket, like `http://host:9720`
    #[arg(long, env = "SLOD_ADDRESS", value_name = "URL")]
    pub address: Option<String>,
    /// Warnings fail too (exit code 3)
    #[arg(long)]
    pub deny_warnings: bool,
    /// How problems are shown
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// What wins over the file.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// How problems are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// Annotations of a workflow run.
    Github,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to mend.
    Fine,
    /// There are errors.
    Findings,
    /// There are warnings, and they were not to be.
    Warnings,
}

impl Verdict {
    /// 0, 1 or 3.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Warnings => 3,
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(verdict.code())
    }
}

/// A finished offline check. What comes after (`--online`) takes the configuration out of it.
#[derive(Debug)]
pub struct Checked {
    /// How it ended.
    pub verdict: Verdict,
    /// The configuration, if it can be used.
    pub config: Option<Config>,
}

/// Loads the configuration and shows all of its problems on `out`: everything that needs no network.
///
/// With `args.online`, variables must be set; the questions to sources and receivers are the caller's,
/// who finds the configuration in the answer.
pub fn run(
    config: &Path,
    args: &Args,
    env: &dyn Fn(&str) -> Option<String>,
    colour: bool,
    out: &mut dyn Write,
) -> io::Result<Checked> {
    let mode = if args.online { Mode::Run } else { Mode::Check };
    let loaded = config::load(config, mode, env, &args.overrides);
    match args.output {
        Output::Text => {
            out.write_all(render::text(&loaded.diagnostics, colour).as_bytes())?;
            writeln!(out, "{}", summary(&loaded))?;
        }
        Output::Json => out.write_all(render::json(&loaded.diagnostics).as_bytes())?,
        Output::Github => out.write_all(render::github(&loaded.diagnostics).as_bytes())?,
    }
    Ok(Checked { verdict: verdict(&loaded, args.deny_warnings), config: loaded.config })
}

fn verdict(loaded: &Loaded, deny_warnings: bool) -> Verdict {
    if loaded.config.is_none() {
        Verdict::Findings
    } else if deny_warnings && loaded.count(Severity::Warning) > 0 {
        Verdict::Warnings
    } else {
        Verdict::Fine
    }
}

/// A text within an annotation of a workflow run.
pub fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// `ok: 1 service, 4 SLOs, 5 policies, 7 receivers; 6 notes`
pub fn summary(loaded: &Loaded) -> String {
    let problems: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .map(|(severity, word)| (loaded.count(severity), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word, &format!("{word}s")))
        .collect();
    let problems = problems.join(", ");
    let Some(config) = &loaded.config else { return format!("failed: {problems}") };
    let found = [
        counted(config.services.len(), "service", "services"),
        counted(config.slos.len(), "SLO", "SLOs"),
        counted(config.policies.len(), "policy", "policies"),
        counted(config.receivers.len(), "receiver", "receivers"),
    ]
    .join(", ");
    if problems.is_empty() { format!("ok: {found}") } else { format!("ok: {found}; {problems}") }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
